"""How wide is an effect's interval? From its units: means with the noise of shared items, ratios, medians, ranks, floors.

    interval_of(Units("mean", (np.array([0.86, 0.91, 0.93]),), ends=(0, 1)), "seed")(0.05)  ->  (0.78, 0.96)

Arrays may carry further axes before those that Units names, so that many draws are judged at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .effect import Cells, Pairs, Units
from .stats import (
    Ends,
    Floats,
    Limits,
    at_least,
    bonett_price,
    clopper_pearson,
    counts_reach,
    crossed,
    fieller,
    limits,
    median_limits,
    noise,
    rank_limits,
    spearman,
    spread,
    together,
    weighed,
)

At = Callable[[float], "Limits | None"]  # alpha -> limits
OfSum = Callable[[Floats], Limits]  # weights of the columns [... k] -> limits


def point_of(units: Units) -> Floats:
    """The estimate: mean of the units, ratio of means, median of times, or the rank correlation of points."""
    if units.rule == "ratio":
        a, b = np.moveaxis(sum((p.mean(-2) for p in units.parts), np.zeros(2)), -1, 0)
        return np.divide(a, b, out=np.full_like(a, np.nan), where=b != 0)
    if units.rule == "median":
        known = units.runs if units.runs.size else units.parts[0][..., 1]
        return np.nanmedian(known, axis=-1) if not np.all(np.isnan(known)) else np.asarray(np.nan)
    if _points(units):
        return spearman(units.parts[0][..., 0], units.parts[0][..., 1])
    return sum((p.mean(-1) for p in units.parts), np.zeros(()))


def count_of(units: Units, unit: str) -> int:
    """How many units there are: those of the smallest arm, or all items in hand where items are the unit."""
    return units.items if unit == "item" else _smallest(units)


def too_few(units: Units, unit: str) -> bool:
    """Whether there are fewer units than the rule needs."""
    return (units.items if unit == "item" and not units.of_items else _smallest(units)) < units.least


def interval_of(units: Units, unit: str, edges: Sequence[float] | None = None) -> At:
    """alpha -> the limits before clipping: with too few units those of the items in hand; None where there are none.

    With `edges`, a ratio's limits are told only so far as to say which of these they have passed, which is quick.
    """
    enough, of_run = not too_few(units, unit), unit == "item" and not units.of_items
    if units.rule in ("median", "rank"):
        return _ordered(units) if enough and not of_run else lambda alpha: None
    by_units = enough and not of_run
    if not by_units and units.cells is None:
        return lambda alpha: None
    of_sum = _weighted(units, unit, by_units=by_units)
    if units.rule == "mean":
        return lambda alpha: of_sum(alpha)(np.ones(1))
    return _ratio(of_sum, point_of(units), edges)


def _ratio(of_sum: Callable[[float], OfSum], estimate: Floats, edges: Sequence[float] | None) -> At:
    """Fieller: all c with 0 in the interval of a − c·b; everything where that of b holds 0."""

    def outside(at: OfSum, c: float) -> NDArray[np.bool_]:
        low, high = at(np.array([1.0, -c]))
        return (low > 0) | (high < 0)

    def at_alpha(alpha: float) -> Limits:
        at = of_sum(alpha)
        bottom = at(np.array([0.0, 1.0]))
        endless = ((bottom[0] <= 0) & (bottom[1] >= 0)) | np.isnan(estimate)
        low, high = np.full_like(estimate, -np.inf), np.full_like(estimate, np.inf)
        if edges is None:
            low, high = fieller(lambda c: at(np.stack([np.ones_like(c), -c], -1)), estimate)
        for c in edges or ():
            beyond = outside(at, c)
            low = np.where(beyond & (c < estimate), np.maximum(low, np.nextafter(c, np.inf)), low)
            high = np.where(beyond & (c > estimate), np.minimum(high, np.nextafter(c, -np.inf)), high)
        return np.where(endless, -np.inf, low), np.where(endless, np.inf, high)

    return at_alpha


def _ordered(units: Units) -> At:
    """The limits of medians of times, of rank correlations of runs, and of one over points."""
    part = units.parts[0]
    if units.rule == "median":
        return lambda alpha: median_limits(part[..., 0], part[..., 1], alpha)
    if _points(units):
        rho = point_of(units)
        return lambda alpha: rank_limits(rho, part.shape[-2], alpha)
    of = at_least(spread(part), units.step**2 / part.shape[-1])
    return lambda alpha: limits(of, units.ends, alpha)


def _weighted(units: Units, unit: str, *, by_units: bool) -> Callable[[float], OfSum]:
    """alpha -> the limits of any weighted sum of the columns (one; two of a ratio), no narrower than the floor of counts."""
    parts = [noise(_columns(units, p)[..., None, :, :]) for p in units.parts] if by_units else []
    tables = [noise(_columns(units, t.x)) for t in units.tables] if by_units and unit == "seed" else []
    least = None if units.cells is None else _floor(units.cells, units.pairs)

    def at(alpha: float) -> OfSum:
        floor = None if least is None else least(alpha)

        def of(w: Floats) -> Limits:
            if floor is not None and not by_units:
                return floor(w)
            sums = together([weighed(p, w) for p in parts])
            low, high = limits(crossed(sums, tables, w) if tables else sums, _ends(units, w), alpha)
            if floor is None:
                return low, high
            lowest, highest = floor(w)
            return np.minimum(low, lowest), np.maximum(high, highest)

        return of

    return at


def _columns(units: Units, x: Floats) -> Floats:
    """Values with their columns last: two of a ratio, else one."""
    return x if units.rule == "ratio" else x[..., None]


def _ends(units: Units, w: Floats) -> Ends | None:
    """The ends of a weighted sum; a ratio's follow from its cells and the weights of its two columns."""
    if units.rule == "mean" or units.cells is None:
        return units.ends if units.rule == "mean" else None
    cells = units.cells
    a, b = (np.bincount(cells.column, part, minlength=2) for part in (np.minimum(cells.w, 0), np.maximum(cells.w, 0)))
    return np.minimum(w * a, w * b).sum(-1), np.maximum(w * a, w * b).sum(-1)


def _floor(cells: Cells, pairs: Pairs | None) -> Callable[[float], OfSum]:
    """The least interval that counts allow: gaps of two arms on the same items go by Bonett and Price, all other cells
    by Clopper and Pearson, summed for each column."""
    p, n = np.broadcast_arrays(cells.p, cells.n)
    (p, n), place = np.unique(np.stack([p, n]).reshape(2, -1), axis=1, return_inverse=True)
    columns = [np.flatnonzero(cells.column == k) for k in range(max(1, int(cells.column.max(initial=0)) + 1))]
    m = np.stack([np.sum(cells.w[k] * cells.p[..., k], -1) for k in columns], -1)

    def at(alpha: float) -> OfSum:
        low, high = (v[place].reshape(cells.p.shape) for v in clopper_pearson(p * n, n, alpha))
        reach = [counts_reach(cells.w[k], (cells.p - low)[..., k], (high - cells.p)[..., k]) for k in columns]
        down, up = (np.stack(v, -1) for v in zip(*reach, strict=True))
        other = (0.0, 0.0, 0.0) if pairs is None else _paired(pairs, alpha)

        def of(w: Floats) -> Limits:
            middle = np.sum(w * m, -1) + other[0]
            below = np.sum(w**2 * np.where(w >= 0, down, up), -1) + other[1]
            above = np.sum(w**2 * np.where(w >= 0, up, down), -1) + other[2]
            return middle - np.sqrt(below), middle + np.sqrt(above)

        return of

    return at


def _paired(pairs: Pairs, alpha: float) -> tuple[Floats, Floats, Floats]:
    """The sum of the pairs' gaps, and how far below and above it lies, squared."""
    d = pairs.total / pairs.n
    low, high = bonett_price(pairs.total, pairs.square, pairs.n, alpha)
    below, above = (np.sum((pairs.w * v) ** 2, -1) for v in (d - low, high - d))
    return np.sum(pairs.w * d, -1), below, above


def _points(units: Units) -> bool:
    """Whether this is one rank correlation over points (coordinate, value) rather than one a run."""
    return units.rule == "rank" and units.step == 0


def _smallest(units: Units) -> int:
    """The units of the smallest part; ratios, times and points have two columns after their units."""
    after = -2 if units.rule in ("ratio", "median") or _points(units) else -1
    return min(p.shape[after] for p in units.parts)
