"""What does a driver do that is told to stop, or killed, while others measure for it: Ray, and Slurm's tasks?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import STUDIES
from tests.faults.figures import Cost, lines, torn, weighed

pytest.importorskip("ray")
pytest.importorskip("submitit")
pytestmark = pytest.mark.xdist_group("ray")
SLOW = pytest.mark.slow
RUN = ("run", "kept_rows", "--tier", "laptop", "--set", "pause=0.05", "--set", "name=a,c")
STEPS = 80  # of all trials of it: two settings, two blocks, twenty steps
PATIENCE = 90.0  # seconds in which a driver begins to measure, or ends
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}


@pytest.fixture(scope="module")
def whole(kennel: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of an undisturbed run."""
    home = tmp_path_factory.mktemp("whole")
    ended = kennel(home, *RUN)
    assert ended.code == 0, ended.said
    return home


@pytest.fixture
def begun(home: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`unseen` with these words, as a process of its own session; what is left of them at the end is killed."""
    env = {**os.environ, "UNSEEN_STUDIES": str(STUDIES), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "unseen", *words], env=env, stdin=subprocess.DEVNULL, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def until(done: Callable[[], bool], what: str) -> None:
    """Wait for something, so long as is patient."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)


def struck(process: subprocess.Popen[str], log: Path, number: signal.Signals, steps: int = 25) -> str:
    """Send a signal as soon as so many steps were done; what the process said."""
    until(lambda: len(lines(log)) >= steps or process.poll() is not None, "the first steps")
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(number)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == CODES[number], said
    return said


def stands_still(log: Path) -> bool:
    """Whether nothing is measured any more."""
    before = len(lines(log))
    time.sleep(0.5)
    return len(lines(log)) == before


@pytest.mark.parametrize("on", ["ray", pytest.param("slurm:local", marks=SLOW)])
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=SLOW)])
def test_a_driver_that_is_told_to_stop_says_how_to_go_on(
    on: str, number: signal.Signals, begun: Callable[..., Any], whole: Path, home: Path, tmp_path: Path, cost: Callable[[Cost], None]
) -> None:  # fmt: skip
    log = tmp_path / "log.txt"
    said = struck(begun(*RUN, "--on", on), log, number)
    assert "Traceback" not in said and "Go on with: unseen run kept_rows --tier laptop --set pause=0.05" in said, said
    until(lambda: stands_still(log), "the end of all measuring")
    assert len(lines(log)) < STEPS and not torn(home)
    assert not list(home.glob("leases/*.lease")), "what is given up is given back"
    _ended(begun(*RUN, "--on", on), log)
    cost(weighed(f"{number.name} of a driver under {on}", home, whole, lines(log), busy=2))


@pytest.mark.slow
@pytest.mark.parametrize("on", ["ray", "slurm:local"])
@pytest.mark.parametrize("steps", [10, 25, 45, 60])
def test_a_killed_driver_loses_nothing(
    on: str, steps: int, begun: Callable[..., Any], whole: Path, home: Path, tmp_path: Path, cost: Callable[[Cost], None]
) -> None:  # fmt: skip
    log = tmp_path / "log.txt"
    struck(begun(*RUN, "--on", on), log, signal.SIGKILL, steps)
    assert not torn(home)
    _ended(begun(*RUN, "--on", on), log)
    cost(weighed(f"`kill -9` of a driver under {on}", home, whole, lines(log), busy=2))


def _ended(process: subprocess.Popen[str], log: Path) -> Sequence[str]:
    """A run that finishes the plan."""
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    return lines(log)
