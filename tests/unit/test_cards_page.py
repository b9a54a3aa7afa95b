"""Pages of cards: how profiles pair, how they moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from unseen.core import history
from unseen.core.card import Card, Interval, Profile
from unseen.pages import cards_page
from unseen.pages.source import Source


def profile(study: str, value: float, axis: str = "length", measure: str = "exact") -> Profile:
    around = Interval(value, value - 0.1, value + 0.1)
    return Profile(study, axis, measure, 0.0, Interval(0.9, 0.8, 1.0), around, Interval(value - 0.9, -1.0, 0.0), 100, "twin")  # fmt: skip


def card(model: str, *profiles: Profile, against: str | None = None) -> Card:
    axes: dict[str, list[Profile]] = {}
    for p in profiles:
        axes.setdefault(p.axis, []).append(p)
    return Card(model, "laptop", axes, against, [])


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Two models: one with two cards, and each with a study that the other has not."""
    for value in (0.3, 0.5):
        history.note_card(tmp_path, card("a", profile("omega", value), profile("resa", 0.4)), {})
    history.note_card(tmp_path, card("<b>", profile("omega", 0.7), profile("only_if", 0.4, "task")), {})
    return Source(tmp_path, None)


def test_an_empty_store_says_how_a_card_is_made(tmp_path: Path) -> None:
    assert "unseen card smollm2" in cards_page.index(Source(tmp_path, None))


def test_every_card_is_listed_and_has_its_page(source: Source) -> None:
    index = cards_page.index(source)
    names = list(cards_page.names(source))
    assert len(names) == 2 and all(f"cards/{n}.html" in index for n in names) and "<b></bdi>" not in index
    assert cards_page.page(source, "none-laptop") is None and cards_page.page(source, "../a-laptop") is None
    page = cards_page.page(source, "a-laptop")
    assert page and "How it moved" in page and "the newest of 2" in page
    other = cards_page.page(source, next(n for n in names if n != "a-laptop"))
    assert other and "How it moved" not in other and "&lt;b&gt;" in other


def test_two_cards_are_paired_by_what_was_measured(source: Source) -> None:
    names = list(cards_page.names(source))
    page = cards_page.compare(source, "a-laptop", next(n for n in names if n != "a-laptop"))
    assert page and "+0.20" in page and "resa" in page and "only_if" in page
    assert cards_page.compare(source, "a-laptop", "none") is None
    same = cards_page.compare(source, "a-laptop", "a-laptop")
    assert same and "+0.00" in same
