"""How is news told? In words, once, and from these as Markdown, as HTML mail, and as JSON.

subject(news)     2 verdicts flipped, 1 card moved, 3 papers
headline(flip)    omega C1 (laptop): supported → refuted
lines(flip)[0]    Before: supported, 0.52 [0.41, 0.63]. Now: refuted, 0.02 [-0.08, 0.12]; expected above 0.3.

Every string comes from somewhere (a model's name, a study of a stranger's, a title of a listing), so all of them are
made inert, and escaped in every form.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

from unseen.core.card import Interval
from unseen.core.history import Finding
from unseen.core.inert import inert, label
from unseen.news.changes import Change, Flip, Measured, Move, Moved, News
from unseen.news.nearness import Near

LONG = 300  # letters of a title
MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def headline(change: Change | Near) -> str:
    """A change, or a paper, in one line."""
    if isinstance(change, Near):
        return label(change.entry.title, LONG)
    if isinstance(change, Measured):
        how = "recorded in the ledger" if change.source == "ledger" else "measured here for the first time"
        return f"{label(change.title or change.slug, LONG)} ({label(change.tier)}): {how}"
    if isinstance(change, Flip):
        now, before = change.change.now, change.change.before
        was = label(before.status) if before else "untold"
        return f"{label(now.slug)} {label(now.id)} ({label(now.tier)}): {was} → {label(now.status)}"
    axes = ", ".join(dict.fromkeys(label(m.axis) for m in change.moves))
    return (
        f"{label(change.model)} ({label(change.tier)}): {'first card, on' if change.first else 'card moved on'} {axes}"
    )


def lines(change: Change | Near) -> list[str]:
    """What is to be said of a change or a paper, a sentence or two a line."""
    if isinstance(change, Near):
        return reasons(change)
    if isinstance(change, Measured):
        told = ", ".join(f"{n} {label(s)}" for s, n in change.counts.items()) or "no findings at this tier"
        return [f"{label(change.slug)}, {date(change.when)}: {told}."]
    if isinstance(change, Flip):
        now, before = change.change.now, change.change.before
        was = f"Before: {_found(before)}, found {date_of(before.when)}. " if before else ""
        told = [
            inert(now.says, LONG),
            f"{was}Now: {_found(now)}; {now.units} units, expected {label(now.expect)}; {label(now.evidence)}.",
        ]
        return [*told, *([inert(now.why, LONG)] if now.why else [])]
    swept = ", ".join(f"{label(k)}={label(v)}" for k, v in change.sweep.items())
    still = f"{change.still} {'gap' if change.still == 1 else 'gaps'} as before." if change.still else ""
    return [*(_moved(m) for m in change.moves), *filter(None, [f"Made with {swept}." if swept else "", still])]


def address(change: Change | Near, base: str) -> str:
    """Where more is to be read: a paper's page at arXiv, else a page of the gallery at `base`."""
    if isinstance(change, Near):
        return change.entry.link
    if isinstance(change, Moved):
        return f"{base}cards/index.html"
    slug = change.slug if isinstance(change, Measured) else change.change.now.slug
    return f"{base}studies/{quote(slug, safe='')}.html"


def fragment(change: Change | Near) -> str:
    """A change, or a paper, as a fragment of HTML, escaped."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines(change))


def subject(news: News) -> str:
    """What the news holds, counted, in one line."""
    flips, moved = len(news.flips), [m for m in news.moved if not m.first]
    first = len(news.moved) - len(moved)
    counts = (
        (len(news.studies), "study", "studies"),
        (flips, "verdict flipped", "verdicts flipped"),
        (len(moved), "card moved", "cards moved"),
        (first, "first card", "first cards"),
        (len(news.papers), "paper to read", "papers to read"),
    )
    return ", ".join(f"{n} {one if n == 1 else more}" for n, one, more in counts if n) or "nothing changed"


def markdown(news: News) -> str:
    """The news as Markdown."""
    told = [f"# Unseen: {subject(news)}", "", _span(news), ""]
    for title, changes in _parts(news):
        told += [f"## {title}", ""]
        for change in changes:
            told += [f"- **{marked(headline(change))}**", *(f"  {marked(line)}  " for line in lines(change))]
        told.append("")
    if news.papers:
        told += ["## Papers to read", ""]
        for near in news.papers:
            told += [f"- **{marked(headline(near))}** <{near.entry.link}>  ", *(f"  {marked(line)}  " for line in lines(near))]  # fmt: skip
        told.append("")
    told += [f"*{marked(inert(note))}*" for note in news.notes]
    return "\n".join(told).rstrip() + "\n"


def html(news: News) -> str:
    """The news as an HTML mail: styles within, light and dark, no script, no picture, nothing to be fetched."""
    from . import report

    parts = [
        (title, [{"headline": headline(c), "lines": lines(c), "status": _status(c)} for c in changes])
        for title, changes in _parts(news)
    ]
    papers = [{"title": headline(n), "link": n.entry.link, "lines": lines(n)} for n in news.papers]
    return (
        report.environment()
        .get_template("digest.html")
        .render(
            subject=subject(news), span=_span(news), parts=parts, papers=papers, notes=[inert(n) for n in news.notes]
        )
    )


def to_json(news: News) -> dict[str, Any]:
    """The news as plain JSON values."""
    return {
        "since": news.since.isoformat(timespec="seconds"),
        "until": news.until.isoformat(timespec="seconds"),
        "subject": subject(news),
        "studies": [{**_shared(s), "slug": s.slug, "tier": s.tier, "source": s.source, "counts": dict(s.counts)} for s in news.studies],
        "flips": [
            {**_shared(f), "slug": f.change.now.slug, "tier": f.change.now.tier, "claim": f.change.now.id,
             "before": _finding(f.change.before), "now": _finding(f.change.now)}
            for f in news.flips
        ],
        "cards": [
            {**_shared(m), "model": m.model, "tier": m.tier, "set": dict(m.sweep), "first": m.first, "still": m.still,
             "moves": [_move(one) for one in m.moves]}
            for m in news.moved
        ],
        "papers": [n.to_json() for n in news.papers],
        "notes": list(news.notes),
    }  # fmt: skip


def reasons(near: Near) -> list[str]:
    """Who wrote a paper, and why it is told."""
    who = ", ".join(near.entry.authors[:3]) + (f" and {len(near.entry.authors) - 3} more" if len(near.entry.authors) > 3 else "")  # fmt: skip
    dated = f"arXiv:{near.entry.arxiv}, {near.entry.published or near.entry.year}"
    return [label(f"{who}; {dated}" if who else dated, LONG), label(near.why(), LONG)]


def marked(text: str) -> str:
    """Text that has no markup of its own in Markdown, on one line."""
    return MARKUP.sub(r"\\\1", " ".join(text.split()))


def date(when: datetime) -> str:
    """A day as `26 November 2026`."""
    return f"{when.day} {when:%B %Y}"


def date_of(text: str) -> str:
    """The day of a time in ISO 8601."""
    return date(datetime.fromisoformat(text))


def _parts(news: News) -> list[tuple[str, Sequence[Change]]]:
    parts: list[tuple[str, Sequence[Change]]] = [
        ("Verdicts that flipped", news.flips),
        ("Cards that moved", news.moved),
        ("New studies", news.studies),
    ]
    return [(title, changes) for title, changes in parts if changes]


def _span(news: News) -> str:
    return f"From {date(news.since)} to {date(news.until)}."


def _status(change: Change) -> str:
    """The status that colours a change; empty where it has none."""
    return change.change.now.status if isinstance(change, Flip) else ""


def _found(f: Finding) -> str:
    return f"{label(f.status)}, {Interval(f.estimate, f.low, f.high).text()}"


def _moved(m: Move) -> str:
    where = f"{label(m.axis)} · {label(m.study)}, {label(m.measure)}: gap"
    if m.before is None:
        return f"{where} {m.after.text(signed=True)}"
    sure = "more than their intervals" if m.beyond else "within their intervals"
    return f"{where} {m.before.text(signed=True)} → {m.after.text(signed=True)}, {sure}"


def _shared(change: Change) -> dict[str, Any]:
    return {"id": change.key, "when": change.when.isoformat(timespec="milliseconds"), "headline": headline(change)}


def _finding(f: Finding | None) -> dict[str, Any] | None:
    if f is None:
        return None
    return {"when": f.when, "status": f.status, **Interval(f.estimate, f.low, f.high).to_json(), "units": f.units}


def _move(m: Move) -> dict[str, Any]:
    told = {"axis": m.axis, "study": m.study, "measure": m.measure, "after": m.after.to_json(), "beyond": m.beyond}
    return {**told, "before": None if m.before is None else m.before.to_json()}
