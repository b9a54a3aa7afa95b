"""Composed and transformed problems of omega: every oracle beside enumeration or another way to the same number."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from itertools import combinations, pairwise, permutations, product
from math import comb, factorial, gcd, prod

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.studies.omega import composed, exact, transformed, twin
from unseen.studies.omega.problem import Family, Problem

FAMILIES = {f.name: f for module in (composed, transformed, twin) for f in module.FAMILIES}


def drawn(name: str, n: int, *levels: int) -> list[Problem]:
    rng = np.random.default_rng(sum(map(ord, name)))
    return [FAMILIES[name].draw(level, rng) for level in levels or FAMILIES[name].levels for _ in range(n)]


def chance(p: Problem, right: int, total: int) -> bool:
    found = Fraction(right, total)
    return int(p.answer) == found.numerator + found.denominator


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_a_level_that_is_not_there_is_invalid_and_draws_repeat(family: Family) -> None:
    with pytest.raises(Invalid, match="has no level 99"):
        family.draw(99, np.random.default_rng(0))
    for level in family.levels:
        one, two = (family.draw(level, np.random.default_rng(3)) for _ in range(2))
        assert one == two and one.familiar != one.answer


def test_roots_products_and_their_divisor() -> None:
    for p in drawn("polynomial_gcd", 3):
        products = []
        for told in p.compact.split(";"):
            text = re.sub(r"(\d)x", r"\1*x", told).replace("^", "**")
            products.append(abs(prod(x for x in range(-20, 21) if eval(text, {"x": x}) == 0)))
        assert gcd(*products) == int(p.answer)


def counted(word: str, pattern: str) -> int:
    n = len(word)
    return sum(re.fullmatch(pattern, word[i : j + 1]) is not None for i in range(n) for j in range(i, n))


@pytest.mark.parametrize("pattern", composed.MARKS)
def test_matches_are_those_of_the_regular_expression(pattern: str) -> None:
    for n in range(1, 8):
        for letters in product("sd", repeat=n):
            word = "".join(letters)
            assert composed.matches(word, pattern) == counted(word, pattern), (word, pattern)


def test_turned_polygons() -> None:
    assert composed.overlaid("abaab", 2) == "".join("s" if a == b else "d" for a, b in zip("abaab", "ababa", strict=True))  # fmt: skip
    for p in drawn("n_gon", 4):
        letters, turn, pattern = p.compact.split(";")
        k = int(turn)
        moved = letters[-k:] + letters[:-k]
        marks = "".join("s" if a == b else "d" for a, b in zip(letters, moved, strict=True))
        assert counted(marks, pattern) == int(p.answer)


def test_circles_meet_graphs_as_often_as_floats_find() -> None:
    for p in drawn("circles_algebra", 40):
        h, k, a, b, d, radius = read_circle(p)
        x = np.linspace(h - radius, h + radius, 400_001)
        y = a * (np.abs(x - b) if p.at["kind"] == "abs" else (x - b) ** 2) + d
        off = (x - h) ** 2 + (y - k) ** 2 - radius**2
        if np.min(np.abs(off[1:-1])) > 1e-9 * radius**2:  # no grid point on the circle
            crossed = int(np.sum(np.sign(off[1:]) != np.sign(off[:-1])))
            assert (crossed <= int(p.answer) and (int(p.answer) - crossed) % 2 == 0) or touching(off, radius)


def touching(off: np.ndarray, radius: float) -> bool:
    return float(np.min(np.abs(off))) < 1e-4 * radius**2


def read_circle(p: Problem) -> tuple[float, ...]:
    found = re.search(r"centre at \((-?\d+), (-?\d+)\) and is tangent to the line (.*) = (-?\d+)\.", p.question)
    h, k, offset = int(found[1]), int(found[2]), int(found[4])
    line = found[3]
    a, b = (eval(line, {"x": x, "y": y}) for x, y in ((1, 0), (0, 1)))
    radius = abs(a * h + b * k - offset) / (a * a + b * b) ** 0.5
    graph = re.search(r"y = \((\S+)\)\*[|(]x(?: ([-+]) (\d+))?[|)](?:\^2)? ([-+]) (\d+)\?", p.question)
    shift = 0 if graph[2] is None else int(graph[3]) * (1 if graph[2] == "-" else -1)
    return h, k, float(Fraction(graph[1])), shift, int(graph[5]) * (1 if graph[4] == "+" else -1), radius


def test_a_circle_and_graphs_worked_by_hand() -> None:
    five = Fraction(5)
    assert composed.crossings(0, 0, five, ("abs", Fraction(1), 0, 0)) == 2
    assert composed.crossings(0, 0, five, ("abs", Fraction(1), 0, -5)) == 3  # the corner lies on the circle
    assert composed.crossings(0, 0, five, ("abs", Fraction(1), 0, 6)) == 0
    assert composed.crossings(0, 0, five, ("parabola", Fraction(1), 0, 5)) == 1  # touches at the top
    assert composed.crossings(0, 0, five, ("parabola", Fraction(1), 0, -5)) == 3
    assert composed.crossings(0, 0, five, ("parabola", Fraction(1), 0, -6)) == 4


def test_drawn_parameters_and_meetings() -> None:
    for p in drawn("parametric_intersection", 3):
        numbers, first, second, k = p.compact.split(";")
        drawn_ = [int(v) for v in numbers.split(",")]
        c = int(second.removeprefix("bx").replace("+", ""))
        hits = total = 0
        for a, b in permutations(drawn_, 2):
            values: set[float] = set()
            for sign in (1, -1) if "|" in first else (1,):  # sign (x^2 + a x) = b x + c, where the sign is right
                for x in np.roots([sign, sign * a - b, -c]):
                    inside = x.real * x.real + a * x.real
                    if abs(x.imag) < 1e-7 and (first[0] != "|" or sign * inside > -1e-7):
                        values.add(round(float(x.real), 6))
            hits += len(values) == int(k)
            total += 1
        assert chance(p, hits, total)


def test_ranks_of_drawn_letters() -> None:
    for p in drawn("matrix_rank_letters", 4, 1, 2):
        letters, length, r = p.compact.split(";")
        words = list(combinations(letters, int(length)))
        ranks = [exact.rank([[int(x == y) for y in w] for x in w]) for w in words]
        assert chance(p, ranks.count(int(r)), len(words))


def test_coloured_polygons() -> None:
    for n in (3, 4, 5, 6):
        for b in range(n + 1):
            sets = [set(s) for s in combinations(range(n), b)]
            good = sum(any(not s & {(v + r) % n for v in s} for r in range(n)) for s in sets)
            assert composed.apart(n)[b] == good
    assert Fraction(sum(composed.apart(8)), 2**8) == Fraction(115, 256)  # AIME 2024 I, problem 11: m + n = 371
    for p in drawn("vertex_color", 3, 1):
        n, bag = p.compact.split(";")
        red, blue = map(int, re.fullmatch(r"(\d+)r(\d+)b", bag).groups())
        ways = list(combinations(range(red + blue), int(n)))
        good = 0
        for way in ways:  # sticker i goes to the vertex of its rank: a random order of a drawn set is as likely
            good += composed.apart(int(n))[sum(i >= red for i in way)] / comb(int(n), sum(i >= red for i in way))
        assert float(Fraction(good).limit_denominator(10**6)) == pytest.approx(good)
        assert (
            chance(p, round(good * 10**6), len(ways) * 10**6)
            or abs(good / len(ways) - float(composed.moved_apart(int(n), red, blue))) < 1e-12
        )


@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 3), (3, 3)])
def test_saturated_chips(n: int, m: int) -> None:
    def valid(cells: tuple[int, ...]) -> bool:
        lines = [cells[i * m : i * m + m] for i in range(n)] + [cells[j::m] for j in range(m)]
        return all(not (1 in line and 2 in line) for line in lines)

    found: Counter[int] = Counter()
    for cells in product((0, 1, 2), repeat=n * m):
        if valid(cells):
            more = ((*cells[:i], c, *cells[i + 1 :]) for i, v in enumerate(cells) if not v for c in (1, 2))
            if not any(valid(one) for one in more):
                found[sum(v > 0 for v in cells)] += 1
    assert found == composed.placements(n, m)


def test_chips_of_the_competition() -> None:
    assert sum(composed.placements(5, 5).values()) == 902  # AIME 2024 II, problem 9


@pytest.mark.parametrize("formula", range(len(transformed.FORMULAS)))
def test_ranks_of_formulas(formula: int) -> None:
    one = transformed.FORMULAS[formula]
    for k in range(1, 7):
        for n in (20, 21):
            rows = [[one.entry(i, j, k) for j in range(1, n + 1)] for i in range(1, n + 1)]
            assert exact.rank(rows) == one.rank(n, k), (one.told(k), n)


def test_nested_sines() -> None:
    for p in drawn("trans_func_intersection", 4):
        inner, height = p.compact.split("=")
        frequency = int(re.search(r"sin\((\d+)\*pi", inner)[1])
        centres = [Fraction(c) for c in re.findall(r"\|-(\d+/\d+)", inner)]
        x = (np.arange(400_000) + 0.123) / 400_000
        y = np.abs(np.sin(np.pi * frequency * x))
        for c in centres:
            y = np.abs(y - float(c))
        off = y - float(Fraction(height))
        near = np.abs(off)
        lowest = (
            (near <= np.roll(near, 1)) & (near < np.roll(near, -1)) & (near < 1e-3)
        )  # crossings and touching points
        assert int(lowest.sum()) == int(p.answer)


def test_powers_on_the_circle() -> None:
    for p in drawn("trans_de_moivre", 6):
        told, exponent = re.fullmatch(r"r\+1/r=(.*);r\^(\d+)", p.compact).groups()
        mp = pytest.importorskip("mpmath").mp.clone()
        mp.dps = 60
        t = mp.mpf(eval(told, {"sqrt": mp.sqrt}))
        before, value = mp.mpf(2), t
        for _ in range(int(exponent) - 1):
            before, value = value, t * value - before
        assert abs(value - int(p.answer)) < 1e-20


def test_symmetric_shuffles() -> None:
    rng = transformed.dice(np.random.default_rng(0))
    n = 6
    orders = list(permutations(range(1, n + 1)))
    for kind in transformed.SYMMETRIC:
        for _ in range(4):
            rng_cards = 10
            while rng_cards > n:  # few enough cards for six
                told, p = kind(n, rng) if kind is not transformed._foremost else few(rng)
                rng_cards = len(cards_of(told))
            right = sum(happens(told, order) for order in orders)
            assert Fraction(right, factorial(n)) == p, told


def few(die: object) -> tuple[str, Fraction]:
    while True:
        try:
            told, p = transformed._foremost(6, die)  # type: ignore[arg-type]
        except ValueError:  # more cards than there are
            continue
        return told, p


def cards_of(told: str) -> list[int]:
    return [int(v) for v in re.findall(r"\d+", told.split(" lie at ")[0])]


def happens(told: str, order: tuple[int, ...]) -> bool:
    cards = cards_of(told)
    place = {card: i for i, card in enumerate(order, 1)}
    if "increasing" in told:
        return all(place[a] < place[b] for a, b in pairwise(cards))
    if "left of all" in told:
        return all(place[cards[0]] < place[c] for c in cards[1:])
    if "cycle" in told:
        at, seen = cards[0], set()
        while at not in seen:
            seen.add(at)
            at = order[at - 1]
        return set(cards) <= seen
    places = sorted(place[c] for c in cards)
    return places[-1] - places[0] == len(cards) - 1


def test_integrals_that_cancel() -> None:
    integrate = pytest.importorskip("scipy.integrate")
    for p in drawn("trans_integrations", 6):
        told, low, high = p.compact.split(";")
        text = re.sub(r"(\w+\([^()]*\))\^3", r"\1**3", told).replace("^", "**")
        names = {n: getattr(np, n) for n in ("sin", "cos", "exp", "sqrt")}

        def f(x: float, text=text, names=names) -> float:
            with np.errstate(over="ignore", invalid="ignore"):
                value = eval(text, {**names, "x": x})
            return value if np.isfinite(value) else float(f_limit(text, x))

        value, error = integrate.quad(f, int(low), int(high), limit=2_000)
        assert value == pytest.approx(float(p.answer), abs=max(0.06, 1e-6 * abs(value), 10 * error))


def f_limit(text: str, x: float) -> float:
    """Where exp overflows: the logistic forms are constant there."""
    return float(re.match(r"\d+", text)[0]) if x > 0 and text.count("exp") > 1 else 0.0


def test_paths_with_turns() -> None:
    for w, h in ((1, 1), (2, 3), (3, 3), (4, 2)):
        found: Counter[int] = Counter()
        for rights in combinations(range(w + h), w):
            steps = [i in rights for i in range(w + h)]
            found[sum(a != b for a, b in pairwise(steps))] += 1
        assert {k: transformed.turning(w, h, k) for k in range(w + h) if transformed.turning(w, h, k)} == found
    assert transformed.turning(8, 8, 4) == 294  # AIME 2024 I, problem 6


def test_circles_in_gaps() -> None:
    for p in drawn("trans_circles", 6):
        radii = [Fraction(r) for r in p.compact.split(",")]
        a, b, c, d = *(1 / r for r in radii), 1 / Fraction(p.answer)
        assert (a + b + c + d) ** 2 == 2 * (a * a + b * b + c * c + d * d) and d > max(a, b, c)
        if p.familiar:  # the circle through the points of contact is the incircle of the triangle of the centres
            x, y, z = radii
            assert Fraction(p.familiar) ** 2 == x * y * z / (x + y + z)


def test_twins_agree() -> None:
    def marks(letters: str, back: int) -> str:
        before = letters[-back:] + letters[:-back]
        return "".join("leg"[1 + (a > b) - (a < b)] for a, b in zip(letters, before, strict=True))

    assert marks("abcab", 2) == twin.compared("abcab", 2) == "eegll"
    for p in drawn("twin_n_gon", 5):
        _, mark, back, letters = p.compact.split(" ")
        assert int(p.answer) == sum(m == mark for m in marks(letters, int(back[1:])))
    for p in drawn("twin_rotation", 3):
        back, letters = p.compact.split(" ")
        assert p.answer == marks(letters, int(back[1:]))
    for p in drawn("twin_pattern", 3):
        _, mark, word = p.compact.split(" ")
        assert int(p.answer) == sum(m == mark for m in word)
