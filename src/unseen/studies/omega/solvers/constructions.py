"""What is the value of a geometric construction, to many digits?

midpoint((0, 0), (2, 4))  ->  (1, 2)      meet(line((0, 0), (1, 1)), line((2, 0), (0, 2)))  ->  (1, 1)

All numbers are `Decimal`s, reckoned to the digits of the current context; a point is a pair, a line is (a, b, c) with
ax + by = c and a² + b² = 1, a circle is (centre, radius). What is not there, or nearly not (a crossing of lines almost
parallel), raises `Degenerate`.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache
from math import atan2

Number = Decimal
Point = tuple[Number, Number]
Line = tuple[Number, Number, Number]
Circle = tuple[Point, Number]
DIGITS = 50
NEAR = Decimal("0.001")  # nearer things are taken for degenerate: no exact coincidence passes by rounding
FAR = Decimal(1000)


class Degenerate(Exception):
    """The construction has no such object, or one too near to another or too far away."""


def kept(p: Point) -> Point:
    """The point itself; raises Degenerate where it is far away."""
    if abs(p[0]) > FAR or abs(p[1]) > FAR:
        raise Degenerate
    return p


def minus(p: Point, q: Point) -> Point:
    return p[0] - q[0], p[1] - q[1]


def dot(u: Point, v: Point) -> Number:
    return u[0] * v[0] + u[1] * v[1]


def cross(u: Point, v: Point) -> Number:
    return u[0] * v[1] - u[1] * v[0]


def distance(p: Point, q: Point) -> Number:
    u = minus(p, q)
    return dot(u, u).sqrt()


def apart(p: Point, q: Point) -> Number:
    """The distance of two points; raises Degenerate where it is small."""
    far = distance(p, q)
    if far < NEAR:
        raise Degenerate
    return far


def line(p: Point, q: Point) -> Line:
    """The line through two points."""
    far = apart(p, q)
    a, b = (p[1] - q[1]) / far, (q[0] - p[0]) / far
    return a, b, a * p[0] + b * p[1]


def parallel(p: Point, m: Line) -> Line:
    return m[0], m[1], m[0] * p[0] + m[1] * p[1]


def perpendicular(p: Point, m: Line) -> Line:
    return -m[1], m[0], m[0] * p[1] - m[1] * p[0]


def midpoint(p: Point, q: Point) -> Point:
    apart(p, q)
    return (p[0] + q[0]) / 2, (p[1] + q[1]) / 2


def bisector(p: Point, q: Point) -> Line:
    """The perpendicular bisector of a segment."""
    return perpendicular(midpoint(p, q), line(p, q))


def angle_bisector(p: Point, q: Point, r: Point) -> Line:
    """The line that halves the angle at q, inside it."""
    one, other = apart(p, q), apart(r, q)
    u, v = minus(p, q), minus(r, q)
    if abs(cross(u, v)) < NEAR * one * other:
        raise Degenerate
    return line(q, (q[0] + u[0] / one + v[0] / other, q[1] + u[1] / one + v[1] / other))


def meet(m: Line, n: Line) -> Point:
    """Where two lines meet."""
    sine = m[0] * n[1] - m[1] * n[0]
    if abs(sine) < NEAR:
        raise Degenerate
    return kept(((m[2] * n[1] - n[2] * m[1]) / sine, (m[0] * n[2] - n[0] * m[2]) / sine))


def height(p: Point, m: Line) -> Number:
    """The signed distance of a point from a line."""
    return m[0] * p[0] + m[1] * p[1] - m[2]


def foot(p: Point, m: Line) -> Point:
    """The foot of the perpendicular from a point that is not on the line."""
    h = height(p, m)
    if abs(h) < NEAR:
        raise Degenerate
    return p[0] - h * m[0], p[1] - h * m[1]


def mirrored(p: Point, m: Line) -> Point:
    """The reflection of a point that is not on the line."""
    q = foot(p, m)
    return kept((2 * q[0] - p[0], 2 * q[1] - p[1]))


def mirrored_line(n: Line, m: Line) -> Line:
    """The reflection of line n in line m."""
    turned = 2 * (n[0] * m[0] + n[1] * m[1])
    if abs(n[0] * m[1] - n[1] * m[0]) < NEAR:
        raise Degenerate
    return n[0] - turned * m[0], n[1] - turned * m[1], n[2] - turned * m[2]


def through(p: Point, q: Point) -> Point:
    """The reflection of p in the point q."""
    apart(p, q)
    return kept((2 * q[0] - p[0], 2 * q[1] - p[1]))


def translated(p: Point, q: Point, r: Point) -> Point:
    """p moved as q is moved to r."""
    apart(q, r)
    return kept((p[0] + r[0] - q[0], p[1] + r[1] - q[1]))


def rotated(p: Point, q: Point, turn: Point) -> Point:
    """p turned about q by the angle whose cosine and sine are `turn`, counterclockwise."""
    apart(p, q)
    u = minus(p, q)
    return kept((q[0] + dot(u, (turn[0], -turn[1])), q[1] + dot(u, (turn[1], turn[0]))))


def along(p: Point, q: Point, far: Number) -> Point:
    """The point at a distance from p on the ray from p through q."""
    way = far / apart(p, q)
    return p[0] + way * (q[0] - p[0]), p[1] + way * (q[1] - p[1])


def circumcentre(p: Point, q: Point, r: Point) -> Point:
    return meet(bisector(p, q), bisector(p, r))


def circumcircle(p: Point, q: Point, r: Point) -> Circle:
    centre = circumcentre(p, q, r)
    return centre, distance(centre, p)


def centroid(p: Point, q: Point, r: Point) -> Point:
    area(p, q, r)
    return (p[0] + q[0] + r[0]) / 3, (p[1] + q[1] + r[1]) / 3


def incentre(p: Point, q: Point, r: Point) -> Point:
    area(p, q, r)
    a, b, c = distance(q, r), distance(r, p), distance(p, q)
    whole = a + b + c
    return (a * p[0] + b * q[0] + c * r[0]) / whole, (a * p[1] + b * q[1] + c * r[1]) / whole


def inradius(p: Point, q: Point, r: Point) -> Number:
    return 2 * area(p, q, r) / (distance(q, r) + distance(r, p) + distance(p, q))


def orthocentre(p: Point, q: Point, r: Point) -> Point:
    area(p, q, r)
    return meet(perpendicular(p, line(q, r)), perpendicular(q, line(r, p)))


def area(*points: Point) -> Number:
    """The area of a polygon; raises Degenerate where it is small."""
    twice = sum((cross(p, q) for p, q in zip(points, (*points[1:], points[0]), strict=True)), Decimal(0))
    if abs(twice) < NEAR:
        raise Degenerate
    return abs(twice) / 2


def crossings(m: Line, circle: Circle) -> tuple[Point, Point]:
    """The two points where a line meets a circle."""
    (x, y), radius = circle
    h = height(circle[0], m)
    square = radius * radius - h * h
    if square < NEAR:
        raise Degenerate
    half = square.sqrt()
    x, y = x - h * m[0], y - h * m[1]
    return kept((x - half * m[1], y + half * m[0])), kept((x + half * m[1], y - half * m[0]))


def second(p: Point, q: Point, circle: Circle) -> Point:
    """Where the line from p, which is on the circle, through q meets the circle again."""
    one, other = crossings(line(p, q), circle)
    return one if distance(one, p) > distance(other, p) else other


def nearer(p: Point, m: Line, circle: Circle, way: int) -> Point:
    """Of the points where a line meets a circle, the one nearer to p (1) or farther from it (-1)."""
    one, other = crossings(m, circle)
    gap = (distance(one, p) - distance(other, p)) * way
    if abs(gap) < NEAR:
        raise Degenerate
    return one if gap < 0 else other


def inverted(p: Point, circle: Circle) -> Point:
    """The inversion of a point, not the centre and not on the circle, in a circle."""
    far = apart(p, circle[0])
    apart_from(far, circle[1])
    way = (circle[1] / far) ** 2
    (x, y), _ = circle
    return kept((x + way * (p[0] - x), y + way * (p[1] - y)))


def apart_from(one: Number, other: Number) -> None:
    """Raises Degenerate where two lengths are nearly the same."""
    if abs(one - other) < NEAR:
        raise Degenerate


def polar(p: Point, circle: Circle) -> Line:
    """The polar line of a point other than the centre, not on the circle."""
    return perpendicular(inverted(p, circle), line(circle[0], p))


def tangent_points(p: Point, circle: Circle) -> tuple[Point, Point]:
    """The points where the tangents from a point outside touch the circle: the one on the left of the way from p to the
    centre first."""
    if distance(p, circle[0]) < circle[1] + NEAR:
        raise Degenerate
    one, other = crossings(polar(p, circle), circle)
    return (one, other) if cross(minus(circle[0], p), minus(one, p)) > 0 else (other, one)


def angle(p: Point, q: Point, r: Point) -> float:
    """The angle at q (degrees, 0 to 180)."""
    apart(p, q)
    apart(q, r)
    u, v = minus(p, q), minus(r, q)
    degrees = atan2(float(abs(cross(u, v))), float(dot(u, v))) * 57.29577951308232
    if not 0.01 < degrees < 179.99:
        raise Degenerate
    return degrees


@cache
def turn(part: int, whole: int) -> Point:
    """The cosine and sine of part/whole of a full turn, to DIGITS digits: by its series."""
    with localcontext(prec=DIGITS + 10):
        x = 2 * _pi() * part / whole
        terms = [Decimal(1)]
        while abs(terms[-1]) > Decimal(10) ** -(DIGITS + 8) or len(terms) < 2 * float(x):
            terms.append(terms[-1] * x / len(terms))
        cosine = sum((term * (-1) ** (n // 2) for n, term in enumerate(terms) if n % 2 == 0), Decimal(0))
        sine = sum((term * (-1) ** (n // 2) for n, term in enumerate(terms) if n % 2), Decimal(0))
        return cosine, sine


@cache
def _pi() -> Number:
    """π by Machin's formula: 16 arctan(1/5) - 4 arctan(1/239)."""
    with localcontext(prec=DIGITS + 15):
        total = Decimal(0)
        for factor, x in ((16, 5), (-4, 239)):
            term, n = Decimal(factor) / x, 1
            while abs(term) > Decimal(10) ** -(DIGITS + 12):
                total += term / n if n % 4 == 1 else -term / n
                term, n = term / (x * x), n + 2
        return total
