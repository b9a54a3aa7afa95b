"""Which trials of a study are finished? Their manifests one by one, from an index where it still holds.

$UNSEEN_HOME/index/<study>.jsonl      {"of": "5b0c…"}                               a digest over all folders
                                      {"key": "09c4…", "stamp": 12…, "told": {…}}   one line a trial, sorted by key
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, cast

from .disk import opened
from .errors import Damaged
from .stamps import stamp_of

Manifest = dict[str, Any]
Read = Callable[[Path, int], Manifest]


def listed(trials: Path, index: Path, read: Read, *, write: bool = True) -> Iterator[Manifest]:
    """The manifests of the folders in `trials`, sorted by key, read by `read` where the index has another or none.

    One is in memory at a time. The index is written anew where it differs, unless `write` says that nothing may be;
    nothing is lost where it cannot be.
    """
    stamps = [(key, stamp_of(f"{trials}/{key}", ("trial.json",))[0]) for key in _keys(trials)]
    stamps = [(key, stamp) for key, stamp in stamps if stamp]
    of = blake2b(repr(stamps).encode(), digest_size=16).hexdigest()
    known = _lines(index)
    if next(known, {}).get("of") == of:
        whole = True
        for line, new in _merged(stamps, known, trials, read):
            whole = whole and not new
            yield line["told"]
        if not whole and write:
            with suppress(OSError):
                index.unlink()  # its end is lost; the next who asks writes it again
        return
    spare = index.with_name(f".{index.name}.{os.getpid()}")
    file = _opened(spare) if write else None
    try:
        _write(file, {"of": of})
        for line, _ in _merged(stamps, known, trials, read):
            _write(file, line)
            yield line["told"]
        if file is not None and not file.closed:
            file.close()
            with suppress(OSError):
                os.replace(spare, index)
    finally:
        if file is not None:
            file.close()
            with suppress(OSError):
                spare.unlink(missing_ok=True)


def _merged(
    stamps: Sequence[tuple[str, int]], known: Iterator[Manifest], trials: Path, read: Read
) -> Iterator[tuple[Manifest, bool]]:
    """The lines of the index as it should be, as they are known where they still hold; whether each was read anew."""
    line = next(known, None)
    for key, stamp in stamps:
        while line is not None and line["key"] < key:
            line = next(known, None)
        if line is not None and (line["key"], line["stamp"]) == (key, stamp):
            yield line, False
            continue
        with suppress(Damaged):
            yield {"key": key, "stamp": stamp, "told": read(trials / key / "trial.json", stamp)}, True


def _keys(trials: Path) -> list[str]:
    """The names of the folders that may be finished trials, sorted."""
    try:
        with os.scandir(trials) as found:
            return sorted(e.name for e in found if e.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _lines(index: Path) -> Generator[Manifest]:
    """The lines of an index, as far as they can be read and are in order."""
    with suppress(OSError, ValueError, RecursionError), opened(index) as file:
        last = ""
        for number, text in enumerate(file):
            line = json.loads(text)
            if number and not _is_line(line, last):
                return
            last = str(line.get("key", "")) if isinstance(line, dict) else ""
            yield line if isinstance(line, dict) else {}


def _is_line(line: Any, last: str) -> bool:
    """Whether a line tells of one trial after the last."""
    if not isinstance(line, dict):
        return False
    told = cast("dict[str, Any]", line)
    kinds = (("key", str), ("stamp", int), ("told", dict))
    return all(isinstance(told.get(name), kind) for name, kind in kinds) and told["key"] > last


def _opened(path: Path) -> BinaryIO | None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    return None


def _write(file: BinaryIO | None, line: Manifest) -> None:
    """One line more; a file that takes no more is closed, and the index stays as it was."""
    if file is None or file.closed:
        return
    try:
        file.write(json.dumps(line).encode() + b"\n")
    except (OSError, ValueError):
        with suppress(OSError):
            file.close()
