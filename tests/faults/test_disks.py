"""A disk that fails once, a store that cannot be written to, a clock that jumps back: nothing is lost, nothing twice."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import Cost, lines, records, same, torn, weighed

Start = Callable[..., Any]
Note = Callable[[Any], None]
HERE = Path(__file__).parent
RUN = ("run", "kept_rows", "--tier", "smoke")
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(undisturbed: Callable[..., tuple[Path, float]]) -> Path:
    """A store that one run filled."""
    return undisturbed(*RUN)[0]


def library(name: str, place: Path) -> Path:
    """A library that is loaded before the system's own, compiled from the source beside this test."""
    if (cc := shutil.which("cc")) is None or not sys.platform.startswith("linux"):
        pytest.skip("a disk or a clock that errs needs Linux and a compiler of C")
    made = place / f"{name}.so"
    subprocess.run([cc, "-shared", "-fPIC", "-O1", "-o", made, HERE / f"{name}.c", "-ldl"], check=True)
    return made


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk that fails one call."""
    return library("eio", tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clock that can be moved."""
    return library("clock", tmp_path_factory.mktemp("clocks"))


def started(**env: str) -> subprocess.CompletedProcess[str]:
    """`unseen run …` in a process of its own, as libraries that are loaded first ask for."""
    words = [sys.executable, "-m", "unseen", *RUN]
    return subprocess.run(words, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def calls(shim: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls of a run could fail."""
    place = tmp_path_factory.mktemp("calls")
    env = {"LD_PRELOAD": str(shim), "EIO_BELOW": str(place / "home"), "EIO_TOLD": str(place / "told")}
    assert started(**env, UNSEEN_HOME=str(place / "home"), UNSEEN_STUDIES=str(HERE / "studies")).returncode == 0
    told = Counter(lines(place / "told"))
    assert set(told) >= {"write", "fsync", "rename"}, told
    return told.total()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=SLOW) for seed in range(1, 16))])
def test_a_disk_that_fails_once(
    seed: int, shim: Path, calls: int, whole: Path, command: Start, home: Path, cost: Note, tmp_path: Path
) -> None:
    """One call of all that a run makes fails with EIO: one paragraph at most, and the next run sets it right."""
    told, at = tmp_path / "told", random.Random(seed).randint(1, calls)
    ended = started(LD_PRELOAD=str(shim), EIO_BELOW=str(home), EIO_AT=str(at), EIO_TOLD=str(told))
    assert len(lines(told)) == 1 and ended.returncode in (0, 1, 2), ended
    assert "Traceback" not in ended.stderr and not torn(home), ended
    again = command(*RUN)
    assert again.code == 0, again.said
    cost(weighed("EIO once", home, whole, lines(tmp_path / "log.txt")))


@pytest.fixture
def read_only(home: Path) -> Iterator[Callable[[], None]]:
    """Make the store one that nothing can be written to, root or not; call again to undo."""
    home.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "--bind", str(home), str(home)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a read-only store needs the right to mount")
    left = ["rw", "ro"]

    def turn() -> None:
        subprocess.run(["mount", "-o", f"remount,{left.pop()},bind", str(home)], check=True)

    yield turn
    subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.mark.parametrize("on", ["here", pytest.param("procs:2", marks=SLOW)])
def test_a_store_that_is_read_only(
    on: str, read_only: Callable[[], None], whole: Path, command: Start, home: Path, cost: Note, tmp_path: Path
) -> None:
    """One paragraph, exit code 2, nothing measured in vain; what is there can be judged, and is gone on from later."""
    assert command(*RUN, "--set", "name=a").code == 0
    before, log = records(home), lines(tmp_path / "log.txt")
    read_only()
    ended = command(*RUN, "--on", on)
    assert ended.code == 2 and "Traceback" not in ended.said, ended.said
    assert "cannot be written" in ended.said and len(ended.said.strip().splitlines()) == 1, ended.said
    judged = command("judge", "kept_rows", "--tier", "smoke", "--set", "name=a")
    assert judged.code == 0, judged.said
    assert records(home) == before and lines(tmp_path / "log.txt") == log
    read_only()
    assert command(*RUN, "--on", on).code == 0
    cost(weighed("a read-only store", home, whole, lines(tmp_path / "log.txt")))


@pytest.mark.parametrize("back", [90, *(pytest.param(by, marks=SLOW) for by in (86_400, 315_360_000))])
def test_a_clock_that_jumps_back(
    back: int, clocks: Path, whole: Path, command: Start, home: Path, cost: Note, tmp_path: Path
) -> None:
    """While trials are measured, the clock of the driver jumps back; the next one starts in the past, too."""
    clock, log = tmp_path / "clock", tmp_path / "log.txt"
    env = {"LD_PRELOAD": str(clocks), "CLOCK_MOVED": str(clock)}
    words = [sys.executable, "-m", "unseen", *RUN]
    with subprocess.Popen(words, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as driver:
        while driver.poll() is None and len(lines(log)) < 25:
            time.sleep(0.001)
        clock.write_text(f"-{back}", encoding="utf-8")
        said = driver.communicate()[0].decode()
    assert driver.returncode == 0, said
    told = [json.loads(p.read_text(encoding="utf-8"))["finished"] for p in home.glob("trials/*/*/trial.json")]
    assert (datetime.fromisoformat(max(told)) - datetime.fromisoformat(min(told))).total_seconds() > back - 60
    weighed("a clock that jumps back", home, whole, lines(log))
    shutil.rmtree(sorted(home.glob("trials/*/*"))[0])  # this one is to be measured in the past
    ended = started(**env)
    assert ended.returncode == 0 and len(lines(log)) == 120 + 20, ended
    same(home, whole)
    assert command("judge", "kept_rows", "--tier", "smoke").code == 0
    cost(Cost("a clock that jumps back", 2))
