"""Shares of accelerators, and the processes that see them; on a machine that need not have any."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from unseen.core.execute import Outcome, Tell
from unseen.core.plan import Trial
from unseen.core.pools import accelerator
from unseen.core.pools.accelerator import Shares, asked, here, visible
from unseen.core.pools.workers import Procs
from unseen.core.study import Needs
from unseen.driver import ask, trials_of

FAULTS = Path(__file__).parents[1] / "faults" / "studies"


@dataclass(frozen=True)
class Looking:
    """Work that writes down which accelerators it saw, from when to when."""

    folder: str

    def __call__(self, trial: Trial, tell: Tell) -> Outcome:
        began = time.time()
        time.sleep(0.2)
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
        (Path(self.folder) / trial.key).write_text(f"{seen} {began} {time.time()}")
        return Outcome(trial, "done")


def test_small_trials_fill_one_device_before_the_next() -> None:
    shares = Shares(("0", "1"))
    assert [shares.take(0.5) for _ in range(5)] == [("0",), ("0",), ("1",), ("1",), None]
    shares.give_back(("0",), 0.5)
    assert shares.take(1) is None and shares.take(0.5) == ("0",)


def test_wide_trials_take_whole_devices_and_no_more_than_there_are() -> None:
    shares = Shares(("0", "1", "2"))
    assert shares.take(2) == ("0", "1") and shares.take(2) is None
    shares.give_back(("0", "1"), 2)
    assert shares.take(8) == ("0", "1", "2")
    assert Shares(()).take(4) == ()


def test_which_devices_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for said, found in {"2,3": ("2", "3"), "": (), "-1": (), "GPU-a, GPU-b": ("GPU-a", "GPU-b")}.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
        assert here() == found
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    (tmp_path / "0000:01:00.0").mkdir()
    monkeypatch.setattr(accelerator, "NVIDIA", tmp_path)
    assert here() == ("0",)
    with visible(("1",)):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_what_is_said_of_the_device_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNSEEN_STUDIES", str(FAULTS))
    plain = trials_of(ask("kept_rows", "smoke"))[0]
    wide = replace(plain, needs=Needs(1, gpus=2))
    told: Mapping[str, tuple[float, float]] = {"": (0, 2), "cpu": (0, 0), "cuda": (0.5, 2), "cuda:1": (0, 0)}
    for said, (small, large) in told.items():
        monkeypatch.setenv("UNSEEN_DEVICE", said)
        assert (asked(plain, 4, 2), asked(wide, 4, 2)) == (small, large)
        assert asked(wide, 4, 0) == 0


@pytest.mark.parametrize("said, gpus", [("", 2), ("cpu", 0), ("cpu:0", 0), ("cuda", 2)])
def test_ray_and_slurm_are_asked_for_what_a_trial_needs(said: str, gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.core.pools import on_ray, on_slurm

    monkeypatch.setenv("UNSEEN_STUDIES", str(FAULTS))
    monkeypatch.setenv("UNSEEN_DEVICE", said)
    trial = replace(trials_of(ask("kept_rows", "smoke"))[0], needs=Needs(1, gpus=1.5, cpus=1, memory_gb=2))
    assert on_ray._asks(trial) == (1, gpus, 2 << 30)
    assert on_slurm._asks(trial) == (1, gpus, 2)


def test_processes_see_their_own_device_and_share_no_more_than_it_has(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNSEEN_STUDIES", str(FAULTS))
    monkeypatch.delenv("UNSEEN_DEVICE", raising=False)
    trials = [replace(t, needs=Needs(0.01, gpus=1)) for t in trials_of(ask("kept_rows", "smoke"))]
    outcomes = list(Procs(3, devices=("4", "7")).map(Looking(str(tmp_path)), trials, print))
    assert sorted(o.trial.key for o in outcomes) == sorted(t.key for t in trials)
    told = [(tmp_path / t.key).read_text().split() for t in trials]
    assert {seen for seen, *_ in told} == {"4", "7"}
    for device in ("4", "7"):
        spans = sorted((float(a), float(b)) for seen, a, b in told if seen == device)
        assert all(after[0] >= before[1] for before, after in pairwise(spans))
