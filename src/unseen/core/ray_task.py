"""What does a worker of a Ray cluster do with trials? It looks whether it is like the driver, measures, and sends back.

served(work, [packed(trial)], Told(...), voice)  ->  [(("done", "", 0.3, 0), None)]

A worker that sees the driver's store measures in it, as a process on the driver's machine does. One that does not
measures in a folder of its own, and what it finished travels back through Ray.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from . import find
from .errors import UnseenError
from .execute import Event, Measuring, Tell, Work
from .lab import local_home
from .parcel import Said, pieces, said_of, unpacked
from .store import Store
from .work import code_loaded, versions

SMALL = 64 << 10  # bytes that travel with the answer; more go through Ray's object store
QUIET = 0.5  # seconds between two words of one trial, at least
COMPARED = ("unseen", "python", "torch", "numpy")  # versions that make other numbers
Part = tuple[str, Any]  # a file's name, and its bytes or Ray's reference to them


@dataclass(frozen=True)
class Told:
    """What the driver tells every worker: its name, folder, environment, versions, code of studies, and a file in its
    store by which a worker sees whether it can reach that."""

    host: str
    folder: str  # where the driver was started; empty where Ray brings its files
    env: Mapping[str, str]
    versions: Mapping[str, str]
    code: Mapping[str, str]  # of each study
    mark: str  # a file in the driver's store; empty where what is measured always travels


def served(
    work: Work, batch: Sequence[Mapping[str, Any]], told: Told, voice: Any
) -> str | list[tuple[Said, list[Part] | None]]:
    """What came of each trial, with the files of one that cannot be seen from the driver; one paragraph where this
    worker is not like the driver, and then nothing is measured."""
    own = _settled(told)
    if other := _differs(told, tuple(sorted({str(t["study"]) for t in batch}))):
        return other
    mine = _mine(work, told, own)
    found: list[tuple[Said, list[Part] | None]] = []
    for one in batch:
        said = said_of(mine, one, _teller(voice))
        parts = None
        if said[0] == "done" and mine is not work and isinstance(mine, Measuring):
            parts = _sent(Store(mine.url).partial(unpacked(one)))
        found.append((said, parts))
    return found


class Words:
    """The last word of every trial at work, between the workers and the driver; what is not fetched is lost."""

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


def _settled(told: Told) -> str:
    """Take over the driver's folder and environment; what UNSEEN_HOME was here before that."""
    own = _own_home()
    if told.folder and Path(told.folder).is_dir():
        os.chdir(told.folder)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    os.environ.update(told.env)
    return own


@cache
def _own_home() -> str:
    """What this machine calls UNSEEN_HOME, before the driver's words are taken over."""
    return os.environ.get("UNSEEN_HOME", "")


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


def _differs(told: Told, studies: tuple[str, ...]) -> str:
    """One paragraph where this worker would measure other numbers than the driver's machine; empty where it is like it."""
    return _compared(
        told.host,
        tuple((n, told.versions.get(n, "none")) for n in COMPARED),
        tuple((s, told.code.get(s, "")) for s in studies),
    )


@cache
def _compared(host: str, wanted: tuple[tuple[str, str], ...], code: tuple[tuple[str, str], ...]) -> str:
    import platform

    here = versions()
    for name, theirs in wanted:
        if (ours := here.get(name, "none")) != theirs:
            return f"{name} is {theirs} on {host}, where the driver is, and {ours} on {platform.node()}, a node of the cluster: trials would measure other numbers there. Install the same version on both."
    for slug, theirs in code:
        try:
            ours = code_loaded(slug, find.folder(slug))
        except UnseenError as error:
            return f"{slug} is on {host}, where the driver is, but not on {platform.node()}, a node of the cluster: {error}"
        if theirs and ours != theirs:
            return f"the code of {slug} on {host}, where the driver is, has the digest {theirs}, and {ours} on {platform.node()}, a node of the cluster. Install the same code on both; a study in ./studies travels by itself."
    return ""
