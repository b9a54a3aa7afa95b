"""What did the ledger find? Verdicts as Markdown, and the axes that a claim's records lie on.

line({"status": "supported", "id": "C1", …})  ->  - [✓ supported]{.verdict .supported} **C1** 0.97 [0.89, 1.00] …
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import unseen
from unseen.core import find, ledger
from unseen.core.claim import Claim, tally
from unseen.core.effect import AtMatched, Linear, Rank, Ratio, StepsTo
from unseen.core.errors import Unknown
from unseen.core.record import Records
from unseen.core.study import TIERS, Study
from unseen.pages.ledger import SIGNS, estimated

ROOT = Path(unseen.__file__).parents[2] / "results"
STUDIES = Path(unseen.__file__).parent / "studies"


@cache
def own() -> tuple[str, ...]:
    """The package's own studies: not those of a reader's folders."""
    return tuple(slug for slug, folder in find.slugs().items() if folder.parent == STUDIES.resolve())


@cache
def sheet(slug: str) -> str:
    """The text of a study's sheet."""
    return find.sheet(slug)


@cache
def study(slug: str) -> Study:
    """The study of that slug."""
    return find.study(slug)


def tiers(slug: str) -> list[str]:
    """The tiers at which the ledger holds a study."""
    return [t for t in TIERS if (ROOT / slug / f"{t}.json").is_file()]


@cache
def told(slug: str, tier: str) -> dict[str, Any]:
    """What the ledger says of a study at a tier."""
    return json.loads((ROOT / slug / f"{tier}.json").read_text(encoding="utf-8"))


def counted(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """`5 supported, 3 refuted`: those that occur."""
    return ", ".join(f"{n} {status}" for status, n in tally(v["status"] for v in verdicts).items())


def line(v: Mapping[str, Any]) -> str:
    """One verdict as an item of a list."""
    why = f" *{plain(v['why'])}*" if v["status"] == "untested" else ""
    said = f"{plain(v['says'])}{why} Expected {plain(v['expect'])}; {v['evidence']}."
    return (
        f"- [{SIGNS[v['status']]} {v['status']}]{{.verdict .{v['status']}}} **{v['id']}** {plain(estimated(v))} {said}"
    )


def plain(text: str) -> str:
    """Text on one line, without markup of its own but for `code`."""
    parts = " ".join(str(text).split()).split("`")
    code = [i % 2 == 1 and i < len(parts) - 1 for i in range(len(parts))]  # what stands between two backticks
    return "".join(f"`{t}`" if c else _escaped(t) for t, c in zip(parts, code, strict=True))


def _escaped(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "\\*_[]{}<>|$#" else sign for sign in text)


@cache
def claims_on(slug: str, tier: str) -> dict[str, frozenset[str]]:
    """Claim -> the axes on which the records that it reads lie; all of a study with one axis lie on that."""
    asked = study(slug)
    if len(asked.axes) == 1:
        return {c.id: frozenset(asked.axes) for c in asked.claims}
    _, records = ledger.read(ROOT, slug, tier)
    return {c.id: frozenset(_axes(c, records)) for c in asked.claims}


def _axes(claim: Claim, records: Records) -> Iterator[str]:
    """The axes of the rows that the claim's effect matches; of its preconditions' where it matches none."""
    for effect in (claim.effect, *(e for e, _ in claim.given)):
        found = [a for measure, where in _read(effect) for a in _matched(records, measure, where)]
        if found:
            yield from found
            return


def _read(effect: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The measures an effect reads, each with its conditions; a study's own kind of effect names none."""
    match effect:
        case Linear():
            yield from ((t.measure, dict(t.where)) for t in effect.terms)
        case Ratio():
            yield from (*_read(effect.top), *_read(effect.bottom))
        case Rank() | StepsTo() | AtMatched():
            yield effect.measure, dict(effect.where)
        case _:
            yield from ((measure, {}) for measure in effect.measures)


def _matched(records: Records, measure: str, where: Mapping[str, Any]) -> list[str]:
    try:
        rows = records.where(measure=measure, **where)
    except Unknown:
        return []
    return [str(a) for a in rows.columns["axis"].present() if a] if len(rows) else []
