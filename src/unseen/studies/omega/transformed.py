"""Seven problems on which the strategy of a learned template fails, and another idea answers at once.

Every problem has two oracles: `answer` is the truth, and `familiar` what the template's own strategy gives:

    trans_matrix_rank        a matrix given by a formula           elimination of a matrix without structure: full rank
    trans_func_intersection  nested absolute values of a sine      the crossings of the sine alone
    trans_de_moivre          r^n + r^-n from r + 1/r               the sum of the roots, as Vieta gives it
    trans_prob_letter        order and cycles of a long shuffle    the probability that one letter moves
    trans_integrations       integrands that cancel by symmetry    the area between the graph and the axis
    trans_gridworld          lattice paths with k turns            the number of all lattice paths
    trans_circles            the circle between three circles      the circle through their three points of contact

`familiar` is None where both agree. DEPARTS: the paper's test problems are on the hub only, without the code that made
them; these are our own.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial, gcd, isqrt, perm

import numpy as np

from .problem import Family, Problem, decimal, dice, parameters


@dataclass(frozen=True, slots=True)
class Shift:
    """A template that is trained on, and the transformed problem that is asked."""

    trained: str
    transformed: str


SHIFTS = (
    Shift("matrix_rank", "trans_matrix_rank"),
    Shift("intersection", "trans_func_intersection"),
    Shift("polynomial_roots", "trans_de_moivre"),
    Shift("probability_no_specific", "trans_prob_letter"),
    Shift("area", "trans_integrations"),
    Shift("blocked_grid", "trans_gridworld"),
    Shift("circle", "trans_circles"),
)


def unlike(familiar: str, answer: str) -> str | None:
    """The familiar answer, or None where it is the right one."""
    return familiar if familiar != answer else None


@dataclass(frozen=True, slots=True)
class Formula:
    """A matrix by the formula of its entries (i and j counted from 1), and its rank at size n and parameter k."""

    told: Callable[[int], str]
    entry: Callable[[int, int, int], int]
    rank: Callable[[int, int], int]


FORMULAS = (
    Formula(lambda k: f"i + {k}*j", lambda i, j, k: i + k * j, lambda n, k: min(n, 2)),
    Formula(lambda k: f"{k}*i*j", lambda i, j, k: k * i * j, lambda n, k: 1),
    Formula(lambda k: f"i*j + {k}", lambda i, j, k: i * j + k, lambda n, k: min(n, 2)),
    Formula(lambda k: f"(i + j)^{k}", lambda i, j, k: (i + j) ** k, lambda n, k: min(n, k + 1)),
    Formula(lambda k: f"(i - j)^{k}", lambda i, j, k: (i - j) ** k, lambda n, k: min(n, k + 1)),
    Formula(lambda k: f"i^{k} + j^{k}", lambda i, j, k: i**k + j**k, lambda n, k: min(n, 2)),
    Formula(lambda k: f"i^{k} - j", lambda i, j, k: i**k - j, lambda n, k: min(n, 2)),
    Formula(lambda k: f"the remainder of i + j divided by {k + 1}", lambda i, j, k: (i + j) % (k + 1), lambda n, k: min(n, k + 1)),
    Formula(lambda k: f"1 if i + j is divisible by {k + 1}, else 0", lambda i, j, k: int((i + j) % (k + 1) == 0), lambda n, k: min(n, k + 1)),
    Formula(lambda k: f"the smaller of i and j, plus {k}", lambda i, j, k: min(i, j) + k, lambda n, k: n),
    Formula(lambda k: f"{k} times |i - j|", lambda i, j, k: k * abs(i - j), lambda n, k: n),
)  # fmt: skip
SIZES = {1: (20, 30), 2: (31, 45), 3: (46, 60)}


def draw_matrix_rank(level: int, rng: np.random.Generator) -> Problem:
    """The rank of a large matrix that a formula tells."""
    die = dice(rng)
    n, k = die.randint(*parameters("trans_matrix_rank", level, SIZES)), die.randint(1, 6)
    formula = die.choice(FORMULAS)
    answer = str(formula.rank(n, k))
    question = (
        f"Let A be the {n} x {n} matrix whose entry in row i and column j (both counted from 1) is {formula.told(k)}. What "
        "is the rank of A?"
    )
    return Problem(question, f"{n};{formula.told(k)}".replace(" ", ""), answer, "integer", unlike(str(n), answer))


NESTED = {1: 1, 2: 2, 3: 3}


def draw_func_intersection(level: int, rng: np.random.Generator) -> Problem:
    """The number of solutions of an equation with nested absolute values of a sine over whole periods.

    With u = sin(2 pi p x) the left side is piecewise linear in u: its solutions are counted exactly, and each u inside
    (-1, 1) is met twice in a period, the ends once.
    """
    depth, die = parameters("trans_func_intersection", level, NESTED), dice(rng)
    while True:
        centres = [Fraction(1, die.choice((2, 4, 8))) for _ in range(depth)]
        height, periods = Fraction(die.randint(1, 5), 20), die.randint(2, 30)
        found = preimages(centres, height)
        if found and (answer := str(periods * sum(1 if abs(u) == 1 else 2 for u in found))):
            break
    inner = "|sin(" + f"{2 * periods}*pi*x)|"
    for c in centres:
        inner = f"|{inner} - {c}|"
    question = f"How many real numbers x with 0 <= x < 1 satisfy {inner} = {height}? (Bars stand for absolute values.)"
    return Problem(question, inner.replace(" ", "") + f"={height}", answer, "integer", unlike(str(2 * periods), answer))


def preimages(centres: Sequence[Fraction], height: Fraction) -> set[Fraction]:
    """All u in [-1, 1] with |…||u| - c1| - c2| … | = height."""
    values = {height}
    for c in reversed(centres):
        values = {v for h in values for v in (c + h, c - h) if v >= 0}
    return {u for v in values for u in (v, -v) if v <= 1}


# twice the cosine of 2 pi / m, as told, and m; powers of r have the period m
ANGLES = {1: (("1", 6), ("-1", 3), ("0", 4)), 2: (("sqrt(2)", 8), ("sqrt(3)", 12), ("-1", 3), ("1", 6)), 3: (("sqrt(3)", 12), ("(1 + sqrt(5))/2", 10), ("(sqrt(5) - 1)/2", 5), ("sqrt(2)", 8))}  # fmt: skip
EXPONENTS = {1: (50, 200), 2: (200, 1_000), 3: (1_000, 5_000)}
WHOLE = {1: 2, 2: -2, 3: -1, 4: 0, 6: 1}  # 2 cos(2 pi / q) for the q for which it is whole


def draw_de_moivre(level: int, rng: np.random.Generator) -> Problem:
    """r^n + r^-n for a large n, where r + 1/r is twice the cosine of a known angle and the result is whole."""
    low, high = parameters("trans_de_moivre", level, EXPONENTS)
    die = dice(rng)
    while True:
        (told, m), n = die.choice(ANGLES[level]), die.randint(low, high)
        if (value := twice_cosine(n, m)) is not None:
            break
    answer = str(value)
    question = f"Let r be a complex number with r + 1/r = {told}. What is r^{n} + 1/r^{n}?"
    familiar = unlike(told, answer) if told.lstrip("-").isdigit() else None
    return Problem(question, f"r+1/r={told};r^{n}".replace(" ", ""), answer, "integer", familiar)


def twice_cosine(n: int, m: int) -> int | None:
    """2 cos(2 pi n / m) where it is whole, else None."""
    return WHOLE.get(m // gcd(n, m))


LENGTHS = {1: (10, 20), 2: (21, 40), 3: (41, 80)}


def draw_prob_letter(level: int, rng: np.random.Generator) -> Problem:
    """The probability of an event of a long shuffle that symmetry tells."""
    die = dice(rng)
    n = die.randint(*parameters("trans_prob_letter", level, LENGTHS))
    told, p = die.choice(SYMMETRIC)(n, die)
    answer = str(p.numerator + p.denominator)
    question = (
        f"{n} cards numbered 1 to {n} lie in a row in this order, card i at position i. They are shuffled uniformly at "
        f"random. The probability that {told} is m/n in lowest terms. What is m + n?"
    )
    return Problem(question, f"{n};{told}", answer, "integer", unlike(str(2 * n - 1), answer))


def _ordered(n: int, die: random.Random) -> tuple[str, Fraction]:
    k = die.randint(3, 5)
    cards = sorted(die.sample(range(1, n + 1), k))
    return f"the cards {', '.join(map(str, cards))} come in increasing order from left to right", Fraction(1, factorial(k))  # fmt: skip


def _foremost(n: int, die: random.Random) -> tuple[str, Fraction]:
    k = die.randint(2, 8)
    first, *others = die.sample(range(1, n + 1), k + 1)
    return f"card {first} lies to the left of all of the cards {', '.join(map(str, sorted(others)))}", Fraction(1, k + 1)  # fmt: skip


def _cycle(n: int, die: random.Random) -> tuple[str, Fraction]:
    k = die.randint(2, 5)
    cards = sorted(die.sample(range(1, n + 1), k))
    told = f"the cards {', '.join(map(str, cards))} belong to one cycle of the permutation that takes i to the card now at position i"  # fmt: skip
    return told, Fraction(1, k)


def _together(n: int, die: random.Random) -> tuple[str, Fraction]:
    k = die.randint(2, 4)
    cards = sorted(die.sample(range(1, n + 1), k))
    told = f"the cards {', '.join(map(str, cards))} lie at {k} neighbouring positions, in any order"
    return told, Fraction((n - k + 1) * factorial(k), perm(n, k))


SYMMETRIC = (_ordered, _foremost, _cycle, _together)
HALVES = {1: (1, 3), 2: (2, 6), 3: (4, 10)}


def draw_integrations(level: int, rng: np.random.Generator) -> Problem:
    """A definite integral that symmetry reduces to a constant; to one decimal, as areas are asked."""
    die = dice(rng)
    a, c = die.randint(*parameters("trans_integrations", level, HALVES)), die.randint(1, 9)
    told, value, graph = die.choice(CANCELLING)(a, c, die)
    answer = decimal(value, 1)
    question = f"What is the integral of {told} from {-a} to {a}? Give it as a decimal rounded to 1 place."
    familiar = unlike(decimal(_area(graph, a), 1), answer)
    return Problem(question, f"{told};{-a};{a}".replace(" ", ""), answer, "decimal", familiar)


Graph = Callable[[np.ndarray], np.ndarray]


def _odd(a: int, c: int, die: random.Random) -> tuple[str, Fraction, Graph]:
    k, b = die.choice((1, 3, 5)), die.randint(1, 9)
    return f"{c} + {2 * c}*x^{k}*cos({b}*x)", Fraction(2 * a * c), lambda x: c + 2 * c * x**k * np.cos(b * x)


def _logistic(a: int, c: int, die: random.Random) -> tuple[str, Fraction, Graph]:
    b = die.randint(1, 9)
    return (
        f"{c}/(1 + exp(x^3 + {b}*sin(x)))",
        Fraction(a * c),
        lambda x: c * (1 - np.tanh((x**3 + b * np.sin(x)) / 2)) / 2,
    )


def _even_part(a: int, c: int, die: random.Random) -> tuple[str, Fraction, Graph]:
    b = die.randint(1, 9)
    told = f"{3 * c}*x^2 + {b}*x^5 + sin({b}*x)^3"
    return told, Fraction(2 * c * a**3), lambda x: 3 * c * x * x + b * x**5 + np.sin(b * x) ** 3


def _reflected(a: int, c: int, die: random.Random) -> tuple[str, Fraction, Graph]:
    b = die.randint(2, 9)
    told = f"{c}*exp({b}*x)/(exp({b}*x) + exp(-{b}*x))"
    return told, Fraction(a * c), lambda x: c * (1 + np.tanh(b * x)) / 2


CANCELLING = (_odd, _logistic, _even_part, _reflected)


def _area(graph: Graph, a: int) -> float:
    """The area between a graph and the axis over [-a, a], by the trapezoidal rule: it is the familiar answer only."""
    x = np.linspace(-a, a, 4_001)
    y = np.abs(graph(x))
    return float((y.sum() - (y[0] + y[-1]) / 2) * (x[1] - x[0]))


PATHS = {1: ((5, 10), (2, 3)), 2: ((8, 20), (3, 5)), 3: ((15, 40), (4, 7))}


def draw_gridworld(level: int, rng: np.random.Generator) -> Problem:
    """The number of lattice paths with exactly k turns."""
    (low, high), turns = parameters("trans_gridworld", level, PATHS)
    die = dice(rng)
    w, h, k = die.randint(low, high), die.randint(low, high), die.randint(*turns)
    answer = str(turning(w, h, k))
    question = (
        f"A path leads from (0, 0) to ({w}, {h}) by steps of length 1 to the right or up. How many such paths change their "
        f"direction exactly {k} times?"
    )
    return Problem(question, f"{w},{h};{k}", answer, "integer", unlike(str(comb(w + h, w)), answer))


def turning(w: int, h: int, k: int) -> int:
    """Lattice paths of w and h steps with k turns: k + 1 runs, alternately of both kinds, are compositions of w and h."""
    more, fewer = (k + 2) // 2, (k + 1) // 2
    return comb(w - 1, more - 1) * comb(h - 1, fewer - 1) + comb(h - 1, more - 1) * comb(w - 1, fewer - 1) if k else 0


REFLECTIONS = {1: (0, 2), 2: (3, 5), 3: (6, 9)}
QUADRUPLES = ((-1, 2, 2, 3), (-2, 3, 6, 7), (-3, 5, 8, 8), (-4, 8, 9, 9), (-6, 10, 15, 19), (-6, 11, 14, 15), (-5, 7, 18, 18))  # fmt: skip


def draw_circles(level: int, rng: np.random.Generator) -> Problem:
    """The circle in the gap between three circles that touch each other: Descartes' theorem, in whole curvatures."""
    die = dice(rng)
    while True:
        found = list(die.choice(QUADRUPLES))
        for _ in range(die.randint(*parameters("trans_circles", level, REFLECTIONS))):
            i = die.randrange(4)
            found[i] = 2 * (sum(found) - found[i]) - found[i]
        three = sorted(die.sample(found, 3))
        if three[0] > 0:
            break
    through = isqrt(_pairs(three))
    scale = die.randint(1, 9)
    radii = [Fraction(scale, k) for k in three]
    answer = str(Fraction(scale, sum(three) + 2 * through))
    question = (
        f"Three circles with the radii {', '.join(map(str, radii[:2]))} and {radii[2]} touch each other from outside, each "
        "the two others. What is the radius of the circle in the gap between them that touches all three? Give it as an "
        "integer or a fraction in lowest terms."
    )
    return Problem(
        question, ",".join(map(str, radii)), answer, "fraction", unlike(str(Fraction(scale, through)), answer)
    )


def _pairs(k: Sequence[int]) -> int:
    """k1 k2 + k2 k3 + k3 k1: the square of the curvature of the circle through the three points of contact."""
    return k[0] * k[1] + k[1] * k[2] + k[2] * k[0]


FAMILIES = (
    Family("trans_matrix_rank", "transformed", tuple(SIZES), draw_matrix_rank),
    Family("trans_func_intersection", "transformed", tuple(NESTED), draw_func_intersection),
    Family("trans_de_moivre", "transformed", tuple(EXPONENTS), draw_de_moivre),
    Family("trans_prob_letter", "transformed", tuple(LENGTHS), draw_prob_letter),
    Family("trans_integrations", "transformed", tuple(HALVES), draw_integrations),
    Family("trans_gridworld", "transformed", tuple(PATHS), draw_gridworld),
    Family("trans_circles", "transformed", tuple(REFLECTIONS), draw_circles),
)
