"""How likely is a small sum of squares? The law of Σ_i (√w_i z_i + b_i)², a generalized chi-square, with z normal.

The test error of a hypothesis drawn from a Gaussian process is such a sum, so that its left tail needs no sampling:

    law = Squares(weights=np.array([0.3, 0.1]), shifts=np.array([0.0, 0.2]))
    law.mean, law.log_cdf(0.01)  ->  0.6, -4.52 (nats)

Sources: Lugannani and Rice (1980) and Barndorff-Nielsen (1986) for the saddlepoint; Imhof (1961) for such sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

Floats = NDArray[np.float64]
NEAR = 1e-3  # standard deviations around the mean within which the saddlepoint's limit is taken
HELD = 1 << 23  # normal draws in memory at a time


@dataclass(frozen=True, eq=False)
class Squares:
    """The law of Σ_i Σ_j≤copies (√w_i z_ij + b_ij)² with z independent standard normal.

    weights: w ≥ 0 [term]; shifts: Σ_j b_ij² ≥ 0 [term], in the units of the sum; copies: squares of one weight, such as
    the outputs of a process that share their covariance. Raises Invalid for negative, lacking or infinite numbers.
    """

    weights: Floats
    shifts: Floats
    copies: int = 1

    def __post_init__(self) -> None:
        if self.weights.ndim != 1 or self.weights.shape != self.shifts.shape or not len(self.weights):
            raise Invalid(f"weights {self.weights.shape} and shifts {self.shifts.shape} are two lists of one length above 0.")  # fmt: skip
        both = np.concatenate([self.weights, self.shifts])
        if not np.isfinite(both).all() or both.min() < 0 or self.copies < 1:
            raise Invalid("weights and shifts of a sum of squares are finite numbers from 0, copies at least 1.")

    @property
    def mean(self) -> float:
        """The mean of the sum."""
        return self.cumulants[0]

    @property
    def floor(self) -> float:
        """What the sum never falls below: the shifts of terms that do not vary."""
        return float(self.shifts[self.weights == 0].sum())

    @property
    def cumulants(self) -> tuple[float, float, float]:
        """κ1 = Σ(kw + b²), κ2 = Σ(2kw² + 4wb²), κ3 = Σ(8kw³ + 24w²b²), with k copies."""
        w, b, k = self.weights, self.shifts, self.copies
        return float((k * w + b).sum()), float((2 * k * w**2 + 4 * w * b).sum()), float((8 * k * w**3 + 24 * w**2 * b).sum())  # fmt: skip

    def sample(self, n: int, rng: np.random.Generator) -> Floats:
        """n independent sums [n]."""
        moving = self.weights > 0
        w = self.weights[moving]
        beside = self.shifts[moving] / w
        found = np.full(n, self.floor)
        for start in range(0, n, step := max(1, HELD // max(1, len(w)))):
            part = found[start : start + step]
            part += rng.noncentral_chisquare(self.copies, beside, (len(part), len(w))) @ w
        return found

    def log_cdf(self, x: float) -> float:
        """log P(sum ≤ x) (nats) by the saddlepoint: −∞ at or below the floor. It is right within 0.1 for a single square,
        0.03 where some ten carry the sum, 0.01 where thirty do, and no worse 10^5 nats out in the tail."""
        if x <= self.floor:
            return -inf
        if not (self.weights > 0).any():
            return 0.0
        t = self._saddlepoint(x)
        value, _, curvature = self._generating(t)
        deviation = (x - self.mean) / sqrt(self.cumulants[1])
        if abs(deviation) < NEAR:
            skewness = self.cumulants[2] / self.cumulants[1] ** 1.5
            return float(log_normal_cdf(deviation + skewness / 6))
        r = np.sign(t) * sqrt(max(0.0, 2 * (t * x - value)))
        return float(log_normal_cdf(r + log(t * sqrt(curvature) / r) / r))

    def _saddlepoint(self, x: float) -> float:
        """The t with K'(t) = x."""
        from scipy.optimize import brentq

        def over(t: float) -> float:
            return self._generating(t)[1] / x - 1

        largest = float(self.weights.max())
        if x >= self.mean:
            low, high, part = 0.0, 0.25 / largest, 0.5
            while over(high) < 0 and part > 1e-15:
                part /= 2
                high = (0.5 - 0.5 * part) / largest
        else:
            low, high = -1 / largest, 0.0
            while over(low) > 0:
                low *= 4
        root: Any = brentq(over, low, high, xtol=1e-300, rtol=np.float64(1e-14), maxiter=500)
        return float(root)

    def _generating(self, t: float) -> tuple[float, float, float]:
        """The cumulant generating function K(t) and its first two derivatives, t < 1/(2 max w)."""
        w, b, k = self.weights, self.shifts, self.copies
        over = 1 / (1 - 2 * t * w)
        value = (-0.5 * k * np.log1p(-2 * t * w) + t * b * over).sum()
        return float(value), float((k * w * over + b * over**2).sum()), float((2 * k * (w * over) ** 2 + 4 * w * b * over**3).sum())  # fmt: skip


def log_normal_cdf(x: float | Floats) -> Floats:
    """log Φ(x), exact far out in the left tail."""
    from scipy.special import log_ndtr

    return log_ndtr(x)
