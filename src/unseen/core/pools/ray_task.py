"""What does a worker of a Ray cluster do with trials? It looks whether it is like the driver, measures, and sends back.

served(work, [packed(trial)], Told(...), voice, 0)  ->  [(("done", "", 0.3, 0), None)]

A worker that sees the driver's store measures in it, as a process on the driver's machine does. One that does not
measures in a folder of its own, and what it finished travels back through Ray.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ..execute import Event, Measuring, Tell, Work
from ..lab import local_home
from ..store import Store
from .alone import alone
from .likeness import Told, differs, settled
from .parcel import Said, pieces, said_of, unpacked

SMALL = 64 << 10  # bytes that travel with the answer; more go through Ray's object store
QUIET = 0.5  # seconds between two words of one trial, at least
Part = tuple[str, Any]  # a file's name, and its bytes or Ray's reference to them


def served(
    work: Work, batch: Sequence[Mapping[str, Any]], told: Told, voice: Any, number: int
) -> str | list[tuple[Said, list[Part] | None]]:
    """What came of each trial, with the files of one that cannot be seen from the driver; one paragraph where this
    worker is not like the driver, and then nothing is measured."""
    own = settled(told)
    if other := differs(told, tuple(sorted({str(t["study"]) for t in batch}))):
        return other
    with suppress(Exception):
        voice.say.remote(f"task {number}", (number, _node()))
    mine = _mine(work, told, own)
    found: list[tuple[Said, list[Part] | None]] = []
    for one in batch:
        said = said_of(alone(mine), one, _teller(voice))
        parts = None
        if said[0] == "done" and mine is not work and isinstance(mine, Measuring):
            parts = _sent(Store(mine.url).partial(unpacked(one)))
        found.append((said, parts))
    return found


class Words:
    """The last word of every trial at work, between the workers and the driver; what is not fetched is lost. The first
    of a task are its number and its node."""

    def __init__(self) -> None:
        self.last = dict[str, tuple[Any, ...]]()

    def say(self, key: str, words: tuple[Any, ...]) -> None:
        """Keep a trial's word."""
        self.last[key] = words

    def take(self) -> list[tuple[Any, ...]]:
        """What was said since this was asked last."""
        found = list(self.last.values())
        self.last.clear()
        return found


def _node() -> str:
    """Ray's name of the node that this is."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def _teller(voice: Any) -> Tell:
    """What tells the driver how far a trial is, now and then; where nobody listens, the trial goes on."""
    last = dict[str, float]()

    def tell(event: Event) -> None:
        now = time.monotonic()
        if event.shown.get("ended") or now - last.get(event.key, -QUIET) >= QUIET:
            last[event.key] = now
            with suppress(Exception):
                voice.say.remote(event.key, (event.key, event.done, event.of, dict(event.shown), event.when))

    return tell


@cache
def _seen(mark: str) -> bool:
    """Whether a file of the driver's is here; a shared folder may be a moment late."""
    for _ in range(10):
        if Path(mark).is_file():
            return True
        time.sleep(0.1)
    return False


def _mine(work: Work, told: Told, own: str) -> Work:
    """The work as it is, or, where the driver's store is out of reach, the same work into a folder of this machine."""
    if not isinstance(work, Measuring) or (told.mark and _seen(told.mark)):
        return work
    if "://" not in told.env.get("UNSEEN_HOME", ""):
        os.environ["UNSEEN_HOME"] = own
        if not own:
            del os.environ["UNSEEN_HOME"]
    name = hashlib.sha256(f"{told.host} {work.url}".encode()).hexdigest()[:16]
    return replace(work, url=str(local_home() / "ray" / name))


def _sent(partial: Path) -> list[Part]:
    """The files of a trial that is ready, small ones themselves and others as Ray's references; they go from here."""
    import ray

    found: list[Part] = [
        (name, content if len(content) <= SMALL else ray.put(content)) for name, content in pieces(partial / "ready")
    ]
    shutil.rmtree(partial, ignore_errors=True)
    return found
