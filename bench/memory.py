"""How much memory does a piece of work take? The highest that is resident in a process of its own, weights included.

peak(make, 256)  ->  1_893_171_200        # bytes; make(256) loads, and gives the work, which is done once
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


def peak(make: Callable[..., Callable[[], object]], *args: Any) -> int:
    """Bytes resident at most while the work is done; what loading took at most is not counted. Linux only.

    Raises RuntimeError with what went wrong there.
    """
    context = multiprocessing.get_context("spawn")
    line, other = context.Pipe()
    process = context.Process(target=_serve, args=(other, make, args), daemon=True)
    process.start()
    other.close()
    try:
        told = line.recv()
    except EOFError:
        raise RuntimeError(f"the process ended by itself, exit code {process.exitcode}.") from None
    finally:
        process.join()
    if isinstance(told, str):
        raise RuntimeError(told)
    return told


def _serve(line: Connection, make: Callable[..., Callable[[], object]], args: tuple[Any, ...]) -> None:
    try:
        work = make(*args)
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the highest so far
        work()
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        line.send(next(int(row.split()[1]) * 1024 for row in lines if row.startswith("VmHWM:")))
    except BaseException:
        line.send(traceback.format_exc())
