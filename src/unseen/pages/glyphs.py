"""Small drawings inside tables: an interval against its region, and a curve along an axis. Plain SVG, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import inf, isfinite

from unseen.core.claim import Verdict

WIDTH, HEIGHT, EDGE = 240, 30, 8


def interval(verdict: Verdict) -> str:
    """The verdict's interval as a bar, its estimate as a dot, over the region that was claimed; empty where it has none."""
    low, high, m = verdict.low, verdict.high, verdict.estimate
    if not isfinite(m):
        return ""
    region = verdict.claim.expect
    known = [v for v in (low, high, m, region.low, region.high, 0.0) if isfinite(v)]
    left, right = min(known), max(known)
    spare = 0.08 * ((right - left) or 1.0)
    left, right = left - spare, right + spare

    def x(value: float) -> float:
        clipped = min(max(value, left), right)
        return round(EDGE + (WIDTH - 2 * EDGE) * (clipped - left) / (right - left), 1)

    a, b = x(max(region.low, -inf)), x(min(region.high, inf))
    words = escape(f"estimate {m:.3g}, interval {low:.3g} to {high:.3g}, claimed {region}")
    bar = (
        f'<line x1="{x(low)}" x2="{x(high)}" y1="15" y2="15" stroke="currentColor" stroke-width="3" stroke-linecap="round"/>'
        if isfinite(low) or isfinite(high)
        else ""
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="{verdict.status}" role="img" aria-label="{words}"><title>{words}</title>'
        f'<rect x="{a}" y="4" width="{max(1.0, round(b - a, 1))}" height="22" rx="3" fill="currentColor" opacity="0.13"/>'
        f'<line x1="{x(0)}" x2="{x(0)}" y1="2" y2="28" stroke="var(--rule)"/>{bar}'
        f'<circle cx="{x(m)}" cy="15" r="4.5" fill="currentColor"/></svg>'
    )


def curve(points: Sequence[tuple[str, float, int]]) -> str:
    """Values between 0 and 1 along an axis as a line with a dot each, named on hover."""
    kept = [(name, v, n) for name, v, n in points if isfinite(v)]
    if not kept:
        return ""
    step = 150 / max(1, len(kept) - 1)
    at = [(round(6 + i * step, 1), round(30 - 24 * min(max(v, 0), 1), 1)) for i, (_, v, _) in enumerate(kept)]
    line = " ".join(f"{x},{y}" for x, y in at)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3" fill="currentColor"><title>{escape(f"{name}: {v:.3g} (n = {n})")}</title></circle>'
        for (x, y), (name, v, n) in zip(at, kept, strict=True)
    )
    words = escape(", ".join(f"{name} {v:.2f}" for name, v, _ in kept))
    return f'<svg viewBox="0 0 162 36" width="162" height="36" role="img" aria-label="{words}"><line x1="6" x2="156" y1="30" y2="30" stroke="var(--rule)"/><polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.5"/>{dots}</svg>'
