"""Are the answers about chords and colours of polygons those of coordinates, of cutting piece by piece and of Euler?"""

from __future__ import annotations

import cmath
import itertools
import re
from fractions import Fraction

import numpy as np
import pytest
import sympy

from unseen.core.errors import Invalid
from unseen.studies.omega.families import polygons
from unseen.studies.omega.problem import Family
from unseen.studies.omega.solvers import chords
from unseen.studies.omega.solvers.chords import Chord

# Regions of a regular polygon of 3, 4, … vertices with all its diagonals (OEIS A007678).
REGIONS = (1, 4, 11, 24, 50, 80, 154, 220, 375, 444, 781, 952, 1456, 1696)


def _at(n: int) -> list[complex]:
    return [cmath.exp(2j * cmath.pi * i / n) for i in range(n)]


def _diagonals(n: int) -> list[Chord]:
    return [pair for pair in itertools.combinations(range(n), 2) if pair[1] - pair[0] not in (1, n - 1)]


def _cut(n: int, drawn: list[Chord]) -> list[int]:
    """The numbers of sides of the regions: convex pieces cut by one line after another, in coordinates."""
    at = _at(n)
    pieces = [at]
    for a, b in drawn:

        def side(z: complex, a: int = a, b: int = b) -> float:
            return ((z - at[a]) * (at[b] - at[a]).conjugate()).imag

        cut: list[list[complex]] = []
        for piece in pieces:
            left: list[complex] = []
            right: list[complex] = []
            for one, other in zip(piece, [*piece[1:], piece[0]], strict=True):
                s, t = side(one), side(other)
                if s > -1e-10:
                    left.append(one)
                if s < 1e-10:
                    right.append(one)
                if min(s, t) < -1e-10 and max(s, t) > 1e-10:
                    middle = one + (other - one) * s / (s - t)
                    left.append(middle)
                    right.append(middle)
            cut += [part for part in (left, right) if len(part) > 2]
        pieces = cut
    return sorted(len(piece) for piece in pieces)


def test_all_diagonals_cut_as_many_regions_as_is_known():
    for n, regions in enumerate(REGIONS, 3):
        assert len(chords.sides(n, _diagonals(n))) == regions


@pytest.mark.parametrize("seed", range(40))
def test_regions_and_their_sides_are_those_of_cutting_piece_by_piece(seed: int):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 13)) if seed % 4 else int(rng.integers(20, 26))
    every = _diagonals(n)
    drawn = [every[i] for i in rng.permutation(len(every))[: rng.integers(1, 13)]]
    assert chords.sides(n, drawn) == _cut(n, drawn)


@pytest.mark.parametrize("seed", range(20))
def test_regions_are_one_more_than_chords_and_crossings(seed: int):
    """Euler: each chord adds a region, and so does each crossing, a crossing of k chords k - 1 times."""
    rng = np.random.default_rng(seed)
    n = 2 * int(rng.integers(3, 13))
    every = _diagonals(n)
    drawn = [every[i] for i in rng.permutation(len(every))[:9]]
    extra = 0
    met: set[frozenset[Chord]] = set()
    for one, other in itertools.combinations(drawn, 2):
        if chords.crossing(one, other):
            third = {line for line in drawn if line not in (one, other) and chords.crossing(one, line)}
            met.add(frozenset({one, other, *(line for line in third if chords.concurrent(n, one, other, line))}))
    extra = sum(len(group) - 1 for group in met)
    assert len(chords.sides(n, drawn)) == 1 + len(drawn) + extra


def test_concurrent_is_what_sympy_proves():
    for n in (6, 9, 12, 15):
        rng = np.random.default_rng(n)
        x = sympy.symbols("x")
        cyclotomic = sympy.cyclotomic_poly(n, x)
        assert sympy.Poly(cyclotomic, x).all_coeffs()[::-1] == list(chords._cyclotomic(n))
        every = _diagonals(n)
        for _ in range(30):
            lines = [every[i] for i in rng.permutation(len(every))[:3]]
            rows = [[1, x ** (a + b), x**a + x**b] for a, b in lines]
            zero = sympy.rem(sympy.expand(sympy.Matrix(rows).det()), cyclotomic, x) == 0
            assert chords.concurrent(n, *lines) == zero
    assert chords.concurrent(12, (0, 6), (1, 7), (2, 8)) and not chords.concurrent(7, (0, 3), (1, 5), (2, 6))


def test_crossings_that_differ_are_far_apart_so_that_floating_point_tells():
    """In the polygons asked about, crossings on a chord are the same, or farther apart than a thousand times CLOSE."""
    for n in (12, 15, 23, 24, 25):
        at = _at(n)
        pairs = [(int(a), int(b)) for a, b in (at_ for at_ in itertools.combinations(range(n), 2))]
        line = (0, n // 2)
        along = sorted(
            chords._parameters([(z.real, z.imag) for z in at], line, other)[0]
            for other in pairs
            if chords.crossing(line, other)
        )
        gaps = np.diff(along)
        assert np.all((gaps < 1e-12) | (gaps > 1000 * chords.CLOSE))


@pytest.mark.parametrize("n", [6, 7, 8, 10, 12])
def test_perpendicular_is_what_coordinates_say(n: int):
    at = _at(n)
    for one, other in itertools.combinations(_diagonals(n), 2):
        (a, b), (c, d) = one, other
        u, v, w = at[b] - at[a], at[d] - at[c], at[c] - at[a]
        right = abs((u * v.conjugate()).real) < 1e-9
        meets = False
        if right:  # along both by how much they meet, the ends among it
            area = (u.conjugate() * v).imag
            s, t = (w.conjugate() * v).imag / area, (w.conjugate() * u).imag / area
            meets = -1e-9 < s < 1 + 1e-9 and -1e-9 < t < 1 + 1e-9
        assert chords.perpendicular(one, other, n) == (right and meets)


def _colours(compact: str) -> tuple[str, str, str]:
    """The colour asked for, the other one and the colours of the vertices."""
    return re.fullmatch(r".* (\w)(\w):(\w+)", compact).groups()


def _covers(ring: str, colour: str, r: int) -> int:
    """How many vertices of a colour come where others were, by rotating the list itself."""
    turned = ring[-r:] + ring[:-r] if r else ring
    return sum(new == colour != old for new, old in zip(turned, ring, strict=True))


def test_colour_questions_are_answered_as_by_turning_the_ring():
    seen: set[str] = set()
    for seed in range(150):
        problem = polygons.polygon_color(1 + seed % 3, np.random.default_rng(seed))
        colour, other, ring = _colours(problem.compact)
        n = len(ring)
        asked = problem.compact.split()[1]
        if asked == "ways":
            filled = [ring.replace("u", "{}").format(*fill) for fill in itertools.product("rb", repeat=3)]
            answer = sum(any(_covers(one, colour, r) == one.count(colour) for r in range(n)) for one in filled)
        elif asked == "most":
            answer = max(_covers(ring, colour, r) for r in range(n))
        else:
            answer = _covers(ring, colour, int(asked[1:]))
        seen.add(asked[0])
        told = re.findall(r"vertex \d+ is (\w)", problem.question)
        assert problem.answer == str(answer) and "".join(told) == ring and {colour, other} == {"r", "b"}
    assert seen == {"w", "m", "r"}


def test_rotation_counts_the_regions_of_the_diagonals_told():
    for seed in range(30):
        problem = polygons.rotation(1 + seed % 5, np.random.default_rng(seed))
        n, r, s = map(int, re.match(r"(\d+) r(\d+) s(\d+):", problem.compact).groups())
        told = [(int(a) - 1, int(b) - 1) for a, b in re.findall(r"from vertex (\d+) to vertex (\d+)", problem.question)]
        turned = [tuple(sorted(((a + r) % n, (b + r) % n))) for a, b in told]
        assert problem.answer == str(_cut(n, [*dict.fromkeys([*told, *turned])]).count(s)) != "0"


def test_levels_have_the_diagonals_of_the_sheet():
    for level, (few, many) in polygons.CHORDS.items():
        drawn = [polygons.polygon_chords(level, np.random.default_rng(seed)) for seed in range(200)]
        assert {problem.at["diagonals"] for problem in drawn} == set(range(few, many + 1))
        odd = Fraction(sum(problem.at["vertices"] % 2 for problem in drawn), len(drawn))
        assert odd < Fraction(1, 5)


@pytest.mark.parametrize("family", polygons.FAMILIES, ids=lambda family: family.name)
def test_a_family_draws_the_same_problem_from_the_same_seed_and_knows_its_levels(family: Family):
    for level in family.levels:
        one, two, other = (family.draw(level, np.random.default_rng(seed)) for seed in (9, 9, 10))
        assert one == two != other
    with pytest.raises(Invalid, match="levels are 1, 2, 3, 4, 5"):
        family.draw(7, np.random.default_rng(0))
