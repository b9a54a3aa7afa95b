"""What would a lexicon look like that is ours? A small twin of the released one: made words, suffixes, counts and votes.

    made().entries[0]   ->  Entry("trimitiv", "trimitive", "trimitivity", "ity", "ive", 41)

Words are syllables before an ending, spelled as they sound. Words in -able take -ity but for one in twelve, words in
-ish always -ness; in -ive and -ous the sound before the ending sways the choice. Counts fall off as Zipf's law has it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .lexicon import Entry, Lexicon, Nonce, derivative
from .sounds import Sounds, of_features

SEED = 20_241_107
ENTRIES, NONCE, PEOPLE = 90, 10, 11  # of each ending; people who judge each nonce word
FEATURES = ("syllabic", "sonority", "voice", "LAB", "COR", "DORSAL", "strident", "height", "backness")
TABLE = {
    "p": (0, 0, 0, 1, -1, -1, -1, -1, -1), "b": (0, 0, 1, 1, -1, -1, -1, -1, -1), "t": (0, 0, 0, -1, 1, -1, -1, -1, -1),
    "d": (0, 0, 1, -1, 1, -1, -1, -1, -1), "k": (0, 0, 0, -1, -1, 1, -1, -1, -1), "g": (0, 0, 1, -1, -1, 1, -1, -1, -1),
    "s": (0, 1, 0, -1, 1, -1, 1, -1, -1), "S": (0, 1, 0, -1, 1, 1, 1, -1, -1), "v": (0, 1, 1, 1, -1, -1, -1, -1, -1),
    "m": (0, 2, 1, 1, -1, -1, -1, -1, -1), "n": (0, 2, 1, -1, 1, -1, -1, -1, -1), "l": (0, 3, 1, -1, 1, -1, -1, -1, -1),
    "r": (0, 4, 1, -1, 1, 1, -1, -1, -1), "i": (1, 5, 1, -1, -1, -1, -1, 2, 0), "e": (1, 5, 1, -1, -1, -1, -1, 1, 0),
    "a": (1, 5, 1, -1, -1, -1, -1, 0, 1), "o": (1, 5, 1, 1, -1, -1, -1, 1, 2), "u": (1, 5, 1, 1, -1, -1, -1, 2, 2),
    "@": (1, 5, 1, -1, -1, -1, -1, 1, 1),
}  # fmt: skip
SOUND = {"able": "@b@l", "ish": "iS", "ive": "iv", "ous": "@s"}
ONSETS = ("p", "b", "t", "d", "k", "g", "s", "m", "n", "l", "r", "tr", "pl", "gr", "st")
VOWELS = "aeiou"
CODAS = ("t", "d", "k", "s", "n", "m", "l", "r", "p", "g", "nt", "st", "lt", "rn", "ns", "rs")


def table() -> Sounds:
    """The twin's sounds."""
    return of_features({s: dict(zip(FEATURES, row, strict=True)) for s, row in TABLE.items()})


@lru_cache(maxsize=1)
def made() -> Lexicon:
    """The twin, the same everywhere."""
    rng = np.random.default_rng(SEED)
    entries: list[Entry] = []
    nonce: list[Nonce] = []
    votes: dict[str, tuple[int, int]] = {}
    for ending, sound in SOUND.items():
        stems = _stems(ENTRIES + NONCE, rng)
        for rank, stem in enumerate(stems[:ENTRIES], 1):
            base = stem + ending
            both = rng.random() < 0.1 and ending != "ish"
            first = "ity" if rng.random() < _taste(ending, stem) else "ness"
            count = 1 + int(200_000 / rank**1.6 * rng.uniform(0.5, 1.5))
            for suffix, n in ((first, count), ("ness" if first == "ity" else "ity", 1 + count // 9))[: 1 + both]:
                entries.append(Entry(stem + sound, base, derivative(base, ending, suffix), suffix, ending, n))
        for stem in stems[ENTRIES:]:
            nonce.append(Nonce(stem + sound, stem + ending, ending))
            ity = int(rng.binomial(PEOPLE, _taste(ending, stem)))
            votes[stem + ending] = (ity, PEOPLE - ity)
    return Lexicon(table(), tuple(entries), tuple(nonce), votes)


def _taste(ending: str, stem: str) -> float:
    """The chance of -ity."""
    if ending in ("able", "ish"):
        return 11 / 12 if ending == "able" else 0.0
    return 0.8 if stem[-1] in ("ts" if ending == "ive" else "nlr") else 0.25


def _stems(n: int, rng: np.random.Generator) -> list[str]:
    """n different stems of one to three syllables; the last ends in one or two consonants."""
    found: dict[str, None] = {}
    while len(found) < n:
        parts = [str(rng.choice(ONSETS)) + str(rng.choice(list(VOWELS))) for _ in range(int(rng.integers(1, 4)))]
        found["".join(parts) + str(rng.choice(CODAS))] = None
    return list(found)
