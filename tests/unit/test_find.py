"""Studies are found by listing folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen import folders
from unseen.core import find
from unseen.core.errors import Invalid, Missing, Mistake, Unknown


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNSEEN_STUDIES", raising=False)
    return tmp_path


def test_a_folder_with_study_py_is_a_study(place: Path) -> None:
    folders.new("small_things")
    (place / "studies" / "no_study").mkdir()
    assert "small_things" in find.slugs() and "no_study" not in find.slugs()
    assert find.study("small_things").paper.title == "Small things"


def test_folders_elsewhere_are_found_and_import_their_own_modules(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = place / "elsewhere"
    folders.new("other_things", place=elsewhere)
    monkeypatch.setenv("UNSEEN_STUDIES", str(elsewhere))
    assert find.module("other_things", "trial").run.__module__.endswith("other_things.trial")


def test_two_folders_of_one_name_do_not_mix(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in ("one", "two"):
        folder = folders.new("same_name", place=place / at)
        study = folder / "study.py"
        study.write_text(study.read_text().replace('"Same name"', f'"Same name {at}"'))
        monkeypatch.setenv("UNSEEN_STUDIES", str(place / at))
        assert find.study("same_name").paper.title == f"Same name {at}"


def test_unknown_names_the_nearest(place: Path) -> None:
    folders.new("small_things")
    with pytest.raises(Unknown, match=r"no study is called 'small_thing'; the nearest .*small_things.*unseen list"):
        find.folder("small_thing")


def test_a_study_that_cannot_be_imported_says_where(place: Path) -> None:
    path = folders.new("small_things") / "study.py"
    path.write_text("def broken(:\n")
    with pytest.raises(Mistake, match=r"study\.py, line 1"):
        find.study("small_things")
    path = folders.new("more_things") / "study.py"
    path.write_text("NOTHING = 1\n")
    with pytest.raises(Invalid, match="defines no STUDY"):
        find.study("more_things")


def test_a_missing_extra_names_the_command(place: Path) -> None:
    path = folders.new("small_things") / "trial.py"
    path.write_text("import not_installed_here\n")
    with pytest.raises(Missing, match=r"needs not_installed_here. Install it: pip install 'unseen\["):
        find.module("small_things", "trial")


def test_departures_are_read_from_comments(place: Path) -> None:
    path = folders.new("small_things") / "trial.py"
    path.write_text('"""x"""\nA = 1\n# DEPARTS: the paper uses two;\n# one is enough here.\nB = 2\n')
    assert find.departures("small_things") == ["trial.py:3: the paper uses two; one is enough here."]


def test_a_missing_part_is_named(place: Path) -> None:
    folders.new("small_things")
    with pytest.raises(Invalid, match=r"has no tool\.py"):
        find.module("small_things", "tool")
