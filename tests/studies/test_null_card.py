"""The card of a model that learned nothing: the null control of every axis at once."""

from __future__ import annotations

from pathlib import Path

import pytest

import unseen
from unseen.driver import takers


def test_an_untrained_model_is_at_chance_on_every_axis_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of intervals at 95%, one in forty may lie above its chance by chance; here none of two dozen does.

    Below chance lies only who says nothing that could be read: chance is of a guess in the form that was asked for.
    """
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path))
    made = unseen.card("tiny:decoder", tier="smoke")
    told = [(axis, p) for axis, its in made.axes.items() for p in its]
    assert {p.study for _, p in told} == {slug for slug, _ in takers()} and not made.notes
    for axis, p in told:
        for side in (p.reference, p.shifted):
            assert side.low <= p.chance, f"{axis}, {p.says()}: above chance {p.chance}"
            assert side.high >= p.chance or side.estimate == 0, f"{axis}, {p.says()}: below chance {p.chance}"
        assert p.gap.low <= 0 <= p.gap.high, f"{axis}, {p.says()}: a gap"
