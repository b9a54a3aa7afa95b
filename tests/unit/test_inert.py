"""Texts that others wrote, shown: nothing in them reaches a terminal or a page as a command."""

from __future__ import annotations

from unseen.core.inert import inert, label


def test_marks_are_named_and_writing_stays() -> None:
    assert inert("a\x00b\u200bc\nd\te") == "a⟨0000⟩b⟨200B⟩c\nd\te"
    assert inert("x" * 700, 10) == "… " + "x" * 10
    assert inert("naïve 日本語 عربي 🙂") == "naïve 日本語 عربي 🙂"


def test_a_label_is_one_line() -> None:
    assert label("\x1b[31mred\x1b[0m\n<b>  x") == "⟨001B⟩[31mred⟨001B⟩[0m <b> x"
    assert label("y" * 10**6) == "y" * 120 + "…" and label(3) == "3"
