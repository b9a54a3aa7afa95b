"""What a run shows while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from unseen import live
from unseen.core.execute import Event
from unseen.core.plan import Trial
from unseen.core.study import Needs
from unseen.live import Bars, Curves, Lines, labels, spark, watch


@dataclass(frozen=True)
class Setting:
    format: str
    width: int
    steps: int = 100


def trials() -> list[Trial]:
    """Two formats of one width, then one of another."""
    found = [("plain", 32), ("reversed", 32), ("plain", 64)]
    return [Trial("s", 1, Setting(f, w), (0, 1), Needs(minutes=float(w))) for f, w in found]


def test_labels_name_only_what_differs() -> None:
    assert list(labels(trials()).values()) == ["plain, width 32", "reversed, width 32", "plain, width 64"]
    alone = [Trial("s", 1, Setting("plain", 32), (k,), Needs(1.0)) for k in range(2)]
    assert list(labels(alone).values()) == ["seed 0", "seed 1"]
    assert list(labels(alone[:1]).values()) == ["seed 0"]


def test_spark_keeps_fractions_on_their_own_scale() -> None:
    assert spark([0.0, 0.5, 1.0]) == "▁▅█"
    assert spark([0.5, 0.5]) == "▅▅", "a fraction is drawn on 0..1, not stretched"
    assert spark([10.0, 20.0]) == "▁█" and spark([]) == "" and spark([float("nan"), float("inf")]) == ""
    assert spark([3.0, 3.0]) == "▁▁"


def test_curves_grow_and_words_stay_words() -> None:
    curves = Curves()
    assert curves.add(Event("k", 1, 10, {"loss": 4.0, "phase": "warm-up"})) == "loss 4  phase warm-up"
    assert curves.add(Event("k", 2, 10, {"loss": 2.0})) == "loss █▁ 2"


def test_lines_say_how_much_there_is_then_the_first_score_at_once() -> None:
    said: list[str] = []
    lines, (a, b, c) = Lines(said.append), trials()
    lines.begin("s smoke", [a, b, c], [c.key])
    assert said == ["s smoke: 2 of 3 trials to measure, about 64 minutes"]
    lines.tell(Event(a.key, 1, 100, {"loss": 2.0}))
    lines.tell(Event(a.key, 2, 100, {"loss": 1.0}))  # a moment later: not said
    lines.tell(Event(a.key, 100, 100, {"loss": 0.5}))
    lines.tell(Event(a.key, 1, 1, {"ended": True}))
    assert said[1:] == [
        "plain, width 32  1%  loss 2",
        "plain, width 32  100%  loss █▃▁ 0.5",
        "measured plain, width 32",
    ]


def test_lines_tell_the_time_left_by_the_pace_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    said, times = list[str](), iter((0.0, 60.0, 120.0, 180.0))
    monkeypatch.setattr(live.time, "monotonic", lambda: next(times))
    lines, (a, *_) = Lines(said.append), trials()
    lines.begin("s smoke", [a], ())
    for done in (0.1, 0.4, 0.3, 1.0):
        lines.tell(Event(a.key, done, 1.0))
    assert said[1:] == [
        "seed 0–1  10%",
        "seed 0–1  40%  120 seconds left",
        "seed 0–1  30%  7 minutes left",
        "seed 0–1  100%",
    ]


class Recorder:
    """Stands where rich's bars do: keeps what it is told."""

    def __init__(self) -> None:
        self.kept: dict[int, dict[str, Any]] = {}
        self.printed: list[str] = []
        self.console = self

    def add_task(self, description: str, **fields: Any) -> int:
        self.kept[len(self.kept)] = {"description": description, **fields}
        return len(self.kept) - 1

    def update(self, task: int, **fields: Any) -> None:
        self.kept[task].update(fields)

    def remove_task(self, task: int) -> None:
        self.kept[task]["gone"] = True

    def print(self, line: str, **_: Any) -> None:
        self.printed.append(line)

    @property
    def tasks(self) -> list[Any]:
        return [type("Task", (), {"id": i, "fields": f}) for i, f in self.kept.items()]


def test_the_bar_of_the_whole_counts_minutes_of_trials() -> None:
    bars, (a, b, c) = Recorder(), trials()
    shown = Bars(bars)
    shown.begin("s smoke", [a, b, c], [c.key])
    assert bars.kept[0]["total"] == 128 and bars.kept[0]["completed"] == 64 and bars.kept[0]["shown"] == "1 of 3 trials"
    shown.tell(Event(a.key, 50, 100, {"loss": 1.0}))
    assert bars.kept[0]["completed"] == 64 + 16 and bars.kept[1]["description"].strip() == "plain, width 32"
    shown.tell(Event(a.key, 50, 100, {}))
    assert bars.kept[1]["shown"] == "loss 1", "a step that tells nothing leaves what the last look found"
    shown.tell(Event(a.key, 1, 1, {"ended": True}))
    assert (
        bars.kept[0]["completed"] == 64 + 32
        and bars.kept[1]["gone"]
        and bars.printed == ["measured plain, width 32  loss 1"]
    )
    assert bars.kept[0]["shown"] == "2 of 3 trials"


def test_quiet_shows_nothing(capsys: Any) -> None:
    with watch(quiet=True) as seen:
        seen.begin("t", trials(), ())
        seen.tell(Event("k", 1, 1))
    assert capsys.readouterr() == ("", "")


def test_what_was_found_stands_above_the_bars(capsys: pytest.CaptureFixture[str]) -> None:
    bars, said = Recorder(), list[str]()
    for watching in (Bars(bars), Lines(said.append), live.Silent()):
        watching.say("length · echo: exact  reference 1.00")
    assert bars.printed == said == ["length · echo: exact  reference 1.00"]
    assert capsys.readouterr().out == ""
