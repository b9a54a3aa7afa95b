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


@pytest.mark.parametrize("sizes", [(3, 3), (3, 5), (5, 9)])
def test_welch(sizes: tuple[int, int]) -> None:
    a, b = rng.normal(0, 1, sizes[0]), rng.normal(1, 3, sizes[1])
    told = oracle.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    found = stats.limits(stats.together([stats.spread(a), stats.spread(-b)]), None)
    assert found == pytest.approx((told.low, told.high))


@pytest.mark.parametrize(("k", "n"), [(0, 20), (20, 20), (7, 20), (1, 1500), (499, 500)])
def test_clopper_pearson(k: int, n: int) -> None:
    told = oracle.binomtest(k, n).proportion_ci(0.95, "exact")
    assert stats.clopper_pearson(k, n) == pytest.approx((told.low, told.high))


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (5, 0), (8, 3), (3, 8), (10, 10)])
def test_mcnemar(won: int, lost: int) -> None:
    told = 1.0 if won + lost == 0 else oracle.binomtest(won, won + lost, 0.5).pvalue
    assert stats.mcnemar(won, lost) == pytest.approx(told)


def test_bonett_price_by_hand() -> None:
    """12 items, 4 won, 1 lost: m' = 3/14, q = 7/14, half = 1.959964·√((0.5 − 0.0459184)/14)."""
    d = np.array([1] * 4 + [-1] + [0] * 7, float)
    half = 1.959963984540054 * np.sqrt((0.5 - (3 / 14) ** 2) / 14)
    assert stats.bonett_price(d, 12) == pytest.approx((3 / 14 - half, 3 / 14 + half))


def test_counts_floor_of_one_cell_is_clopper_pearson() -> None:
    low, high = stats.counts_floor(0.35, [(1.0, 0.35, 20)])
    told = oracle.binomtest(7, 20).proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((told.low, told.high))


def test_counts_floor_mirrors_with_the_sign() -> None:
    cells = [(1.0, 0.9, 50.0), (-1.0, 0.3, 80.0)]
    low, high = stats.counts_floor(0.6, cells)
    assert stats.counts_floor(-0.6, [(-w, p, n) for w, p, n in cells]) == pytest.approx((-high, -low))


def test_fieller_is_the_t_test_of_a_minus_cb() -> None:
    a, b = rng.normal(4, 1, 8), rng.normal(8, 1, 8)
    for c in stats.fieller(a, b, None):
        assert oracle.ttest_1samp(a - c * b, 0).pvalue == pytest.approx(0.05, abs=1e-6)


def test_fieller_of_a_denominator_that_may_be_zero_is_the_whole_line() -> None:
    assert stats.fieller(np.ones(4), np.array([-1.0, 1.0, 0.5, -0.4]), None) == (-np.inf, np.inf)


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
    assert stats.rank_limits(0.5, 20) == pytest.approx((np.tanh(at - half), np.tanh(at + half)))


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
    for draw in range(6):
        source = np.random.default_rng(draw)
        values = source.gamma(4.0, 1.0, 50)
        of = stats.spread(values)
        t = oracle.t.ppf(0.975, of.df)
        ours = np.sqrt(of.variance) * np.array([stats._hall(t, of.skew), -stats._hall(-t, of.skew)])
        drawn = source.choice(values, (20_000, 50))
        studentised = (drawn.mean(1) - of.m) / (drawn.std(1, ddof=1) / np.sqrt(50))
        theirs = np.sqrt(of.variance) * np.array([np.quantile(studentised, 0.975), -np.quantile(studentised, 0.025)])
        apart += list(np.abs(ours / theirs - 1))
    assert np.median(apart) <= 0.05 and max(apart) <= 0.15


def test_crossed_variance_is_unbiased() -> None:
    """The mean of V over simulated tables is the true variance of the mean over units and items."""
    source = np.random.default_rng(5)
    units, items, draws = 6, 40, 1500
    u, i = source.normal(0, 0.3, (draws, units, 1)), source.normal(0, 0.5, (draws, 1, items))
    x = u + i + source.normal(0, 0.4, (draws, units, items))
    truth = 0.3**2 / units + 0.5**2 / items + 0.4**2 / (units * items)
    parts = []
    for table in x:
        v_s = stats.spread(table.mean(1)).variance
        v_i = stats.spread(table.mean(0)).variance
        left = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
        v_si = (left**2).sum() / ((units - 1) * (items - 1)) / (units * items)
        parts.append(v_s + v_i - v_si)
        found = stats.crossed(stats.spread(table.mean(1)), [table])
        assert found.variance == pytest.approx(max(v_s, v_i, v_s + v_i - v_si))
    assert np.mean(parts) == pytest.approx(truth, rel=0.05)


def test_paired_agrees_with_mcnemar_at_the_edge() -> None:
    for won, lost in ((6, 0), (5, 0), (9, 1), (9, 2), (20, 8), (30, 14)):
        a = np.array([0] * won + [1] * lost + [1] * 20, float)
        b = np.array([1] * won + [0] * lost + [1] * 20, float)
        told = stats.paired(a, b)
        assert (told.won, told.lost) == (won, lost)
        assert (told.p <= 0.05) == (told.low > 0 or told.high < 0)
        assert told.p >= oracle.binomtest(won, won + lost, 0.5).pvalue - 1e-12


def test_paired_of_real_scores_is_a_t_test() -> None:
    a, b = rng.normal(0, 1, 9), rng.normal(0.5, 1, 9)
    told = stats.paired(a, b)
    assert told.p == pytest.approx(oracle.ttest_rel(b, a).pvalue, rel=1e-6)


def test_equal_units_have_no_width() -> None:
    assert stats.limits(stats.spread(np.full(4, 0.3)), None) == (0.3, 0.3)


def test_smallest_alpha_finds_the_edge() -> None:
    assert stats.smallest_alpha(lambda alpha: alpha >= 0.0123) == pytest.approx(0.0123, rel=1e-6)
    assert stats.smallest_alpha(lambda alpha: False) == 1.0


def test_what_runs_that_agree_cannot_show() -> None:
    assert [round(stats.unseen_share(n), 2) for n in (3, 5, 10, 20)] == [0.63, 0.45, 0.26, 0.14]
