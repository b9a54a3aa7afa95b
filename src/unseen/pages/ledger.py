"""The README's table of studies, rendered from the ledger and never typed: `python -m unseen.pages.ledger results README.md`.

| study | axes | tier | seeds | supported | refuted | undecided | untested | minutes |
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unseen.core import find, ledger

BEGIN, END = "<!-- studies: begin -->", "<!-- studies: end -->"
SIGNS = {"supported": "✓", "refuted": "✗", "undecided": "?", "untested": "–"}
HEADS = ["study", "axes", "tier", "seeds", *(f"{sign} {status}" for status, sign in SIGNS.items()), "minutes"]


def table(root: Path) -> str:
    """A Markdown table of every recorded study and tier, and under it a folded list of claims; empty for an empty ledger."""
    rows: list[str] = []
    claims: list[str] = []
    for slug, tier in ledger.kept(root):
        told = json.loads((root / slug / f"{tier}.json").read_text(encoding="utf-8"))
        rows.append(_row(slug, tier, told))
        claims += ["", f"<details><summary><b>{slug}</b>, tier {tier}: every claim</summary>", ""]
        claims += [*(_line(v) for v in told["verdicts"]), "", "</details>"]
    if not rows:
        return ""
    return "\n".join([f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}", *rows, *claims])


def render(root: Path, page: Path) -> None:
    """Put the table between the marks of a page. Raises ValueError where it has no marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page} has no {BEGIN} … {END}, between which the table is put.")
    made = table(root)
    page.write_text(f"{before}{BEGIN}\n{made}{chr(10) if made else ''}{END}{after}", encoding="utf-8")


def _row(slug: str, tier: str, told: dict[str, Any]) -> str:
    """One study at one tier: findings counted by status."""
    findings = [v for v in told["verdicts"] if v["kind"] == "finding"]
    counts = [str(sum(v["status"] == s for v in findings)) for s in SIGNS]
    axes = ", ".join(find.study(slug).axes) if slug in find.slugs() else ""
    link = f"[{slug}](src/unseen/studies/{slug}/sheet.md)"
    return f"| {link} | {axes} | {tier} | {len(told['seeds'])} | {' | '.join(counts)} | {told['minutes']:.0f} |"


def _line(v: dict[str, Any]) -> str:
    """One claim: sign, status, estimate with interval, what was claimed and expected, the evidence."""
    kind = "" if v["kind"] == "finding" else f" ({v['kind']})"
    why = f" {v['why']}" if v["status"] == "untested" else ""
    text = f"{v['says']} Expected {v['expect']}; {v['evidence']}.{why}"
    return f"- {SIGNS[v['status']]} {v['id']}{kind} *{v['status']}*{estimated(v)}: {_plain(text)}"


def estimated(v: Mapping[str, Any]) -> str:
    """A verdict's estimate and interval as ` 0.62 [0.48, 0.75]`; empty where it has none."""
    known = v["low"] is not None and v["high"] is not None
    told = "" if v["estimate"] is None else f" {v['estimate']:.2f}"
    return told + (f" [{v['low']:.2f}, {v['high']:.2f}]" if known else "")


def _plain(text: str) -> str:
    """Text that can stand in a Markdown list: one line, no markup of its own."""
    return " ".join(text.split()).replace("<", "&lt;").replace("*", "\\*").replace("|", "\\|")


if __name__ == "__main__":
    render(Path(sys.argv[1]), Path(sys.argv[2]))
