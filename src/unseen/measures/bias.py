"""How much must one know to pick a hypothesis that generalizes? Inductive bias, as the improbability of a small loss.

Of a space of hypotheses that fit the training data, IB(eps) = −log2 P(test loss ≤ eps) bits are needed to pick one whose
test loss is at most eps. Where the space is a Gaussian process the law of the loss is known (`posterior.law`), and the
bits are exact; of trained networks, or any other hypotheses, only losses are at hand, and a law is fitted to them:

    bits(losses, 0.1)        ->  Bits(bits=19.2, low=15.0, high=25.8, state="fitted", …)
    exact(law, 0.1)          ->  Bits(bits=21.1, low=21.1, high=21.1, state="exact", …)

A number of bits is never raised as an error: `state` says what it is worth. Source: Boopathy et al., "Towards Exact
Computation of Inductive Bias" (2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log, nan
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from . import tails
from .squares import Squares

Floats = NDArray[np.float64]
Fit = Literal["cumulants", "ncx2", "mle", "gamma", "lognormal", "empirical"]
FITS: tuple[Fit, ...] = get_args(Fit)
State = Literal["exact", "fitted", "unidentified", "saturated", "unreachable", "constant"]

UNREACHABLE = 1000.0  # bits beyond which a target counts as unreachable in a space
LEAST = 8  # losses that a law is fitted to
LOWEST, GAMMA = 1.5, 2.0  # κ1 κ3/κ2² of a non-central chi-square lies between: no degrees of freedom, no shift
HELD = 1 << 22  # resampled counts in memory at a time
REFITS = 20  # resamples of the fit by maximum likelihood, each of which searches for a second


@dataclass(frozen=True, slots=True)
class Bits:
    """The inductive bias that a target loss needs, with an interval and what it is worth.

    state: "exact" of a known law, "fitted" to losses; "unidentified" where the fitted family does not hold the losses'
    shape, so that its nearest member was taken (bits is NaN where a search found none); "saturated" where too few losses
    were seen for the empirical law, and bits is a lower bound; "unreachable" above 1000 bits; "constant" where losses do
    not differ. `depth` is log2 of the number of losses: bits beyond it are extrapolated by the fitted law.
    """

    eps: float
    bits: float
    low: float
    high: float
    state: State
    depth: float = inf

    @property
    def nats(self) -> float:
        """The same in nats."""
        return self.bits * log(2)

    @property
    def extrapolated(self) -> bool:
        """Whether the target lies deeper in the tail than the sample reaches."""
        return self.bits > self.depth

    def __float__(self) -> float:
        return self.bits


def exact(law: Squares, eps: float) -> Bits:
    """The bits of a target loss where the law of the loss is known. Raises Invalid for eps that is not above 0."""
    _check_targets([eps])
    found = max(0.0, -law.log_cdf(eps) / log(2))
    state: State = "exact" if law.weights.any() else "constant"
    return Bits(eps, found, found, found, "unreachable" if found > UNREACHABLE else state)


def bits(
    losses: Sequence[float] | Floats, eps: float, *, fit: Fit = "cumulants", level: float = 0.95, resamples: int = 400, seed: int = 0
) -> Bits:  # fmt: skip
    """The bits of a target loss from the test losses of sampled hypotheses [hypothesis], as `curve`."""
    return curve(losses, [eps], fit=fit, level=level, resamples=resamples, seed=seed)[0]


def curve(
    losses: Sequence[float] | Floats,
    targets: Sequence[float] | Floats,
    *,
    fit: Fit = "cumulants",
    level: float = 0.95,
    resamples: int = 400,
    seed: int = 0,
) -> list[Bits]:
    """The bits of each target loss from the test losses of sampled hypotheses [hypothesis].

    The law fitted to the losses: "cumulants" has their first three, a scaled non-central chi-square where one has, else
    Wood's F law; "ncx2" the same without the F law; "mle" the most likely scaled non-central chi-square (scipy, location
    0; a second), "gamma" has mean and variance, "lognormal" those of the logarithms, "empirical" is the losses' own law.
    Limits are a percentile bootstrap over hypotheses; for "cumulants" they hold those of the gamma law too, which errs
    to the other side, so that what the family itself is wrong by is counted. Those of "empirical" are Clopper and
    Pearson's. Raises Invalid for losses that are negative, lacking or fewer than 8, and targets that are not above 0.
    """
    held = _checked(losses)
    eps = _check_targets(targets)
    if fit not in FITS:
        raise Invalid(f"fit={fit!r} is none of {', '.join(FITS)}.")
    if not 0 < level < 1 or resamples < 1:
        raise Invalid(f"level={level}, resamples={resamples}: the level lies between 0 and 1, resamples are at least 1.")  # fmt: skip
    depth = float(np.log2(len(held)))
    if np.ptp(held) <= 1e-12 * held.mean():
        values = np.where(eps < held.mean(), inf, 0.0)
        return [Bits(float(e), float(v), float(v), float(v), "constant", depth) for e, v in zip(eps, values, strict=True)]  # fmt: skip
    if fit == "empirical":
        return [_empirical(held, float(e), level, depth) for e in eps]
    found, outside = _fitted(held, np.ones((1, len(held))), eps, fit)
    low, high = _limits(held, eps, (fit, level, resamples), np.random.default_rng(seed))
    return [
        _told(float(e), float(v), float(a), float(b), bool(outside[0]), depth)
        for e, v, a, b in zip(eps, found[0], low, high, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a fitted law holds losses: the Kolmogorov–Smirnov distance (0..1), its p (too large, as the law was fitted
    to these very losses), and by how many bits, on average, the smallest 5% of losses are less likely in the law."""

    distance: float
    p: float
    tail: float


def quality(losses: Sequence[float] | Floats, *, fit: Fit = "cumulants") -> Quality:
    """How well the fitted law holds the losses [hypothesis]. Raises Invalid as `curve`, for the fit "empirical", and for
    losses that do not differ."""
    from scipy.stats import kstwo

    held = np.sort(_checked(losses))
    if fit == "empirical" or np.ptp(held) <= 1e-12 * held.mean():
        raise Invalid(f"fit={fit!r} of losses from {held[0]:g} to {held[-1]:g}: there is no fitted law to be judged.")
    n = len(held)
    log2_p = -_fitted(held, np.ones((1, n)), held, fit)[0][0]
    p, rank = np.exp2(log2_p), np.arange(1, n + 1)
    distance = float(np.maximum(rank / n - p, p - (rank - 1) / n).max())
    low = slice(0, max(1, n // 20))
    return Quality(distance, float(kstwo.sf(distance, n)), float(np.mean(np.log2((rank - 0.5) / n)[low] - log2_p[low])))


def _told(eps: float, value: float, low: float, high: float, outside: bool, depth: float) -> Bits:
    """Bits with their state: limits hold the value itself."""
    low, high = (x if not np.isnan(x) else value for x in (low, high))
    state: State = "unidentified" if outside or np.isnan(value) else "fitted"
    if value > UNREACHABLE:
        state = "unreachable"
    return Bits(eps, value, min(low, value), max(high, value), state, depth)


def _limits(held: Floats, eps: Floats, asked: tuple[Fit, float, int], rng: np.random.Generator) -> tuple[Floats, Floats]:  # fmt: skip
    """The percentile limits of the bits [target] over resampled hypotheses."""
    fit, level, resamples = asked
    resamples = min(resamples, REFITS) if fit == "mle" else resamples
    families: tuple[Fit, ...] = (fit, "gamma") if fit == "cumulants" else (fit,)
    parts: dict[Fit, list[Floats]] = {name: [] for name in families}
    n, share = len(held), np.full(len(held), 1 / len(held))
    for start in range(0, resamples, step := max(1, HELD // n)):
        counts = rng.multinomial(n, share, min(step, resamples - start)).astype(float)
        for name in families:
            parts[name].append(_fitted(held, counts, eps, name)[0])
    edges = [(1 - level) / 2, (1 + level) / 2]
    with np.errstate(invalid="ignore"):  # between two infinite values
        found = np.stack([np.nanquantile(np.concatenate(p), edges, axis=0, method="closest_observation") for p in parts.values()])  # fmt: skip
    return found[:, 0].min(0), found[:, 1].max(0)


def _fitted(held: Floats, counts: Floats, eps: Floats, fit: Fit) -> tuple[Floats, NDArray[np.bool_]]:
    """The bits [resample target] of laws fitted to losses that occur so often [resample hypothesis], and whether the
    family does not hold them [resample]."""
    outside = np.zeros(len(counts), bool)
    if fit == "mle":
        found, outside = _most_likely(held, counts, eps)
    elif fit == "lognormal":
        mean, variance, _ = _cumulants(np.log(np.maximum(held, 1e-300)), counts)
        found = tails.lognormal(eps, mean=mean[:, None], deviation=np.sqrt(variance)[:, None])
    else:
        first, second, third = _cumulants(held, counts)
        ratio = first * third / second**2
        if fit == "gamma":
            ratio = np.full_like(ratio, GAMMA)
        top = _most(first, second) if fit == "cumulants" else np.full_like(ratio, GAMMA)
        outside = (ratio < LOWEST) | (ratio > top)
        found = of_cumulants(first, second, np.clip(ratio, LOWEST, top), eps)
    return np.maximum(0, -found / log(2)), outside


def of_cumulants(first: Floats, second: Floats, ratio: Floats, eps: Floats) -> Floats:
    """log P(loss ≤ eps) [law target] of the laws with these means and variances [law] and ratios κ1 κ3/κ2² [law].

    From 1.5 to 2 a scaled non-central chi-square s·χ²(k, c) with κ1 = s(k + c), κ2 = 2s²(k + 2c), κ3 = 8s³(k + 3c);
    above Wood's F law, s·B(a, b) with B a beta prime variable. They meet at 2, in the gamma law.
    """
    found = np.empty((len(first), len(eps)))
    straight = np.abs(ratio - GAMMA) <= 1e-3
    parts = ((straight, _gamma), (~straight & (ratio < GAMMA), _ncx2), (~straight & (ratio > GAMMA), _f))
    for which, law in parts:
        if which.any():
            found[which] = law(first[which, None], second[which, None], ratio[which, None], eps[None])
    return found


def _gamma(first: Floats, second: Floats, _: Floats, eps: Floats) -> Floats:
    return tails.gamma(eps, shape=first**2 / second, scale=second / first)


def _ncx2(first: Floats, second: Floats, ratio: Floats, eps: Floats) -> Floats:
    df, nc, scale = _parameters(first, second, ratio)
    return tails.ncx2(eps, df=df, nc=nc, scale=scale)


def _parameters(first: Floats, second: Floats, ratio: Floats) -> tuple[Floats, Floats, Floats]:
    """Degrees of freedom, shift and scale of the chi-square with these cumulants: s is a root of κ1 s² − κ2 s + κ3/8."""
    scale = second / (2 * first) * (1 - np.sqrt(1 - ratio / 2))
    nc = second / (2 * scale**2) - first / scale
    return np.maximum(first / scale - nc, 1e-9), nc, scale


def _f(first: Floats, second: Floats, ratio: Floats, eps: Floats) -> Floats:
    v = second / first**2
    b = (2 - 4 * v + 3 * ratio * v) / (v * (ratio - 2))
    a = (b - 1) / (v * (b - 2) - 1)
    return tails.f(eps, a=a, b=b, scale=first * (b - 1) / a)


def _most(first: Floats, second: Floats) -> Floats:
    """The largest ratio κ1 κ3/κ2² that an F law with this mean and variance has, less a hundredth."""
    v = second / first**2
    return GAMMA + 0.99 * np.where(v < 1, 4 / np.maximum(1 - v, 1e-9) - GAMMA, 1e9)


def _cumulants(values: Floats, counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Unbiased estimates of three cumulants [resample] (Fisher's k-statistics) of values that occur so often."""
    n, middle = len(values), values.mean()
    spread = values.std()
    z = (values - middle) / spread
    m1, m2, m3 = (counts @ np.stack([z, z**2, z**3], 1) / n).T
    second = np.maximum(m2 - m1**2, 1e-30)
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    return middle + spread * m1, spread**2 * second * n / (n - 1), spread**3 * third * n**2 / ((n - 1) * (n - 2))


def _most_likely(held: Floats, counts: Floats, eps: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """log P [resample target] of the most likely scaled non-central chi-square, location 0, by scipy's search as in the
    paper's code, and whether it ended elsewhere. The search begins at the law of three cumulants: from scipy's own start
    it may end at a law that is nothing like the losses."""
    from scipy.stats import ncx2

    found, outside = np.full((len(counts), len(eps)), nan), np.ones(len(counts), bool)
    first, second, third = _cumulants(held, counts)
    near = _parameters(first, second, np.clip(first * third / second**2, LOWEST + 0.05, GAMMA - 0.05))
    for i, row in enumerate(counts):
        with np.errstate(all="ignore"):
            try:
                begin = [float(v[i]) for v in near]
                df, nc, _, scale = ncx2.fit(np.repeat(held, row.astype(int)), *begin[:2], floc=0, scale=begin[2])
            except (ValueError, RuntimeError, OverflowError):
                continue
            if not (0 < df < inf and 0 <= nc < inf and 0 < scale < inf):
                continue
            likely = ncx2.logcdf(eps / scale, df, nc)
            beyond = tails.sankaran(eps, df=np.array(df), nc=np.array(nc), scale=np.array(scale))
            found[i] = np.where(np.isfinite(likely), likely, np.where(eps < held.mean(), beyond, 0.0))
            outside[i] = not _same_moments(held, row, df, nc, scale)
    return found, outside


def _same_moments(held: Floats, row: Floats, df: float, nc: float, scale: float) -> bool:
    """Whether a fitted law has about the losses' mean and spread; where it has not, the search failed."""
    mean, variance = (float(v[0]) for v in _cumulants(held, row[None])[:2])
    off = abs(scale * (df + nc) - mean) / np.sqrt(variance)
    return bool(off < 0.5 and 0.5 < 2 * scale**2 * (df + 2 * nc) / variance < 2)


def _empirical(held: Floats, eps: float, level: float, depth: float) -> Bits:
    """The bits of the empirical law: a count of losses, with its exact binomial limits."""
    from scipy.special import betaincinv

    n, k, tail = len(held), int((held <= eps).sum()), (1 - level) / 2
    least = betaincinv(k, n - k + 1, tail) if k else 0.0
    most = betaincinv(k + 1, n - k, 1 - tail) if k < n else 1.0
    high = float(-np.log2(least)) if least > 0 else inf
    return Bits(eps, float(-np.log2(k / n)) if k else depth, float(-np.log2(most)), high, "fitted" if k else "saturated", depth)  # fmt: skip


def _checked(losses: Sequence[float] | Floats) -> Floats:
    held = np.asarray(losses, np.float64)
    if held.ndim != 1 or len(held) < LEAST:
        raise Invalid(f"losses of shape {held.shape}: they are one list of at least {LEAST} numbers, one a hypothesis.")
    if not np.isfinite(held).all() or held.min() < 0:
        bad = int(np.flatnonzero(~(np.isfinite(held) & (held >= 0)))[0])
        raise Invalid(f"the loss {held[bad]} of hypothesis {bad} is no finite number from 0; leave out what diverged.")
    return held


def _check_targets(targets: Sequence[float] | Floats) -> Floats:
    eps = np.asarray(targets, np.float64).reshape(-1)
    if bad := [float(e) for e in eps if not (isfinite(e) and e > 0)]:
        raise Invalid(f"eps={bad[0]:g}: a target loss is a finite number above 0, in the units of the losses.")
    return eps
