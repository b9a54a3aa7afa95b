"""One model's profile as a page of its own, as a section of a report, and as Markdown for a model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unseen.core.card import Card, OwnData, Profile
from unseen.core.errors import Invalid
from unseen.core.inert import inert, label

from . import glyphs

LONG = 300  # letters of a row that a card shows
ENDINGS = (".html", ".md", ".json")


def check(path: Path) -> None:
    """Raise Invalid for a file name that no form of a card has, before anything is measured for it."""
    if path.suffix not in ENDINGS:
        raise Invalid(f"--out {path}: a card is written as {', '.join(ENDINGS)}; give the file one of these endings.")


def write(card: Card, path: Path) -> Path:
    """Write a card as .html, .md or .json; its path. Raises Invalid for another ending."""
    check(path)
    makers = {".html": html, ".md": markdown, ".json": _json}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(makers[path.suffix](card), encoding="utf-8")
    return path


def html(card: Card) -> str:
    """The card as one page with no script."""
    from . import report

    page = report.environment().get_template("card.html")
    return page.render(c=told(card), css=report.css(), version=report.version(), when=report.now(), number=1)


def apart(profiles: Sequence[Profile]) -> list[str]:
    """For each profile of an axis, the conditions that tell it from the others of its study: `task addition`."""
    found: list[str] = []
    for p in profiles:
        others = [o for o in profiles if o.study == p.study and o.measure == p.measure]
        names = [k for k in p.where if len({str(o.where.get(k)) for o in others}) > 1]
        found.append(", ".join(f"{k} {p.where[k]}" for k in names))
    return found


def told(card: Card) -> dict[str, Any]:
    """The card as words for a template."""
    axes = {axis: [_profile(p, w) for p, w in zip(ps, apart(ps), strict=True)] for axis, ps in card.axes.items()}
    own = None if card.own is None else _own(card.own)
    return {
        "model": card.model,
        "tier": card.tier,
        "against": card.against,
        "axes": axes,
        "notes": card.notes,
        "own": own,
    }


def _own(own: OwnData) -> dict[str, Any]:
    """What was found of an owner's data, its texts inert."""
    return {
        "files": (own.train, own.test),
        "says": own.says,
        "examples": [[label(text, LONG) for text in row] for row in own.examples],
        "failures": [
            {
                **{name: label(getattr(f, name), LONG) for name in ("prompt", "answer", "said")},
                "near": [(f"{like:.2f}", label(p, LONG), label(a, LONG)) for like, p, a in f.near],
            }
            for f in own.failures
        ],
        "notes": own.notes,
    }


def markdown(card: Card) -> str:
    """The card as a section for a model card: a table for each axis."""
    against = f", against {_code(card.against)}" if card.against else ""
    lines = [
        "## Generalization",
        "",
        f"{_code(card.model)}{against}, measured by Unseen at tier {card.tier}. Intervals are 95%, over items.",
        "",
    ]
    heads = ["study", "reference", "shifted", "gap", "chance", "n", "evidence"]
    heads += ["change, reference", "change, shifted", "survives"] if card.against else []
    for axis, profiles in card.axes.items():
        lines += [f"### {_cell(axis)}", "", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for p, where in zip(profiles, apart(profiles), strict=True):
            cells = [
                f"{p.study}: {p.measure}" + (f", {where}" if where else ""),
                _beside(p.reference.text(), p.over_formats(shifted=False)),
                _beside(p.shifted.text(), p.over_formats(shifted=True)),
                p.gap.text(signed=True),
                f"{p.chance:.2g}",
                str(p.n),
                p.evidence,
            ]
            cells += [_change(p.change_reference), _change(p.change), survives(p)] if card.against else []
            lines.append(f"| {' | '.join(_cell(c) for c in cells)} |")
        lines.append("")
    if card.own is not None:
        lines += _own_lines(card.own)
    return "\n".join([*lines, *(f"- {_cell(note)}" for note in card.notes)]).rstrip() + "\n"


def _own_lines(own: OwnData) -> list[str]:
    """An owner's data as Markdown: what the files share, and rows that were answered wrong."""
    lines = ["### the owner's data", "", f"{_code(own.test)} beside {_code(own.train)}: {_cell(own.says)}", ""]
    if own.examples:
        lines += ["| found | test row | training row |", "|---|---|---|"]
        lines += [f"| {' | '.join(_cell(text) for text in row)} |" for row in own.examples] + [""]
    if own.failures:
        lines += ["| answered wrong | right | said | nearest training row |", "|---|---|---|---|"]
        for f in own.failures:
            near = f"{f.near[0][1]} → {f.near[0][2]} ({f.near[0][0]:.2f})" if f.near else "–"
            lines.append(f"| {' | '.join(_cell(text) for text in (f.prompt, f.answer, f.said, near))} |")
        lines.append("")
    return [*lines, *(f"- {_cell(note)}" for note in own.notes)]


def _beside(text: str, formats: str) -> str:
    return f"{text} ({formats})" if formats else text


def _json(card: Card) -> str:
    return json.dumps(card.to_json(), indent=1, ensure_ascii=False)


def _code(name: str) -> str:
    """A name as code, whatever signs it holds."""
    plain = " ".join(name.split())
    return f"`{plain}`" if "`" not in plain else f"`` {plain} ``"


def _cell(text: str) -> str:
    """Text that can stand in a table: one line, no bars, no markup, no marks that turn its direction."""
    return " ".join(inert(text).split()).replace("|", "\\|").replace("<", "&lt;")


def survives(p: Profile) -> str:
    """The part of a gain that the shift leaves; a dash where nothing was gained."""
    return "–" if p.survives is None else p.survives.text()


def _change(change: Any) -> str:
    return change.text(signed=True) if change else "–"


def _profile(p: Profile, where: str) -> dict[str, Any]:
    return {
        "study": p.study,
        "measure": p.measure,
        "where": where,
        "reference": p.reference.text(),
        "shifted": p.shifted.text(),
        "gap": p.gap.text(signed=True),
        "scores": glyphs.scores(p.reference, p.shifted, p.chance),
        "curve": glyphs.curve(p.curve),
        "formats": (p.over_formats(shifted=False), p.over_formats(shifted=True)),
        "n": p.n,
        "evidence": p.evidence,
        "note": p.note,
        "change": _change(p.change),
        "change_reference": _change(p.change_reference),
        "survives": survives(p),
        "p": "" if p.p is None or p.p != p.p else glyphs.number(p.p),
    }
