"""Which papers are there? One line for each study: title, question, axes, and how its claims came out."""

from __future__ import annotations

import re

from . import axes, found


def listed() -> str:
    """Every study, the newest paper first."""
    slugs = sorted(found.own(), key=lambda s: (-found.study(s).paper.year, s))
    tree = [f"{slug} <made/studies/{slug}>" for slug in sorted(slugs)]
    return "\n".join([*map(_study, slugs), "```{toctree}\n:hidden:\n", *tree, "```\n"])


def question(slug: str) -> str:
    """The question of a study's sheet, as its first paragraph asks it; empty where it asks none."""
    asked = re.search(r"\*\*Question\.\*\*(.*?)(?:\n\n|\Z)", found.sheet(slug), re.S)
    return " ".join(asked[1].split()) if asked else ""


def _study(slug: str) -> str:
    study = found.study(slug)
    along = ", ".join(f"[{a}](axes/{axes.page(a)}.md)" for a in study.axes)
    lines = [
        f"## [{found.plain(study.paper.title)}](made/studies/{slug}.md)\n",
        f"`{slug}` · {study.paper.year} · {along}\n",
        f"{question(slug)}\n",
    ]
    for tier in found.tiers(slug):
        verdicts = [v for v in found.told(slug, tier)["verdicts"] if v["kind"] == "finding"]
        lines.append(f"Tier {tier}: {found.counted(verdicts)}.\n")
    return "\n".join(lines)
