"""Studies are found by listing folders."""

from __future__ import annotations

from importlib.metadata import EntryPoint
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
    for at in ("one", "two"):  # both made before either is listed: `new` refuses a name that is taken
        study = folders.new("same_name", place=place / at) / "study.py"
        study.write_text(study.read_text().replace('"Same name"', f'"Same name {at}"'))
    for at in ("one", "two"):
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


def test_what_a_study_raises_while_it_is_imported_is_the_callers_to_mend(place: Path) -> None:
    for slug, code, says in (
        ("small_things", "import unseen.core.no_such_part\n", r"study\.py cannot be imported: No module named"),
        ("more_things", "A = 1 / 0\n", r"study\.py cannot be imported: .*line 1: ZeroDivisionError"),
        (
            "other_things",
            "from unseen.core.study import Needs\nNeeds(minutes=0)\n",
            "Needs.minutes=0: it must be above 0",
        ),
    ):
        (folders.new(slug) / "study.py").write_text(code)
        with pytest.raises(Mistake, match=says):
            find.study(slug)


def test_an_extra_that_study_py_itself_lacks(place: Path) -> None:
    (folders.new("small_things") / "study.py").write_text("import not_installed_here\n")
    with pytest.raises(Missing, match=r"pip install 'unseen\[all\]'"):
        find.study("small_things")


def test_parts_and_sheets(place: Path) -> None:
    folder = folders.new("small_things")
    assert find.has("small_things", "trial") and not find.has("small_things", "tool")
    assert find.sheet("small_things").startswith("# Small things")
    (folder / "sheet.md").unlink()
    with pytest.raises(Missing, match=r"has no sheet\.md"):
        find.sheet("small_things")


def test_departures_end_where_another_begins(place: Path) -> None:
    path = folders.new("small_things") / "trial.py"
    path.write_text("# DEPARTS: one;\n# more of it.\n# DEPARTS: two.\n")
    assert find.departures("small_things") == ["trial.py:1: one; more of it.", "trial.py:3: two."]


def test_packages_may_bring_studies(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of the group `unseen.studies` names a package whose sub-folders are studies."""
    folders.new("brought_things", place=place / "brought_here")
    (place / "brought_here" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(place))
    point = EntryPoint("x", "brought_here", "unseen.studies")
    monkeypatch.setattr(find, "_points", lambda: (point.value, "no_such_package"))
    assert find.slugs()["brought_things"] == (place / "brought_here" / "brought_things").resolve()


def test_hidden_folders_are_no_studies(place: Path) -> None:
    folders.new("small_things").rename(place / "studies" / ".small_things.12")
    assert not [s for s in find.slugs() if "small" in s]


@pytest.mark.parametrize("slug", ["Small", "9things", "a_b_c_d_e", "", "a-b", "a/b"])
def test_new_refuses_what_is_no_slug(slug: str, place: Path) -> None:
    with pytest.raises(Invalid, match="is no slug"):
        folders.new(slug)


def test_new_refuses_a_name_that_is_taken_and_a_place_that_is_closed(place: Path) -> None:
    folders.new("small_things")
    with pytest.raises(Mistake, match="a study called small_things already"):
        folders.new("small_things")
    (place / "closed").write_text("")
    with pytest.raises(Mistake, match="cannot be written"):
        folders.new("more_things", place=place / "closed")
    assert [p.name for p in (place / "studies").iterdir()] == ["small_things"]


def test_a_copy_has_a_title_of_its_own(place: Path) -> None:
    source = folders.new("small_things")
    (source / "__pycache__").mkdir()
    copy = folders.new("more_things", source="small_things")
    assert find.study("more_things").paper.title == "More things, after: Small things"
    assert not (copy / "__pycache__").exists() and (copy / "trial.py").read_text() == (source / "trial.py").read_text()
    (source / "study.py").write_text((source / "study.py").read_text().replace('Paper("Small things"', "Paper(str(1)"))
    folders.new("third_things", source="small_things")
    assert find.study("third_things").paper.title == "1"
