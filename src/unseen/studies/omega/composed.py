"""Seven problems that take two learned strategies at once, and the templates whose strategies they join.

    polynomial_gcd          the roots of polynomials, and a greatest common divisor
    n_gon                   a polygon's rotation, and the matches of a pattern
    circles_algebra         a circle given by its tangents, and the intersections of graphs
    parametric_intersection the intersections of graphs, and the probability of an event of drawn numbers
    matrix_rank_letters     the rank of a matrix, and the probability of an event of drawn letters
    vertex_color            the rotations of a coloured polygon, and a probability
    grid_chips              saturated placements of chips, and a probability

DEPARTS: the composed test problems of the paper are on the hub only, without the code that made them; these are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import permutations
from math import comb, gcd, prod

import numpy as np

from . import roots
from .families.algebra import expanded, powers, terms
from .families.counting import LETTERS, parted, spelled
from .problem import Family, Problem, dice, parameters


@dataclass(frozen=True, slots=True)
class Pair:
    """Two templates that are trained on, and the composed one that is asked."""

    first: str
    second: str
    composed: str


PAIRS = (
    Pair("polynomial_roots", "gcd", "polynomial_gcd"),
    Pair("rotation", "pattern_matching", "n_gon"),
    Pair("circle", "intersection", "circles_algebra"),
    Pair("probability_no_specific", "intersection", "parametric_intersection"),
    Pair("matrix_rank", "probability_no_specific", "matrix_rank_letters"),
    Pair("polygon_color", "probability_no_fixed", "vertex_color"),
    Pair("grid_chip", "probability_no_fixed", "grid_chips"),
)
LOWEST = "is m/n in lowest terms. What is m + n?"


def reduced(p: Fraction) -> str:
    """m + n of m/n, as text."""
    return str(p.numerator + p.denominator)


DEGREES = {1: ((3, 4), 6), 2: ((4, 5), 9), 3: ((5, 6), 12)}  # degrees, and the largest root in size


def draw_polynomial_gcd(level: int, rng: np.random.Generator) -> Problem:
    """The greatest common divisor of the products of the distinct roots of two polynomials, some of whose roots are
    repeated, so that the last coefficient alone does not tell it."""
    degrees, most = parameters("polynomial_gcd", level, DEGREES)
    die = dice(rng)
    asked = [[die.choice((-1, 1)) * die.randint(2, most) for _ in range(die.choice(degrees))] for _ in range(2)]
    for one in asked:
        one[-1] = one[0]
    products = [abs(prod(set(one))) for one in asked]
    told = [terms(expanded([Fraction(r) for r in one]), powers(len(one))) for one in asked]
    question = (
        f"Let P(x) = {told[0]} and Q(x) = {told[1]}. All roots of both are integers. Let a be the absolute value of the "
        "product of the distinct roots of P, and b that of the distinct roots of Q. What is the greatest common divisor "
        "of a and b?"
    )
    compact = ";".join(t.replace(" ", "").replace("*", "") for t in told)
    return Problem(question, compact, str(gcd(*products)), "integer")


CORNERS = {1: (6, 8), 2: (8, 10), 3: (11, 14)}
MARKS = {  # of the letters s (the same) and d (different): in words
    "s.*s": "start and end with s, at two different positions",
    "s.*d": "start with s and end with d",
    "d.*s": "start with d and end with s",
    "sd+": "are one s followed by one or more d",
    "s+d": "are one or more s followed by one d",
    "sd*": "are one s followed by any number of d (perhaps none)",
    "s*d": "are any number of s (perhaps none) followed by one d",
}


def draw_n_gon(level: int, rng: np.random.Generator) -> Problem:
    """Letters on a polygon, turned and laid over themselves; the matches of a pattern in the marks that this makes."""
    n, die = dice(rng).randint(*parameters("n_gon", level, CORNERS)), dice(rng)
    letters = "".join(die.choice("ab" if level == 1 else "abc") for _ in range(n))
    turn, pattern = die.randint(1, n - 1), die.choice(tuple(MARKS))
    marks = overlaid(letters, turn)
    question = (
        f"The vertices of a regular {n}-gon are numbered 0 to {n - 1} clockwise and carry, in this order, the letters "
        f"{', '.join(letters)}. A copy of it is turned clockwise by {turn} vertices, so that the letter of vertex i comes to "
        f"lie on vertex i + {turn} (modulo {n}), and laid over the original. Write down, for the vertices 0 to {n - 1}, the "
        "letter s where both letters on the vertex are the same and d where they differ. How many substrings (pairs of a "
        f"first and a last position) of this word of {n} letters match the regular expression {pattern}, that is, "
        f"{MARKS[pattern]}?"
    )
    return Problem(question, f"{letters};{turn};{pattern}", str(matches(marks, pattern)), "integer")


def overlaid(letters: str, turn: int) -> str:
    """The marks of a ring of letters laid over itself turned by so many places: 'sdds'."""
    n = len(letters)
    return "".join("s" if letters[i] == letters[(i - turn) % n] else "d" for i in range(n))


def matches(word: str, pattern: str) -> int:
    """The substrings of a word that a pattern of two letters matches, by one pass over the word."""
    first, last = pattern[0], pattern[-1] if pattern[-1] not in "+*" else pattern[1]
    found = run = seen = 0
    if ".*" in pattern:
        for letter in word:
            found += seen if letter == last else 0
            seen += letter == first
        return found
    if pattern[-1] in "+*":  # one letter, then a run of the other: read backwards it is a run, then one letter
        word, first, last = word[::-1], last, first
    least = int("+" in pattern)
    for letter in word:
        found += (run + 1 - least) if letter == last else 0
        run = run + 1 if letter == first else 0
    return found


RADII = {1: 5, 2: 10, 3: 20}


def draw_circles_algebra(level: int, rng: np.random.Generator) -> Problem:
    """The number of points in which a circle, given by its centre and a tangent, meets a graph; counted exactly.

    Of the problems with the answer 2, by far the commonest, one in four is kept.
    """
    most, die = parameters("circles_algebra", level, RADII), dice(rng)
    while True:
        p, q, c = die.choice(((1, 0, 1), (0, 1, 1), (3, 4, 5), (4, -3, 5), (5, 12, 13), (8, -15, 17)))
        h, k, offset = die.randint(-most, most), die.randint(-most, most), die.randint(-3 * most, 3 * most)
        radius = Fraction(abs(p * h + q * k - offset), c)
        kind = die.choice(("abs", "parabola"))
        a = Fraction(die.choice((-3, -2, -1, 1, 2, 3)), die.choice((1, 2)) if kind == "abs" else die.choice((1, 2, 4)))
        b, d = h + die.randint(-most // 2, most // 2), k + die.randint(-most, most)
        if radius and ((answer := crossings(h, k, radius, (kind, a, b, d))) != 2 or die.random() < 0.25):
            break
    inside = f"|{_moved('x', b)}|" if kind == "abs" else f"({_moved('x', b)})^2"
    told = f"y = ({a})*{inside} {'-' if d < 0 else '+'} {abs(d)}"
    line = f"{terms([p, q], ['x', 'y'])} = {offset}"
    question = (
        f"A circle has its centre at ({h}, {k}) and is tangent to the line {line}. In how many points does it meet the "
        f"graph of {told}?"
    )
    compact = f"{h},{k};{line};{told}".replace(" ", "").replace("*", "")
    return Problem(question, compact, str(answer), "integer", at={"kind": kind})


def _moved(name: str, by: int) -> str:
    return name if not by else f"{name} {'-' if by > 0 else '+'} {abs(by)}"


def crossings(h: int, k: int, radius: Fraction, graph: tuple[str, Fraction, int, int]) -> int:
    """The points of a circle on y = a |x - b| + d or y = a (x - b)^2 + d, by Sturm's theorem."""
    kind, a, b, d = graph
    circle = [1, -2 * h, h * h - radius * radius]
    if kind == "parabola":
        y = [a, -2 * a * b, a * b * b + d - k]
        return roots.count(roots.plus(circle, roots.product(y, y)))
    left, right = [-a, a * b + d - k], [a, -a * b + d - k]
    squares = [[x + z for x, z in zip(circle, (s * s, 2 * s * t, t * t), strict=True)] for s, t in (left, right)]
    return roots.count(squares[0], high=b) + roots.count(squares[1], low=b)


NUMBERS = {1: (5, 3), 2: (7, 5), 3: (9, 9)}  # how many numbers there are to draw from, and the largest


def draw_parametric(level: int, rng: np.random.Generator) -> Problem:
    """The probability that two graphs with two drawn parameters meet in exactly k points."""
    n, most = parameters("parametric_intersection", level, NUMBERS)
    while True:
        die = dice(rng)
        drawn = sorted(die.choice((-1, 1)) * die.randint(1, most) for _ in range(n))
        kind, c = die.choice(("abs", "parabola")), die.randint(-most, most)
        met = meetings(drawn, kind, c)
        k = die.choice(sorted(set(met)))
        p = Fraction(met.count(k), len(met))
        if 0 < p < 1:
            break
    first = "y = |x^2 + a*x|" if kind == "abs" else "y = x^2 + a*x"
    question = (
        f"Two of the {n} numbers {', '.join(map(str, drawn))} are drawn at random without replacement; the first is called "
        f"a, the second b. The probability that the graphs of {first} and y = b*x + {c} meet in exactly {k} points {LOWEST}"
    ).replace("+ -", "- ")
    compact = f"{','.join(map(str, drawn))};{'|x^2+ax|' if kind == 'abs' else 'x^2+ax'};bx+{c};{k}".replace("+-", "-")
    return Problem(question, compact, reduced(p), "integer")


def meetings(drawn: Sequence[int], kind: str, c: int) -> list[int]:
    """For every ordered pair (a, b) of the numbers, in how many points the two graphs meet."""
    return [_meeting(a, b, kind, c) for a, b in permutations(drawn, 2)]


@lru_cache(maxsize=65_536)
def _meeting(a: int, b: int, kind: str, c: int) -> int:
    if kind == "parabola":
        return roots.count([1, a - b, -c])
    low, high = min(0, -a), max(0, -a)  # between them x^2 + a x is negative
    outside, inside = [1, a - b, -c], [-1, -a - b, -c]
    left = roots.count(outside, high=low)
    right = roots.count(outside, low=high)
    return left + roots.count(inside, low, high) + right


BAGS = {1: (6, 3), 2: (9, 5), 3: (14, 8)}  # letters in the bag, and those drawn


def draw_rank_letters(level: int, rng: np.random.Generator) -> Problem:
    """The probability that the matrix of equal letters of a drawn word has rank r: that the word has r kinds of letters."""
    total, length = parameters("matrix_rank_letters", level, BAGS)
    while True:
        die = dice(rng)
        counts = parted(total, die.randint(3, max(3, total // 2)), die)
        chances = kinds_drawn(counts, length)
        r = die.choice([k for k, p in enumerate(chances) if p])
        if 0 < chances[r] < 1:
            break
    letters = [c for c, k in zip(LETTERS, counts, strict=False) for _ in range(k)]
    question = (
        f"A bag holds the letters {spelled(letters)}. {length} letters are drawn at random without replacement and laid in "
        f"a row. Let A be the {length} x {length} matrix whose entry in row i and column j is 1 if the letters at positions "
        f"i and j are equal, and 0 otherwise. The probability that A has rank {r} {LOWEST}"
    )
    return Problem(question, f"{''.join(letters)};{length};{r}", reduced(chances[r]), "integer")


def kinds_drawn(counts: Sequence[int], length: int) -> list[Fraction]:
    """The probabilities that `length` letters drawn from a bag are of 0, 1, 2, … kinds."""
    found = {(0, 0): 1}  # (letters, kinds): ways
    for m in counts:
        after: dict[tuple[int, int], int] = {}
        for (used, kinds), ways in found.items():
            for k in range(min(m, length - used) + 1):
                key = used + k, kinds + (k > 0)
                after[key] = after.get(key, 0) + ways * comb(m, k)
        found = after
    return [Fraction(found.get((length, k), 0), comb(sum(counts), length)) for k in range(min(length, len(counts)) + 1)]


RINGS = {1: (5, 6), 2: (7, 9), 3: (10, 12)}


def draw_vertex_color(level: int, rng: np.random.Generator) -> Problem:
    """The probability that some rotation of a polygon, coloured from a bag, moves all blue vertices onto red ones."""
    die = dice(rng)
    n = die.randint(*parameters("vertex_color", level, RINGS))
    while True:
        red, blue = die.randint(n // 2, n), die.randint(1, n - 1)
        if red + blue < n:
            continue
        p = moved_apart(n, red, blue)
        if 0 < p < 1:
            break
    question = (
        f"A bag holds {red} red and {blue} blue stickers. {n} of them are drawn at random without replacement and put on the "
        f"vertices of a regular {n}-gon, one on each. The probability that there is a rotation of the {n}-gon after which "
        f"every blue vertex is at a position where there was a red vertex before {LOWEST}"
    )
    return Problem(question, f"{n};{red}r{blue}b", reduced(p), "integer")


def moved_apart(n: int, red: int, blue: int) -> Fraction:
    """The probability, by the number of blue vertices, which all colourings with so many share."""
    good = apart(n)
    ways = sum(
        Fraction(comb(blue, b) * comb(red, n - b) * good[b], comb(n, b))
        for b in range(n + 1)
        if b <= blue and n - b <= red
    )
    return Fraction(ways, comb(red + blue, n))


@lru_cache(maxsize=32)
def apart(n: int) -> tuple[int, ...]:
    """How many sets of 0, 1, …, n vertices of an n-gon some rotation moves off themselves; all 2^n sets are looked at."""
    sets = np.arange(1 << n, dtype=np.int64)
    good = sets == 0
    for turn in range(1, n):
        turned = ((sets << turn) | (sets >> (n - turn))) & ((1 << n) - 1)
        good |= (turned & sets) == 0
    sizes = np.array([int(s).bit_count() for s in sets])
    return tuple(int(x) for x in np.bincount(sizes[good], minlength=n + 1))


BOARDS = {1: (2, 4), 2: (4, 6), 3: (7, 10)}


def draw_grid_chips(level: int, rng: np.random.Generator) -> Problem:
    """The probability that a saturated placement of chips, chosen at random, has exactly k chips."""
    low, high = parameters("grid_chips", level, BOARDS)
    while True:
        die = dice(rng)
        n, m = die.randint(low, high), die.randint(low, high)
        sizes = placements(n, m)
        k = die.choice(sorted(sizes))
        p = Fraction(sizes[k], sum(sizes.values()))
        if 0 < p < 1:
            break
    question = (
        f"White and black chips are placed in the cells of a grid of {n} rows and {m} columns, at most one in each cell, so "
        "that all chips in a row have the same colour, all chips in a column have the same colour, and no further chip of "
        "either colour can be added to an empty cell without breaking this rule. Chips of one colour are alike. One of all "
        f"such placements is chosen uniformly at random. The probability that it has exactly {k} chips {LOWEST}"
    )
    return Problem(question, f"{n}x{m};{k}", reduced(p), "integer")


def placements(n: int, m: int) -> dict[int, int]:
    """Saturated placements on n x m cells by their number of chips.

    Each is told by the colours of rows and columns, chips standing where these agree. If all rows have one colour, a
    column of the other colour would stay empty, and could be filled; so then all columns have that colour too.
    """
    found = {n * m: 2}
    for r in range(1, n):
        for c in range(1, m):
            chips = r * c + (n - r) * (m - c)
            found[chips] = found.get(chips, 0) + comb(n, r) * comb(m, c)
    return found


FAMILIES = (
    Family("polynomial_gcd", "composed", tuple(DEGREES), draw_polynomial_gcd),
    Family("n_gon", "composed", tuple(CORNERS), draw_n_gon),
    Family("circles_algebra", "composed", tuple(RADII), draw_circles_algebra),
    Family("parametric_intersection", "composed", tuple(NUMBERS), draw_parametric),
    Family("matrix_rank_letters", "composed", tuple(BAGS), draw_rank_letters),
    Family("vertex_color", "composed", tuple(RINGS), draw_vertex_color),
    Family("grid_chips", "composed", tuple(BOARDS), draw_grid_chips),
)
