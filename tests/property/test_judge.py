"""What holds of every verdict, whatever the records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.claim import Claim, Effect, Region, Verdict, above, between, gap, judge, level, rank, ratio, slope
from unseen.core.interval import interval_of, point_of
from unseen.core.record import Item, Records, Row, Split

A, B = {"arm": "a"}, {"arm": "b"}
SPLITS = [Split(f"d{d}", "length", {"digits": d}, True) for d in range(4)]
EFFECTS: list[Effect] = [
    level("exact", **A), gap("exact", A, B), slope("exact", "digits", **A), rank("exact", "digits", **A),
    ratio(level("exact", **A), level("exact", **B)),
]  # fmt: skip
ALPHAS = (1e-6, 0.001, 0.05, 0.2, 0.7)
UNHURRIED = settings(deadline=None, max_examples=50)


@st.composite
def rows(draw: st.DrawFn) -> list[Any]:
    """Two arms on four splits over 3 to 12 seeds, as counts with own or shared items or as any numbers."""
    seeds, n = draw(st.integers(3, 12)), draw(st.sampled_from([1, 7, 50]))
    kind = draw(st.sampled_from(["own", "shared", "real"]))
    value = st.integers(0, n).map(lambda k: k / n) if kind != "real" else st.floats(-3, 3).map(lambda v: round(v, 3))
    return [
        ({"arm": arm}, s, Row("exact", draw(value), split, n=n, drawn=f"{arm}{split.name}{s}" if kind == "own" else ""))
        for arm in "ab" for split in SPLITS for s in range(seeds)
    ]  # fmt: skip


@st.composite
def items(draw: st.DrawFn) -> list[Any]:
    """Two arms asked the same items, over 1 to 5 seeds."""
    seeds, n = draw(st.integers(1, 5)), draw(st.integers(3, 12))
    scores = draw(st.lists(st.booleans(), min_size=2 * seeds * n, max_size=2 * seeds * n))
    table = np.array(scores, float).reshape(2, seeds, n)
    return [
        ({"arm": arm}, s, Item(f"i{i}", SPLITS[0], "", "", "", {"exact": table[a, s, i]}))
        for a, arm in enumerate("ab") for s in range(seeds) for i in range(n)
    ]  # fmt: skip


def verdict(effect: Effect, region: Region, told: list[Any], unit: str = "seed") -> Verdict:
    claim = Claim("C", "…", reported="", source="paper", effect=effect, expect=region, unit=unit)
    return judge(claim, Records.of(told), "laptop")


@UNHURRIED
@given(rows(), st.sampled_from(EFFECTS))
def test_the_interval_holds_the_estimate_and_shrinks_as_alpha_grows(told: list[Any], effect: Effect) -> None:
    units = effect.per_unit(Records.of(told), "seed")
    at, m = interval_of(units, "seed"), point_of(units)
    found = [at(alpha) for alpha in ALPHAS]
    assert all(f is not None for f in found)
    near = 1e-7 * (1 + abs(m)) if np.isfinite(m) else 0.0
    for low, high in (f for f in found if f is not None):
        assert np.isnan(m) or low - near <= m <= high + near
    for (low, high), (lower, higher) in zip(found[1:], found, strict=False):  # type: ignore[misc]
        assert lower <= low + near and high <= higher + near


@UNHURRIED
@given(rows(), st.sampled_from(EFFECTS[:4]), st.floats(-0.9, 0.9))
def test_p_is_at_most_5_percent_where_a_claim_is_decided(told: list[Any], effect: Effect, edge: float) -> None:
    v = verdict(effect, above(edge), told)
    if v.p == v.p:
        assert (v.p <= 0.05) == (v.status in ("supported", "refuted"))


@UNHURRIED
@given(items(), st.sampled_from(EFFECTS[:2]), st.sampled_from(["seed", "item"]))
def test_p_agrees_with_the_status_over_items_too(told: list[Any], effect: Effect, unit: str) -> None:
    v = verdict(effect, above(0.0) if effect is EFFECTS[1] else above(0.4), told, unit)
    assert v.p != v.p or (v.p <= 0.05) == (v.status in ("supported", "refuted"))
    assert v.low != v.low or v.low - 1e-9 <= v.estimate <= v.high + 1e-9


@UNHURRIED
@given(rows(), st.sampled_from(EFFECTS[:4]), st.floats(-0.5, 0.5), st.floats(0.1, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_wider_region_never_loses_support(
    told: list[Any], effect: Effect, low: float, width: float, below: float, beyond: float
) -> None:
    narrow = verdict(effect, between(low, low + width), told)
    wide = verdict(effect, between(max(-0.99, low - below), low + width + beyond), told)
    if narrow.status == "supported" and wide.status != "untested":
        assert wide.status == "supported"
    if wide.status == "refuted" and narrow.status != "untested":
        assert narrow.status == "refuted"


@UNHURRIED
@given(st.one_of(rows(), items()), st.sampled_from(["seed", "item"]))
def test_swapped_arms_give_the_mirrored_interval(told: list[Any], unit: str) -> None:
    one, other = (verdict(gap("exact", *arms), above(0.1), told, unit) for arms in ((A, B), (B, A)))
    assert [one.low, one.high, one.estimate] == pytest.approx([-other.high, -other.low, -other.estimate], nan_ok=True, abs=1e-9)  # fmt: skip


@UNHURRIED
@given(st.one_of(rows(), items()), st.sampled_from(["seed", "item"]))
def test_the_level_of_failures_mirrors_that_of_successes(told: list[Any], unit: str) -> None:
    def turned(one: Any) -> Any:
        s, seed, r = one
        if isinstance(r, Item):
            return s, seed, Item(r.id, r.split, "", "", "", {"exact": 1 - r.scores["exact"]})
        return s, seed, Row("exact", 1 - r.value, r.split, r.n, drawn=r.drawn)

    at = lambda t: interval_of(level("exact", **A).per_unit(Records.of(t), unit), unit)(0.05)  # noqa: E731
    one, other = at(told), at([turned(t) for t in told])
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert [float(one[0]), float(one[1])] == pytest.approx([float(1 - other[1]), float(1 - other[0])], abs=1e-7)


@UNHURRIED
@given(st.one_of(rows(), items()), st.randoms(use_true_random=False), st.sampled_from(["seed", "item"]))
def test_the_order_of_records_never_matters(told: list[Any], random: Any, unit: str) -> None:
    mixed = list(told)
    random.shuffle(mixed)
    assert repr(verdict(gap("exact", A, B), above(0.1), told, unit)) == repr(verdict(gap("exact", A, B), above(0.1), mixed, unit))  # fmt: skip


@UNHURRIED
@given(st.lists(st.integers(0, 20), min_size=1, max_size=2), st.integers(1, 4))
def test_doubling_items_never_widens_the_floor(right: list[int], times: int) -> None:
    """One or two runs leave the floor alone: Clopper-Pearson of n and of 2n items at the same rates."""

    def floor(n: int) -> tuple[float, float]:
        told = [({}, s, Row("exact", k / 20, n=n, drawn=f"m{s}")) for s, k in enumerate(right)]
        found = interval_of(level("exact").per_unit(Records.of(told), "seed"), "seed")(0.05)
        assert found is not None
        return float(found[0]), float(found[1])

    (low, high), (lower, higher) = floor(20 * times * 2), floor(20 * times)
    assert lower - 1e-9 <= low and high <= higher + 1e-9
