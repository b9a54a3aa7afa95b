"""A history made up for tests of news: a verdict that flips, a card that moves, names and words of a stranger's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from unseen.core import find, history
from unseen.core.card import Card, Interval, Profile
from unseen.core.claim import Verdict
from unseen.core.ledger import Judged
from unseen.core.record import Records

SLUG = "grokked_transformers"
HOSTILE = '<script>alert(1)</script> javascript:x \x1b[31m \u202egnp.exe [a](b) *c* & "d" {{ app_body }} ]]> é 中 🐍'
MODEL = f"hf:{HOSTILE}"


def verdict(root: Path, status: str, estimate: float, says: str = HOSTILE, title: str = HOSTILE) -> None:
    """Note a verdict of one claim."""
    study = find.study(SLUG)
    claim = replace(study.claims[0], says=says)
    told = Verdict(claim, "laptop", status, "twin", estimate, estimate - 0.1, estimate + 0.1, units=5, why="Because.")  # type: ignore[arg-type]
    titled = replace(study, paper=replace(study.paper, title=title))
    history.note_verdicts(root, Judged(SLUG, titled, "laptop", (), Records.of([]), (told,)))


def card(root: Path, gap: float, other: float = -0.2, model: str = MODEL) -> None:
    """Note a card of two axes."""
    one = Interval(0.6, 0.5, 0.7)
    made = {
        axis: [Profile("omega", axis, "exact", 0.0, one, one, Interval(g, g - 0.1, g + 0.1), 40, "twin")]
        for axis, g in (("length", gap), ("<b>order", other))
    }
    history.note_card(root, Card(model, "laptop", made), {})


def told(root: Path) -> None:
    """A study measured, its verdict flipped, a card made, and moved on one of two axes."""
    verdict(root, "supported", 0.5)
    verdict(root, "refuted", 0.02)
    card(root, -0.5)
    card(root, -0.1)
