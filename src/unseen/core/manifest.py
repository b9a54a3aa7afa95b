"""What does a finished trial's folder say of itself? Its `trial.json`, and whether the files that it names are there.

read_manifest(folder / "trial.json")  ->  {"key": "09c4…", "files": {"records.parquet": {"bytes": 5432, "sha256": …}}, …}

A store may come from a stranger: a manifest names no file outside its folder, and no link is followed there.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, overload

from .disk import content
from .errors import Damaged
from .far.published import files_of
from .inert import label
from .plan import Trial

LARGEST = 50_000_000  # bytes of a manifest
KINDS = {
    "study": str, "version": int, "setting": dict, "seeds": list, "pins": dict, "evidence": str, "rows": int,
    "host": dict, "code": str, "versions": dict, "device": str, "threads": int, "minutes": int | float, "finished": str,
}  # fmt: skip
WRONG = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)  # what is no manifest raises


class Manifests(Sequence[Mapping[str, Any]]):
    """The manifests of many trials, each read when it is looked at: a hundred thousand of them would fill the memory."""

    def __init__(self, read: Callable[[Trial], Mapping[str, Any]], trials: Sequence[Trial]) -> None:
        self._read, self._trials = read, trials

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        found = self._trials[index]
        return Manifests(self._read, found) if isinstance(found, Sequence) else self._read(found)

    def __len__(self) -> int:
        return len(self._trials)


def stands(folder: Path) -> bool:
    """Whether a folder holds a manifest, which is written last: a folder without one does not exist."""
    try:
        return stat.S_ISREG(os.lstat(f"{folder}/trial.json").st_mode) and not os.path.islink(folder)
    except (OSError, ValueError):
        return False


def misses(folder: Path, name: str, size: int) -> str:
    """What is wrong with one file of a finished trial, by what the file system says of it; empty where all is well."""
    path = f"{folder}/{name}"
    try:
        found = os.lstat(path)
        parents = [name[:i] for i, letter in enumerate(name) if letter == "/"]
        if not stat.S_ISREG(found.st_mode) or any(os.path.islink(f"{folder}/{parent}") for parent in parents):
            return f"{label(path, 400)} is no file of this folder."
    except (OSError, ValueError):
        return f"{label(path, 400)} is gone."
    return "" if found.st_size == size else f"{path} holds {found.st_size} bytes, not the {size} that were written."


def read_manifest(path: Path, _: int = 0) -> dict[str, Any]:
    """A trial.json as it was at a time (ns). Raises Damaged where it is none."""
    try:
        return _checked(path.parent.name, content(path, LARGEST))
    except (OSError, *WRONG) as error:
        raise Damaged(f"{path} cannot be read ({label(error, 200)}).") from None


def manifest_of(key: str, text: str) -> dict[str, Any] | None:
    """The manifest of this trial in a text, None where it is none."""
    try:
        return _checked(key, text)
    except WRONG:
        return None


def _checked(key: str, text: str | bytes) -> dict[str, Any]:
    told = json.loads(text)
    if not isinstance(told, dict) or cast("dict[str, Any]", told).get("key") != key:
        raise ValueError("it is not this trial's manifest")
    files = files_of(cast("dict[str, Any]", told))
    if "records.parquet" not in files:
        raise ValueError("it names no records")
    if wrong := [name for name, kind in KINDS.items() if name in told and not isinstance(told[name], kind)]:
        raise ValueError(f"its {wrong[0]} is not what a trial writes")
    if not all(isinstance(seed, int) for seed in told.get("seeds", ())) or not math.isfinite(told.get("minutes", 0)):
        raise ValueError("its seeds or minutes are not what a trial writes")
    if not all(isinstance(pin, str) for pin in told.get("pins", {}).values()):
        raise ValueError("its pins are not what a trial writes")
    return cast("dict[str, Any]", told)
