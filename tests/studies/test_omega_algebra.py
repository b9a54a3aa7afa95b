"""Algebra and matrices of omega: every answer beside sympy's, mpmath's or that of plain enumeration."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import permutations
from math import gcd, log10, prod

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.studies.omega import exact, roots
from unseen.studies.omega.families import algebra, matrices
from unseen.studies.omega.problem import Family, decimal, parameters

FAMILIES = {f.name: f for module in (algebra, matrices) for f in module.FAMILIES}


def drawn(name: str, n: int, levels: tuple[int, ...] = ()) -> list[tuple[int, object]]:
    family = FAMILIES[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    return [(level, family.draw(level, rng)) for level in levels or family.levels for _ in range(n)]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_a_level_that_is_not_there_is_invalid_and_draws_repeat(family: Family) -> None:
    with pytest.raises(Invalid, match="has no level 99"):
        family.draw(99, np.random.default_rng(0))
    one, two = (family.draw(family.levels[-1], np.random.default_rng(3)) for _ in range(2))
    assert one == two and one != family.draw(family.levels[-1], np.random.default_rng(4))


def test_linear_systems_have_the_one_solution_that_is_told() -> None:
    sympy = pytest.importorskip("sympy")
    for level, p in drawn("linear_equation", 4):
        told, _, asked = re.fullmatch(r"Solve (.*) for (\w)\. Give (\w) as an integer\.", p.question).groups()
        equations = [sympy.Eq(*map(sympy.sympify, one.split(" = "))) for one in told.split(", ")]
        names = sympy.symbols(" ".join(algebra.NAMES[: algebra.LINEAR[level].n]))
        (found,) = sympy.linsolve([e for e in equations], names)
        assert found[[str(n) for n in names].index(asked)] == int(p.answer)


def test_roots_are_roots_and_there_are_no_others() -> None:
    for level, p in drawn("polynomial_roots", 6):
        told = re.search(r"with (.*) = 0\. ", p.question)[1].replace("^", "**")
        found = [Fraction(r) for r in p.answer.split(", ")]
        assert found == sorted(set(found))
        assert all(eval(told, {"x": x}) == 0 for x in found)  # our own text: sums of powers of x
        degree = algebra.ROOTS[level].n
        points = [Fraction(i) for i in range(degree + 1)]
        vandermonde = [[x**k for k in range(degree, -1, -1)] for x in points]
        sympy = pytest.importorskip("sympy")
        values = [eval(told, {"x": x}) for x in points]
        solved = sympy.Matrix(vandermonde).LUsolve(sympy.Matrix([sympy.Rational(v.numerator, v.denominator) for v in values]))  # fmt: skip
        assert roots.count([Fraction(int(c.p), int(c.q)) for c in solved]) == len(found)


def test_arithmetic_is_what_sympy_says() -> None:
    sympy = pytest.importorskip("sympy")
    for _, p in drawn("mixed_arithmetic", 8):
        steps = p.compact.split(";")
        k = sympy.sympify(steps[0].removeprefix("k="), rational=True) if len(steps) > 1 else 0
        assert str(sympy.sympify(steps[-1], rational=True).subs("k", k)) == p.answer
        assert str(algebra.evaluated(steps[-1], {"k": Fraction(str(k))})) == p.answer
    assert algebra.evaluated("-(1/2) - 3*2") == Fraction(-13, 2)


def test_prime_factors_and_divisors() -> None:
    sympy = pytest.importorskip("sympy")
    for level, p in drawn("list_prime_factors", 10):
        size = algebra.FACTORS[level]
        assert p.answer == ", ".join(map(str, sympy.primefactors(int(p.compact))))
        assert max(map(int, p.answer.split(", "))) <= size.n and log10(int(p.compact)) <= size.entropy[1] + 1e-9
    for _, p in drawn("gcd", 10):
        a, b = (algebra.evaluated(one) for one in p.compact.split(","))
        assert gcd(int(a), int(b)) == int(p.answer)


def test_shares_terms_and_rounding() -> None:
    parts = algebra.shares(10.0, 4, algebra.dice(np.random.default_rng(0)))
    assert len(parts) == 4 and sum(parts) == pytest.approx(10) and min(parts) >= 10 / 8
    assert algebra.terms([1, -1, 0, 5], ["x^2", "x", "y", ""]) == "x^2 - x + 5"
    assert algebra.terms([-3], ["x"]) == "-3*x" and algebra.terms([0], ["x"]) == "0"
    assert algebra.expanded([Fraction(1, 2), Fraction(-3)], 2) == [4, 10, -6]
    told = [decimal(x, 2) for x in (Fraction(1, 8), Fraction(-1, 8), Fraction(-1, 1000), 2)]
    assert told == ["0.13", "-0.13", "0.00", "2.00"]
    assert decimal(2.5, 0) == "3" and parameters("f", 1, {1: "a"}) == "a"


def leibniz(rows: list[list[int]]) -> int:
    n = len(rows)
    total = 0
    for order in permutations(range(n)):
        sign = (-1) ** sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        total += sign * prod(rows[i][order[i]] for i in range(n))
    return total


def test_elimination_in_whole_numbers() -> None:
    sympy = pytest.importorskip("sympy")
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 5):
        for _ in range(6):
            rows = rng.integers(-3, 4, (n, n)).tolist()
            assert exact.determinant(rows) == leibniz(rows)
            low = matrices.low_rank(n + 1, n, 3, rng)
            assert exact.rank(low) == sympy.Matrix(low).rank()
            wide = rng.integers(-2, 3, (n, n + 2)).tolist()
            assert exact.rank(wide) == sympy.Matrix(wide).rank() and exact.determinant(wide) == 0
            if leibniz(rows):
                found, scale = exact.inverse(rows)
                assert scale > 0 and gcd(scale, *(v for r in found for v in r)) == 1
                assert exact.product(rows, found) == [[scale * (i == j) for j in range(n)] for i in range(n)]
            assert exact.power(rows, 5) == np.linalg.matrix_power(np.array(rows, dtype=object), 5).tolist()
    with pytest.raises(Invalid, match="singular"):
        exact.inverse([[1, 2], [2, 4]])
    assert exact.rank([[0, 0], [0, 0]]) == 0


def matrix_of(text: str) -> list[list[int]]:
    return [[int(v) for v in row.split()] for row in text.split(";")]


def test_determinants_and_ranks_of_problems() -> None:
    sympy = pytest.importorskip("sympy")
    for _, p in drawn("matrix_determinant", 2, (1, 2, 3, 7)):
        assert int(p.answer) == sympy.Matrix(matrix_of(p.compact)).det(method="bareiss") % 1000
    for level, p in drawn("matrix_rank", 2, (1, 2, 3, 7)):
        rows = matrix_of(p.compact)
        assert int(p.answer) == sympy.Matrix(rows).rank()
        assert np.abs(rows).max() <= matrices.RANK[level].most and len(rows) == matrices.RANK[level].n[0]


def reading(rows: np.ndarray, name: str) -> int:
    named = {"sum": rows.sum, "trace": rows.trace, "absolute": np.abs(rows).sum, "largest": np.abs(rows).max}
    if name in named:
        return int(named[name]())
    i, j = map(int, name.split(","))
    return int(rows[i - 1, j - 1])


def test_what_is_read_off_products_powers_and_inverses() -> None:
    for _, p in drawn("matrix_multiplication", 3):
        factors, _, name = p.compact.rpartition(";")
        a, b = (np.array(matrix_of(one), dtype=object) for one in factors.split("*"))
        assert reading(a @ b, name) == int(p.answer)
    for _, p in drawn("matrix_power", 3):
        text, exponent, name = p.compact.rsplit(";", 2)
        a = np.array(matrix_of(text), dtype=object)
        assert reading(np.linalg.matrix_power(a, int(exponent[1:])), name) == int(p.answer)
    for level, p in drawn("matrix_inverse", 3, (1, 2, 4)):
        text, scale, name = p.compact.rsplit(";", 2)
        a = np.array(matrix_of(text), dtype=float)
        found = np.rint(np.linalg.inv(a / int(scale[1:])))
        assert np.allclose(a @ found, int(scale[1:]) * np.eye(len(a)))
        assert reading(found.astype(int), name) == int(p.answer) and np.abs(a).max() <= matrices.PLAIN[level].most


def test_rounded_eigenvalues_and_singular_values_are_those_of_many_digits() -> None:
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 40
    for _, p in drawn("matrix_eigenvalues", 3, (1, 2, 3)):
        text, kind = p.compact.rsplit(";", 1)
        values = [abs(v) for v in mp.eig(mp.matrix(matrix_of(text)), left=False, right=False)]
        assert int(mp.nint(sum(values) if kind == "sum" else max(values))) == int(p.answer)
    for _, p in drawn("matrix_svd", 3, (1, 2)):
        text, kind = p.compact.rsplit(";", 1)
        values = list(mp.svd_r(mp.matrix(matrix_of(text)), compute_uv=False))
        value = {"largest": values[0], "sum": sum(values), "spread": values[0] - values[-1]}[kind]
        assert int(mp.nint(value)) == int(p.answer)
    assert matrices.certain(2.4, 1e-10) and not matrices.certain(2.5 - 1e-7, 1e-10)


def test_roots_are_counted_as_sturm_and_floats_do() -> None:
    assert roots.count([1, 0, -2]) == 2 and roots.count([1, 0, -2], low=0) == 1 and roots.count([1, 0, 2]) == 0
    assert roots.count([1, -2, 1]) == 1 and roots.count([1, -1, 0], low=0, high=1) == 1  # 0 itself is left out
    rng = np.random.default_rng(1)
    for _ in range(300):
        found = sorted({int(r) for r in rng.integers(-4, 5, rng.integers(1, 5))})
        p = [1]
        for r in found:
            p = roots.product(p, [int(rng.integers(1, 4)), 0])[:-1] and roots.product(p, [1, -r])
        p = roots.product(p, [1, 0, 1])  # and two roots that are not real
        low, high = sorted(int(x) for x in rng.integers(-5, 6, 2))
        assert roots.count(p, low, high) == sum(low < r <= high for r in found)
        a, b, c = (int(x) for x in rng.integers(-4, 5, 3))
        if a:  # the short way of degree 2 beside Sturm's chain
            fast = [roots.count([a, b, c], x, y) for x, y in ((None, None), (low, high), (None, high), (low, None))]
            slow = [roots.count([0, a, b, c], x, y) for x, y in ((None, None), (low, high), (None, high), (low, None))]
            assert fast == slow
