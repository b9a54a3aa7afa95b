"""Items with receipts: the same arguments draw the same items, and a receipt is enough to draw them again."""

from __future__ import annotations

from typing import Any

import pytest

from unseen import items
from unseen.core import find
from unseen.core.errors import Invalid, Missing

pytestmark = pytest.mark.usefixtures("unseen")


def test_draws_repeat_and_seeds_differ() -> None:
    one, same, other = (items.draw("echo", n=5, seed=s) for s in (0, 0, 1))
    assert [d.row() for d in one] == [d.row() for d in same]
    assert {d.example.id for d in one}.isdisjoint({d.example.id for d in other})


def test_a_receipt_draws_its_items_again() -> None:
    for d in items.draw("echo", n=6, sweep={"lengths": "4:8"}, splits=["train", "8 letters"]):
        setting, task, drawn = items.redrawn("echo", find.study("echo"), d.receipt, "here")
        assert drawn[d.example.id] == d.example and setting.lengths == (4, 8) and task.name == "words"


def test_settings_go_there_and_back() -> None:
    study = find.study("echo")
    (setting,) = study.settings("smoke")
    told = items.told(setting)
    assert items.rebuilt("echo", study, told) == setting
    as_json: dict[str, Any] = {**told, "lengths": list(told["lengths"])}
    assert items.rebuilt("echo", study, as_json) == setting, "JSON makes lists of tuples"
    with pytest.raises(Invalid, match="Draw the items again"):
        items.rebuilt("echo", study, {**told, "more": 1})


def test_a_swept_field_sweeps_the_items_too() -> None:
    drawn = items.draw("echo", n=2, sweep={"lengths": "3:5,4:6"})
    assert sorted({d.example.split.name for d in drawn}) == ["3 letters", "4 letters", "5 letters", "6 letters"]


def test_a_task_is_drawn_though_the_data_of_another_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = find.module("echo", "tasks")
    whole = tasks.tasks

    def some(setting: Any) -> Any:
        if setting.lengths == (4, 6):
            raise Missing("the other one's data are not here.")
        return whole(setting)

    monkeypatch.setattr(tasks, "tasks", some)
    sweep = {"lengths": "3:5,4:6"}
    assert len(items.draw("echo/words", n=2, sweep=sweep)) == 4
    for name in ("echo", "echo/poems"):
        with pytest.raises(Missing, match="the other one's data"):
            items.draw(name, n=2, sweep=sweep)
