"""A store of its own for every test, the studies of this folder, and `unseen` as it is started from a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fakes import Fake
from tests.faults.figures import PROPERTY, Cost, summed, table

HERE = Path(__file__).parent
STUDIES = HERE / "studies"
OTHERS = ("UNSEEN_DEVICE", "UNSEEN_BATCH_SIZE", "UNSEEN_DATA", "HF_HUB_OFFLINE", "UNSEEN_OFFLINE", "OPENAI_API_KEY")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    said: str
    seconds: float = 0.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a store; the tests' studies are found, and no other setting of the machine is."""
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNSEEN_STUDIES", str(STUDIES))
    monkeypatch.setenv("KEPT_ROWS_LOG", str(tmp_path / "log.txt"))
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def fake(home: Path) -> Iterator[Fake]:
    """A server of models that is in order until it is told otherwise."""
    made = Fake()
    yield made
    made.close()


@pytest.fixture(scope="session")
def kennel() -> Iterator[Callable[..., Ended]]:
    """`unseen WORDS` on a store, started by fork, killed after some seconds if so asked.

    With several `drivers` it is started so many times at once, and what comes back is a list. A blow is (seconds,
    number of the driver, "driver" or "worker", signal).
    """
    env = {**os.environ, "UNSEEN_STUDIES": str(STUDIES), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    for name in OTHERS:
        env.pop(name, None)
    with subprocess.Popen(
        [sys.executable, str(HERE / "kennel.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        ask, told = process.stdin, process.stdout

        def start(home: Path | str, *words: str, kill: float | None = None, drivers: int = 1, blows: Sequence[Any] = (), **env: str) -> Any:  # fmt: skip
            asked = {"words": words, "env": {"UNSEEN_HOME": str(home), **env}, "folder": os.getcwd()}
            blows = [*blows, *([(kill, 0, "driver", int(signal.SIGKILL))] if kill is not None else [])]
            ask.write(json.dumps({**asked, "drivers": drivers, "blows": blows}) + "\n")
            ask.flush()
            ended = [Ended(**one) for one in json.loads(told.readline())]
            return ended[0] if drivers == 1 else ended

        yield start
        process.stdin.close()


@pytest.fixture(scope="session")
def undisturbed(
    kennel: Callable[..., Ended], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Path, float]]:
    """(the store that one run with these words filled, how many seconds that took); each is made once."""

    @cache
    def filled(*words: str) -> tuple[Path, float]:
        home = tmp_path_factory.mktemp("undisturbed") / "home"
        ended = kennel(home, *words)
        assert ended.code == 0, ended.said
        return home, ended.seconds

    return filled


@pytest.fixture
def command(kennel: Callable[..., Ended], home: Path, tmp_path: Path) -> Callable[..., Ended]:
    """`unseen WORDS` on this test's store; words in capitals set its environment."""

    def start(*words: str, **env: str) -> Ended:
        return kennel(env.pop("UNSEEN_HOME", home), *words, **{"KEPT_ROWS_LOG": str(tmp_path / "log.txt"), **env})

    return start


@pytest.fixture
def cost(request: pytest.FixtureRequest) -> Callable[[Cost], None]:
    """Note what a fault cost, for the table at the end."""

    def note(told: Cost) -> None:
        request.node.user_properties.append((PROPERTY, asdict(told)))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of faults."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, []) if r.when == "call"]
    told = [cost for report in reports for name, cost in report.user_properties if name == PROPERTY]
    if told:
        terminalreporter.section("what faults cost")
        for line in table(sorted(summed(told), key=lambda c: c.fault)):
            terminalreporter.write_line(line)
