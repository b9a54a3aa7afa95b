"""How things look in a terminal."""

from __future__ import annotations

import json
from typing import Any

import made
import pytest

from unseen import terminal


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colours."""
    monkeypatch.setenv("NO_COLOR", "1")


def test_verdicts_come_findings_first_with_their_why(capsys: Any) -> None:
    terminal.verdicts(made.judged())
    out = capsys.readouterr().out
    assert out.index("C6") < out.index("K1 (control)") and "refuted" in out and "could still be unseen" in out
    assert out.startswith("length_generalization, tier laptop\n")


def test_words_in_brackets_are_no_markup(capsys: Any) -> None:
    from dataclasses import replace

    judged = made.judged()
    claim = replace(judged.verdicts[0].claim, says="[bold red]loud[/] [link=x]y")
    terminal.verdicts(replace(judged, verdicts=[replace(judged.verdicts[0], claim=claim)]))
    assert "[bold red]loud[/] [link=x]y" in capsys.readouterr().out


def test_json_knows_no_nan(capsys: Any) -> None:
    terminal.show_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": (float("-inf"), "ü")})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, 1.5], "c": [None, "ü"]}


def test_the_own_plan_stands_beside(capsys: Any) -> None:
    terminal.verdicts(made.judged(exploratory=True), own=made.judged())
    out = capsys.readouterr().out
    assert "exploratory: the plan was changed" in out and "own plan" in out and "supported 0.852" in out


def test_many_names_are_cut_and_counted() -> None:
    assert terminal.few(("a", "b", "c", "d")) == "a, b, c, d"
    assert terminal.few(("a", "b", "c", "d", "e", "f")) == "a, b, c and 3 more"
