"""A store of its own for every test, the studies of this folder, and `unseen` as it is started from a terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
def kennel() -> Iterator[Callable[..., Ended]]:
    """`unseen WORDS` on a store, started by fork, killed after some seconds if so asked."""
    env = {**os.environ, "UNSEEN_STUDIES": str(STUDIES), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    for name in OTHERS:
        env.pop(name, None)
    with subprocess.Popen(
        [sys.executable, str(HERE / "kennel.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        ask, told = process.stdin, process.stdout

        def start(home: Path | str, *words: str, kill: float | None = None, **env: str) -> Ended:
            asked = {"words": words, "env": {"UNSEEN_HOME": str(home), **env}, "folder": os.getcwd(), "kill": kill}
            ask.write(json.dumps(asked) + "\n")
            ask.flush()
            return Ended(**json.loads(told.readline()))

        yield start
        process.stdin.close()


@pytest.fixture
def command(kennel: Callable[..., Ended], home: Path, tmp_path: Path) -> Callable[..., Ended]:
    """`unseen WORDS` on this test's store; words in capitals set its environment."""

    def start(*words: str, **env: str) -> Ended:
        return kennel(env.pop("UNSEEN_HOME", home), *words, **{"KEPT_ROWS_LOG": str(tmp_path / "log.txt"), **env})

    return start
