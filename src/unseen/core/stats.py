"""How sure can one be? Intervals in closed form for means, counts, ratios, ranks and times; nothing draws random numbers.

    limits(spread(np.array([0.86, 0.91, 0.93])), ends=(0, 1))  ->  (0.78, 0.96)

All work along the last axis and over any axes before it. Each takes alpha, so that a verdict's p is the smallest alpha
at which it is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Limits = tuple[Floats, Floats]
Ends = tuple[float, float] | Limits


@dataclass(frozen=True, slots=True)
class Spread:
    """How far a mean may be off, as sums over its independent parts [...].

    `m` mean; `variance` V of the mean; `squares` ΣV²/df, so that df = V²/squares; `cubes` ΣV^1.5·λ, λ the skewness of
    the mean; `n` units in the smallest part; `least` below which df cannot fall.
    """

    m: Floats
    variance: Floats
    squares: Floats
    cubes: Floats
    n: int
    least: float = 0.0


def spread(values: Floats) -> Spread:
    """The spread of the mean of values [... unit]: V = Σd²/(n−1)/n, df = n−1, λ = mean(d³)/mean(d²)^1.5/√n."""
    n = values.shape[-1]
    m = values.mean(-1)
    if n < 2:
        return Spread(m, m * 0, m * 0, m * 0, n)
    d = values - m[..., None]
    variance = (d * d).mean(-1) / (n - 1)
    return Spread(m, variance, variance**2 / (n - 1), (d**3).mean(-1) / (n - 1) ** 1.5 / sqrt(n), n)


def together(parts: Sequence[Spread]) -> Spread:
    """The spread of a sum of independent parts; of two samples, the second negative, it is Welch's."""
    return Spread(
        sum((p.m for p in parts), np.zeros(())),
        sum((p.variance for p in parts), np.zeros(())),
        sum((p.squares for p in parts), np.zeros(())),
        sum((p.cubes for p in parts), np.zeros(())),
        min(p.n for p in parts),
    )


@dataclass(frozen=True, slots=True)
class Noise:
    """The spread of item means over a table of units × items, for any weights of its k columns.

    `m` [... k]; `items` [... k k] is V_i and `both` [... k k] V_si as quadratic forms, `cubes` [... k k k] V_i^1.5·λ_i as
    a cubic one.
    """

    m: Floats
    items: Floats
    both: Floats
    cubes: Floats
    units: int
    n: int


def noise(x: Floats) -> Noise:
    """The noise of scores x [... unit item k]: V_i = var(item means)/I, V_si = residual mean square/(S·I)."""
    s, i, _ = x.shape[-3:]
    y = x.mean(-3)
    m = y.mean(-2)
    d = y - m[..., None, :]
    items = np.einsum("...ij,...ik->...jk", d, d) / (max(1, i - 1) * i)
    cubes = np.einsum("...ij,...ik,...il->...jkl", d, d, d) / i / (max(1, i - 1) ** 1.5 * sqrt(i))
    if s == 1:
        return Noise(m, items, items * 0, cubes, s, i)
    left = x - x.mean(-2, keepdims=True) - d[..., None, :, :]
    both = np.einsum("...sij,...sik->...jk", left, left) / (max(1, (s - 1) * (i - 1)) * s * i)
    return Noise(m, items, both, cubes, s, i)


def weighed(of: Noise, w: Floats) -> Spread:
    """The spread of the items' weighted mean, columns weighted by w [... k]."""
    variance = _form(of.items, w)
    scale = np.sum(w**2 * np.einsum("...jj->...j", of.items), -1)
    variance = np.where(variance <= 1e-13 * scale, 0.0, variance)  # columns that cancel, up to rounding
    cubes = np.einsum("...jkl,...j,...k,...l->...", of.cubes, w, w, w)
    return Spread(np.sum(of.m * w, -1), variance, variance**2 / max(1, of.n - 1), cubes, of.n)


def _form(form: Floats, w: Floats) -> Floats:
    return np.einsum("...jk,...j,...k->...", form, w, w)


def crossed(units: Spread, tables: Sequence[Noise], w: Floats) -> Spread:
    """The spread of a mean over units and shared items: V = max(V_s, V_i, V_s + V_i − V_si), V_i and V_si summed over
    the tables (one a split)."""
    items = together([weighed(t, w) for t in tables])
    pairs = [(_form(t.both, w), max(1, (t.units - 1) * (t.n - 1))) for t in tables]
    both, squares = sum(v for v, _ in pairs), sum(v**2 / df for v, df in pairs)
    variance = np.maximum(np.maximum(units.variance, items.variance), units.variance + items.variance - both)
    squares = units.squares + items.squares + squares
    return Spread(units.m, variance, squares, units.cubes + items.cubes, units.n, units.n - 1)


def at_least(of: Spread, variance: float) -> Spread:
    """The spread with no less than this variance, its skewness and degrees of freedom (n − 1) kept."""
    v = np.maximum(of.variance, variance)
    scale = np.divide(v, of.variance, out=np.zeros_like(v), where=of.variance > 0)
    return replace(of, variance=v, squares=v**2 / max(1, of.n - 1), cubes=of.cubes * scale**1.5)


def limits(of: Spread, ends: Ends | None, alpha: float = 0.05) -> Limits:
    """The limits of a mean: Student; with 10 units or more the outer of Student and Hall (1992); with 3 to 9 units and
    ends the exact binomial limits at the effective number of units (Korn and Graubard 1998)."""
    from scipy.special import betainccinv, betaincinv, ndtri, stdtrit

    m, se = of.m, np.sqrt(of.variance)
    flat = se <= 1e-9 * (1 + np.abs(m))  # all units equal, up to rounding
    v = np.where(flat, 1.0, of.variance)
    df = np.where(flat, 1.0, np.maximum(of.least, v**2 / np.where(of.squares > 0, of.squares, v**2)))
    t = np.maximum(-stdtrit(df, alpha / 2), 1e-9)
    if of.n >= 10:
        lam = of.cubes / v**1.5
        low, high = m - se * np.maximum(t, _hall(t, lam)), m + se * np.maximum(t, -_hall(-t, lam))
    elif ends is None:
        low, high = m - se * t, m + se * t
    else:
        a, b = ends
        p = np.clip((m - a) / (b - a), 0.0, 1.0)
        e = p * (1 - p) * (b - a) ** 2 / v * (ndtri(alpha / 2) / t) ** 2
        low = a + (b - a) * np.where(p * e > 0, betaincinv(p * e, e - p * e + 1, alpha / 2), p)
        high = a + (b - a) * np.where(e - p * e > 0, betainccinv(p * e + 1, e - p * e, alpha / 2), p)
    return np.where(flat, m, low), np.where(flat, m, high)


def _hall(y: Floats, lam: Floats) -> Floats:
    """Hall's transformed quantile: 3/λ·(∛(1 + λ(y − λ/6)) − 1), y itself without skewness."""
    safe = np.where(np.abs(lam) < 1e-6, 1.0, lam)
    return np.where(np.abs(lam) < 1e-6, y, 3 / safe * (np.cbrt(1 + safe * (y - safe / 6)) - 1))


def clopper_pearson(successes: Floats, n: Floats, alpha: float = 0.05) -> Limits:
    """The exact binomial limits of `successes` out of `n`."""
    from scipy.special import betainccinv, betaincinv

    x = np.clip(successes, 0, n)
    low = np.where(x <= 0, 0.0, betaincinv(np.maximum(x, 1e-9), n - x + 1, alpha / 2))
    high = np.where(x >= n, 1.0, betainccinv(x + 1, np.maximum(n - x, 1e-9), alpha / 2))
    return low, high


def counts_reach(w: Floats, down: Floats, up: Floats) -> Limits:
    """How far below and above a weighted sum of fractions lies, squared: Σ(w(p−l))² and Σ(w(u−p))², l and u swapped
    where w < 0. Weights w [... cell], down = p − l and up = u − p [... cell]."""
    below, above = np.where(w >= 0, down, up), np.where(w >= 0, up, down)
    return np.sum((w * below) ** 2, axis=-1), np.sum((w * above) ** 2, axis=-1)


def bonett_price(total: Floats, square: Floats, n: Floats, alpha: float = 0.05) -> Limits:
    """The limits of a gap of two arms on the same n items (2012): one item won and one lost are added.

    `total` is Σd and `square` Σd² of the differences d in −1..1.
    """
    from scipy.special import ndtri

    m, q = total / (n + 2), (square + 2) / (n + 2)
    half = -ndtri(alpha / 2) * np.sqrt((q - m**2) / (n + 2))
    return m - half, m + half


def mcnemar(won: int, lost: int) -> float:
    """The exact two-sided p of McNemar's test: min(1, 2·P(Bin(won + lost, ½) ≤ min))."""
    from scipy.special import bdtr

    return 1.0 if won + lost == 0 else min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


def fieller(interval: Callable[[Floats], Limits], estimate: Floats) -> Limits:
    """The limits of a ratio a/b: all c with 0 in `interval(c)`, that of a − c·b, by bisection outward from the estimate.

    `interval` takes c [2 ...], both sides of the estimates [...] at once.
    """
    sign = np.reshape((-1.0, 1.0), (2, *(1 for _ in estimate.shape)))

    def inside(reach: Floats) -> NDArray[np.bool_]:
        low, high = interval(estimate + sign * reach)
        return (low <= 0) & (high >= 0)

    far = 1e-6 * (1 + np.abs(estimate)) * np.ones_like(sign)
    near, most = far * 0, far * 1e15
    while np.any(within := inside(far) & (far <= most)):
        near, far = np.where(within, far, near), np.where(within, far * 2, far)
    endless = far > most
    for _ in range(45):
        middle = (near + far) / 2
        within = inside(middle)
        near, far = np.where(within, middle, near), np.where(within, far, middle)
    low, high = np.where(endless, sign * np.inf, estimate + sign * near)
    return low, high


def ranks(values: Floats) -> Floats:
    """Average ranks (1..n) along the last axis, ties sharing the mean of theirs."""
    order = np.argsort(values, axis=-1, kind="stable")
    ordered = np.take_along_axis(values, order, -1)
    n = values.shape[-1]
    place = np.broadcast_to(np.arange(n), values.shape)
    new = np.ones(values.shape, bool)
    new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    first = np.maximum.accumulate(np.where(new, place, 0), axis=-1)
    ends = np.roll(new, -1, -1)
    last = np.minimum.accumulate(np.where(ends, place, n - 1)[..., ::-1], axis=-1)[..., ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (first + last) / 2 + 1, -1)
    return found


def spearman(x: Floats, y: Floats) -> Floats:
    """Spearman's rank correlation along the last axis; 0 where all of one are tied."""
    a, b = (ranks(v) - (v.shape[-1] + 1) / 2 for v in np.broadcast_arrays(x, y))
    size = np.sqrt(np.sum(a * a, -1) * np.sum(b * b, -1))
    return np.divide(np.sum(a * b, -1), size, out=np.zeros_like(size), where=size > 0)


def rank_limits(rho: Floats, k: int, alpha: float = 0.05) -> Limits:
    """The limits of Spearman's ρ over k points: tanh(atanh ρ ± z·√((1 + ρ²/2)/(k − 3))) (Bonett and Wright 2000)."""
    from scipy.special import ndtri

    most = 1 - 6 / (k**3 - k)
    half = -ndtri(alpha / 2) * np.sqrt((1 + rho**2 / 2) / (k - 3))
    at = np.arctanh(np.clip(rho, -most, most))
    return np.tanh(at - half), np.tanh(at + half)


def median_limits(low: Floats, high: Floats, alpha: float = 0.05) -> Limits:
    """The limits of a median of values known to lie between low and high [... unit]: the k-th smallest lower and the
    k-th largest upper end, k the largest with P(Bin(n, ½) ≤ k − 1) ≤ 0.625·alpha."""
    from scipy.special import bdtr

    n = low.shape[-1]
    k = int(np.sum(bdtr(np.arange(n // 2 + 1), n, 0.5) <= 0.625 * alpha * (1 + 1e-12)))
    if k == 0:
        return np.full(low.shape[:-1], -np.inf), np.full(low.shape[:-1], np.inf)
    return np.sort(low)[..., k - 1], np.sort(high)[..., n - k]


def holm(p: Floats) -> Floats:
    """Holm's adjusted p values [claim]."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, p[order] * (len(p) - np.arange(len(p)))))
    return adjusted


def smallest_alpha(decided: Callable[[float], bool]) -> float:
    """The smallest alpha at which `decided(alpha)` holds, by 40 bisections of its logarithm; 1 if none does.

    It is at most .05 exactly where `decided(0.05)` holds, whatever the rounding.
    """
    low, high = (np.log(1e-12), np.log(0.05)) if decided(0.05) else (np.log(0.05), 0.0)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if decided(float(np.exp(middle))) else (middle, high)
    p = float(np.exp(high))
    return min(p, 0.05) if high <= np.log(0.05) else p


def chance_wrong(judged: int) -> float:
    """How many of `judged` claims chance alone would get wrong on average, if every truth lay on its edge."""
    return 0.05 * judged


def unseen_share(n: int) -> float:
    """The share of a kind of run that n runs, none of it, still leave possible: 1 − 0.05^(1/n)."""
    return 1 - 0.05 ** (1 / n)
