"""What came of one paper's claims, here and on the reader's own machine? A page of the gallery for every study.

    page(source, paper, near)       ->  studies/omega.html
    charts(source, "omega", "recorded-laptop")   ->  the script that its figures are drawn from: charts/omega/recorded-laptop.js

What the ledger recorded and what the reader's own store holds stand in sections of their own, and are never mixed. The
specifications of figures lie in a file beside the page, for one page may have two megabytes of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf, isfinite, nan
from typing import Any

from unseen.core import history
from unseen.core.claim import Verdict
from unseen.core.ledger import Judged
from unseen.core.study import TIERS, Study

from . import figures, layout, report
from .papers import Listed
from .source import Source

NUMBERS = ("estimate", "low", "high", "p", "holm", "detectable")
LINES = 50  # trials on one page of their table
VALUES = 16  # of one field that the table of settings names


def page(source: Source, paper: Listed, near: Sequence[Listed] = (), *, turned: tuple[str, int] = ("", 1)) -> str:
    """The page of a paper, built or not. `near` are the papers like it; `turned` says which section's table of trials is
    turned to which page."""
    study = source.study(paper.slug) if paper.built and not paper.broken else None
    sections = [*_recorded(source, study, paper), *_own(source, study, paper.slug)] if study else []
    for s in sections:
        _turn(s, turned[1] if turned[0] == s["of"] else 1)
    sheet, departures = source.prose(paper.slug) if study else ("", [])
    return layout.render(
        "study_page.html",
        f"studies/{paper.slug}.html",
        title=paper.title,
        p=paper,
        near=near,
        sections=sections,
        sheet=report.paragraphs(sheet),
        departures=departures,
        meaning=report.MEANING,
        limits=report.LIMITS,
    )


def own_page(source: Source, paper: Listed, tier: str) -> str:
    """The figures of the reader's own trials at a tier: `own/<slug>/<tier>.html`; they are read when they are asked for."""
    drawn = _figures(source, paper.slug, f"own-{tier}")
    return layout.render(
        "own_page.html",
        f"own/{paper.slug}/{tier}.html",
        title=f"{paper.title}: your own trials",
        p=paper,
        tier=tier,
        of=f"own-{tier}",
        figures=[report.figure(f) for f in drawn],
    )


def charts(source: Source, slug: str, of: str) -> str | None:
    """The script that a section's figures are drawn from; None where there are none."""
    if not (specs := report.specs(_figures(source, slug, of))):
        return None
    return f"(globalThis.unseenCharts??={{}})[{json.dumps(of)}]={report.safe_json(specs)};\n"


def scripts(source: Source, slug: str) -> list[str]:
    """The sections of a study's page that have figures from the ledger: what a site writes files for."""
    return [f"recorded-{tier}" for tier in source.held(slug) if _figures(source, slug, f"recorded-{tier}")]


def verdicts(told: Iterable[Mapping[str, Any]], study: Study, tier: str) -> list[Verdict]:
    """Verdicts from plain values, those of claims that the study still makes."""
    claims = {c.id: c for c in study.claims}
    known = next((t for t in TIERS if t == tier), "laptop")
    found: list[Verdict] = []
    for v in told:
        if claim := claims.get(v["id"]):
            numbers = {n: nan if v.get(n) is None else float(v[n]) for n in NUMBERS}
            verdict = Verdict(claim, known, v["status"], v["evidence"], units=int(v["units"]), why=v["why"], **numbers)
            found.append(_endless(verdict))
    return found


def _endless(verdict: Verdict) -> Verdict:
    """The verdict with its infinite numbers, which JSON cannot hold and keeps as null.

    A claim that was decided had an estimate, and so had one with a limit; which infinity it was says the finite limit
    (there is no other beyond it), or the region where it lies in an open one.
    """
    region, low, high = verdict.claim.expect, verdict.low, verdict.high
    if isfinite(verdict.estimate):
        known = isfinite(low) or isfinite(high)
        return replace(verdict, low=-inf if known and low != low else low, high=inf if known and high != high else high)
    inside = verdict.status == "supported"
    if isfinite(low) or (inside and region.high == inf):
        return replace(verdict, estimate=inf, low=low if isfinite(low) else inf, high=inf)
    if isfinite(high) or (inside and region.low == -inf):
        return replace(verdict, estimate=-inf, low=-inf, high=high if isfinite(high) else -inf)
    return verdict


def settings(manifests: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[tuple[str, list[str], int]]]]:
    """What was varied: for each class of settings its fields, the values each had, and how many more there are."""
    kinds: dict[str, dict[str, dict[str, None]]] = {}
    for told in manifests:
        setting = dict(told.get("setting", {}))
        fields = kinds.setdefault(str(setting.pop("setting", "")), {})
        for name, value in setting.items():
            fields.setdefault(name, {})[_word(value)] = None
    return [
        (kind, [(n, list(values)[:VALUES], max(0, len(values) - VALUES)) for n, values in fields.items()])
        for kind, fields in kinds.items()
    ]


def _recorded(source: Source, study: Study, paper: Listed) -> Iterable[dict[str, Any]]:
    """A section for every tier that the ledger holds; what is not as the ledger writes it is said to be so."""
    for tier, told in source.held(paper.slug).items():
        found: list[Verdict] = []
        with suppress(KeyError, TypeError, ValueError):
            found = verdicts(told["verdicts"], study, tier)
        older = next((s.older for s in paper.strips if s.tier == tier), False)
        told_of = told.get("trials", ())
        yield {
            **_judged(found, tier, f"recorded-{tier}"),
            **_measured([m for m in told_of if isinstance(m, dict)]),
            "own": False,
            "recorded": told.get("recorded", ""),
            "older": older,
            "planned": len(told_of),
            "figures": [report.figure(f) for f in _figures(source, paper.slug, f"recorded-{tier}")],
            "texts": False,
        }


def _own(source: Source, study: Study, slug: str) -> Iterable[dict[str, Any]]:
    """A section for every tier of which the reader's own store holds anything."""
    own = source.own(slug)
    for tier in own.tiers():
        found = own.found.get(tier, ())
        judged = verdicts([_plain(f) for f in found], study, tier)
        yield {
            **_judged(judged, tier, f"own-{tier or 'changed'}"),
            **_measured(own.trials.get(tier, ())),
            "own": True,
            "recorded": max((f.when for f in found), default="")[:10],
            "older": any(f.version != study.version for f in found),
            "planned": own.planned.get(tier, 0),
            "figures": [],
            "texts": bool(source.items(slug, tier)),
        }


def _plain(found: history.Finding) -> dict[str, Any]:
    return {n: getattr(found, n) for n in ("id", "status", "evidence", "estimate", "low", "high", "units", "why")}


def _judged(found: Sequence[Verdict], tier: str, of: str) -> dict[str, Any]:
    """What a section says of claims."""
    here = [v for v in found if tier in v.claim.tiers]
    known = next((t for t in TIERS if t == tier), None)
    return {
        "of": of,
        "id": of,
        "tier": tier,
        "groups": report.groups(found, known) if known else [],
        "counted": report.counted(here),
        "chance": report.chance(here) if here else "",
        "later": len(found) - len(here),
    }


def _measured(manifests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a section says of its trials."""
    seeds = {int(s) for m in manifests for s in m.get("seeds", ())}
    return {
        "n": len(manifests),
        "seeds": len(seeds),
        "minutes": f"{sum(float(m.get('minutes', 0)) for m in manifests):.0f}",
        "settings": settings(manifests),
        "manifests": manifests,
    }


def _turn(section: dict[str, Any], to: int) -> None:
    """Put one page of the table of trials into a section."""
    manifests = section.pop("manifests")
    pages = max(1, -(-len(manifests) // LINES))
    at = min(max(to, 1), pages)
    section.update(
        trials=[report.trial(m) for m in manifests[(at - 1) * LINES : at * LINES]], page=at, pages=pages, turned=to != 1
    )


def _figures(source: Source, slug: str, of: str) -> list[figures.Figure]:
    """The figures of a section, kept with what they were drawn from."""
    whose, _, tier = of.partition("-")
    judged: Judged | None = None
    if whose == "recorded":
        judged = source.recorded(slug, tier)
    elif whose == "own":
        judged = source.judged(slug, tier)
    if judged is None:
        return []
    held = judged
    return source.kept.get(("figures", slug, of), (id(held),), lambda: [*figures.of(held)])


def _word(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
