"""What did the laboratory find? One HTML file with verdicts, figures and provenance that opens with no network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseen.core.claim import Verdict, tally
from unseen.core.inert import inert, marked
from unseen.core.ledger import Judged
from unseen.core.stats import chance_wrong
from unseen.core.study import Tier, span

from . import charts, figures, glyphs
from .glyphs import chances, number

if TYPE_CHECKING:
    from jinja2 import Environment

    from unseen.core.card import Card

EXAMPLES = 12
SHOWN = 4  # figures drawn at once; the others wait in a fold
MANY, TALL, SHORT = 6, 220, 160  # past so many panels they are drawn smaller (pixels)
ROWS = 120  # numbers listed under a figure, at most
KINDS = (("finding", "Claims"), ("control", "Controls"), ("audit", "Audits of released code and data"))
MEANING = (
    ("supported", "its 95% interval lies inside the region the paper claims"),
    ("refuted", "it lies outside; at this scale that is a result like any other"),
    ("undecided", "it reaches across the edge, or too few runs were made"),
    ("untested", "a precondition failed, such as a model that never learned the reference"),
)
LIMITS = (
    "Runs of two kinds (those that come to solve a task and those that never do) can hide from a handful of seeds: if a share s of runs succeeds, n runs all succeed in s to the power n of cases.",
    "Under ten runs, a mean of skewed numbers with no natural ends (raw losses, counts of steps) is surer than it should be, and edges within .05 of an end need more runs.",
    "Rank correlations, times and matched comparisons do not count the noise of items that runs share; items from one template or passage are not independent.",
    "Choosing a checkpoint, a prompt or an edge after seeing the records is outside every guarantee here.",
)


def write(judged: Sequence[Judged], path: Path, *, cards: Sequence[Card] = ()) -> Path:
    """Write the report of these studies, and cards of models, as one file; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(judged, cards=cards), encoding="utf-8")
    return path


def html(judged: Sequence[Judged], *, cards: Sequence[Card] = ()) -> str:
    """The report as one self-contained page."""
    from . import card as card_page

    drawn = [figures.of(j) for j in judged]
    made = specs([f for each in drawn for f in each])
    verdicts = [v for j in judged if not j.exploratory for v in j.verdicts]
    return (
        environment()
        .get_template("report.html")
        .render(
            title=_title(judged, cards),
            css=css(),
            version=version(),
            when=now(),
            chance=chance(verdicts or [v for j in judged for v in j.verdicts]),
            alone=len(judged) + len(cards) == 1,
            studies=[_study(j, f) for j, f in zip(judged, drawn, strict=True)],
            cards=[card_page.told(c) for c in cards],
            charts=safe_json(made) if made else "",
            bundle=bundle() if made else "",
            limits=LIMITS,
            meaning=MEANING,
        )
    )


@cache
def environment() -> Environment:
    """Templates that escape everything they are given; each is read once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("unseen.pages"),
        autoescape=True,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def plain(value: object) -> object:
    """A text with its control and direction marks named; markup of our own and all else as it is."""
    return marked(value) if type(value) is str else value


def css() -> str:
    """The pages' one style sheet."""
    return (Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")


def safe_json(value: object) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def version() -> str:
    """The version of this package."""
    from importlib.metadata import version as of

    return of("unseen")


def now() -> str:
    """This moment as `26 November 2026, 01:05 UTC`."""
    when = datetime.now(UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def counted(verdicts: Sequence[Verdict]) -> list[tuple[str, int]]:
    """How many findings came out how, those that occur: [("supported", 5), …]."""
    return [*tally(v.status for v in verdicts if v.claim.kind == "finding").items()]


def chance(verdicts: Sequence[Verdict]) -> str:
    """How many verdicts chance alone could have made wrong (a sum of expectations, so it holds whatever depends on what)."""
    told = [v for v in verdicts if v.status != "untested"]
    decided = [v for v in told if v.status != "undecided"]
    if not told:
        return "No claim could be judged on these records."
    claims = "1 claim" if len(told) == 1 else f"{len(told)} claims"
    return f"{claims} judged, {len(decided)} decided; if every truth lay on the edge of its region, chance alone would get at most {chance_wrong(len(told)):.1f} wrong on average."


def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script that cannot end its element."""
    import vl_convert

    return re.sub(r"</(script)", r"<\\/\1", vl_convert.javascript_bundle(), flags=re.IGNORECASE).replace(
        "<!--", "<\\!--"
    )


def _title(judged: Sequence[Judged], cards: Sequence[Card]) -> str:
    slugs = {j.slug for j in judged}
    if len(slugs) == 1 and not cards:
        return judged[0].study.paper.title
    if not judged:
        return "What a model does on what it has not seen"
    words = f"{len(slugs)} studies of generalization" if len(slugs) > 1 else "A study of generalization"
    return words + (f" and {'a model card' if len(cards) == 1 else f'{len(cards)} model cards'}" if cards else "")


def _study(judged: Judged, drawn: Sequence[figures.Figure]) -> dict[str, Any]:
    paper = judged.study.paper
    parts = paragraphs(judged.sheet)
    seeds = sorted({int(s) for m in judged.manifests for s in m.get("seeds", ())})
    lead = [p for p in parts if p["head"].lower().startswith(("question", "answer"))][:2]
    return {
        "id": f"{judged.slug}-{judged.tier}" + ("-exploratory" if judged.exploratory else ""),
        "slug": judged.slug,
        "title": paper.title,
        "year": paper.year,
        "arxiv": paper.arxiv,
        "axes": judged.study.axes,
        "tier": judged.tier,
        "exploratory": judged.exploratory,
        "lead": lead,
        "sheet": [p for p in parts if p not in lead],
        "counted": counted(judged.verdicts),
        "groups": groups(judged.verdicts, judged.tier),
        "later": [_later(v) for v in judged.verdicts if judged.tier not in v.claim.tiers],
        "figures": [figure(f) for f in drawn[:SHOWN]],
        "more": [figure(f) for f in drawn[SHOWN:]],
        "examples": _examples(judged),
        "departures": judged.departures,
        "trials": [trial(m, judged.stale) for m in judged.manifests],
        "seeds": len(seeds),
        "minutes": f"{sum(float(m.get('minutes', 0)) for m in judged.manifests):.1f}",
        "absent": len(judged.absent),
        "damaged": list(judged.damaged.values()),
        "stale": len(judged.stale),
    }  # fmt: skip


def groups(verdicts: Sequence[Verdict], tier: Tier) -> list[tuple[str, list[dict[str, Any]]]]:
    """Verdicts by kind, those of claims that are judged at this tier, as `verdicts.html` shows them."""
    here = [v for v in verdicts if tier in v.claim.tiers]
    found = [(heading, [_verdict(v) for v in here if v.claim.kind == kind]) for kind, heading in KINDS]
    return [(heading, group) for heading, group in found if group]


def _later(v: Verdict) -> dict[str, str]:
    return {"id": v.claim.id, "says": v.claim.says, "tiers": " or ".join(v.claim.tiers)}


def figure(drawn: figures.Figure) -> dict[str, Any]:
    """A figure as `figure.html` shows it."""
    return {
        "title": drawn.title,
        "words": drawn.words,
        "short": drawn.words.split(": ", 1)[-1],
        "panels": [(f"{drawn.name}-{i}", name) for i, (name, _) in enumerate(drawn.panels)],
        "legend": list(drawn.legend.items()),
        "marks": drawn.marks,
        "training": drawn.training,
        "named": drawn.named,
        "many": len(drawn.panels) > MANY,
        "shifted": {r["where"] for r in drawn.rows},
        "x": drawn.x,
        "rows": [] if drawn.training else [_row(r) for r in drawn.rows[:ROWS]],
        "left": 0 if drawn.training else max(0, len(drawn.rows) - ROWS),
    }


def specs(drawn: Sequence[figures.Figure]) -> dict[str, Any]:
    """What the panels of figures are drawn from, by the names that `figure` gives them."""
    return {
        f"{f.name}-{i}": charts.themed(spec, height=TALL if len(f.panels) <= MANY else SHORT)
        for f in drawn
        for i, (_, spec) in enumerate(f.panels)
    }


def _row(row: Mapping[str, Any]) -> list[str]:
    arm = ", ".join(w for w in (row["panel"], row["arm"]) if w)
    place = number(row["x"]) if isinstance(row["x"], float) else str(row["x"])
    return [
        arm,
        place,
        row["where"],
        *(number(row[k]) for k in ("mean", "low", "high")),
        str(row["seeds"]),
        str(row["items"]),
    ]


def _verdict(v: Verdict) -> dict[str, Any]:
    glyph, endless = glyphs.interval(v), abs(v.estimate) == float("inf")
    units = f"{v.units} {v.claim.unit}{'' if v.units == 1 else 's'}"
    small = [("p", v.p, chances), ("Holm", v.holm, chances), ("detects", v.detectable, number)]
    return {
        "id": v.claim.id,
        "says": v.claim.says,
        "effect": str(v.claim.effect),
        "expect": str(v.claim.expect),
        "reported": v.claim.reported,
        "where": v.claim.where,
        "recalled": v.claim.source == "recalled",
        "status": v.status,
        "evidence": v.evidence,
        "why": v.why,
        "units": units if glyph or endless else "",
        "endless": endless,
        "glyph": glyph,
        "estimate": number(v.estimate),
        "interval": f"[{number(v.low)}, {number(v.high)}]" if v.low == v.low else "",
        "small": [(name, told(x)) for name, x, told in small if x is not None and x == x],
    }


def trial(told: Mapping[str, Any], stale: Sequence[str] = ()) -> dict[str, Any]:
    """A trial's manifest as a line of the table of trials."""
    setting, host = told.get("setting", {}), told.get("host", {})
    return {
        "key": told.get("key", ""),
        "setting": [("", setting.get("setting", "")), *((k, str(v)) for k, v in setting.items() if k != "setting")],
        "seeds": span(told.get("seeds", [])),
        "minutes": f"{float(told.get('minutes', 0)):.2f}",
        "finished": str(told.get("finished", ""))[:16].replace("T", " "),
        "pins": ", ".join(told.get("pins", {}).values()),
        "code": told.get("code", ""),
        "stale": told.get("key") in stale,
        "host": host.get("processor") or host.get("machine", ""),
        "versions": ", ".join(f"{k} {v}" for k, v in told.get("versions", {}).items()),
    }


def _examples(judged: Judged) -> list[dict[str, str]]:
    """A few items of each split, from the worst answered to the best: what a reader wants to see."""
    by_split: dict[str, list[Mapping[str, Any]]] = {}
    for item in judged.items:
        by_split.setdefault(item["split"], []).append(item)
    each = max(1, EXAMPLES // max(1, len(by_split)))
    found: list[dict[str, str]] = []
    for split, items in by_split.items():
        ranked = sorted(items, key=lambda i: (sum(i["scores"].values()), i["id"]))
        for item in ranked[:: max(1, len(items) // each)][:each]:
            scores = ", ".join(f"{k} {number(float(v))}" for k, v in item["scores"].items())
            words = {
                name: inert(str(item[name]), most) for name, most in (("prompt", 400), ("answer", 600), ("truth", 600))
            }
            found.append({"split": inert(split), **words, "scores": scores})
    return found


def paragraphs(sheet: str) -> list[dict[str, str]]:
    """A sheet's prose without its markup: each paragraph with the words in bold that head it, if any."""
    blocks = [" ".join(b.split()) for b in re.split(r"\n\s*\n", sheet) if b.strip() and not b.lstrip().startswith("# ")]
    found: list[dict[str, str]] = []
    for block in blocks:
        head = re.match(r"\*\*(.+?)\*\*\s*|#+ (.+)", block)
        rest = block[head.end() :] if head else block
        name = (head[1] or head[2] or "").strip() if head else ""
        found.append({"head": name, "text": re.sub(r"\*\*(.+?)\*\*", r"\1", rest).replace("`", "")})
    return found
