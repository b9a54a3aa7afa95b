"""One model's profile as a page of its own, as a section of a report, and as Markdown for a model card."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unseen.core.card import Card, Profile
from unseen.core.errors import Invalid

from . import glyphs


def write(card: Card, path: Path) -> Path:
    """Write a card as .html, .md or .json; its path. Raises Invalid for another ending."""
    makers = {".html": html, ".md": markdown, ".json": lambda c: json.dumps(c.to_json(), indent=1, ensure_ascii=False)}
    if path.suffix not in makers:
        raise Invalid(f"--out {path}: a card is written as .html, .md or .json.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(makers[path.suffix](card), encoding="utf-8")
    return path


def html(card: Card) -> str:
    """The card as one page with no script."""
    from . import report

    when = datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC")
    return (
        report.environment()
        .get_template("card.html")
        .render(c=told(card), css=report.css(), version=report._version(), when=when, loop=None)
    )


def told(card: Card) -> dict[str, Any]:
    """The card as words for a template."""
    axes = {axis: [_profile(p) for p in profiles] for axis, profiles in card.axes.items()}
    return {"model": card.model, "tier": card.tier, "against": card.against, "axes": axes, "notes": card.notes}


def markdown(card: Card) -> str:
    """The card as a section for a model card: a table for each axis."""
    against = f", against `{card.against}`" if card.against else ""
    lines = [
        "## Generalization",
        "",
        f"`{card.model}`{against}, measured by Unseen at tier {card.tier}. Intervals are 95%, over items.",
        "",
    ]
    for axis, profiles in card.axes.items():
        heads = [
            "study",
            "reference",
            "shifted",
            "gap",
            "chance",
            "n",
            "evidence",
            *(["change, shifted"] if card.against else []),
        ]
        lines += [f"### {axis}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for p in profiles:
            cells = [
                f"{p.study}: {p.measure}",
                p.reference.text(),
                p.shifted.text(),
                p.gap.text(signed=True),
                f"{p.chance:g}",
                str(p.n),
                p.evidence,
            ]
            cells += [p.change.text(signed=True) if p.change else "–"] if card.against else []
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join([*lines, *(f"- {note}" for note in card.notes)]).rstrip() + "\n"


def _profile(p: Profile) -> dict[str, Any]:
    return {
        "study": p.study,
        "measure": p.measure,
        "reference": p.reference.text(),
        "shifted": p.shifted.text(),
        "gap": p.gap.text(signed=True),
        "chance": f"{p.chance:g}",
        "curve": glyphs.curve(p.curve),
        "n": p.n,
        "evidence": p.evidence,
        "note": p.note,
        "change": p.change.text(signed=True) if p.change else "–",
        "change_reference": p.change_reference.text(signed=True) if p.change_reference else "–",
    }
