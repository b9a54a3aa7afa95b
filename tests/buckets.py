"""An object store on loopback (moto's server), machines that share it, and a proxy before it that does what networks do."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.loopback import Loopback, Quiet

KEY, SECRET = "AKIAFAKEFAKEFAKE0000", "fAkEsEcReTfAkEsEcReT0000000000"
Misbehave = Callable[[str, str, int], str]  # (method, path, how often it was asked) -> a fault, "" for none


class Faulty(Loopback):
    """A proxy on loopback. `misbehave` names what becomes of a request: "500", "503", "403", "cut" (in the middle of the
    reply), "gone" (the connection closes at once), "lost" (it is done, and the reply is lost), "slow", "hang"."""

    def __init__(self, url: str, misbehave: Misbehave) -> None:
        self.host = urllib.parse.urlsplit(url).netloc
        self.misbehave, self.asked, self.met = misbehave, Counter[tuple[str, str]](), Counter[str]()
        super().__init__(self._handler())

    def fault(self, method: str, path: str) -> str:
        with self.lock:
            self.asked[method, path] += 1
            fault = self.misbehave(method, path, self.asked[method, path])
            self.met[fault] += 1
            return fault

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(Quiet):
            def any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.fault(self.command, self.path)
                if fault in ("500", "503", "403"):
                    code = {"500": "InternalError", "503": "SlowDown", "403": "AccessDenied"}[fault]
                    self.reply(int(fault), {}, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
                elif fault == "hang":
                    proxy.over.wait(60)
                elif fault == "gone":
                    self.drop()
                else:
                    proxy.over.wait(0.3 if fault == "slow" else 0)
                    self.pass_on(body, fault)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = any

            def pass_on(self, body: bytes, fault: str) -> None:
                to = http.client.HTTPConnection(proxy.host, timeout=30)
                to.request(self.command, self.path, body, dict(self.headers.items()))
                told = to.getresponse()
                content = told.read()
                to.close()
                if fault == "lost" or (fault == "cut" and not content):
                    self.drop()
                    return
                kept = {k: v for k, v in told.getheaders() if k.lower() not in ("connection", "date", "server")}
                self.reply(told.status, kept, content, cut=fault == "cut")

            def reply(self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False) -> None:
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        if name.lower() not in ("content-length", "transfer-encoding"):
                            self.send_header(name, value)
                    length = headers.get("Content-Length") if self.command == "HEAD" else None
                    self.send_header("Content-Length", length or str(len(content)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(content[: len(content) // 2] if cut else content)
                        self.wfile.flush()
                    if cut:
                        self.drop()
                except OSError:  # whoever asked is gone
                    self.close_connection = True

            def drop(self) -> None:
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

        return Handler


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of an object store that speaks S3."""
    if find_spec("moto") is None or find_spec("s3fs") is None or find_spec("flask") is None:
        pytest.skip("a bucket needs the packages moto[server] and s3fs")
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a store in a bucket of this test's own; its environment names the server, and a data folder here."""
    from s3fs import S3FileSystem

    for name, value in (("ACCESS_KEY_ID", KEY), ("SECRET_ACCESS_KEY", SECRET), ("DEFAULT_REGION", "us-east-1"), ("ENDPOINT_URL", s3_server)):  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    S3FileSystem.clear_instance_cache()
    name = f"b{time.time_ns()}"
    S3FileSystem(skip_instance_cache=True).mkdir(name)
    machine(tmp_path, monkeypatch, "machine")
    yield f"s3://{name}/unseen"
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def proxy(bucket: str, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """A proxy before the server of `bucket`, which this process and those it starts use; it does no harm until told."""
    from s3fs import S3FileSystem

    between = Faulty(s3_server, lambda method, path, times: "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # our own tries are what is tested
    S3FileSystem.clear_instance_cache()
    yield between
    between.close()


def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Be another machine: another folder for what is kept here."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / name))
    monkeypatch.setenv("UNSEEN_HOME", "memory://unused")
