"""How alike are two sounds? Natural classes of a table of features, and the distance that they give (Frisch et al. 2004).

ASCII  Seg.  syllabic  sonority  voice  …
98     b     0         0         1      …        a value below 0: the feature says nothing of the sound

between(p, b) = 1 - shared natural classes / natural classes that hold either
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

MOST = 62  # features, which are the bits of one number
NEITHER = ("ˈ", "~")  # a stress mark and a blank: rows of the released table that are no sounds


@dataclass(frozen=True)
class Sounds:
    """Sounds by their features: which features (bits of a whole number) each has."""

    bits: Mapping[str, int]  # sound -> its features
    names: tuple[str, ...]  # of the bits, such as "voice1"

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The sounds in the order of the table."""
        return tuple(self.bits)

    @cached_property
    def classes(self) -> NDArray[np.bool_]:
        """Every natural class [class sound]: the sounds that share some set of features, each class once."""
        bits = tuple(self.bits.values())
        found = {tuple((b & wanted) == wanted for b in bits) for wanted in {0, *intersections(bits)}}
        return np.array(sorted(found), bool)

    @cached_property
    def distances(self) -> NDArray[np.float64]:
        """The distance [sound sound] of every two sounds, 0 … 1."""
        held = self.classes.T.astype(np.int64)
        shared = held @ held.T
        either = held.sum(1)[:, None] + held.sum(1)[None, :] - shared
        return 1.0 - shared / either

    def between(self, first: str, second: str) -> float:
        """The distance of two sounds."""
        one, other = (self.encoded([s])[0, 0] for s in (first, second))
        return float(self.distances[one, other])

    def encoded(self, forms: Sequence[str]) -> NDArray[np.int64]:
        """Forms as numbers of sounds [form place], -1 after the end. Raises Invalid for a sound that has no features."""
        known = {s: i for i, s in enumerate(self.segments)}
        made = np.full((len(forms), max(map(len, forms), default=0)), -1, np.int64)
        for row, form in enumerate(forms):
            try:
                made[row, : len(form)] = [known[s] for s in form]
            except KeyError as error:
                raise Invalid(
                    f"{form!r}: the table of features has no sound {error}; it has {' '.join(self.segments)}."
                ) from None
        return made

    def told(self, wanted: int) -> str:
        """The features of a set, as words: `[voice1 COR1]`."""
        return f"[{' '.join(n for i, n in enumerate(self.names) if wanted >> i & 1)}]"


def intersections(bits: Iterable[int], least: int = 1) -> set[int]:
    """What any `least` or more of these different sets of features share: each intersection once.

    A set of all natural classes, for every class is what the features shared by its sounds single out.
    """
    found: dict[int, int] = {}  # an intersection -> the most sets it was seen to come from, up to `least`
    for one in dict.fromkeys(bits):
        fresh = [(one, 1), *((one & other, min(least, n + 1)) for other, n in found.items())]
        for shared, n in fresh:
            found[shared] = max(found.get(shared, 0), n)
    return {shared for shared, n in found.items() if n >= least}


def of_features(features: Mapping[str, Mapping[str, int]]) -> Sounds:
    """Sounds of a table sound -> feature -> value; values below 0 say nothing."""
    told = {s: [f"{name}{value}" for name, value in row.items() if value >= 0] for s, row in features.items()}
    names = tuple(dict.fromkeys(n for row in told.values() for n in row))
    if len(names) > MOST:
        raise Invalid(f"the table names {len(names)} features with their values; {MOST} are the most.")
    return Sounds({s: sum(1 << names.index(n) for n in row) for s, row in told.items()}, names)


def read(path: Path) -> Sounds:
    """The sounds of a table: two lines of names, then a number, a sound and its values, apart by tabs. Raises Invalid."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        names = lines[0][2:]
        rows = {row[1]: dict(zip(names, map(int, row[2:]), strict=True)) for row in lines[2:]}
    except (IndexError, ValueError) as error:
        raise Invalid(
            f"{path} is no table of features: number, sound and one value a feature, by tabs ({error})."
        ) from None
    return of_features({s: row for s, row in rows.items() if s not in NEITHER})
