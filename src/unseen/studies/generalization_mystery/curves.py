"""What does one run's training say, put into one number? Coherence at matched loss, and when things happen.

    at_share(share=[1.0, 0.8, 0.4], values=[1.0, 3.0, 7.0], 0.6)  ->  5.0, where the loss first is 0.6 of the initial one

A curve is what was measured at some steps [point]; a loss share is the training loss divided by its value before the
first step. All numbers are NaN where a run never came as far as they ask.
"""

from __future__ import annotations

from math import log2, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
BAND = (0.9, 0.3)  # of the initial loss: where coherence is compared
MATCHED = np.linspace(*BAND, 13)


def measured_at(steps: int, points: int) -> list[int]:
    """The steps to measure at: 0, the half, the last, and others that lie densely early on (quadratically spaced)."""
    spaced = (round(steps * (i / points) ** 2) for i in range(points + 1))
    return sorted({*spaced, steps // 2, steps})


def at_share(share: ArrayLike, values: ArrayLike, wanted: float) -> float:
    """The value where the loss share first is as low as `wanted`, interpolated between the points around it."""
    x, y = np.asarray(share, float), np.asarray(values, float)
    low = np.flatnonzero(x <= wanted)
    if not len(low):
        return nan
    i = int(low[0])
    if i == 0:
        return float(y[0])
    return float(y[i - 1] + (wanted - x[i - 1]) / (x[i] - x[i - 1]) * (y[i] - y[i - 1]))


def in_band(share: ArrayLike, values: ArrayLike) -> float:
    """The mean of a curve over loss shares of 0.9 to 0.3, each passed for the first time."""
    return float(np.mean([at_share(share, values, w) for w in MATCHED]))


def early(steps: ArrayLike, values: ArrayLike, until: int) -> float:
    """The mean of a curve over the points after the first step and up to step `until`."""
    at = np.asarray(steps)
    inside = (at > 0) & (at <= until)
    return float(np.asarray(values, float)[inside].mean()) if inside.any() else nan


def log2_first(steps: ArrayLike, held: NDArray[np.bool_]) -> float:
    """log2 of the first step at which something holds; of the last step where it never does, which is too early."""
    at, found = np.asarray(steps), np.flatnonzero(held)
    return log2(max(1, int(at[found[0]] if len(found) else at[-1])))


def fallen(values: ArrayLike) -> NDArray[np.bool_]:
    """Where a curve lies at half its peak or below, after the peak [point]."""
    y = np.asarray(values, float)
    return (np.arange(len(y)) > np.argmax(y)) & (y <= y.max() / 2)


def stopped_early(validation: ArrayLike, test: ArrayLike) -> float:
    """Test accuracy where accuracy on other examples is first best, minus test accuracy at the end."""
    y = np.asarray(test, float)
    return float(y[int(np.argmax(np.asarray(validation)))] - y[-1])


def spread(layers: NDArray[np.floating]) -> float:
    """log2 of how many times as coherent one layer is as another, by half of the samples; both were chosen, as the most
    and the least coherent one, by the other half, so that mere noise gives 0 on average; NaN for one sample. layers [sample layer]."""
    half = len(layers) // 2
    if not half:
        return nan
    found: list[float] = []
    for choose, compare in ((layers[:half], layers[half:]), (layers[half:], layers[:half])):
        order = np.argsort(choose.mean(0))
        most, least = (compare[:, int(i)].mean() for i in (order[-1], order[0]))
        found.append(log2(most / least) if most > 0 and least > 0 else nan)
    return float(np.mean(found))


def learned_at(right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each example the first point from which on it stays right, the number of points if it ends wrong; right
    [point example]."""
    points = len(right)
    wrong = ~right[::-1]
    return np.where(wrong.any(0), points - np.argmax(wrong, axis=0), 0).astype(np.int64)


def to_share(share: ArrayLike, values: ArrayLike, wanted: float) -> Floats:
    """The part of a curve up to and with the point where the loss share is first as low as wanted; empty if never."""
    low = np.flatnonzero(np.asarray(share, float) <= wanted)
    return np.asarray(values, float)[: int(low[0]) + 1] if len(low) else np.empty(0)
