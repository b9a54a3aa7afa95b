"""Drawing problems of omega with their answers: how many a CPU second, and exact solvers beside enumeration.

Two amounts are required of the forty templates: 2,000 problems a second over all of them at level 1, and 20 a second of
the slowest at level 5. They have no other side, so that both sides of these lines are ours. Probabilities of shuffled
words are solved beside the enumeration of every word and shuffle, from the same bags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import permutations

import numpy as np

from unseen.studies.omega.catalogue import TEMPLATES, family
from unseen.studies.omega.families.counting import SHUFFLED, draw_no_fixed, no_fixed

from .timing import Result, spent, take_turns

LEAST, SLOWEST = 2_000, 20  # problems a CPU second
EACH = 20  # problems of a template in a turn
BAGS = 600  # words in a turn of the solvers
AGAIN = "ours again: only an amount is required"


def compare(rounds: int) -> Iterator[Result]:
    """One result for all templates at level 1, one for the slowest at level 5, and one for a solver. About two minutes."""
    yield drawing("40 templates, level 1", TEMPLATES, 1, EACH, rounds, LEAST)
    slowest = max(TEMPLATES, key=lambda name: spent(lambda: draw((name,), 5, 3)).cpu)
    yield drawing(f"the slowest at level 5: {slowest}", (slowest,), 5, 10, rounds, SLOWEST)
    bags = words(BAGS)
    turns = take_turns(lambda: spent(lambda: solved(bags)), lambda: spent(lambda: enumerated(bags)), rounds)
    differing = float(sum(a != b for a, b in zip(solved(bags), enumerated(bags), strict=True)))
    name, other = "no letter stays, level 1", "every word and every shuffle"
    yield Result("omega", name, other, differing, 0.0, turns, 0.0, BAGS, "problems", {}, {}, least=LEAST)


def drawing(case: str, names: Sequence[str], level: int, n: int, rounds: int, least: float) -> Result:
    """n problems of each template, drawn anew in every turn; drawing them twice is to give the same ones."""
    turns = take_turns(
        lambda: spent(lambda: draw(names, level, n)), lambda: spent(lambda: draw(names, level, n)), rounds
    )
    differing = float(sum(a != b for a, b in zip(draw(names, level, 2), draw(names, level, 2), strict=True)))
    made = n * len(names)
    return Result("omega", case, AGAIN, differing, 0.0, turns, 0.0, made, "problems", {}, {}, least=least)


def draw(names: Sequence[str], level: int, n: int) -> list[str]:
    """The answers of n problems of each template."""
    rng = np.random.default_rng(0)
    return [family(name).draw(level, rng).answer for name in names for _ in range(n)]


def words(n: int) -> list[tuple[str, int]]:
    """Bags of letters and lengths of words, as problems of level 1 have them."""
    rng = np.random.default_rng(0)
    told = [draw_no_fixed(1, rng).compact.split(";") for _ in range(n)]
    assert all(len(letters) <= SHUFFLED[1].letters[1] for letters, *_ in told)
    return [(letters, int(length)) for letters, length, _ in told]


def solved(bags: Sequence[tuple[str, int]]) -> list[Fraction]:
    """The probabilities by rook polynomials."""
    return [no_fixed([letters.count(c) for c in sorted(set(letters))], length) for letters, length in bags]


def enumerated(bags: Sequence[tuple[str, int]]) -> list[Fraction]:
    """The probabilities by looking at every word and every shuffle of it."""
    found: list[Fraction] = []
    for letters, length in bags:
        orders, right, total = list(permutations(range(length))), 0, 0
        for word in permutations(letters, length):
            for order in orders:
                right += all(word[i] != word[j] for i, j in enumerate(order))
                total += 1
        found.append(Fraction(right, total))
    return found
