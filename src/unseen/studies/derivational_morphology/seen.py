"""Does a model prefer the derivative that was met more often, and is it surer of it? Adjectives that are in the corpus.

groups   regular ity (-able), regular ness (-ish), variable ity and variable ness (-ive, -ous, by what was met most)
bands    low: the derivative was met at most 10 times, high: at least 100 times (of the Pile's counts)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from unseen.core.errors import missing_extra
from unseen.core.record import Split

from .arms import Counts
from .learners import kind_of
from .lexicon import REGULAR, Entry, Lexicon, followed

T = TypeVar("T")
GROUPS = ("regular ity", "regular ness", "variable ity", "variable ness")
BANDS: Mapping[str, tuple[float, float]] = {
    "pile": (10, 100),
    "wordfreq": (0, 30),
}  # at most, at least; per billion words
SEED = 1_107  # adjectives are drawn with, the same for every model


@dataclass(frozen=True, slots=True)
class Seen:
    """A seen adjective: its commoner derivative, the group it belongs to, and the band of its count."""

    entry: Entry
    group: str
    band: str
    count: int  # of the commoner derivative, in the corpus that the bands are told by

    @property
    def split(self) -> Split:
        """The reference split of its group."""
        at = {"group": self.group, "kind": self.group.split()[0]}
        return Split(f"seen {self.group}", "novelty", at)


def sampled(lexicon: Lexicon, each: int, counts: Counts = "pile") -> list[Seen]:
    """`each` adjectives of every group and band (0: all there are), of those in either band; fewer where there are fewer.

    Of regular endings, those whose commoner derivative is the regular one. Which derivative is the commoner one is told
    by the lexicon's own counts, the bands by those asked for.
    """
    low, high = BANDS[counts]
    told = {e.derivative: e.count for e in recounted(lexicon, counts).entries}
    found: dict[tuple[str, str], list[Seen]] = {(g, b): [] for g in GROUPS for b in ("low", "high")}
    for (ending, _), entries in lexicon.bases.items():
        top = next(e for e in entries if e.suffix == followed(entries))
        if top.suffix == REGULAR.get(ending, top.suffix):
            count = told[top.derivative]
            band = "low" if count <= low else "high" if count >= high else ""
            if band:
                group = f"{kind_of(ending)} {top.suffix}"
                found[group, band].append(Seen(top, group, band, count))
    return [one for held in found.values() for one in some(held, each)]


def some(held: Sequence[T], n: int) -> list[T]:
    """n of them, the same for every speaker; all where there are no more, or where n is 0."""
    if not n or len(held) <= n:
        return list(held)
    return [held[int(i)] for i in np.sort(np.random.default_rng(SEED).choice(len(held), n, replace=False))]


def recounted(lexicon: Lexicon, counts: Counts) -> Lexicon:
    """The lexicon with the counts of another corpus: the package wordfreq's, in whole words of a billion; 0 where a
    derivative is not in its list. Raises Missing where the package is not there."""
    if counts == "pile":
        return lexicon
    try:
        from wordfreq import word_frequency
    except ModuleNotFoundError as error:
        raise missing_extra("counts=wordfreq", error, "text") from error
    return replace(lexicon, entries=tuple(replace(e, count=round(1e9 * word_frequency(e.derivative, "en", wordlist="large"))) for e in lexicon.entries))  # fmt: skip
