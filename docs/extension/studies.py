"""What does a study's page say? Its sheet, its claims with their verdicts, its figures, and how to run it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unseen.core import find
from unseen.core.study import Study, takes_model
from unseen.pages.report import KINDS

from . import axes, found


def pages() -> dict[str, str | bytes]:
    """`studies/SLUG.md` and its figures, and the list of them."""
    made: dict[str, str | bytes] = {}
    for slug in found.own():
        made[f"studies/{slug}.md"] = "\n".join(_parts(slug))
        for tier in found.tiers(slug):
            if (drawn := found.ROOT / slug / f"{tier}.svg").is_file():
                made[f"studies/{slug}-{tier}.svg"] = drawn.read_bytes()
    return made


def _parts(slug: str) -> Iterator[str]:
    study = found.study(slug)
    head, _, sheet = found.sheet(slug).partition("\n")
    yield f"{head}\n"
    yield f"{_about(slug, study)}\n"
    yield sheet.strip() + "\n"
    yield from _run(slug, study)
    for tier in found.tiers(slug):
        yield from _tier(slug, tier)
    if departures := find.departures(slug):
        yield "## Departures, as the code marks them\n"
        yield from (f"- {found.plain(d)}" for d in departures)


def _about(slug: str, study: Study) -> str:
    """Slug, year, where the paper is, and its axes."""
    paper = study.paper
    links = [f"[arXiv {paper.arxiv}](https://arxiv.org/abs/{paper.arxiv})"] if paper.arxiv else []
    links += [f"[the authors' code]({paper.repo})"] if paper.repo else []
    along = ", ".join(f"[{a}](../../axes/{axes.page(a)}.md)" for a in study.axes)
    return " · ".join([f"`{slug}`", str(paper.year), *links, f"axes: {along}"])


def _run(slug: str, study: Study) -> Iterator[str]:
    """The commands that repeat it."""
    yield "## How to run it\n"
    yield "```"
    yield f"unseen run {slug} --tier smoke"
    yield f"unseen run {slug} --tier laptop --on procs:2"
    yield f"unseen report {slug} --tier laptop"
    if takes_model(study, "laptop"):
        yield f"unseen card MODEL --study {slug}"
    if (found.STUDIES / slug / "tasks.py").is_file():
        yield f"unseen data {slug} --n 3 --tier smoke"
    if (found.STUDIES / slug / "tool.py").is_file():
        yield f"unseen use {slug} --help"
    yield f"unseen new mine --from {slug}"
    yield "```\n"


def _tier(slug: str, tier: str) -> Iterator[str]:
    """What came out at a tier, kind by kind."""
    told = found.told(slug, tier)
    yield f"## What was found, tier {tier}\n"
    yield f"{len(told['seeds'])} seeds, {told['minutes']:.0f} minutes, recorded {told['recorded']}. [What the words mean](../../verdicts.md).\n"
    if (Path(found.ROOT) / slug / f"{tier}.svg").is_file():
        yield f"![Figures of {slug} at tier {tier}: its measures along their axes; the numbers stand in the claims below.]({slug}-{tier}.svg)\n"
    for kind, title in KINDS:
        if mine := [v for v in told["verdicts"] if v["kind"] == kind]:
            yield f"### {title}\n"
            yield from map(found.line, mine)
            yield ""
