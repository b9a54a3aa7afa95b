"""How do results look in a notebook? As small tables with the glyphs of the report, in light and in dark.

judged                        the last line of a cell: the table of its verdicts
judged.verdicts[0]            one row: a dot, the claim, its interval against what was claimed

No script, no network; colours come from the notebook, texts that others wrote are escaped and inert. A notebook that is
not trusted drops styles and drawings and keeps the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from unseen.core.card import Card, Profile
from unseen.core.claim import Verdict, tally
from unseen.core.compare import Comparison, Difference
from unseen.core.inert import label
from unseen.core.ledger import Judged
from unseen.core.record import Records

from . import glyphs
from .card import apart, survives

MOST = 40  # rows of a table
LONG = 120  # letters of a reason that is folded
DARK = "[data-jp-theme-light=false] .unseen,[theme=dark] .unseen,[data-theme=dark] .unseen,.vscode-dark .unseen"
LIGHT_COLOURS = (
    "--yes:#1a7f4b;--no:#c2392f;--open:#9a6a00;--none:#6f7680;--accent:#3a6fb8;--region:rgba(58,111,184,.17)"
)
DARK_COLOURS = (
    "--yes:#63c796;--no:#f18c80;--open:#e2b54f;--none:#989ea7;--accent:#8fb6ec;--region:rgba(143,182,236,.24)"
)
STYLE = f"""<style>
.unseen{{{LIGHT_COLOURS};--ink:currentColor;--soft:rgba(127,127,127,.9);--rule:rgba(127,127,127,.35);--card:transparent;color:inherit;font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;overflow-x:auto}}
{DARK}{{{DARK_COLOURS}}}
.unseen table{{border-collapse:collapse;border:0;margin:.3em 0;font-size:13px;color:inherit}}
.unseen caption{{caption-side:top;text-align:left;color:inherit;font-weight:600;padding:.2em 0 .4em}}
.unseen th,.unseen td,.unseen tr{{border:0;background:none!important;text-align:left!important;color:inherit}}
.unseen th{{font-weight:500;opacity:.75;padding:.2em 1.2em .3em 0;border-bottom:1px solid var(--rule)}}
.unseen td{{padding:.45em 1.2em .45em 0;vertical-align:top;border-bottom:1px solid var(--rule);max-width:34em;white-space:normal;overflow-wrap:break-word}}
.unseen td.number{{font-variant-numeric:tabular-nums;white-space:nowrap}}
.unseen .why{{opacity:.75;font-size:12px;margin-top:.2em}}
.unseen .dot{{display:inline-block;width:.7em;height:.7em;border-radius:50%;border:2px solid currentColor;margin-right:.45em;box-sizing:border-box}}
.unseen .supported{{color:var(--yes)}}.unseen .refuted{{color:var(--no)}}.unseen .undecided{{color:var(--open)}}.unseen .untested{{color:var(--none)}}
.unseen .dot.supported{{background:currentColor}}.unseen .dot.refuted{{background:currentColor;border-radius:2px}}
.unseen .dot.undecided{{background:linear-gradient(90deg,currentColor 50%,transparent 50%)}}
.unseen svg{{display:block;width:15em;max-width:none;height:auto;overflow:visible}}.unseen svg.scores,.unseen svg.curve{{color:var(--accent)}}.unseen svg.curve{{width:10em}}
.unseen svg text{{font:9.5px system-ui,sans-serif;fill:currentColor;opacity:.75}}.unseen svg:not(.scores):not(.curve) text{{fill:var(--soft);opacity:1}}
</style>"""


def html(value: object) -> str:
    """A value as a notebook shows it. Raises TypeError for what is drawn nowhere."""
    if isinstance(value, Verdict):
        return _page(_verdicts([value]))
    if isinstance(value, Judged):
        return _page(judged(value))
    if isinstance(value, Card):
        return _page(card(value))
    if isinstance(value, Comparison):
        return _page(comparison(value))
    if isinstance(value, Records):
        return _page(records(value))
    raise TypeError(f"{type(value).__name__} is not drawn in notebooks.")


def judged(one: Judged) -> str:
    """The table of a study's verdicts, findings first, with what is lacking of the plan."""
    order = {"finding": 0, "control": 1, "audit": 2}
    counts = [f"{n} {status}" for status, n in tally(v.status for v in one.verdicts).items()]
    marked = "; exploratory: the plan was changed" if one.exploratory else ""
    caption = f"{one.slug}, tier {one.tier}: {', '.join(counts) or 'no claims'}{marked}"
    lacks = [f"{len(one.absent)} of {len(one.trials)} trials are not measured."] if one.absent else []
    lacks += [f"{len(one.stale)} trials were measured by older code."] if one.stale else []
    ordered = sorted(one.verdicts, key=lambda v: order[v.claim.kind])
    return _verdicts(ordered, caption) + _notes(lacks)


def card(one: Card) -> str:
    """A model's profile as a table of axes: reference, shifted, gap."""
    caption = f"{one.model}, tier {one.tier}" + (f", against {one.against}" if one.against else "")
    heads = ["axis", "study", "", "reference", "shifted", "gap", "along the axis", "n"]
    heads += ["change, shifted", "survives"] if one.against else []
    rows = [
        _profile(axis, p, where, against=one.against is not None)
        for axis, profiles in one.axes.items()
        for p, where in zip(profiles, apart(profiles), strict=True)
    ]
    own = [f"{one.own.test} beside {one.own.train}: {one.own.says}"] if one.own else []
    return _table(heads, rows, caption) + _notes([*own, *one.notes])


def comparison(one: Comparison) -> str:
    """Every difference of two models or runs, B minus A."""
    caption = f"B {one.second} minus A {one.first}"
    heads = ["what", "split", "A", "B", "B − A", "p", "p, Holm", "n"]
    return _table(heads, [_difference(d) for d in one.differences], caption) + _notes(one.notes)


def records(one: Records) -> str:
    """How many rows and items of every measure and split, and their mean at the last step."""
    heads = ["measure", "split", "side", "rows", "items", "mean at the last step"]
    return _table(heads, _counted(one), str(one))


def _verdicts(verdicts: Sequence[Verdict], caption: str = "") -> str:
    return _table(["verdict", "claim", "estimate", "against what was claimed"], map(_verdict, verdicts), caption)


def _verdict(v: Verdict) -> list[str]:
    kind = "" if v.claim.kind == "finding" else f" ({v.claim.kind})"
    known = v.low == v.low and v.high == v.high
    interval = f"<br>[{glyphs.number(v.low)}, {glyphs.number(v.high)}]" if known else ""
    status = f'<span class="dot {v.status}"></span><b>{_text(v.claim.id)}</b>{kind} {v.status}'
    why = f'<div class="why">{_text(v.why)}</div>' if v.why else ""
    if len(v.why) > LONG:  # preconditions are many words
        why = f'<details class="why"><summary>why</summary>{_text(v.why)}</details>'
    reported = f" Reported: {v.claim.reported}." if v.claim.reported else ""
    told = f"Expected {v.claim.expect}; {v.evidence}, {v.units} units.{reported}"
    says = f'{_text(v.claim.says)}<div class="why">{_text(told)}</div>{why}'
    return [_number(status), _cell(says), _number(glyphs.number(v.estimate) + interval), _cell(glyphs.interval(v))]


def _profile(axis: str, p: Profile, where: str, *, against: bool) -> list[str]:
    named = f"{_text(p.study)}: {_text(p.measure)}" + (f'<div class="why">{_text(where)}</div>' if where else "")
    note = f'<div class="why">{_text(p.note)}</div>' if p.note else ""
    numbers = [p.reference.text(), p.shifted.text(), p.gap.text(signed=True)]
    change = [p.change.text(signed=True) if p.change else "–", survives(p)] if against else []
    return [
        _cell(_text(axis)),
        _cell(named + note),
        _cell(glyphs.scores(p.reference, p.shifted, p.chance)),
        *(_number(_text(told)) for told in numbers),
        _cell(glyphs.curve([(label(at), value, n) for at, value, n in p.curve])),
        _number(str(p.n)),
        *(_number(_text(told)) for told in change),
    ]


def _difference(d: Difference) -> list[str]:
    known = d.low == d.low and d.high == d.high
    told = f"{d.estimate:+.3f}" + (f" [{d.low:+.3f}, {d.high:+.3f}]" if known else "")
    sure = f"<b>{told}</b>" if d.p <= 0.05 else told
    numbers = [
        f"{d.a:.3f}",
        f"{d.b:.3f}",
        sure.replace("-", "−"),
        _chance(d.p),
        _chance(d.holm),
        f"{d.n} {_text(d.unit)}s",
    ]
    return [_cell(_text(d.what)), _cell(_text(d.split)), *map(_number, numbers)]


def _chance(p: float) -> str:
    return "–" if p != p else glyphs.chances(p)


def _counted(one: Records) -> list[list[str]]:
    """Rows of a table: each measure on each split, in the records' order."""
    place, first = one.places(["measure", "split"])
    last, found = one.final, list[list[str]]()
    for i, at in enumerate(first):
        mine = place == i
        measure, split = (one.column(name)[at] for name in ("measure", "split"))
        values = last.where(measure=measure, split=split).value
        side = "" if not split else "shifted" if one.column("shifted")[at] else "reference"
        told = [measure, split or "–", side]
        mean = glyphs.number(float(np.mean(values))) if len(values) else "–"
        found.append([*(_cell(_text(t)) for t in told), *map(_number, (str(int(np.sum(mine))), f"{int(np.sum(one.n[mine])):,}", mean))])  # fmt: skip
    return found


def _page(body: str) -> str:
    return f'<div class="unseen">{STYLE}{body}</div>'


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A table of cells that are HTML already; the end of a long one is counted."""
    told = list(rows)
    more = f'<tr><td colspan="{len(heads)}">and {len(told) - MOST} more</td></tr>' if len(told) > MOST else ""
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in told[:MOST])
    named = f"<caption>{_text(caption)}</caption>" if caption else ""
    return f"<table>{named}<thead><tr>{head}</tr></thead><tbody>{body}{more}</tbody></table>"


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<div class="why">{_text(note)}</div>' for note in notes[:MOST])


def _cell(content: str) -> str:
    return f"<td>{content}</td>"


def _number(content: str) -> str:
    return f'<td class="number">{content}</td>'


def _text(text: object) -> str:
    return escape(label(text, most=1500))
