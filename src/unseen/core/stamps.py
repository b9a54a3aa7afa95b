"""Which finished trials were read, found as they were written, and not touched since? Those need not be read again.

$UNSEEN_HOME/index/<study>.stamps     one line of JSON, then 32 bytes a trial, sorted by key

A trial's stamp is a digest over what the file system says of its files: size, times of content and of status, number.
Whoever changes a byte changes the stamp (a status time cannot be set back), and then all of the trial is read again. A
stamp is noted only once its files have been left alone for a while, so that no change hides in the tick of a clock. A
store that was copied has other stamps, so it is read in full once.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from .disk import content, inside, whole

QUIET = 2.0  # seconds without a change after which a stamp may be noted
VERSION = 1
PART = 4096  # trials that are looked at together
LINE = np.dtype([("key", "<u8"), ("stamp", "<u8"), ("code", "<u8"), ("shape", "<u8")])

Shape = tuple[str, ...]  # the names of a trial's files, its manifest's included


class Stamps:
    """The stamps of one study's trials, as a file keeps them and as they are noted since."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.folder = path, str(folder)
        self.lines, self.shapes = _read(path)
        self.fresh = dict[int, tuple[int, int, int]]()  # key -> (stamp, code, place of its shape)
        self.sure = np.zeros(len(self.lines), bool)  # lines whose stamps were found unchanged by this process

    def unchanged(self, keys: Sequence[str]) -> list[bool]:
        """Which trials are stamped, and lie there as they did then. A few microseconds a file."""
        told: list[bool] = []
        for start in range(0, len(keys), PART):
            part = keys[start : start + PART]
            numbers = [number_of(key) for key in part]
            known = zip(part, self._found(numbers), self._places(numbers).tolist(), strict=True)
            for key, found, place in known:
                same = found is not None and found[0] != 0 and self._now(key, self.shapes[found[2]])[0] == found[0]
                if place >= 0:
                    self.sure[place] = same
                told.append(same)
        return told

    def codes(self, keys: Sequence[str]) -> list[str | None]:
        """The digests of the code that measured trials which were found unchanged; None for those that were not."""
        numbers = [number_of(key) for key in keys]
        places = self._places(numbers)
        if len(self.lines):
            code, sure = self.lines["code"][places], (places >= 0) & self.sure[places]
        else:
            code, sure = np.zeros(len(keys), "<u8"), np.zeros(len(keys), bool)
        text = {c: f"{c:016x}" for c in {*np.unique(code).tolist(), *(f[1] for f in self.fresh.values())}}
        told = zip(numbers, code.tolist(), sure.tolist(), strict=True)
        return [text[self.fresh[n][1]] if n in self.fresh else text[c] if known else None for n, c, known in told]

    def note(self, key: str, shape: Shape, stamp: int, changed: int, code: str) -> None:
        """Note a trial that was read and is as it was written; `stamp` was taken before it was read."""
        number, told = number_of(key), number_of(code)
        quiet = time.time_ns() - changed > QUIET * 1e9
        if number is None or told is None or not stamp or not quiet:
            return
        if shape not in self.shapes:
            self.shapes.append(shape)
        self.fresh[number] = (stamp, told, self.shapes.index(shape))

    def keep(self) -> None:
        """Write what was noted; lost without harm, where nothing can be written."""
        if not self.fresh:
            return
        lines, shapes = _read(self.path)  # another process may have noted others
        place = [shapes.index(s) if s in shapes else _added(shapes, s) for s in self.shapes]
        new = np.array([(k, s, c, place[p]) for k, (s, c, p) in self.fresh.items()], LINE)
        both = np.concatenate([new, lines])
        _, first = np.unique(both["key"], return_index=True)
        sure = np.concatenate([new["key"], self.lines["key"][self.sure]])
        self.lines, self.shapes = both[first], shapes
        self.sure = np.isin(self.lines["key"], sure)
        self.fresh.clear()
        head = json.dumps({"version": VERSION, "shapes": shapes}).encode() + b"\n"
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole(self.path, head + self.lines.tobytes(), durable=False)

    def _found(self, numbers: Sequence[int | None]) -> list[tuple[int, int, int] | None]:
        """What is known of these trials: (stamp, code, place of the shape)."""
        told: list[tuple[int, int, int] | None] = []
        for number, place in zip(numbers, self._places(numbers).tolist(), strict=True):
            if number is not None and number in self.fresh:
                told.append(self.fresh[number])
                continue
            _, stamp, code, shape = self.lines[place].tolist() if place >= 0 else (0, 0, 0, len(self.shapes))
            told.append((stamp, code, shape) if shape < len(self.shapes) else None)
        return told

    def _places(self, numbers: Sequence[int | None]) -> NDArray[np.intp]:
        """The lines [number] of these trials, -1 where there is none."""
        asked = np.array([n or 0 for n in numbers], np.uint64)
        if not len(self.lines):
            return np.full(len(asked), -1, np.intp)
        at = np.minimum(np.searchsorted(self.lines["key"], asked), len(self.lines) - 1)
        hit = (self.lines["key"][at] == asked) & np.array([n is not None for n in numbers], bool)
        return np.where(hit, at, -1)

    def _now(self, key: str, shape: Shape) -> tuple[int, int]:
        return stamp_of(f"{self.folder}/{key}", shape)


def stamp_of(folder: str, shape: Shape) -> tuple[int, int]:
    """A digest over what the system says of these files, and when one last changed (ns); (0, 0) where one is no file."""
    told: list[int] = []
    changed = 0
    try:
        for name in shape:
            found = os.lstat(f"{folder}/{name}")
            if not stat.S_ISREG(found.st_mode):
                return 0, 0
            changed = max(changed, found.st_mtime_ns, found.st_ctime_ns)
            told += (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode)
    except (OSError, ValueError):
        return 0, 0
    return int.from_bytes(blake2b(repr(told).encode(), digest_size=8).digest(), "little"), changed


def number_of(key: str) -> int | None:
    """16 hex digits as a number; None for other texts."""
    try:
        return int(key, 16) if len(key) == 16 else None
    except ValueError:
        return None


def _added(shapes: list[Shape], shape: Shape) -> int:
    shapes.append(shape)
    return len(shapes) - 1


def _read(path: Path) -> tuple[NDArray[Any], list[Shape]]:
    """The lines of a file of stamps, and its shapes; nothing of one that is not what this wrote."""
    try:
        head, _, body = content(path).partition(b"\n")
        told = cast("dict[str, Any]", json.loads(head))
        shapes = [tuple(map(str, shape)) for shape in told["shapes"]]
        lines = np.frombuffer(body, LINE)
        ordered = bool(np.all(lines["key"][1:] > lines["key"][:-1]))
        if told["version"] == VERSION and ordered and all(inside(n) for shape in shapes for n in shape):
            return lines, shapes
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return np.zeros(0, LINE), []
