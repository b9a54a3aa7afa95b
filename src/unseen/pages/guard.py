"""Who may read the pages, and what may a page do? What stands between the network and the gallery.

    guarded(app, hosts={"127.0.0.1:8000", "localhost:8000"})     pages for this machine alone
    guarded(app, token="5fJ…")                                    pages for whoever has the token, below /t/<token>/

A page of a stranger's can make a browser ask this server: under a name of the stranger's own that is told to mean
127.0.0.1 (DNS rebinding), so names that are not ours are refused. On other addresses a token takes their place: it is
given once as ?token=…, which leads to the same page below /t/<token>/, and links, being relative, keep it. So there is no
cookie, and nothing to send along from another site.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-frame-options": "DENY",
}
BELOW = "/t/"  # the token follows
LONGEST = 4_096  # letters of an address


def loopback(host: str) -> bool:
    """Whether an address is this machine's own, which nobody else can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def hosts_of(host: str, port: int) -> frozenset[str]:
    """What a Host header may say to a server of this machine alone."""
    names = {"localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host}
    return frozenset({f"{n}:{port}" for n in names} | (names if port == 80 else set()))


def safe(path: str) -> bool:
    """Whether a path (decoded once) names a page and nothing above, beside or behind the root."""
    parts = path.split("/")
    if (
        not path.startswith("/")
        or "\\" in path
        or len(path) > LONGEST
        or any(ord(c) < 32 or ord(c) == 127 for c in path)
    ):
        return False
    return not any(p in (".", "..") for p in parts) and "" not in parts[1:-1]


def within(path: str, token: str) -> str | None:
    """The path below /t/<token>, None where the token is not the right one. Compared in constant time."""
    if not path.startswith(BELOW):
        return None
    given, slash, rest = path[len(BELOW) :].partition("/")
    right = hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())
    return f"/{rest}" if right and slash else None


def leads(query: str, path: str, token: str) -> str | None:
    """Where an address with the right ?token= leads: the same page below the token, without it; None for a wrong one."""
    told = parse_qsl(query, keep_blank_values=True)
    given = next((v for k, v in told if k == "token"), "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode()):
        return None
    rest = urlencode([(k, v) for k, v in told if k != "token"])
    return f"{BELOW}{quote(token, safe='')}{quote(path)}" + (f"?{rest}" if rest else "")


def refusal(scope: Scope, hosts: Collection[str]) -> tuple[int, str] | None:
    """The status and the words with which a request is refused; None where it may pass. `hosts` may be empty: any."""
    told = [v.decode("latin-1").strip().lower() for k, v in scope["headers"] if k == b"host"]
    if len(told) != 1:
        return 400, "A request needs one Host header."
    if hosts and told[0] not in hosts:
        return 421, f"This server is for {', '.join(sorted(hosts))} only."
    if scope["method"] not in ("GET", "HEAD"):
        return 405, "Pages are only read: GET or HEAD."
    if not safe(scope["path"]):
        return 400, "This address names no page."
    return None


def guarded(app: App, *, hosts: Collection[str] = (), token: str = "") -> App:
    """The app behind its guard: `hosts` are the Host headers that are answered (any, if empty), `token` what visitors need."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send) if scope["type"] == "lifespan" else None
        told = _headed(send)
        if refused := refusal(scope, hosts):
            return await _say(told, *refused)
        if token:
            if (path := within(scope["path"], token)) is None:
                to = leads(scope["query_string"].decode("latin-1"), scope["path"], token)
                return await (_lead(told, to) if to else _say(told, 403, "These pages need their token: the address that `unseen view` printed."))  # fmt: skip
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}
        await app(scope, receive, told)

    return guard


def _headed(send: Send) -> Send:
    """A send that puts our headers on every answer."""

    async def told(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message.get("headers", ()) if k.decode("latin-1").lower() not in HEADERS]
            message = {**message, "headers": [*kept, *((k.encode(), v.encode()) for k, v in HEADERS.items())]}
        await send(message)

    return told


async def _say(send: Send, status: int, words: str) -> None:
    """A short answer in plain text."""
    body = words.encode("utf-8", "replace") + b"\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers += [(b"allow", b"GET, HEAD")] if status == 405 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lead(send: Send, to: str) -> None:
    headers = [(b"location", to.encode("latin-1")), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
