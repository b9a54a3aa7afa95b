"""Is a worker elsewhere like the driver's machine? It takes over folder and environment, and compares versions and code.

differs(told, ("task_hinting",))  ->  "torch is 2.13.0 on desk, where the driver is, and 2.12.1 on node7, …"
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from .. import find
from ..errors import UnseenError
from ..work import code_loaded, versions

COMPARED = ("unseen", "python", "torch", "numpy")  # versions that make other numbers


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


def coded(told: Told, studies: Iterable[str]) -> Told:
    """The same words with the digests of the code of these studies; a study that is not here has none."""
    code: dict[str, str] = {}
    for slug in studies:
        with suppress(Exception):  # it fails where its trial is unpacked, and says why
            code[slug] = code_loaded(slug, find.folder(slug))
    return replace(told, code=code)


def settled(told: Told) -> str:
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


def differs(told: Told, studies: tuple[str, ...]) -> str:
    """One paragraph where this worker would measure other numbers than the driver's machine; empty where it is like it."""
    return _compared(
        told.host,
        tuple((n, told.versions.get(n, "none")) for n in COMPARED),
        tuple((s, told.code.get(s, "")) for s in studies),
    )


@cache
def _compared(host: str, wanted: tuple[tuple[str, str], ...], code: tuple[tuple[str, str], ...]) -> str:
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
