"""What do whole curves say? The step at which a measure reaches a threshold, and a measure at a matched loss.

Curve(seed=3, steps=[100, 200, 300], values=[0.1, 0.6, 0.9]) reaches 0.5 between steps 100 and 200
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .cells import chosen, counts, evidence, numbers
from .effect import AtMatched, StepsTo, Units, Untested, Where
from .record import Records, Value
from .stats import Floats

SPLIT_WORDS = ("shifted", "split", "axis")


@dataclass(frozen=True)
class Curve:
    """A measure through one run's training: steps [step] and its mean over cells [step]."""

    seed: Value
    steps: Floats
    values: Floats


def times(effect: StepsTo, records: Records, unit: str, over: Sequence[str]) -> Units:
    """For each run [step before, first step at the threshold], [last step, ∞] where it is never reached; or the bounds
    of the ratio of two times of a seed, [lo_a/hi_b, hi_a/lo_b]."""
    _by_run("steps_to is a time", unit)
    rows = chosen(records, effect.measure, effect.where, over, final=False)
    curves = _curves(rows, effect.measure)
    bounds, told = np.array([_reached(c, effect) for c in curves]), evidence(rows)
    runs = bounds[:, 1]
    if effect.against is not None:
        rows = chosen(records, effect.measure, effect.against, over, final=False)
        others, told = _curves(rows, effect.measure), (*told, *evidence(rows))
        if [c.seed for c in curves] != [c.seed for c in others]:
            raise Untested("the two times are of different seeds, so their ratio has no pairs.")
        other = np.array([_reached(c, effect) for c in others])
        with np.errstate(divide="ignore", invalid="ignore"):
            runs = bounds[:, 1] / other[:, 1]  # NaN where neither was reached: it may be any number
            low, high = bounds[:, 0] / other[:, 1], bounds[:, 1] / other[:, 0]
        bounds = np.stack([np.nan_to_num(low, nan=0.0), np.where(np.isnan(high), np.inf, high)], 1)
    return Units("median", (bounds,), tuple(c.seed for c in curves), least=5, runs=runs, evidence=told)


def matched(effect: AtMatched, records: Records, unit: str, over: Sequence[str]) -> Units:
    """For each run the measure where its own loss first passes the value; with `against`, minus that of the other arm."""
    _by_run("at_matched reads the curve", unit)
    names, values, whole, told = _matched(effect, effect.where, records, over)
    if effect.against is None:
        return Units("mean", (values,), names, (0.0, 1.0) if whole else None, runs=values, evidence=told)
    others, other, also, more = _matched(effect, effect.against, records, over)
    parts = (values - other,) if names == others else (values, -other)
    runs = parts[0] if len(parts) == 1 else np.empty(0)
    return Units("mean", parts, names, (-1.0, 1.0) if whole and also else None, runs=runs, evidence=(*told, *more))


def _by_run(what: str, unit: str) -> None:
    if unit not in ("seed", "item"):
        raise Untested(f"{what} of a run; unit {unit!r} has none.")


def _reached(curve: Curve, effect: StepsTo) -> tuple[float, float]:
    hit = curve.values <= effect.threshold if effect.falling else curve.values >= effect.threshold
    if not hit.any():
        return float(curve.steps[-1]), np.inf
    at = int(np.argmax(hit))
    return float(curve.steps[at - 1]) if at else 0.0, float(curve.steps[at])


def _matched(
    effect: AtMatched, where: Where, records: Records, over: Sequence[str]
) -> tuple[tuple[Value, ...], Floats, bool, tuple[str, ...]]:
    """Seeds, the measure at the matched loss [seed], whether it holds counts, and the evidence. A loss that was not
    measured on the splits named is read without them."""
    rows = chosen(records, effect.measure, where, over, final=False)
    try:
        losses = chosen(records, effect.loss, where, over, final=False)
    except Untested:
        plain = tuple((k, v) for k, v in where if k not in SPLIT_WORDS)
        losses = chosen(records, effect.loss, plain, over, final=False)
    curves, of_loss = _curves(rows, effect.measure), _curves(losses, effect.loss)
    names = tuple(c.seed for c in curves)
    if names != tuple(c.seed for c in of_loss):
        raise Untested(f"{effect.measure} and {effect.loss} were measured on different seeds.")
    found = np.array([_passing(effect.value, a, b) for a, b in zip(of_loss, curves, strict=True)])
    lacking = [str(names[i]) for i in np.flatnonzero(np.isnan(found))]
    if lacking:
        raise Untested(
            f"{len(lacking)} of {len(names)} seeds have no value, because {effect.loss} never passed {effect.value:g} in seeds {', '.join(lacking[:5])}."
        )
    return names, found, counts(rows), (*evidence(rows), *evidence(losses))


def _passing(value: float, loss: Curve, measure: Curve) -> float:
    """The measure where the loss first passes the value, interpolated linearly between steps of both; NaN if it never
    does."""
    _, mine, other = np.intersect1d(loss.steps, measure.steps, return_indices=True)
    x, y = loss.values[mine], measure.values[other]
    side = np.sign(x - value)
    crossed = np.flatnonzero(side != side[0]) if len(side) and side[0] else np.arange(len(side))[:1]
    if not len(crossed):
        return float("nan")
    i = int(crossed[0])
    if i == 0:
        return float(y[0])
    return float(y[i - 1] + (value - x[i - 1]) / (x[i] - x[i - 1]) * (y[i] - y[i - 1]))


def _curves(rows: Records, measure: str) -> list[Curve]:
    """One curve for each seed, over its own steps. Raises Untested where a cell lacks a step that others have."""
    seed, first = rows.places(["seed"])
    cells = len(rows.places([*rows.settings, "split", *rows.coordinates])[1])
    point, at = rows.places(["seed", "step"])
    held = np.bincount(point)
    names, of_seed = rows.columns["seed"].take(first).values(), seed[at]
    steps = numbers(rows, "step", at)
    values = np.bincount(point, rows.value) / held
    for bad, why in ((held != cells, "was not measured in every cell at every step"), (np.isnan(values), "is NaN")):
        if lacking := [str(names[i]) for i in np.unique(of_seed[bad])]:
            raise Untested(
                f"{len(lacking)} of {len(names)} seeds have no value, because {measure} {why} in seeds {', '.join(lacking[:5])}."
            )
    return [
        Curve(name, steps[part], values[part])
        for name, part in zip(names, np.split(np.arange(len(at)), np.flatnonzero(np.diff(of_seed)) + 1), strict=True)
    ]
