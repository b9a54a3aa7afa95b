"""Which number does a claim speak of? Effects turn records into one value a unit, and all that judging needs beside it.

str(gap("exact", {"format": "hints"}, {"format": "plain"}, shifted=True))
->  "mean exact on shifted splits, format hints, minus format plain"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from .errors import Invalid
from .record import Records, Value
from .stats import Ends, Floats, spearman

Where = tuple[tuple[str, Value | frozenset[Value]], ...]


class Untested(Exception):
    """Why an effect has no value: becomes the `why` of an untested claim."""


@dataclass(frozen=True)
class Cell:
    """One weighted mean: w, p [run], n [run], whether each run has items of its own, and runs that scored alike."""

    w: float
    p: Floats
    n: Floats
    own: bool
    alike: bool = False


@dataclass(frozen=True)
class Table:
    """The scores of one split's shared items: x [unit item], weighted and summed over the arms of the split.

    `arms` counts the cells summed; `weights` are theirs.
    """

    split: str
    ids: tuple[str, ...]
    x: Floats
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Units:
    """All that judging needs of an effect.

    parts: paired = one [unit] (or [unit 2]); arms on different seeds, or one per split where items are the unit =
    several, signs included; rank over a coordinate = one [unit 2] of (coordinate, value).
    """

    rule: Literal["mean", "ratio", "median", "rank"]
    parts: tuple[Floats, ...]
    names: tuple[Value, ...] = ()
    ends: Ends | None = None
    step: float = 0.0
    least: int = 3
    cells: tuple[Cell, ...] = ()
    tables: tuple[Table, ...] = ()
    evidence: tuple[str, ...] = ()
    missing: str = ""
    of_items: bool = False  # whether the parts hold a value an item rather than a value a run


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

        return linear(self.terms, records, unit, over)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Ratio:
    """One level divided by another, in the same units."""

    top: Linear
    bottom: Linear

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.top.measures, *self.bottom.measures)))

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        a, b = (e.per_unit(records, unit, over) for e in (self.top, self.bottom))
        if len(a.parts) != 1 or len(b.parts) != 1 or a.names != b.names:
            raise Untested("a ratio needs numerator and denominator from the same units; these differ.")
        fractions = (0.0, 1.0) if a.ends == b.ends == (0.0, 1.0) else None
        pairs = np.stack([a.parts[0], b.parts[0]], axis=1)
        return Units("ratio", (pairs,), a.names, fractions, evidence=(*a.evidence, *b.evidence))

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
        from .cells import along

        names, levels, values, evidence = along(self.measure, self.coordinate, self.where, records, unit, over)
        if unit not in ("seed", "item"):
            points = np.stack([levels, values.mean(axis=0)], axis=1)
            return Units("rank", (points,), tuple(levels.tolist()), (-1.0, 1.0), least=8, evidence=evidence)
        k = len(levels)
        if k < 4:
            raise Untested(f"a rank over {self.coordinate} needs 4 levels; there are {k}.")
        step = 12 / (k**3 - k)
        rho = np.array([spearman(levels, v) for v in values])
        return Units("rank", (rho,), names, (-1 - step, 1 + step), step, evidence=evidence)

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

        if unit != "seed":
            raise Untested(f"steps_to is a time of a run; unit {unit!r} has none.")
        names, bounds, evidence = times(self, self.where, records, over)
        if self.against is not None:
            others, other, more = times(self, self.against, records, over)
            if names != others:
                raise Untested("the two times are of different seeds, so their ratio has no pairs.")
            with np.errstate(divide="ignore", invalid="ignore"):
                low, high = bounds[:, 0] / other[:, 1], bounds[:, 1] / other[:, 0]
            bounds, evidence = (
                np.stack([np.nan_to_num(low, nan=0.0), np.where(np.isnan(high), np.inf, high)], axis=1),
                evidence + more,
            )
        return Units("median", (bounds,), names, least=5, evidence=evidence)

    def __str__(self) -> str:
        way = "falls to" if self.falling else "reaches"
        told = f"median steps until {self.measure} {way} {self.threshold:g}{_told(self.where)}"
        return told if self.against is None else f"{told}, divided by those of{_told(self.against)}"


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

        if unit != "seed":
            raise Untested(f"at_matched reads the curve of a run; unit {unit!r} has none.")
        names, values, counts, evidence = matched(self, self.where, records, over)
        ends: Ends | None = (0.0, 1.0) if counts else None
        if self.against is not None:
            others, other, more_counts, more = matched(self, self.against, records, over)
            ends = (-1.0, 1.0) if counts and more_counts else None
            if names != others:
                return Units("mean", (values, -other), names, ends, evidence=evidence + more)
            values, evidence = values - other, evidence + more
        return Units("mean", (values,), names, ends, evidence=evidence)

    def __str__(self) -> str:
        told = f"{self.measure} where {self.loss} passes {self.value:g}{_told(self.where)}"
        return told if self.against is None else f"{told}, minus that of{_told(self.against)}"


def level(measure: str, **where: Value | frozenset[Value]) -> Linear:
    """The mean of a measure over all cells that match."""
    return Linear((Term(1.0, measure, _where(where)),), f"mean {measure}{_told(_where(where))}")


def gap(
    measure: str,
    first: Mapping[str, Value | frozenset[Value]],
    second: Mapping[str, Value | frozenset[Value]],
    **where: Value | frozenset[Value],
) -> Linear:
    """The mean on the first arm minus that on the second; `where` holds for both."""
    a, b = _where({**where, **first}), _where({**where, **second})
    words = f"mean {measure}{_told(_where(where))}{_told(_where(first))}, minus{_told(_where(second), lead='')}"
    return Linear((Term(1.0, measure, a), Term(-1.0, measure, b)), words)


def minus(first: Linear, second: Linear) -> Linear:
    """One linear effect minus another: a gap of measures, or a difference of gaps."""
    turned = tuple(Term(-t.coefficient, t.measure, t.where, t.along) for t in second.terms)
    return Linear((*first.terms, *turned), f"({first}) minus ({second})")


def slope(measure: str, coordinate: str, **where: Value | frozenset[Value]) -> Linear:
    """The least-squares slope of a measure over a numeric coordinate, per unit of it."""
    return Linear(
        (Term(1.0, measure, _where(where), coordinate),), f"slope of {measure} over {coordinate}{_told(_where(where))}"
    )


def ratio(top: Linear, bottom: Linear) -> Ratio:
    """One linear effect divided by another (Fieller's interval)."""
    return Ratio(top, bottom)


def rank(measure: str, coordinate: str, **where: Value | frozenset[Value]) -> Rank:
    """The rank correlation of a measure with a coordinate."""
    return Rank(measure, coordinate, _where(where))


def steps_to(
    measure: str,
    threshold: float,
    *,
    against: Mapping[str, Value] | None = None,
    falling: bool = False,
    **where: Value | frozenset[Value],
) -> StepsTo:
    """The median number of steps until a measure reaches a threshold; with `against`, divided by that arm's."""
    if against is None:
        return StepsTo(measure, threshold, _where(where), None, falling)
    return StepsTo(measure, threshold, _where(where), _where({**where, **against}), falling)


def at_matched(
    measure: str,
    loss: str,
    value: float,
    *,
    against: Mapping[str, Value] | None = None,
    **where: Value | frozenset[Value],
) -> AtMatched:
    """A measure where `loss` passes `value` on each unit's own curve; with `against`, minus that arm's."""
    return AtMatched(measure, loss, value, _where(where), None if against is None else _where({**where, **against}))


def one_of(*values: Value) -> frozenset[Value]:
    """Any of these values, in a `where`."""
    return frozenset(values)


def _where(want: Mapping[str, Value | frozenset[Value]]) -> Where:
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
