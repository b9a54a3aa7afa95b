"""Who may work on this now? One process, on one machine, until it says otherwise or is gone.

    with lease(folder / "09c4….lease") as mine:
        if mine: …

A lease is a file that names its holder and is touched every few seconds. On the holder's own machine it is free as soon
as the holder is dead; from elsewhere, when it has not been touched for a minute. Nothing stored depends on leases for
being whole: they only keep two processes from doing the same work.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from .disk import content

BEAT = 5.0  # seconds between two touches
PROC = Path("/proc")  # where Linux tells of processes; elsewhere there is none
SILENT = 60.0  # seconds without a touch after which a lease of another machine is free


@contextmanager
def lease(path: Path, *, wait: float | None = 0) -> Generator[bool]:
    """Whether the lease at `path` is this process's; it waits up to `wait` seconds for it (None: as long as it takes).

    Raises OSError where the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = None if wait is None else time.monotonic() + wait
    token = {**me(), "token": f"{os.getpid()}-{threading.get_ident()}-{time.time_ns()}"}
    while not _taken(path, token):
        if until is not None and time.monotonic() >= until:
            yield False
            return
        time.sleep(0.05)
    _beats().add(path)
    try:
        yield True
    finally:
        _beats().drop(path)
        _give_back(path, token)


def held(path: Path) -> float | None:
    """Since when (seconds since 1970) somebody holds a lease; None where it is free. Nothing is written.

    Whether a holder on another machine is silent is told by this machine's clock, so by a guess where clocks differ.
    """
    try:
        holder, touched = json.loads(content(path)), path.lstat().st_mtime
        since = int(str(holder["token"]).rsplit("-", 1)[1]) / 1e9
        mine = holder.get("machine") == _machine()
        alive = started(int(holder["pid"])) == holder["started"] if mine else time.time() - touched <= SILENT
        return since if alive else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None


def _taken(path: Path, token: dict[str, object]) -> bool:
    """Whether the lease was free and is ours now."""
    from filelock import FileLock

    guard = path.with_name(".guard")
    with FileLock(guard):
        if not _free(path, guard):
            return False
        spare = path.with_name(f".{path.name}.{os.getpid()}")
        spare.write_text(json.dumps(token), encoding="utf-8")
        os.replace(spare, path)
        return True


def _free(path: Path, guard: Path) -> bool:
    try:
        holder = json.loads(content(path))
        touched = path.stat().st_mtime
    except (OSError, ValueError):
        return True
    if isinstance(holder, dict) and holder.get("machine") == _machine():
        return started(int(holder["pid"])) != holder["started"]
    os.utime(guard)  # the folder's own clock, which both machines' touches are told by
    return guard.stat().st_mtime - touched > SILENT


class Beats:
    """All leases that this process holds, touched by one thread, which ends when it finds none."""

    def __init__(self) -> None:
        self._held, self._lock = set[Path](), threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, path: Path) -> None:
        """Touch this one, too."""
        with self._lock:
            self._held.add(path)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, daemon=True)
                self._thread.start()

    def drop(self, path: Path) -> None:
        """Touch this one no longer; what is under way has ended when this returns."""
        with self._lock:
            self._held.discard(path)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT)
            with self._lock:
                if not self._held:
                    self._thread = None
                    return
                for path in self._held:
                    with suppress(OSError):
                        os.utime(path)


@cache
def _beats() -> Beats:
    return Beats()


def _give_back(path: Path, token: dict[str, object]) -> None:
    with suppress(OSError, ValueError):
        if json.loads(content(path)) == token:
            path.unlink()


def me() -> dict[str, object]:
    """This process, as a lease names its holder."""
    return {"machine": _machine(), "pid": os.getpid(), "started": _since(os.getpid(), PROC)}


def _machine() -> str:
    """The name of a place where process numbers mean the same: host, boot and (in containers) process namespace."""
    return " ".join((platform.node(), *_booted(os.getpid(), PROC)))


@cache
def _booted(pid: int, proc: Path) -> tuple[str, ...]:
    parts = list[str]()
    with suppress(OSError):
        parts.append((proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink(proc / "self/ns/pid"))
    return tuple(parts)


@cache
def _since(pid: int, proc: Path) -> str:
    """When this very process began, which does not change."""
    return started(pid)


def started(pid: int) -> str:
    """When a process began, so that a number used again is not taken for it; empty where it is gone."""
    with suppress(OSError, IndexError):
        told = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        return "" if told[0] in "ZX" else told[19]
    if (PROC / "self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "alive"
