"""A side of a comparison in a process of its own, so that neither profits from what the other told the libraries.

ours = Side(make, task, 64)      # make(task, 64) runs there, and gives what takes one turn
ours.turn()  ->  Spent(cpu=1.41, wall=1.43)
ours.peak()  ->  1_893_171_200      # bytes resident at most during another turn, what was made included
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .timing import Spent, spent


class Side:
    """A process that makes a piece of work once, and does it at every turn."""

    def __init__(self, make: Callable[..., Callable[[], object]], *args: Any) -> None:
        """Start it, and wait until the work is made. Raises RuntimeError with what went wrong there."""
        context = multiprocessing.get_context("spawn")
        self.line, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, make, args), daemon=True)
        self.process.start()
        other.close()
        self.made = self._told()

    def turn(self) -> Spent:
        """One turn of the work, and what it cost there."""
        return self._asked("turn")

    def peak(self) -> int:
        """Bytes resident at most during a turn; what making took at most is not counted. Linux only."""
        return self._asked("peak")

    def stop(self) -> None:
        """End the process."""
        self.line.close()
        self.process.terminate()
        self.process.join()

    def _asked(self, what: str) -> Any:
        self.line.send(what)
        return self._told()

    def _told(self) -> Any:
        try:
            told = self.line.recv()
        except EOFError:
            raise RuntimeError(
                f"a side of the comparison ended by itself, exit code {self.process.exitcode}."
            ) from None
        if isinstance(told, str):
            raise RuntimeError(told)
        return told


def _serve(line: Connection, make: Callable[..., Callable[[], object]], args: tuple[Any, ...]) -> None:
    held: list[Callable[[], object]] = []
    try:
        line.send(spent(lambda: held.append(make(*args))))
        while asked := line.recv():
            line.send(spent(held[0]) if asked == "turn" else _peak(held[0]))
    except EOFError:
        return
    except BaseException:
        line.send(traceback.format_exc())


def _peak(work: Callable[[], object]) -> int:
    """The most bytes that this process has resident while it works."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # forget the most so far
    work()
    rows = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("VmHWM:"))
