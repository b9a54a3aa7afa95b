"""Inductive bias against closed forms and against the exact law of losses, and the states of what cannot be said."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2, lognorm, ncx2
from scipy.stats import gamma as gamma_law

from unseen.core.errors import Invalid
from unseen.measures import bias
from unseen.measures.bias import FITS, bits, curve, exact
from unseen.measures.kernels import named
from unseen.measures.posterior import law
from unseen.measures.squares import Squares
from unseen.tasks.manifolds import Manifold, draw, ridge

RNG = np.random.default_rng(0)


def sphere(m: int, seed: int, *, n: int = 200, tested: int = 100) -> Squares:
    """The set-up of the sheet's check: RBF of scale 1 on S^m, target tanh(3 √(m+1) x₁)."""
    rng, surface = np.random.default_rng((m, seed)), Manifold("sphere", m=m, ambient=m + 1)
    train, test = (draw(surface, ridge(surface), "test", k, rng) for k in (n, tested))
    return law(named("rbf"), (train.x, train.y), (test.x, test.y))


# --- closed forms


def test_equal_weights_are_a_chi_square() -> None:
    """100 test points of which the training data say nothing: P(MSE ≤ eps) = P(χ²_100 ≤ 100 eps)."""
    even = Squares(np.full(100, 0.01), np.zeros(100))
    for eps in (0.9, 0.5, 0.1, 0.01):
        assert exact(even, eps).bits == pytest.approx(-chi2.logcdf(100 * eps, 100) / math.log(2), abs=0.005)
    losses = even.sample(20_000, np.random.default_rng(0))
    found = bits(losses, 0.5)
    assert found.low <= exact(even, 0.5).bits <= found.high
    assert found.bits == pytest.approx(exact(even, 0.5).bits, rel=0.05)


def test_every_family_finds_itself() -> None:
    rng, n, eps = np.random.default_rng(1), 40_000, 0.4
    shifted = ncx2(60, 40, scale=0.01)
    for fit, source, wanted, near in (
        ("cumulants", shifted.rvs(n, random_state=rng), shifted.logcdf(eps), 0.1),
        ("ncx2", shifted.rvs(n, random_state=rng), shifted.logcdf(eps), 0.1),
        ("gamma", gamma_law(30, scale=1 / 30).rvs(n, random_state=rng), gamma_law(30, scale=1 / 30).logcdf(eps), 0.05),
        ("lognormal", lognorm(0.3).rvs(n, random_state=rng), lognorm(0.3).logcdf(eps), 0.05),
        ("empirical", lognorm(0.3).rvs(n, random_state=rng), lognorm(0.3).logcdf(eps), 0.2),
    ):
        found = bits(source, eps, fit=fit)  # type: ignore[arg-type]
        assert found.nats == pytest.approx(-wanted, rel=near), fit
        assert found.state == "fitted"
        assert found.low <= found.bits <= found.high


def test_maximum_likelihood_finds_its_law() -> None:
    source = ncx2(30, 20, scale=0.02)
    losses = source.rvs(400, random_state=np.random.default_rng(2))
    found = bits(losses, 0.4, fit="mle", resamples=2)
    assert found.nats == pytest.approx(-source.logcdf(0.4), rel=0.25)


@pytest.mark.parametrize(("ratio", "df", "nc"), [(1.6, None, None), (1.9, None, None)])
def test_three_cumulants_make_the_chi_square_that_has_them(ratio: float, df: None, nc: None) -> None:
    first, second = np.array([1.0]), np.array([0.02])
    scale = second / (2 * first) * (1 - np.sqrt(1 - ratio / 2))
    shift = second / (2 * scale**2) - first / scale
    made = ncx2(float((first / scale - shift)[0]), float(shift[0]), scale=float(scale[0]))
    mean, variance, skew = made.stats("mvs")
    assert (float(mean), float(variance)) == pytest.approx((1.0, 0.02))
    assert float(skew * mean / variance**0.5) == pytest.approx(ratio)
    found = bias.of_cumulants(first, second, np.array([ratio]), np.array([0.5]))
    assert found[0, 0] == pytest.approx(made.logcdf(0.5), rel=1e-8)


def test_three_cumulants_make_the_f_law_that_has_them() -> None:
    from scipy.stats import betaprime

    found = bias.of_cumulants(np.array([2.0]), np.array([0.3]), np.array([2.6]), np.array([0.7]))
    v, r = 0.3 / 4, 2.6
    b = (2 - 4 * v + 3 * r * v) / (v * (r - 2))
    a = (b - 1) / (v * (b - 2) - 1)
    made = betaprime(a, b, scale=2 * (b - 1) / a)
    mean, variance, skew = made.stats("mvs")
    assert (float(mean), float(variance)) == pytest.approx((2.0, 0.3))
    assert float(skew * mean / variance**0.5) == pytest.approx(2.6)
    assert found[0, 0] == pytest.approx(made.logcdf(0.7), rel=1e-8)


def test_the_families_meet_in_the_gamma_law() -> None:
    one = np.array([1.0]), np.array([0.02])
    found = [bias.of_cumulants(*one, np.array([r]), np.array([0.4]))[0, 0] for r in (1.998, 2.0, 2.002)]
    assert found[1] == pytest.approx(gamma_law(50, scale=0.02).logcdf(0.4))
    assert found[0] == pytest.approx(found[1], rel=0.01)
    assert found[2] == pytest.approx(found[1], rel=0.01)


def test_a_fitted_law_is_judged_as_by_scipy() -> None:
    from scipy.stats import kstest

    losses = np.random.default_rng(5).gamma(30, 1 / 30, 500)
    found = bias.quality(losses, fit="gamma")
    shape = losses.mean() ** 2 / losses.var(ddof=1)
    theirs = kstest(losses, gamma_law(shape, scale=losses.mean() / shape).cdf)
    assert (found.distance, found.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-6)
    assert abs(found.tail) < 0.5
    heavy = np.append(losses, np.full(30, 0.02))  # more small losses than any of these laws has
    assert bias.quality(heavy, fit="gamma").tail > 1
    with pytest.raises(Invalid, match="no fitted law"):
        bias.quality(losses, fit="empirical")


# --- the exact law of a kernel space as oracle


def test_dimensions_of_the_sheet() -> None:
    """Means over eight draws: nothing for m ≤ 2, and for m = 6, 8, 12 about the sheet's single draws of 19.5, 47.3 and
    50.4 bits, as far as the draw decides."""
    found = {m: [exact(sphere(m, s), 0.1).bits for s in range(8)] for m in (1, 2, 6, 8, 12)}
    assert max(found[1] + found[2]) < 0.5
    for m, told in ((6, 19.5), (8, 47.3), (12, 50.4)):
        assert 0.5 * told < np.mean(found[m]) < 2 * told
        assert 0.5 * min(found[m]) < told < 1.5 * max(found[m])


def test_the_law_of_three_cumulants_is_near_the_exact_one() -> None:
    for m in (6, 8, 12):
        for s in range(3):
            space = sphere(m, s)
            first, second, third = (np.array([c]) for c in space.cumulants)
            found = bias.of_cumulants(first, second, first * third / second**2, np.array([0.1]))[0, 0] / -math.log(2)
            assert found == pytest.approx(exact(space, 0.1).bits, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 1000, 10_000])
def test_the_estimate_is_within_its_interval_of_the_exact_one(n: int) -> None:
    """200 draws of data and of n hypotheses; the exact bits (0.01 to 200) lie in the interval in at least 93% of them."""
    share, _ = coverage(n, runs=200)
    assert share >= 0.93


def test_the_estimate_is_within_its_interval_in_a_few_runs() -> None:
    share, of = coverage(300, runs=24)
    assert share >= 0.85
    assert of > 15


def coverage(n: int, *, runs: int) -> tuple[float, int]:
    inside: list[bool] = []
    for run in range(runs):
        space = sphere((4, 5, 6, 8, 12, 16)[run % 6], run)
        wanted = exact(space, 0.1).bits
        if 0.01 < wanted < 200:
            found = bits(space.sample(n, np.random.default_rng(run)), 0.1, resamples=200, seed=run)
            inside.append(found.low <= wanted <= found.high)
    return float(np.mean(inside)), len(inside)


# --- what cannot be said


def test_the_empirical_law_ends_at_the_number_of_losses() -> None:
    losses = np.linspace(1, 2, 64)
    found = bits(losses, 0.5, fit="empirical")
    assert (found.bits, found.state, found.high) == (6.0, "saturated", math.inf)
    assert found.low == pytest.approx(-math.log2(1 - 0.025 ** (1 / 64)))
    half = bits(losses, 1.5, fit="empirical")
    assert half.bits == pytest.approx(1.0)
    assert half.low < 1 < half.high
    assert not half.extrapolated
    every = bits(losses, 3.0, fit="empirical")
    assert (every.bits, every.low) == (0.0, 0.0)


def test_a_target_far_below_every_loss_is_unreachable() -> None:
    losses = 1 + 0.01 * RNG.normal(size=200)
    found = bits(losses, 0.2)
    assert found.state == "unreachable"
    assert found.bits > 1000
    assert found.extrapolated
    never = exact(Squares(np.array([0.1, 0.0]), np.array([0.0, 0.5])), 0.4)
    assert (never.bits, never.state) == (math.inf, "unreachable")


def test_deep_tails_are_finite_in_logarithms() -> None:
    even = Squares(np.full(1000, 0.001), np.zeros(1000))
    deep = exact(even, 1e-6)
    assert 9000 < deep.bits < 10_000
    assert deep.state == "unreachable"
    losses = even.sample(1000, np.random.default_rng(0))
    for fit in ("cumulants", "ncx2", "gamma", "lognormal"):
        assert math.isfinite(bits(losses, 1e-3, fit=fit).bits)  # type: ignore[arg-type]


def test_losses_outside_a_family_are_unidentified() -> None:
    assert bits(1 + 0.01 * np.linspace(-1, 1, 500), 0.99).state == "unidentified"  # no skewness at all
    heavy = np.exp(2 * np.random.default_rng(3).normal(size=500))
    assert bits(heavy, 0.1, fit="ncx2").state == "unidentified"


def test_losses_that_do_not_differ() -> None:
    same = np.full(10, 0.3)
    assert [b.bits for b in curve(same, [0.2, 0.4])] == [math.inf, 0.0]
    assert {b.state for b in curve(same, [0.2, 0.4])} == {"constant"}


def test_a_curve_falls_with_the_target() -> None:
    losses = sphere(8, 0).sample(500, np.random.default_rng(0))
    eps = np.geomspace(0.05, 1, 12)
    for fit in FITS[:2] + FITS[3:]:
        found = [b.bits for b in curve(losses, eps, fit=fit)]
        assert all(a >= b - 1e-9 for a, b in pairwise(found)), fit
        assert found[-1] == pytest.approx(0, abs=1e-6)


def test_equal_seeds_give_equal_bits() -> None:
    losses = sphere(6, 1).sample(200, np.random.default_rng(0))
    assert bits(losses, 0.1, seed=3) == bits(losses, 0.1, seed=3)
    assert bits(losses, 0.1, seed=3).high != bits(losses, 0.1, seed=4).high
    assert float(bits(losses, 0.1)) == bits(losses, 0.1).bits


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_units_do_not_matter(scale: float) -> None:
    losses = sphere(6, 1).sample(300, np.random.default_rng(0))
    for fit in ("cumulants", "gamma", "lognormal", "empirical"):
        found, wanted = bits(scale * losses, scale * 0.15, fit=fit), bits(losses, 0.15, fit=fit)  # type: ignore[arg-type]
        assert found.bits == pytest.approx(wanted.bits, rel=1e-6)


def test_mistakes() -> None:
    losses = np.linspace(1, 2, 20)
    for bad, eps, said in (
        (losses, 0.0, "eps=0"),
        (losses, -1.0, "eps=-1"),
        (losses, math.nan, "eps=nan"),
        (losses[:5], 1.0, "at least 8"),
        (losses[None], 1.0, "shape"),
        (np.append(losses, np.nan), 1.0, "hypothesis 20"),
        (np.append(losses, -0.1), 1.0, "loss -0.1"),
    ):
        with pytest.raises(Invalid, match=said):
            bits(bad, eps)
    with pytest.raises(Invalid, match="none of"):
        bits(losses, 1.0, fit="normal")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="level"):
        bits(losses, 1.0, level=1.0)
    with pytest.raises(Invalid, match="above 0"):
        exact(Squares(np.ones(1), np.ones(1)), 0.0)
