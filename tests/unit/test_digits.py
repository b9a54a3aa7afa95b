"""Sums and products of words against Python's own arithmetic."""

import re

import numpy as np

from unseen.tasks.digits import (
    ADD_DIGITS,
    ADD_NUMBERS,
    COMPARE_10,
    EXTRACT_DIGITS,
    LIST_LENGTH,
    MULTIPLY_DIGITS,
    SUB_10,
    addition_problem,
    multiplication_problem,
    table,
)


def test_every_fact_of_the_skills() -> None:
    for a in range(10):
        for b in range(10):
            assert ADD_DIGITS.compute(a=str(a), b=str(b)) == str(a + b)
            assert MULTIPLY_DIGITS.compute(a=str(a), b=str(b)) == str(a * b)
    for x in range(20):
        assert COMPARE_10.compute(x=str(x)) == ("yes" if x > 9 else "no")
    assert [SUB_10.compute(x=str(x)) for x in range(10, 20)] == list("0123456789")
    assert EXTRACT_DIGITS.compute(number="4068") == "4, 0, 6, 8"
    assert LIST_LENGTH.compute(items="4, 0, 6, 8") == "4"
    assert ADD_NUMBERS.compute(numbers="1200 and 350 and 7") == "1557"


def test_tables_hold_every_fact_once() -> None:
    assert len(set(table(ADD_DIGITS))) == len(set(table(MULTIPLY_DIGITS))) == 100
    assert "7 plus 5 is 12" in table(ADD_DIGITS) and "7 times 5 is 35" in table(MULTIPLY_DIGITS)
    assert len(table(COMPARE_10)) == 20 and len(table(SUB_10)) == 10


def test_sums_against_python_whatever_the_lengths_and_carries() -> None:
    rng = np.random.default_rng(0)
    pairs = [(0, 0), (9, 9), (999, 1), (1, 999), (555, 555), (10, 90), (345, 678)]
    pairs += [tuple(int(v) for v in rng.integers(0, 10 ** rng.integers(1, 8), 2)) for _ in range(300)]
    for a, b in pairs:
        found = addition_problem(a, b)
        assert found.trace.answer == str(a + b)
        # the list R that the steps end in holds the digits of the sum, perhaps after a 0
        kept = [s.state for s in found.trace.steps if s.state]
        r = [int(v) for v in kept[-1].split(", ")]
        done = any(s.skill is SUB_10 for s in found.trace.steps)
        assert int("".join(map(str, r))) == a + b if done or max(r) < 10 else True
        assert found.parts[-1] == (f"{a} + {b}", str(a + b))
        assert all(str(sum(map(int, p.split(" + ")))) == s for p, s in found.parts)


def test_carries_go_from_the_right() -> None:
    steps = [s for s in addition_problem(345, 678).trace.steps if s.skill is SUB_10]
    assert [s.args["x"] for s in steps] == ["13", "12", "10"]
    assert [s.state for s in steps] == ["0, 9, 12, 3", "0, 10, 2, 3", "1, 0, 2, 3"]


def test_products_against_python() -> None:
    rng = np.random.default_rng(1)
    pairs = [(0, 0), (10, 10), (99, 99), (307, 20)]
    pairs += [tuple(int(v) for v in rng.integers(0, 10 ** rng.integers(1, 6), 2)) for _ in range(200)]
    for a, b in pairs:
        found = multiplication_problem(a, b)
        assert found.trace.answer == str(a * b)
        sums = [s for s in found.trace.steps if s.skill is ADD_NUMBERS]
        assert sums[-1].result == str(a * b)  # the running sum ends in the product
        products = [s for s in found.trace.steps if s.skill is MULTIPLY_DIGITS]
        values = [int(s.state.rpartition(": ")[2]) for s in products]
        assert len(products) == len(str(a)) * len(str(b)) and sum(values) == a * b
        assert sum(int(v) for _, v in found.parts[:-1]) == a * b


def test_the_question_is_plain() -> None:
    assert addition_problem(345, 678).question == "What is 345 + 678?"
    assert re.fullmatch(r"What is \d+ \* \d+\?", multiplication_problem(12, 34).question)
