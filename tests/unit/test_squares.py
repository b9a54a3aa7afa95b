"""Sums of squares against scipy's chi-squares, a contour integral of the characteristic function, and sampling."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2, kstest, ncx2

from unseen.core.errors import Invalid
from unseen.measures.squares import Squares


def by_inversion(law: Squares, x: float) -> float:
    """log P(sum ≤ x) by the inversion integral (as Imhof and Davies), moved to the saddlepoint's line so that it loses
    nothing to cancellation: P = −(1/2πi) ∫ exp(K(s) − s x)/s ds along Re s = t < 0."""
    w, b, k = law.weights, law.shifts, law.copies

    def generating(s: complex) -> np.ndarray:
        s = np.asarray(s)[..., None]
        return (-0.5 * k * np.log(1 - 2 * s * w) + s * b / (1 - 2 * s * w)).sum(-1)

    low, high = -1e12, -1e-9
    for _ in range(200):  # bisection of K'(t) = x, by differences of the function itself
        t = -np.sqrt(low * high)
        slope = ((k * w) / (1 - 2 * t * w) + b / (1 - 2 * t * w) ** 2).sum()
        low, high = (t, high) if slope < x else (low, t)
    at = float(generating(np.array(t)).real - t * x)
    unit = abs(t) / np.sqrt(len(w) * k)
    y = unit * np.sinh(np.linspace(0, 16, 16_001))  # from fine steps near the line's middle to far out
    s = t + 1j * y
    values = np.concatenate([(np.exp(generating(part) - part * x - at) / part).real for part in np.array_split(s, 4)])
    total = np.trapezoid(values, y)
    return at + float(np.log(-total / np.pi))


def random_law(seed: int, terms: int, *, copies: int = 1) -> Squares:
    rng = np.random.default_rng(seed)
    return Squares(rng.gamma(0.5, size=terms) + 0.02, rng.exponential(0.3, terms), copies)


@pytest.mark.parametrize("k", [1, 3, 40])
@pytest.mark.parametrize("share", [0.001, 0.2, 0.9, 1.0, 1.3])
def test_equal_weights_are_a_scaled_chi_square(k: int, share: float) -> None:
    central, shifted = Squares(np.full(k, 0.7), np.zeros(k)), Squares(np.full(k, 0.7), np.full(k, 0.5))
    x = share * central.mean
    assert central.log_cdf(x) == pytest.approx(chi2.logcdf(x / 0.7, k), abs={1: 0.09, 3: 0.03, 40: 0.003}[k])
    y = share * shifted.mean
    assert shifted.log_cdf(y) == pytest.approx(
        ncx2.logcdf(y / 0.7, k, k * 0.5 / 0.7), abs={1: 0.09, 3: 0.03, 40: 0.003}[k]
    )


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.7, 0.95])
def test_unequal_weights_agree_with_the_inversion_integral(share: float, copies: int) -> None:
    for seed in range(3):
        law = random_law(seed, 30, copies=copies)
        x = share * law.mean
        assert law.log_cdf(x) == pytest.approx(by_inversion(law, x), abs=0.03)


def test_the_inversion_integral_is_right_where_scipy_knows() -> None:
    law = Squares(np.full(12, 0.5), np.full(12, 0.25))
    for x in (0.5, 2.0, 5.0):
        assert by_inversion(law, x) == pytest.approx(ncx2.logcdf(x / 0.5, 12, 6.0), abs=1e-6)


def test_far_out_the_tail_is_that_of_the_volume_near_the_target() -> None:
    """As x falls to 0, P ~ exp(−Σ b²/2w) Π (2w)^−½ x^(n/2)/Γ(n/2 + 1), for any weights."""
    from scipy.special import gammaln

    law, n = random_law(4, 20), 20
    constant = -(law.shifts / (2 * law.weights)).sum() - 0.5 * np.log(2 * law.weights).sum() - gammaln(n / 2 + 1)
    for x in (1e-20, 1e-100):
        assert law.log_cdf(x) == pytest.approx(constant + n / 2 * np.log(x), abs=0.02)


def test_cumulants_and_samples_agree() -> None:
    law = Squares(np.array([0.3, 0.1, 0.0]), np.array([0.2, 0.0, 0.4]), 2)
    found = law.sample(400_000, np.random.default_rng(0))
    first, second, third = law.cumulants
    assert law.floor == pytest.approx(0.4)
    assert found.min() >= 0.4
    assert found.mean() == pytest.approx(first, rel=0.01) == law.mean
    assert found.var() == pytest.approx(second, rel=0.02)
    assert ((found - found.mean()) ** 3).mean() == pytest.approx(third, rel=0.1)


def test_samples_follow_the_saddlepoint_law() -> None:
    law = random_law(1, 25)
    found = law.sample(4000, np.random.default_rng(1))
    assert kstest(found, np.vectorize(lambda x: np.exp(law.log_cdf(x)))).pvalue > 0.01


def test_log_cdf_rises_through_the_mean_without_a_step() -> None:
    law = random_law(2, 10)
    spread = law.cumulants[1] ** 0.5
    values = [law.log_cdf(law.mean + d * spread) for d in np.linspace(-3e-3, 3e-3, 61)]
    steps = np.diff(values)
    assert (steps > 0).all()
    assert steps.max() < 3 * steps.min()
    far = [law.log_cdf(law.mean + d * spread) for d in (-3, -1, 0, 1, 3, 8, 30)]
    assert all(a < b <= 0 for a, b in pairwise(far[:-1]))
    assert far[-1] == pytest.approx(0, abs=1e-9)


def test_below_the_floor_nothing_is_possible() -> None:
    law = Squares(np.array([0.5, 0.0]), np.array([0.0, 0.3]))
    assert law.log_cdf(0.3) == -np.inf
    assert np.isfinite(law.log_cdf(0.3001))
    fixed = Squares(np.zeros(2), np.full(2, 0.1))
    assert fixed.log_cdf(0.1) == -np.inf
    assert fixed.log_cdf(0.3) == 0
    assert (fixed.sample(3, np.random.default_rng(0)) == 0.2).all()


@pytest.mark.parametrize(
    ("weights", "shifts", "copies"),
    [([1.0], [-1.0], 1), ([np.nan], [0.0], 1), ([1.0, 2.0], [0.0], 1), ([], [], 1), ([1.0], [0.0], 0)],
)
def test_what_is_no_sum_of_squares_is_an_error(weights: list[float], shifts: list[float], copies: int) -> None:
    with pytest.raises(Invalid, match=r"sum of squares|one length"):
        Squares(np.array(weights), np.array(shifts), copies)
