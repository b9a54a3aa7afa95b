"""Where does a composed function turn, where is it zero, where does it meet another, and what area is between them?

f = Composition((Quadratic(1, 0, -4), Wave(2, 1, 0, 1, True)))      2 sin(π(x² - 4)) + 1
len(zeros(f, (-10.0, 10.0)))  ->  200

A composition is solved backwards: every stage has its solutions in closed form, and so have its turning points, so that
zeros and turning points are found one by one and none is missed. Where two functions meet is found by halving cells on
which both rise or fall: slopes and values have certain bounds there, so that a cell surely has one crossing or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any

from .intervals import Doubtful, Interval, add, out, sign
from .stages import Stage

CELLS = 4000  # cells that two functions may be compared on
NARROW = 1e-6  # as wide as the interval of a root or turning point may be
ASIDE = 1e-7  # how far on both sides of a pole is left out: there the function is large and goes one way


@dataclass(frozen=True, slots=True)
class Composition:
    """Stages, the innermost first."""

    stages: tuple[Stage, ...]

    @property
    def weight(self) -> int:
        return sum(stage.weight for stage in self.stages)

    @property
    def code(self) -> str:
        return " ".join(stage.code for stage in self.stages)

    def text(self) -> str:
        """The formula in x."""
        said = "x"
        for stage in self.stages:
            said = stage.text(said if said == "x" else f"({said})")
        return said

    def values(self, x: Any) -> Any:
        """The values at an array, without certainty."""
        import numpy as np

        with np.errstate(all="ignore"):
            for stage in self.stages:
                x = stage.values(x)
        return x

    def image(self, x: Interval) -> Interval:
        """An interval that holds the values on x."""
        return self.path(x)[-1]

    def path(self, x: Interval) -> list[Interval]:
        """x, the values of the innermost stage on it, of the innermost two, …"""
        passed = [x]
        for stage in self.stages:
            passed.append(stage.image(passed[-1]))
        return passed

    def at(self, x: float, error: float = 0.0) -> Interval:
        """An interval that holds the value at every number that x misses by `error` at most."""
        for stage in self.stages:
            x, error = stage.at(x, error)
        return x - error, x + error

    def path_at(self, x: float) -> list[Interval]:
        """x, the value of the innermost stage there, of the innermost two, …"""
        passed = [(x, x)]
        error = 0.0
        for stage in self.stages:
            x, error = stage.at(x, error)
            passed.append((x - error, x + error))
        return passed

    def rising(self, x: float) -> int:
        """1 where the function rises at x and -1 where it falls."""
        up = 1
        for stage, y in zip(self.stages, self.path_at(x), strict=False):
            up *= stage.rising(y)
        return up


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a function turns and has poles, in order, and whether it rises (1) or falls (-1) before, between and after."""

    breaks: tuple[Interval, ...]
    poles: tuple[bool, ...]
    rising: tuple[int, ...]

    def extrema(self) -> list[tuple[Interval, int]]:
        """The local extrema: where, and 1 for a maximum or -1 for a minimum."""
        return [(x, self.rising[i]) for i, x in enumerate(self.breaks) if not self.poles[i]]


def back(f: Composition, n: int, y: Interval, ranges: Sequence[Interval]) -> list[Interval]:
    """Every x at which the innermost n stages have the value y, the argument of stage i being within ranges[i]."""
    found = [y]
    for i in reversed(range(n)):
        found = [x for value in found for x in f.stages[i].preimages(value, ranges[i])]
    return found


def zeros(f: Composition, domain: Interval) -> list[Interval]:
    """Every zero of f inside `domain`. Raises Doubtful where their number is open."""
    return back(f, len(f.stages), (0.0, 0.0), f.path(domain))


def shape(f: Composition, domain: Interval) -> Shape:
    """The turning points and poles of f inside `domain`.

    Raises Doubtful where they are open, where two of them coincide, or where a pole is the argument of anything but
    lines, parabolas and absolute values, so that the function would have another value or none beside it.
    """
    ranges = f.path(domain)
    found: list[tuple[Interval, bool]] = []
    for i, stage in enumerate(f.stages):
        found += [(x, False) for y in stage.turns(ranges[i]) for x in back(f, i, y, ranges)]
        for y in stage.poles():
            if y[1] < ranges[i][0] or y[0] > ranges[i][1]:
                continue
            places = back(f, i, y, ranges) if i else [y] if domain[0] < y[0] <= y[1] < domain[1] else _open()
            if places and any(later.code[0] in "rsce" for later in f.stages[i + 1 :]):
                raise Doubtful
            found += [((x[0] - ASIDE, x[1] + ASIDE), True) for x in places]
    found.sort()
    if found and not domain[0] < found[0][0][0] <= found[-1][0][1] < domain[1]:
        raise Doubtful
    apart([x for x, _ in found])
    ends = [domain[0], *(end for x, _ in found for end in x), domain[1]]
    rising = [f.rising((low + high) / 2) for low, high in zip(ends[::2], ends[1::2], strict=True)]
    for i, (_, pole) in enumerate(found):
        if not pole and rising[i] == rising[i + 1]:
            raise Doubtful
    return Shape(tuple(x for x, _ in found), tuple(pole for _, pole in found), tuple(rising))


def _open() -> list[Interval]:
    raise Doubtful


def apart(found: Sequence[Interval]) -> None:
    """Raises Doubtful where sorted intervals are wide, touch or overlap."""
    if any(high - low > NARROW for low, high in found) or any(one[1] >= other[0] for one, other in pairwise(found)):
        raise Doubtful


@dataclass(frozen=True, slots=True)
class _Cell:
    """An interval on which both functions rise or fall, with the values of their stages at its ends."""

    low: float
    high: float
    f: tuple[list[Interval], list[Interval]]
    g: tuple[list[Interval], list[Interval]]


def crossings(f: Composition, g: Composition, domain: Interval) -> list[Interval]:
    """Intervals in order with one crossing of f and g each, and none elsewhere inside `domain`.

    Raises Doubtful where that is not certain: where they touch, or cross at a turning point or at the end.
    """
    one, other = shape(f, domain), shape(g, domain)
    breaks = sorted([(x, 0, i) for i, x in enumerate(one.breaks)] + [(x, 1, i) for i, x in enumerate(other.breaks)])
    apart([x for x, _, _ in breaks])
    found: list[Interval] = []
    passed = [0, 0]
    ends = [domain[0], *(end for x, _, _ in breaks for end in x), domain[1]]
    for n, (low, high) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
        if n:
            x, which, i = breaks[n - 1]
            passed[which] += 1
            _beside(*((f, g, one) if which == 0 else (g, f, other)), x, i)
        same = one.rising[passed[0]] == other.rising[passed[1]]
        _halved(f, g, low, high, same, found)
    return found


def _beside(f: Composition, g: Composition, outline: Shape, x: Interval, i: int) -> None:
    """Raises Doubtful unless f surely does not meet g on x, where f has its i-th break."""
    middle, error = (x[0] + x[1]) / 2, x[1] - x[0]
    level = g.at(middle, error)
    if not outline.poles[i]:
        _above(f.at(middle, error), level)
        return
    for end, away in ((x[0], outline.rising[i]), (x[1], -outline.rising[i + 1])):
        value = f.at(end)
        if sign(value) != away or min(abs(value[0]), abs(value[1])) <= max(abs(level[0]), abs(level[1])):
            raise Doubtful


def _halved(f: Composition, g: Composition, low: float, high: float, same: bool, found: list[Interval]) -> None:
    """Adds the crossings on a cell where f and g rise or fall, both the same way or not."""
    paths = [(f.path_at(x), g.path_at(x)) for x in (low, high)]
    cells = [_Cell(low, high, (paths[0][0], paths[1][0]), (paths[0][1], paths[1][1]))]
    done = 0
    while cells:
        cell = cells.pop()
        before, after = _above(cell.f[0][-1], cell.g[0][-1]), _above(cell.f[1][-1], cell.g[1][-1])
        if not same or _ordered(f, g, cell):
            if before != after:
                found.append((cell.low, cell.high))
            continue
        if before == after and _disjoint(cell):
            continue
        done += 1
        if done > CELLS or cell.high - cell.low < NARROW:
            raise Doubtful
        middle = (cell.low + cell.high) / 2
        f_path, g_path = f.path_at(middle), g.path_at(middle)
        cells.append(_Cell(middle, cell.high, (f_path, cell.f[1]), (g_path, cell.g[1])))
        cells.append(_Cell(cell.low, middle, (cell.f[0], f_path), (cell.g[0], g_path)))


def _above(x: Interval, y: Interval) -> bool:
    """Whether x is above y; raises Doubtful where they may be equal."""
    if x[0] > y[1]:
        return True
    if x[1] < y[0]:
        return False
    raise Doubtful


def _less(x: Interval, y: Interval) -> Interval:
    """x - y."""
    return add(x, (-y[1], -y[0]))


def _hull(x: Interval, y: Interval) -> Interval:
    return x[0] if x[0] < y[0] else y[0], x[1] if x[1] > y[1] else y[1]


def _disjoint(cell: _Cell) -> bool:
    """Whether the values of f and g on a cell have no number in common: they lie between those at its ends."""
    one, other = _hull(cell.f[0][-1], cell.f[1][-1]), _hull(cell.g[0][-1], cell.g[1][-1])
    return one[1] < other[0] or other[1] < one[0]


def _ordered(f: Composition, g: Composition, cell: _Cell) -> bool:
    """Whether one of f and g is surely the steeper one all over a cell, so that they meet there once at most."""
    one, other = _steepness(f, cell.f), _steepness(g, cell.g)
    return one[0] > other[1] or other[0] > one[1]


def _steepness(f: Composition, ends: tuple[list[Interval], list[Interval]]) -> Interval:
    """Bounds of |slope| on a cell: the product of those of the stages, whose arguments lie between those at the ends."""
    low = high = 1.0
    for stage, one, other in zip(f.stages, *ends, strict=False):
        least, most = stage.steepness(_hull(one, other))
        low *= least
        high *= most
    return out(*out(low, high))  # twice: of a product of at most six


def narrowed(f: Composition, g: Composition, x: Interval, width: float = 1e-9) -> Interval:
    """The interval x of one crossing, halved until it is at most `width` wide."""
    low, high = x
    before = _above(f.at(low), g.at(low))
    while high - low > width:
        middle = (low + high) / 2
        try:
            here = _above(f.at(middle), g.at(middle))
        except Doubtful:  # the crossing itself, or nearly
            low, high = middle - width / 2, middle + width / 2
            if _above(f.at(low), g.at(low)) != before or _above(f.at(high), g.at(high)) == before:
                raise
            break
        low, high = (middle, high) if here == before else (low, middle)
    return low, high


def area(
    f: Composition, g: Composition, met: Sequence[Interval], within: Interval, *, error: float = 0.004
) -> Interval:
    """Bounds of the area between f and g on `within`, where they cross in the narrow intervals `met`.

    Between turning points and crossings both are monotone and the same one is above, so that the trapezoid rule errs by
    half a step times the change of f and of g at most. Raises Doubtful where a function has
    a pole in `within` or `error` takes too many steps.
    """
    import numpy as np

    cuts = list(met)
    for function in (f, g):
        outline = shape(function, _around(within))
        if any(
            pole for x, pole in zip(outline.breaks, outline.poles, strict=True) if x[1] > within[0] and x[0] < within[1]
        ):
            raise Doubtful
        cuts += outline.breaks
    cuts = sorted(x for x in cuts if within[0] < x[0] and x[1] < within[1])
    apart(cuts)
    ends = [within[0], *(end for x in cuts for end in x), within[1]]
    total = 0.0
    slack = sum((x[1] - x[0]) * max(map(abs, _less(f.image(x), g.image(x)))) for x in cuts)  # of what is left out
    for low, high in zip(ends[::2], ends[1::2], strict=True):
        change = sum(_change(function, low, high) for function in (f, g))
        steps = max(8, ceil((high - low) * change * (len(cuts) + 1) / (2 * error)))
        if not steps < 10**5:
            raise Doubtful
        x = np.linspace(low, high, steps + 1)
        total += abs(float(np.trapezoid(f.values(x) - g.values(x), x)))
        slack += (high - low) / steps * change / 2
        slack += 10 * (high - low) * sum(_blur(function, end) for function in (f, g) for end in (low, high))
    slack += 1e-9 * (1 + total)
    return max(0.0, total - slack), total + slack


def _change(f: Composition, low: float, high: float) -> float:
    """At most how much f changes from one end to the other, in absolute value."""
    one, other = f.at(low), f.at(high)
    return max(abs(one[1] - other[0]), abs(other[1] - one[0]))


def _blur(f: Composition, x: float) -> float:
    """How much rounding leaves open about f(x)."""
    low, high = f.at(x)
    return high - low


def _around(within: Interval) -> Interval:
    """A little more than `within`, so that a turning point at its end is not open."""
    return within[0] - 1e-3, within[1] + 1e-3
