"""What was measured along an axis? The end of each axis's page, from the studies and the ledger.

measured("length")  ->  "## Where it is measured …", every study of the axis with what a card shows and what was found
"""

from __future__ import annotations

from unseen.core.study import Headline, takes_model

from . import found


def of(study: str) -> tuple[str, ...]:
    """The axes of a study."""
    return found.study(study).axes


def page(axis: str) -> str:
    """The name of an axis's page."""
    return axis.replace(" ", "_")


def measured(name: str) -> str:
    """What stands below the text of an axis's page; nothing for the pages that gather several axes."""
    studies = [s for s in found.own() if name in map(page, of(s))]
    if not studies:
        return ""
    return "\n".join(["\n\n## Where it is measured, and what was found\n", *(_study(s, name) for s in studies)])


def listed() -> str:
    """Every axis with the studies that measure it."""
    names: dict[str, list[str]] = {}
    for slug in found.own():
        for axis in of(slug):
            names.setdefault(axis, []).append(slug)
    told = [
        f"- [{axis}](axes/{page(axis)}.md): {', '.join(f'[{s}](made/studies/{s}.md)' for s in studies)}"
        for axis, studies in sorted(names.items())
    ]
    tree = [f"{axis} <axes/{page(axis)}>" for axis in sorted(names)]
    gathered = ["appearance <axes/appearance>", "your own rows <axes/your_rows>"]
    return "\n".join([*told, "\n```{toctree}\n:hidden:\n", *tree, *gathered, "```\n"])


def _study(slug: str, name: str) -> str:
    """One study on an axis: paper, headlines, verdicts."""
    study = found.study(slug)
    axis = next(a for a in study.axes if page(a) == name)
    parts = [f"### {slug}\n", f"[{found.plain(study.paper.title)}](../made/studies/{slug}.md) ({study.paper.year})\n"]
    heads = [h for h in study.headlines if h.axis == axis]
    if heads and takes_model(study, "laptop"):
        parts.append("**On a card:** " + "; ".join(map(_headline, heads)) + ".\n")
    elif heads:
        parts.append("**Its headline:** " + "; ".join(map(_headline, heads)) + ". It trains its own models.\n")
    return "\n".join([*parts, *(_verdicts(slug, axis, tier) for tier in found.tiers(slug))])


def _headline(head: Headline) -> str:
    """`exact` (chance 0.25), setting Asked, game shapes"""
    where = ", ".join(f"{k} {v}" for k, v in head.where.items())
    return f"`{head.measure}` (chance {head.chance:.2f}){f', {found.plain(where)}' if where else ''}"


def _verdicts(slug: str, axis: str, tier: str) -> str:
    """The findings whose records lie on the axis: how many came out how, and those that could be judged."""
    on = found.claims_on(slug, tier)
    mine = [v for v in found.told(slug, tier)["verdicts"] if v["kind"] == "finding" and axis in on[v["id"]]]
    if not mine:
        return f"At tier {tier} none of its claims is about this axis alone.\n"
    judged = [v for v in mine if v["status"] != "untested"]
    rest = f" The [study's page](../made/studies/{slug}.md) says why claims were not tested." if mine != judged else ""
    return "\n".join([f"Tier {tier}: {found.counted(mine)}.{rest}\n", *map(found.line, judged), ""])
