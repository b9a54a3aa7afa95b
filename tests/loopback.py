"""A server of a test's own on loopback, in threads that end with the test."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Quiet(BaseHTTPRequestHandler):
    """A handler that keeps connections open and says nothing on the screen."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *_: object) -> None:
        pass


class Loopback:
    """Answers as `handler` does until it is closed; `over` is set then, for a handler that waits."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], path: str = "") -> None:
        self.path, self.lock, self.over = path, threading.Lock(), threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}{self.path}"

    def close(self) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()
