"""Which steps may a construction have, and how are they told?

A step takes objects (p a point, l a line, c a circle) and perhaps a number, and makes one object:

    COMMANDS["midpoint"].make(p, q)      "Let {0} be the midpoint of segment {1}{2}."
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from . import constructions as of
from .constructions import Circle, Line, Number, Point

Extra = Literal["", "angle", "length", "way"]
TURNS = (30, 45, 60, 75, 90, 105, 120, 135, 150)  # degrees


@dataclass(frozen=True, slots=True)
class Command:
    """`takes` and `gives` are letters of kinds; `said` has the name of what is made as {0}, those of what is taken as
    {1}, {2}, … and the number as {n}."""

    takes: str
    gives: str
    make: Callable[..., Any]
    said: str
    extra: Extra = ""


def _rotated(p: Point, q: Point, degrees: int) -> Point:
    return of.rotated(p, q, of.turn(degrees, 360))


def _along(p: Point, q: Point, far: int) -> Point:
    of.apart_from(of.distance(p, q), Decimal(far))
    return of.along(p, q, Decimal(far))


def _circle_at(p: Point, radius: int) -> Circle:
    return p, Decimal(radius)


def _circle_through(p: Point, q: Point) -> Circle:
    return p, of.apart(p, q)


def _centre(circle: Circle) -> Point:
    return circle[0]


def _mirrored_circle(circle: Circle, m: Line) -> Circle:
    return of.mirrored(circle[0], m), circle[1]


def _circle_beyond(circle: Circle, p: Point) -> Circle:
    return of.through(circle[0], p), circle[1]


def _on_ray(p: Point, circle: Circle) -> Point:
    of.apart_from(of.distance(p, circle[0]), circle[1])
    return of.along(circle[0], p, circle[1])


def _tangency(p: Point, circle: Circle) -> Point:
    return of.tangent_points(p, circle)[0]


def _meeting(p: Point, m: Line, circle: Circle, way: int) -> Point:
    return of.nearer(p, m, circle, way)


def _touching(p: Point, circle: Circle) -> Circle:
    """The circle around p that touches another: from outside where p is outside, from inside where it is inside."""
    gap: Number = of.apart(p, circle[0]) - circle[1]
    of.apart_from(gap, Decimal(0))
    return p, abs(gap)


def _incircle(p: Point, q: Point, r: Point) -> Circle:
    return of.incentre(p, q, r), of.inradius(p, q, r)


def _equilateral(p: Point, q: Point) -> Point:
    return of.rotated(q, p, of.turn(1, 6))


BASIC: dict[str, Command] = {
    "midpoint": Command("pp", "p", of.midpoint, "Let {0} be the midpoint of segment {1}{2}."),
    "line": Command("pp", "l", of.line, "Let {0} be the line through points {1} and {2}."),
    "bisector": Command("pp", "l", of.bisector, "Let {0} be the perpendicular bisector of segment {1}{2}."),
    "parallel": Command("pl", "l", of.parallel, "Let {0} be the line through point {1} parallel to line {2}."),
    "normal": Command("pl", "l", of.perpendicular, "Let {0} be the line through point {1} perpendicular to line {2}."),
    "meet": Command("ll", "p", of.meet, "Let {0} be the point where lines {1} and {2} intersect."),
    "mirror": Command("pl", "p", of.mirrored, "Let {0} be the reflection of point {1} across line {2}."),
    "beyond": Command("pp", "p", of.through, "Let {0} be the reflection of point {1} across point {2}."),
    "mirrorline": Command("ll", "l", of.mirrored_line, "Let {0} be the reflection of line {1} across line {2}."),
    "rotate": Command(
        "pp", "p", _rotated, "Let {0} be point {1} rotated about point {2} by {n} degrees counterclockwise.", "angle"
    ),
    "translate": Command(
        "ppp", "p", of.translated, "Let {0} be the image of point {1} under the translation that takes {2} to {3}."
    ),
    "halve": Command("ppp", "l", of.angle_bisector, "Let {0} be the bisector of angle {1}{2}{3}."),
    "foot": Command("pl", "p", of.foot, "Let {0} be the foot of the perpendicular from point {1} to line {2}."),
    "along": Command(
        "pp", "p", _along, "Let {0} be the point on the ray from {1} through {2} at distance {n} from {1}.", "length"
    ),
}
CIRCLE: dict[str, Command] = {
    "circle": Command("p", "c", _circle_at, "Let {0} be the circle with center {1} and radius {n}.", "length"),
    "circlethrough": Command("pp", "c", _circle_through, "Let {0} be the circle with center {1} through point {2}."),
    "circumcircle": Command("ppp", "c", of.circumcircle, "Let {0} be the circumcircle of triangle {1}{2}{3}."),
    "center": Command("c", "p", _centre, "Let {0} be the center of circle {1}."),
    "mirrorcircle": Command("cl", "c", _mirrored_circle, "Let {0} be the reflection of circle {1} across line {2}."),
    "beyondcircle": Command("cp", "c", _circle_beyond, "Let {0} be the reflection of circle {1} across point {2}."),
    "invert": Command("pc", "p", of.inverted, "Let {0} be the inversion of point {1} in circle {2}."),
    "polar": Command("pc", "l", of.polar, "Let {0} be the polar line of point {1} with respect to circle {2}."),
    "ray": Command(
        "pc", "p", _on_ray, "Let {0} be the point where the ray from the center of circle {2} through {1} meets it."
    ),
    "tangency": Command(
        "pc",
        "p",
        _tangency,
        "Of the two tangents from point {1} to circle {2}, let {0} be the point of tangency of the one that lies to the "
        "left of the ray from {1} to the center.",
    ),
    "chord": Command(
        "plc",
        "p",
        _meeting,
        "Of the two points where line {2} meets circle {3}, let {0} be the one {n} point {1}.",
        "way",
    ),
    "touch": Command(
        "pc", "c", _touching, "Let {0} be the smaller of the circles with center {1} tangent to circle {2}."
    ),
}
TRIANGLE: dict[str, Command] = {
    "centroid": Command("ppp", "p", of.centroid, "Let {0} be the centroid of triangle {1}{2}{3}."),
    "circumcenter": Command("ppp", "p", of.circumcentre, "Let {0} be the circumcenter of triangle {1}{2}{3}."),
    "incenter": Command("ppp", "p", of.incentre, "Let {0} be the incenter of triangle {1}{2}{3}."),
    "orthocenter": Command("ppp", "p", of.orthocentre, "Let {0} be the orthocenter of triangle {1}{2}{3}."),
    "equilateral": Command(
        "pp",
        "p",
        _equilateral,
        "Let {0} be the point for which triangle {1}{2}{0} is equilateral and has its vertices in counterclockwise order.",
    ),
    "incircle": Command("ppp", "c", _incircle, "Let {0} be the incircle of triangle {1}{2}{3}."),
    "circumcircle": CIRCLE["circumcircle"],
    "center": CIRCLE["center"],
}
COMMANDS: dict[str, Command] = {**BASIC, **CIRCLE, **TRIANGLE}


@dataclass(frozen=True, slots=True)
class Step:
    """A command with the objects it takes, by their numbers, and its number."""

    name: str
    taken: tuple[int, ...]
    extra: int = 0


def made(step: Step, objects: list[Any]) -> Any:
    """The object that a step makes; raises Degenerate."""
    command = COMMANDS[step.name]
    given = [objects[i] for i in step.taken]
    return command.make(*given, step.extra) if command.extra else command.make(*given)


def measured(kind: str, objects: Iterable[Any]) -> Number | float:
    """The measure of points or a circle: `distance`, `angle` (degrees), `area`, `radius`."""
    match kind:
        case "distance":
            return of.apart(*objects)
        case "angle":
            return of.angle(*objects)
        case "area":
            return of.area(*objects)
        case _:
            (circle,) = objects
            return circle[1]


def new(value: Any, gives: str, objects: list[Any], kinds: str) -> bool:
    """Whether an object is none of those there are, nor nearly one of them."""
    for other, kind in zip(objects, kinds, strict=True):
        if kind != gives:
            continue
        if gives == "p":
            near = abs(value[0] - other[0]) < of.NEAR and abs(value[1] - other[1]) < of.NEAR
        elif gives == "c":
            near = abs(value[1] - other[1]) < of.NEAR and max(map(abs, of.minus(value[0], other[0]))) < of.NEAR
        else:
            sine = value[0] * other[1] - value[1] * other[0]
            turned = 1 if value[0] * other[0] + value[1] * other[1] > 0 else -1
            near = abs(sine) < of.NEAR and abs(value[2] - turned * other[2]) < of.NEAR
        if near:
            return False
    return True
