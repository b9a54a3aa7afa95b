"""How are numbers kept between bounds that rounding cannot break?

add((0.1, 0.1), (0.2, 0.2))  ->  (0.2999…, 0.3000…)          sign((-1e-20, 1e-20))  raises Doubtful

An interval is a pair (low, high) of floats that surely holds a number: every operation rounds outwards. Where the
intervals leave a question open (does a parabola just touch a line?), `Doubtful` is raised, and the problem is not asked.
"""

from __future__ import annotations

from typing import NoReturn

Interval = tuple[float, float]
SLACK = 1e-15  # relative: more than twice the rounding error of one operation, or of a function of the C library


class Doubtful(Exception):
    """Rounding leaves it open what is right."""


def out(low: float, high: float) -> Interval:
    """The interval widened by the rounding error of one operation."""
    return low - abs(low) * SLACK, high + abs(high) * SLACK


def add(x: Interval, y: Interval) -> Interval:
    return out(x[0] + y[0], x[1] + y[1])


def times(k: float, x: Interval) -> Interval:
    """k exact and not zero."""
    return out(k * x[0], k * x[1]) if k > 0 else out(k * x[1], k * x[0])


def over(x: Interval, y: Interval) -> Interval:
    """x / y; raises Doubtful where y may be zero."""
    if sign(y) == 0:
        raise Doubtful
    ends = [a / b for a in x for b in y]
    return out(min(ends), max(ends))


def sign(x: Interval) -> int:
    """The sign of every number of the interval: 1 or -1, and 0 only for exactly zero. Raises Doubtful where they differ."""
    if x[0] > 0:
        return 1
    if x[1] < 0:
        return -1
    if x == (0.0, 0.0):
        return 0
    raise Doubtful


def inside(found: list[Interval], within: Interval) -> list[Interval]:
    """Those in `within`; raises Doubtful for one that may lie on its border."""
    kept: list[Interval] = []
    for x in found:
        if x[1] < within[0] or x[0] > within[1]:
            continue
        if x[0] <= within[0] or x[1] >= within[1]:
            raise Doubtful
        kept.append(x)
    return kept


def doubt() -> NoReturn:
    """Raises Doubtful."""
    raise Doubtful


def size(x: Interval) -> Interval:
    """An interval of the absolute values."""
    low, high = abs(x[0]), abs(x[1])
    return (0.0 if x[0] <= 0 <= x[1] else min(low, high)), max(low, high)
