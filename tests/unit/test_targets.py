"""Digests go to real servers on loopback, and no secret shows, whatever goes wrong."""

from __future__ import annotations

import email
import json
import logging
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from unseen.core.errors import Invalid, Missing
from unseen.news import targets
from unseen.news.targets import Message, Target

pytest.importorskip("apprise")

SECRET = "Pa55word-9Q"
MESSAGE = Message(
    "Unseen: 1 verdict flipped — é 中",
    "<html><body><h1>One flipped é 中</h1><p>&lt;script&gt;alert(1)&lt;/script&gt; {{ app_body }}</p></body></html>",
    "# One flipped é 中\n\n\\<script\\>alert(1)\\</script\\> {{ app_body }}\n",
)


class Box:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.drops = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.drops:
            session.peer_gone = True
            server.transport.abort()
            return "421 gone"
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 OK"


def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    """Only ana may send, with the right word."""
    from aiosmtpd.smtp import AuthResult

    good = (data.login, data.password) == (b"ana", SECRET.encode())
    return AuthResult(success=good, handled=False)


@pytest.fixture
def smtp() -> Iterator[tuple[Box, str]]:
    """A real SMTP server on a free port of loopback that asks for a login."""
    controllers = pytest.importorskip("aiosmtpd.controller")
    box = Box()
    server = controllers.Controller(
        box, hostname="127.0.0.1", port=0, authenticator=login, auth_required=True, auth_require_tls=False
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server.port = free.getsockname()[1]
    server.start()
    yield box, f"127.0.0.1:{server.port}"
    server.stop()


class Hook(BaseHTTPRequestHandler):
    """Takes what is posted to /take, refuses all else."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(200 if self.path.startswith("/take") else 403)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[tuple[list[tuple[str, Any]], str]]:
    """What was posted to an HTTP server on loopback, and where it is."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.posted = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.posted, f"127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def mail(place: str, word: str = SECRET) -> Target:
    return Target("me", f"mailto://ana:{word}@{place}?from=lab@example.org&to=ana@example.org")


def test_a_mail_arrives_with_both_parts_and_its_subject(smtp: tuple[Box, str]) -> None:
    box, place = smtp
    assert targets.send(mail(place), MESSAGE) == ""
    (found,) = box.mails
    assert found["Subject"] == MESSAGE.subject and "ana@example.org" in found["To"]
    assert found.get_content_type() == "multipart/alternative"
    text, html = (found.get_body(kind).get_content() for kind in (("plain",), ("html",)))  # type: ignore[union-attr]
    assert "One flipped é 中" in text and "<script>alert(1)</script>" in text, "in plain text it is only a text"
    assert html.strip() == MESSAGE.html and "<script" not in html and "{{ app_body }}" in html


def test_a_refused_login_is_named_without_the_word(smtp: tuple[Box, str], caplog: pytest.LogCaptureFixture) -> None:
    box, place = smtp
    caplog.set_level(logging.DEBUG)
    why = targets.send(mail(place, "wrong-Word-77"), MESSAGE)
    assert why.startswith("me (mailto://…): ") and "535" in why and not box.mails
    assert "wrong-Word-77" not in why + caplog.text and "ana@example.org" not in why + caplog.text


def test_a_server_that_drops_the_line_or_is_not_there(smtp: tuple[Box, str]) -> None:
    box, place = smtp
    box.drops = True
    why = targets.send(mail(place), MESSAGE)
    assert why.startswith("me (mailto://…): ") and SECRET not in why and not box.mails
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        why = targets.send(mail(f"127.0.0.1:{free.getsockname()[1]}"), MESSAGE)
    assert "me (mailto://…): " in why and "refused" in why.lower() and SECRET not in why


def test_a_hook_gets_the_markdown(hook: tuple[list[tuple[str, Any]], str]) -> None:
    posted, place = hook
    assert targets.send(Target("team", f"json://ana:{SECRET}@{place}/take"), MESSAGE) == ""
    [(path, told)] = posted
    assert path == "/take" and told["title"] == MESSAGE.subject and told["message"].strip() == MESSAGE.markdown.strip()


def test_a_hook_that_refuses_is_named_without_its_address(
    hook: tuple[list[tuple[str, Any]], str], capfd: pytest.CaptureFixture[str]
) -> None:
    _, place = hook
    why = targets.send(Target("team", f"json://ana:{SECRET}@{place}/refuse/T0K3N-abc/?-X-Key=h1dd3n"), MESSAGE)
    said = why + "".join(capfd.readouterr())
    assert why.startswith("team (json://…): ") and "403" in why
    assert not [s for s in (SECRET, "T0K3N-abc", "h1dd3n") if s in said]


FILE = f'[targets]\nme = "mailto://ana:{SECRET}@example.org"\n"<b>team\\u001b" = "json://127.0.0.1:9/x"\n'


def test_targets_are_named_in_a_file_or_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv(targets.WORD, raising=False)
    assert targets.named(None) == []
    usual = tmp_path / "unseen" / "digest.toml"
    usual.parent.mkdir()
    usual.write_text(FILE)
    found = targets.named(None)
    assert [str(t) for t in found] == ["me (mailto://…)", "<b>team⟨001B⟩ (json://…)"] and SECRET not in repr(found)
    monkeypatch.setenv(targets.WORD, "json://127.0.0.1:9/a json://127.0.0.1:9/b")
    assert [t.name for t in targets.named(None)] == [f"{targets.WORD} 1", f"{targets.WORD} 2"]
    assert len(targets.named(usual)) == 2 and targets.source(usual) == str(usual), "a file that is named wins"
    assert targets.source(None) == targets.WORD


@pytest.mark.parametrize(
    "text",
    [
        "[targets",
        "targets = 3",
        "x = 1",
        f'[targets]\nme = ["{SECRET}"]',
        f'[targets]\nme = "nope://{SECRET}"',
        f'[targets]\nme = "{SECRET}"',
    ],
)
def test_a_file_that_is_not_understood_shows_nothing_of_itself(text: str, tmp_path: Path) -> None:
    path = tmp_path / "digest.toml"
    path.write_text(text)
    with pytest.raises(Invalid) as found:
        targets.named(path)
    assert SECRET not in str(found.value) and ("digest.toml" in str(found.value) or "target me" in str(found.value))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no such file"):
        targets.named(tmp_path / "digest.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Invalid, match="no TOML"):
        targets.named(tmp_path / "bytes.toml")
