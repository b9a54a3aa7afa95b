"""Forecasts of plans, against schedules worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from unseen import forecast
from unseen.core.errors import Invalid
from unseen.core.plan import Trial
from unseen.core.study import Needs
from unseen.driver import ask, trials_of
from unseen.forecast import Room, known_minutes, sentence

FAULTS = Path(__file__).parents[1] / "faults" / "studies"


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """Five trials of 4, 3, 2, 2 and 1 minutes."""
    monkeypatch.setenv("UNSEEN_STUDIES", str(FAULTS))
    monkeypatch.setattr(forecast.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(forecast, "_memory", lambda: 8.0)
    monkeypatch.setattr(forecast.accelerator, "here", tuple)
    found = trials_of(ask("kept_rows", "smoke"))[:5]
    return [replace(t, needs=Needs(m)) for t, m in zip(found, (4, 3, 2, 2, 1), strict=True)]


def test_one_after_another_and_two_at_once(trials: list[Trial]) -> None:
    alone = forecast.forecast(trials, "here", {})
    assert (alone.at_once, alone.minutes, alone.work, alone.memory_gb) == (1, 12, 12, 2)
    # 4 and 3 begin; at 3 a 2 until 5; at 4 a 2 until 6; at 5 the 1 until 6
    two = forecast.forecast(trials, "procs:2", {})
    assert (two.at_once, two.minutes, two.work, two.memory_gb, two.warnings) == (2, 6, 12, 4, ())
    assert "up to 2 trials at once in 4 GB, about 6.0 minutes" in sentence(two)


def test_what_was_measured_counts_for_more_than_what_was_guessed(trials: list[Trial], tmp_path: Path) -> None:
    (tmp_path / "kept_rows").mkdir()
    told = {"trials": [{"key": trials[0].key, "minutes": 1.5}]}
    (tmp_path / "kept_rows" / "laptop.json").write_text(json.dumps(told))
    (tmp_path / "kept_rows" / "paper.json").write_text("{")
    known = known_minutes(tmp_path, "kept_rows")
    assert known == {trials[0].key: 1.5}
    found = forecast.forecast(trials, "here", known)
    assert (found.minutes, found.measured) == (9.5, 1)


def test_a_cluster_has_room_by_what_trials_need(trials: list[Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"CPU": 2.0, "GPU": 1.0, "memory": 8.0 * 2**30}, {"CPU": 2.0, "memory": 8.0 * 2**30}]
    monkeypatch.setattr("unseen.core.pools.on_ray.resources", lambda address: nodes)
    assert forecast.room_of("ray") == Room(4, 4, 1, 16, {"cpus": 2, "gpus": 1, "memory_gb": 8})
    wide = [replace(t, needs=replace(t.needs, cpus=2)) for t in trials]
    assert forecast.forecast(wide, "ray", {}).at_once == 2
    shared = [replace(t, needs=replace(t.needs, gpus=0.5)) for t in trials]
    assert forecast.forecast(shared, "ray", {}).at_once == 2
    many = [replace(t, needs=replace(t.needs, gpus=2)) for t in trials]
    assert (
        "5 trials need up to 2 accelerators and the largest node has 1"
        in forecast.forecast(many, "ray", {}).warnings[0]
    )


def test_what_is_not_there_is_said(trials: list[Trial]) -> None:
    greedy = [replace(t, needs=Needs(1, cpus=6, gpus=1, memory_gb=3)) for t in trials]
    said = forecast.forecast(greedy, "procs:4", {}).warnings
    assert len(said) == 3 and "the CPU" in said[0] and "6 threads" in said[1] and "12 GB" in said[2]
    assert forecast.forecast([], "procs:2", {}).minutes == 0
    assert forecast.forecast(greedy, "slurm:array=3", {}).at_once == 3
    with pytest.raises(Invalid, match="no such pool"):
        forecast.forecast(trials, "moon", {})
