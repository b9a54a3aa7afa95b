"""Every study keeps every rule: one test for each study and check, as `unseen validate` runs them for anybody's.

Each study's smoke tier runs once a session; the checks that read its records share them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from unseen.conformance import MEASURED, REHEARSED, STATIC, Check, measured, one
from unseen.core import find

OWN = [slug for slug, folder in find.slugs().items() if folder.parent == Path(find.__file__).parent.parent / "studies"]
FIXTURES = Path(__file__).parent / "fixtures"


def pairs(checks: Any) -> list[Any]:
    """Every study with every check, readable, each study on one worker."""
    return [
        pytest.param(slug, name, id=f"{slug}-{name.replace(' ', '-')}", marks=pytest.mark.xdist_group(slug))
        for slug in OWN
        for name in checks
    ]


@pytest.fixture
def one_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store and caches for the whole session, apart from the user's."""
    monkeypatch.setenv("UNSEEN_HOME", str(tmp_path_factory.getbasetemp() / "conformance"))


@cache
def smoke(slug: str) -> tuple[Any, Check]:
    """The records of a study's smoke tier, and how its run went."""
    return measured(slug)


@pytest.mark.usefixtures("one_home")
@pytest.mark.parametrize(("slug", "name"), pairs([*STATIC, *REHEARSED]))
def test_rule(slug: str, name: str) -> None:
    check = one(name, slug)
    assert check.passed, check.why


@pytest.mark.usefixtures("one_home")
@pytest.mark.parametrize(("slug", "name"), pairs(MEASURED))
def test_smoke(slug: str, name: str) -> None:
    records, ran = smoke(slug)
    assert records is not None, ran.why
    check = one(name, slug, records)
    assert check.passed, check.why


def test_the_list_is_the_folder() -> None:
    folder = Path(find.__file__).parent.parent / "studies"
    assert sorted(OWN) == sorted(p.parent.name for p in folder.glob("*/study.py"))


@pytest.mark.parametrize("slug", sorted(p.name for p in FIXTURES.iterdir() if (p / "study.py").is_file()))
def test_the_studies_of_these_tests_keep_the_rules_too(slug: str, unseen: Any) -> None:
    for name in STATIC:
        check = one(name, slug)
        assert check.passed, (name, check.why)
