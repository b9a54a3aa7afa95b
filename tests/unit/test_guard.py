"""Who is let in to the pages, and what every answer carries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from unseen.pages import guard

TOKEN = "abcdefghijklmnop_-12"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Says which path it was asked."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"referrer-policy", b"unsafe-url")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def asked(path: str = "/", host: str | None = "localhost:8000", method: str = "GET", query: str = "", **kept: Any) -> tuple[int, dict[str, str], str]:  # fmt: skip
    """The status, headers and words that a guarded app answers."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    headers = [] if host is None else [(b"host", host.encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(guard.guarded(app, **kept)(scope, None, send))  # type: ignore[arg-type]
    heads = {k.decode(): v.decode() for k, v in told[0]["headers"]}
    return told[0]["status"], heads, told[1]["body"].decode()


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("LOCALHOST:8000", 200), ("localhost", 421), ("localhost:8001", 421), ("evil.example:8000", 421), ("127.0.0.1.evil.example:8000", 421), ("", 421), (None, 400)],
)  # fmt: skip
def test_other_hosts_are_refused(host: str | None, status: int) -> None:
    assert asked(host=host, hosts=guard.hosts_of("127.0.0.1", 8000))[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_pages_are_only_read(method: str) -> None:
    status, heads, _ = asked(method=method)
    assert status == 405 and heads["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/./a", "/a//b", "//evil.example/", "/a\\..\\b", "/a\x00", "/a\r\nb", "a", "", "/" + "a" * 5_000])  # fmt: skip
def test_paths_that_name_no_page(path: str) -> None:
    assert not guard.safe(path) and asked(path)[0] == 400


@pytest.mark.parametrize("path", ["/", "/index.html", "/studies/omega.html", "/cards/hf-Qwen-Qwen3-0.6B-5f0c.html", "/cards/..a.html", "/é.html"])  # fmt: skip
def test_paths_that_may(path: str) -> None:
    assert guard.safe(path) and asked(path)[0] == 200


def test_every_answer_carries_the_policy_once() -> None:
    for status, heads, _ in (asked(), asked(method="POST"), asked("/.."), asked(token=TOKEN)):
        assert heads["content-security-policy"] == guard.POLICY and status
        assert heads["referrer-policy"] == "no-referrer" and heads["x-content-type-options"] == "nosniff"
        assert heads["cross-origin-resource-policy"] == "same-origin" and "set-cookie" not in heads
    assert "unsafe" not in guard.POLICY


def test_a_token_is_kept_in_the_path() -> None:
    assert asked("/", token=TOKEN)[0] == 403
    assert asked(f"/t/{TOKEN}/studies/omega.html", token=TOKEN)[::2] == (200, "/studies/omega.html")
    assert asked(f"/t/{TOKEN}", token=TOKEN)[0] == 403  # links below it would lose it
    assert asked("/t/wrong/index.html", token=TOKEN)[0] == 403
    assert asked("/t/é\udc80/index.html", token=TOKEN)[0] == 403
    status, heads, _ = asked("/runs.html", token=TOKEN, query=f"token={TOKEN}&x=a%20b")
    assert status == 303 and heads["location"] == f"/t/{TOKEN}/runs.html?x=a+b"
    assert asked("/runs.html", token=TOKEN, query="token=wrong")[0] == 403
    assert asked(f"/t/{TOKEN}/../x", token=TOKEN)[0] == 400


def test_loopback() -> None:
    assert all(map(guard.loopback, ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1")))
    assert not any(map(guard.loopback, ("0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.evil.example", "")))
