"""Every package that Unseen needs when it runs, in base and all extras for users, has a licence that is on the list.

UNSEEN_LICENCES=write python -m pytest tests/unit/test_licences.py     write docs/licences.md anew
"""

from __future__ import annotations

import os
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
OURS = {"all", "docs", "dev", "bench"}  # extras for those who work on Unseen; `all` is of others
# words that a licence is known by; MPL and LGPL ask for their own source alone, and are used as separate packages
ALLOWED = re.compile(
    r"\b(MIT|MIT-0|MIT-CMU|BSD|BSD[- ][23][- ]Clause|0BSD|Apache|Apache-2\.0|ISC|ISCL|PSF-2\.0|Python Software Foundation|Zlib|CC0-1\.0|Unlicense|HPND|MPL-2\.0|Mozilla Public License 2\.0|LGPL|Lesser General Public|Public Domain|BSL-1\.0|NCSA|CNRI-Python|NVIDIA|Artistic)\b",
    re.IGNORECASE,
)

READ = {"locate": "MIT"}  # its LICENSE file, which its classifier contradicts


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> dict[str, metadata.Distribution]:
    """What is installed of all that base and the extras for users need, and of what that needs."""
    from packaging.requirements import Requirement

    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = told["optional-dependencies"]
    todo = [Requirement(r) for r in told["dependencies"]]
    todo += [Requirement(r) for name in extras if name not in OURS for r in extras[name]]
    found, seen = dict[str, metadata.Distribution](), set[tuple[str, frozenset[str]]]()
    while todo:
        one = todo.pop()
        at = plain(one.name), frozenset(one.extras)
        if at in seen or at[0] == "unseen":
            continue
        seen.add(at)
        try:
            found[at[0]] = kept = metadata.distribution(at[0])
        except metadata.PackageNotFoundError:
            continue
        for text in kept.requires or ():
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": e}) for e in ("", *one.extras)):
                todo.append(inner)
    return found


def licence(of: metadata.Distribution) -> str:
    """What a package's own words say of its licence, in a line."""
    head = of.metadata
    if head["Name"] in READ:
        return READ[head["Name"]]
    if said := head.get("License-Expression"):
        return said
    kinds = [c.rsplit(" :: ", 1)[1] for c in head.get_all("Classifier") or () if c.startswith("License ::")]
    said = " ".join((head.get("License") or "").split())
    return ", ".join(k for k in kinds if k != "OSI Approved") or said[:80] or "not told"


def page(found: dict[str, metadata.Distribution]) -> str:
    """The page of the docs."""
    rows = [f"| {n} | {d.version} | {licence(d)} |" for n, d in sorted(found.items())]
    return "\n".join(["# Licences", "", "What Unseen needs when it runs, with all its extras, as one machine had it. It ships none of them.", "", "| package | version | licence |", "|---|---|---|", *rows, ""])  # fmt: skip


def test_every_licence_is_on_the_list() -> None:
    pytest.importorskip("packaging")
    found = needed()
    if os.environ.get("UNSEEN_LICENCES") == "write":
        PAGE.write_text(page(found), encoding="utf-8")
    assert "numpy" in found
    wrong = {n: said for n, d in found.items() if not ALLOWED.search(said := licence(d))}
    assert not wrong, wrong
