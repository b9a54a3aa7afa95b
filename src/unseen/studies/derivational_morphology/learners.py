"""What does every speaker say of a word, and how often do two of them agree?

references(lexicon)["gcm_token"]["pepulative"]   ->  0.31          the share of -ity
scores(0.0, nonce, references)                   ->  {"ity": 0, "as_gcm_token": 1, "as_mgl_type": 0, …}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from unseen.core.record import Item, Row, Split

from .gcm import GCM, Pair, Weighting
from .lexicon import REGULAR, Entry, Lexicon, Nonce
from .mgl import MGL

LEARNERS: tuple[tuple[str, Weighting], ...] = (("gcm", "type"), ("gcm", "token"), ("mgl", "type"), ("mgl", "token"))
Shares = Mapping[str, float]  # word -> the share of -ity


def learned(pairs: Sequence[Pair], words: Sequence[Nonce], lexicon: Lexicon) -> dict[str, dict[str, float]]:
    """The share of -ity that each learner gives each word, fitted to pairs of one ending; words that are exemplars, by
    their sounds, are left out of what is fitted to."""
    new = {w.sounds for w in words}
    kept = [p for p in pairs if p[0] not in new]
    forms = [w.sounds for w in words]
    found: dict[str, dict[str, float]] = {}
    for name, weighting in LEARNERS:
        kind = GCM if name == "gcm" else MGL
        share = kind(lexicon.sounds, weighting).fit(kept).share(forms)
        found[f"{name}_{weighting}"] = {w.base: float(s) for w, s in zip(words, share, strict=True)}
    return found


@lru_cache(maxsize=4)
def references(lexicon: Lexicon) -> dict[str, Shares]:
    """What the four learners and the people say of every nonce word: who -> word -> the share of -ity."""
    found: dict[str, dict[str, float]] = {f"{name}_{weighting}": {} for name, weighting in LEARNERS}
    for ending in lexicon.endings:
        for who, shares in learned(lexicon.pairs(ending), lexicon.asked(ending), lexicon).items():
            found[who] |= shares
    people = {w: ity / (ity + ness) for w, (ity, ness) in lexicon.votes.items() if ity + ness}
    return {**found, "people": people}


def kind_of(ending: str) -> str:
    """Whether all words of an ending are to take one suffix."""
    return "regular" if ending in REGULAR else "variable"


def split_of(ending: str, *, made: bool = False) -> Split:
    """The nonce words of an ending: the published ones, or further ones that are made."""
    name = f"{'made' if made else 'nonce'} {ending}"
    return Split(name, "novelty", {"ending": ending, "kind": kind_of(ending)}, shifted=True)


def scores(ity: float, word: Nonce, said: Mapping[str, Shares]) -> dict[str, float]:
    """What a speaker's choices of a word are worth: `ity`, the share of its choices that are -ity; `as_…`, the share that
    are those of each other speaker; of regular endings `regular`; and `expected`, the share that are the people's."""
    found = {"ity": ity}
    for who, shares in said.items():
        if word.base in shares:
            found[f"as_{who}"] = ity if shares[word.base] > 0.5 else 1.0 - ity
    if word.ending in REGULAR:
        found["regular"] = ity if REGULAR[word.ending] == "ity" else 1.0 - ity
    if "people" in said and word.base in said["people"]:
        found["expected"] = found["as_people"]
    return found


def item(word: Nonce, ity: float, said: Mapping[str, Shares], split: Split, **more: object) -> Item:
    """One word asked of a speaker. `more` are the fields of an Item: seed, at, prompt, …"""
    people = said.get("people", {}).get(word.base, 0.5)
    told = {"prompt": word.base, "answer": f"-ity {ity:.2f}", "truth": f"-ity {people:.2f}", **more}
    return Item(word.base, split, scores=scores(ity, word, said), **told)  # type: ignore[arg-type]


def tastes(words: Sequence[Nonce], said: Mapping[str, float], people: Shares, seed: int) -> Iterator[Row]:
    """`said_ity` of each word, what a speaker says (a share, or log odds), beside `votes`, the people's share for -ity."""
    for w in words:
        if w.base in people:
            at = {"word": w.base, "votes": round(people[w.base], 4)}
            yield Row("said_ity", float(said[w.base]), split_of(w.ending), at=at, seed=seed)


def joined(lexicon: Lexicon, ending: str, n: int) -> list[Nonce]:
    """n made words of an ending: the beginning of one adjective with the end of another, cut before a vowel; none of them
    sounds like an adjective that is known. The same for every speaker."""
    rng = np.random.default_rng(n + len(ending))
    known = {e.sounds for e in lexicon.entries} | {w.sounds for w in lexicon.nonce}
    forms = list(dict.fromkeys(e.sounds for e in lexicon.entries if e.ending == ending))
    tail = len(_common(forms))
    found: dict[str, None] = {}
    for _ in range(200 * n):
        if len(found) >= n:
            break
        first, second = (forms[i] for i in rng.integers(0, len(forms), 2))
        a, b = (_cut(form, tail, rng, lexicon) for form in (first, second))
        made = first[:a] + second[b:]
        if a and b and made not in known and len(made) <= 14:
            found[made] = None
    return [Nonce(form, f"{form}·{ending}", ending) for form in found]


def _common(forms: Sequence[str]) -> str:
    """The sounds that most words of an ending end in: the two last."""
    ends = [f[-2:] for f in forms]
    return max(dict.fromkeys(ends), key=ends.count)


def _cut(form: str, tail: int, rng: np.random.Generator, lexicon: Lexicon) -> int:
    """A place before a vowel, neither at the beginning nor within the last sounds; 0 where there is none."""
    vowel = lexicon.sounds.names.index("syllabic1")
    places = [i for i in range(1, len(form) - tail) if lexicon.sounds.bits[form[i]] >> vowel & 1]
    return int(rng.choice(places)) if places else 0


def neighbours(lexicon: Lexicon, entries: Sequence[Entry]) -> dict[str, float]:
    """How much of the similarity of each seen adjective is to exemplars of its own suffix (0 … 1), by the type GCM; by
    its sounds it is no neighbour of itself."""
    found: dict[str, float] = {}
    for ending in dict.fromkeys(e.ending for e in entries):
        mine = [e for e in entries if e.ending == ending]
        share = GCM(lexicon.sounds).fit(lexicon.pairs(ending)).share([e.sounds for e in mine])
        found |= {e.base: float(s if e.suffix == "ity" else 1 - s) for e, s in zip(mine, share, strict=True)}
    return found
