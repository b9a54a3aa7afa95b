"""What logs have in common: scores on their way into columns, values that are numbers, names that repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.logs import log


def test_scores_by_item_and_measure() -> None:
    columns = log.Columns()
    places = [columns.place(name, "", "") for name in "abc"]
    for place, value in zip([*places, places[0]], (1, 0.5, "true", 0), strict=True):
        columns.add(place, "acc", value)
    columns.add(places[1], "f1", [1, 0])
    columns.add(places[2], "acc", float("nan"))
    assert np.array_equal(columns.scores()["acc"], [0.5, 0.5, 1.0]), "the mean of what was asked twice"
    assert columns.oddities() == [
        "f1 is no number for one item (it is only defined over all of them), so it is not compared.",
        "acc is no number on 1 of 3 items, which are left out of it.",
    ]


@pytest.mark.parametrize(("value", "number"), [(True, 1.0), (3, 3.0), ("0.25", 0.25), ("No", 0.0), ("-1e-3", -0.001)])
def test_numbers(value: object, number: float) -> None:
    assert log.number_of(value) == number


@pytest.mark.parametrize("value", [None, "C#", [1], {"a": 1}, "", 10**400])
def test_what_is_no_number(value: object) -> None:
    assert math.isnan(log.number_of(value))


def test_names_that_repeat_are_numbered_in_order() -> None:
    assert log.numbered(["a", "b", "a", "a"], [9, 0, 10, 2]) == ["a.2", "b", "a.3", "a.1"]
    assert log.numbered(["a", "a"], ["x", None]) == ["a.2", "a.1"]


def test_the_newest_of_a_task_and_one_model() -> None:
    kept, notes = log.newest([("t", "2026-01", 1), ("t", "2026-03", 2), ("u", "", 3), ("t", "2026-02", 4)], "out")
    assert kept == {"t": 2, "u": 3} and notes == ["out holds 3 logs of t; the newest is compared."]
    log.one_model("out", ["a", "a"], "the folder")
    with pytest.raises(Invalid, match=r"out holds logs of 2 models \(a, b\); name the folder of one"):
        log.one_model("out", ["b", "a"], "the folder")
