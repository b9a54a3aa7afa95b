"""The interval of an effect from its units: which rule applies, its floor, and what is too little to judge."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as oracle

from unseen.core import stats
from unseen.core.effect import Cells, Pairs, Table, Units
from unseen.core.interval import count_of, interval_of, point_of, too_few

ZERO = np.zeros(1, np.intp)


def level(p: list[float], n: float, *, shared: bool = False) -> Units:
    """A level of counts in runs with items of their own, or with shared ones of which only the mean is known."""
    behind = n if shared else n * len(p)
    cells = Cells(np.ones(1), np.array([np.mean(p)]), np.array([behind]), ZERO)
    return Units("mean", (np.array(p),), ends=(0.0, 1.0), cells=cells)


def at(units: Units, unit: str = "seed", alpha: float = 0.05) -> tuple[float, float]:
    found = interval_of(units, unit)(alpha)
    assert found is not None
    return float(found[0]), float(found[1])


def exact(k: int, n: int) -> tuple[float, float]:
    told = oracle.binomtest(k, n).proportion_ci(0.95, "exact")
    return told.low, told.high


@pytest.mark.parametrize("runs", [3, 5, 20])
def test_all_right_has_the_exact_limits_of_all_scores(runs: int) -> None:
    assert at(level([1.0] * runs, 500)) == pytest.approx(exact(500 * runs, 500 * runs))
    assert at(level([0.0] * runs, 500)) == pytest.approx(exact(0, 500 * runs))


def test_one_failure_in_1500() -> None:
    low, high = at(level([1.0, 1.0, 499 / 500], 500))
    assert low <= exact(1499, 1500)[0] and high >= exact(1499, 1500)[1] and high < 1


def test_shared_items_of_rows_count_once() -> None:
    assert at(level([0.8] * 3, 50, shared=True)) == pytest.approx(exact(40, 50))


@pytest.mark.parametrize("runs", [1, 2])
def test_too_few_runs_leave_the_interval_of_their_items(runs: int) -> None:
    units = level([0.7] * runs, 20)
    assert too_few(units, "seed") and at(units) == pytest.approx(exact(14 * runs, 20 * runs))
    assert interval_of(Units("mean", (np.ones(runs),)), "seed")(0.05) is None


def test_identical_runs_with_items_have_the_interval_of_one_run() -> None:
    scores = np.repeat([[1.0] * 14 + [0.0] * 6], 5, axis=0)
    cells = Cells(np.ones(1), np.array([0.7]), np.array([20.0]), ZERO)
    units = Units("mean", (scores.mean(1),), ends=(0.0, 1.0), cells=cells, tables=(Table("s", scores),))
    low, high = at(units)
    assert (low, high) == pytest.approx(exact(14, 20), abs=0.03) and low <= exact(14, 20)[0]


def test_the_two_way_rule_sums_over_splits() -> None:
    """Two splits: V = max(V_s, ΣV_i, V_s + ΣV_i − ΣV_si), then Student with its degrees of freedom (no ends, no floor)."""
    rng = np.random.default_rng(0)
    tables = [rng.normal(0, 1, (4, 30)) + rng.normal(0, 2, 30), -rng.normal(0, 1, (4, 20)) + rng.normal(0, 2, 20)]
    v_units = sum(t.mean(1) for t in tables)
    units = Units("mean", (v_units,), tables=tuple(Table("s", t) for t in tables))
    v_s, v_i, v_si, squares = v_units.var(ddof=1) / 4, 0.0, 0.0, (v_units.var(ddof=1) / 4) ** 2 / 3
    for t in tables:
        i = t.shape[1]
        item = t.mean(0).var(ddof=1) / i
        left = t - t.mean(1, keepdims=True) - t.mean(0) + t.mean()
        pair = (left**2).sum() / (3 * (i - 1)) / (4 * i)
        v_i, v_si, squares = v_i + item, v_si + pair, squares + item**2 / (i - 1) + pair**2 / (3 * (i - 1))
    v = max(v_s, v_i, v_s + v_i - v_si)
    half = oracle.t.ppf(0.975, max(3, v**2 / squares)) * np.sqrt(v)
    m = v_units.mean()
    assert at(units) == pytest.approx((m - half, m + half))


def test_a_gap_of_two_arms_on_the_same_items_has_bonett_and_prices_floor() -> None:
    d = np.array([[1.0] * 4 + [-1.0] + [0.0] * 7])
    pairs = Pairs(np.ones(1), np.array([3.0]), np.array([5.0]), np.array([12.0]))
    none = Cells(np.empty(0), np.empty(0), np.empty(0), np.empty(0, np.intp))
    units = Units("mean", (d.mean(1),), ends=(-1.0, 1.0), cells=none, pairs=pairs, tables=(Table("s", d),), items=12)
    half = 1.959963984540054 * np.sqrt((0.5 - (3 / 14) ** 2) / 14)
    assert at(units, "item") == pytest.approx((3 / 14 - half, 3 / 14 + half))
    assert count_of(units, "item") == 12


def test_items_as_units_of_several_runs_are_a_mean_of_item_means() -> None:
    x = np.random.default_rng(1).normal(0, 1, (2, 8))
    units = Units("mean", (x.mean(0),), items=8, of_items=True)
    told = oracle.ttest_1samp(x.mean(0), 0).confidence_interval(0.95)
    assert at(units, "item") == pytest.approx((told.low, told.high))


def test_a_ratio_of_counts_has_fiellers_limits_no_narrower_than_its_floor() -> None:
    """Arms that never vary: c is outside where 0 leaves p_a − c·p_b with its Clopper-Pearson reach."""
    pairs = np.repeat([[0.4, 0.8]], 5, axis=0)
    cells = Cells(np.ones(2), np.array([0.4, 0.8]), np.array([500.0, 500.0]), np.array([0, 1]))
    low, high = at(Units("ratio", (pairs,), cells=cells))
    a, b = exact(200, 500), exact(400, 500)
    reach = lambda c, up: np.hypot(a[1] - 0.4 if up else 0.4 - a[0], c * ((0.8 - b[0]) if up else b[1] - 0.8))  # noqa: E731  # fmt: skip
    assert 0.4 - high * 0.8 + reach(high, True) == pytest.approx(0, abs=1e-9)
    assert 0.4 - low * 0.8 - reach(low, False) == pytest.approx(0, abs=1e-9)
    assert low < 0.5 < high


def test_a_denominator_of_zero_leaves_everything_open() -> None:
    cells = Cells(np.ones(2), np.array([0.4, 0.0]), np.array([500.0, 500.0]), np.array([0, 1]))
    units = Units("ratio", (np.repeat([[0.4, 0.0]], 5, axis=0),), cells=cells)
    assert np.isnan(point_of(units)) and at(units) == (-np.inf, np.inf)


def test_a_ratio_of_unlike_seeds_is_welchs() -> None:
    a, b = np.array([4.0, 5, 6]), np.array([8.0, 9, 10, 11])
    parts = np.stack([a, a * 0], 1), np.stack([b * 0, b], 1)
    units = Units("ratio", parts)
    assert point_of(units) == pytest.approx(5 / 9.5)
    for c in at(units):
        assert oracle.ttest_ind(a, c * b, equal_var=False).pvalue == pytest.approx(0.05, abs=1e-6)


def test_a_ratio_on_shared_items_counts_their_noise() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(5, 1, (5, 10, 2)) + rng.normal(0, 2, (1, 10, 2))
    pairs = x.mean(1)
    narrow, wide = at(Units("ratio", (pairs,))), at(Units("ratio", (pairs,), tables=(Table("s", x),)))
    assert wide[0] < narrow[0] and wide[1] > narrow[1]
    for c in wide:
        z = x @ np.array([1.0, -c])
        of = stats.crossed(stats.spread(z.mean(1)), [stats.noise(z[..., None])], np.ones(1))
        low, high = stats.limits(of, None)
        assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-6)


def test_medians_need_five_runs_and_ranks_over_coordinates_eight_points() -> None:
    bounds = np.stack([np.arange(6.0), np.arange(6.0) + 1], 1)
    assert at(Units("median", (bounds,), least=5)) == (0.0, 6.0)
    assert interval_of(Units("median", (bounds[:4],), least=5), "seed")(0.05) is None
    points = np.stack([np.arange(7.0), np.arange(7.0)], 1)
    assert interval_of(Units("rank", (points,), ends=(-1.0, 1.0), least=8), "x")(0.05) is None


def test_a_median_of_times_ignores_those_that_say_nothing() -> None:
    """A ratio of two times that neither reached may be anything: it stands on neither side of the median."""
    units = Units("median", (np.zeros((5, 2)),), runs=np.array([np.nan, 1.0, 2.0, 3.0, np.nan]), least=5)
    assert point_of(units) == 2
    assert np.isnan(point_of(Units("median", (np.zeros((5, 2)),), runs=np.full(5, np.nan), least=5)))


def test_runs_that_agree_on_a_rank_keep_one_step_of_it() -> None:
    """All ρ = 1 over 4 levels: V = δ²/n with δ = 12/60, the binomial form within −1−δ..1+δ."""
    units = Units("rank", (np.ones(5),), ends=(-1.2, 1.2), step=0.2)
    told = stats.limits(stats.Spread(np.array(1.0), np.array(0.2**2 / 5), np.array((0.2**2 / 5) ** 2 / 4), np.array(0.0), 5), (-1.2, 1.2))  # fmt: skip
    assert at(units) == pytest.approx([float(v) for v in told]) and at(units)[0] < 1


def test_effects_of_runs_have_no_interval_over_items() -> None:
    for units in (
        Units("rank", (np.ones(5),), step=0.2),
        Units("mean", (np.ones(5),)),
        Units("median", (np.ones((6, 2)),)),
    ):
        assert interval_of(units, "item")(0.05) is None
