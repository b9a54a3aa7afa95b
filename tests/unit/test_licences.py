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
# MPL and LGPL ask for their own source alone, and are used as separate packages
FREE = {
    "0BSD", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC", "LGPL-2.1-or-later",
    "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "NCSA", "PSF-2.0", "Unlicense", "Zlib",
}  # fmt: skip
# words of those who name no SPDX identifier
WORDS = re.compile(
    r"\b(MIT|BSD|Apache|ISC|ISCL|Python Software Foundation|Mozilla Public License 2\.0|MPL[- ]2\.0|LGPL\w*|Lesser General Public|Public Domain|Unlicense|HPND|Zlib)\b",
    re.IGNORECASE,
)
STRICT = re.compile(
    r"\bA?GPL|(?<!Lesser )General Public License|Affero|Proprietary|Commercial|NonCommercial", re.IGNORECASE
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


def allowed(said: str) -> bool:
    """Whether an SPDX expression leaves a choice of nothing but free licences, or words tell of such ones alone."""
    names = re.findall(r"[\w.+-]+", said)
    words = {"AND", "OR", "WITH"}
    if not all(n in words or n in FREE or re.search(r"\d", n) or n.endswith("-exception") for n in names):
        return bool(WORDS.search(said)) and not STRICT.search(said)
    plain = re.sub(r" WITH [\w.+-]+", "", said)
    told = re.sub(r"[\w.+-]+", lambda m: m[0].lower() if m[0] in words else str(m[0] in FREE), plain)
    return bool(re.fullmatch(r"(True|False|and|or|[() ])+", told)) and bool(eval(told))


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
    wrong = {n: said for n, d in found.items() if not allowed(said := licence(d))}
    assert not wrong, wrong


def test_the_page_names_every_package() -> None:
    pytest.importorskip("packaging")
    named = set(re.findall(r"^\| (\S+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    lacking = sorted(set(needed()) - named)
    assert not lacking, f"{lacking} are needed and not on docs/licences.md; UNSEEN_LICENCES=write writes it anew."


@pytest.mark.parametrize(
    ("said", "free"),
    [
        ("MIT", True), ("Apache-2.0 AND MIT", True), ("MIT AND GPL-3.0-only", False), ("GPL-3.0-only OR MIT", True),
        ("BSD-3-Clause AND (MIT OR GPL-2.0-only)", True), ("(MIT OR ISC) AND SSPL-1.0", False), ("Apache-2.0 WITH LLVM-exception", True),
        ("Mozilla Public License 2.0 (MPL 2.0)", True), ("GNU General Public License v3 (GPLv3)", False), ("BSD License, GNU Affero General Public License", False),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", True), ("not told", False), ("Other/Proprietary License", False),
    ],
)  # fmt: skip
def test_what_is_free_by_hand(said: str, free: bool) -> None:
    assert allowed(said) is free
