"""Two models, or two runs of a study, side by side: only what both were asked, by items or by seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats as oracle

from unseen.core.claim import gap, measured
from unseen.core.compare import compare
from unseen.core.record import Item, Records, Row, Split

LONG, SHORT = Split("long", "length", {"digits": 7}, shifted=True), Split("short", "length", {"digits": 3})


def asked(scores: Any, model: str, split: Split = LONG, first: int = 0) -> list[Any]:
    """Scores [seed item] of a model."""
    return [
        ({"setting": "Ask", "model": model, "shots": 0}, s, Item(f"i{first + i:03d}", split, "q", "a", "t", {"exact": float(v)}))
        for s, line in enumerate(scores) for i, v in enumerate(line)
    ]  # fmt: skip


def test_one_run_each_on_the_same_items_is_bonett_and_price_with_mcnemar() -> None:
    a, b = [0] * 9 + [1] * 2 + [1] * 20, [1] * 9 + [0] * 2 + [1] * 20
    told = compare("A", "B", {"s": (Records.of(asked([a], "one")), Records.of(asked([b], "two")))})
    (d,) = told.differences
    assert (d.what, d.split, d.unit, d.n) == ("s: exact (0, 7)", "long", "item", 31)
    assert (d.a, d.b) == pytest.approx((np.mean(a), np.mean(b))) and d.estimate == pytest.approx(7 / 31)
    assert d.p == pytest.approx(oracle.binomtest(9, 11, 0.5).pvalue) and (d.p <= 0.05) == (d.low > 0) and d.holm == d.p
    assert not told.notes and told.to_json()["differences"][0]["n"] == 31


def test_only_shared_items_are_compared_and_a_note_says_so() -> None:
    a, b = Records.of(asked([[1, 0, 1, 1]], "one")), Records.of(asked([[0, 1, 1, 1]], "two", first=2))
    told = compare("A", "B", {"s": (a, b)})
    (d,) = told.differences
    assert d.n == 2 and d.a == 1.0 and d.b == 0.5
    assert told.notes == [
        "s: exact on Ask, 0, long, 7: 2 items are shared by A (4) and B (4); only shared ones are compared."
    ]


def test_several_runs_go_by_seeds_and_items() -> None:
    """With five runs each the two-way rule counts their scatter too: wider than items alone."""
    rng = np.random.default_rng(0)
    x, y = ((rng.random((5, 40)) < rng.uniform(0.3, 0.9, (5, 1))).astype(float) for _ in range(2))
    a, b = Records.of(asked(x, "one")), Records.of(asked(y, "two"))
    (d,) = compare("A", "B", {"s": (a, b)}).differences
    half = oracle.ttest_rel(y.mean(1), x.mean(1)).confidence_interval(0.95)
    assert d.unit == "seed" and d.n == 5 and d.estimate == pytest.approx(y.mean() - x.mean())
    assert d.high - d.low > 0.5 * (half.high - half.low)


def test_aggregated_runs_are_compared_by_seeds() -> None:
    x, y = np.array([2.0, 2.5, 3.1, 2.7]), np.array([2.9, 3.0, 3.3, 3.6])
    a, b = (Records.of(({"width": 1}, s, Row("loss", v, SHORT)) for s, v in enumerate(z)) for z in (x, y))
    (d,) = compare("A", "B", {"s": (a, b)}).differences
    assert d.p == pytest.approx(oracle.ttest_rel(y, x).pvalue, rel=1e-6) and d.unit == "seed"


def test_what_only_one_side_has_stands_in_the_notes() -> None:
    a = Records.of([*asked([[1, 0]], "one"), *asked([[1, 0]], "one", SHORT)])
    b = Records.of([*asked([[1, 1]], "two"), ({}, 0, Row("other", 0.5))])
    told = compare("A", "B", {"s": (a, b)})
    assert [d.split for d in told.differences] == ["long"]
    lone = compare("A", "B", {"s": (Records.of([({"w": 1}, 0, Row("loss", 2.0))]), Records.of([({"w": 2}, 0, Row("loss", 2.0))]))})  # fmt: skip
    assert not lone.differences and len(lone.notes) == 2 and "no row of loss matches" in lone.notes[0]
    assert compare("A", "B", {}).differences == []


def test_holm_over_all_differences() -> None:
    rng = np.random.default_rng(1)
    a, b = (Records.of([t for s in (LONG, SHORT) for t in asked((rng.random((1, 60)) < p).astype(float), m, s)]) for p, m in ((0.3, "one"), (0.8, "two")))  # fmt: skip
    found = compare("A", "B", {"s": (a, b)}).differences
    p = sorted(d.p for d in found)
    assert sorted(d.holm for d in found) == pytest.approx([2 * p[0], max(2 * p[0], p[1])])
    assert measured(gap("exact", {"split": "long"}, {"split": "short"}), a).units == 120


def test_right_and_wrong_are_counted_and_graded_scores_are_no_sign_test() -> None:
    """19 items a little worse and 11 much better: the counts' p is .2, the mean's is small; McNemar's is of right or wrong."""
    a = np.full(30, 0.5)
    b = a + np.array([-0.001] * 19 + [0.4] * 11)
    told = compare("A", "B", {"s": (Records.of(asked([a], "one")), Records.of(asked([b], "two")))})
    (d,) = told.differences
    half = oracle.ttest_rel(b, a)
    assert (d.won, d.lost, d.mcnemar) == (None, None, None) and oracle.binomtest(11, 30).pvalue > 0.1
    assert d.p == pytest.approx(half.pvalue, rel=0.2) and 0 < d.low <= half.confidence_interval(0.95).low
    right = [(v > 0.5).astype(float) for v in (a, b)]
    (d,) = compare("A", "B", {"s": tuple(Records.of(asked([v], m)) for v, m in zip(right, "ab", strict=True))}).differences  # type: ignore[arg-type]  # fmt: skip
    assert (d.won, d.lost) == (11, 0) and d.mcnemar == 2 / 2**11 and d.p >= d.mcnemar


@pytest.mark.parametrize(("n", "won", "lost"), [(9, 3, 1), (12, 8, 1), (31, 9, 2), (400, 6, 0), (1000, 22, 3)])
def test_mcnemar_is_exact_and_p_is_never_below_it(n: int, won: int, lost: int) -> None:
    a, b = np.zeros(n), np.zeros(n)
    b[:won], a[won : won + lost] = 1, 1
    (d,) = compare("A", "B", {"s": (Records.of(asked([a], "one")), Records.of(asked([b], "two")))}).differences
    assert (d.won, d.lost) == (won, lost)
    assert d.mcnemar == pytest.approx(oracle.binomtest(won, won + lost, 0.5).pvalue) and d.p >= d.mcnemar * (1 - 1e-9)
    assert (d.p <= 0.05) == (d.low > 0)


def test_nothing_shared_is_said() -> None:
    a, b = Records.of(asked([[1, 0]], "one")), Records.of(asked([[1, 0]], "two", first=2))
    told = compare("A", "B", {"s": (a, b)})
    assert not told.differences and told.notes == ["s: exact: A and B share no item, so nothing is compared."]
