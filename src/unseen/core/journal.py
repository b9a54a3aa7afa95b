"""What has an unfinished trial yielded so far? Every row on disk as it comes, so that a kill loses none.

    rows.jsonl      {"code": "5b0c…", "device": "cpu", …}            in which world the rows were measured
                    {"kind": "Row", "measure": "exact", …}           one line a row

A torn last line is dropped. In another world (changed code, other versions, another device) the whole unfinished trial
is dropped: rows, checkpoints and files together, for its rows and the new ones would not be of one measurement.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from .disk import content
from .errors import Damaged, Invalid
from .record import Item, Row, Split, Value


class Journal:
    """The rows and items of one unfinished trial, in `folder/rows.jsonl`."""

    def __init__(self, folder: Path, world: Mapping[str, Any]) -> None:
        self.path, self.rows = folder / "rows.jsonl", dict[str, Row | Item]()
        if not self._read(world):
            self.rows.clear()
            if folder.exists():
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab", buffering=0)
        if not self._file.tell():  # one that a kill left torn is of no world; `sync` makes it durable, with its rows
            self._write(json.dumps(dict(world)).encode() + b"\n")

    def add(self, row: Row | Item) -> None:
        """Keep a row. Raises Invalid where one of the same identity said something else."""
        line = json.dumps({"kind": type(row).__name__, **asdict(row)}, default=plain, separators=(",", ":"))
        read = _row_of(json.loads(line))  # what is kept is what a killed trial would read back, to the type
        identity = _identity(read)
        before = self.rows.get(identity)
        if before is None:
            self.rows[identity] = read
            self._write(line.encode() + b"\n")
        elif _said(before) != _said(read):
            raise Invalid(
                f"a row was yielded twice with different values: {before} and then {read}. A trial must be a function of its setting and lab; if its world changed, run it with --fresh."
            )

    def sync(self) -> None:
        """Make every row durable."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) :]

    def _read(self, world: Mapping[str, Any]) -> bool:
        """Whether there is a journal of this world; its rows are read, and its torn end is cut off."""
        try:
            held = content(self.path)
        except OSError:
            return False
        end = held.rfind(b"\n") + 1
        try:
            first, *lines = held[:end].decode("utf-8").split("\n")[:-1]
            if json.loads(first) != json.loads(json.dumps(dict(world))):
                return False
            for line in lines:
                row = _row_of(json.loads(line))
                self.rows[_identity(row)] = row
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError, Invalid, Damaged):
            return False
        if end < len(held):
            with self.path.open("r+b") as file:
                file.truncate(end)
        return True


def rows_of(path: Path) -> Iterator[Row | Item]:
    """The rows in a journal, for those who look at an unfinished trial; a torn last line is left out."""
    for line in content(path).split(b"\n")[1:-1]:
        yield _row_of(json.loads(line))


def plain(value: Any) -> Any:
    """numpy's numbers as Python's; anything else is no plain value."""
    if hasattr(value, "item"):
        return value.item()
    raise Invalid(f"{value!r} is no plain value, so it cannot be recorded.")


def _identity(row: Row | Item) -> str:
    """What two rows of one trial cannot share: as Records tells rows apart, with `at` of split and row merged and a
    coordinate of None the same as none."""
    own = row.measure if isinstance(row, Row) else row.id
    at = {k: v for k, v in {**(row.split.at if row.split else {}), **row.at}.items() if v is not None}
    split = row.split.name if row.split else ""
    return json.dumps([type(row).__name__, own, split, at, row.step, row.seed], sort_keys=True)


def _said(row: Row | Item) -> str:
    """All that a row says, as text: equal for equal rows, not-a-number included, whatever the order of keys."""
    told = asdict(row)
    if isinstance(row, Row):
        told["value"] = float(row.value)
    else:
        told["scores"] = {k: float(v) for k, v in row.scores.items()}
    return json.dumps(told, sort_keys=True)


def _row_of(told: dict[str, Any]) -> Row | Item:
    kind = told.pop("kind")
    split = cast("dict[str, Any] | None", told["split"])
    if split is not None:
        split["at"] = _tuples(split["at"])
        told["split"] = Split(**split)
    told["at"] = _tuples(told["at"])
    if kind not in ("Row", "Item"):
        raise Damaged(f"a journal holds a {kind!r}, which is no row.")
    return Row(**told) if kind == "Row" else Item(**told)


def _tuples(at: Mapping[str, Any]) -> dict[str, Value]:
    return {k: _tuple(v) for k, v in at.items()}


def _tuple(value: Any) -> Value:
    return tuple(_tuple(v) for v in value) if isinstance(value, list) else value
