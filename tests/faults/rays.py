"""A Ray that stands by itself on loopback, as `ray start` starts it, with ports and a folder of its own.

with head({**os.environ}, folder) as found:
    … unseen run STUDY --on ray:{found.address} …
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RAY = (sys.executable, "-m", "ray.scripts.scripts")
NODE = ("--num-gpus=0", f"--object-store-memory={80 << 20}", "--disable-usage-stats")
PATIENCE = 180.0


@dataclass(frozen=True)
class Head:
    """Where a head node listens: for drivers on its own machine, and for clients."""

    address: str
    client: str


@contextmanager
def head(env: dict[str, str], folder: Path, cpus: int = 2) -> Iterator[Head]:
    """A head node with so many processors; everything it started is gone at the end. What it says stands in the folder.

    $RAY_TMPDIR must be one of its own (and short, for the names of sockets), so that no other `--on ray` joins it.
    """
    with ExitStack() as held:
        free = [held.enter_context(socket.socket()) for _ in range(2)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        gcs, client = (one.getsockname()[1] for one in free)
    words = (
        "start", "--head", "--block", "--include-dashboard=false", "--node-ip-address=127.0.0.1", f"--num-cpus={cpus}",
        f"--port={gcs}", f"--ray-client-server-port={client}", *NODE,
    )  # fmt: skip
    with (folder / "ray.txt").open("w") as out:
        process = subprocess.Popen([*RAY, *words], env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        for port in (gcs, client):
            answers(port, process)
        note, end = Path(env["RAY_TMPDIR"], "ray", "ray_current_cluster"), time.monotonic() + PATIENCE
        while not note.is_file() and time.monotonic() < end:  # the last that `ray start` does
            time.sleep(0.1)
        yield Head(f"127.0.0.1:{gcs}", f"127.0.0.1:{client}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port: int, process: subprocess.Popen[Any]) -> None:
    """Wait until something listens there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise AssertionError("the cluster did not start")
