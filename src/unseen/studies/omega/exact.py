"""What is a determinant, a rank, an inverse, exactly? Fraction-free elimination on whole numbers (Bareiss 1968).

determinant([[2, 1], [1, 3]])  ->  5
inverse([[2, 1], [1, 3]])      ->  ([[3, -1], [-1, 2]], 5)      the inverse is the matrix divided by the number
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from unseen.core.errors import Invalid

Matrix = Sequence[Sequence[int]]


def determinant(rows: Matrix) -> int:
    """The determinant of a square matrix [n n] of whole numbers."""
    return _eliminated(rows)[1]


def rank(rows: Matrix) -> int:
    """The rank of a matrix [n m] of whole numbers."""
    return _eliminated(rows)[0]


def _eliminated(rows: Matrix) -> tuple[int, int]:
    """Rank, and determinant where the matrix is square (0 where it is not of full rank)."""
    a = [list(row) for row in rows]
    n, columns = len(a), len(a[0])
    done, last, sign = 0, 1, 1
    for c in range(columns):
        at = next((r for r in range(done, n) if a[r][c]), None)
        if at is None:
            continue
        if at != done:
            a[at], a[done], sign = a[done], a[at], -sign
        top = a[done]
        pivot = top[c]
        for r in range(done + 1, n):
            row, lead = a[r], a[r][c]
            a[r] = [(pivot * x - lead * y) // last for x, y in zip(row, top, strict=True)]
        last, done = pivot, done + 1
        if done == n:
            break
    return done, sign * last if done == n == columns else 0


def inverse(rows: Matrix) -> tuple[list[list[int]], int]:
    """(M, d) in lowest terms, d > 0, with inverse M / d. Raises Invalid for a singular matrix."""
    n = len(rows)
    a = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(rows)]
    last = 1
    for c in range(n):
        at = next((r for r in range(c, n) if a[r][c]), None)
        if at is None:
            raise Invalid("a singular matrix has no inverse")
        a[at], a[c] = a[c], a[at]
        top = a[c]
        pivot = top[c]
        for r in range(n):
            if r != c:
                row, lead = a[r], a[r][c]
                a[r] = [(pivot * x - lead * y) // last for x, y in zip(row, top, strict=True)]
        last = pivot
    found = [row[n:] for row in a]
    shared = gcd(last, *(v for row in found for v in row)) * (1 if last > 0 else -1)
    return [[v // shared for v in row] for row in found], last // shared


def product(a: Matrix, b: Matrix) -> list[list[int]]:
    """The product [n p] of [n m] and [m p]."""
    columns = list(zip(*b, strict=True))
    return [[sum(map(_times, row, column)) for column in columns] for row in a]


def _times(x: int, y: int) -> int:
    return x * y


def power(a: Matrix, exponent: int) -> list[list[int]]:
    """a to a positive power, by squaring."""
    found: list[list[int]] | None = None
    square = [list(row) for row in a]
    while exponent:
        if exponent & 1:
            found = square if found is None else product(found, square)
        exponent >>= 1
        if exponent:
            square = product(square, square)
    assert found is not None, "the exponent is positive"
    return found
