"""What is made once and used by many trials? A file or folder, made by one of all who need it, fetched by the others.

once/<study>/<name>-<key>.json               {"kind": "folder", "files": {"weights.safetensors": {"bytes": …, "sha256": …}}}
once/<study>/<name>-<key>/<digest>/…         its files, see `published`

On one machine the first who comes makes it, in a folder beside. Where machines share a far store, one of them does, and
sends it there; what cannot be sent is used here all the same, and sent by the next who uses it.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..errors import Damaged, Invalid, UnseenError
from ..lease import lease
from .leases import Elsewhere
from .objects import Far
from .published import digests, fetch, files_of, send

Make = Callable[[Path], None]
ONLY = "content"  # what the one file of an artifact is called there that is a file


def made_once(place: Path, make: Make, far: Far | None, at: str) -> Path:
    """`place`, where `make` wrote it, here or on another machine. `at` is its name in a far store.

    Those who come while it is made wait. A maker that dies or raises leaves nothing behind. Raises what `make` raises.
    """
    unsent = place.with_name(f".{place.name}.unsent")
    if place.exists() and (far is None or not unsent.exists()):
        return place
    with lease(place.with_name(f"{place.name}.lease"), wait=None):
        if far is None:
            if not place.exists():
                _make(place, make)
        elif place.exists():
            with suppress(UnseenError):
                _send(far, at, place, unsent)
        elif not _fetch(far, at, place):
            with Elsewhere(far)(f"leases/{at}", wait=None):
                if not _fetch(far, at, place):
                    unsent.touch()
                    _make(place, make)
                    with suppress(UnseenError):
                        _send(far, at, place, unsent)
    return place


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _make(place: Path, make: Make) -> None:
    spare = place.with_name(f".{place.name}.making")
    remove(spare)  # what a maker that died left
    try:
        make(spare)
        if not spare.exists():
            raise Invalid(f"the maker of {place.name!r} wrote nothing to the path it was given.")
        os.replace(spare, place)
    finally:
        remove(spare)


def _send(far: Far, at: str, place: Path, unsent: Path) -> None:
    """Send an artifact, its manifest last."""
    if place.is_dir():
        told = {"kind": "folder", "files": digests(place)}
        send(far, place, at, files_of(told))
    else:
        alone = place.with_name(f".{place.name}.sending")
        shutil.rmtree(alone, ignore_errors=True)
        alone.mkdir()
        try:
            os.link(place, alone / ONLY)
        except OSError:
            shutil.copyfile(place, alone / ONLY)
        told = {"kind": "file", "files": digests(alone)}
        try:
            send(far, alone, at, files_of(told))
        finally:
            shutil.rmtree(alone, ignore_errors=True)
    far.write(f"{at}.json", json.dumps(told).encode())
    unsent.unlink(missing_ok=True)


def _fetch(far: Far, at: str, place: Path) -> bool:
    """Whether it was made elsewhere; it stands at `place`, whole. One that is damaged there counts as not made."""
    content = far.read(f"{at}.json")
    if content is None:
        return False
    spare = place.with_name(f".{place.name}.fetching-{time.time_ns()}")
    try:
        told = json.loads(content)
        spare.mkdir(parents=True)
        fetch(far, at, files_of(told), spare)
        os.replace(spare if told["kind"] == "folder" else spare / ONLY, place)
        return True
    except (Damaged, ValueError, KeyError, TypeError, AttributeError):
        return False
    finally:
        shutil.rmtree(spare, ignore_errors=True)
