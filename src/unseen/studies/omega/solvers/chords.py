"""How do chords of a regular polygon cross, and into which regions do they cut it?

perpendicular((0, 3), (2, 5), 8)  ->  True        sides(6, {(0, 3), (1, 4), (2, 5)})  ->  [3, 3, 3, 3, 3, 3]

The vertices 0 … n-1 of the polygon lie on the unit circle; a chord is a pair of them, the smaller first. Angles are
exact, in whole steps of π/(2n). Where crossings lie is decided in floating point, and that they coincide only when an
exact sum of roots of unity says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from functools import cache
from math import cos, pi, sin

Chord = tuple[int, int]
Point = tuple[float, float]
CLOSE = 1e-9  # crossings that are farther apart are surely different: their coordinates err by less than 1e-12


def crossing(one: Chord, other: Chord) -> bool:
    """Whether two chords cross inside the circle: their ends alternate."""
    (a, b), (c, d) = one, other
    return a < c < b < d or c < a < d < b


def perpendicular(one: Chord, other: Chord, n: int) -> bool:
    """Whether two chords meet at a right angle, inside the polygon or at a vertex.

    The chord of vertices a and b is perpendicular to the direction (a + b)π/n, so that two are to each other where
    their sums differ by n/2 (mod n).
    """
    turned = 2 * (sum(one) - sum(other)) % (2 * n) == n
    return turned and (crossing(one, other) or bool(set(one) & set(other)))


def sides(n: int, chords: Collection[Chord]) -> list[int]:
    """The numbers of sides of the regions into which the chords cut the polygon of n vertices, in ascending order.

    Chords go right through, so that every region is convex and each of its sides lies on a different chord or side of
    the polygon: we walk around each region and count the changes of line.
    """
    lines = sorted({*chords, *((i, i + 1) for i in range(n - 1)), (0, n - 1)})
    turn = _next_edges(n, lines, _stops(n, lines))
    unseen = set(turn)
    regions: list[int] = []
    while unseen:
        begin = edge = unseen.pop()
        corners = 0
        while True:
            unseen.discard(edge)
            following = turn[edge]
            corners += following[2] != edge[2]
            edge = following
            if edge == begin:
                break
        regions.append(corners)
    regions.remove(n)  # the outside, whose walk has the n sides of the polygon
    return sorted(regions)


Edge = tuple[int, int, int]  # from a node to a node along a line


def _stops(n: int, lines: list[Chord]) -> list[list[int]]:
    """The nodes along each line from its first vertex on: vertices 0 … n-1, then crossings, coinciding ones as one."""
    at = [(cos(2 * pi * i / n), sin(2 * pi * i / n)) for i in range(n)]
    crossed: list[list[tuple[float, int]]] = [[] for _ in lines]  # how far along the line, and the other line
    for first, one in enumerate(lines):
        for second in range(first + 1, len(lines)):
            if crossing(one, lines[second]):
                along, across = _parameters(at, one, lines[second])
                crossed[first].append((along, second))
                crossed[second].append((across, first))
    nodes: dict[tuple[int, int], int] = {}
    for first, others in enumerate(crossed):
        others.sort()
        for (near, second), (far, third) in itertools.pairwise(others):
            if far - near < CLOSE:
                _join(nodes, n, lines, (first, second), (first, third))
    count = n + len(nodes)
    stops: list[list[int]] = []
    for first, others in enumerate(crossed):
        stop = [lines[first][0]]
        for _, second in others:
            pair = (min(first, second), max(first, second))
            if pair not in nodes:
                nodes[pair], count = count, count + 1
            if nodes[pair] != stop[-1]:
                stop.append(nodes[pair])
        stops.append([*stop, lines[first][1]])
    return stops


def _join(nodes: dict[tuple[int, int], int], n: int, lines: list[Chord], one: Chord, other: Chord) -> None:
    """Makes the crossings of two pairs of lines, which have a line in common, one node; raises ArithmeticError where
    they are too near to tell apart and yet not the same."""
    if not concurrent(n, lines[one[0]], lines[one[1]], lines[other[1]]):
        raise ArithmeticError(f"crossings of {lines[one[0]]} in a polygon of {n} vertices are too near to tell apart")
    pairs = [(min(pair), max(pair)) for pair in (one, other, (one[1], other[1]))]
    known = {nodes[pair] for pair in pairs if pair in nodes}
    node = min(known, default=n + len(nodes))
    for pair in (*pairs, *(pair for pair, old in nodes.items() if old in known)):
        nodes[pair] = node


def _parameters(at: list[Point], one: Chord, other: Chord) -> tuple[float, float]:
    """Where two chords cross, as fractions of the way along each."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = (at[i] for i in (*one, *other))
    ux, uy, vx, vy, wx, wy = bx - ax, by - ay, dx - cx, dy - cy, cx - ax, cy - ay
    area = ux * vy - uy * vx
    return (wx * vy - wy * vx) / area, (wx * uy - wy * ux) / area


def _next_edges(n: int, lines: list[Chord], stops: list[list[int]]) -> dict[Edge, Edge]:
    """For each directed edge the next one around the region on its left: the first clockwise from the way back."""
    leaving: dict[int, list[tuple[int, Edge]]] = {}
    for line, ((a, b), stop) in enumerate(zip(lines, stops, strict=True)):
        ahead = (2 * (a + b) + n) % (4 * n)  # the direction from a to b in steps of pi/(2n)
        back = (ahead + 2 * n) % (4 * n)
        for one, other in itertools.pairwise(stop):
            leaving.setdefault(one, []).append((ahead, (one, other, line)))
            leaving.setdefault(other, []).append((back, (other, one, line)))
    following: dict[Edge, Edge] = {}
    for edges in leaving.values():
        edges.sort()
        for index, (_, (one, other, line)) in enumerate(edges):
            following[other, one, line] = edges[index - 1][1]
    return following


def concurrent(n: int, one: Chord, other: Chord, third: Chord) -> bool:
    """Whether three lines through vertices meet in one point (or are parallel), exactly.

    On the line through a and b, z + ζ^(a+b) z̄ = ζ^a + ζ^b with ζ = exp(2πi/n), so that the determinant of the three
    equations vanishes: twelve roots of unity that sum to zero.
    """
    terms = [0] * n
    for (a, b), (c, d) in ((one, other), (other, third), (third, one)):
        for power, sign in ((a + b + c, 1), (a + b + d, 1), (c + d + a, -1), (c + d + b, -1)):
            terms[power % n] += sign
    divisor = _cyclotomic(n)
    for high in range(n - 1, len(divisor) - 2, -1):
        if times := terms[high]:
            for index, part in enumerate(reversed(divisor)):
                terms[high - index] -= times * part
    return not any(terms)


@cache
def _cyclotomic(n: int) -> tuple[int, ...]:
    """The coefficients of the n-th cyclotomic polynomial, constant first: x^n - 1 without those of n's divisors."""
    rest = [-1] + [0] * (n - 1) + [1]
    for part in range(1, n):
        if n % part == 0:
            divisor = _cyclotomic(part)
            quotient: list[int] = []
            while len(rest) >= len(divisor):
                quotient.append(rest[-1])
                for index, value in enumerate(reversed(divisor)):
                    rest[-1 - index] -= quotient[-1] * value
                rest.pop()
            rest = quotient[::-1]
    return tuple(rest)
