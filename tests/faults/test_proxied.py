"""A real server, `transformers serve` with smollm2, behind a proxy that does to its replies what networks do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.loopback import Loopback, Quiet
from unseen import models

PROMPTS = [[{"role": "user", "content": f"Say the number {n}."}] for n in ("one", "two", "three", "four", "five", "six", "seven", "eight")]  # fmt: skip
FAULTS = ("429", "", "500", "", "cut", "", "half", "twice", "", "hang")
PATIENCE = 15.0  # seconds a reply is waited for


class Proxy(Loopback):
    """A proxy on loopback: request k meets fault k of a list, those after it none. It counts what it was asked, and what
    it delivered whole."""

    def __init__(self, url: str, faults: Sequence[str]) -> None:
        self.target, self.faults = url, list(faults)
        self.asked, self.delivered, self.met = Counter[str](), Counter[str](), list[str]()
        super().__init__(self._handler(), "/v1")

    def next_fault(self, prompt: str) -> str:
        with self.lock:
            self.asked[prompt] += 1
            self.met.append(self.faults.pop(0) if self.faults else "")
            return self.met[-1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                self.pass_on(None)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                prompt = json.loads(body)["messages"][-1]["content"]
                fault = proxy.next_fault(prompt)
                if fault in ("429", "500"):
                    self.answer(int(fault), b'{"error": {"message": "an ill wind"}}')
                elif fault == "hang":
                    proxy.over.wait(3 * PATIENCE)
                else:
                    self.pass_on(body, fault, prompt)

            def pass_on(self, body: bytes | None, fault: str = "", prompt: str = "") -> None:
                asked = urllib.request.Request(
                    proxy.target + self.path.removeprefix("/v1"), body, {"Content-Type": "application/json"}
                )
                try:
                    with urllib.request.urlopen(asked, timeout=120) as reply:
                        status, told = reply.status, reply.read()
                except urllib.error.HTTPError as error:
                    status, told = error.code, error.read()
                if fault == "cut":  # in the middle of the reply
                    self.head(status, len(told))
                    self.wfile.write(told[: len(told) // 2])
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                if fault == "half":  # a reply that ends too early, and says that it is whole
                    self.answer(status, told[: len(told) // 2])
                    return
                self.answer(status, told)
                if status == 200 and body is not None:
                    with proxy.lock:
                        proxy.delivered[prompt] += 1
                if fault == "twice":  # the same reply again, which nobody asked for
                    self.answer(status, told)

            def head(self, status: int, length: int) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(length))
                self.end_headers()

            def answer(self, status: int, told: bytes) -> None:
                try:
                    self.head(status, len(told))
                    self.wfile.write(told)
                    self.wfile.flush()
                except OSError:  # whoever asked is gone
                    self.close_connection = True

        return Handler


@pytest.fixture
def proxied(served: tuple[Path, str], here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Proxy]]:
    """(the model's name behind a proxy with every fault, the proxy)."""
    monkeypatch.setenv("UNSEEN_API_TIMEOUT", str(PATIENCE))
    proxy = Proxy(served[1], FAULTS)
    yield f"api:{served[0]}@{proxy.url}", proxy
    proxy.close()


@pytest.fixture(scope="session")
def right(served: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the server says when nothing is between."""
    folder, url = served
    opened = models.open(f"api:{folder}@{url}", cache=tmp_path_factory.mktemp("direct"))
    return [a.text for a in opened.generate(PROMPTS, max_new_tokens=3)]


@pytest.mark.slow  # test_servers.py has the same faults of a server that costs nothing
@pytest.mark.smollm2
@pytest.mark.xdist_group("serve")
def test_no_fault_loses_an_item_or_counts_one_twice(proxied: tuple[str, Proxy], here: Path, right: list[str]) -> None:
    name, proxy = proxied
    began = time.monotonic()
    told = models.open(name, cache=here / "kept", concurrency=2).generate(PROMPTS, max_new_tokens=3)
    assert [a.text for a in told] == right, "every answer is that of its own prompt"
    assert set(proxy.met) >= set(FAULTS), "every fault was met"
    assert set(proxy.delivered.values()) == {1} and len(proxy.delivered) == len(PROMPTS)
    assert time.monotonic() - began < 20 * PATIENCE
    before = Counter(proxy.asked)
    again = models.open(name, cache=here / "kept", concurrency=2).generate(PROMPTS, max_new_tokens=3)
    assert again == told and proxy.asked == before, "what was answered is kept"


ASKING = """
import json, sys
from pathlib import Path
from unseen import models
name, place, prompts = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])
print(json.dumps([a.text for a in models.open(name, cache=place, concurrency=2).generate(prompts, max_new_tokens=3)]))
"""


@pytest.mark.smollm2
@pytest.mark.xdist_group("serve")
def test_a_killed_run_asks_nothing_twice_of_a_real_server(
    proxied: tuple[str, Proxy], here: Path, right: list[str]
) -> None:
    name, proxy = proxied
    proxy.faults = ["429", "", "500"]
    words = [sys.executable, "-c", ASKING, name, str(here / "kept"), json.dumps(PROMPTS)]
    process = subprocess.Popen(words, env=os.environ, stdout=subprocess.PIPE)
    until = time.monotonic() + 120
    while sum(proxy.delivered.values()) < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 3 <= sum(proxy.delivered.values()) < len(PROMPTS)
    told = subprocess.run(words, env=os.environ, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == right
    assert sum(proxy.delivered.values()) <= len(PROMPTS) + 2, "but for the two under way at the kill"
    assert max(proxy.delivered.values()) <= 2
