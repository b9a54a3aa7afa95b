"""Who may work on this now, of all machines that share a store? One, until it says otherwise or is silent for a minute.

    with Elsewhere(far)("leases/09c4…") as mine:
        if mine: …

leases/09c4…/000001      {"machine": …, "pid": …, "token": …}   written by its holder every few seconds

A lease is taken by creating the object of the next number, which the store grants to one of all who try. Where it cannot
(`Far.create`), those who want it write a bid each, let it settle, and the earliest bid that all see wins. Silence is told
by the store's own clock: two of its times are compared, never one with ours. A holder that died on this machine is seen
at once. As with `lease`, nothing stored depends on this for being whole.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Protocol

from ..errors import UnseenError
from ..lease import me, started
from .objects import Far, Seen

BEAT = 10.0  # seconds between two signs of life
SILENT = 60.0  # seconds without one, after which a lease is free
SETTLE = 2.0  # seconds until a bid is seen by all who list
LOOK = 1.0  # seconds between two looks of one who waits


class Leases(Protocol):
    """Whether a lease of that name is ours, while the context lasts; `wait` in seconds, None for as long as it takes."""

    def __call__(self, name: str, *, wait: float | None = 0) -> AbstractContextManager[bool]: ...


class Elsewhere:
    """Leases that all machines see which share a far store."""

    def __init__(self, far: Far) -> None:
        self.far = far
        self._clock: tuple[float, float] | None = None  # (the store's time, our monotonic one) when it was last asked
        self._creates: bool | None = None  # whether the store can create an object for one of many

    @contextmanager
    def __call__(self, name: str, *, wait: float | None = 0) -> Generator[bool]:
        """Whether the lease is ours. Raises what `Far` raises while it is taken, nothing while it is held or given back."""
        until = None if wait is None else time.monotonic() + wait
        token = json.dumps({**me(), "token": f"{os.getpid()}-{threading.get_ident()}-{time.time_ns()}"}).encode()
        while (held := self._taken(name, token)) is None:
            if until is not None and time.monotonic() >= until:
                yield False
                return
            time.sleep(LOOK)
        stop = threading.Event()
        beats = threading.Thread(target=self._beat, args=(name, held, token, stop), daemon=True)
        beats.start()
        try:
            yield True
        finally:
            stop.set()
            beats.join()
            with suppress(UnseenError):  # it will be free when it was silent long enough
                self._give_back(name, held, token)

    def _taken(self, name: str, token: bytes) -> str | None:
        """The object that makes the lease ours, None while another holds it."""
        entries = self.far.listing(name)
        if any(self._alive(name, entry, seen) for entry, seen in entries.items()):
            return None
        if not self._can_create():
            return self._elected(name, token, entries)
        numbers = [int(e) for e in entries if e.isdigit()]
        mine = f"{max(numbers, default=0) + 1:06d}"
        if not self.far.create(f"{name}/{mine}", token):
            return None
        if max(int(e) for e in [mine, *self.far.listing(name)] if e.isdigit()) > int(mine):
            self.far.remove([f"{name}/{mine}"])  # we looked before others came and went
            return None
        return mine

    def _elected(self, name: str, token: bytes, before: dict[str, Seen]) -> str | None:
        """Bid, wait until all bids are seen, and hold where ours is the earliest and no one holds."""
        mine = json.loads(token)["token"]
        self.far.write(f"{name}/bid-{mine}", token)
        time.sleep(SETTLE)
        entries = {e: s for e, s in self.far.listing(name).items() if e not in before}
        bids = sorted((seen.modified, e) for e, seen in entries.items() if e.startswith("bid-"))
        if any(e.startswith("held-") for e in entries) or not bids or bids[0][1] != f"bid-{mine}":
            self.far.remove([f"{name}/bid-{mine}"])
            return None
        self.far.write(f"{name}/held-{mine}", token)
        self.far.remove([f"{name}/bid-{mine}", *(f"{name}/{e}" for e in before)])
        return f"held-{mine}"

    def _alive(self, name: str, entry: str, seen: Seen) -> bool:
        """Whether the holder of an entry works on: it was heard of lately, and is not one that died on this machine."""
        if self._now(seen) - seen.modified > SILENT:
            return False
        try:
            holder = json.loads(self.far.read(f"{name}/{entry}") or b"{}")
            here = holder.get("machine") == me()["machine"]
            return bool(holder) and not (here and started(int(holder["pid"])) != holder["started"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return True  # silence alone frees what cannot be read

    def _now(self, seen: Seen) -> float:
        """The store's own time; it is asked again when the last answer is a minute old, or behind what was seen."""
        if self._clock is not None and time.monotonic() - self._clock[1] < SILENT:
            told = self._clock[0] + time.monotonic() - self._clock[1]
            if told >= seen.modified:
                return told
        name = f"leases/.clock-{os.getpid()}-{time.time_ns()}"
        self.far.write(name, b"")
        asked = self.far.seen(name)
        self.far.remove([name])
        if asked is None:
            return seen.modified
        self._clock = (asked.modified, time.monotonic())
        return asked.modified

    def _can_create(self) -> bool:
        """Whether the store grants a name to one of many who create it: it must refuse a second time what is there."""
        if self._creates is None:
            try:
                tries = [self.far.create("leases/.created", f"{time.time_ns()} {os.getpid()}".encode()) for _ in "12"]
                self._creates = not all(tries)
            except NotImplementedError:
                self._creates = False
        return self._creates

    def _beat(self, name: str, held: str, token: bytes, stop: threading.Event) -> None:
        """Write the object again and again, until it is given back or another took the lease over."""
        while not stop.wait(BEAT):
            with suppress(UnseenError, OSError):
                if self.far.read(f"{name}/{held}") != token:
                    return
                self.far.write(f"{name}/{held}", token)

    def _give_back(self, name: str, held: str, token: bytes) -> None:
        entries = self.far.listing(name)
        if held.isdigit():
            if held in entries and self.far.read(f"{name}/{held}") == token:
                older = [e for e in entries if e.isdigit() and int(e) <= int(held)]
                self.far.remove(f"{name}/{e}" for e in sorted(older))
        else:
            self.far.remove([f"{name}/{held}"])
