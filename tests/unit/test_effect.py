"""Effects say what they are in words, and name the measures they read."""

from __future__ import annotations

import pytest

from unseen.core.effect import at_matched, gap, level, minus, one_of, rank, ratio, slope, steps_to
from unseen.core.errors import Invalid

HINTS, PLAIN = {"format": "hints"}, {"format": "plain"}


def test_effects_print_themselves_as_sentences() -> None:
    told = {
        str(level("exact")): "mean exact",
        str(level("exact", shifted=True, **HINTS)): "mean exact on shifted splits, format hints",
        str(gap("exact", HINTS, PLAIN, shifted=True)): "mean exact on shifted splits, format hints, minus format plain",
        str(gap("exact", {"shifted": True}, {"shifted": False})): "mean exact on shifted splits, minus on reference splits",
        str(slope("exact", "digits", **PLAIN)): "slope of exact over digits, format plain",
        str(rank("exact", "digits")): "rank correlation of exact with digits",
        str(steps_to("exact", 0.9, **HINTS)): "median steps until exact reaches 0.9, format hints",
        str(steps_to("loss", 0.5, falling=True, against=PLAIN, **HINTS)): "median steps until loss falls to 0.5, format hints, divided by those of format plain",
        str(at_matched("exact", "loss", 1.5, against=PLAIN, **HINTS)): "exact where loss passes 1.5, format hints, minus that of format plain",
        str(ratio(level("a"), level("b"))): "(mean a) divided by (mean b)",
        str(minus(level("a"), level("b"))): "(mean a) minus (mean b)",
        str(level("exact", format=one_of("plain", "hints"))): "mean exact, format hints or plain",
    }  # fmt: skip
    assert list(told) == list(told.values())


def test_effects_name_the_measures_they_read() -> None:
    assert level("a").measures == ("a",) and gap("a", HINTS, PLAIN).measures == ("a",)
    assert ratio(level("a"), level("b")).measures == minus(level("a"), level("b")).measures == ("a", "b")
    assert at_matched("a", "loss", 1.0).measures == ("a", "loss")
    assert rank("a", "x").measures == steps_to("a", 0.5).measures == ("a",)


def test_effects_with_the_same_terms_are_equal() -> None:
    assert level("a", x=1, y=2) == level("a", y=2, x=1) and hash(level("a")) == hash(level("a"))


def test_a_measure_is_no_condition() -> None:
    with pytest.raises(Invalid, match="first argument"):
        gap("a", {"measure": "b"}, {})


def test_a_difference_of_gaps_turns_its_second() -> None:
    terms = minus(gap("a", HINTS, PLAIN), gap("b", HINTS, PLAIN)).terms
    assert [(t.coefficient, t.measure) for t in terms] == [(1, "a"), (-1, "a"), (-1, "b"), (1, "b")]
