"""Are zeros, turning points, crossings and areas those of dense scanning, many digits and quadrature?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from math import inf
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from scipy import integrate
from sympy.parsing import sympy_parser

from unseen.core.errors import Invalid
from unseen.studies.omega.families import functions
from unseen.studies.omega.problem import Family, decimal
from unseen.studies.omega.solvers.compositions import Composition, area, crossings, narrowed, shape, zeros
from unseen.studies.omega.solvers.intervals import Doubtful
from unseen.studies.omega.solvers.stages import Bent, Linear, Quadratic, Ratio, Stage, written
from unseen.studies.omega.solvers.waves import Power, Wave

DOMAIN = (-10.0, 10.0)
STAGES: tuple[Stage, ...] = (
    Linear(-3, 2), Quadratic(2, -3, 1), Quadratic(-1, 0, 4), Bent(-2, 1, 3), Ratio(2, -1, -3, 2), Ratio(0, 2, 1, 0),
    Wave(-2, 3, 1, 1, True), Wave(3, 1, 0, -1, False), Power(2, -1, 3), Power(-1, 2, 1),
)  # fmt: skip


def _by_code(code: str, module: Any) -> Callable[[Any], Any]:
    """The function of a code, written out once more with the functions of another module (numpy or mpmath)."""

    def stage(word: str, y: Any) -> Any:
        n = [int(number) for number in word[1:].split(",")]
        match word[0]:
            case "l":
                return n[0] * y + n[1]
            case "q":
                return n[0] * y * y + n[1] * y + n[2]
            case "v":
                return n[0] * abs(y - n[1]) + n[2]
            case "r":
                return (n[0] * y + n[1]) / (n[2] * y + n[3])
            case "s":
                return n[0] * module.sin(n[1] * module.pi * y + n[2]) + n[3]
            case "c":
                return n[0] * module.cos(n[1] * module.pi * y + n[2]) + n[3]
            case _:
                return n[0] * module.exp(n[1] * y) + n[2]

    def value(x: Any) -> Any:
        for word in code.split():
            x = stage(word, x)
        return x

    return value


def _scanned(f: Callable[[Any], Any], domain: tuple[float, float], n: int = 400_001) -> list[float]:
    """Where f changes its sign between neighbours of n points, other than by jumping across a pole."""
    x = np.linspace(*domain, n)
    with np.errstate(all="ignore"):
        y = f(x)
        found: list[float] = []
        for i in np.flatnonzero(np.signbit(y[:-1]) != np.signbit(y[1:])):
            low, high = x[i], x[i + 1]
            for _ in range(60):
                middle = (low + high) / 2
                low, high = (middle, high) if np.signbit(f(middle)) == np.signbit(f(low)) else (low, middle)
            if abs(f(low)) < 1e-3 * (1 + abs(f(low + 1e-3))):
                found.append(float(low))
    return found


def _compositions(n: int, *, without: str = ""):
    """Random compositions of two to five stages about which nothing is doubtful."""
    rng = np.random.default_rng(0)
    given = 0
    while given < n:
        try:
            f = functions._composed(rng, 2 + given % 4)
            if not any(word[0] in without for word in f.code.split()):
                shape(f, DOMAIN)
                zeros(f, DOMAIN)
                given += 1
                yield f
        except Doubtful:
            continue


def test_a_stage_holds_the_values_of_many_digits_and_finds_what_it_takes():
    rng = np.random.default_rng(1)
    for stage in STAGES:
        exact = _by_code(stage.code, mpmath)
        for _ in range(40):
            low, width = rng.normal() * 4, abs(rng.normal())
            y = (float(low), float(low + width))
            image = stage.image(y)
            with mpmath.workdps(40):
                for part in (0, 0.3, 0.7, 1):
                    x = y[0] + part * (y[1] - y[0])
                    if image != (-inf, inf):
                        assert image[0] <= exact(mpf(min(x, y[1]))) <= image[1]
                try:
                    value, error = stage.at(y[0], width * 1e-3)
                except Doubtful:
                    continue
                for moved in (-1, -0.4, 0, 1):
                    assert abs(exact(mpf(y[0]) + mpf(width * 1e-3) * moved) - value) <= error
                thin, blur = stage.at(y[0], 0.0)
                assert blur <= 1e-12 * (1 + abs(thin)) * (1 + abs(y[0])) ** 2 or isinstance(stage, Ratio | Power)
                v = exact(mpf(y[0]))
                found = stage.preimages((float(v) - 1e-9, float(v) + 1e-9), (-30.0, 30.0)) if abs(y[0]) > 0.1 else []
                assert not found or any(a <= y[0] <= b for a, b in found)


def test_steepness_and_rising_are_those_of_the_derivative():
    rng = np.random.default_rng(2)
    for stage in STAGES:
        exact = _by_code(stage.code, mpmath)
        for _ in range(40):
            low = float(rng.normal() * 3)
            y = (low, low + 0.03)
            try:
                least, most = stage.steepness(y)
                rising = stage.rising(y)
            except Doubtful:
                continue
            if not any(y[0] < pole[0] < y[1] for pole in stage.poles()):
                for part in (0.0, 0.5, 1.0):
                    slope = mpmath.diff(exact, mpf(y[0] + part * 0.03))
                    assert least - 1e-9 <= abs(slope) <= most + 1e-9 and mpmath.sign(slope) == rising


def test_zeros_are_those_of_dense_scanning():
    found = 0
    for f in _compositions(40):
        exact = sorted((low + high) / 2 for low, high in zeros(f, DOMAIN))
        scanned = _scanned(_by_code(f.code, np), DOMAIN)
        assert len(exact) == len(scanned), f.code
        assert np.allclose(exact, scanned, atol=1e-6)
        found += len(exact)
    assert found > 100


def test_turning_points_are_those_of_dense_scanning():
    for f in _compositions(30, without="re"):  # an exponential goes flat in floating point
        x = np.linspace(*DOMAIN, 400_001)
        y = _by_code(f.code, np)(x)
        with np.errstate(all="ignore"):
            slope = np.sign(np.diff(y))
        turned = np.flatnonzero(slope[:-1] != slope[1:]) + 1
        found = shape(f, DOMAIN)
        assert len(found.extrema()) == len(turned), f.code
        assert np.allclose([sum(place) / 2 for place, _ in found.extrema()], x[turned], atol=1e-4)
        assert [way for _, way in found.extrema()] == slope[turned - 1].tolist()
        assert found.rising == (slope[0], *slope[turned].tolist())


def test_poles_part_the_intervals_where_a_function_rises():
    f = Composition((Ratio(1, 0, 1, -2), Quadratic(1, 0, 0)))  # (x/(x - 2))², zero at 0, a pole at 2
    found = shape(f, DOMAIN)
    assert found.poles == (False, True) and found.rising == (-1, 1, -1)
    assert [way for _, way in found.extrema()] == [-1]
    with pytest.raises(Doubtful):
        shape(Composition((Ratio(1, 0, 1, -2), Power(1, 1, 0))), DOMAIN)
    with pytest.raises(Doubtful):
        zeros(Composition((Linear(1, -1), Quadratic(1, 0, 0))), DOMAIN)  # touches
    assert len(zeros(Composition((Linear(1, 0), Wave(2, 3, 0, 1, True))), DOMAIN)) == 60


def _pairs(n: int, domain: tuple[float, float]):
    """Random pairs of compositions with their crossings, at least one."""
    rng = np.random.default_rng(3)
    given = 0
    while given < n:
        try:
            f, g = functions._composed(rng, 2 + given % 3), functions._composed(rng, 1 + given % 3)
            functions._promising(f.values(functions._samples(domain)) - g.values(functions._samples(domain)), 1)
            if met := crossings(f, g, domain):
                given += 1
                yield f, g, met
        except Doubtful:
            continue


def test_crossings_are_those_of_dense_scanning_and_of_many_digits():
    for f, g, met in _pairs(24, DOMAIN):
        one, other = _by_code(f.code, np), _by_code(g.code, np)
        scanned = _scanned(lambda x, one=one, other=other: one(x) - other(x), DOMAIN)
        assert len(met) == len(scanned), (f.code, g.code)
        assert all(low <= place <= high for (low, high), place in zip(met, scanned, strict=True))
        low, high = narrowed(f, g, met[0])
        with mpmath.workdps(40):
            one, other = _by_code(f.code, mpmath), _by_code(g.code, mpmath)
            assert (one(mpf(low)) - other(mpf(low))) * (one(mpf(high)) - other(mpf(high))) < 0


def test_areas_are_those_of_quadrature():
    checked = 0
    for f, g, met in _pairs(40, (-5.0, 5.0)):
        if len(met) < 2:
            continue
        try:
            near = [narrowed(f, g, place) for place in met[:2]]
            within = (near[0][0] - 0.02, near[1][1] + 0.03)
            if len(met) > 2 and met[2][0] < within[1]:
                continue
            low, high = area(f, g, near, within)
        except Doubtful:
            continue
        one, other = _by_code(f.code, np), _by_code(g.code, np)
        kinks = [
            sum(x) / 2 for h in (f, g) for x in shape(h, (-5.0, 5.0)).breaks if within[0] < x[0] and x[1] < within[1]
        ]
        points = sorted({within[0], *kinks, *(x[0] for x in near), within[1]})
        exact = sum(
            integrate.quad(lambda x, one=one, other=other: abs(one(x) - other(x)), a, b, limit=200)[0]
            for a, b in itertools.pairwise(points)
        )
        assert low - 1e-9 <= exact <= high + 1e-9 and high - low < 0.02
        checked += 1
    assert checked >= 10


def test_a_formula_says_the_function():
    for f in _compositions(25):
        said = f.text()
        bars = re.sub(r"\|(?=[x(])", "Abs(", said).replace("|", ")")
        bars = bars.replace("π", "pi*").replace("^", "**").replace("e**", "E**")
        steps = (*sympy_parser.standard_transformations, sympy_parser.implicit_multiplication_application)
        expression = sympy_parser.parse_expr(bars, transformations=steps)
        exact = _by_code(f.code, mpmath)
        for x in (-1.37, 0.21, 2.63):
            with mpmath.workdps(30):
                wanted = exact(mpf(x))
                got = expression.subs("x", mpmath.mpf(x)).evalf(30)
                assert abs(mpf(str(got)) - wanted) <= mpf("1e-12") * (1 + abs(wanted)), said
    assert written((1, "x^2"), (-1, "x"), (0, "")) == "x^2 - x" and written((0, "x")) == "0"


@pytest.mark.parametrize("family", functions.FAMILIES, ids=lambda family: family.name)
def test_a_family_draws_the_same_problem_from_the_same_seed_and_knows_its_levels(family: Family):
    for level in (1, 2):
        one, two, other = (family.draw(level, np.random.default_rng(seed)) for seed in (9, 9, 10))
        assert one == two != other
    with pytest.raises(Invalid, match=f"{family.name} has no level 6"):
        family.draw(6, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["zeros", "intersection", "intersection_coords", "extrema_coords", "area"])
def test_answers_are_those_of_scanning_what_the_problem_says(name: str):
    family = next(family for family in functions.FAMILIES if family.name == name)
    for seed in range(6):
        problem = family.draw(1 + seed % 2, np.random.default_rng(seed))
        code = problem.compact.split(maxsplit=1)[1]
        if name == "zeros":
            assert len(_scanned(_by_code(code, np), DOMAIN)) == int(problem.answer)
        elif name == "intersection":
            one, other = (_by_code(part, np) for part in code.split("|"))
            assert len(_scanned(lambda x, one=one, other=other: one(x) - other(x), DOMAIN)) == int(problem.answer)
        elif name == "intersection_coords":
            way, code = code.split(maxsplit=1)
            one, other = (_by_code(part, np) for part in code.split("|"))
            met = _scanned(lambda x, one=one, other=other: one(x) - other(x), DOMAIN)
            chosen = {"sum": sum(met), "mean": sum(met) / len(met), "rightmost": met[-1]}
            wanted = chosen.get(way, met[int(way) - 1] if way.isdigit() else met[0])
            assert int(problem.answer) == int(np.floor(wanted + 0.5))
        elif name == "extrema_coords":
            kind, way, code = code.split(maxsplit=2)
            x = np.linspace(*DOMAIN, 400_001)
            with np.errstate(all="ignore"):
                y = _by_code(code, np)(x)
                slope = np.sign(np.diff(y))
            turned = np.flatnonzero(slope[:-1] * slope[1:] < 0) + 1
            turned = turned[np.abs(y[turned]) < 1e6]
            kept = [i for i in turned if kind == "both" or (slope[i - 1] > 0) == (kind == "max")]
            ranked = sorted(kept, key=lambda i: y[i])
            spots = {"rightmost": kept[-1], "largest": ranked[-1], "smallest": ranked[0]}
            wanted = np.mean(x[kept]) if way == "mean" else x[spots.get(way, kept[0])]
            assert int(problem.answer) == int(np.floor(wanted + 0.5))
        else:
            code, bounds = code.split("@")
            one, other = (_by_code(part, np) for part in code.split("|"))
            x = np.linspace(*(float(bound) for bound in bounds.split(",")), 400_001)
            total = float(np.trapezoid(abs(one(x) - other(x)), x))
            assert problem.answer == decimal(total, 1)


def test_the_places_chosen_are_rounded_only_where_it_is_certain():
    assert functions._chosen([(1.4, 1.4001), (2.6, 2.6)], "mean", 0) == 2
    assert functions._chosen([(-1.6, -1.6)], "single", 0) == -2
    with pytest.raises(Doubtful):
        functions._chosen([(0.4999999, 0.5000001)], "single", 0)
