"""How many bits does a test error need on a sphere, and how near do estimates from sampled functions come?"""

from __future__ import annotations

from collections.abc import Iterator
from math import log, log2
from statistics import median

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures import bias
from unseen.measures.bias import Fit
from unseen.measures.kernels import named
from unseen.measures.posterior import law
from unseen.measures.squares import Squares
from unseen.tasks.manifolds import Manifold, draw, ridge

from .arms import EPS, FAR, GRID, Sphere

SIZES = (100, 300, 1000, 3000, 10_000)
USUAL = 1000  # sampled functions, those of the sheet's check
LEAST, MOST = 1.0, 100.0  # exact bits between which estimates are compared
LIKELIEST = 3  # draws of which the most likely law is searched, a second each
COMPARED: tuple[Fit, ...] = ("cumulants", "ncx2", "gamma", "lognormal")
LIKELY: tuple[Fit, ...] = ("mle",)
Floats = NDArray[np.float64]


def run(setting: Sphere, lab: Lab) -> Iterator[Row]:
    """Rows of exact bits (medians over the seed's draws of data), and of estimates where functions are sampled."""
    laws = [_law(setting, lab, k) for k in range(setting.draws)]
    for eps in GRID:
        yield from _finite("bits", median(bias.exact(one, eps).bits for one in laws), {"eps": eps})
    lost = [bias.exact(one, FAR).state == "unreachable" for one in laws]
    yield Row("unreachable", float(np.mean(lost)), n=len(laws), at={"eps": FAR})
    yield Row("mean_loss", float(np.mean([one.mean for one in laws])))
    yield Row("oracle_error", _off_chi_square(setting.tested))
    if setting.sampled:
        yield from _estimates(setting, laws, lab)


def _law(setting: Sphere, lab: Lab, k: int) -> Squares:
    """The law of the test error on one draw of the data."""
    rng, sphere = lab.rng("data", setting.m, setting.labels, k), Manifold("sphere", m=setting.m, ambient=setting.m + 1)
    train, test = (draw(sphere, ridge(sphere), "test", n, rng) for n in (setting.train, setting.tested))
    y = rng.permutation(train.y) if setting.labels == "random" else train.y
    return law(named(setting.kernel, scale=setting.scale), (train.x, y), (test.x, test.y))


def _estimates(setting: Sphere, laws: list[Squares], lab: Lab) -> Iterator[Row]:
    """Rows of how far the estimates of every family are from the exact bits, by the number of sampled functions."""
    sizes = [s for s in SIZES if s <= setting.sampled]
    errors: dict[tuple[Fit, int], list[float]] = {}
    shares: dict[str, list[float]] = {}
    inside: list[bool] = []
    for k, one in enumerate(laws):
        exact = bias.exact(one, EPS).bits
        if not LEAST < exact < MOST:
            continue
        shares.setdefault("whole", []).append(_of_cumulants(one) / exact)
        losses = one.sample(max(sizes), lab.rng("functions", k))
        for size in sizes:
            for fit in COMPARED:
                errors.setdefault((fit, size), []).append(abs(_bits(losses[:size], fit) - exact))
        usual = losses[:USUAL]
        found = bias.bits(usual, EPS, resamples=200, seed=lab.stream("resampled", k) % 2**32)
        inside.append(found.low <= exact <= found.high)
        for fit in (*COMPARED, *LIKELY[: k < LIKELIEST]):
            shares.setdefault(fit, []).append(_bits(usual, fit) / exact)
    for (fit, size), off in errors.items():
        yield Row("log2_error", log2(max(1e-6, float(np.mean(off)))), at={"fit": fit, "log2_samples": log2(size)})
    for name, found in shares.items():
        yield Row("relative_error", float(np.mean(np.abs(np.array(found) - 1))), at={"fit": name})
    if inside:
        yield Row("covered", float(np.mean(inside)), n=len(inside), at={"fit": "cumulants"})


def _bits(losses: Floats, fit: Fit) -> float:
    return bias.bits(losses, EPS, fit=fit, resamples=1).bits


def _of_cumulants(one: Squares) -> float:
    """The bits of the law of three cumulants where they are known, not estimated: what the family itself is wrong by."""
    first, second, third = (np.array([c]) for c in one.cumulants)
    found = bias.of_cumulants(first, second, np.maximum(bias.LOWEST, first * third / second**2), np.array([EPS]))
    return -float(found[0, 0]) / log(2)


def _off_chi_square(n: int) -> float:
    """By how many bits the saddlepoint is off where the law is a chi-square: n test points that no training point bears
    on, at a tenth, half and nine tenths of their mean error."""
    from scipy.stats import chi2

    even = Squares(np.full(n, 1 / n), np.zeros(n))
    return max(abs(bias.exact(even, e).bits + float(chi2.logcdf(n * e, n)) / log(2)) for e in (0.1, 0.5, 0.9))


def _finite(measure: str, value: float, at: dict[str, float]) -> Iterator[Row]:
    """A row, or none where a target is below what the space can have: claims that read it are then untested."""
    if np.isfinite(value):
        yield Row(measure, value, at=dict(at))
