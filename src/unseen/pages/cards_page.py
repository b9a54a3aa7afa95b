"""Which models were profiled, how did their profiles move, and how do two of them differ? Pages of cards.

index(source)                      ->  cards/index.html
page(source, "smollm2-laptop")     ->  cards/smollm2-laptop.html, None where no card is called so
compare(source, a, b)              ->  cards/compare.html?a=…&b=…
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from unseen.core.card import Profile, difference
from unseen.core.history import Dated, Series, plain_name

from . import card, glyphs, layout
from .source import Source


def names(source: Source) -> dict[str, Series]:
    """Every model and tier by the name of its page, the newest first."""
    return {f"{plain_name(s.model)}-{s.tier}": s for s in source.cards()}


def index(source: Source) -> str:
    """The page that lists every card, each with its newest numbers."""
    told = [_listed(name, series) for name, series in names(source).items()]
    return layout.render("cards.html", "cards/index.html", title="Cards", cards=told)


def page(source: Source, name: str) -> str | None:
    """A model's newest card, and how its profile moved."""
    series = names(source).get(name)
    if series is None:
        return None
    others = [(other, s) for other, s in names(source).items() if other != name]
    return layout.render(
        "card_page.html",
        f"cards/{name}.html",
        title=series.model,
        name=name,
        c=card.told(series.newest.card),
        number=1,
        made=_day(series.newest.when),
        moved=_moved(series.cards),
        n=len(series.cards),
        others=[(other, s.model, s.tier) for other, s in others],
    )


def compare(source: Source, a: str, b: str) -> str | None:
    """Two cards side by side, profile by profile; None where one of them is not there."""
    found = names(source)
    if a not in found or b not in found:
        return None
    one, other = found[a], found[b]
    return layout.render(
        "card_pair.html",
        "cards/compare.html",
        title=f"{one.model} and {other.model}",
        models=[(a, one.model, one.tier, _day(one.newest.when)), (b, other.model, other.tier, _day(other.newest.when))],
        axes=_paired(one.newest, other.newest),
        alone=_alone(one.newest, other.newest),
        names=[(n, s.model, s.tier) for n, s in found.items()],
    )


def _listed(name: str, series: Series) -> dict[str, Any]:
    newest = series.newest.card
    return {
        "name": name,
        "model": series.model,
        "tier": series.tier,
        "when": _day(series.newest.when),
        "n": len(series.cards),
        "against": newest.against,
        "axes": [
            (axis, [(p.study, p.reference.text(), p.shifted.text(), p.gap.text(signed=True)) for p in its])
            for axis, its in newest.axes.items()
        ],
        "own": newest.own is not None,
    }


def _paired(one: Dated, other: Dated) -> dict[str, list[dict[str, Any]]]:
    """The profiles that both cards have, by axis: their numbers, and what the second has more than the first.

    The difference of the means has an interval of its own: the items are the same where the studies drew the same, but
    a card keeps no items, so it is as wide as if they were others. That is too wide where both models find the same items
    hard, as they mostly do, and too narrow where one finds hard what the other finds easy; `unseen compare` pairs items.
    """
    theirs = {p.identity: p for its in other.card.axes.values() for p in its}
    found: dict[str, list[dict[str, Any]]] = {}
    for axis, its in one.card.axes.items():
        for p in its:
            if (q := theirs.get(p.identity)) is None:
                continue
            found.setdefault(axis, []).append(
                {
                    "study": p.study,
                    "measure": p.measure,
                    "where": ", ".join(f"{k} {v}" for k, v in p.where.items()),
                    "first": _words(p),
                    "second": _words(q),
                    "reference": difference(p.reference, q.reference).text(signed=True),
                    "shifted": difference(p.shifted, q.shifted).text(signed=True),
                    "n": (p.n, q.n),
                }
            )
    return found


def _alone(one: Dated, other: Dated) -> list[tuple[str, str]]:
    """The studies that only one of two cards has: (model, study)."""
    mine, theirs = ({p.identity: p.study for its in d.card.axes.values() for p in its} for d in (one, other))
    return [
        *((one.card.model, s) for s in dict.fromkeys(v for k, v in mine.items() if k not in theirs)),
        *((other.card.model, s) for s in dict.fromkeys(v for k, v in theirs.items() if k not in mine)),
    ]


def _words(p: Profile) -> dict[str, Any]:
    return {
        "scores": glyphs.scores(p.reference, p.shifted, p.chance),
        "reference": p.reference.text(),
        "shifted": p.shifted.text(),
        "gap": p.gap.text(signed=True),
    }


def _moved(cards: Sequence[Dated]) -> list[dict[str, Any]]:
    """How each profile moved over the cards of a model, made in one way: only those of which there is more than one."""
    newest = cards[0]
    like = [
        c
        for c in reversed(cards)
        if (c.sweep, c.data, c.card.against) == (newest.sweep, newest.data, newest.card.against)
    ]
    if len(like) < 2:
        return []
    found: list[dict[str, Any]] = []
    for axis, its in newest.card.axes.items():
        for p in its:
            series = [(c.when, q) for c in like for qs in c.card.axes.values() for q in qs if q.identity == p.identity]
            points = [(_day(when), q.shifted.estimate, q.n) for when, q in series if isfinite(q.shifted.estimate)]
            if len(points) > 1:
                table = [(_day(w), q.reference.text(), q.shifted.text(), q.gap.text(signed=True)) for w, q in series]
                found.append(
                    {
                        "axis": axis,
                        "study": p.study,
                        "measure": p.measure,
                        "curve": glyphs.curve(points),
                        "table": table,
                    }
                )
    return found


def _day(when: str) -> str:
    return when[:10]
