"""Effects that read whole curves: the step at which a measure reaches a threshold, and a measure at a matched loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .cells import chosen, numbers
from .effect import AtMatched, StepsTo, Untested, Where
from .record import Records, Value
from .stats import Floats

SPLIT_WORDS = ("shifted", "split", "axis")


def times(
    effect: StepsTo, where: Where, records: Records, over: Sequence[str]
) -> tuple[tuple[Value, ...], Floats, tuple[str, ...]]:
    """The units and, for each, [step before, first step at the threshold]; never reached: [last step, ∞]."""
    rows = chosen(records, effect.measure, where, tuple(over), final=False)
    names, steps, values = _curves(rows, effect.measure)
    reached = values <= effect.threshold if effect.falling else values >= effect.threshold
    bounds = np.empty((len(names), 2))
    for u, hit in enumerate(reached):
        at = int(np.argmax(hit))
        if not hit.any():
            bounds[u] = steps[-1], np.inf
        else:
            bounds[u] = steps[at - 1] if at else 0.0, steps[at]
    return names, bounds, _evidence(rows)


def matched(
    effect: AtMatched, where: Where, records: Records, over: Sequence[str]
) -> tuple[tuple[Value, ...], Floats, bool, tuple[str, ...]]:
    """The units, the measure where each unit's loss first passes the value, whether it holds counts, and the evidence."""
    rows = chosen(records, effect.measure, where, tuple(over), final=False)
    try:
        losses = chosen(records, effect.loss, where, tuple(over), final=False)
    except Untested:
        losses = chosen(
            records, effect.loss, tuple((k, v) for k, v in where if k not in SPLIT_WORDS), tuple(over), final=False
        )
    names, steps, values = _curves(rows, effect.measure)
    others, loss_steps, loss = _curves(losses, effect.loss)
    if names != others:
        raise Untested(f"{effect.measure} and {effect.loss} were measured on different seeds.")
    shared = np.intersect1d(steps, loss_steps)
    values, loss = values[:, np.isin(steps, shared)], loss[:, np.isin(loss_steps, shared)]
    found = np.array([_passing(effect.value, x, y) for x, y in zip(loss, values, strict=True)])
    if np.any(np.isnan(found)):
        lacking = [str(names[i]) for i in np.flatnonzero(np.isnan(found))]
        raise Untested(
            f"{len(lacking)} of {len(names)} seeds have no value, because {effect.loss} never passed {effect.value:g} in seeds {', '.join(lacking[:5])}."
        )
    counts = bool(np.all((rows.value >= 0) & (rows.value <= 1)))
    return names, found, counts, (*_evidence(rows), *_evidence(losses))


def _passing(value: float, loss: Floats, measure: Floats) -> float:
    """The measure where the loss first passes the value, interpolated linearly; NaN if it never does."""
    side = np.sign(loss - value)
    if side[0] == 0:
        return float(measure[0])
    crossed = np.flatnonzero(side != side[0])
    if not len(crossed):
        return float("nan")
    i = int(crossed[0])
    share = (value - loss[i - 1]) / (loss[i] - loss[i - 1])
    return float(measure[i - 1] + share * (measure[i] - measure[i - 1]))


def _curves(rows: Records, measure: str) -> tuple[tuple[Value, ...], Floats, Floats]:
    """Seeds, steps [step] and the mean over cells [seed step]. Raises Untested where a seed lacks a step."""
    column = rows.columns["step"]
    if None in column.present():
        raise Untested(f"{measure} has rows without a step, so it has no curve.")
    seed, step = (np.unique(c.codes, return_inverse=True)[1] for c in (rows.columns["seed"], column))
    shape = int(seed.max()) + 1, int(step.max()) + 1
    flat = seed * shape[1] + step
    held = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    seeds = tuple(rows.columns["seed"].present())
    if np.any(held == 0):
        lacking = [str(seeds[i]) for i in np.flatnonzero(np.any(held == 0, axis=1))]
        raise Untested(
            f"{len(lacking)} of {len(seeds)} seeds have no value, because {measure} was not measured at every step in seeds {', '.join(lacking[:5])}."
        )
    values = np.bincount(flat, rows.value, minlength=held.size).reshape(shape) / held
    if np.any(np.isnan(values)):
        raise Untested(f"{measure} is NaN at some step, so its curve has a hole.")
    return seeds, numbers(np.array(column.present(), object), "step"), values


def _evidence(rows: Records) -> tuple[str, ...]:
    return tuple(str(v) for v in rows.columns["evidence"].present())
