"""The interval of an effect from its units: means with the noise of shared items, ratios, medians, ranks, and floors."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan

import numpy as np

from .effect import Cell, Units
from .stats import (
    Ends,
    Spread,
    bonett_price,
    counts_floor,
    crossed,
    fieller,
    limits,
    median_limits,
    rank_limits,
    spearman,
    spread,
    together,
)


def point_of(units: Units) -> float:
    """The estimate: mean of the units, ratio of means, median of times, or the rank correlation of points."""
    if units.rule == "ratio":
        a, b = units.parts[0].mean(axis=0)
        return float(a / b) if b else nan
    if units.rule == "median":
        return float(np.sort(units.parts[0][:, 1])[(len(units.parts[0]) - 1) // 2])
    if units.rule == "rank" and units.parts[0].ndim == 2:
        return spearman(units.parts[0][:, 0], units.parts[0][:, 1])
    return float(sum(part.mean() for part in units.parts))


def unit_count(units: Units, unit: str) -> int:
    """How many units there are: the smallest part where arms differ, all items where items are the unit."""
    sizes = [len(p) for p in units.parts]
    if unit != "item":
        return min(sizes)
    return sum(sizes) if units.of_items else int(sum(_scores(c) for c in units.cells))


def lowest(units: Units) -> float:
    """The lowest unit, for the reader of a precondition."""
    if units.cells:
        runs = min(len(c.p) for c in units.cells)
        return float(min(sum(c.w * c.p[u] for c in units.cells) for u in range(runs)))
    return float(min(p.min() for p in units.parts)) if len(units.parts) == 1 else nan


def width_of(found: Ends) -> float | None:
    """What could be detected: 1.5 times half the width, None if unbounded."""
    half = (found[1] - found[0]) / 2
    return 1.5 * half if half < inf else None


def interval_of(units: Units, unit: str, alpha: float) -> Ends | None:
    """The limits at alpha before clipping; None where there are too few units and no items to stand in."""
    if units.rule == "ratio":
        pairs = units.parts[0]
        return fieller(pairs[:, 0], pairs[:, 1], units.ends, alpha) if len(pairs) >= units.least else None
    if units.rule == "median":
        return (
            median_limits(units.parts[0][:, 0], units.parts[0][:, 1], alpha)
            if len(units.parts[0]) >= units.least
            else None
        )
    if units.rule == "rank":
        return _ranked(units, alpha)
    found = _of_mean(units, unit, alpha)
    floor = _floor(units, alpha)
    if found is None or floor is None:
        return found if floor is None else floor
    return min(found[0], floor[0]), max(found[1], floor[1])


def _ranked(units: Units, alpha: float) -> Ends | None:
    part = units.parts[0]
    if len(part) < units.least:
        return None
    if part.ndim == 2:
        return rank_limits(spearman(part[:, 0], part[:, 1]), len(part), alpha)
    of = spread(part)
    least = units.step**2 / len(part)
    return limits(Spread(of.m, max(of.variance, least), of.df, of.skew, of.n), units.ends, alpha)


def _of_mean(units: Units, unit: str, alpha: float) -> Ends | None:
    """The interval of a mean, before its floor; None with too few units."""
    if min(len(p) for p in units.parts) < (2 if unit == "item" else units.least) or (
        unit == "item" and not units.of_items
    ):
        return None
    if unit == "item" and units.cells and all(len(c.p) == 1 for c in units.cells):
        return None if _one_run(units) else limits(together([spread(p) for p in units.parts]), units.ends, alpha)
    of = together([spread(p) for p in units.parts])
    if unit == "seed" and units.tables:
        of = crossed(of, [t.x for t in units.tables])
    return limits(of, units.ends, alpha)


def _one_run(units: Units) -> bool:
    """One run of counts: the floor is the interval."""
    return all(np.all(np.isin(t.x, (-1, 0, 1)) | (len(t.weights) > 1)) for t in units.tables)


def _floor(units: Units, alpha: float) -> Ends | None:
    """The least interval that counts allow; None for values that are no counts, and for effects over no cells."""
    if not units.cells:
        return None
    if _paired_arms(units):
        table = units.tables[0]
        n = float(table.x.size if not _alike(units.cells) else table.x.shape[1])
        return bonett_price(table.x.ravel(), n, alpha)
    m = float(sum(c.w * c.p.mean() for c in units.cells))
    return counts_floor(m, [(c.w, float(c.p.mean()), _scores(c)) for c in units.cells], alpha)


def _paired_arms(units: Units) -> bool:
    """Whether this is a gap of two arms on the same items."""
    return len(units.tables) == 1 and len(units.cells) == 2 and sorted(units.tables[0].weights) == [-1.0, 1.0]


def _alike(cells: Sequence[Cell]) -> bool:
    return all(c.alike for c in cells)


def _scores(cell: Cell) -> float:
    """How many scores a cell's fraction stands on: all, or those of one run where the runs are one and the same."""
    return float(cell.n.min() if cell.alike else cell.n.sum())
