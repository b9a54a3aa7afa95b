"""How many real roots has a polynomial, exactly? Sturm's theorem over fractions.

count([1, 0, -2])                    -> 2      x^2 - 2
count([1, 0, -2], low=0)             -> 1      roots above 0 (a root at `low` itself is not counted, one at `high` is)
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

Polynomial = Sequence[int | Fraction]  # coefficients from the highest power


def trimmed(p: Polynomial) -> list[Fraction]:
    """The coefficients without leading zeros; [] is the polynomial 0."""
    first = next((i for i, c in enumerate(p) if c), len(p))
    return [Fraction(c) for c in p[first:]]


def at(p: Polynomial, x: int | Fraction) -> Fraction:
    """The value at x (Horner)."""
    found = Fraction(0)
    for c in p:
        found = found * x + c
    return found


def plus(p: Polynomial, q: Polynomial, times: int | Fraction = 1) -> list[Fraction]:
    """p + times * q."""
    n = max(len(p), len(q))
    a, b = [0] * (n - len(p)) + list(p), [0] * (n - len(q)) + list(q)
    return trimmed([x + times * Fraction(y) for x, y in zip(a, b, strict=True)])


def product(p: Polynomial, q: Polynomial) -> list[Fraction]:
    """p * q."""
    found = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            found[i + j] += Fraction(a) * b
    return trimmed(found)


def count(p: Polynomial, low: int | Fraction | None = None, high: int | Fraction | None = None) -> int:
    """The number of different real roots x with low < x <= high; a missing end is infinite. p must not be 0."""
    if len(p) == 3 and p[0]:
        last = _up_to(p, high)
        return last - (0 if low is None else _up_to(p, low)) if high is None or low is None or low < high else 0
    chain = sturm(p)
    return _changes(chain, low, above=False) - _changes(chain, high, above=True)


def _up_to(p: Polynomial, x: int | Fraction | None) -> int:
    """The number of different real roots, up to x, of a polynomial of degree 2: by the signs of it and of its slope."""
    a, b, c = p
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return 0
    if x is None:
        return 1 if discriminant == 0 else 2
    slope = (2 * a * x + b) * (1 if a > 0 else -1)
    if discriminant == 0:
        return int(slope >= 0)
    value = ((a * x + b) * x + c) * (1 if a > 0 else -1)
    if value < 0 or (value == 0 and slope < 0):
        return 1
    return 2 if slope > 0 else 0


def sturm(p: Polynomial) -> list[list[Fraction]]:
    """Sturm's chain of a polynomial that is not 0."""
    first = trimmed(p)
    assert first, "the polynomial 0 has every root"
    chain = [first, _derivative(first)]
    while chain[-1]:
        chain.append([-c for c in _remainder(chain[-2], chain[-1])])
    return chain[:-1]


def _derivative(p: Sequence[Fraction]) -> list[Fraction]:
    n = len(p) - 1
    return [c * (n - i) for i, c in enumerate(p[:-1])]


def _remainder(p: Sequence[Fraction], q: Sequence[Fraction]) -> list[Fraction]:
    rest = list(p)
    while len(rest) >= len(q):
        factor = rest[0] / q[0]
        rest = [a - factor * b for a, b in zip(rest[1:], [*q[1:], *[0] * (len(rest) - len(q))], strict=True)]
        rest = trimmed(rest)
    return rest


def _changes(chain: Sequence[Sequence[Fraction]], x: int | Fraction | None, *, above: bool) -> int:
    """Changes of sign along the chain at x, or at an end of the line."""
    values = [p[0] if above or len(p) % 2 else -p[0] for p in chain] if x is None else [at(p, x) for p in chain]
    signs = [v > 0 for v in values if v]
    return sum(a != b for a, b in itertools.pairwise(signs))
