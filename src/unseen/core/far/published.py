"""How does a folder appear whole or not at all where nothing can be renamed? Its files first, under what they hold.

trials/resa/09c4…/trial.json                               {"files": {"records.parquet": {"bytes": 4132, "sha256": "5b0c…"}, …}}

The place of the files is named after their digests, so two who publish other bytes under one name write to two places,
and the manifest, one object that is written last, says which of them counts. Every file is checked as it is fetched: a
reader gets all that one of them wrote, or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from ..disk import digest_of_file, inside
from ..errors import Damaged
from ..inert import label
from .objects import Far

Files = Mapping[str, tuple[int, str]]  # name -> (bytes, sha256)


def files_of(told: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """The files of a manifest with their sizes (bytes) and digests. Raises ValueError for names that lead elsewhere."""
    found: dict[str, tuple[int, str]] = {}
    for name, kept in cast("Mapping[str, Mapping[str, Any]]", told["files"]).items():
        if not inside(name):
            raise ValueError(f"{label(name)} is no name of a file in it")
        found[str(name)] = (int(kept["bytes"]), str(kept["sha256"]))
    return found


def digests(folder: Path) -> dict[str, dict[str, Any]]:
    """The files below a folder as a manifest lists them: name -> bytes and sha256."""
    return {
        p.relative_to(folder).as_posix(): {"bytes": p.stat().st_size, "sha256": digest_of_file(p)}
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def place(at: str, files: Files) -> str:
    """Where files lie that have these digests, below `at`."""
    told = json.dumps(sorted((name, *kept) for name, kept in files.items()), separators=(",", ":"))
    return f"{at}/{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def send(far: Far, folder: Path, at: str, files: Files) -> None:
    """Copy files there; they do not count until a manifest that names them is written."""
    to = place(at, files)
    for name in files:
        far.put_file(folder / name, f"{to}/{name}")


def fetch(far: Far, at: str, files: Files, to: Path, names: Iterable[str] | None = None) -> None:
    """Copy files here (all, or those of `names`), each whole and as its manifest says. Raises Damaged, naming the file.

    A file that is not right is fetched once more before that is said; nothing of it stays.
    """
    beyond = place(at, files)
    for name in files if names is None else names:
        path = to / name
        if path.is_file() and path.stat().st_size == files[name][0] and digest_of_file(path) == files[name][1]:
            continue
        why = ""
        for _ in range(2):
            why = _fetched(far, f"{beyond}/{name}", path, *files[name])
            if not why:
                break
        else:
            raise Damaged(f"{far.shown}/{beyond}/{name} {why}.")


def _fetched(far: Far, name: str, path: Path, size: int, sha256: str) -> str:
    """What is wrong with a file as it arrives; empty where it is right and stands at `path`."""
    spare = path.with_name(f".{path.name}.{os.getpid()}-{time.time_ns()}")
    try:
        if not far.get_file(name, spare):
            return "is gone"
        if (found := spare.stat().st_size) != size:
            return f"holds {found} bytes, not the {size} that were written"
        if digest_of_file(spare) != sha256:
            return "is not what was written (its sha256 changed)"
        os.replace(spare, path)
        return ""
    finally:
        spare.unlink(missing_ok=True)


def replaced(spare: Path, to: Path) -> None:
    """Put a folder made beside in its place; what stood there goes."""
    to.parent.mkdir(parents=True, exist_ok=True)
    while True:
        old = to.with_name(f".{to.name}.{os.getpid()}-{time.time_ns()}.old")
        try:
            os.rename(to, old)
        except FileNotFoundError:
            old = None
        try:
            os.rename(spare, to)
            break
        except OSError:
            if not to.exists():  # else another process was faster: once more
                raise
        finally:
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)
