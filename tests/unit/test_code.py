"""The digest of a trial's code changes when what it can depend on does, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.core import code
from unseen.core.code import closure, code_digest

STUDY = '''
"""A study."""
from dataclasses import dataclass
from unseen.core.claim import Claim, level
from .words import LABEL, OTHER

SIZE = 3
UNUSED = 4

@dataclass(frozen=True)
class Setting:
    """One way."""
    width: int = SIZE
    label: str = LABEL

def settings(tier):
    return [Setting()]

STUDY = (Claim, level, settings, OTHER, UNUSED)
'''
TRIAL = '''
"""How?"""
from unseen.tasks import layout
from .study import Setting
from . import tasks

def run(setting: Setting, lab):
    """Yield."""
    # a comment
    yield tasks.draw(setting, layout)
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "small_words"
    folder.mkdir()
    texts = {
        "study": STUDY,
        "trial": TRIAL,
        "tasks": "def draw(s, l):\n    return 1\n",
        "words": "LABEL = 'a'\nOTHER = 1\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "tool.py").write_text("A = 1\n")
    monkeypatch.setenv("UNSEEN_STUDIES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return folder


def changed(path: Path, old: str, new: str) -> bool:
    """Whether the digest of the study is another once its file says `new` for `old`."""
    before, text = code_digest("small_words"), path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    after = code_digest("small_words")
    path.write_text(text)
    return before != after


def test_the_closure_holds_what_trial_imports_and_no_more(place: Path) -> None:
    names = {p.name if p.is_relative_to(place) else str(p.relative_to(code.PACKAGE)) for p in closure("small_words")}
    assert {"trial.py", "study.py", "tasks.py", "words.py", "tasks/layout.py", "tasks/__init__.py"} <= names
    assert not [n for n in names if n.startswith(("core", "pages")) or n in ("cli.py", "driver.py", "tool.py")]


def test_what_is_measured_changes_the_digest(place: Path) -> None:
    assert changed(place / "trial.py", "yield tasks.draw", "yield 2 * tasks.draw")
    assert changed(place / "tasks.py", "return 1", "return 2")
    assert changed(place / "study.py", "SIZE = 3", "SIZE = 5")
    assert changed(place / "study.py", "width: int", "width: float")
    assert changed(place / "words.py", "LABEL = 'a'", "LABEL = 'b'")
    assert changed(place / "trial.py", "from unseen.tasks import layout", "from unseen.tasks import parity as layout")


def test_words_and_claims_change_nothing(place: Path) -> None:
    assert not changed(place / "trial.py", '"""Yield."""', '"""Yield a row."""')
    assert not changed(place / "trial.py", "# a comment", "# another")
    assert not changed(place / "study.py", '"""One way."""', '"""One way of many."""')
    assert not changed(place / "study.py", "STUDY = (Claim, level, settings, OTHER, UNUSED)", "STUDY = None")
    assert not changed(place / "study.py", "Claim, level\n", "Claim, gap\n")
    assert not changed(place / "study.py", "[Setting()]", "[Setting(), Setting(9)]")
    assert not changed(place / "study.py", "UNUSED = 4", "UNUSED = 5")
    assert not changed(place / "tool.py", "A = 1", "A = 2")


def test_a_module_that_imports_by_name_depends_on_its_neighbours(place: Path) -> None:
    (place / "trial.py").write_text("from unseen import models\n\ndef run(s, lab):\n    yield models\n")
    names = {str(p.relative_to(code.PACKAGE)) for p in closure("small_words") if p.is_relative_to(code.PACKAGE)}
    assert {"models/names.py", "models/tiny.py", "models/engine.py"} <= names


def test_what_a_package_offers_beside_the_asked_is_no_part(place: Path) -> None:
    (place / "trial.py").write_text("from unseen.models.decoder import small\n\ndef run(s, lab):\n    yield small\n")
    names = {str(p.relative_to(code.PACKAGE)) for p in closure("small_words") if p.is_relative_to(code.PACKAGE)}
    assert {"models/__init__.py", "models/decoder.py", "models/shape.py"} <= names
    assert not {"models/names.py", "models/hub.py", "models/tiny.py"} & names


def test_a_package_that_does_more_than_offer_counts_whole(place: Path) -> None:
    (place / "parts").mkdir()
    (place / "parts" / "__init__.py").write_text("from .one import A\nfrom .two import B\n")
    (place / "parts" / "one.py").write_text("A = 1\n")
    (place / "parts" / "two.py").write_text("B = 1\n")
    (place / "trial.py").write_text("from .parts import A\n\ndef run(s, lab):\n    yield A\n")
    assert changed(place / "parts" / "one.py", "A = 1", "A = 2")
    assert not changed(place / "parts" / "two.py", "B = 1", "B = 2")
    with (place / "parts" / "__init__.py").open("a") as file:
        file.write("A.append(B)\n")
    assert changed(place / "parts" / "two.py", "B = 1", "B = 2")


def test_the_folder_may_lie_anywhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest("small_words")
    elsewhere = place.parent / "elsewhere"
    elsewhere.mkdir()
    place.rename(elsewhere / "small_words")
    monkeypatch.setenv("UNSEEN_STUDIES", str(elsewhere))
    assert code_digest("small_words") == before


def test_every_own_study_has_a_digest() -> None:
    for folder in sorted((code.PACKAGE / "studies").glob("*/trial.py")):
        assert len(code_digest(folder.parent.name)) == 16
