"""A model's profile: the headlines of a study, their gap and curve, and what changed against another model."""

from __future__ import annotations

from math import isclose
from typing import Any

import numpy as np
import pytest
from scipy import stats as oracle

from unseen.core.card import Card, Interval, by_axis, difference, profiles
from unseen.core.record import Item, Records, Row, Split
from unseen.core.study import Headline
from unseen.pages import card as card_page

SPLITS = [Split(f"{d} digits", "length", {"digits": d}, d > 4) for d in (10, 3, 7)]


def asked(model: str, right: dict[int, int], n: int = 20, shots: int = 0) -> list[Any]:
    """Of n items on each split, so many are right."""
    return [
        ({"model": model, "shots": shots}, 0, Item(f"{s.name}.{i}", s, "q", "a", "t", {"exact": float(i < right[s.at["digits"]])}))
        for s in SPLITS for i in range(n)
    ]  # fmt: skip


def test_reference_shifted_gap_and_curve() -> None:
    records = Records.of(asked("m", {3: 18, 7: 8, 10: 2}), evidence="released data")
    (p,) = profiles("s", [Headline("length", "exact", 0.0)], records)
    told = oracle.binomtest(18, 20).proportion_ci(0.95, "exact")
    assert (p.reference.low, p.reference.high) == pytest.approx((told.low, told.high))
    assert p.shifted.estimate == pytest.approx(0.25) and p.gap.estimate == pytest.approx(0.25 - 0.9) and p.gap.high < 0
    assert p.n == 40 and p.evidence == "released data" and p.change is None and not p.note
    assert p.curve == [("3 digits", 0.9, 20), ("7 digits", 0.4, 20), ("10 digits", 0.1, 20)]
    json = p.to_json()
    assert json["gap"]["estimate"] == pytest.approx(-0.65) and json["curve"][0] == {
        "at": "3 digits",
        "value": 0.9,
        "n": 20,
    }
    assert "change" not in json


def test_a_headline_pools_what_it_does_not_name() -> None:
    told = [*asked("m", {3: 18, 7: 8, 10: 2}), *asked("m", {3: 20, 7: 20, 10: 20}, shots=2)]
    pooled, named = profiles("s", [Headline("length", "exact", 0.0), Headline("length", "exact", 0.0, {"shots": 2})], Records.of(told))  # fmt: skip
    assert pooled.shifted.estimate == pytest.approx(0.625) and named.shifted.estimate == 1.0
    assert list(by_axis([pooled, named])) == ["length"]


def test_what_changed_against_another_model_on_the_same_items() -> None:
    mine, theirs = asked("m", {3: 18, 7: 16, 10: 14}), asked("base", {3: 18, 7: 6, 10: 4})
    (p,) = profiles("s", [Headline("length", "exact", 0.0)], Records.of(mine), Records.of(theirs))
    assert p.change is not None and p.change_reference is not None and p.p is not None
    assert p.change.estimate == pytest.approx(0.5) and p.change.low > 0 and p.p < 1e-4
    assert p.change_reference.estimate == 0 and p.change_reference.low < 0 < p.change_reference.high
    assert p.to_json()["change"]["shifted"]["estimate"] == pytest.approx(0.5)
    assert p.survives is None, "nothing was gained on the reference"


def test_how_much_of_a_gain_survives_the_shift() -> None:
    mine, theirs = asked("m", {3: 20, 7: 10, 10: 10}), asked("base", {3: 0, 7: 0, 10: 0})
    (p,) = profiles("s", [Headline("length", "exact", 0.0)], Records.of(mine), Records.of(theirs))
    assert p.survives is not None and p.survives.estimate == pytest.approx(0.5)
    told = oracle.binomtest(20, 40).proportion_ci(0.95, "exact")  # were the gain on the reference known to be 1
    assert 0.25 < p.survives.low < told.low and told.high < p.survives.high < 0.8
    assert "0.50 [" in card_page.markdown(Card("m", "smoke", by_axis([p]), "base"))


def test_what_cannot_be_said_says_why() -> None:
    records = Records.of(asked("m", {3: 18, 7: 8, 10: 2}))
    missing, unknown = profiles("s", [Headline("domain", "exact", 0.0), Headline("length", "exact", 0.0, {"nothing": 1})], records)  # fmt: skip
    assert (
        np.isnan(missing.gap.estimate) and "reference: no row of exact matches" in missing.note and missing.curve == []
    )
    assert "no record has 'nothing'" in unknown.note and missing.to_json()["gap"]["low"] is None
    single = Records.of([({}, 0, Row("loss", 2.0, SPLITS[0])), ({}, 0, Row("loss", 3.0, SPLITS[1]))])
    (p,) = profiles("s", [Headline("length", "loss", 0.0)], single)
    assert p.shifted.text() == "2.00" and "too few items" in p.note


def test_intervals_as_text() -> None:
    assert Interval(0.62, 0.48, 0.75).text() == "0.62 [0.48, 0.75]"
    assert Interval(-0.5, -0.7, 0.1).text(signed=True) == "-0.50 [-0.70, +0.10]"
    assert Interval(float("nan"), float("nan"), float("nan")).text() == "–"


def test_cards_as_json() -> None:
    found = profiles("s", [Headline("length", "exact", 0.0)], Records.of(asked("m", {3: 18, 7: 8, 10: 2})))
    told = Card("m", "laptop", by_axis(found), None, ["a note"]).to_json()
    assert told["axes"]["length"][0]["study"] == "s" and told["notes"] == ["a note"] and told["against"] is None


def test_other_formats_stand_beside_every_score() -> None:
    mine, other = (Records.of(asked("m", right)) for right in ({3: 18, 7: 8, 10: 2}, {3: 12, 7: 0, 10: 0}))
    (p,) = profiles("s", [Headline("length", "exact", 0.0)], mine, formats={"other labels": other})
    assert p.formats == [("as it is", 0.9, 0.25), ("other labels", 0.6, 0.0)]
    assert (
        p.over_formats(shifted=False) == "0.60–0.90 over 2 formats"
        and p.over_formats(shifted=True) == "0.00–0.25 over 2 formats"
    )
    assert p.to_json()["formats"][1] == {"name": "other labels", "reference": 0.6, "shifted": 0.0}
    page = card_page.markdown(Card("m", "smoke", by_axis([p])))
    assert "(0.60–0.90 over 2 formats)" in page and "(0.00–0.25 over 2 formats)" in page
    assert "0.60–0.90 over 2 formats" in card_page.html(Card("m", "smoke", by_axis([p])))


def test_the_interval_of_a_difference_covers_as_often_as_it_says() -> None:
    """Independent normal means with known deviations: MOVER's limits are then the exact ones, d ± 1.96 sqrt(s² + t²)."""
    s, t = 0.03, 0.05
    first, second = (Interval(m, m - 1.96 * d, m + 1.96 * d) for m, d in ((0.4, s), (0.7, t)))
    found = difference(first, second)
    assert isclose(found.estimate, 0.3)
    assert isclose(found.low, 0.3 - 1.96 * np.hypot(s, t)) and isclose(found.high, 0.3 + 1.96 * np.hypot(s, t))
    rng = np.random.default_rng(0)
    drawn = rng.normal(0.3, np.hypot(s, t), 20_000)
    covered = np.mean((drawn - (found.estimate - found.low) <= 0.3) & (drawn + (found.high - found.estimate) >= 0.3))
    assert abs(covered - 0.95) < 0.01


def test_where_limits_are_uneven_so_are_those_of_the_difference() -> None:
    found = difference(Interval(0.5, 0.2, 0.6), Interval(0.5, 0.4, 0.9))
    assert isclose(found.low, -np.hypot(0.1, 0.1)) and isclose(found.high, np.hypot(0.4, 0.3))
    back = difference(Interval(0.5, 0.4, 0.9), Interval(0.5, 0.2, 0.6))
    assert isclose(back.low, -found.high) and isclose(back.high, -found.low)
