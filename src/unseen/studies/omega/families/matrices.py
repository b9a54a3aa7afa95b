"""Matrices of whole numbers: determinant, inverse, eigenvalues, rank, singular values, powers, products.

    'Let A be the 3 x 3 matrix [[1, 2, 0], [0, 3, 1], [2, 0, 1]]. What is the determinant of A modulo 1000? ...' -> '7'

Determinants, ranks, inverses, powers and products are computed in whole numbers. Eigenvalues and singular values are
asked to the nearest whole number; they are computed in floating point, and a matrix is drawn again where the distance to
the next half is not far larger than the bound on the error (Weyl for symmetric matrices and singular values, Bauer and
Fike for others), so that the rounding is certain.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import exact
from ..problem import Family, Problem, dice, parameters

Rows = list[list[int]]
ROOM = 1e4  # the distance to a half is at least so many times the bound on the error
FORMS = ("random", "symmetric", "triangular")


@dataclass(frozen=True, slots=True)
class Size:
    """n rows (a range, for products), entries up to `most` in size, and the exponent's range."""

    n: tuple[int, int]
    most: int
    exponent: tuple[int, int] = (1, 1)


def _square(ns: Sequence[int], most: Sequence[int]) -> dict[int, Size]:
    return {k: Size((n, n), m) for k, (n, m) in enumerate(zip(ns, most, strict=True), 1)}


PLAIN = _square((3, 4, 6, 7, 9, 10, 12), (10, 12, 15, 18, 25, 30, 35))
RANK = _square((4, 5, 6, 7, 9, 10, 12), (4, 6, 10, 12, 18, 22, 26))
POWER = {
    1: Size((3, 3), 3, (2, 3)),
    2: Size((4, 4), 4, (3, 4)),
    3: Size((5, 5), 5, (4, 5)),
    4: Size((6, 6), 6, (4, 5)),
    5: Size((8, 8), 12, (5, 7)),
    6: Size((10, 10), 14, (6, 8)),
    7: Size((12, 12), 16, (7, 9)),
}
PRODUCT = {
    1: Size((3, 5), 8),
    2: Size((4, 6), 10),
    3: Size((6, 7), 12),
    4: Size((7, 8), 15),
    5: Size((9, 10), 20),
    6: Size((10, 11), 25),
    7: Size((12, 14), 30),
}


def shown(rows: Sequence[Sequence[int]]) -> str:
    """'[[1, 2], [3, 4]]'."""
    return str([list(row) for row in rows])


def brief(rows: Sequence[Sequence[int]]) -> str:
    """'1 2;3 4'."""
    return ";".join(" ".join(map(str, row)) for row in rows)


def filled(n: int, m: int, most: int, rng: np.random.Generator, form: str = "random") -> Rows:
    """A matrix [n m] with entries of -most..most, symmetric or upper triangular where the form says so."""
    rows = rng.integers(-most, most + 1, (n, m))
    if form == "symmetric":
        rows = np.triu(rows) + np.triu(rows, 1).T
    elif form == "triangular":
        rows = np.triu(rows)
    return rows.tolist()


def draw_determinant(level: int, rng: np.random.Generator) -> Problem:
    """The determinant modulo 1000."""
    size, die = parameters("matrix_determinant", level, PLAIN), dice(rng)
    form = die.choice(FORMS)
    rows = filled(size.n[0], size.n[0], size.most, rng, form)
    question = f"{_let(rows)} What is the remainder (0 to 999) when the determinant of A is divided by 1000?"
    return Problem(question, brief(rows), str(exact.determinant(rows) % 1000), "integer", at={"form": form})


READINGS: dict[str, tuple[str, Callable[[Sequence[Sequence[int]]], int]]] = {
    "sum": ("the sum of all entries of", lambda rows: sum(map(sum, rows))),
    "absolute": (
        "the sum of the absolute values of all entries of",
        lambda rows: sum(abs(v) for row in rows for v in row),
    ),
    "trace": (
        "the trace (the sum of the diagonal entries) of",
        lambda rows: sum(rows[i][i] for i in range(min(len(rows), len(rows[0])))),
    ),
    "largest": ("the largest absolute value among the entries of", lambda rows: max(abs(v) for row in rows for v in row)),
}  # fmt: skip


def _read(rows: Sequence[Sequence[int]], of: str, die: random.Random) -> tuple[str, str, int]:
    """A reading of a matrix as one number: what is asked in words, its short name, and the number."""
    kind = die.choice((*READINGS, "entry"))
    if kind == "entry" or (kind == "trace" and len(rows) != len(rows[0])):
        i, j = die.randrange(len(rows)), die.randrange(len(rows[0]))
        return f"the entry in row {i + 1} and column {j + 1} (counted from 1) of {of}", f"{i + 1},{j + 1}", rows[i][j]
    words, value = READINGS[kind]
    return f"{words} {of}", kind, value(rows)


def draw_inverse(level: int, rng: np.random.Generator) -> Problem:
    """One number read off the inverse of (1/s) A, whose entries are whole.

    A is L D U with unit triangular L and U of -1, 0, 1 and a small diagonal D, so that its entries keep to the level's
    range and s is small.
    """
    size, die = parameters("matrix_inverse", level, PLAIN), dice(rng)
    n, form = size.n[0], die.choice(FORMS)
    while True:
        rows = _invertible(n, form, rng, die)
        if max(abs(v) for row in rows for v in row) <= size.most:
            break
    found, scale = exact.inverse(rows)
    asked, name, value = _read(found, f"the inverse of B = (1/{scale}) A" if scale > 1 else "the inverse of A", die)
    question = f"{_let(rows)} What is {asked}? Give it as an integer."
    return Problem(question, f"{brief(rows)};/{scale};{name}", str(value), "integer", at={"form": form})


def _invertible(n: int, form: str, rng: np.random.Generator, die: random.Random) -> Rows:
    """An invertible matrix [n n] with entries of at most 3n or so."""
    diagonal = [1] * n
    for _ in range(2):
        diagonal[die.randrange(n)] = die.choice((1, -1, 2, -2, 3))
    lower, upper = (np.tril(rng.integers(-1, 2, (n, n)), -1) + np.eye(n, dtype=int) for _ in range(2))
    if form == "triangular":
        return (np.diag(diagonal) @ upper.T).tolist()
    if form == "symmetric":
        upper = lower
    return (lower @ np.diag(diagonal) @ upper.T).tolist()


def draw_eigenvalues(level: int, rng: np.random.Generator) -> Problem:
    """The largest absolute value of an eigenvalue, or the sum of all absolute values, to the nearest whole number."""
    size, die = parameters("matrix_eigenvalues", level, PLAIN), dice(rng)
    form, total = die.choice(FORMS), die.random() < 0.5
    while True:
        rows = filled(size.n[0], size.n[0], size.most, rng, form)
        sizes, error = moduli(rows, form)
        value = float(np.sum(sizes) if total else np.max(sizes))
        if certain(value, error * (len(sizes) if total else 1)):
            break
    asked = "the sum of the absolute values of all" if total else "the largest absolute value (modulus) among the"
    repeated = ", counted with their multiplicities" if total else ""
    question = f"{_let(rows)} What is {asked} eigenvalues of A{repeated}, rounded to the nearest integer?"
    return Problem(question, f"{brief(rows)};{'sum' if total else 'max'}", str(round(value)), "integer", at={"form": form})  # fmt: skip


def moduli(rows: Rows, form: str) -> tuple[NDArray[np.float64], float]:
    """The absolute values of all eigenvalues [n], and a bound on the error of each."""
    a = np.array(rows, dtype=float)
    unit = len(rows) * float(np.finfo(float).eps) * (1.0 + float(np.abs(a).sum(1).max()))
    if form == "triangular":
        return np.abs(np.diag(a)), 0.0
    if form == "symmetric":
        return np.abs(np.linalg.eigvalsh(a)), unit
    values, vectors = np.linalg.eig(a)
    singular = np.linalg.svd(vectors, compute_uv=False)
    return np.abs(values), unit * float(singular[0] / max(singular[-1], 1e-300))


def certain(value: float, error: float) -> bool:
    """Whether a value that is wrong by at most `error` rounds to a certain whole number."""
    return abs(value % 1 - 0.5) > ROOM * error


def draw_rank(level: int, rng: np.random.Generator) -> Problem:
    """The rank of the product of an n x r and an r x n matrix, with entries in the level's range."""
    size, die = parameters("matrix_rank", level, RANK), dice(rng)
    n = size.n[0]
    r = die.randint(1, n - 1)
    rows = low_rank(n, r, size.most, rng)
    question = f"{_let(rows)} What is the rank of A?"
    return Problem(question, brief(rows), str(exact.rank(rows)), "integer")


def low_rank(n: int, r: int, most: int, rng: np.random.Generator) -> Rows:
    """A product [n n] of matrices [n r] and [r n], with entries of at most `most`: its rank is r or, rarely, less."""
    side = max(1, most // r)
    return (rng.integers(-1, 2, (n, r)) @ rng.integers(-side, side + 1, (r, n))).tolist()


SINGULAR = {
    "largest": ("the largest singular value", lambda v: v[0]),
    "sum": ("the sum of all singular values", lambda v: v.sum()),
    "spread": ("the largest minus the smallest singular value", lambda v: v[0] - v[-1]),
}


def draw_svd(level: int, rng: np.random.Generator) -> Problem:
    """The largest singular value, the sum of all, or the largest minus the smallest, to the nearest whole number."""
    size, die = parameters("matrix_svd", level, RANK), dice(rng)
    n, kind = size.n[0], die.choice(tuple(SINGULAR))
    words, value_of = SINGULAR[kind]
    while True:
        rows = filled(n, n, size.most, rng, die.choice(FORMS))
        a = np.array(rows, dtype=float)
        value = float(value_of(np.linalg.svd(a, compute_uv=False)))
        if certain(value, n * n * float(np.finfo(float).eps) * (1.0 + float(np.abs(a).sum()))):
            break
    question = f"{_let(rows)} What is {words} of A, rounded to the nearest integer?"
    return Problem(question, f"{brief(rows)};{kind}", str(round(value)), "integer")


def draw_power(level: int, rng: np.random.Generator) -> Problem:
    """One number read off a power of a matrix."""
    size, die = parameters("matrix_power", level, POWER), dice(rng)
    rows = filled(size.n[0], size.n[0], size.most, rng, die.choice(FORMS))
    exponent = die.randint(*size.exponent)
    asked, name, value = _read(exact.power(rows, exponent), f"A^{exponent}", die)
    question = f"{_let(rows)} What is {asked}? Give it as an integer."
    return Problem(question, f"{brief(rows)};^{exponent};{name}", str(value), "integer")


def draw_multiplication(level: int, rng: np.random.Generator) -> Problem:
    """One number read off the product of two matrices."""
    size, die = parameters("matrix_multiplication", level, PRODUCT), dice(rng)
    n, m, p = (die.randint(*size.n) for _ in range(3))
    a, b = filled(n, m, size.most, rng), filled(m, p, size.most, rng)
    asked, name, value = _read(exact.product(a, b), "A B", die)
    question = (
        f"Let A be the {n} x {m} matrix {shown(a)} and B the {m} x {p} matrix {shown(b)}. What is {asked}? Give it as an "
        "integer."
    )
    return Problem(question, f"{brief(a)}*{brief(b)};{name}", str(value), "integer")


def _let(rows: Rows) -> str:
    return f"Let A be the {len(rows)} x {len(rows[0])} matrix {shown(rows)}."


FAMILIES = (
    Family("matrix_determinant", "matrices", tuple(PLAIN), draw_determinant),
    Family("matrix_inverse", "matrices", tuple(PLAIN), draw_inverse),
    Family("matrix_eigenvalues", "matrices", tuple(PLAIN), draw_eigenvalues),
    Family("matrix_rank", "matrices", tuple(RANK), draw_rank),
    Family("matrix_svd", "matrices", tuple(RANK), draw_svd),
    Family("matrix_power", "matrices", tuple(POWER), draw_power),
    Family("matrix_multiplication", "matrices", tuple(PRODUCT), draw_multiplication),
)
