"""What came of one paper's claims? Its page in the gallery: question, answer, every recorded verdict, how to repeat it.

page(listed, near, held)   ->  studies/omega.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import nan
from typing import Any

from unseen.core import find
from unseen.core.claim import Verdict
from unseen.core.errors import UnseenError
from unseen.core.study import Study

from . import layout, report
from .papers import Listed

NUMBERS = ("estimate", "low", "high", "p", "holm", "detectable")


def page(paper: Listed, near: Sequence[Listed], held: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """The page of a paper, built or not. `near` are the papers like it; `held` is what the ledger holds of it, by tier."""
    study = _study(paper)
    judged = [
        _tier(paper, study, s.tier, (held or {})[s.tier]) for s in paper.strips if study and s.tier in (held or {})
    ]
    return layout.render(
        "paper.html",
        f"studies/{paper.slug}.html",
        title=paper.title,
        p=paper,
        near=near,
        judged=judged,
        departures=_departures(paper),
        meaning=report.MEANING,
        limits=report.LIMITS,
    )


def verdicts(told: Mapping[str, Any], study: Study) -> list[Verdict]:
    """The verdicts as the ledger's JSON tells them, those of claims that the study still makes."""
    claims = {c.id: c for c in study.claims}
    found: list[Verdict] = []
    for v in told["verdicts"]:
        if claim := claims.get(v["id"]):
            numbers = {n: nan if v[n] is None else float(v[n]) for n in NUMBERS}
            found.append(
                Verdict(claim, told["tier"], v["status"], v["evidence"], units=v["units"], why=v["why"], **numbers)
            )
    return found


def _tier(paper: Listed, study: Study, tier: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """One tier's part of the page; without its table where the ledger's file is not as the ledger writes it."""
    found: list[Verdict] = []
    with suppress(KeyError, TypeError, ValueError):
        found = verdicts(told, study)
    here = [v for v in found if v.claim.tiers and told.get("tier") in v.claim.tiers]
    return {
        "id": f"{paper.slug}-{tier}",
        "tier": tier,
        "groups": report.groups(found, told["tier"]) if found else [],
        "counted": report.counted(here),
        "chance": report.chance(here),
        "later": len(found) - len(here),
        "seeds": len(told.get("seeds", ())),
        "trials": len(told.get("trials", ())),
        "minutes": f"{float(told.get('minutes', 0)):.0f}",
        "recorded": told.get("recorded", ""),
        "older": next((s.older for s in paper.strips if s.tier == tier), False),
    }


def _study(paper: Listed) -> Study | None:
    if paper.built and not paper.broken:
        with suppress(UnseenError):
            return find.study(paper.slug)
    return None


def _departures(paper: Listed) -> list[str]:
    if paper.built and not paper.broken:
        with suppress(UnseenError, OSError, ValueError):
            return find.departures(paper.slug)
    return []
