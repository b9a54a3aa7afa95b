"""What is left of an unfinished trial when its machine is gone? Its rows and checkpoints, as of its last checkpoint.

partial/<study>/<key>/mirror.json      {"world": {…}, "rows": [["5b0c…", 4132], …], "files": {"state/fit-….safetensors": ["09c4…", 81920]}}
partial/<study>/<key>/<sha256>         a piece of the journal, a checkpoint, a file that the trial has made so far

A thread copies what changed at each checkpoint and writes `mirror.json` last, so another machine finds the rows and the
state of one checkpoint. The trial's own thread only links the checkpoints; while a copy is under way the newest waits and
those between are left out. What goes on elsewhere repeats what came after the last checkpoint that was copied.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..disk import digest_of_file, inside
from ..errors import UnseenError
from .objects import Far

ROWS = "rows.jsonl"
LINGER = 20.0  # seconds that a trial which ends waits for the copy under way


@contextmanager
def mirrored(far: Far | None, at: str, partial: Path, world: Mapping[str, Any]) -> Generator[Callable[[], None] | None]:
    """What a trial calls after each checkpoint. First its folder is fetched, where another machine got further in the
    same world (see `journal`).

    Failing to copy costs nothing but the copy: the folder here is whole without it.
    """
    if far is None:
        yield None
        return
    mirror = Mirror(far, at, partial, world)
    mirror.restore()
    thread = threading.Thread(target=mirror.copy_all, daemon=True)
    thread.start()
    try:
        yield mirror.note
    except BaseException:
        mirror.end(drop=False)
        thread.join(LINGER)
        raise
    else:
        mirror.end(drop=True)
        thread.join(LINGER)


def drop_partial(far: Far, study: str, key: str) -> None:
    """Remove the copy of a trial that needs it no longer, what makes it one first."""
    at = f"partial/{study}/{key}"
    names = sorted(far.listing(at), key=lambda n: n != "mirror.json")
    far.remove(f"{at}/{n}" for n in names)


class Mirror:
    """The copy of one unfinished trial's folder in a far store."""

    def __init__(self, far: Far, at: str, partial: Path, world: Mapping[str, Any]) -> None:
        self.far, self.at, self.partial, self.links = far, at, partial, partial / ".links"
        self.world = json.loads(json.dumps(dict(world)))
        self._pieces: list[tuple[str, int]] = []  # of the journal, as they lie there
        self._files: dict[str, tuple[tuple[int, ...], str, int]] = {}  # name -> (stamp here, sha256, bytes) there
        self._due: tuple[int, Path] | None = None
        self._over, self._turn = False, threading.Condition()

    def restore(self) -> None:
        """Fetch the copy where it has more rows than the folder here; a copy that is not whole is none."""
        told = _mirror(self.far.read(f"{self.at}/mirror.json"))
        if told is None or told.get("world") != self.world:
            return
        journal = self.partial / ROWS
        if sum(size for _, size in told["rows"]) <= (journal.stat().st_size if journal.is_file() else 0):
            return
        spare = self.partial.with_name(f".{self.partial.name}.restored")
        shutil.rmtree(spare, ignore_errors=True)
        try:
            pieces = [self._fetched(spare / f"rows-{i}", sha) for i, (sha, _) in enumerate(told["rows"])]
            files = {name: self._fetched(spare / name, sha) for name, (sha, _) in told["files"].items()}
            if not all(pieces) or not all(files.values()):
                return
            with (spare / ROWS).open("wb") as file:
                for i in range(len(pieces)):
                    file.write((spare / f"rows-{i}").read_bytes())
                    (spare / f"rows-{i}").unlink()
            shutil.rmtree(self.partial, ignore_errors=True)
            os.rename(spare, self.partial)
            self._files = {n: (_stamp(self.partial / n), sha, size) for n, (sha, size) in told["files"].items()}
        finally:
            shutil.rmtree(spare, ignore_errors=True)

    def note(self) -> None:
        """Have the folder copied as it is now; returns at once. Every row it holds must be on the disk."""
        with suppress(OSError):
            self._note(self.links / str(time.time_ns()))

    def _note(self, links: Path) -> None:
        for path in _states(self.partial):
            to = links / path.relative_to(self.partial)
            to.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, to)
            except OSError:
                shutil.copy2(path, to)
        with self._turn:
            before, self._due = self._due, ((self.partial / ROWS).stat().st_size, links)
            self._turn.notify()
        if before is not None:
            shutil.rmtree(before[1], ignore_errors=True)

    def end(self, *, drop: bool) -> None:
        """Let the thread end, after what is due, or without it."""
        with self._turn:
            self._over = True
            if drop:
                self._due = None
            self._turn.notify()

    def copy_all(self) -> None:
        """Copy what is due, again and again, until the end."""
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._due is not None or self._over)
                due, self._due = self._due, None
            if due is None:
                break
            with suppress(UnseenError, OSError):  # a later checkpoint tries again
                self._copy(*due)
            shutil.rmtree(due[1], ignore_errors=True)
        shutil.rmtree(self.links, ignore_errors=True)

    def _copy(self, rows: int, links: Path) -> None:
        links.mkdir(parents=True, exist_ok=True)
        held = sum(size for _, size in self._pieces)
        if rows > held:
            with (self.partial / ROWS).open("rb") as file:
                file.seek(held)
                piece = file.read(rows - held)
            spare = links / "piece"
            spare.write_bytes(piece)
            self._pieces.append(self._sent(spare))
        before, files = {sha for _, sha, _ in self._files.values()}, dict[str, tuple[tuple[int, ...], str, int]]()
        for path, own in [(p, links) for p in _states(links)] + [(p, self.partial) for p in _made(self.partial)]:
            name, stamp = path.relative_to(own).as_posix(), _stamp(path)
            known = self._files.get(name)
            if known is None or known[0] != stamp:
                known = (stamp, *(self._sent_whole(path, links) if own == self.partial else self._sent(path)))
            files[name] = known
        self._files = files
        told = {
            "world": self.world,
            "rows": self._pieces,
            "files": {n: [sha, size] for n, (_, sha, size) in files.items()},
        }
        self.far.write(f"{self.at}/mirror.json", json.dumps(told).encode())
        gone = before - {sha for _, sha, _ in files.values()} - {sha for sha, _ in self._pieces}
        self.far.remove(f"{self.at}/{sha}" for sha in sorted(gone))

    def _sent(self, path: Path) -> tuple[str, int]:
        """The digest and size (bytes) of a file that was copied there."""
        sha = digest_of_file(path)
        self.far.put_file(path, f"{self.at}/{sha}")
        return sha, path.stat().st_size

    def _sent_whole(self, path: Path, links: Path) -> tuple[str, int]:
        """The same of a file that its trial may be writing to: a copy is sent, so that its digest is right."""
        spare = links / "copy"
        try:
            shutil.copyfile(path, spare)
            return self._sent(spare)
        finally:
            spare.unlink(missing_ok=True)

    def _fetched(self, path: Path, sha: str) -> bool:
        return self.far.get_file(f"{self.at}/{sha}", path) and digest_of_file(path) == sha


def _states(folder: Path) -> list[Path]:
    """The checkpoints below a folder; each is replaced whole, never written to."""
    return sorted(p for p in (folder / "state").glob("*.safetensors") if not p.name.startswith("."))


def _made(folder: Path) -> list[Path]:
    """The files that a trial has made so far."""
    return sorted(p for p in (folder / "files").rglob("*") if p.is_file())


def _stamp(path: Path) -> tuple[int, ...]:
    told = path.stat()
    return told.st_ino, told.st_size, told.st_mtime_ns


def _mirror(content: bytes | None) -> dict[str, Any] | None:
    """What a mirror.json says, None where it is none."""
    try:
        told = json.loads(content or b"")
        rows, files = told["rows"], told["files"]
        sound = all(isinstance(sha, str) and isinstance(n, int) for sha, n in [*rows, *files.values()])
        return told if sound and all(map(inside, files)) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
