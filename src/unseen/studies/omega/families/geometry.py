"""Which constructions are asked about, and what is the last measure?

basic     'Points A and B are 7 apart. Let C be the midpoint of segment AB. … What is the distance between C and F?'
compact:  'A,B=dist 7;C=midpoint A B;…?distance C F'           polygon, circle and triangle begin with such a figure

A construction is drawn at random step by step; degenerate steps are passed over; a measure is asked of objects to which
exactly the wanted number of steps leads, so that every step told is needed. A figure is given up to motions, and every
step makes one object only, so that the answer is the same however the figure lies.

DEPARTS: the official generator leaves points free and choices open, and keeps what came out the same in 18 of 20
trials. Its counts are of commands; ours are of the given figure, the steps and the question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from ..problem import Family, Problem, decimal, parameters
from ..solvers import constructions as of
from ..solvers.commands import BASIC, CIRCLE, COMMANDS, TRIANGLE, TURNS, Command, Step, made, measured, new
from ..solvers.constructions import Degenerate

LENGTHS = {1: (6, 9), 2: (10, 13), 3: (14, 17), 4: (18, 21), 5: (22, 25)}
DRAFT = 28  # digits while drawing; the answer is reckoned again with of.DIGITS
LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ"  # without O, the name of centers
NAMES = {
    "p": (*LETTERS, *(f"{letter}{n}" for n in (1, 2) for letter in LETTERS)),
    "l": tuple(f"l{n}" for n in range(1, 40)),
    "c": tuple(f"k{n}" for n in range(1, 40)),
}
POLYGONS = {4: "square", 5: "regular pentagon", 6: "regular hexagon", 8: "regular octagon", 12: "regular dodecagon"}


@dataclass(frozen=True, slots=True)
class Figure:
    """What is given: objects with their kinds and names, told in English and in short; the numbers it tells."""

    objects: tuple[Any, ...]
    kinds: str
    names: tuple[str, ...]
    told: str
    short: str
    numbers: tuple[int, ...]


def _two_points(rng: np.random.Generator) -> Figure:
    far = int(rng.integers(2, 13))
    points = ((Decimal(0), Decimal(0)), (Decimal(far), Decimal(0)))
    return Figure(points, "pp", ("A", "B"), f"The distance between points A and B is {far}.", f"A,B=dist {far}", (far,))


def _circle_and_point(rng: np.random.Generator) -> Figure:
    radius, far = int(rng.integers(2, 11)), int(rng.integers(2, 16))
    if radius == far:
        raise Degenerate
    zero = Decimal(0)
    objects = ((zero, zero), (Decimal(far), zero), ((zero, zero), Decimal(radius)))
    told = f"Circle k1 has center A and radius {radius}, and point B is at distance {far} from A."
    return Figure(objects, "ppc", ("A", "B", "k1"), told, f"A,B,k1=circle {radius} {far}", (radius, far))


def _triangle(rng: np.random.Generator) -> Figure:
    a, b, c = rng.integers(3, 16, 3).tolist()
    square = (a + b + c) * (-a + b + c) * (a - b + c) * (a + b - c)
    if square <= 0:
        raise Degenerate
    x = Decimal(b * b + c * c - a * a) / (2 * c)
    with localcontext(prec=of.DIGITS + 10):
        y = Decimal(square).sqrt() / (2 * c)
    zero = Decimal(0)
    points = ((zero, zero), (Decimal(c), zero), (x, y))
    told = f"Triangle ABC has AB = {c}, BC = {a} and CA = {b}, and A, B, C are in counterclockwise order."
    return Figure(points, "ppp", ("A", "B", "C"), told, f"A,B,C=triangle {c} {a} {b}", (a, b, c))


def _regular(rng: np.random.Generator) -> Figure:
    n, radius = int(rng.integers(4, 13)), int(rng.integers(1, 10))
    corners = tuple(tuple(Decimal(radius) * part for part in of.turn(i, n)) for i in range(n))
    names = tuple("ABCDEFGHIJKL"[:n])
    name = POLYGONS.get(n, f"regular {n}-gon")
    told = (
        f"{''.join(names)} is a {name} with center O and circumradius {radius}, its vertices in counterclockwise order."
    )
    zero = Decimal(0)
    return Figure(
        (*corners, (zero, zero)),
        "p" * (n + 1),
        (*names, "O"),
        told,
        f"{','.join(names)},O=regular {n} {radius}",
        (radius, n),
    )


Asked = tuple[str, tuple[int, ...]]  # a measure, and the objects it is of


def _drawn(
    rng: np.random.Generator, length: int, figure: Figure, own: Mapping[str, Command]
) -> tuple[list[Step], int, Asked] | None:
    """A construction of that length about `figure`: its steps, those that are needed (a bit each), and the measure.

    `own` are the commands of the family: a third of the steps are drawn from them where it has any. Returns None where
    the random walk did not come to a measure with exactly the right number of steps.
    """
    objects, kinds = list(figure.objects), figure.kinds
    leads = [0] * len(objects)  # the steps that lead to an object, a bit each
    steps: list[Step] = []
    unused: set[int] = set()
    pool = {**BASIC, **own}
    wanted = length - 2
    for _ in range(6 * length):
        names = list(own if own and rng.random() < 1 / 3 else pool)
        name = names[int(rng.random() * len(names))]
        step = _step(name, COMMANDS[name], kinds, unused, rng)
        if step is None:
            continue
        mask = 1 << len(steps)
        for taken in step.taken:
            mask |= leads[taken]
        if mask.bit_count() > wanted:
            continue
        gives = COMMANDS[name].gives
        try:
            value = made(step, objects)
        except Degenerate:
            continue
        if not new(value, gives, objects, kinds):
            continue
        unused.difference_update(step.taken)
        unused.add(len(objects))
        objects.append(value)
        kinds += gives
        leads.append(mask)
        steps.append(step)
        if asked := _asked(rng, leads, kinds, wanted):
            return steps, asked[1], asked[0]
    return None


def _step(name: str, command: Command, kinds: str, unused: set[int], rng: np.random.Generator) -> Step | None:
    """A step of a command with random objects, those not used yet above all; None where there are too few."""
    taken: list[int] = []
    for kind in command.takes:
        fitting = [i for i, other in enumerate(kinds) if other == kind and i not in taken]
        if not fitting:
            return None
        fresh = [i for i in fitting if i in unused]
        among = fresh if fresh and rng.random() < 0.7 else fitting
        taken.append(among[int(rng.random() * len(among))])
    match command.extra:
        case "angle":
            return Step(name, tuple(taken), TURNS[int(rng.random() * len(TURNS))])
        case "length":
            return Step(name, tuple(taken), 1 + int(rng.random() * 12))
        case "way":
            return Step(name, tuple(taken), 1 if rng.random() < 0.5 else -1)
        case _:
            return Step(name, tuple(taken))


def _asked(rng: np.random.Generator, leads: list[int], kinds: str, wanted: int) -> tuple[Asked, int] | None:
    """A measure of the newest object and others to which exactly `wanted` steps lead, and these; None where there is
    none."""
    newest = len(kinds) - 1
    if kinds[newest] == "c":
        found = leads[newest].bit_count() == wanted and rng.random() < 0.5
        return (("radius", (newest,)), leads[newest]) if found else None
    if kinds[newest] != "p" or leads[newest].bit_count() + 12 < wanted:
        return None
    points = [i for i in range(newest) if kinds[i] == "p"]
    kind = ("distance", "distance", "angle", "area")[int(rng.random() * 4)]
    for _ in range(6):
        others = [points[int(rng.random() * len(points))] for _ in range(1 if kind == "distance" else 2)]
        mask = leads[newest]
        for other in others:
            mask |= leads[other]
        if mask.bit_count() == wanted and len({newest, *others}) == len(others) + 1:
            return (kind, (others[0], newest, *others[1:])), mask
    return None


def _problem(
    family: str,
    level: int,
    rng: np.random.Generator,
    given: Callable[[np.random.Generator], Figure],
    own: Mapping[str, Command],
) -> Problem:
    """A problem of a family whose figures `given` draws."""
    low, high = parameters(family, level, LENGTHS)
    while True:
        length = int(rng.integers(low, high + 1))
        try:
            with localcontext(prec=DRAFT):
                figure = given(rng)
                found = _drawn(rng, length, figure, own)
            if found:
                return _told(length, figure, *found, _answer(figure, *found))
        except Degenerate:
            continue


def _answer(figure: Figure, steps: list[Step], needed: int, asked: Asked) -> str:
    """The measure, reckoned with DRAFT and with all digits; raises Degenerate where they differ, where it is a number
    that the problem tells or very small or large, or where it is nearly halfway between two decimals."""
    values: list[Decimal] = []
    for digits in (DRAFT, of.DIGITS):
        with localcontext(prec=digits):
            objects: list[Any] = list(figure.objects)
            for n, step in enumerate(steps):
                objects.append(made(step, objects) if needed >> n & 1 else None)
            values.append(Decimal(measured(asked[0], [objects[i] for i in asked[1]])))
    value = values[1]
    told = {*figure.numbers, *(step.extra for n, step in enumerate(steps) if needed >> n & 1)}
    if abs(value - values[0]) > Decimal("1e-9") or any(abs(value - number) < Decimal("1e-6") for number in told):
        raise Degenerate
    if not Decimal("0.05") < value < of.FAR or abs((value * 100) % 1 - Decimal("0.5")) < Decimal("1e-4"):
        raise Degenerate
    return decimal(Fraction(value), 2)


def _told(length: int, figure: Figure, steps: list[Step], needed: int, asked: Asked, answer: str) -> Problem:
    """The problem in English and in short."""
    kind, of_what = asked
    names = list(figure.names)
    free = {made_: iter([name for name in named if name not in names]) for made_, named in NAMES.items()}
    said, short = [figure.told], [figure.short]
    for n, step in enumerate(steps):
        if not needed >> n & 1:
            names.append("")
            continue
        command = COMMANDS[step.name]
        names.append(next(free[command.gives]))
        taken = [names[i] for i in step.taken]
        number = {1: "nearer to", -1: "farther from"}[step.extra] if command.extra == "way" else str(step.extra)
        said.append(command.said.format(names[-1], *taken, n=number))
        short.append(f"{names[-1]}={step.name} {' '.join(taken)}" + (f" {step.extra}" if command.extra else ""))
    last = [names[i] for i in of_what]
    question = {
        "distance": "What is the distance between points {} and {}?",
        "angle": "What is the size of angle {}{}{} in degrees, between 0 and 180?",
        "area": "What is the area of triangle {}{}{}?",
        "radius": "What is the radius of circle {}?",
    }[kind].format(*last)
    said.append(f"{question} Answer with a number rounded to two decimal places.")
    compact = f"{';'.join(short)}?{kind} {' '.join(last)}"
    return Problem(" ".join(said), compact, answer, "decimal", at={"commands": length, "asked": kind})


def basic(level: int, rng: np.random.Generator) -> Problem:
    """Points and lines about two points."""
    return _problem("basic", level, rng, _two_points, {})


def circle(level: int, rng: np.random.Generator) -> Problem:
    """Points, lines and circles about a circle and a point."""
    return _problem("circle", level, rng, _circle_and_point, CIRCLE)


def polygon(level: int, rng: np.random.Generator) -> Problem:
    """Points and lines about a regular polygon of 4 to 12 vertices and its center."""
    return _problem("polygon", level, rng, _regular, {})


def triangle(level: int, rng: np.random.Generator) -> Problem:
    """Points and lines, and the centers and circles of triangles, about a triangle of three given sides."""
    return _problem("triangle", level, rng, _triangle, TRIANGLE)


FAMILIES: tuple[Family, ...] = (
    Family("basic", "geometry", tuple(LENGTHS), basic),
    Family("circle", "geometry", tuple(LENGTHS), circle),
    Family("polygon", "geometry", tuple(LENGTHS), polygon),
    Family("triangle", "geometry", tuple(LENGTHS), triangle),
)
