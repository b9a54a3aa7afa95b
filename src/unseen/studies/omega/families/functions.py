"""Which questions about composed functions are asked, and what is certainly their answer?

zeros      'How many zeros does f(x) = 2sin(3π(x^2 - 4)) + 1 have …?'      zeros q1,0,-4 s2,3,0,1
area       'What is the area between f(x) = … and g(x) = …?'               area q1,0,-4 s2,3,0,1|l2,-1@-1.5,2.0
others     intersection, intersection_coords, extrema, extrema_coords, derivative_sign

Every answer is certain: a composition is solved backwards in closed form, crossings are counted where slopes and values
have certain bounds, and what rounding would leave open (curves that touch, zeros at an end) is not asked.

DEPARTS: the official answers come from 1,000 to 5,000 samples of the function and are often wrong where it is steep or
turns often; they also take poles for zeros. Official formulas may have (2x + 2)/(x + 1), which is a constant; no such
function is drawn here, no count above 100 and no formula longer than 400 characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import floor

import numpy as np

from ..problem import Family, Problem, decimal, parameters
from ..solvers.compositions import Composition, area, crossings, narrowed, shape, zeros
from ..solvers.intervals import Doubtful, Interval
from ..solvers.stages import Bent, Linear, Quadratic, Ratio, Stage
from ..solvers.waves import Power, Wave

STAGES = {1: 2, 2: 3, 3: 4, 4: 5, 5: 6}
WEIGHTS = {1: 5, 2: 8, 3: 10, 4: 12, 5: 15}  # the least difficulty of a question for a coordinate or an area
AREAS = {1: 50, 2: 100, 3: 150, 4: 250, 5: 500}
DOMAIN, SMALL = (-10.0, 10.0), (-5.0, 5.0)
FEWEST, MOST = 4, 100  # what is counted: more than three, and no more than can be listed
LONGEST = 400  # characters of a formula
SAMPLES = 512  # at which a draw is looked at first, to pass over most that will not do
ORDINALS = ("first", "second", "third")


def count_zeros(level: int, rng: np.random.Generator) -> Problem:
    """The number of zeros of a composed function on [-10, 10]."""
    k = parameters("zeros", level, STAGES)

    def tried() -> Problem:
        f = _composed(rng, k)
        _promising(f.values(_samples(DOMAIN)))
        answer = _counted(len(zeros(f, DOMAIN)))
        shape(f, DOMAIN)  # so that the function is an ordinary one: where it is undefined, it is so for good
        asked = (
            f"How many zeros does the function f(x) = {f.text()} have in the interval [-10, 10]? "
            "Answer with one integer."
        )
        return Problem(asked, f"zeros {f.code}", str(answer), "integer", at={"stages": k})

    return _drawn(tried)


def count_extrema(level: int, rng: np.random.Generator) -> Problem:
    """The number of local extrema, minima or maxima of a composed function inside (-10, 10)."""
    k = parameters("extrema", level, STAGES)

    def tried() -> Problem:
        f, kind = _composed(rng, k), int(rng.integers(3))
        _promising(_steps(f))
        found = shape(f, DOMAIN).extrema()
        name, kept = (("local extrema (minima and maxima together)", 0), ("local minima", -1), ("local maxima", 1))[
            kind
        ]
        answer = _counted(sum(kept in (0, way) for _, way in found))
        asked = (
            f"How many {name} does the function f(x) = {f.text()} have in the open interval (-10, 10)? "
            "Answer with one integer."
        )
        code = ("both", "min", "max")[kind]
        return Problem(asked, f"extrema {code} {f.code}", str(answer), "integer", at={"stages": k, "asked": code})

    return _drawn(tried)


def derivative_sign(level: int, rng: np.random.Generator) -> Problem:
    """The number of maximal intervals inside (-10, 10) on which a composed function rises, or falls."""
    k = parameters("derivative_sign", level, STAGES)

    def tried() -> Problem:
        f, way = _composed(rng, k), 1 if rng.random() < 0.5 else -1
        _promising(_steps(f))
        answer = _counted(shape(f, DOMAIN).rising.count(way))
        name, code = ("positive", "up") if way > 0 else ("negative", "down")
        asked = (
            f"On how many maximal open intervals inside (-10, 10) is the derivative of the function f(x) = {f.text()} "
            f"defined and {name}? Answer with one integer."
        )
        return Problem(asked, f"slope {code} {f.code}", str(answer), "integer", at={"stages": k, "asked": code})

    return _drawn(tried)


def count_intersections(level: int, rng: np.random.Generator) -> Problem:
    """The number of points on [-10, 10] where two composed functions meet."""
    k = parameters("intersection", level, STAGES)

    def tried() -> Problem:
        f, g = _composed(rng, k), _composed(rng, k - 1)
        _promising(_between(f, g, DOMAIN))
        answer = _counted(len(crossings(f, g, DOMAIN)))
        asked = (
            f"In how many points do the graphs of f(x) = {f.text()} and g(x) = {g.text()} intersect for x in the "
            "interval [-10, 10]? Answer with one integer."
        )
        return Problem(asked, f"meet {f.code}|{g.code}", str(answer), "integer", at={"stages": k})

    return _drawn(tried)


def intersection_coords(level: int, rng: np.random.Generator) -> Problem:
    """A coordinate of the one to three points where two composed functions meet, to the nearest integer."""
    k, least = parameters("intersection_coords", level, STAGES), WEIGHTS[level]

    def tried() -> Problem:
        f, g = _composed(rng, k), _composed(rng, k - 1)
        weight = f.weight + g.weight + 1
        _promising(_between(f, g, DOMAIN), 1, 9)
        met = crossings(f, g, DOMAIN)
        if not 1 <= len(met) <= 3 or weight + (len(met) > 1) < least:
            raise Doubtful
        met = [narrowed(f, g, place) for place in met]
        index = int(rng.integers(len(met)))
        ways = ("leftmost", "rightmost", "sum", "mean", f"{ORDINALS[index]} from the left")
        way = "single" if len(met) == 1 else ways[int(rng.integers(5))]
        answer = _chosen(met, way, index)
        asked = (
            f"The graphs of f(x) = {f.text()} and g(x) = {g.text()} intersect for x in the interval [-10, 10]. "
            f"{_wanted(way, 'intersection points', 'intersection point')}"
        )
        compact = f"meet {_code(way, index)} {f.code}|{g.code}"
        return Problem(asked, compact, str(answer), "integer", at={"stages": k, "asked": way})

    return _drawn(tried)


def extrema_coords(level: int, rng: np.random.Generator) -> Problem:
    """The x of a local extremum, minimum or maximum of a composed function, or their mean, to the nearest integer."""
    k, least = parameters("extrema_coords", level, STAGES), WEIGHTS[level]

    def tried() -> Problem:
        f, kind = _composed(rng, k), int(rng.integers(3))
        if f.weight + 2 < least:
            raise Doubtful
        _promising(_steps(f), 1)
        found = shape(f, DOMAIN).extrema()
        name, kept = (("extremum", 0), ("minimum", -1), ("maximum", 1))[kind]
        places = [x for x, way in found if kept in (0, way)]
        if not 1 <= len(places) <= MOST or f.weight + 1 + (len(found) > 1) < least:
            raise Doubtful
        ways = ("leftmost", "rightmost", "largest", "smallest", "mean")
        way = "single" if len(places) == 1 else ways[int(rng.integers(5))]
        if way in ("largest", "smallest"):
            answer = _chosen([_extreme(f, places, 1 if way == "largest" else -1)], "single", 0)
        else:
            answer = _chosen(places, way, 0)
        plural = {"extremum": "extrema", "minimum": "minima", "maximum": "maxima"}[name]
        asked = (
            f"Consider the function f(x) = {f.text()} in the open interval (-10, 10). "
            f"{_wanted(way, f'local {plural}', f'local {name}')}"
        )
        code = ("both", "min", "max")[kind]
        compact = f"extrema {code} {_code(way, 0)} {f.code}"
        return Problem(asked, compact, str(answer), "integer", at={"stages": k, "asked": way})

    return _drawn(tried)


def area_between(level: int, rng: np.random.Generator) -> Problem:
    """The area between two composed functions from about one point where they meet to about the next one, to one
    decimal."""
    k, least, largest = parameters("area", level, STAGES), WEIGHTS[level], AREAS[level]

    def tried() -> Problem:
        f, g = _composed(rng, k), _composed(rng, k - 1)
        if f.weight + g.weight + 2 < least:
            raise Doubtful
        met = crossings(f, g, _gap(f, g, largest, rng))
        if len(met) != 2:
            raise Doubtful
        near = [narrowed(f, g, place) for place in met]
        low, high = (decimal(sum(place) / 2, 1) for place in near)
        if not -5 < float(low) < float(high) < 5:
            raise Doubtful
        bounds = area(f, g, near, (float(low), float(high)))
        answer = decimal(bounds[0], 1)
        if answer != decimal(bounds[1], 1) or not 0.1 <= bounds[0] <= bounds[1] <= largest:
            raise Doubtful
        asked = (
            f"What is the area of the region between the graphs of f(x) = {f.text()} and g(x) = {g.text()} from "
            f"x = {low} to x = {high}? Answer with a number rounded to one decimal place."
        )
        compact = f"area {f.code}|{g.code}@{low},{high}"
        return Problem(asked, compact, answer, "decimal", at={"stages": k})

    return _drawn(tried)


def _drawn(tried: Callable[[], Problem]) -> Problem:
    """The first problem about which nothing is doubtful."""
    while True:
        try:
            return tried()
        except Doubtful:
            continue


def _composed(rng: np.random.Generator, k: int) -> Composition:
    """k stages: with even odds one wave or exponential among lines, parabolas, absolute values and ratios."""
    kinds = rng.integers(0, 4, k).tolist()
    if k > 1 and rng.random() < 0.5:
        kinds[int(rng.integers(k))] = 4 + int(rng.integers(3))
    f = Composition(tuple(_stage(kind, rng) for kind in kinds))
    if len(f.text()) > LONGEST:
        raise Doubtful
    return f


def _stage(kind: int, rng: np.random.Generator) -> Stage:
    """A stage of a kind with random coefficients, in the official ranges."""
    a, b, c, d = rng.integers(-5, 6, 4).tolist() if kind < 2 else rng.integers(-3, 4, 4).tolist()
    sign = 1 if rng.random() < 0.5 else -1
    match kind:
        case 0:
            return Linear(a or sign, b)
        case 1:
            return Quadratic(a or sign, b, c)
        case 2:
            return Bent(a or sign, b, c)
        case 3:
            if (a or sign) * d == b * (c or sign):
                raise Doubtful
            return Ratio(a or sign, b, c or sign, d)
        case 4 | 5:
            return Wave(a or sign, abs(b) or 1 + (d > 0), c, d, kind == 4)
        case _:
            return Power(a or sign, max(-2, min(2, b)) or sign, c)


def _samples(domain: Interval) -> np.ndarray:
    return np.linspace(domain[0] + 0.00123, domain[1] - 0.00321, SAMPLES)


def _steps(f: Composition) -> np.ndarray:
    """The differences between neighbouring samples."""
    with np.errstate(invalid="ignore"):  # of infinite ones
        return np.diff(f.values(_samples(DOMAIN)))


def _between(f: Composition, g: Composition, domain: Interval) -> np.ndarray:
    """How far f is above g at the samples."""
    with np.errstate(invalid="ignore"):
        return f.values(_samples(domain)) - g.values(_samples(domain))


def _promising(values: np.ndarray, fewest: int = FEWEST, most: int = 2 * MOST) -> None:
    """Raises Doubtful unless sampled values change their sign often enough that the exact count is worth its time."""
    changes = int(np.count_nonzero(np.diff(np.signbit(values))))
    if not fewest <= changes <= most:
        raise Doubtful


def _gap(f: Composition, g: Composition, largest: float, rng: np.random.Generator) -> Interval:
    """Of the gaps between neighbouring places where samples of f and g change order a random one, and a little around
    it; raises Doubtful where there is none or the samples say that the area is too small or larger than `largest`."""
    x = _samples(SMALL)
    apart = _between(f, g, SMALL)
    changes = np.flatnonzero(np.diff(np.signbit(apart)))
    if len(changes) < 2:
        raise Doubtful
    index = int(rng.integers(len(changes) - 1))
    first, last = changes[index : index + 2].tolist()
    size = float(np.abs(apart[first + 1 : last + 1]).sum()) * float(x[1] - x[0])
    if not 0.05 <= size <= largest:
        raise Doubtful
    return max(SMALL[0], float(x[first]) - 0.1), min(SMALL[1], float(x[last + 1]) + 0.1)


def _counted(n: int) -> int:
    if not FEWEST <= n <= MOST:
        raise Doubtful
    return n


def _chosen(places: list[Interval], way: str, index: int) -> int:
    """The nearest integer of the place or the places wanted; raises Doubtful where rounding leaves it open."""
    match way:
        case "single" | "leftmost":
            low, high = places[0]
        case "rightmost":
            low, high = places[-1]
        case "sum" | "mean":
            n = len(places) if way == "mean" else 1
            low, high = (sum(place[end] for place in places) / n + (2 * end - 1) * 1e-12 for end in (0, 1))
        case _:
            low, high = places[index]
    if floor(low + 0.5) != floor(high + 0.5):
        raise Doubtful
    return floor(low + 0.5)


def _extreme(f: Composition, places: Iterable[Interval], way: int) -> Interval:
    """The place with the largest (1) or smallest (-1) value; raises Doubtful where two may be equal."""
    ranked = sorted((f.image(place)[(1 - way) // 2] * way, place) for place in places)
    best = ranked[-1][1]
    worst = f.image(best)[(1 - way) // 2] * way
    if any(f.image(place)[(1 + way) // 2] * way >= worst for _, place in ranked[:-1]):
        raise Doubtful
    return best


def _wanted(way: str, plural: str, one: str) -> str:
    """What is asked of the points, in English."""
    match way:
        case "single":
            said = (
                f"What is the x-coordinate of its only {one}"
                if "local" in one
                else f"What is the x-coordinate of their only {one}"
            )
        case "sum" | "mean":
            said = f"What is the {way} of the x-coordinates of all {plural}"
        case "largest" | "smallest":
            said = f"What is the x-coordinate of the {one} with the {way} value of f"
        case "leftmost" | "rightmost":
            said = f"What is the x-coordinate of the {way} {one}"
        case _:
            said = f"What is the x-coordinate of the {one} that is the {way}"
    return f"{said}, rounded to the nearest integer? Answer with one integer."


def _code(way: str, index: int) -> str:
    return way if way in ("single", "leftmost", "rightmost", "sum", "mean", "largest", "smallest") else str(index + 1)


FAMILIES: tuple[Family, ...] = (
    Family("area", "functions", tuple(STAGES), area_between),
    Family("intersection", "functions", tuple(STAGES), count_intersections),
    Family("intersection_coords", "functions", tuple(STAGES), intersection_coords),
    Family("extrema", "functions", tuple(STAGES), count_extrema),
    Family("extrema_coords", "functions", tuple(STAGES), extrema_coords),
    Family("zeros", "functions", tuple(STAGES), count_zeros),
    Family("derivative_sign", "functions", tuple(STAGES), derivative_sign),
)
