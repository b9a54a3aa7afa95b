"""How does the gallery become a folder of files? Every page that `unseen view` serves and that needs no server.

    write(Path("public"), everything(Source(…)))   ->  Written(Path("public"), pages=63, …)

The folder opens from a disk and under any path of a server: pages name each other from where they lie. It is built beside
its place and put there whole, and it replaces nothing but an earlier site of this kind, known by a file of its own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unseen.core.errors import Mistake

from . import report

MARK = ".unseen-site"  # says that a folder may be replaced
HEAVY = 2_000_000  # bytes that a page should not have


@dataclass(frozen=True)
class Written:
    """A site: its folder, how many files and bytes it has, and the pages that are heavier than they should be."""

    folder: Path
    files: int
    bytes: int
    heavy: tuple[tuple[str, int], ...] = ()


def write(out: Path, files: Iterable[tuple[str, bytes]]) -> Written:
    """Write these files (path below the root, content) as the site `out`, whole or not at all.

    Raises Mistake where `out` is something else than an earlier site or an empty folder, or cannot be written.
    """
    place = out.resolve()
    _refuse(place, out)
    fresh, old = (place.with_name(f".{place.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        sizes = dict(_built(fresh, files))
        told = {"written": report.now(), "version": report.version(), "files": len(sizes)}
        (fresh / MARK).write_text(json.dumps(told) + "\n", encoding="utf-8")
        (fresh / ".nojekyll").touch()  # GitHub Pages serves the files as they are
        _swap(fresh, place, old)
    except OSError as error:
        raise Mistake(f"--out {out}: the site cannot be written there ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    heavy = tuple((path, n) for path, n in sizes.items() if path.endswith(".html") and n > HEAVY)
    return Written(out, len(sizes), sum(sizes.values()), heavy)


def _refuse(place: Path, out: Path) -> None:
    if not place.exists():
        return
    if not place.is_dir():
        raise Mistake(f"--out {out} is a file; name a folder for the site.")
    if not (place / MARK).is_file() and any(place.iterdir()):
        raise Mistake(
            f"--out {out} holds files that are no site of Unseen's ({MARK} is not among them), and a site replaces all that was there; name an empty or a new folder."
        )


def _built(folder: Path, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, int]]:
    for path, content in files:
        to = folder / path
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(content)
        yield path, len(content)


def _swap(fresh: Path, place: Path, old: Path) -> None:
    """Put the new folder in the old one's place; where that fails, the old one stays."""
    if place.exists():
        os.replace(place, old)
    try:
        os.replace(fresh, place)
    except OSError:
        if old.exists():
            os.replace(old, place)
        raise
