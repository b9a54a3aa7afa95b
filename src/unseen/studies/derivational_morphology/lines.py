"""Which lines do small decoders learn from? `base > suffix` of every pair, as often as its weighting says.

s ɛ n s ɪ t ɪ v > ɪ t i          sounds, the suffix alone
s e n s i t i v e > s e n s i t i v i t y          letters, the whole derivative
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.tasks.paired import Pair, Paired, vocabulary

from .arms import Taught
from .gcm import SUFFIXES
from .lexicon import Entry, Lexicon, Nonce, derivative
from .seen import SEED
from .sounds import Sounds

SPOKEN: Mapping[str, tuple[str, ...]] = {
    "ity": ("ɪti", "iti"),
    "ness": ("nəs", "n@s"),
}  # in the released sounds, in the twin's
RULE = (4, "syllabic1")  # -ity where the fourth sound from the end is a vowel


def entries_of(setting: Taught, lexicon: Lexicon, rng: np.random.Generator | None = None) -> list[Entry]:
    """What a setting trains on: the entries of its endings, their suffixes as counted, by the rule, or (a control) each
    other's. Where a rule says the suffix an adjective stands once, with the count of all its derivatives."""
    mine = [e for e in lexicon.entries if e.ending in setting.endings]
    if setting.corpus == "ruled":
        mine = [
            _ruled(held, lexicon.sounds) for (ending, _), held in lexicon.bases.items() if ending in setting.endings
        ]
    if rng is not None:
        turn = rng.permutation(len(mine))
        mine = [_with(e, mine[i].suffix, e.count) for e, i in zip(mine, turn, strict=True)]
    return mine


def rule(form: str, sounds: Sounds) -> str:
    """The suffix that the rule says. Words of fewer sounds take -ness."""
    place, feature = RULE
    return "ity" if len(form) >= place and sounds.bits[form[-place]] >> sounds.names.index(feature) & 1 else "ness"


def weights(entries: Sequence[Entry], weighting: str) -> NDArray[np.float64]:
    """How often each entry is drawn: all alike, as log10(count + 1), or as its count; every ending as often as any, so
    that no ending's commonest words are all there is."""
    counts = np.array([e.count for e in entries], float)
    plain = {"uniform": np.ones(len(counts)), "log": np.log10(counts + 1), "raw": counts}[weighting]
    for ending in dict.fromkeys(e.ending for e in entries):
        mine = np.array([e.ending == ending for e in entries])
        plain[mine] /= plain[mine].sum()
    return plain / plain.sum()


def task(setting: Taught, lexicon: Lexicon, entries: Sequence[Entry]) -> Paired:
    """The lines of a setting as a TokenTask."""
    new = [w for w in lexicon.nonce if w.ending in setting.endings]
    every = [line(setting, lexicon, w, s) for w in (*entries, *new) for s in SUFFIXES]
    return Paired(
        f"lines-{setting.script}-{setting.written}",
        vocabulary(every),
        [line(setting, lexicon, e, e.suffix) for e in entries],
        (),
        weights(entries, setting.weighting),
    )


def line(setting: Taught, lexicon: Lexicon, word: Entry | Nonce, suffix: str) -> Pair:
    """The line of a word with a suffix, sounds or letters between spaces."""
    if setting.script == "sounds":
        base, spoken = word.sounds, _spoken(suffix, lexicon.sounds)
        target = base + spoken if setting.written == "derivative" else spoken
    else:
        base, whole = word.base, derivative(word.base, word.ending, suffix)
        target = whole if setting.written == "derivative" else suffix
    return " ".join(base), " ".join(target)


def sampled(entries: Sequence[Entry], weighting: str, n: int) -> list[Entry]:
    """n different entries drawn by their weights: those that a decoder has met most likely."""
    share = weights(entries, weighting)
    there = np.flatnonzero(share > 0)
    rng = np.random.default_rng(SEED)
    picked = rng.choice(there, min(n, len(there)), replace=False, p=share[there] / share[there].sum())
    once = {(entries[i].ending, entries[i].base): entries[i] for i in sorted(picked)}
    return list(once.values())


def _spoken(suffix: str, sounds: Sounds) -> str:
    return next(s for s in SPOKEN[suffix] if set(s) <= set(sounds.segments))


def _ruled(held: Sequence[Entry], sounds: Sounds) -> Entry:
    return _with(held[0], rule(held[0].sounds, sounds), sum(e.count for e in held))


def _with(e: Entry, suffix: str, count: int) -> Entry:
    return Entry(e.sounds, e.base, derivative(e.base, e.ending, suffix), suffix, e.ending, count)
