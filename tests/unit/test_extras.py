"""Extras name the packages that pyproject.toml gives them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from unseen.extras import EXTRAS, absent, installed


def test_extras_are_those_of_the_package() -> None:
    told = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = told["optional-dependencies"]

    def names(extra: str) -> set[str]:
        found = set[str]()
        for line in extras[extra]:
            name = re.split(r"[><=\[ ]", line)[0]
            inner = re.search(r"unseen\[(.*)\]", line)
            found |= {n for e in inner.group(1).split(",") for n in names(e)} if inner else {name}
        return found

    for extra, packages in EXTRAS.items():
        assert set(packages) <= names(extra), f"{extra} lists a package that pyproject.toml does not give it"


def test_absent_packages_are_named() -> None:
    assert absent(["torch"]) == [] and absent(["no_such_extra"]) == ["no_such_extra"]
    assert installed("numpy") and installed("no-such-package") is None
