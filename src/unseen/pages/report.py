"""What did the laboratory find? One HTML file with verdicts, figures and provenance that opens with no network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseen.core.claim import Verdict
from unseen.core.ledger import Judged
from unseen.core.stats import chance_wrong

from . import figures, glyphs

if TYPE_CHECKING:
    from jinja2 import Environment

    from unseen.core.card import Card

EXAMPLES = 12
LIMITS = "Runs of two kinds, such as those that grok and those that do not, can hide from a handful of seeds; under ten runs a skewed measure is surer than it should be; edges close to an end need more runs."


def write(judged: Sequence[Judged], path: Path, *, cards: Sequence[Card] = ()) -> Path:
    """Write the report of these studies, and cards of models, as one file; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html(judged, cards=cards), encoding="utf-8")
    return path


def html(judged: Sequence[Judged], *, cards: Sequence[Card] = ()) -> str:
    """The report as one self-contained page."""
    from . import card as card_page

    made = {f.name: figures.themed(f.spec) for j in judged for f in figures.of(j)}
    return (
        environment()
        .get_template("report.html")
        .render(
            title=_title(judged, cards),
            css=css(),
            version=_version(),
            when=datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
            chance=_chance([v for j in judged for v in j.verdicts]),
            studies=[_study(j) for j in judged],
            cards=[card_page.told(c) for c in cards],
            charts=safe_json(made) if made else "",
            bundle=_bundle() if made else "",
            limits=LIMITS,
        )
    )


def environment() -> Environment:
    """Templates that escape everything they are given."""
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("unseen.pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def css() -> str:
    """The pages' one style sheet."""
    return (Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")


def safe_json(value: object) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element or a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return (
        text.replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def inert(text: str, most: int = 600) -> str:
    """A model's words as plain text: control and direction marks shown as what they are; the end of what is too long."""
    shown = re.sub(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]",
        lambda m: f"␀{ord(m[0]):02x}",
        text,
    )
    return shown if len(shown) <= most else "… " + shown[-most:]


def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    return vl_convert.javascript_bundle().replace("</script", "<\\/script")


def _version() -> str:
    from importlib.metadata import version

    return version("unseen")


def _title(judged: Sequence[Judged], cards: Sequence[Card]) -> str:
    if len(judged) == 1 and not cards:
        return judged[0].study.paper.title
    return f"{len(judged)} studies of generalization" if judged else "What a model does on what it has not seen"


def _chance(verdicts: Sequence[Verdict]) -> str:
    """How many verdicts chance alone could have made wrong (a sum of expectations, so it holds whatever depends on what)."""
    told = [v for v in verdicts if v.status != "untested"]
    decided = [v for v in told if v.status != "undecided"]
    if not told:
        return "No claim could be judged on these records."
    return f"{len(told)} claims judged, {len(decided)} decided; if every truth lay on the edge of its region, chance alone would get at most {chance_wrong(len(told)):.1f} wrong on average."


def _study(judged: Judged) -> dict[str, Any]:
    paper = judged.study.paper
    parts = _paragraphs(judged.sheet)
    return {
        "slug": judged.slug,
        "title": paper.title,
        "year": paper.year,
        "arxiv": paper.arxiv,
        "axes": judged.study.axes,
        "tier": judged.tier,
        "exploratory": judged.exploratory,
        "question": [p for p in parts if p.lower().startswith(("question", "answer"))][:2],
        "sheet": parts,
        "counted": counted(judged.verdicts),
        "verdicts": [_verdict(v) for v in judged.verdicts],
        "figures": figures.of(judged),
        "marks": bool(judged.study.marks),
        "examples": list(_examples(judged)),
        "departures": judged.departures,
        "trials": [_trial(m, judged.stale) for m in judged.manifests],
        "minutes": f"{sum(float(m.get('minutes', 0)) for m in judged.manifests):.1f}",
        "absent": len(judged.absent),
        "words": f"{judged.slug} --tier {judged.tier}",
    }


def counted(verdicts: Sequence[Verdict]) -> str:
    """`5 supported, 1 refuted, 2 undecided`, findings only."""
    kinds = [v.status for v in verdicts if v.claim.kind == "finding"]
    return (
        ", ".join(f"{kinds.count(s)} {s}" for s in ("supported", "refuted", "undecided", "untested") if s in kinds)
        or "no findings"
    )


def _verdict(v: Verdict) -> dict[str, Any]:
    return {
        "id": v.claim.id,
        "kind": v.claim.kind,
        "says": v.claim.says,
        "effect": str(v.claim.effect),
        "expect": str(v.claim.expect),
        "reported": v.claim.reported,
        "status": v.status,
        "evidence": v.evidence,
        "why": v.why,
        "unit": v.claim.unit,
        "units": v.units,
        "glyph": glyphs.interval(v),
        "estimate": _number(v.estimate),
        "interval": f"[{_number(v.low)}, {_number(v.high)}]" if v.low == v.low else "",
        "p": _number(v.p) if v.p == v.p else "",
        "holm": _number(v.holm) if v.holm == v.holm else "",
        "detectable": _number(v.detectable) if v.detectable else "",
    }


def _trial(told: Mapping[str, Any], stale: Sequence[str]) -> dict[str, Any]:
    setting = ", ".join(f"{k}={v}" for k, v in told.get("setting", {}).items() if k != "setting")
    seeds = told.get("seeds", [])
    return {
        "key": told.get("key", ""),
        "setting": f"{told.get('setting', {}).get('setting', '')}({setting})",
        "seeds": f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else ", ".join(map(str, seeds)),
        "minutes": f"{float(told.get('minutes', 0)):.2f}",
        "pins": ", ".join(told.get("pins", {}).values()) or "–",
        "code": told.get("code", ""),
        "stale": told.get("key") in stale,
        "host": told.get("host", {}).get("processor") or told.get("host", {}).get("machine", ""),
        "versions": ", ".join(f"{k} {v}" for k, v in told.get("versions", {}).items()),
    }


def _examples(judged: Judged) -> list[dict[str, str]]:
    """A few items of each split, wrong ones first: what a reader wants to see."""
    by_split: dict[str, list[Mapping[str, Any]]] = {}
    for item in judged.items:
        by_split.setdefault(item["split"], []).append(item)
    each = max(1, EXAMPLES // max(1, len(by_split)))
    found: list[dict[str, str]] = []
    for split, items in by_split.items():
        for item in sorted(items, key=lambda i: sum(i["scores"].values()))[:: max(1, len(items) // each)][:each]:
            scores = ", ".join(f"{k} {v:g}" for k, v in item["scores"].items())
            found.append(
                {
                    "split": inert(split),
                    "prompt": inert(item["prompt"], 400),
                    "answer": inert(item["answer"]),
                    "truth": inert(item["truth"]),
                    "scores": scores,
                }
            )
    return found


def _paragraphs(sheet: str) -> list[str]:
    """A sheet's prose without its markup."""
    blocks = [" ".join(b.split()) for b in re.split(r"\n\s*\n", sheet) if b.strip() and not b.startswith("# ")]
    return [re.sub(r"\*\*(.+?)\*\*", r"\1", b.lstrip("# ")).replace("`", "") for b in blocks]


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "–"
    if abs(value) == float("inf"):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3g}".replace("-", "−")
