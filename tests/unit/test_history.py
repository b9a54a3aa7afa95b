"""What was found, and when: changes of verdicts and of cards, kept in the store."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import unseen as library
from tests.conftest import Said
from unseen import driver, folders
from unseen.core import find, history
from unseen.core.card import Card, Failure, Interval, OwnData, Profile
from unseen.core.claim import Verdict
from unseen.core.ledger import Judged
from unseen.core.record import Records

SHORT = "py:answering:short"
NAN = float("nan")


def judged(slug: str = "grokked_transformers", status: str = "supported", estimate: float = 0.5) -> Judged:
    """A study of which one claim was judged."""
    study = find.study(slug)
    verdict = Verdict(study.claims[0], "laptop", status, "twin", estimate, estimate - 0.1, float("inf"), units=5)  # type: ignore[arg-type]
    return Judged(slug, study, "laptop", (), Records.of([]), (verdict,))


def profile(gap: float, axis: str = "length") -> Profile:
    """A profile whose gap is known to a tenth."""
    one = Interval(0.6, 0.5, 0.7)
    return Profile(
        "omega", axis, "exact", 0.0, one, one, Interval(gap, gap - 0.1, gap + 0.1), 40, "twin", [("far", NAN, 3)]
    )


def test_a_verdict_is_written_when_it_changes_and_only_then(tmp_path: Path) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    assert [history.note_verdicts(tmp_path, judged()) for _ in range(3)] == [1, 0, 0]
    assert history.note_verdicts(tmp_path, judged(estimate=0.6)) == 1
    assert history.note_verdicts(tmp_path, judged(status="refuted", estimate=NAN)) == 1
    assert history.note_verdicts(tmp_path, judged(status="refuted", estimate=NAN)) == 0
    first, moved, flipped = history.verdicts(tmp_path)
    assert first.before is None and not first.flipped and first.now.status == "supported"
    assert moved.before == first.now and not moved.flipped and (moved.now.estimate, moved.now.units) == (0.6, 5)
    assert flipped.flipped and flipped.now.status == "refuted" and flipped.now.estimate != flipped.now.estimate
    assert first.now.slug == "grokked_transformers" and first.now.title.startswith("Grokked Transformers")
    assert len(history.verdicts(tmp_path, began)) == 3
    assert history.verdicts(tmp_path, datetime.now(UTC) + timedelta(seconds=1)) == []


def test_changed_plans_halves_and_claims_of_other_tiers_are_no_news(tmp_path: Path) -> None:
    whole = judged()
    elsewhere = replace(whole.verdicts[0].claim, tiers=("paper",))
    for one in (
        replace(whole, exploratory=True),
        replace(whole, absent=[object()]),  # type: ignore[list-item]
        replace(whole, damaged={"k": "its sha256 changed"}),
        replace(whole, verdicts=[replace(whole.verdicts[0], claim=elsewhere)]),
    ):
        assert history.note_verdicts(tmp_path, one) == 0
    assert history.verdicts(tmp_path) == [] and not (tmp_path / "history").exists()


def test_a_card_comes_back_as_it_was_with_those_before_it(tmp_path: Path) -> None:
    row = Failure("<b>2+2</b>", "4", "5", [(0.5, "2+3", "5")])
    own = OwnData("a.jsonl", "b.jsonl", "says", {"same": 1}, [("same", "x", "y")], [row], ["note"])
    changed = replace(profile(-0.1), change=Interval(0.1, 0.0, 0.2), change_reference=Interval(0.2, NAN, NAN), p=0.03)
    for path in (a := tmp_path / "a.jsonl", b := tmp_path / "b.jsonl"):
        path.write_text("{}\n")
    old = Card("hf:a/b", "laptop", {"length": [profile(-0.5)]})
    new = Card(
        "hf:a/b", "laptop", {"length": [changed], "own": [profile(-0.2, "own")]}, "hf:base", ["0.1 minutes"], own
    )
    assert history.note_card(tmp_path, old, {}) == 1
    assert history.note_card(tmp_path, replace(old, notes=["told otherwise"]), {}) == 0, "notes are of its making"
    assert history.note_card(tmp_path, new, {"limit": "5"}, (a, b)) == 1
    assert history.note_card(tmp_path, old, {}) == 0, "the last one like it says the same"
    assert history.note_card(tmp_path, replace(old, tier="smoke"), {}) == 1
    assert history.note_card(tmp_path, replace(old, axes={}), {}) == 0
    found = {s.tier: s for s in history.cards(tmp_path)}
    assert set(found) == {"laptop", "smoke"}
    newest, (earlier,) = found["laptop"].newest, found["laptop"].earlier
    assert json.dumps(newest.card.to_json()) == json.dumps(new.to_json()) and newest.card.own == own
    assert newest.sweep == {"limit": "5"} and newest.data and not earlier.data
    assert earlier.card.axes["length"][0].gap == old.axes["length"][0].gap


def test_torn_lines_are_left_out_and_ended(tmp_path: Path) -> None:
    """A kill or a full disk leaves half a line: nothing before or after it is lost."""
    history.note_verdicts(tmp_path, judged())
    (path,) = (tmp_path / "history" / "verdicts").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(history.verdicts(tmp_path)) == 1
    assert history.note_verdicts(tmp_path, judged(status="refuted")) == 1
    with path.open("ab") as file:
        file.write(
            b'\xff\xfe\n[]\nnull\n{"when": "yesterday"}\n{"when": "2026-11-27T00:00:00+00:00", "card": 3}\n\n{}\n'
        )
    assert [c.now.status for c in history.verdicts(tmp_path)] == ["supported", "refuted"]
    assert history.note_verdicts(tmp_path, judged(status="undecided")) == 1
    assert history.verdicts(tmp_path)[-1].before == history.verdicts(tmp_path)[1].now


HOSTILE = [
    "../../../etc/passwd",
    "hf:a/b",
    "a\0b",
    "..",
    ".",
    "",
    "/",
    "CON",
    "x" * 5000,
    "\ud800",
    "emoji 🐍",
    "A",
    "a",
]


def test_names_of_models_reach_nowhere_else(tmp_path: Path) -> None:
    names = [history.plain_name(name) for name in HOSTILE]
    assert len(set(map(str.lower, names))) == len(HOSTILE)
    assert all(0 < len(n) < 100 and not n.startswith((".", "-")) and not set(n) & set("/\\\0: \n") for n in names)
    for name in HOSTILE:
        history.note_card(tmp_path, Card(name, "smoke", {"length": [profile(0.0)]}), {})
    assert {s.model for s in history.cards(tmp_path)} == set(HOSTILE)
    assert sorted(p.parent for p in tmp_path.rglob("*.jsonl")) == [tmp_path / "history" / "cards"] * len(HOSTILE)


def test_runs_and_judgements_of_own_plans_are_noted_and_reading_is_not(unseen: Callable[..., Said], home: Path) -> None:
    folders.new("noted_study")
    library.run("noted_study", tier="laptop", seeds=6)
    assert history.verdicts(home) == [], "a changed plan is exploratory"
    library.run("noted_study", tier="laptop")
    found = history.verdicts(home)
    assert [(c.now.slug, c.now.id, c.before) for c in found] == [
        ("noted_study", "C1", None),
        ("noted_study", "C2", None),
    ]
    (path,) = (home / "history" / "verdicts").iterdir()
    path.unlink()
    library.judge(driver.ask("noted_study"))
    driver.judged_of([driver.ask("noted_study")], every=True)
    assert not path.exists(), "pages read; they never write"
    assert unseen("judge", "noted_study").code == 0 and len(history.verdicts(home)) == len(found)


def test_cards_are_noted_when_they_are_measured(unseen: Callable[..., Said], home: Path) -> None:
    assert unseen("card", SHORT, "--tier", "smoke", "--limit", "8").code == 0
    (series,) = history.cards(home)
    assert (series.model, series.tier, series.newest.sweep, series.earlier) == (SHORT, "smoke", {"limit": "8"}, [])
    library.card(SHORT, tier="smoke", measured=False)
    assert len(history.cards(home)[0].cards) == 1


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write everywhere")
def test_a_history_without_permission_is_told(unseen: Callable[..., Said], home: Path) -> None:
    (home / "history").mkdir(parents=True)
    (home / "history").chmod(stat.S_IRUSR | stat.S_IXUSR)
    told = unseen("card", SHORT, "--tier", "smoke")
    assert told.code == 0 and "the history cannot be written" in told.out


def test_a_history_that_cannot_be_written_stops_nobody(unseen: Callable[..., Said], home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "history").write_text("a file where a folder should be")
    folders.new("noted_study")
    told = unseen("run", "noted_study", "--tier", "laptop")
    assert told.code == 0 and "the history cannot be written" in told.err and "C1" in told.out
    assert "the history cannot be written" in library.card(SHORT, tier="smoke").notes[-1]
    assert library.run("noted_study", tier="laptop").verdicts
