"""Two machines, as far as one can be two: nodes of Ray in network namespaces of their own, and a cluster behind its client's port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.conftest import STUDIES
from tests.faults.figures import Cost, lines, torn, weighed
from tests.faults.rays import NODE, PATIENCE, RAY, head

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]
RUN = ("run", "kept_rows", "--tier", "laptop", "--set", "pause=0.05", "--set", "name=a,c")
CPU = "--num-cpus=1"


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
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What all processes know: where the toy study is, the file into which it writes its steps, a folder for Ray."""
    log = tmp_path_factory.mktemp("steps") / "log.txt"
    own = {"UNSEEN_STUDIES": str(STUDIES), "KEPT_ROWS_LOG": str(log), "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="ur", dir="/tmp", ignore_cleanup_errors=True) as folder:
        ray = {"RAY_TMPDIR": folder, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
        yield {**os.environ, **own, **ray}


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
def whole(undisturbed: Callable[..., tuple[Path, float]]) -> Path:
    """The store of an undisturbed run in one process."""
    return undisturbed(*RUN)[0]


@pytest.fixture(scope="module")
def words(net: Net) -> tuple[str, ...]:
    """`unseen run …` on a cluster whose head node is in the first namespace."""
    own = f"--node-ip-address={net.addresses[0]}"
    said(net.within(0, *RAY, "start", "--head", "--include-dashboard=false", "--port=6379", own, CPU, *NODE))
    return (sys.executable, "-m", "unseen", *RUN, "--on", f"ray:{net.addresses[0]}:6379")


@pytest.fixture
def joined(net: Net, words: tuple[str, ...]) -> Iterator[None]:
    """A node in the second namespace, of this test alone."""
    own = f"--node-ip-address={net.addresses[1]}"
    said(net.within(1, *RAY, "start", f"--address={net.addresses[0]}:6379", own, CPU, *NODE))
    yield
    net.kill(1)


@pytest.fixture
def log(net: Net) -> Path:
    """Where all nodes write down their steps, empty."""
    found = Path(net.env["KEPT_ROWS_LOG"])
    found.write_text("", encoding="utf-8")
    return found


def at_work(run: subprocess.Popen[str], log: Path, steps: int = 25) -> None:
    """Wait until so many steps were done, and some are left."""
    end = time.monotonic() + PATIENCE
    while len(lines(log)) < steps and run.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert run.poll() is None and len(lines(log)) >= steps


def test_two_networks_measure_what_one_process_does(
    net: Net, joined: None, words: tuple[str, ...], whole: Path, log: Path, tmp_path: Path
) -> None:
    said(net.within(0, *words, UNSEEN_HOME=str(tmp_path / "home")))
    weighed("", tmp_path / "home", whole, lines(log), hits=0)


def test_a_node_in_another_network_that_dies_loses_nothing(
    net: Net, joined: None, words: tuple[str, ...], whole: Path, log: Path, cost: Callable[[Cost], None], tmp_path: Path
) -> None:
    run = net.within(0, *words, UNSEEN_HOME=str(tmp_path / "home"))
    at_work(run, log)
    assert net.kill(1) > 2
    said(run)
    assert not torn(tmp_path / "home")
    cost(weighed("kill -9 of a node of Ray in another network", tmp_path / "home", whole, lines(log), busy=2))


def test_a_node_whose_cable_is_cut_loses_nothing(
    net: Net, joined: None, words: tuple[str, ...], whole: Path, log: Path, cost: Callable[[Cost], None], tmp_path: Path
) -> None:
    """It goes on measuring, unseen by the driver; who is given its trial waits for it, so that no journal has two writers."""
    cable = ("ip", "-n", net.names[1], "link", "set", f"vb{os.getpid()}")
    run = net.within(0, *words, UNSEEN_HOME=str(tmp_path / "home"))
    at_work(run, log)
    try:
        subprocess.run([*cable, "down"], check=True)
        said(run)
    finally:
        subprocess.run([*cable, "up"], check=True)
    assert not torn(tmp_path / "home")
    cost(weighed("the cable of a node of Ray is cut", tmp_path / "home", whole, lines(log), busy=2))


def test_a_cluster_behind_its_clients_port_measures_what_one_process_does(
    env: dict[str, str], whole: Path, tmp_path: Path
) -> None:
    pytest.importorskip("grpc")
    log = tmp_path / "log.txt"
    with tempfile.TemporaryDirectory(prefix="ur", dir="/tmp", ignore_cleanup_errors=True) as folder:
        known = {**env, "KEPT_ROWS_LOG": str(log), "RAY_TMPDIR": folder}
        with head(known, tmp_path) as found:
            words = (sys.executable, "-m", "unseen", *RUN, "--on", f"ray://{found.client}")
            told = subprocess.run(words, env={**known, "UNSEEN_HOME": str(tmp_path / "home")}, capture_output=True, text=True, timeout=PATIENCE)  # fmt: skip
            assert told.returncode == 0, told.stderr
    weighed("", tmp_path / "home", whole, lines(log), hits=0)
