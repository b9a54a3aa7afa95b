"""One holder at a time; a dead one's lease is free at once on its machine, and after a silent minute elsewhere."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from unseen.core import lease as module
from unseen.core.lease import lease


def hold(path: str, ready: object) -> None:
    with lease(Path(path)) as mine:
        ready.send(mine)  # type: ignore[attr-defined]
        time.sleep(60)


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.lease"
    with lease(path) as mine:
        assert mine
        with lease(path) as other:
            assert not other
        with lease(tmp_path / "b.lease") as another:
            assert another
    with lease(path) as again:
        assert again
    assert not path.exists()


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.lease"
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    holder = context.Process(target=hold, args=(str(path), theirs))
    holder.start()
    assert ours.recv()
    with lease(path) as mine:
        assert not mine
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    time.sleep(0.1)  # a zombie, which its parent has not asked after, is dead too
    with lease(path) as mine:
        assert mine
    holder.join()


def test_who_waits_gets_it_when_it_is_given_back(tmp_path: Path) -> None:
    path, order = tmp_path / "a.lease", list[str]()

    def wait() -> None:
        with lease(path, wait=None) as mine:
            assert mine
            order.append("second")

    with lease(path):
        waiting = threading.Thread(target=wait)
        waiting.start()
        with lease(path, wait=0.2) as mine:
            assert not mine
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_a_silent_holder_elsewhere_loses_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lease"
    path.write_text(json.dumps({"machine": "another", "pid": 1, "started": "7"}))
    with lease(path) as mine:
        assert not mine
    os.utime(path, (time.time() - module.SILENT - 1,) * 2)
    with lease(path) as mine:
        assert mine


def test_a_number_used_again_is_not_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lease"
    path.write_text(json.dumps({**module.me(), "started": "1"}))
    with lease(path) as mine:
        assert mine


def test_the_holder_touches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.01)
    path = tmp_path / "a.lease"
    with lease(path):
        os.utime(path, (1, 1))
        until = time.monotonic() + 10
        while path.stat().st_mtime < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert path.stat().st_mtime > 2


def test_a_lease_that_was_lost_is_not_taken_from_its_new_holder(tmp_path: Path) -> None:
    path = tmp_path / "a.lease"
    with lease(path):
        path.write_text(json.dumps({"machine": "another", "pid": 1, "started": "7"}))
    assert path.exists()


def test_garbage_is_no_lease(tmp_path: Path) -> None:
    path = tmp_path / "a.lease"
    path.write_text("{")
    with lease(path) as mine:
        assert mine


def test_where_the_system_tells_less_a_living_number_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROC", tmp_path / "none")
    gone = multiprocessing.get_context("spawn").Process(target=int)
    gone.start()
    gone.join()
    assert gone.pid is not None
    assert (module.started(os.getpid()), module.started(1), module.started(gone.pid)) == ("alive", "alive", "")
    path = tmp_path / "a.lease"
    with lease(path), lease(path) as mine:
        assert not mine
