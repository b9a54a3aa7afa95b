"""`unseen view` on real sockets: who is let in, what is said when it cannot be served, how it ends, and what it leaves alone."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from unseen import cli_view
from unseen.core.errors import Invalid

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytest.importorskip("bm25s")
pytestmark = pytest.mark.xdist_group("view")
ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-some-length"


@dataclass
class Server:
    """A server of pages: its address and its process."""

    url: str
    process: subprocess.Popen[str]

    def ask(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of an answer, redirects as they are."""
        at = urlsplit(self.url)
        asked = http.client.HTTPConnection("127.0.0.1", at.port or 0, timeout=20)
        asked.request("GET", path, headers=dict(headers or {}))
        answer = asked.getresponse()
        told = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        asked.close()
        return told


@contextmanager
def served(home: Path, *words: str, results: Path) -> Iterator[Server]:
    """`unseen view` in a process of its own, ended as Ctrl-C ends it."""
    env = {**os.environ, "UNSEEN_HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    for name in ("UNSEEN_DATA", "UNSEEN_STUDIES", "UNSEEN_VIEW_TOKEN"):
        env.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "unseen", "view", "--port", "0", "--json", "--results", str(results), *words],
        env=env, cwd=results, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        told = ""
        while "}" not in told:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            told += line
        yield Server(json.loads(told)["url"], process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of one study."""
    results = tmp_path_factory.mktemp("ledger")
    (results / "omega").mkdir()
    for path in (ROOT / "results" / "omega").iterdir():
        (results / "omega" / path.name).write_bytes(path.read_bytes())
    return results


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store that nobody may write to, with a trial at work and one that failed."""
    home = tmp_path_factory.mktemp("store") / "home"
    told = {"key": "f" * 16, "study": "omega", "setting": {"setting": "Setting"}, "seeds": [0], "when": time.time()}
    for name, more in (("live", {"done": 1, "of": 4}), ("failed", {"error": "out of memory"})):
        (home / name).mkdir(parents=True)
        (home / name / f"{'f' * 16}.json").write_text(json.dumps({**told, **more}), encoding="utf-8")
    folders = [home, *(p for p in home.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield home
    for folder in folders:
        folder.chmod(0o755)


@pytest.fixture(scope="module")
def open_to_all(home: Path, results: Path) -> Iterator[Server]:
    """A server on every address, behind a token that was given."""
    with served(home, "--host", "0.0.0.0", "--token", TOKEN, results=results) as server:
        yield server


@pytest.fixture(scope="module")
def alone(home: Path, results: Path) -> Iterator[Server]:
    """A server for this machine alone."""
    with served(home, results=results) as server:
        yield server


def test_every_link_keeps_the_token(open_to_all: Server) -> None:
    assert open_to_all.url.endswith(f"/t/{TOKEN}/")
    status, headers, _ = open_to_all.ask(f"/studies/omega.html?token={TOKEN}&trials=a.1")
    assert status == 303 and headers["location"] == f"/t/{TOKEN}/studies/omega.html?trials=a.1"
    assert "set-cookie" not in headers
    left, seen = [f"/t/{TOKEN}/", headers["location"]], set[str]()
    while left:
        at = left.pop()
        status, _, page = open_to_all.ask(at)
        assert status == 200, at
        for link in re.findall(r'(?:href|src|action|data-events)="([^"#]+)', page):
            if urlsplit(link).scheme:
                continue
            to = urljoin(at, link.replace("&amp;", "&"))
            assert to.startswith(f"/t/{TOKEN}/"), (at, link)
            if to not in seen and to.rsplit("/", 1)[-1] in ("omega.html", "index.html", "runs.html"):
                seen.add(to)
                left.append(to)
    assert f"/t/{TOKEN}/cards/index.html" in seen and f"/t/{TOKEN}/runs.html" in seen


@pytest.mark.parametrize("path", ["/", "/runs.html", "/events", "/?token=wrong", "/?token=", "/t/wrong/", f"/t/{TOKEN}x/", f"/t/{TOKEN[:-1]}/", f"/t/{TOKEN}"])  # fmt: skip
def test_without_the_token_nothing_is_told(open_to_all: Server, path: str) -> None:
    status, headers, text = open_to_all.ask(path, {"Cookie": f"token={TOKEN}", "Referer": f"http://x/t/{TOKEN}/"})
    assert status == 403 and "omega" not in text and TOKEN not in text and "location" not in headers


def test_a_token_is_compared_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in go by hmac.compare_digest, which takes as long for a wrong first letter as for a wrong last one."""
    from unseen.pages import guard

    asked: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(guard.hmac, "compare_digest", lambda a, b: asked.append((a, b)))
    assert guard.within("/t/guess/x", TOKEN) is None and guard.leads("token=guess", "/", TOKEN) is None
    assert asked == [(b"guess", TOKEN.encode())] * 2


def test_other_names_are_refused_on_this_machine(alone: Server) -> None:
    port = urlsplit(alone.url).port
    for name in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "127.0.0.1", f"0.0.0.0:{port}"):
        status, _, text = alone.ask("/", {"Host": name})
        assert status == 421 and "omega" not in text, name
    assert alone.ask("/", {"Host": f"localhost:{port}"})[0] == 200


def test_a_store_that_cannot_be_written_shows_all_pages(alone: Server, home: Path, results: Path) -> None:
    if os.access(home, os.W_OK) and os.geteuid() != 0:
        pytest.skip("this file system lets everybody write")
    before = {str(p): p.stat().st_mtime_ns for p in (home, *home.rglob("*"))}
    for path, words in (("/", "OMEGA"), ("/studies/omega.html", "recorded in the ledger"), ("/runs.html", "out of memory"),
                        ("/cards/index.html", "No card was made yet"), ("/feed.xml", "<feed"), ("/search?q=math", "omega"),
                        ("/examples/omega/smoke.html", "No item"), ("/own/omega/smoke.html", "OMEGA")):  # fmt: skip
        status, _, text = alone.ask(path)
        assert status == 200 and words in text, path
    assert {str(p): p.stat().st_mtime_ns for p in (home, *home.rglob("*"))} == before
    assert not home.stat().st_mode & stat.S_IWUSR


def test_who_listens_again_hears_all_of_it_at_once(alone: Server) -> None:
    """What is sent is the whole of what changes, so a listener who lost the line needs no number of what it heard last."""
    heard: list[str] = []
    for headers in ({}, {"Last-Event-ID": "7"}):
        at = urlsplit(alone.url)
        line = http.client.HTTPConnection("127.0.0.1", at.port or 0, timeout=20)
        line.request("GET", "/events", headers=headers)
        answer = line.getresponse()
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/event-stream")
        assert answer.readline() == b"retry: 2000\n" and answer.readline() == b"\n"
        assert answer.readline() == b"event: now\n"
        heard.append(json.loads(answer.readline().removeprefix(b"data: ")))
        line.close()
    assert heard[0] == heard[1] and "out of memory" in heard[0]


def test_ctrl_c_ends_it_at_once_while_somebody_listens(alone: Server) -> None:
    """The last test of this server."""
    line = http.client.HTTPConnection("127.0.0.1", urlsplit(alone.url).port or 0, timeout=20)
    line.request("GET", "/events")
    assert line.getresponse().readline() == b"retry: 2000\n"
    alone.process.send_signal(signal.SIGINT)
    assert alone.process.wait(timeout=10) == 0  # the line would be held for ever
    line.close()


def test_a_port_that_is_taken_is_one_paragraph(unseen: Callable[..., Any]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = unseen("view", "--port", str(port))
    assert said.code == 2 and "\n" not in said.err.strip() and "--port 0" in said.err and str(port) in said.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--token", "short"], "at least 16"),
        (["--token", "sixteen letters/.."], "cannot hold"),
        (["--host", "no.such.host.invalid"], "cannot be served"),
        (["--results", "nowhere"], "no such folder"),
    ],
)
def test_mistakes_are_told_before_anything_is_served(unseen: Callable[..., Any], words: list[str], why: str) -> None:
    said = unseen("view", "--port", "0", *words)
    assert said.code == 2 and why in said.err and "Traceback" not in said.err


def test_others_need_a_token_and_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSEEN_VIEW_TOKEN", raising=False)
    made = {cli_view._token("0.0.0.0", None) for _ in range(4)}
    assert len(made) == 4 and all(len(t) >= 32 for t in made) and cli_view._token("::", None)
    assert (
        cli_view._token("127.0.0.1", None) == cli_view._token("::1", None) == cli_view._token("localhost", None) == ""
    )
    assert cli_view._token("127.0.0.1", TOKEN) == TOKEN
    monkeypatch.setenv("UNSEEN_VIEW_TOKEN", TOKEN)
    assert cli_view._token("0.0.0.0", None) == TOKEN
    with pytest.raises(Invalid, match="at least 16"):
        cli_view._token("0.0.0.0", "")
