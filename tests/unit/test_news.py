"""What changed since a time: flips, moves, firsts, and what the ledger holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import news_told
import pytest

from unseen.core import history
from unseen.core.card import Interval
from unseen.core.errors import Invalid
from unseen.core.ledger import shipped
from unseen.news import changes as news

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def test_flips_moves_and_firsts_are_told(tmp_path: Path) -> None:
    began = ago(seconds=2)
    news_told.told(tmp_path)
    news_told.verdict(tmp_path, "refuted", 0.03)
    found = news.gather(tmp_path, began)
    (flip,) = found.flips
    before, now = flip.change.before, flip.change.now
    assert before is not None and (before.status, now.status) == ("supported", "refuted"), "numbers alone are no flip"
    (first,) = found.studies
    assert (first.slug, first.source, dict(first.counts)) == (news_told.SLUG, "here", {"supported": 1})
    moved, made = found.moved
    assert made.first and len(made.moves) == 2 and made.moves[0].before is None and not made.moves[0].beyond
    (move,) = moved.moves
    assert not moved.first and moved.still == 1 and (move.axis, move.beyond) == ("length", True)
    assert [move.before and move.before.estimate, move.after.estimate] == [-0.5, -0.1]
    keys = [c.key for c in found.changes]
    assert len(set(keys)) == len(keys) == 4 and [c.key for c in news.gather(tmp_path, began).changes] == keys
    assert [c.when for c in found.changes] == sorted((c.when for c in found.changes), reverse=True)
    assert news.gather(tmp_path, ago(seconds=-5)).empty and news.gather(tmp_path / "none", began).empty


def test_a_small_move_is_within_its_intervals_and_cards_made_otherwise_are_apart(tmp_path: Path) -> None:
    news_told.card(tmp_path, -0.5)
    news_told.card(tmp_path, -0.45)
    moved, _ = news.gather(tmp_path, ago(seconds=5)).moved
    assert not moved.moves[0].beyond
    short = history.cards(tmp_path)[0].newest.card
    history.note_card(tmp_path, replace(short, axes={"length": short.axes["length"]}), {})
    news_told.card(tmp_path, -0.45, other=-0.3)
    newest = news.gather(tmp_path, ago(seconds=5)).moved[0]
    assert [(m.axis, m.before and m.before.estimate) for m in newest.moves] == [
        ("<b>order", -0.2)
    ] and newest.still == 1
    history.note_card(tmp_path, short, {"limit": "4"})
    assert news.gather(tmp_path, ago(seconds=5)).moved[0].first, "of other prompts, so it is held against none"
    nan = Interval(float("nan"), float("nan"), float("nan"))
    assert not news.apart(nan, Interval(0, 0, 0)) and not news.apart(Interval(0, 0, 0), nan)
    assert news.apart(Interval(0, -1, 1), Interval(3, 2, 4)) and not news.apart(Interval(0, -1, 1), Interval(1, 1, 4))


def test_a_ledger_tells_by_its_days_or_by_what_was_told_before(tmp_path: Path) -> None:
    ledger = tmp_path / "results"
    for slug, day in (("old", "2026-11-01"), ("new", "2026-11-26")):
        (ledger / slug).mkdir(parents=True)
        verdicts = [
            {"kind": k, "status": s}
            for k, s in (("finding", "refuted"), ("finding", "supported"), ("control", "supported"))
        ]
        told = {"recorded": day, "study": slug, "title": slug.title(), "tier": "laptop", "verdicts": verdicts}
        (ledger / slug / "laptop.json").write_text(json.dumps(told))
    (ledger / "new" / "smoke.json").write_text("{torn")
    (found,) = news.gather(tmp_path, datetime(2026, 11, 26, 15, tzinfo=UTC), ledger=ledger).studies
    assert (found.slug, found.source, dict(found.counts)) == ("new", "ledger", {"supported": 1, "refuted": 1})
    later = datetime(2026, 12, 9, tzinfo=UTC)
    assert news.gather(tmp_path, later, ledger=ledger).empty
    told_of = {m.key for m in news.recorded(ledger) if m.slug == "old"}
    assert [m.slug for m in news.gather(tmp_path, later, ledger=ledger, told=told_of).studies] == ["new"]


def test_the_ledger_of_this_package_can_be_read() -> None:
    assert {"omega", "resa"} <= {m.slug for m in news.recorded(shipped())}


@pytest.mark.parametrize(
    ("word", "when"),
    [
        ("7d", NOW - timedelta(days=7)),
        ("12h", NOW - timedelta(hours=12)),
        ("2w", NOW - timedelta(days=14)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00:00+02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
    ],
)
def test_words_for_a_time(word: str, when: datetime) -> None:
    assert news.since_of(word, NOW) == when


@pytest.mark.parametrize("word", ["", "7", "d", "-3d", "yesterday", "2026-13-01", "999999w"])
def test_words_for_no_time(word: str) -> None:
    with pytest.raises(Invalid, match="--since"):
        news.since_of(word, NOW)
