"""Two machines, as far as one can be two: nodes of Ray in network namespaces of their own, and a cluster behind its client's port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import STUDIES
from tests.faults.figures import Cost, lines, torn, weighed

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]
RUN = ("run", "kept_rows", "--tier", "laptop", "--set", "pause=0.05", "--set", "name=a,c")
NODE = ("--num-cpus=1", "--num-gpus=0", f"--object-store-memory={80 << 20}", "--disable-usage-stats")  # fmt: skip
RAY = (sys.executable, "-m", "ray.scripts.scripts")
PATIENCE = 120.0


@dataclass(frozen=True)
class Net:
    """Two network namespaces of this machine with a cable between them, and what is started in each."""

    names: tuple[str, str]
    addresses: tuple[str, str]
    env: dict[str, str]

    def within(self, number: int, *words: str, **env: str) -> subprocess.Popen[str]:
        """A process in one of the two."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.names[number], *words], env={**self.env, **env}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def kill(self, number: int) -> int:
        """Kill all that works in one of them; how many processes that were."""
        told = subprocess.run(["ip", "netns", "pids", self.names[number]], capture_output=True, text=True).stdout
        for pid in told.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        return len(told.split())


def said(process: subprocess.Popen[str]) -> str:
    """What a process said, which must end well."""
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    return told


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What all processes know: where the toy study is, and the file into which it writes its steps."""
    log = tmp_path_factory.mktemp("steps") / "log.txt"
    own = {"UNSEEN_STUDIES": str(STUDIES), "KEPT_ROWS_LOG": str(log), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **own, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def net(env: dict[str, str]) -> Iterator[Net]:
    """The two namespaces; skipped where this user may not make them."""
    one, other, left, right = (f"{letters}{os.getpid()}" for letters in ("ua", "ub", "va", "vb"))
    addresses = "10.231.7.1", "10.231.7.2"
    made = [
        ("ip", "netns", "add", one), ("ip", "netns", "add", other),
        ("ip", "link", "add", left, "netns", one, "type", "veth", "peer", "name", right, "netns", other),
        *(("ip", "-n", n, "addr", "add", f"{a}/24", "dev", e) for n, a, e in ((one, addresses[0], left), (other, addresses[1], right))),
        *(("ip", "-n", n, "link", "set", e, "up") for n, e in ((one, left), (other, right), (one, "lo"), (other, "lo"))),
    ]  # fmt: skip
    found = Net((one, other), addresses, env)
    try:
        for words in made:
            try:
                subprocess.run(words, check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as error:
                pytest.skip(f"no network namespaces here: {' '.join(words)}: {getattr(error, 'stderr', error)}")
        yield found
    finally:
        for number in (0, 1):
            found.kill(number)
            subprocess.run(["ip", "netns", "delete", found.names[number]], capture_output=True)


@pytest.fixture(scope="module")
def whole(kennel: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of an undisturbed run in one process."""
    home = tmp_path_factory.mktemp("whole")
    ended = kennel(home, *RUN)
    assert ended.code == 0, ended.said
    return home


def joined(net: Net) -> None:
    """Start the second node."""
    said(net.within(1, *RAY, "start", f"--address={net.addresses[0]}:6379", f"--node-ip-address={net.addresses[1]}", *NODE))  # fmt: skip


def test_two_networks_measure_what_one_process_does_and_one_that_dies_loses_nothing(
    net: Net, whole: Path, cost: Callable[[Cost], None], tmp_path: Path
) -> None:
    head = f"{net.addresses[0]}:6379"
    said(
        net.within(
            0,
            *RAY,
            "start",
            "--head",
            "--include-dashboard=false",
            "--port=6379",
            f"--node-ip-address={net.addresses[0]}",
            *NODE,
        )
    )
    joined(net)
    log, words = Path(net.env["KEPT_ROWS_LOG"]), (sys.executable, "-m", "unseen", *RUN, "--on", f"ray:{head}")
    said(net.within(0, *words, UNSEEN_HOME=str(tmp_path / "both")))
    weighed("", tmp_path / "both", whole, lines(log), hits=0)

    begun = len(lines(log))
    run = net.within(0, *words, UNSEEN_HOME=str(tmp_path / "one"))
    end = time.monotonic() + PATIENCE
    while len(lines(log)) < begun + 25 and run.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert run.poll() is None and net.kill(1) > 2
    said(run)
    assert not torn(tmp_path / "one")
    told = weighed("", tmp_path / "one", whole, lines(log)[begun:], busy=2)
    cost(replace(told, fault="kill -9 of a node of Ray in another network"))


def test_a_cluster_behind_its_clients_port_measures_what_one_process_does(
    env: dict[str, str], whole: Path, tmp_path: Path
) -> None:
    pytest.importorskip("grpc")
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        gcs, client = a.getsockname()[1], b.getsockname()[1]
    log = tmp_path / "log.txt"
    known = {**env, "KEPT_ROWS_LOG": str(log)}
    begin = (
        *RAY,
        "start",
        "--head",
        "--include-dashboard=false",
        f"--port={gcs}",
        f"--ray-client-server-port={client}",
        "--block",
        *NODE,
    )
    with (tmp_path / "ray.txt").open("w") as out:
        head = subprocess.Popen(begin, env=known, stdout=out, stderr=out, start_new_session=True)
    try:
        _answers(client, head)
        words = (sys.executable, "-m", "unseen", *RUN, "--on", f"ray://127.0.0.1:{client}")
        told = subprocess.run(words, env={**known, "UNSEEN_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
        assert told.returncode == 0, told.stderr
        weighed("", tmp_path / "home", whole, lines(log), hits=0)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(head.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            head.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(head.pid, signal.SIGKILL)


def _answers(port: int, head: subprocess.Popen[Any]) -> None:
    """Wait until something listens there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and head.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise AssertionError("the cluster did not start")
