"""Which number does a claim speak of? Effects turn records into one value a unit, and all that judging needs beside it.

str(gap("exact", {"format": "hints"}, {"format": "plain"}, shifted=True))
->  "mean exact on shifted splits, format hints, minus format plain"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import Invalid
from .record import Records, Value
from .stats import Ends, Floats

Want = Value | frozenset[Value]  # a value, or any of several
Where = tuple[tuple[str, Want], ...]


class Untested(Exception):
    """Why an effect has no value: becomes the `why` of an untested claim."""


@dataclass(frozen=True)
class Cells:
    """Weighted fractions: weights w [cell], fractions p [cell], scores they stand on n [cell], columns of a ratio [cell]."""

    w: Floats
    p: Floats
    n: Floats
    column: NDArray[np.intp]


@dataclass(frozen=True)
class Pairs:
    """Gaps of two arms on the same items: weights w, Σd, Σd² and number of differences d in −1..1, each [pair]."""

    w: Floats
    total: Floats
    square: Floats
    n: Floats


@dataclass(frozen=True)
class Table:
    """The scores of one split's shared items, weighted and summed over its cells: x [unit item] ([unit item 2] of a ratio)."""

    split: str
    x: Floats


@dataclass(frozen=True)
class Units:
    """All that judging needs of an effect.

    parts: arms on the same seeds = one [unit]; on different seeds, or items as units = several, signs included; ratio =
    [unit 2] each; times = one [unit 2] of (after, at or before); rank over a coordinate = one [unit 2] of (coordinate,
    value). `cells` and `pairs` are the floor of counts, `tables` the shared items. A `missing` text makes it untested.
    """

    rule: Literal["mean", "ratio", "median", "rank"]
    parts: tuple[Floats, ...]
    names: tuple[Value, ...] = ()
    ends: Ends | None = None
    step: float = 0.0  # the least step of a rank correlation, where each run has one
    least: int = 3
    cells: Cells | None = None
    pairs: Pairs | None = None
    tables: tuple[Table, ...] = ()
    runs: Floats = field(default_factory=lambda: np.empty(0))  # the value of each run, where it has one
    items: int = 0  # items in hand
    of_items: bool = False  # whether parts hold a value an item
    evidence: tuple[str, ...] = ()
    missing: str = ""


class Effect(Protocol):
    """A number per unit, read off records."""

    @property
    def measures(self) -> tuple[str, ...]: ...
    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units: ...


@dataclass(frozen=True)
class Term:
    """One weighted level: coefficient, measure, which rows, and the coordinate of a slope if it is one."""

    coefficient: float
    measure: str
    where: Where
    along: str = ""


@dataclass(frozen=True)
class Linear:
    """A weighted sum of levels: `Σ w·mean` over cells (a cell = one setting × split × coordinates × measure)."""

    terms: tuple[Term, ...]
    words: str = field(compare=False, default="")

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t.measure for t in self.terms))

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        from .cells import linear

        return linear((self.terms,), records, unit, over)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Ratio:
    """One level divided by another."""

    top: Linear
    bottom: Linear

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.top.measures, *self.bottom.measures)))

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        from .cells import linear

        return linear((self.top.terms, self.bottom.terms), records, unit, over)

    def __str__(self) -> str:
        return f"({self.top}) divided by ({self.bottom})"


@dataclass(frozen=True)
class Rank:
    """Spearman's correlation between a measure and a coordinate: per unit over its levels, or over coordinates as units."""

    measure: str
    coordinate: str
    where: Where

    @property
    def measures(self) -> tuple[str, ...]:
        return (self.measure,)

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        from .cells import ranked

        return ranked(self.measure, self.coordinate, self.where, records, unit, over)

    def __str__(self) -> str:
        return f"rank correlation of {self.measure} with {self.coordinate}{_told(self.where)}"


@dataclass(frozen=True)
class StepsTo:
    """Optimizer steps until a measure reaches a threshold (censored at the last step), or the ratio of two such times."""

    measure: str
    threshold: float
    where: Where
    against: Where | None = None
    falling: bool = False

    @property
    def measures(self) -> tuple[str, ...]:
        return (self.measure,)

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        from .curves import times

        return times(self, records, unit, over)

    def __str__(self) -> str:
        way = "falls to" if self.falling else "reaches"
        told = f"median steps until {self.measure} {way} {self.threshold:g}{_told(self.where)}"
        return told if self.against is None else f"{told}, divided by those of{_told(self.against, lead='')}"


@dataclass(frozen=True)
class AtMatched:
    """A measure where another one (a loss) passes a value, each unit interpolating its own curve; or a gap of two arms."""

    measure: str
    loss: str
    value: float
    where: Where
    against: Where | None = None

    @property
    def measures(self) -> tuple[str, ...]:
        return (self.measure, self.loss)

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        from .curves import matched

        return matched(self, records, unit, over)

    def __str__(self) -> str:
        told = f"{self.measure} where {self.loss} passes {self.value:g}{_told(self.where)}"
        return told if self.against is None else f"{told}, minus that of{_told(self.against, lead='')}"


def level(measure: str, **where: Want) -> Linear:
    """The mean of a measure over all cells that match."""
    return Linear((Term(1.0, measure, _where(where)),), f"mean {measure}{_told(_where(where))}")


def gap(measure: str, first: Mapping[str, Want], second: Mapping[str, Want], **where: Want) -> Linear:
    """The mean on the first arm minus that on the second; `where` holds for both."""
    arms = _where({**where, **first}), _where({**where, **second})
    words = f"mean {measure}{_told(_where(where))}{_told(_where(first))}, minus{_told(_where(second), lead='')}"
    return Linear((Term(1.0, measure, arms[0]), Term(-1.0, measure, arms[1])), words)


def minus(first: Linear, second: Linear) -> Linear:
    """One linear effect minus another: a gap of measures, or a difference of gaps."""
    turned = tuple(Term(-t.coefficient, t.measure, t.where, t.along) for t in second.terms)
    return Linear((*first.terms, *turned), f"({first}) minus ({second})")


def slope(measure: str, coordinate: str, **where: Want) -> Linear:
    """The least-squares slope of a measure over a numeric coordinate, per unit of it."""
    return Linear(
        (Term(1.0, measure, _where(where), coordinate),), f"slope of {measure} over {coordinate}{_told(_where(where))}"
    )


def ratio(top: Linear, bottom: Linear) -> Ratio:
    """One linear effect divided by another (Fieller's interval)."""
    return Ratio(top, bottom)


def rank(measure: str, coordinate: str, **where: Want) -> Rank:
    """The rank correlation of a measure with a coordinate."""
    return Rank(measure, coordinate, _where(where))


def steps_to(
    measure: str, threshold: float, *, against: Mapping[str, Want] | None = None, falling: bool = False, **where: Want
) -> StepsTo:
    """The median number of steps until a measure reaches a threshold; with `against`, divided by that arm's."""
    other = None if against is None else _where({**where, **against})
    return StepsTo(measure, threshold, _where(where), other, falling)


def at_matched(
    measure: str, loss: str, value: float, *, against: Mapping[str, Want] | None = None, **where: Want
) -> AtMatched:
    """A measure where `loss` passes `value` on each unit's own curve; with `against`, minus that arm's."""
    return AtMatched(measure, loss, value, _where(where), None if against is None else _where({**where, **against}))


def one_of(*values: Value) -> frozenset[Value]:
    """Any of these values, in a `where`."""
    return frozenset(values)


def _where(want: Mapping[str, Want]) -> Where:
    if "measure" in want:
        raise Invalid("an effect's measure is its first argument; it cannot stand among the conditions too.")
    return tuple(sorted(want.items()))


def _told(where: Where, lead: str = ", ") -> str:
    """Conditions as words: `, on shifted splits, format hints`."""
    words: list[str] = []
    for name, value in where:
        if name == "shifted":
            words.append("on shifted splits" if value else "on reference splits")
        elif isinstance(value, frozenset):
            words.append(f"{name} " + " or ".join(sorted(map(str, value))))
        else:
            words.append(f"{name} {value}")
    words.sort(key=lambda w: not w.startswith("on "))
    told = ", ".join(words)
    if not told:
        return ""
    return (" " if words[0].startswith("on ") or not lead else lead) + told
