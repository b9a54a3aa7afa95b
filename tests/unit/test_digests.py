"""A digest of what was really measured, sent to real servers on loopback, each target told what it was not yet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import listings
import news_told
import pytest

from tests.conftest import call
from unseen.core import history
from unseen.core.errors import Full
from unseen.core.lease import lease
from unseen.news import digests, reading, targets
from unseen.news.digests import Wanted

pytest.importorskip("apprise")
pytest.importorskip("feedparser")
pytest.importorskip("bm25s")

SECRET = "Pa55word-9Q"


class Hook(BaseHTTPRequestHandler):
    """Takes what is posted, unless it is told to refuse."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        refused = self.path in self.server.refused  # type: ignore[attr-defined]
        if not refused:
            self.server.posted.append((self.path, json.loads(body)["title"], json.loads(body)["message"]))  # type: ignore[attr-defined]
        self.send_response(503 if refused else 200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    """An HTTP server on loopback that remembers (path, title, message)."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.posted, server.refused = [], set()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def config(home: Path, hook: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader with two targets, no ledger but their own store, and nothing starred."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home.parent / "config"))
    monkeypatch.delenv(targets.WORD, raising=False)
    monkeypatch.setattr(digests, "shipped", lambda: None)
    path = home.parent / "config" / "unseen" / "digest.toml"
    path.parent.mkdir(parents=True)
    place = f"json://ana:{SECRET}@127.0.0.1:{hook.server_port}"
    path.write_text(f'[targets]\nme = "{place}/me"\nteam = "{place}/team"\n')
    return path


def posted(hook: HTTPServer) -> list[tuple[str, str, str]]:
    """What was posted since the last look."""
    found = list(hook.posted)  # type: ignore[attr-defined]
    hook.posted.clear()  # type: ignore[attr-defined]
    return found


def test_a_study_that_was_run_twice_and_came_out_otherwise(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template's polynomial, measured; then its trial is changed so that the curve errs less than the line."""
    words = {**os.environ, "UNSEEN_HOME": str(home), "OMP_NUM_THREADS": "1"}

    def run(*asked: str) -> None:
        """In a process of its own: a study that changed is read anew."""
        asked = (sys.executable, "-m", "unseen", "run", "flipping_study", "--tier", "laptop", *asked)
        done = subprocess.run(asked, cwd=tmp_path, env=words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    monkeypatch.chdir(tmp_path)
    assert call("new", "flipping_study").code == 0
    run()
    trial = tmp_path / "studies" / "flipping_study" / "trial.py"
    trial.write_text(trial.read_text().replace("setting.degree)", "10 - setting.degree)"))
    run("--fresh")
    found = json.loads(call("digest", "--since", "1h", "--json").out)
    (flip,) = [f for f in found["flips"] if f["slug"] == "flipping_study"]
    assert (flip["claim"], flip["before"]["status"], flip["now"]["status"]) == ("C1", "supported", "refuted")
    assert flip["before"]["estimate"] > 0 > flip["now"]["estimate"]
    assert [(s["slug"], s["source"]) for s in found["studies"] if s["source"] == "here"] == [("flipping_study", "here")]
    text = call("digest", "--since", "1h").out
    assert re.search(r"flipping\\_study C1 \(laptop\): supported → refuted", text) and "Before: supported" in text
    told = history.verdicts(home)
    assert call("judge", "flipping_study").code == 0
    assert history.verdicts(home) == told, "what did not change is not written again"


def test_every_target_is_told_what_it_was_not_yet(config: Path, home: Path, hook: HTTPServer) -> None:
    news_told.told(home)
    hook.refused.add("/team")  # type: ignore[attr-defined]
    told = call("digest", "--send")
    assert told.code == 1 and "sent to me (json://…)" in told.out and "not sent: team (json://…): " in told.err
    assert "503" in told.err and SECRET not in told.out + told.err
    [(path, title, message)] = posted(hook)
    assert path == "/me" and title == "Unseen: 1 study, 1 verdict flipped, 1 card moved, 1 first card"
    assert "supported → refuted" in message and "Nothing was sent before" in message
    hook.refused.clear()  # type: ignore[attr-defined]
    news_told.verdict(home, "undecided", 0.2)
    assert call("digest", "--send").code == 0
    found = {path: title for path, title, _ in posted(hook)}
    assert found == {
        "/me": "Unseen: 1 verdict flipped",
        "/team": "Unseen: 1 study, 2 verdicts flipped, 1 card moved, 1 first card",
    }
    again = call("digest", "--send", "--out", home.parent / "kept.md")
    assert (home.parent / "kept.md").read_text().startswith("# Unseen: nothing changed")
    assert again.code == 0 and "nothing changed" in again.out and posted(hook) == []
    assert call("digest", "--send", "--even-empty").code == 0
    assert [title for _, title, _ in posted(hook)] == ["Unseen: nothing changed"] * 2
    assert SECRET not in "".join(p.read_text() for p in home.rglob("*") if p.is_file())


def test_nothing_is_sent_that_was_not_asked_for(config: Path, home: Path, hook: HTTPServer, tmp_path: Path) -> None:
    news_told.told(home)
    for form in ("markdown", "html", "atom", "json"):
        assert call("digest", "--to", form).code == 0
    assert call("digest", "--out", tmp_path / "d" / "digest.html").out.startswith("wrote ")
    assert (tmp_path / "d" / "digest.html").read_text().startswith("<!doctype html>")
    assert posted(hook) == [] and not (home / "digest").exists()
    for words in (["--targets", config], ["--even-empty"]):
        told = call("digest", *words)
        assert told.code == 2 and "add --send" in told.err
    config.unlink()
    told = call("digest", "--send")
    assert told.code == 2 and "nobody is named to send to" in told.err and "digest.toml" in told.err
    for words, said in ((["--to", "pdf"], "use markdown, html, atom, json"), (["--since", "soon"], "--since soon")):
        told = call("digest", *words)
        assert told.code == 2 and said in told.err


def test_since_last_is_since_it_was_really_sent(config: Path, home: Path, hook: HTTPServer) -> None:
    news_told.verdict(home, "supported", 0.5)
    hook.refused |= {"/me", "/team"}  # type: ignore[attr-defined]
    assert call("digest", "--send").code == 1 and not (home / "digest" / "sent.json").exists()
    hook.refused.clear()  # type: ignore[attr-defined]
    old = datetime.now(UTC) - timedelta(days=30)
    for name in ("me", "team"):
        reading.remember(home, f"{config} {name}", reading.Sent(old))
    news_told.verdict(home, "refuted", 0.1)
    assert call("digest", "--send", "--since", "last", "--json").code == 0
    assert {title for _, title, _ in posted(hook)} == {"Unseen: 1 study, 1 verdict flipped"}
    assert digests.composed(Wanted("last")).empty


def test_a_memory_that_cannot_be_kept_is_told(
    config: Path, home: Path, hook: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    news_told.verdict(home, "supported", 0.5)
    (home / "digest").write_text("a file where a folder should be")
    told = call("digest", "--send")
    assert told.code == 2 and "cannot be written while making ready to send" in told.err and posted(hook) == []
    (home / "digest").unlink()

    def full(*told: object) -> None:
        raise Full("the disk is full")

    monkeypatch.setattr(reading, "remember", full)
    told = call("digest", "--send")
    assert told.code == 1 and "it was sent, but that cannot be remembered" in told.err and len(posted(hook)) == 2


def test_only_one_sends_at_a_time(config: Path, home: Path, hook: HTTPServer) -> None:
    news_told.verdict(home, "supported", 0.5)
    with lease(home / "digest" / "sending.lease") as mine:
        assert mine
        told = call("digest", "--send")
    assert told.code == 2 and "another process is sending" in told.err and posted(hook) == []


def test_papers_are_ranked_starred_and_not_repeated(
    config: Path, hook: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unseen.news.nearness._cosines", lambda entries, known: None)
    first, second = tmp_path / "atom.xml", tmp_path / "rss.xml"
    first.write_bytes(listings.atom(*listings.PAPERS[:2]))
    second.write_bytes(listings.rss())
    told = call("digest", "--star", "task_hinting", "--star", "arXiv:2511.00102v1", "--papers", first, "--n", "1")
    assert told.code == 0 and "Rotation Curves of Dwarf Galaxies" in told.err, told.err
    stars = reading.stars(config.with_name("stars.toml"))
    assert [s.name for s in stars] == ["task_hinting", "2511.00102"] and stars[1].title.startswith("Rotation")
    assert "Length Generalization of Small Transformers" in told.out and "task\\_hinting, starred" in told.out
    assert call("digest", "--send", "--papers", first).code == 0
    assert {title for _, title, _ in posted(hook)} == {"Unseen: 1 paper to read"}, "what is starred is known"
    assert call("digest", "--send", "--papers", first, "--papers", second).code == 0
    for _, title, message in posted(hook):
        assert (
            title == "Unseen: 1 paper to read"
            and "Composing Skills" in message
            and "<script>" not in message.replace("\\<script\\>", "")
        )
        assert "1 paper was told of in a digest before" in message and "new versions, left out: 1" in message
    page = call("digest", "--papers", second, "--to", "html").out
    assert "<script" not in page and "near to" not in page, "each of them was sent before"
    told = call("digest", "--star", "ommega")
    assert (told.code == 2 and "the nearest are omega" in told.err) or "the nearest is omega" in told.err
    assert call("digest", "--star", "2405.15071").out == "", "starring is all that was asked for"
    assert reading.stars(config.with_name("stars.toml"))[-1].name == "grokked_transformers"
    told = call("digest", "--papers", "http://rss.arxiv.org/rss/cs.LG")
    assert told.code == 2 and "https only" in told.err


def test_a_star_without_its_text_is_told(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unseen.news.nearness._cosines", lambda entries, known: None)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    digests.starred(["2511.00777"], digests.stars_file())
    path = tmp_path / "atom.xml"
    path.write_bytes(listings.atom())
    found = digests.composed(Wanted("7d", (str(path),)))
    assert "Of 2511.00777, starred, nothing is known but the number" in " ".join(found.notes) and len(found.papers) == 4
