"""How likely is a value far below the usual ones? Left tails of positive laws, in nats, where probabilities underflow.

    gamma(1e-9, shape=40.0, scale=0.01)      ->  log P = -755.0
    ncx2(1.0, df=90.0, nc=14.0, scale=1.0)   ->  log P = -167.7

Every function is vectorised over its arguments. Sources: Wood (1989) for the F law of three cumulants; Sankaran (1963).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .squares import log_normal_cdf

Floats = NDArray[np.float64]
LEAST = 1e-280  # probabilities below are taken in logarithms
LEAST_LOG, MOST_LOG = -600.0, -1e-9  # log P that scipy's non-central chi-square is asked for
TERMS = 20_000


def gamma(x: Floats, *, shape: Floats, scale: Floats) -> Floats:
    """log P(X ≤ x) of a gamma law."""
    from scipy.special import gammainc, gammaincc, gammaln

    z = x / scale
    head = shape * np.log(z) - z - gammaln(shape + 1)
    return _logged(gammainc(shape, z), gammaincc(shape, z), lambda: head + _log_series(z, 0.0 * z, shape))


def f(x: Floats, *, a: Floats, b: Floats, scale: Floats) -> Floats:
    """log P(X ≤ x) of scale times a beta prime variable (a, b), which is a scaled F law."""
    from scipy.special import betainc, betaln

    z = x / (x + scale)
    head = a * np.log(z) + b * np.log1p(-z) - np.log(a) - betaln(a, b)
    return _logged(betainc(a, b, z), betainc(b, a, 1 - z), lambda: head + _log_series((a + b) * z, z, a))


def lognormal(x: Floats, *, mean: Floats, deviation: Floats) -> Floats:
    """log P(X ≤ x) where log X is normal with that mean and deviation."""
    return log_normal_cdf((np.log(x) - mean) / deviation)


def ncx2(x: Floats, *, df: Floats, nc: Floats, scale: Floats) -> Floats:
    """log P(X ≤ x) of a scaled non-central chi-square: scipy's, by the saddlepoint where P or 1 − P are so small that
    scipy's underflows or overflows."""
    from scipy.special import chndtr

    z, df, nc = np.broadcast_arrays(x / scale, df, nc)
    beyond = _ncx2_saddlepoint(z, df, nc)
    usual = (beyond > LEAST_LOG) & ((beyond < MOST_LOG) | ~(z > df + nc))
    with np.errstate(divide="ignore"):
        found = np.log(chndtr(np.where(usual, z, 1.0), df, nc))
    return np.where(usual & np.isfinite(found), found, beyond)


def sankaran(x: Floats, *, df: Floats, nc: Floats, scale: Floats) -> Floats:
    """log P(X ≤ x) of a scaled non-central chi-square by Sankaran's normal approximation, as z²/2: what the paper's code
    falls back to where the probability underflows."""
    e, k, c = x / scale, df, nc
    h = 1 - 2 / 3 * (k + c) * (k + 3 * c) / (k + 2 * c) ** 2
    p = (k + 2 * c) / (k + c) ** 2
    m = (h - 1) * (1 - 3 * h)
    z = ((e / (k + c)) ** h - (1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p))) / (h * np.sqrt(2 * p) * (1 + 0.5 * m * p))
    return -(z**2) / 2


def _ncx2_saddlepoint(z: Floats, df: Floats, nc: Floats) -> Floats:
    u = 2 * z / (df + np.sqrt(df**2 + 4 * nc * z))  # 1/(1 − 2t) at the saddlepoint, a root of c u² + k u = z
    t = (1 - 1 / u) / 2
    value = 0.5 * df * np.log(u) + t * nc * u
    with np.errstate(invalid="ignore", divide="ignore"):  # at the mean t = r = 0; such a value is never asked for
        r = np.sign(t) * np.sqrt(np.maximum(0, 2 * (t * z - value)))
        return log_normal_cdf(r + np.log(t * np.sqrt(2 * df * u**2 + 4 * nc * u**3) / r) / r)


def _logged(low: Floats, high: Floats, tail: Callable[[], Floats]) -> Floats:
    """log P from P and 1 − P, or from the tail's own logarithm where P underflows."""
    with np.errstate(divide="ignore"):
        found = np.where(low > 0.5, np.log1p(-np.minimum(high, 1)), np.log(low))
    small = (low < LEAST) & (high > 0.5)
    return np.where(small, tail(), found) if np.any(small) else found


def _log_series(first: Floats, step: Floats, a: Floats) -> Floats:
    """log of Σ_n Π_{j<n} (first + j·step)/(a + 1 + j): Kummer's and Gauss's series, all terms positive. Far out in a
    left tail the ratios are well below 1, and it ends after some tens of terms."""
    total = term = np.ones(np.broadcast(first, step, a).shape)
    for j in range(TERMS):
        ratio = (first + j * step) / (a + 1 + j)
        term = term * ratio
        total = total + term
        if np.all((term <= 1e-16 * total) | (ratio >= 1)):
            break
    return np.log(total)
