"""How many rules does it take? The middle of the rise of exact match with the number of rules, run by run.

midpoint([16, 64, 256, 1024], [0.0, 0.1, 0.9, 1.0])  ->  about 128
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.cells import chosen, evidence, numbers
from unseen.core.effect import Units, Untested, Want
from unseen.core.record import Records

SPAN = 3.0  # how many factors of ten beyond the ends of the ladder a middle is looked for
SHARPNESS = np.geomspace(0.5, 64, 43)  # rises of the log-odds for each factor of ten


@dataclass(frozen=True)
class Midpoint:
    """The base-10 logarithm of the number of rules at which a measure is half-way up, by a logistic curve for each run."""

    measure: str
    where: tuple[tuple[str, Want], ...]

    @property
    def measures(self) -> tuple[str, ...]:
        return (self.measure,)

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        """One value for each run. Raises Untested for another unit, or where a run lacks rungs or never rises."""
        if unit != "seed":
            raise Untested(f"the middle of a rise is a value of a run; the unit {unit!r} has none.")
        rows = chosen(records, self.measure, self.where, (*over, "rules", "amount"))
        rules = numbers(rows, "rules", np.arange(len(rows)))
        seeds = rows.columns["seed"].values()
        values: list[float] = []
        names = tuple(dict.fromkeys(seeds.tolist()))
        for seed in names:
            here = seeds == seed
            if len(np.unique(rules[here])) < 3 or np.isnan(rows.value[here]).any():
                raise Untested(f"seed {seed} has no value on at least three numbers of rules.")
            if not rows.value[here].min() < 0.5 < rows.value[here].max():
                raise Untested(f"{self.measure} of seed {seed} does not pass 0.5 between its fewest and most rules.")
            values.append(float(np.log10(midpoint(rules[here], rows.value[here]))))
        told = np.array(values)
        return Units("mean", (told,), names, runs=told, evidence=evidence(rows))

    def __str__(self) -> str:
        told = ", ".join(f"{k} {v}" for k, v in self.where)
        return f"log10 of the rules at which {self.measure} is half-way up, {told}"


def rise(measure: str, where: Mapping[str, Want]) -> Midpoint:
    """The middle of the rise of a measure, on the rows that match."""
    return Midpoint(measure, tuple(sorted(where.items())))


def midpoint(rules: Sequence[float] | NDArray[np.floating], shares: Sequence[float] | NDArray[np.floating]) -> float:
    """The number of rules at which the logistic curve in log10(rules) that fits the shares best (by likelihood) is 0.5.

    Searched on a grid of middles (40 for each factor of ten) and slopes, and then refined around the best.
    """
    x, p = np.log10(np.asarray(rules, float)), np.asarray(shares, float)
    middle, sharp = np.linspace(x.min() - SPAN, x.max() + SPAN, int((np.ptp(x) + 2 * SPAN) * 40) + 1), SHARPNESS
    for _ in range(5):
        odds = sharp[None, :, None] * (x - middle[:, None, None])
        likely = (p * -np.logaddexp(0, -odds) + (1 - p) * -np.logaddexp(0, odds)).sum(-1)
        i, j = np.unravel_index(int(likely.argmax()), likely.shape)
        step = middle[1] - middle[0]
        middle = np.linspace(middle[i] - 2 * step, middle[i] + 2 * step, 41)
        sharp = np.geomspace(sharp[max(j - 1, 0)], sharp[min(j + 1, len(sharp) - 1)], 21)
    return float(10 ** middle[20])
