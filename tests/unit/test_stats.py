"""Every interval against scipy, a closed form, or a hand-worked case."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as oracle

from unseen.core import stats

rng = np.random.default_rng(20_310)


def test_student_below_ten_units() -> None:
    values = rng.normal(3, 2, 7)
    told = oracle.ttest_1samp(values, 0).confidence_interval(0.95)
    assert stats.limits(stats.spread(values), None) == pytest.approx((told.low, told.high))


def test_axes_before_the_last_are_many_draws() -> None:
    """The limits of a table of draws are those of its lines, with and without ends, below and above ten units."""
    for n, ends in ((5, None), (5, (0.0, 1.0)), (12, None)):
        draws = rng.uniform(0.2, 0.9, (4, n))
        low, high = stats.limits(stats.spread(draws), ends)
        each = [stats.limits(stats.spread(x), ends) for x in draws]
        assert list(low) == pytest.approx([float(v[0]) for v in each])
        assert list(high) == pytest.approx([float(v[1]) for v in each])


@pytest.mark.parametrize("sizes", [(3, 3), (3, 5), (5, 9)])
def test_welch(sizes: tuple[int, int]) -> None:
    a, b = rng.normal(0, 1, sizes[0]), rng.normal(1, 3, sizes[1])
    told = oracle.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    found = stats.limits(stats.together([stats.spread(a), stats.spread(-b)]), None)
    assert found == pytest.approx((told.low, told.high))


@pytest.mark.parametrize(("k", "n"), [(0, 20), (20, 20), (7, 20), (1, 1500), (499, 500)])
def test_clopper_pearson(k: int, n: int) -> None:
    told = oracle.binomtest(k, n).proportion_ci(0.95, "exact")
    assert stats.clopper_pearson(np.array(k), np.array(n)) == pytest.approx((told.low, told.high))


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (5, 0), (8, 3), (3, 8), (10, 10)])
def test_mcnemar(won: int, lost: int) -> None:
    told = 1.0 if won + lost == 0 else oracle.binomtest(won, won + lost, 0.5).pvalue
    assert stats.mcnemar(won, lost) == pytest.approx(told)


def test_bonett_price_by_hand() -> None:
    """12 items, 4 won, 1 lost: m' = 3/14, q = 7/14, half = 1.959964·√((0.5 − 0.0459184)/14)."""
    half = 1.959963984540054 * np.sqrt((0.5 - (3 / 14) ** 2) / 14)
    found = stats.bonett_price(np.array(3.0), np.array(5.0), np.array(12.0))
    assert found == pytest.approx((3 / 14 - half, 3 / 14 + half))


def test_the_reach_of_counts_by_hand_and_mirrored() -> None:
    """.9 − .3 with limits .1, .2 below and .05, .3 above: down² = .1² + .3², up² = .05² + .2²."""
    down, up = np.array([0.1, 0.2]), np.array([0.05, 0.3])
    found = stats.counts_reach(np.array([1.0, -1.0]), down, up)
    assert found == pytest.approx((0.1**2 + 0.3**2, 0.05**2 + 0.2**2))
    assert stats.counts_reach(np.array([-1.0, 1.0]), down, up) == pytest.approx(found[::-1])


def test_korn_and_graubard_by_hand() -> None:
    """Three units .8, .9, 1: e = p(1−p)/V·(z/t)², then the exact limits of p·e in e, by scipy's beta quantiles."""
    values = np.array([0.8, 0.9, 1.0])
    e = 0.9 * 0.1 / (0.01 / 3) * (1.959963984540054 / oracle.t.ppf(0.975, 2)) ** 2
    told = oracle.beta.ppf(0.025, 0.9 * e, e - 0.9 * e + 1), oracle.beta.ppf(0.975, 0.9 * e + 1, e - 0.9 * e)
    assert stats.limits(stats.spread(values), (0.0, 1.0)) == pytest.approx(told)
    doubled = stats.limits(stats.spread(2 * values - 1), (-1.0, 1.0))
    assert doubled == pytest.approx((2 * told[0] - 1, 2 * told[1] - 1))


def test_units_that_hardly_differ_do_not_break_the_binomial_form() -> None:
    low, high = stats.limits(stats.spread(np.array([0.5, 0.5 + 1e-7, 0.5 - 1e-7])), (0.0, 1.0))
    assert 0.499999 < low < 0.5 < high < 0.500001


def _fieller(a: np.ndarray, b: np.ndarray, alpha: float = 0.05) -> tuple[float, float]:
    def interval(c: np.ndarray) -> stats.Limits:
        return stats.limits(stats.spread(a - c[..., None] * b), None, alpha)

    low, high = stats.fieller(interval, np.asarray(a.mean() / b.mean()))
    return float(low), float(high)


def test_fieller_is_the_t_test_of_a_minus_cb() -> None:
    a, b = rng.normal(4, 1, 8), rng.normal(8, 1, 8)
    for c in _fieller(a, b):
        assert oracle.ttest_1samp(a - c * b, 0).pvalue == pytest.approx(0.05, abs=1e-6)


def test_fieller_without_end_where_the_denominator_may_be_zero() -> None:
    assert _fieller(np.ones(4), np.array([-1.0, 1.0, 0.5, -0.4])) == (-np.inf, np.inf)


@pytest.mark.parametrize("n", [4, 7, 30])
def test_spearman_with_ties(n: int) -> None:
    x, y = rng.integers(0, 4, n).astype(float), rng.integers(0, 4, n).astype(float)
    x[:2] = (0, 3)
    y[:2] = (1, 2)
    assert stats.spearman(x, y) == pytest.approx(oracle.spearmanr(x, y).statistic)
    assert stats.ranks(x) == pytest.approx(oracle.rankdata(x))


def test_spearman_of_all_ties_is_zero() -> None:
    assert stats.spearman(np.arange(5.0), np.ones(5)) == 0


def test_rank_limits_by_hand() -> None:
    """ρ = .5 over 20 points: tanh(atanh .5 ± 1.959964·√((1 + .125)/17))."""
    half = 1.959963984540054 * np.sqrt(1.125 / 17)
    at = np.arctanh(0.5)
    assert stats.rank_limits(np.array(0.5), 20) == pytest.approx((np.tanh(at - half), np.tanh(at + half)))


@pytest.mark.parametrize("n", [6, 9, 15, 20])
def test_median_limits_hold_the_median(n: int) -> None:
    """Where both are conservative they are order statistics of the same kind as scipy's quantile test."""
    values = np.sort(rng.normal(0, 1, n))
    low, high = stats.median_limits(values, values)
    assert low in values and high in values
    k = int(np.searchsorted(values, low))
    assert oracle.binom.cdf(k, n, 0.5) <= 1 / 32 < oracle.binom.cdf(k + 1, n, 0.5)
    told = oracle.quantile_test(values, q=0, p=0.5).confidence_interval(1 - 2 / 32)
    assert low <= told.low + 1e-12 and high >= told.high - 1e-12


def test_median_of_five_needs_all_five() -> None:
    times = np.array([10.0, 20, 30, 40, np.inf])
    assert stats.median_limits(times, times) == (10, np.inf)
    assert stats.median_limits(times[:4], times[:4]) == (-np.inf, np.inf)


def test_holm_by_hand() -> None:
    """p = .01, .04, .03, .005 of four: .03, .06, .06, .02."""
    assert stats.holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_hall_agrees_with_a_studentised_bootstrap() -> None:
    """Distances of the limits from the mean, 50 skewed units, against 20,000 bootstrap t values."""
    apart: list[float] = []
    for draw in range(8):
        source = np.random.default_rng(draw)
        values = source.gamma(4.0, 1.0, 50)
        of = stats.spread(values)
        t, lam = np.array(oracle.t.ppf(0.975, 49)), of.cubes / of.variance**1.5
        assert lam == pytest.approx(oracle.skew(values) / np.sqrt(50))
        ours = np.sqrt(of.variance) * np.array([stats._hall(t, lam), -stats._hall(-t, lam)])
        drawn = source.choice(values, (20_000, 50))
        studentised = (drawn.mean(1) - of.m) / (drawn.std(1, ddof=1) / np.sqrt(50))
        theirs = np.sqrt(of.variance) * np.array([np.quantile(studentised, 0.975), -np.quantile(studentised, 0.025)])
        apart += list(np.abs(ours / theirs - 1))
    assert np.median(apart) <= 0.02 and max(apart) <= 0.1


def test_ten_units_take_the_outer_of_student_and_hall() -> None:
    values = np.random.default_rng(3).gamma(1.0, 1.0, 12)
    of = stats.spread(values)
    low, high = stats.limits(of, None)
    told = oracle.ttest_1samp(values, 0).confidence_interval(0.95)
    lam, se, t = of.cubes / of.variance**1.5, np.sqrt(of.variance), np.array(oracle.t.ppf(0.975, 11))
    assert low == pytest.approx(min(told.low, of.m - se * stats._hall(t, lam)))
    assert high == pytest.approx(max(told.high, of.m - se * stats._hall(-t, lam)))
    assert high > told.high  # skewed to the right: the mean may lie further up


def test_crossed_variance_is_unbiased() -> None:
    """The mean of V over simulated tables is the true variance of the mean over units and items."""
    source = np.random.default_rng(5)
    units, items, draws, one = 6, 40, 1500, np.ones(1)
    u, i = source.normal(0, 0.3, (draws, units, 1)), source.normal(0, 0.5, (draws, 1, items))
    x = u + i + source.normal(0, 0.4, (draws, units, items))
    truth = 0.3**2 / units + 0.5**2 / items + 0.4**2 / (units * items)
    of_units, of_items = stats.spread(x.mean(2)), stats.noise(x[..., None])
    v = of_units.variance + of_items.items[..., 0, 0] - of_items.both[..., 0, 0]
    assert v.mean() == pytest.approx(truth, rel=0.03)
    found = stats.crossed(of_units, [of_items], one)
    assert found.variance == pytest.approx(np.maximum(v, np.maximum(of_units.variance, of_items.items[..., 0, 0])))
    table = x[0]
    left = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    assert of_items.items[0, 0, 0] == pytest.approx(table.mean(0).var(ddof=1) / items)
    assert of_items.both[0, 0, 0] == pytest.approx((left**2).sum() / ((units - 1) * (items - 1)) / (units * items))


def test_crossed_skewness_and_degrees_of_freedom_by_their_sums() -> None:
    """df = max(S−1, V²/(V_s²/(S−1) + V_i²/(I−1) + V_si²/((S−1)(I−1)))), λ from V_s and V_i over V."""
    x = np.random.default_rng(1).gamma(1.0, 1.0, (4, 30))
    of = stats.crossed(stats.spread(x.mean(1)), [stats.noise(x[..., None])], np.ones(1))
    v_s, v_i = x.mean(1).var(ddof=1) / 4, x.mean(0).var(ddof=1) / 30
    left = x - x.mean(1, keepdims=True) - x.mean(0) + x.mean()
    v_si = (left**2).sum() / (3 * 29) / 120
    assert of.squares == pytest.approx(v_s**2 / 3 + v_i**2 / 29 + v_si**2 / (3 * 29))
    cubes = v_s**1.5 * oracle.skew(x.mean(1)) / 2 + v_i**1.5 * oracle.skew(x.mean(0)) / np.sqrt(30)
    assert of.cubes == pytest.approx(cubes) and of.least == 3 and of.n == 4


def test_two_columns_are_weighted_as_their_sum() -> None:
    """The noise of a − c·b by the forms of both columns is that of the table a − c·b."""
    x = rng.gamma(1.0, 1.0, (3, 20, 2))
    w = np.array([1.0, -0.7])
    both = stats.crossed(stats.spread((x @ w).mean(1)), [stats.noise(x)], w)
    plain = stats.crossed(stats.spread((x @ w).mean(1)), [stats.noise((x @ w)[..., None])], np.ones(1))
    assert [both.variance, both.squares, both.cubes] == pytest.approx([plain.variance, plain.squares, plain.cubes])


def test_the_spread_of_one_table_is_that_of_its_item_means() -> None:
    x = rng.gamma(1.0, 1.0, (3, 20))
    one, told = stats.weighed(stats.noise(x[..., None]), np.ones(1)), stats.spread(x.mean(0))
    assert [one.m, one.variance, one.squares, one.cubes] == pytest.approx(
        [told.m, told.variance, told.squares, told.cubes]
    )


def test_columns_that_cancel_have_no_spread() -> None:
    b = rng.uniform(1, 2, 50)
    assert stats.weighed(stats.noise(np.stack([3 * b, b], -1)[None]), np.array([1.0, -3.0])).variance == 0


def test_equal_units_have_no_width() -> None:
    assert stats.limits(stats.spread(np.full(4, 0.3)), None) == (0.3, 0.3)


def test_at_least_raises_variance_and_keeps_skewness_and_df() -> None:
    of = stats.spread(np.array([0.0, 0.0, 0.3]))
    raised = stats.at_least(of, 1.0)
    assert raised.variance == 1 and raised.squares == pytest.approx(1 / 2)
    assert raised.cubes == pytest.approx(of.cubes / of.variance**1.5)
    assert stats.at_least(stats.spread(np.ones(3)), 0.25).cubes == 0


def test_smallest_alpha_finds_the_edge() -> None:
    assert stats.smallest_alpha(lambda alpha: alpha >= 0.0123) == pytest.approx(0.0123, rel=1e-6)
    assert stats.smallest_alpha(lambda alpha: alpha >= 0.4) == pytest.approx(0.4, rel=1e-6)
    assert stats.smallest_alpha(lambda alpha: False) == 1.0
    assert stats.smallest_alpha(lambda alpha: True) == pytest.approx(1e-12)
    assert stats.smallest_alpha(lambda alpha: alpha >= 0.05) == 0.05
    assert stats.smallest_alpha(lambda alpha: alpha > 0.05) > 0.05


def test_chance_alone() -> None:
    assert stats.chance_wrong(40) == 2.0


def test_what_runs_that_agree_cannot_show() -> None:
    assert [round(stats.unseen_share(n), 2) for n in (3, 5, 10, 20)] == [0.63, 0.45, 0.26, 0.14]
