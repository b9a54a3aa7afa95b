"""What are a data set's dimension, separation and radius, what do they hang on, and how many bits do they come to?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures import clouds, difficulty
from unseen.measures.clouds import Taken
from unseen.measures.difficulty import How
from unseen.tasks.manifolds import Manifold, embedded, uniform

from .arms import Estimated, Known
from .reading import SKLEARN, bundled, pictures

NEIGHBOURS = (3, 4, 5, 10, 15, 20, 25)
PARTS = (0.1, 0.2, 0.5, 1.0)  # of the rows, among which δ is sought
TRIALS = 30
PADDED, LOUD = 32, 0.3  # coordinates of noise put beside the features, and their deviation
SCALE = 3.0


def known(setting: Known, lab: Lab) -> Iterator[Row]:
    """Rows of each seed: `dimension`, the estimate, and `off_dimension`, how far it is from the truth without noise."""
    for seed in lab.seeds:
        made = Manifold(
            setting.kind, setting.m, setting.ambient, always=setting.always, warp=setting.warp, seed=seed
        )  # fmt: skip
        rng = lab.rng("known", seed=seed)
        inside = uniform(made, setting.points, rng)
        noise = made.loud * rng.standard_normal((setting.points, made.always))
        found = clouds.dimension(embedded(made, np.concatenate([inside, noise], 1)), rng=rng)
        yield Row("dimension", found.value, n=setting.points, seed=seed)
        yield Row("off_dimension", abs(found.value - setting.m), n=setting.points, seed=seed)


def run(setting: Estimated, lab: Lab) -> Iterator[Row]:
    """Rows of each seed: `dimension`, `delta`, `radius`, `log10_bits` with `log10_low` and `log10_high`, and what is found
    where something about them is changed."""
    x, y = bundled(setting.data) if setting.data in SKLEARN else pictures(setting.data, setting.side, lab)
    how = How(anchors=setting.anchors, sample=setting.sample, extremes=setting.extremes, device=lab.device)
    for seed in lab.seeds:
        places = np.sort(lab.rng("rows", seed=seed).permutation(len(y))[: round(setting.share * len(y))])
        mine, labels = Taken(x, places), y[places]
        found = difficulty.of(mine, labels, error=setting.target, rng=lab.rng("estimated", seed=seed), how=how)
        told = {"dimension": found.m.value, "delta": found.delta.value, "radius": found.radius.value}
        told |= {"log10_bits": found.bits.log10, "log10_low": found.low, "log10_high": found.high}
        for measure, value in told.items():
            yield Row(measure, value, n=len(labels), seed=seed)
        if setting.ablated:
            yield from _ablated(np.asarray(mine[np.arange(len(labels))]), labels, found, setting, seed, lab)


def _ablated(x: NDArray[Any], y: NDArray[np.int64], found: difficulty.Measured, setting: Estimated, seed: int, lab: Lab) -> Iterator[Row]:  # fmt: skip
    """One seed's estimates under other numbers of neighbours and rows, with noise, at another scale, with shuffled labels."""
    rng = lab.rng("ablated", seed=seed)
    by_k = {k: clouds.dimension(x, rng=rng, k=k).value for k in NEIGHBOURS}
    for k, value in by_k.items():
        yield Row("dimension_by_k", value, at={"k": k}, seed=seed)
    yield Row("dimension_range", max(abs(v / by_k[5] - 1) for v in by_k.values()), seed=seed)
    for part in PARTS:
        sample = round(part * len(y))
        tries = [clouds.separation(x, y, rng=rng, sample=sample).value for _ in range(TRIALS if part < 1 else 1)]
        yield Row("delta_by_part", float(np.mean(tries)), n=sample, at={"part": part}, seed=seed)
        yield Row("delta_reach", _reach(tries), n=sample, at={"part": part}, seed=seed)
        yield Row("log10_by_part", _bits(found, float(np.mean(tries)), setting), at={"part": part}, seed=seed)
    padded = np.concatenate([x, LOUD * rng.standard_normal((len(x), PADDED))], 1)
    yield Row("dimension_padded", clouds.dimension(padded, rng=rng).value, seed=seed)
    scaled = difficulty.of(SCALE * x, y, error=setting.target, rng=rng)
    yield Row("scaled_off", abs(scaled.bits.log10 - found.bits.log10), seed=seed)
    shuffled = clouds.separation(x, rng.permutation(y), rng=rng).value
    yield Row("log10_shuffled", _bits(found, shuffled, setting), seed=seed)


def _bits(found: difficulty.Measured, delta: float, setting: Estimated) -> float:
    """The log10 of the bits with another δ."""
    m = max(1, round(found.m.value))
    return difficulty.bits(found.n, m, delta, found.radius.value, found.classes, setting.target).log10


def _reach(values: list[float]) -> float:
    """Half the width of Student's 95% interval of a mean; 0 of a single value."""
    if len(values) < 2:
        return 0.0
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
