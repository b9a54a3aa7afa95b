"""Small drawings inside tables: an interval against its region, two scores and their gap, a curve. Plain SVG, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

from unseen.core.card import Interval
from unseen.core.claim import Verdict

WIDTH, EDGE = 240, 10
FILLED = 0.2  # of the scale 0..1 or -1..1: with less in it, one looks closer
LETTER = 5.4  # pixels of one letter of a label


def interval(verdict: Verdict) -> str:
    """The verdict's interval as a bar, its estimate as a dot, over the region that was claimed; empty where it has none.

    Fractions lie on 0..1 and differences of them on -1..1, so that a column of them can be read downwards.
    """
    low, high, m = verdict.low, verdict.high, verdict.estimate
    if not isfinite(m):
        return ""
    region = verdict.claim.expect
    left, right = _ends([low, high, m, region.low, region.high])

    def x(value: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * (min(max(value, left), right) - left) / (right - left), 1)

    a, b = x(region.low), x(region.high)
    words = escape(f"estimate {number(m)}, interval {number(low)} to {number(high)}, claimed {region}")
    bar = (
        f'<line x1="{x(low)}" x2="{x(high)}" y1="15" y2="15" stroke="currentColor" stroke-width="3.5" stroke-linecap="round"/>'
        if low == low
        else ""
    )
    zero = (
        f'<line x1="{x(0)}" x2="{x(0)}" y1="3" y2="27" stroke="var(--soft)" stroke-dasharray="2 2"/>'
        if left < 0 < right
        else ""
    )
    edges = "".join(
        f'<line x1="{x(edge)}" x2="{x(edge)}" y1="3" y2="27" stroke="var(--ink)" stroke-width="1.2"/>'
        for edge in (region.low, region.high)
        if isfinite(edge)
    )
    labels = _labels(
        [(x(v), number(v)) for v in (region.low, region.high, left, right, 0.0) if isfinite(v) and left <= v <= right]
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} 42" class="{verdict.status}" role="img" aria-label="{words}"><title>{words}</title>'
        f'<rect x="{a}" y="3" width="{max(1.0, round(b - a, 1))}" height="24" fill="var(--region)"/>'
        f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="27" y2="27" stroke="var(--rule)"/>{zero}{edges}{bar}'
        f'<circle cx="{x(m)}" cy="15" r="5" fill="currentColor" stroke="var(--card)" stroke-width="1.5"/>{labels}</svg>'
    )  # fmt: skip


def scores(reference: Interval, shifted: Interval, chance: float) -> str:
    """Two scores on 0..1: reference as an open dot, shifted as a full one, each with its interval; chance dashed."""
    known = [v for i in (reference, shifted) for v in (i.estimate, i.low, i.high)]
    if not any(isfinite(v) for v in known):
        return ""
    left, right = _ends([*known, chance, 0.0, 1.0])

    def x(value: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * (min(max(value, left), right) - left) / (right - left), 1)

    drawn = [
        f'<line x1="{EDGE}" x2="{WIDTH - EDGE}" y1="33" y2="33" stroke="var(--rule)"/>',
        f'<line x1="{x(chance)}" x2="{x(chance)}" y1="2" y2="33" stroke="var(--soft)" stroke-dasharray="2 2"/>',
    ]
    if isfinite(reference.estimate) and isfinite(shifted.estimate):
        drawn.append(
            f'<line x1="{x(reference.estimate)}" y1="10" x2="{x(shifted.estimate)}" y2="24" stroke="var(--soft)"/>'
        )
    for one, y, fill in ((reference, 10, "var(--card)"), (shifted, 24, "currentColor")):
        if isfinite(one.low) and isfinite(one.high):
            drawn.append(
                f'<line x1="{x(one.low)}" x2="{x(one.high)}" y1="{y}" y2="{y}" stroke="currentColor" stroke-width="3" stroke-linecap="round" opacity="0.55"/>'
            )
        if isfinite(one.estimate):
            drawn.append(
                f'<circle cx="{x(one.estimate)}" cy="{y}" r="4.6" fill="{fill}" stroke="currentColor" stroke-width="1.8"/>'
            )
    labels = _labels([(x(v), number(v)) for v in (left, right, chance)], y=45)
    words = escape(f"reference {reference.text()}, shifted {shifted.text()}, chance {number(chance)}")
    return f'<svg viewBox="0 0 {WIDTH} 48" class="scores" role="img" aria-label="{words}"><title>{words}</title>{"".join(drawn)}{labels}</svg>'  # fmt: skip


def curve(points: Sequence[tuple[str, float, int]]) -> str:
    """Values between 0 and 1 along an axis as a line with a dot each, named on hover."""
    kept = [(name, v, n) for name, v, n in points if isfinite(v)]
    if not kept:
        return ""
    step = 150 / max(1, len(kept) - 1)
    at = [(round(6 + i * step, 1), round(30 - 24 * min(max(v, 0), 1), 1)) for i, (_, v, _) in enumerate(kept)]
    line = " ".join(f"{x},{y}" for x, y in at)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3" fill="currentColor"><title>{escape(f"{name}: {number(v)} (n = {n})")}</title></circle>'
        for (x, y), (name, v, n) in zip(at, kept, strict=True)
    )
    words = escape(", ".join(f"{name} {v:.2f}" for name, v, _ in kept))
    return f'<svg viewBox="0 0 162 36" class="curve" role="img" aria-label="{words}"><line x1="6" x2="156" y1="30" y2="30" stroke="var(--rule)"/><polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.5"/>{dots}</svg>'


def number(value: float | None) -> str:
    """Three digits, with a true minus sign; `–` where there is none."""
    if value is None or value != value:
        return "–"
    if abs(value) == float("inf"):
        return "∞" if value > 0 else "−∞"
    return f"{value:.3g}".replace("-", "−")


def chances(p: float) -> str:
    """A probability: three digits, and `below 0.0001` where they would say nothing."""
    return "below 0.0001" if p < 1e-4 else number(round(p, 4))


def _ends(values: Iterable[float]) -> tuple[float, float]:
    """The ends of a scale that shows these values: 0..1 or -1..1 where they fill enough of it, else a little more than they need."""
    known = [v for v in values if isfinite(v)]
    low, high = min(known), max(known)
    for left, right in ((0.0, 1.0), (-1.0, 1.0)):
        if left <= low and high <= right and (high - low >= FILLED * (right - left) or high == low):
            return left, right
    near = [low, high] if min(abs(low), abs(high)) > high - low else [low, high, 0.0]
    low, high = min(near), max(near)
    spare = 0.25 * ((high - low) or abs(high) or 1.0)
    return (0.0 if low >= 0 > low - spare else low - spare), (1.0 if high <= 1 < high + spare else high + spare)


def _labels(told: Sequence[tuple[float, str]], y: float = 39) -> str:
    """Numbers under a scale, the first ones first; one that would touch another is left out."""
    taken: list[tuple[float, float]] = []
    drawn: list[str] = []
    for x, words in told:
        half = len(words) * LETTER / 2 + 3
        middle = min(max(x, half), WIDTH - half)
        if all(middle + half < a or middle - half > b for a, b in taken):
            taken.append((middle - half, middle + half))
            drawn.append(f'<text x="{round(middle, 1)}" y="{y}" text-anchor="middle">{words}</text>')
    return "".join(drawn)
