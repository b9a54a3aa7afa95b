"""How sure can one be? Intervals in closed form for means, counts, ratios, ranks and times; nothing draws random numbers.

    limits(m=0.9, variance=0.001, df=4, skew=0, n=5, ends=(0, 1))  ->  (0.79, 0.97)

Every array function takes alpha, so that a verdict's p is the smallest alpha at which it is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import atanh, inf, nan, sqrt, tanh

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean, variance of the mean, its degrees of freedom, its skewness, and the number of units behind it."""

    m: float
    variance: float
    df: float
    skew: float
    n: int


def spread(values: Floats) -> Spread:
    """The spread of the mean of values [unit]: V = Σd²/(n−1)/n, λ = mean(d³)/mean(d²)^1.5/√n."""
    n = len(values)
    m = float(np.mean(values))
    if n < 2:
        return Spread(m, 0.0, 1.0, 0.0, n)
    d = values - m
    second = float(np.mean(d**2))
    variance = second * n / (n - 1) / n
    if second <= (1e-12 * (1 + abs(m))) ** 2:
        return Spread(m, 0.0, n - 1, 0.0, n)
    return Spread(m, variance, n - 1, float(np.mean(d**3)) / second**1.5 / sqrt(n), n)


def together(parts: Sequence[Spread]) -> Spread:
    """The spread of a sum of independent parts (two parts: Welch): V = ΣV_k, df = V²/Σ(V_k²/df_k)."""
    m, variance = sum(p.m for p in parts), sum(p.variance for p in parts)
    n = min(p.n for p in parts)
    if variance <= 0:
        return Spread(m, 0.0, max(1.0, sum(p.df for p in parts)), 0.0, n)
    df = variance**2 / sum(p.variance**2 / p.df for p in parts if p.variance > 0)
    skew = sum(p.variance**1.5 * p.skew for p in parts) / variance**1.5
    return Spread(m, variance, df, skew, n)


def crossed(units: Spread, tables: Sequence[Floats]) -> Spread:
    """The spread of a mean over units × shared items: two-way, by the tables [unit item] of weighted scores per split."""
    item_parts: list[Spread] = []
    both = squares = 0.0
    n_units = units.n
    for x in tables:
        s, i = x.shape
        if i < 2:
            continue
        item_parts.append(spread(x.mean(axis=0)))
        if s > 1:
            left = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
            v = float(np.sum(left**2)) / ((s - 1) * (i - 1)) / (s * i)
            both += v
            squares += v**2 / ((s - 1) * (i - 1))
    of_items = sum(p.variance for p in item_parts)
    variance = max(units.variance, of_items, units.variance + of_items - both)
    if variance <= 0:
        return units
    bottom = units.variance**2 / units.df + sum(p.variance**2 / p.df for p in item_parts) + squares
    df = max(float(n_units - 1), variance**2 / bottom)
    skew = (units.variance**1.5 * units.skew + sum(p.variance**1.5 * p.skew for p in item_parts)) / variance**1.5
    return Spread(units.m, variance, max(df, 1.0), skew, n_units)


def limits(of: Spread, ends: Ends | None, alpha: float = 0.05) -> Ends:
    """The limits of a mean: Student; with 10 units or more the outer of Student and Hall (1992); with 3 to 9 units and
    ends the exact binomial limits at the effective number of units (Korn and Graubard 1998)."""
    from scipy.special import betaincinv, ndtri, stdtrit

    m, variance, df, lam, n = of.m, of.variance, of.df, of.skew, of.n
    t, se = float(stdtrit(df, 1 - alpha / 2)), sqrt(variance)
    if se <= 1e-9 * (1 + abs(m)):
        return m, m
    if n >= 10:
        return min(m - se * t, m - se * _hall(t, lam)), max(m + se * t, m - se * _hall(-t, lam))
    if ends is None:
        return m - t * se, m + t * se
    a, b = ends
    p, w = (m - a) / (b - a), variance / (b - a) ** 2
    e = p * (1 - p) / w * (float(ndtri(1 - alpha / 2)) / t) ** 2 if t > 0 else inf
    if not 0 < p < 1 or not np.isfinite(e):
        return m, m
    low = float(betaincinv(p * e, e - p * e + 1, alpha / 2))
    high = float(betaincinv(p * e + 1, e - p * e, 1 - alpha / 2))
    return a + (b - a) * low, a + (b - a) * high


def _hall(y: float, lam: float) -> float:
    if abs(lam) < 1e-6:
        return y
    return float(3 / lam * (np.cbrt(1 + lam * (y - lam / 6)) - 1))


def clopper_pearson(successes: float, n: float, alpha: float = 0.05) -> Ends:
    """The exact binomial limits of `successes` out of `n`."""
    from scipy.special import betaincinv

    low = 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, alpha / 2))
    high = 1.0 if successes >= n else float(betaincinv(successes + 1, n - successes, 1 - alpha / 2))
    return low, high


def counts_floor(m: float, cells: Sequence[tuple[float, float, float]], alpha: float = 0.05) -> Ends:
    """The least interval of a weighted sum of fractions; cells are (weight, fraction, number of scores)."""
    down = up = 0.0
    for w, p, n in cells:
        low, high = clopper_pearson(p * n, n, alpha)
        below, above = (p - low, high - p) if w >= 0 else (high - p, p - low)
        down += (w * below) ** 2
        up += (w * above) ** 2
    return m - sqrt(down), m + sqrt(up)


def bonett_price(differences: Floats, n: float, alpha: float = 0.05) -> Ends:
    """The least interval of a gap of two arms on the same items: one item won and one lost are added (2012).

    differences [pair] lie in −1..1; n counts the pairs that are not mere repeats.
    """
    from scipy.special import ndtri

    weight = n / len(differences)
    total, square = float(np.sum(differences)) * weight, float(np.sum(differences**2)) * weight
    m, q = total / (n + 2), (square + 2) / (n + 2)
    half = float(ndtri(1 - alpha / 2)) * sqrt(max(0.0, (q - m**2) / (n + 2)))
    return m - half, m + half


def mcnemar(won: int, lost: int) -> float:
    """The exact two-sided p of McNemar's test: min(1, 2·P(Bin(won + lost, ½) ≤ min))."""
    from scipy.special import bdtr

    return 1.0 if won + lost == 0 else min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


def fieller(a: Floats, b: Floats, ends: Ends | None, alpha: float = 0.05) -> Ends:
    """All c with 0 in the interval of `a − c·b`, values [unit]; the whole line if the interval of b holds 0.

    `ends` are those of a and of b alike (fractions: 0, 1), or None.
    """
    low, high = limits(spread(b), ends, alpha)
    if low <= 0 <= high:
        return -inf, inf
    estimate = float(np.mean(a) / np.mean(b))

    def inside(c: float) -> bool:
        reach = (
            None
            if ends is None
            else (min(ends[0] - c * ends[1], ends[0] - c * ends[0]), max(ends[1] - c * ends[0], ends[1] - c * ends[1]))
        )
        found = limits(spread(a - c * b), reach, alpha)
        return found[0] <= 0 <= found[1]

    return _outward(inside, estimate, -1), _outward(inside, estimate, 1)


def _outward(inside: Callable[[float], bool], start: float, sign: int) -> float:
    """The last point inside, from `start` outward: double the reach until outside, then halve."""
    near, reach = 0.0, 1e-6 * (1 + abs(start))
    while inside(start + sign * reach):
        near, reach = reach, reach * 2
        if reach > 1e9 * (1 + abs(start)):
            return sign * inf
    for _ in range(60):
        middle = (near + reach) / 2
        near, reach = (middle, reach) if inside(start + sign * middle) else (near, middle)
    return start + sign * near


def ranks(values: Floats) -> Floats:
    """Average ranks (1..n) of values [n], ties sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[inverse]


def spearman(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation; 0 where all of one are tied."""
    a, b = ranks(x) - (len(x) + 1) / 2, ranks(y) - (len(y) + 1) / 2
    size = sqrt(float(np.sum(a**2)) * float(np.sum(b**2)))
    return 0.0 if size == 0 else float(np.sum(a * b)) / size


def rank_limits(rho: float, k: int, alpha: float = 0.05) -> Ends:
    """The limits of Spearman's rho over k points (Bonett and Wright 2000)."""
    from scipy.special import ndtri

    most = 1 - 6 / (k**3 - k)
    half = float(ndtri(1 - alpha / 2)) * sqrt((1 + rho**2 / 2) / (k - 3))
    at = atanh(max(-most, min(most, rho)))
    return tanh(at - half), tanh(at + half)


def median_limits(low: Floats, high: Floats, alpha: float = 0.05) -> Ends:
    """The limits of a median of interval-censored values [unit]: k-th smallest lower to k-th largest upper end."""
    from scipy.special import bdtr

    n, k = len(low), 0
    while k < n and float(bdtr(k, n, 0.5)) <= 0.625 * alpha:
        k += 1
    if k == 0:
        return -inf, inf
    return float(np.sort(low)[k - 1]), float(np.sort(high)[n - k])


def holm(p: Floats) -> Floats:
    """Holm's adjusted p values [claim]."""
    order = np.argsort(p, kind="stable")
    scaled = np.minimum(1.0, p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(scaled) if len(p) else scaled
    return adjusted


@dataclass(frozen=True, slots=True)
class Paired:
    """Second minus first over the same n items (or seeds): limits, p against 0, and how many each alone got right."""

    estimate: float
    low: float
    high: float
    p: float
    n: int
    won: int
    lost: int


def paired(first: Floats, second: Floats) -> Paired:
    """The paired difference of scores [item]: Bonett-Price with exact McNemar for right-or-wrong scores, else as a mean.

    p is the larger of the interval's and McNemar's, so that the two never disagree.
    """
    d = np.asarray(second, float) - np.asarray(first, float)
    n, m = len(d), float(np.mean(d))
    fractions = bool(np.all((first >= 0) & (first <= 1) & (second >= 0) & (second <= 1)))
    binary = fractions and bool(np.all(np.isin(first, (0, 1)) & np.isin(second, (0, 1))))
    won, lost = int(np.sum(d > 0)), int(np.sum(d < 0))

    def at(alpha: float) -> Ends:
        if binary:
            return bonett_price(d, n, alpha)
        if n < 3:
            return -inf, inf
        return limits(spread(d), (-1.0, 1.0) if fractions else None, alpha)

    low, high = at(0.05)
    p = smallest_alpha(lambda alpha: not at(alpha)[0] <= 0 <= at(alpha)[1])
    if binary:
        p = max(p, mcnemar(won, lost))
        low, high = _agreeing(low, high, p)
    ends = (-1.0, 1.0) if fractions else (-inf, inf)
    return Paired(m, max(low, ends[0]), min(high, ends[1]), p, n, won, lost)


def _agreeing(low: float, high: float, p: float) -> Ends:
    """The interval widened to 0 where the exact test does not reject."""
    return (min(low, 0.0), max(high, 0.0)) if p > 0.05 else (low, high)


def smallest_alpha(decided: Callable[[float], bool]) -> float:
    """The smallest alpha at which `decided(alpha)` holds: 40 bisections on its logarithm; 1 if none does."""
    low, high = np.log(1e-12), 0.0
    if decided(1e-12):
        return 1e-12
    if not decided(1 - 1e-12):
        return 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if decided(float(np.exp(middle))) else (middle, high)
    return float(np.exp(high))


def chance_wrong(judged: int) -> float:
    """How many of `judged` claims chance alone would get wrong on average, if every truth lay on its edge."""
    return 0.05 * judged


def unseen_share(n: int) -> float:
    """The share of a kind of run that n runs, none of it, still leave possible: 1 − 0.05^(1/n)."""
    return 1 - 0.05 ** (1 / n) if n else nan
