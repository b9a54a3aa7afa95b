"""The README's table of studies, rendered from the ledger and never typed: `python -m unseen.pages.ledger results README.md`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from unseen.core import find, ledger

BEGIN, END = "<!-- studies: begin -->", "<!-- studies: end -->"
SIGNS = {"supported": "✓", "refuted": "✗", "undecided": "?", "untested": "–"}


def table(root: Path) -> str:
    """A Markdown table of every study with its recorded verdicts, and one line for each claim of the latest tier."""
    lines = [
        "| study | axes | tier | ✓ supported | ✗ refuted | ? undecided | – untested | minutes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    claims: list[str] = []
    for slug, tier in ledger.kept(root):
        told = json.loads((root / slug / f"{tier}.json").read_text(encoding="utf-8"))
        findings = [v for v in told["verdicts"] if v["kind"] == "finding"]
        counts = [str(sum(v["status"] == s for v in findings)) for s in SIGNS]
        axes = ", ".join(find.study(slug).axes) if slug in find.slugs() else ""
        lines.append(
            f"| [{slug}](src/unseen/studies/{slug}/sheet.md) | {axes} | {tier} | {' | '.join(counts)} | {told['minutes']:.0f} |"
        )
        claims += [
            "",
            f"**{slug}**, tier {tier}, seeds {_seeds(told)}, recorded {told['recorded']}",
            "",
            *[_line(v) for v in told["verdicts"]],
        ]
    return "\n".join([*lines, *claims])


def render(root: Path, page: Path) -> None:
    """Put the table between the marks of a page. Raises ValueError where it has no marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page} has no {BEGIN} … {END}, between which the table is put.")
    page.write_text(f"{before}{BEGIN}\n{table(root)}\n{END}{after}", encoding="utf-8")


def _seeds(told: dict[str, Any]) -> str:
    seeds = told["seeds"]
    return f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else ", ".join(map(str, seeds))


def _line(v: dict[str, Any]) -> str:
    kind = "" if v["kind"] == "finding" else f" ({v['kind']})"
    told = "" if v["estimate"] is None or v["estimate"] != v["estimate"] else f" {v['estimate']:.2f}"
    if v["low"] is not None and v["low"] == v["low"] and v["high"] is not None:
        told += f" [{v['low']:.2f}, {v['high']:.2f}]"
    why = f" {v['why']}" if v["status"] == "untested" else ""
    return f"- {SIGNS[v['status']]} {v['id']}{kind} *{v['status']}*:{told} {v['says']} Expected {v['expect']}; {v['evidence']}.{why}"


if __name__ == "__main__":
    render(Path(sys.argv[1]), Path(sys.argv[2]))
