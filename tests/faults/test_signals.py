"""What does a driver do that is told to stop, or killed, while others measure for it: Ray, and Slurm's tasks?

"ray" is a Ray that the driver starts for itself, "joined" one that stands already, "client" the same behind its client's
port, "slurm:local" Slurm's tasks as processes of this machine.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import STUDIES
from tests.faults.figures import Cost, lines, torn, weighed
from tests.faults.rays import Head, head

pytest.importorskip("ray")
pytest.importorskip("submitit")
pytestmark = pytest.mark.xdist_group("ray")
RUN = ("run", "kept_rows", "--tier", "laptop", "--set", "pause=0.05", "--set", "name=a,c")
STEPS = 80  # of all trials of it: two settings, two blocks, twenty steps
PATIENCE = 90.0  # seconds in which a driver begins to measure, or ends
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}
Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def whole(undisturbed: Callable[..., tuple[Path, float]]) -> Path:
    """The store of an undisturbed run."""
    return undisturbed(*RUN)[0]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every step is written down; the nodes of a cluster have known it since they were started."""
    return tmp_path_factory.mktemp("steps") / "log.txt"


@pytest.fixture
def log(steps: Path) -> Path:
    """The same, empty."""
    steps.write_text("", encoding="utf-8")
    return steps


def own(log: Path, folder: str) -> dict[str, str]:
    """What all processes know, and a folder in which they find their own Ray and nobody else's."""
    told = {"UNSEEN_STUDIES": str(STUDIES), "KEPT_ROWS_LOG": str(log), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    ray = {"RAY_TMPDIR": folder, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "5e" * 32, "RAY_USAGE_STATS_ENABLED": "0"}
    return {**os.environ, **told, **ray}


@pytest.fixture(scope="module")
def cluster(steps: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Head, str]]:
    """A Ray of two processors that stands by itself, and its folder."""
    with (
        tempfile.TemporaryDirectory(prefix="ur", dir="/tmp", ignore_cleanup_errors=True) as folder,
        head(own(steps, folder), tmp_path_factory.mktemp("head")) as found,
    ):
        yield found, folder


@pytest.fixture
def begin(home: Path, log: Path, request: pytest.FixtureRequest) -> Iterator[Begin]:
    """`unseen` with these words on this or that, as a process of its own session; what is left at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory(prefix="ur", dir="/tmp", ignore_cleanup_errors=True) as folder:

        def start(on: str, *words: str, **env: str) -> subprocess.Popen[str]:
            at = folder
            if on in ("joined", "client"):
                found, at = request.getfixturevalue("cluster")
                on = f"ray:{found.address}" if on == "joined" else f"ray://{found.client}"
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "unseen", *(words or RUN), "--on", on], env={**own(log, at), **env}, text=True,
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                )
            )  # fmt: skip
            return started[-1]

        yield start
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(ValueError):  # what it said was read already
                process.communicate()
        until(lambda: not begun_in(folder), "the end of the Rays that were started")


def begun_in(folder: str) -> list[str]:
    """What of Ray works in a folder."""
    found: list[str] = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if any(folder in word for word in words):
                found.append(words[0])
    return found


def until(done: Callable[[], bool], what: str) -> None:
    """Wait for something, so long as is patient."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)


def struck(process: subprocess.Popen[str], log: Path, number: signal.Signals, steps: int = 25) -> str:
    """Send a signal as soon as so many steps were done, Ctrl-C to all in the terminal; what the process said."""
    until(lambda: len(lines(log)) >= steps or process.poll() is not None, "the first steps")
    assert process.poll() is None, process.communicate()[0]
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    return over(process, CODES[number])


def over(process: subprocess.Popen[str], code: int = 0) -> str:
    """What a process said that ends with this exit code; those it started may hold its output open a little longer."""
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, said
    return said


def over_or(process: subprocess.Popen[str], log: Path, steps: int) -> int | None:
    """Wait until so many steps were done; the exit code of a process that has ended before that."""
    until(lambda: len(lines(log)) >= steps or process.poll() is not None, "the first steps")
    return process.poll()


def stands_still(log: Path, seconds: float = 0.5) -> bool:
    """Whether nothing is measured any more."""
    before = len(lines(log))
    time.sleep(seconds)
    return len(lines(log)) == before


STOPPED = [
    (on, number) for on in ("ray", "joined", "client", "slurm:local") for number in (signal.SIGTERM, signal.SIGINT)
]


@pytest.mark.slow
@pytest.mark.parametrize("on, number", STOPPED)
def test_a_driver_that_is_told_to_stop_says_how_to_go_on(
    on: str, number: signal.Signals, begin: Begin, whole: Path, home: Path, log: Path, cost: Callable[[Cost], None]
) -> None:
    said = struck(begin(on), log, number)
    assert "Traceback" not in said and "Go on with: unseen run kept_rows --tier laptop --set pause=0.05" in said, said
    until(lambda: stands_still(log), "the end of all measuring")
    assert len(lines(log)) < STEPS and not torn(home)
    assert not list(home.glob("leases/*.lease")), "what is given up is given back"
    over(begin(on))
    cost(weighed(f"{number.name} of a driver under {NAMES[on]}", home, whole, lines(log), busy=2))


NAMES = {"ray": "Ray", "joined": "Ray", "client": "Ray", "slurm:local": "Slurm's tasks"}
KILLED = [(on, after) for on, count in (("ray", 4), ("joined", 2), ("client", 2), ("slurm:local", 4)) for after in (25, 60, 10, 45)[:count]]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("on, after", KILLED)
def test_a_killed_driver_loses_nothing(
    on: str, after: int, begin: Begin, whole: Path, home: Path, log: Path, cost: Callable[[Cost], None]
) -> None:
    """What it left at work ends soon, or is waited for: behind a client's port for half a minute, under Slurm at its end."""
    process = begin(on)
    if on == "client" and over_or(process, log, after) == 2:  # a head node is sometimes slow to make room for a client
        process = begin(on)
    over_or(process, log, after)
    assert process.poll() is None, process.communicate()[0]
    process.kill()
    process.wait()
    assert not torn(home)
    again = begin(on)
    if on == "client" and again.wait(PATIENCE) == 2:  # a busy head node took too long to make room for another client
        again = begin(on)
    over(again)
    cost(weighed(f"kill -9 of a driver under {NAMES[on]}", home, whole, lines(log), busy=2))


@pytest.mark.slow
@pytest.mark.parametrize("on", ["ray", "joined"])
def test_what_a_killed_driver_left_at_work_in_ray_ends_with_it(on: str, begin: Begin, log: Path) -> None:
    """Within seconds: what is left of the plan would take twenty more. A Ray that it started ends as a whole."""
    process = begin(on, *(word.replace("pause=0.05", "pause=0.5") for word in RUN))
    until(lambda: len(lines(log)) >= 4 or process.poll() is not None, "the first steps")
    folder = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"RAY_TMPDIR=")[1].split(b"\0")[0].decode()
    assert any("raylet" in name for name in begun_in(folder))
    process.kill()
    until(lambda: stands_still(log, 2.0), "the end of all measuring")
    assert len(lines(log)) < STEPS / 2
    if on == "ray":
        until(lambda: not begun_in(folder), "the end of its Ray")


@pytest.mark.slow
def test_the_ray_of_one_driver_is_not_for_another(
    begin: Begin, whole: Path, home: Path, log: Path, tmp_path: Path
) -> None:
    """It ends with the driver that started it; whoever had joined it would be ended by Ray, without a word."""
    first = begin("ray", UNSEEN_HOME=str(tmp_path / "other"))
    until(lambda: len(lines(log)) >= 5 or first.poll() is not None, "the first steps")
    second = begin("ray", KEPT_ROWS_LOG=str(tmp_path / "second.txt"))
    until(lambda: len(lines(tmp_path / "second.txt")) >= 5 or second.poll() is not None, "the first steps")
    first.kill()
    over(second)
    weighed("", home, whole, lines(tmp_path / "second.txt"), hits=0)


@pytest.mark.slow
def test_a_driver_that_is_told_to_stop_while_ray_starts_says_how_to_go_on(begin: Begin, home: Path) -> None:
    """Ray has a handler of its own there meanwhile."""
    process = begin("ray")
    folder = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"RAY_TMPDIR=")[1].split(b"\0")[0].decode()
    until(lambda: any("gcs_server" in name for name in begun_in(folder)), "a part of Ray")
    process.send_signal(signal.SIGTERM)
    assert "Go on with: unseen run kept_rows" in over(process, 143)
    assert not list(home.glob("leases/*.lease"))


def test_where_no_cluster_listens_nobody_waits_long(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray itself would try for many minutes."""
    from unseen.core.errors import Missing
    from unseen.core.pools.on_ray import resources

    for address in ("127.0.0.1:9", "ray://127.0.0.1:9"):
        with pytest.raises(Missing, match="no Ray cluster answers there"):
            resources(address)
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")  # what `ray start` left behind
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert resources("") is None
