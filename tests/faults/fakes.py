"""A server that speaks the protocol of OpenAI's, and misbehaves as it is told."""

from __future__ import annotations

import contextlib
import json
import socket
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.loopback import Loopback, Quiet

Reply = tuple[int, Any] | tuple[int, Any, dict[str, str]]


class Fake(Loopback):
    """A server on loopback that speaks the protocol until `misbehave(path, body, attempt)` replies or acts instead.

    It counts requests by prompt, and remembers how many were under way at once.
    """

    def __init__(self, misbehave: Callable[[str, dict[str, Any], int], Reply | str | None] | None = None) -> None:
        self.misbehave, self.listed = misbehave, ["m"]
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.now = self.most = 0
        super().__init__(self._handler(), "/v1")

    @property
    def name(self) -> str:
        return f"api:m@{self.url}"

    def _handler(fake) -> type[BaseHTTPRequestHandler]:
        class Handler(Quiet):
            def do_GET(self) -> None:
                fake.keys.add(self.headers.get("Authorization", ""))
                said = fake.misbehave("models", {}, 0) if fake.misbehave else None
                self.reply(
                    said or (200, {"object": "list", "data": [{"id": i, "object": "model"} for i in fake.listed]})
                )

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = self.path.removeprefix("/v1/")
                prompt = body.get("prompt") or body["messages"][-1]["content"]
                with fake.lock:
                    fake.asked[prompt] += 1
                    fake.bodies.append({**body, "path": path})
                    attempt, fake.now = fake.asked[prompt], fake.now + 1
                    fake.most = max(fake.most, fake.now)
                try:
                    said = fake.misbehave(path, body, attempt) if fake.misbehave else None
                    self.reply(said or (200, right(path, prompt)))
                finally:
                    with fake.lock:
                        fake.now -= 1

            def reply(self, said: Reply | str) -> None:
                if said == "cut":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                status, told, *more = said
                content = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(status)
                for key, value in (more[0] if more else {}).items():
                    self.send_header(key, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content) + (100 if more and more[0].get("X-Short") else 0)))
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever asked was killed
                    self.wfile.write(content)
                if more and more[0].get("X-Short"):
                    self.close_connection = True

        return Handler


def right(path: str, prompt: str) -> dict[str, Any]:
    """What a server in order says: the prompt, backwards."""
    text = prompt[::-1]
    said = {"message": {"role": "assistant", "content": text}} if path == "chat/completions" else {"text": text}
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    return {"id": "x", "object": path, "created": 1, "model": "m", "usage": usage, "choices": [{"index": 0, "finish_reason": "stop", **said}]}  # fmt: skip
