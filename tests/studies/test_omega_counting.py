"""Counting and number theory of omega: every solver beside plain enumeration of small cases."""

from __future__ import annotations

import re
import sys
from collections import Counter
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.studies.omega.families import counting, numbers
from unseen.studies.omega.problem import Family, decimal

FAMILIES = {f.name: f for module in (counting, numbers) for f in module.FAMILIES}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda f: f.name)
def test_a_level_that_is_not_there_is_invalid_and_draws_repeat(family: Family) -> None:
    with pytest.raises(Invalid, match="has no level 99"):
        family.draw(99, np.random.default_rng(0))
    for level in family.levels:
        one, two = (family.draw(level, np.random.default_rng(3)) for _ in range(2))
        assert one == two and one.question and one.answer


def put(letters: str, boxes: list[int], *, labelled: bool) -> int:
    """The ways by trying every order of the letters."""
    found = set()
    for order in set(permutations(letters)):
        at, contents = 0, []
        for b in boxes:
            contents.append((b, "".join(sorted(order[at : at + b]))))
            at += b
        found.add(tuple(contents if labelled else sorted(contents)))
    return len(found)


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize(
    ("letters", "boxes"),
    [("aab", [2, 1]), ("aabb", [2, 2]), ("aabc", [1, 1, 2]), ("aabbc", [2, 2, 1]), ("aabbcc", [2, 2, 2]), ("abcd", [1, 1, 1, 1])],
)  # fmt: skip
def test_letters_in_boxes(letters: str, boxes: list[int], labelled: bool) -> None:
    counts = list(Counter(letters).values())
    assert counting.distributions(counts, boxes, labelled=labelled) == put(letters, boxes, labelled=labelled)


def test_problems_of_boxes_say_what_is_counted() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        p = counting.draw_distribution(1, rng)
        letters, boxes, kind = p.compact.split(";")
        assert put(letters, [int(b) for b in boxes.split(",")], labelled=kind == "=") == int(p.answer)


@pytest.mark.parametrize("pattern", counting.PATTERNS)
def test_expected_matches(pattern: str) -> None:
    for letters, length in (("aabbc", 3), ("aaab", 4), ("abbcc", 2), ("ab", 2)):
        words = list(permutations(letters, length))
        total = sum(
            re.fullmatch(pattern, "".join(w[i : j + 1])) is not None
            for w in words
            for i in range(length)
            for j in range(i, length)
        )
        a, b = letters.count("a"), letters.count("b")
        assert counting.expected_matches(pattern, a, b, len(letters), length) == Fraction(total, len(words))


def test_problems_of_patterns_say_what_is_counted() -> None:
    rng = np.random.default_rng(1)
    for _ in range(6):
        p = counting.draw_pattern(1, rng)
        letters, length, pattern = p.compact.split(";")
        words = ["".join(w) for w in permutations(letters, int(length))]
        total = sum(
            re.fullmatch(pattern, w[i : j + 1]) is not None
            for w in words
            for i in range(len(w))
            for j in range(i, len(w))
        )
        assert p.answer == decimal(Fraction(total, len(words)), 2)


def shuffles(letters: str, length: int) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every word of the bag before and after every shuffle."""
    orders = list(permutations(range(length)))
    return [(w, tuple(w[i] for i in order)) for w in permutations(letters, length) for order in orders]


@pytest.mark.parametrize(("letters", "length"), [("aab", 2), ("aabb", 3), ("abcc", 4), ("aaabc", 3), ("abcd", 4)])
def test_letters_that_stay(letters: str, length: int) -> None:
    both = shuffles(letters, length)
    none = sum(all(x != y for x, y in zip(w, v, strict=True)) for w, v in both)
    assert counting.no_fixed(list(Counter(letters).values()), length) == Fraction(none, len(both))
    kept = Counter(sum(x == y == "a" for x, y in zip(w, v, strict=True)) for w, v in both)
    found = counting.fixed_letters(letters.count("a"), len(letters), length)
    assert found == [Fraction(kept[t], len(both)) for t in range(len(found))] and sum(found) == 1
    with pytest.raises(Invalid):
        counting.no_fixed([1, 1], 3)


@pytest.mark.parametrize("name", ["no_fixed", "no_specific", "exactly", "at_least"])
def test_problems_of_shuffles_say_what_is_asked(name: str) -> None:
    rng = np.random.default_rng(2)
    for _ in range(4):
        p = FAMILIES[f"probability_{name}"].draw(1, rng)
        letters, length, event = p.compact.split(";")
        both = shuffles(letters, int(length))
        letter, sign, n = event[:1], event[1:2], event[2:]

        def happens(w: tuple[str, ...], v: tuple[str, ...], letter=letter, sign=sign, n=n) -> bool:
            if not n:
                return all(x != y for x, y in zip(w, v, strict=True))
            t = sum(x == y == letter for x, y in zip(w, v, strict=True))
            return t > int(n) if sign == ">" else t == int(n)

        chance = Fraction(sum(happens(w, v) for w, v in both), len(both))
        assert int(p.answer) == chance.numerator + chance.denominator


def test_bags_hold_what_their_level_says() -> None:
    rng = np.random.default_rng(3)
    for level, size in counting.SHUFFLED.items():
        p = counting.draw_no_fixed(level, rng)
        letters, length, _ = p.compact.split(";")
        assert size.letters[0] <= len(letters) <= size.letters[1] and size.word[0] <= int(length) <= size.word[1]
        assert len(set(letters)) >= max(3, level)
    assert counting.counted("bab") == {"a": 1, "b": 2} and counting.spelled({"a": 2, "b": 1}) == "a, a, b"


@pytest.mark.parametrize(("a", "c", "k"), [(4, 1, 2), (2, 1, 2), (2, 7, 3), (3, 5, 2), (6, 2, 2), (2, 4, 4)])
def test_least_primes(a: int, c: int, k: int) -> None:
    found = numbers.least_prime(a, c, k)
    for p in numbers.PRIMES:
        hits = [m for m in range(1, p**k + 1) if (m**a + c) % p**k == 0]
        if hits:
            assert found == (p, hits[0])
            break


def test_the_competition_problem() -> None:
    assert numbers.least_prime(4, 1, 2) == (17, 110)  # AIME 2024 I, problem 13


@pytest.mark.parametrize(
    ("b", "e", "f", "weights"),
    [(2, 2, 2, (1, 1)), (2, 3, 3, (1, 1, 2)), (3, 1, 2, (1, 1, 1)), (3, 2, 3, (-1, 1, 2)), (2, 2, 4, (1, 1, 1, 3)), (3, 2, 1, (1,))],
)  # fmt: skip
def test_tuples(b: int, e: int, f: int, weights: tuple[int, ...]) -> None:
    everyone = product(range(1, b**e + 1), repeat=len(weights))
    right = sum(sum(w * x**b for w, x in zip(weights, one, strict=True)) % b**f == 0 for one in everyone)
    assert numbers.tuples(b, e, f, weights) == right


def test_problems_of_tuples_say_what_is_counted() -> None:
    rng = np.random.default_rng(4)
    for _ in range(5):
        p = numbers.draw_triple_count(1, rng)
        most, _, told = p.compact.partition(";")
        total, _, modulus = told.partition("|")
        names = sorted(set(re.findall(r"x\d", total)))
        values = product(range(1, int(most) + 1), repeat=len(names))
        right = sum(eval(total.replace("^", "**"), dict(zip(names, v, strict=True))) % int(modulus) == 0 for v in values)  # fmt: skip
        assert right % 1000 == int(p.answer)


@pytest.mark.parametrize("greatest", [False, True])
@pytest.mark.parametrize(("n", "q", "digit"), [(2, 3, 1), (3, 7, 1), (4, 7, 1), (3, 4, 0), (2, 6, 9), (3, 11, 5)])
def test_changed_digits(n: int, q: int, digit: int, greatest: bool) -> None:
    def holds(x: int) -> bool:
        text = str(x)
        return all(int(text[:i] + str(digit) + text[i + 1 :]) % q == 0 for i in range(n))

    right = [x for x in range(10 ** (n - 1), 10**n) if holds(x)]
    found = numbers.changed(n, q, digit, greatest=greatest)
    assert found == ((max(right) if greatest else min(right)) if right else None)


@pytest.mark.parametrize("greatest", [False, True])
@pytest.mark.parametrize(("n", "q"), [(2, 3), (3, 7), (4, 9), (3, 8), (4, 11), (4, 6)])
def test_swapped_digits(n: int, q: int, greatest: bool) -> None:
    def holds(x: int) -> bool:
        t = str(x)
        return all(int(t[:i] + t[i + 1] + t[i] + t[i + 2 :]) % q == 0 for i in range(n - 1))

    right = [x for x in range(10 ** (n - 1), 10**n) if holds(x)]
    found = numbers.swapped(n, q, greatest=greatest)
    assert found == ((max(right) if greatest else min(right)) if right else None)


def test_the_other_competition_problem() -> None:
    greatest = numbers.changed(4, 7, 1, greatest=True)  # AIME 2024 II, problem 3 of the digits: 5694, and 5 + 694
    assert greatest == 5694
    with pytest.raises(Invalid):
        numbers.swapped(1, 3, greatest=True)


def test_answers_lie_in_the_ranges_of_their_levels() -> None:
    rng = np.random.default_rng(5)
    for name, table in (("prime_mod", numbers.PRIME_MOD), ("triple_count", numbers.TRIPLES), ("digit_sum", numbers.DIGITS)):  # fmt: skip
        for level, size in table.items():
            low, high = size.answer
            assert low <= int(FAMILIES[name].draw(level, rng).answer) <= high


def test_the_bench_solves_what_it_enumerates() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2]))  # bench/ stands beside the package, not in it
    from bench import omega

    bags = omega.words(3)
    assert omega.solved(bags) == omega.enumerated(bags)
    assert omega.draw(("gcd", "matrix_rank"), 1, 3) == omega.draw(("gcd", "matrix_rank"), 1, 3)
