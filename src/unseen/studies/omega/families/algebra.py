"""Algebra and arithmetic: linear systems, roots of polynomials, mixed arithmetic, prime factors, greatest common divisors.

    'Solve 3*x - 2*y = 7, x + y = 4 for x. ...'      -> '3'
    'What are the roots of 2*x^2 - 3*x - 2? ...'     -> '-1/2, 2'

Sizes follow the templates of DeepMind's mathematics_dataset: *entropy* is the logarithm to base 10 of the number of
questions that could have been drawn, and is split at random among the numbers of a question.
"""

from __future__ import annotations

import ast
import operator
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, log10, prod

import numpy as np

from ..exact import determinant
from ..problem import Family, Problem, dice, listed, parameters

NAMES = "xyzuvw"


@dataclass(frozen=True, slots=True)
class Size:
    """How large a problem is: unknowns or degree, operations it is wrapped in, and its entropy, as ranges."""

    n: int
    ops: tuple[int, int]
    entropy: tuple[float, float]


LINEAR = {
    1: Size(2, (1, 1), (8, 10)),
    2: Size(3, (2, 3), (10, 12)),
    3: Size(4, (2, 3), (12, 14)),
    4: Size(5, (2, 3), (14, 16)),
    5: Size(6, (3, 4), (16, 20)),
}
ROOTS = {
    1: Size(3, (1, 1), (3, 5)),
    2: Size(4, (2, 3), (5, 10)),
    3: Size(5, (2, 3), (9, 12)),
    4: Size(6, (2, 3), (12, 15)),
    5: Size(7, (2, 3), (15, 20)),
}
MIXED = {
    1: Size(0, (1, 1), (4, 9)),
    2: Size(0, (1, 1), (10, 14)),
    3: Size(0, (1, 1), (14, 16)),
    4: Size(0, (1, 1), (16, 20)),
    5: Size(0, (2, 2), (20, 25)),
}
FACTORS = {
    1: Size(25, (1, 1), (4, 7)),
    2: Size(100, (1, 1), (8, 12)),
    3: Size(200, (1, 1), (12, 15)),
    4: Size(400, (1, 1), (15, 18)),
    5: Size(800, (1, 1), (18, 25)),
}
GCD = {
    1: Size(2, (1, 1), (4, 7)),
    2: Size(2, (1, 1), (10, 12)),
    3: Size(2, (1, 1), (15, 20)),
    4: Size(2, (1, 1), (20, 25)),
    5: Size(2, (1, 2), (25, 30)),
}


def shares(total: float, n: int, die: random.Random) -> list[float]:
    """`total` split into n shares: half of it evenly, half at random (uniform over the simplex)."""
    cuts = sorted(die.random() for _ in range(n - 1))
    return [total * (0.5 / n + 0.5 * (b - a)) for a, b in zip([0.0, *cuts], [*cuts, 1.0], strict=True)]


def sized(entropy: float, die: random.Random, *, signed: bool = True) -> int:
    """A whole number other than 0 that carries `entropy`: one of about 10**entropy values."""
    most = max(1, round(10**entropy / (2 if signed else 1)))
    return die.randint(1, most) * (die.choice((-1, 1)) if signed else 1)


def terms(coefficients: Sequence[int], names: Sequence[str]) -> str:
    """'3*x - y + 4' of [3, -1, 4] and ['x', 'y', '']; terms of 0 are left out, and the text of nothing is '0'."""
    told = ""
    for c, name in zip(coefficients, names, strict=True):
        if not c:
            continue
        size = str(abs(c)) if not name else name if abs(c) == 1 else f"{abs(c)}*{name}"
        told += (f" - {size}" if c < 0 else f" + {size}") if told else (f"-{size}" if c < 0 else size)
    return told or "0"


def powers(degree: int, name: str = "x") -> list[str]:
    """The names of the powers from the highest: ['x^3', 'x^2', 'x', '']."""
    return [f"{name}^{k}" if k > 1 else name if k else "" for k in range(degree, -1, -1)]


def expanded(roots: Sequence[Fraction], lead: int = 1) -> list[int]:
    """The integer coefficients, from the highest power, of lead * prod (q x - p) over the roots p/q."""
    found = [lead]
    for root in roots:
        p, q = root.numerator, root.denominator
        found = [q * a - p * b for a, b in zip([*found, 0], [0, *found], strict=True)]
    return found


def draw_linear(level: int, rng: np.random.Generator) -> Problem:
    """A linear system with one whole solution, of which one unknown is asked.

    Some terms stand on the other side of their equation, as many as the level has operations.
    """
    size, die = parameters("linear_equation", level, LINEAR), dice(rng)
    n = size.n
    entropy = die.uniform(*size.entropy)
    while True:
        parts = shares(entropy * 0.7, n * n, die)
        rows = [[sized(max(parts[i * n + j], 0.5), die) if die.random() < 0.9 else 0 for j in range(n)] for i in range(n)]  # fmt: skip
        if determinant(rows):
            break
    solution = [sized(max(part, 0.9), die) if die.random() < 0.9 else 0 for part in shares(entropy * 0.3, n, die)]
    names = list(NAMES[:n])
    moved = {(die.randrange(n), die.randrange(n)) for _ in range(die.randint(*size.ops))}
    left, right = [], []
    for i, row in enumerate(rows):
        total = sum(a * v for a, v in zip(row, solution, strict=True))
        away = [-a if (i, j) in moved else 0 for j, a in enumerate(row)]
        left.append(terms([0 if (i, j) in moved else a for j, a in enumerate(row)], names))
        right.append(terms([*away, total], [*names, ""]))
    told = [f"{a} = {b}" for a, b in zip(left, right, strict=True)]
    asked = die.randrange(n)
    question = f"Solve {', '.join(told)} for {names[asked]}. Give {names[asked]} as an integer."
    compact = ";".join(told).replace(" ", "").replace("*", "") + f";{names[asked]}?"
    return Problem(question, compact, str(solution[asked]), "integer")


def draw_roots(level: int, rng: np.random.Generator) -> Problem:
    """A polynomial with rational roots only; its distinct roots are asked, smallest first.

    The polynomial is told as the sum of as many polynomials as the level has operations.
    """
    size, die = parameters("polynomial_roots", level, ROOTS), dice(rng)
    return roots_problem(rational_roots(size, die), die, die.randint(*size.ops))


def rational_roots(size: Size, die: random.Random) -> list[Fraction]:
    """As many rational roots as the degree; some may be equal, and one in four is no whole number."""
    found: list[Fraction] = []
    for part in shares(die.uniform(*size.entropy), size.n, die):
        bottom = die.choice((2, 3, 5)) if part > 0.8 and die.random() < 0.25 else 1
        top = sized(max(part, 0.6), die) if die.random() < 0.95 else 0
        found.append(Fraction(top, bottom))
    return found


def roots_problem(roots: Sequence[Fraction], die: random.Random, ops: int) -> Problem:
    """The question for the distinct roots of the polynomial with these roots."""
    whole = expanded(roots, die.choice((1, 1, -1, 2, -2, 3)))
    names = powers(len(roots))
    others = [[die.randint(-9, 9) if k else 0 for k in range(len(whole))] for _ in range(ops - 1)]
    first = [c - sum(o[k] for o in others) for k, c in enumerate(whole)]
    told = " + ".join(f"({terms(c, names)})" for c in (first, *others)) if others else terms(first, names)
    question = (
        f"Find all x with {told} = 0. Every solution is rational. List the distinct solutions from the smallest to the "
        "largest, separated by commas; write those that are not whole as fractions."
    )
    compact = (told + "=0").replace(" ", "").replace("*", "")
    return Problem(question, compact, listed(sorted(set(roots))), "list")


def draw_mixed(level: int, rng: np.random.Generator) -> Problem:
    """Whole numbers under +, -, *, / and brackets, made backwards from a simple value; two steps where there are two
    operations."""
    size, die = parameters("mixed_arithmetic", level, MIXED), dice(rng)
    entropy = die.uniform(*size.entropy)
    value = Fraction(sized(1.0 + entropy / 20, die), die.choice((1, 1, 1, 2, 3, 4, 5, 7)))
    if size.ops[0] == 1:
        told = nested(value, entropy, die)
        question, compact = f"Calculate {told}.", told
    else:
        inner = Fraction(sized(1.0, die), die.choice((1, 2, 3)))
        before, rest = nested(inner, entropy / 2, die), nested(value - inner, entropy / 2, die)
        question, compact = f"Let k = {before}. Calculate k + {rest}.", f"k={before};k+{rest}"
    question += " Give the exact value as an integer or a fraction in lowest terms."
    return Problem(question, compact.replace(" ", ""), str(value), "fraction")


def nested(value: Fraction, entropy: float, die: random.Random) -> str:
    """An expression of this value with numbers that carry `entropy` together, about 2 each, in brackets where needed."""
    n = max(2, round(entropy / 2))
    return _grown(value, n, entropy / n, die)[1:-1]


def _grown(value: Fraction, n: int, each: float, die: random.Random) -> str:
    """An expression of `value` from n numbers (a leaf that is a fraction is two), each of entropy `each`."""
    if n <= 1:
        return _leaf(value)
    a = die.randint(1, n - 1)
    u = Fraction(sized(max(each - 0.7, 0.5), die))
    kind = die.randrange(4)
    if kind == 0:
        parts, sign = (u, value - u), "+"
    elif kind == 1:
        parts, sign = (value + u, u), "-"
    elif kind == 2:
        parts, sign = (value / u, u), "*"
    else:
        parts, sign = (value * u, u), "/"
    left, right = (_grown(part, k, each, die) for part, k in zip(parts, (a, n - a), strict=True))
    return f"({left} {sign} {right})"


def _leaf(value: Fraction) -> str:
    if value.denominator == 1:
        return f"{value}" if value >= 0 else f"({value})"
    return f"({value.numerator}/{value.denominator})"


def draw_factors(level: int, rng: np.random.Generator) -> Problem:
    """A product of primes up to the level's largest; its distinct prime factors are asked."""
    size, die = parameters("list_prime_factors", level, FACTORS), dice(rng)
    goal = die.uniform(*size.entropy)
    found: list[int] = []
    while True:
        prime = die.choice(PRIMES[size.n])
        if log10(prod(found) * prime) > goal:
            break
        found.append(prime)
    whole = prod(found)
    question = f"List the distinct prime factors of {whole} from the smallest to the largest, separated by commas."
    return Problem(question, str(whole), listed(sorted(set(found))), "list")


def draw_gcd(level: int, rng: np.random.Generator) -> Problem:
    """Two numbers with a common factor; at the highest level one or both are told as a sum."""
    size, die = parameters("gcd", level, GCD), dice(rng)
    pair = common(die.uniform(*size.entropy), die)
    told = [str(v) for v in pair]
    if level == max(GCD):
        for i in range(die.randint(*size.ops)):
            part = die.randint(1, pair[i] - 1)
            told[i] = f"({pair[i] - part} + {part})"
    question = f"What is the greatest common divisor of {told[0]} and {told[1]}? Give it as an integer."
    return Problem(question, ",".join(told).replace(" ", ""), str(gcd(*pair)), "integer")


def common(entropy: float, die: random.Random) -> tuple[int, int]:
    """Two numbers of about 10**(entropy/2) each that share a factor."""
    half = entropy / 2
    shared = die.uniform(0.2, 0.7) * half
    factor = max(2, sized(shared, die, signed=False))
    a, b = (factor * max(2, sized(half - log10(factor), die, signed=False)) for _ in range(2))
    return a, b


def evaluated(text: str, values: Mapping[str, Fraction] | None = None) -> Fraction:
    """The exact value of an expression in whole numbers, names, +, -, *, / and brackets."""
    return _value(ast.parse(text, mode="eval").body, values or {})


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def _value(node: ast.AST, values: Mapping[str, Fraction]) -> Fraction:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand, values)
    if isinstance(node, ast.Name):
        return values[node.id]
    assert isinstance(node, ast.Constant)
    return Fraction(node.value)


def _primes(most: int) -> tuple[int, ...]:
    return tuple(p for p in range(2, most + 1) if all(p % q for q in range(2, int(p**0.5) + 1)))


PRIMES = {size.n: _primes(size.n) for size in FACTORS.values()}

FAMILIES = (
    Family("linear_equation", "algebra", tuple(LINEAR), draw_linear),
    Family("polynomial_roots", "algebra", tuple(ROOTS), draw_roots),
    Family("mixed_arithmetic", "algebra", tuple(MIXED), draw_mixed),
    Family("list_prime_factors", "algebra", tuple(FACTORS), draw_factors),
    Family("gcd", "algebra", tuple(GCD), draw_gcd),
)
