"""Are constructions what complex numbers in another library, hand-worked cases and published answers say?"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpc, mpf

from unseen.core.errors import Invalid
from unseen.studies.omega.families import geometry
from unseen.studies.omega.problem import Family
from unseen.studies.omega.solvers import constructions as of
from unseen.studies.omega.solvers.commands import COMMANDS

FAMILIES = {family.name: family for family in geometry.FAMILIES}

# --- an oracle: points are complex numbers, a line is two of its points, a circle its center and radius ---


def _unit(z: Any) -> Any:
    return z / abs(z)


def _mirror(z: Any, m: Any) -> Any:
    d = _unit(m[1] - m[0])
    return m[0] + d * d * mpmath.conj(z - m[0])


def _meet(m: Any, n: Any) -> Any:
    d, e = m[1] - m[0], n[1] - n[0]
    return m[0] + d * mpmath.im(mpmath.conj(n[0] - m[0]) * e) / mpmath.im(mpmath.conj(d) * e)


def _circum(p: Any, q: Any, r: Any) -> Any:
    """From the equations |z - p| = |z - q| = |z - r|, solved for z."""
    rows = mpmath.matrix([[2 * (q - p).real, 2 * (q - p).imag], [2 * (r - p).real, 2 * (r - p).imag]])
    right = mpmath.matrix([abs(q) ** 2 - abs(p) ** 2, abs(r) ** 2 - abs(p) ** 2])
    x = mpmath.lu_solve(rows, right)
    return mpc(x[0], x[1])


def _ortho(p: Any, q: Any, r: Any) -> Any:
    """Euler: the vertices' sum seen from the circumcenter."""
    return p + q + r - 2 * _circum(p, q, r)


def _in(p: Any, q: Any, r: Any) -> Any:
    one = (p, p + _unit(q - p) + _unit(r - p))
    return _meet(one, (q, q + _unit(p - q) + _unit(r - q)))


def _cut(m: Any, k: Any) -> list[Any]:
    d = _unit(m[1] - m[0])
    near = m[0] + d * mpmath.re(mpmath.conj(d) * (k[0] - m[0]))
    half = mpmath.sqrt(k[1] ** 2 - abs(near - k[0]) ** 2)
    return [near + half * d, near - half * d]


def _tangent(p: Any, k: Any) -> Any:
    """Turned from the way to the center by the angle whose sine is radius over distance, to the left."""
    far = abs(k[0] - p)
    return p + _unit(k[0] - p) * mpmath.expj(mpmath.asin(k[1] / far)) * mpmath.sqrt(far**2 - k[1] ** 2)


ORACLE: dict[str, Any] = {
    "midpoint": lambda p, q: (p + q) / 2,
    "line": lambda p, q: (p, q),
    "bisector": lambda p, q: ((p + q) / 2, (p + q) / 2 + 1j * (q - p)),
    "parallel": lambda p, m: (p, p + m[1] - m[0]),
    "normal": lambda p, m: (p, p + 1j * (m[1] - m[0])),
    "meet": _meet,
    "mirror": _mirror,
    "beyond": lambda p, q: 2 * q - p,
    "mirrorline": lambda n, m: (_mirror(n[0], m), _mirror(n[1], m)),
    "rotate": lambda p, q, n: q + (p - q) * mpmath.expj(mpmath.radians(n)),
    "translate": lambda p, q, r: p + r - q,
    "halve": lambda p, q, r: (q, q + mpmath.sqrt((p - q) / (r - q) / abs((p - q) / (r - q))) * (r - q)),
    "foot": lambda p, m: (p + _mirror(p, m)) / 2,
    "along": lambda p, q, n: p + n * _unit(q - p),
    "circle": lambda p, n: (p, mpf(n)),
    "circlethrough": lambda p, q: (p, abs(q - p)),
    "circumcircle": lambda p, q, r: (_circum(p, q, r), abs(_circum(p, q, r) - p)),
    "center": lambda k: k[0],
    "mirrorcircle": lambda k, m: (_mirror(k[0], m), k[1]),
    "beyondcircle": lambda k, p: (2 * p - k[0], k[1]),
    "invert": lambda p, k: k[0] + k[1] ** 2 / mpmath.conj(p - k[0]),
    "polar": lambda p, k: (
        k[0] + k[1] ** 2 / mpmath.conj(p - k[0]),
        k[0] + k[1] ** 2 / mpmath.conj(p - k[0]) + 1j * (p - k[0]),
    ),
    "ray": lambda p, k: k[0] + k[1] * _unit(p - k[0]),
    "tangency": _tangent,
    "chord": lambda p, m, k, n: sorted(_cut(m, k), key=lambda z: abs(z - p) * n)[0],
    "touch": lambda p, k: (p, abs(abs(p - k[0]) - k[1])),
    "centroid": lambda p, q, r: (p + q + r) / 3,
    "circumcenter": _circum,
    "incenter": _in,
    "orthocenter": _ortho,
    "equilateral": lambda p, q: p + (q - p) * mpmath.expj(mpmath.pi / 3),
    "incircle": lambda p, q, r: (_in(p, q, r), abs(_in(p, q, r) - _mirror(_in(p, q, r), (p, q))) / 2),
}


def _given(told: str) -> dict[str, Any]:
    """The figure of a compact text in coordinates, turned and moved so that nothing depends on where it lies."""
    names, what = told.split("=")
    kind, *numbers = what.split()
    n = [mpf(number) for number in numbers]
    if kind == "dist":
        objects = [mpc(0), mpc(n[0])]
    elif kind == "circle":
        objects = [mpc(0), mpc(n[1]), (mpc(0), n[0])]
    elif kind == "triangle":
        ab, bc, ca = n
        objects = [mpc(0), mpc(ab), ca * mpmath.expj(mpmath.acos((ab**2 + ca**2 - bc**2) / (2 * ab * ca)))]
    else:
        objects = [n[1] * mpmath.expj(2 * mpmath.pi * i / n[0]) for i in range(int(n[0]))] + [mpc(0)]

    def move(z: Any) -> Any:
        return mpc(3, -2) + z * mpmath.expj(0.7)

    moved = [(move(x[0]), x[1]) if isinstance(x, tuple) else move(x) for x in objects]
    return dict(zip(names.split(","), moved, strict=True))


def _value(compact: str) -> Any:
    """The measure that a compact text asks for, by the oracle."""
    told, asked = compact.split("?")
    first, *steps = told.split(";")
    objects = _given(first)
    for step in steps:
        name, what = step.split("=")
        command, *taken = what.split()
        objects[name] = ORACLE[command](*(objects.get(word, None) if word in objects else int(word) for word in taken))
    kind, *of_what = asked.split()
    x = [objects[name] for name in of_what]
    if kind == "distance":
        return abs(x[0] - x[1])
    if kind == "angle":
        return abs(mpmath.degrees(mpmath.arg((x[0] - x[1]) / (x[2] - x[1]))))
    if kind == "area":
        return abs(mpmath.im(mpmath.conj(x[1] - x[0]) * (x[2] - x[0]))) / 2
    return x[0][1]


@pytest.mark.parametrize("name", FAMILIES)
def test_answers_are_those_of_complex_numbers_wherever_the_figure_lies(name: str):
    used: set[str] = set()
    with mpmath.workdps(60):
        for seed in range(60):
            level = 1 + seed % 5
            problem = FAMILIES[name].draw(level, np.random.default_rng(seed))
            assert abs(_value(problem.compact) - mpf(problem.answer)) <= mpf("0.005") + mpf("1e-9")
            used |= set(re.findall(r"=(\w+) ", problem.compact))
    assert set(ORACLE) == set(COMMANDS) and len(used) >= 12


# Published problems of the official generator (sunblaze-ucb/math_ood, polygon), rewritten as steps.
PUBLISHED = (
    ("A,B,C,D,E,F,V=regular 6 6;l=line C D;Y=mirror F l;P=midpoint C D;J=beyond Y V?distance J P", "21.0"),
    ("A,B,C,D,P=regular 4 7;G=midpoint P B;N=beyond B C;U=midpoint N D?distance U G", "12.6194"),
    ("A,B,C,D,Z=regular 4 4;Q=midpoint A Z;l=line Q D;m=line A B;G=meet l m?distance C G", "6.7987"),
    ("A,B,C,D,T=regular 4 7;l=bisector T C;m=line B C;n=parallel A l;V=meet m n?distance T V", "15.6525"),
    ("A,B,C,D,E,F,G,H,I,J,K,W=regular 11 1;l=halve C K A;R=midpoint C G;Y=mirror G l?distance Y R", "2.9743"),
)


@pytest.mark.parametrize(("compact", "answer"), PUBLISHED)
def test_published_answers_are_ours(compact: str, answer: str):
    told, asked = compact.split("?")
    first, *steps = told.split(";")
    names, what = first.split("=")
    n, radius = (int(number) for number in what.split()[1:])
    with localcontext(prec=of.DIGITS):
        corners = [tuple(Decimal(radius) * part for part in of.turn(i, n)) for i in range(n)]
        objects: dict[str, Any] = dict(zip(names.split(","), [*corners, (Decimal(0), Decimal(0))], strict=True))
        for step in steps:
            name, made = step.split("=")
            command, *taken = made.split()
            objects[name] = COMMANDS[command].make(*(objects[word] for word in taken))
        one, other = (objects[name] for name in asked.split()[1:])
        assert abs(of.distance(one, other) - Decimal(answer)) < Decimal("0.0001")
    with mpmath.workdps(40):
        assert abs(_value(compact) - mpf(answer)) < mpf("0.0001")


def test_turns_are_right_to_all_digits():
    with mpmath.workdps(of.DIGITS):
        for part, whole in ((1, 6), (5, 7), (11, 12), (135, 360), (0, 5)):
            cosine, sine = (mpf(str(x)) for x in of.turn(part, whole))
            angle = 2 * mpmath.pi * part / whole
            assert abs(cosine - mpmath.cos(angle)) + abs(sine - mpmath.sin(angle)) < mpf(10) ** (4 - of.DIGITS)


def test_hand_worked_cases():
    def at(x: float, y: float) -> of.Point:
        return Decimal(str(x)), Decimal(str(y))

    three, four, corner = at(3, 0), at(0, 4), at(0, 0)
    assert of.incentre(corner, three, four) == at(1, 1) and of.inradius(corner, three, four) == 1
    assert of.circumcentre(corner, three, four) == at(1.5, 2) and of.area(corner, three, four) == 6
    assert max(abs(x) for x in of.orthocentre(corner, three, four)) < Decimal("1e-20")
    touch = of.tangent_points(at(5, 0), (corner, Decimal(3)))
    assert [float(x) for x in touch[0]] == pytest.approx([1.8, -2.4])  # left of the way to the center: below it
    assert [float(x) for x in of.inverted(at(4, 0), (corner, Decimal(2)))] == pytest.approx([1, 0])


@pytest.mark.parametrize(
    "broken",
    [
        lambda p, q: of.line(p, p),
        lambda p, q: of.meet(of.line(p, q), of.parallel((Decimal(1), Decimal(7)), of.line(p, q))),
        lambda p, q: of.crossings(of.line(p, q), ((Decimal(0), Decimal(9)), Decimal(1))),
        lambda p, q: of.tangent_points(p, (q, Decimal(50))),
        lambda p, q: of.inverted(p, (p, Decimal(2))),
        lambda p, q: of.area(p, q, of.midpoint(p, q)),
        lambda p, q: of.mirrored(of.midpoint(p, q), of.line(p, q)),
    ],
)
def test_degenerate_steps_are_refused(broken: Any):
    with pytest.raises(of.Degenerate):
        broken((Decimal(0), Decimal(0)), (Decimal(4), Decimal(2)))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_problem_has_the_steps_of_its_level_and_needs_each(name: str):
    family: Family = FAMILIES[name]
    for level, (low, high) in geometry.LENGTHS.items():
        for seed in range(8):
            problem = family.draw(level, np.random.default_rng(seed))
            told, asked = problem.compact.split("?")
            steps = told.split(";")[1:]
            assert low <= len(steps) + 2 == problem.at["commands"] <= high
            names = [step.split("=")[0] for step in steps]
            assert len(set(names)) == len(names)
            later = " ".join([*(step.split("=")[1] for step in steps), asked]).split()
            assert set(names) <= set(later)
            assert len(re.findall(r"[.?] ", problem.question)) == len(steps) + 2
    assert family.draw(2, np.random.default_rng(1)) == family.draw(2, np.random.default_rng(1))
    with pytest.raises(Invalid, match=name):
        family.draw(0, np.random.default_rng(0))
