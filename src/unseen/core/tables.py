"""Is this table what a trial writes? Of one that someone else may have written, every column is looked at before use.

A store may come from a stranger: a table of other columns, of other kinds or of another trial is refused, in words.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .bundle import MANY, Bundle
from .inert import label
from .record import Records

PART = 256  # small tables that are read at once: opening them one by one takes eight times as long
SMALL = 64 << 10  # bytes of a small table
NEEDED = "records.parquet"  # the table that every trial has

TEXTS = ("measure", "split", "axis", "drawn", "evidence", "trial")
ITEM_TEXTS = ("id", "split", "prompt", "answer", "truth", "familiar", "finish", "scores", "at")
ITEM_NUMBERS = ("tokens", "step", "seed")


class Unreadable(ValueError):
    """A table is not what the trial with this key wrote."""

    def __init__(self, key: str, why: BaseException) -> None:
        super().__init__(label(why, 200))
        self.key = key


def gathered(folders: Mapping[str, str | Path], name: str, bundle: Bundle | None = None) -> Records:
    """The records in the tables of this name of finished trials: key -> folder. Raises Unreadable.

    Where they are many, what the bundle holds of them is not read from their tables, and what it lacks is added to it.
    """
    left, known, asked = list(folders), list[Any](), None
    if bundle is not None and len(folders) >= MANY:
        asked = bundle.asked(left)
        known, done = bundle.rows(asked)
        if name != NEEDED:
            done[asked["place"][asked["stamp"] == 0]] = True  # there is none
        left = [left[i] for i in np.flatnonzero(~done)]
    parts = (left[start : start + PART] for start in range(0, len(left), PART))
    read = [table for part in parts for table in _part({key: f"{folders[key]}/{name}" for key in part})]
    try:
        records = Records.concat(list(_joined([*known, *read], folders)))
    except (ValueError, RecursionError) as error:  # a text that is marked as JSON and is none
        if len(folders) == 1:
            raise Unreadable(next(iter(folders)), error) from None
        return Records.concat([gathered({key: folder}, name) for key, folder in folders.items()])
    if bundle is not None and asked is not None and len(left) >= MANY:
        bundle.keep(list(folders), asked, read)
    return records


def table_at(key: str, path: str, *, needed: bool = False) -> Any:
    """One table (polars) of the trial with this key, None where it has none. Raises Unreadable."""
    import polars as pl

    if not os.path.isfile(path):
        if needed:
            raise Unreadable(key, OSError("it is no file"))
        return None
    try:
        return pl.read_parquet(path, memory_map=False)
    except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise Unreadable(key, error) from None


def _part(paths: Mapping[str, str]) -> Iterator[Any]:
    """The tables of some trials, of several in one where they are small and alike."""
    if (several := _at_once(paths)) is not None:
        yield several
        return
    for key, path in paths.items():
        needed = os.path.basename(path) == NEEDED
        table = table_at(key, path, needed=needed)
        try:
            table = None if table is None else admitted(table, key, items=not needed)
        except ValueError as error:
            raise Unreadable(key, error) from None
        if table is not None:
            yield table


def _at_once(paths: Mapping[str, str]) -> Any:
    """Small tables of records as one, which holds every trial's rows in turn; None where that cannot be said of it."""
    import polars as pl

    try:
        if len(paths) < 2 or not all(map(_small, paths.values())):
            return None
        table = pl.scan_parquet([Path(p).read_bytes() for p in paths.values()]).collect()
        if table["trial"].rle().struct.field("value").to_list() != list(paths):
            return None
        return admitted(table, *paths)
    except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None  # one by one, then: that tells which it is


def _small(path: str) -> bool:
    """Whether this is a small table of records. A pipe would wait for who writes."""
    found = os.lstat(path)
    return os.path.basename(path) == NEEDED and stat.S_ISREG(found.st_mode) and found.st_size <= SMALL


def _joined(tables: Sequence[Any], order: Iterable[str]) -> Iterator[Records]:
    """The records of many tables, those of one form taken together, in the order of their trials."""
    import polars as pl

    forms: dict[str, list[Any]] = {}
    for table in tables:
        forms.setdefault(repr(table.schema), []).append(table)
    place = {key: i for i, key in enumerate(order)}
    found: list[tuple[int, Any]] = []
    for alike in forms.values():
        table = pl.concat(alike)
        runs = table["trial"].rle().struct
        places = np.repeat([place[key] for key in runs.field("value")], runs.field("len"))
        ordered = bool(np.all(places[1:] >= places[:-1]))
        found.append((int(places.min()), table if ordered else table[np.argsort(places, kind="stable")]))
    for _, table in sorted(found, key=lambda one: one[0]):
        yield Records.of_frames(table)


def admitted(table: Any, *keys: str, items: bool = False) -> Any:
    """A table (polars) of records, or of the scores of items, of the trials with these keys. Raises ValueError."""
    import polars as pl

    if table.is_empty():
        return None
    schema = dict(table.schema)
    kinds = dict.fromkeys(TEXTS, pl.String) | {
        "shifted": pl.Boolean,
        "seed": pl.Int64,
        "value": pl.Float64,
        "n": pl.Int64,
    }
    kinds |= {"id": pl.String} if items else {}
    for name, kind in kinds.items():
        if schema.get(name) != kind or table[name].null_count():
            raise ValueError(f"its column {name!r} is not what a trial writes")
    if schema.get("step") != pl.Int64 and (schema.get("step") != pl.Boolean or table["step"].count()):
        raise ValueError("its column 'step' is not what a trial writes")
    inner = [n for n in schema if n not in kinds and n != "step"]
    plain = (pl.String, pl.Boolean, pl.Int64, pl.Float64)
    if wrong := [
        n for n in inner if schema[n] not in plain or not (n == "setting" or n.startswith(("setting.", "at.")))
    ]:
        raise ValueError(f"no trial writes a column such as {label(wrong[0])}")
    if table["trial"].unique(maintain_order=True).to_list() != list(keys):
        raise ValueError("it is of another trial")
    return table


def item_of(row: dict[str, Any]) -> dict[str, Any]:
    """A line of a table of items, its scores and coordinates read. Raises ValueError."""
    texts = all(isinstance(row.get(n), str) or (row.get(n, 0) is None and n == "familiar") for n in ITEM_TEXTS)
    numbers = all(row.get(n) is None or isinstance(row[n], int) for n in ITEM_NUMBERS)
    if not texts or not numbers or not isinstance(row.get("shifted"), bool):
        raise ValueError("it is no table of items")
    told = {**row, "scores": json.loads(row["scores"]), "at": json.loads(row["at"])}
    if not isinstance(told["scores"], dict) or not isinstance(told["at"], dict):
        raise ValueError("its scores or coordinates are none")
    if not all(isinstance(v, int | float) for v in told["scores"].values()):
        raise ValueError("a score is no number")
    return told
