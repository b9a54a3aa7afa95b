"""Which numbers of this paper are read across arms? The number of tasks at which learning begins, and two slopes at once.

str(Midpoint("last_by_tasks", "doublings", 0.6, …))  ->  "doublings at which last_by_tasks first passes 0.6 (part map, …)"
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.cells import evidence, matrix, numbers
from unseen.core.effect import Term, Units, Untested, Where
from unseen.core.record import Records

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Midpoint:
    """The coordinate at which a measure first passes a value on its way up, each run interpolating its own curve."""

    measure: str
    coordinate: str
    value: float
    where: Where

    @property
    def measures(self) -> tuple[str, ...]:
        return (self.measure,)

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        """One midpoint a run. Raises Untested where a run never passes the value."""
        if unit not in ("seed", "item"):
            raise Untested(f"a midpoint is of a run; unit {unit!r} has none.")
        m = matrix(Term(1.0, self.measure, self.where, self.coordinate), records, unit, over)
        order = np.argsort(m.x)
        found = np.array([passing(m.x[order], run[order], self.value) for run in m.values.T])
        if lacking := [str(m.units[i]) for i in np.flatnonzero(np.isnan(found))]:
            raise Untested(
                f"{len(lacking)} of {len(m.units)} seeds have no value, because {self.measure} begins above {self.value:g} or never passes it ({', '.join(lacking)})."
            )
        return Units("mean", (found,), m.units, runs=found, evidence=evidence(m.rows))

    def __str__(self) -> str:
        return f"{self.coordinate} at which {self.measure} first passes {self.value:g}{told(self.where)}"


def told(where: Where) -> str:
    """Conditions as words: ` (part map, size wide)`."""
    return f" ({', '.join(f'{name} {value}' for name, value in where)})" if where else ""


def passing(x: Floats, y: Floats, value: float) -> float:
    """Where y, drawn through its points over rising x, first reaches the value; NaN if it begins there or never does."""
    above = np.flatnonzero(y >= value)
    if not len(above) or above[0] == 0:
        return float("nan")
    i = int(above[0])
    return float(x[i - 1] + (value - y[i - 1]) / (y[i] - y[i - 1]) * (x[i] - x[i - 1]))


@dataclass(frozen=True)
class Steeper:
    """How much steeper a measure rises with one coordinate than with another, both at once and in standard deviations:
    the difference of the two coefficients of a least-squares plane over the arms, per run."""

    measure: str
    first: str
    second: str
    where: Where

    @property
    def measures(self) -> tuple[str, ...]:
        return (self.measure,)

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        """One difference a run. Raises Untested with fewer than four arms, or where the two coordinates go together."""
        if unit not in ("seed", "item"):
            raise Untested(f"a slope over arms is of a run; unit {unit!r} has none.")
        m = matrix(Term(1.0, self.measure, self.where, self.first), records, unit, (*over, self.second), levels=4)
        weights = difference(m.x, numbers(m.rows, self.second, m.first))
        runs = weights @ m.values
        return Units("mean", (runs,), m.units, runs=runs, evidence=evidence(m.rows))

    def __str__(self) -> str:
        return (
            f"standardised slope of {self.measure} over {self.first}, minus that over {self.second}{told(self.where)}"
        )


def difference(first: Floats, second: Floats) -> Floats:
    """The weights [arm] by which values of arms become the difference of their two standardised slopes.

    Raises Untested where the coordinates are nearly one (a correlation beyond 0.95), so that nothing tells them apart.
    """
    z = np.stack([(v - v.mean()) / v.std() if v.std() > 0 else 0 * v for v in (first, second)])
    if not z.std(1).all() or abs(np.mean(z[0] * z[1])) > 0.95:
        raise Untested("the two coordinates rise together over these arms, so their slopes cannot be told apart.")
    return np.array([1.0, -1.0]) @ np.linalg.solve(z @ z.T, z)
