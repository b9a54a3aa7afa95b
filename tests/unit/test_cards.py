"""A model's card over all studies: within a budget, in several formats, against a base."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import unseen as library
from tests.conftest import Said
from unseen import cards
from unseen.core.card import Interval, Profile
from unseen.core.errors import Invalid
from unseen.words import minutes_of

SHORT = "py:answering:short"


class Clock:
    """A clock that a study's measurement moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_gap_known_worst_is_asked_most_while_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two studies; an item of `slow` takes a second, one of `wide` a tenth, and its gap is ten times as wide."""
    clock, asked = Clock(), list[tuple[str, int]]()

    def profiled(slug: str, study: object, wanted: cards.Wanted, more: dict[str, str]) -> list[Profile]:
        n = int(more["limit"])
        asked.append((slug, n))
        clock.now += n if slug == "slow" else n / 10
        half = (0.1 if slug == "slow" else 1.0) / math.sqrt(n)
        none = Interval(0.5, 0.4, 0.6)
        return [Profile(slug, "length", "exact", 0.0, none, none, Interval(0.0, -half, half), n, "twin")]

    monkeypatch.setattr(cards, "_profiled", profiled)
    monkeypatch.setattr(cards, "_fields", lambda study, tier: {"limit"})
    wanted = cards.Wanted("m", "smoke", None, {}, {}, None)
    found = cards.within([("slow", None), ("wide", None)], wanted, 1.1, clock)  # type: ignore[list-item]
    sizes = [n for slug, n in asked if slug == "wide"]
    assert asked[:2] == [("slow", 4), ("wide", 4)] and sizes == [4, 8, 16, 32, 64, 128, 256]
    assert [n for slug, n in asked if slug == "slow"] == [4, 8], "of the narrow one only what time was left for"
    assert clock.now <= 66 and [p.n for p in found] == [8, 256] and "1.0 of 1.1 minutes were spent" in wanted.notes[-1]
    with pytest.raises(Invalid, match="in no time"):
        cards.within([], wanted, 0)


def test_a_study_that_fails_is_not_asked_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr(cards, "_profiled", lambda slug, study, wanted, more: asked.append(slug) or [])
    monkeypatch.setattr(cards, "_fields", lambda study, tier: {"limit"})
    assert cards.within([("broken", None)], cards.Wanted("m", "smoke", None, {}, {}, None), 1.0) == []  # type: ignore[list-item]
    assert asked == ["broken"]


@pytest.mark.parametrize(("word", "minutes"), [("90s", 1.5), ("10m", 10), ("2h", 120), ("3", 3), ("0.5m", 0.5)])
def test_words_for_a_time(word: str, minutes: float) -> None:
    assert minutes_of(word) == minutes


@pytest.mark.parametrize("word", ["", "0", "-1m", "ten", "10 minutes", "1d"])
def test_words_for_no_time(word: str) -> None:
    with pytest.raises(Invalid, match="write a time such as 90s, 10m or 2h"):
        minutes_of(word)


def test_a_budget_and_formats_from_the_command_line(unseen: Callable[..., Said]) -> None:
    told = unseen("card", SHORT, "--tier", "smoke", "--budget", "8s", "--formats", "2")
    assert told.code == 0 and "minutes were spent; items asked of each kind: echo" in told.out, told.err
    assert "over 2 formats" in told.out
    assert "over 3 formats" not in unseen("card", SHORT, "--tier", "smoke").out, "smoke takes seconds"
    assert "over 3 formats" in unseen("card", SHORT, "--tier", "laptop").out
    for n in ("0", "4"):
        assert "in 1 to 3 formats" in unseen("card", SHORT, "--formats", n).err


@pytest.mark.usefixtures("unseen")
def test_formats_stand_beside_scores_in_python() -> None:
    made = library.card(SHORT, tier="smoke", formats=3)
    (p,) = made.axes["length"]
    assert [name for name, _, _ in p.formats] == ["as it is", "other labels", "a sentence before"]
    assert library.card(SHORT, tier="smoke", formats=3, measured=False).axes["length"][0].formats == p.formats
    assert library.card(f"worded:1:{SHORT}", tier="smoke", formats=3).axes["length"][0].formats == ()


def test_every_profile_is_told_as_soon_as_its_study_is_measured(unseen: Callable[..., Said]) -> None:
    """On standard error, where progress is; the table follows on standard output."""
    told = unseen("card", SHORT, "--tier", "smoke")
    said = [line for line in told.err.splitlines() if line.startswith("length · echo: exact  reference 1.00 [")]
    assert len(said) == 1 and "  shifted " in said[0] and "  gap -" in said[0], told.err
