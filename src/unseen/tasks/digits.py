"""Sums and products written in words, for language models: what is 345 + 678, digit by digit?

    "What is 345 + 678?"  ->  "1023"

The solutions compose a few skills as a pupil would: digits are taken apart, added or multiplied two at a time, and
carried from the right. (`tasks/addition.py` has sums as tokens.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .said import same_number
from .traces import Skill, Step, Trace, use
from .worked import Problem, Sized

EXTRACT_DIGITS = Skill(
    "extract_digits",
    "Extract the digits of a number.",
    "the digits of {number} are {result}",
    lambda number: ", ".join(number),
    {"number": "468"},
)
LIST_LENGTH = Skill(
    "list_length",
    "Count the elements of a list.",
    "the list {items} has length {result}",
    lambda items: str(len(items.split(", "))),
    {"items": "4, 6, 8"},
)
ADD_DIGITS = Skill(
    "add_two_single_digit_number",
    "Add two single-digit numbers.",
    "{a} plus {b} is {result}",
    lambda a, b: str(int(a) + int(b)),
    {"a": "7", "b": "5"},
    "A",
    "{a}+{b}:{result}",
)
COMPARE_10 = Skill(
    "compare_10",
    "Check whether a number is 10 or more.",
    "is {x} at least 10? {result}",
    lambda x: "yes" if int(x) >= 10 else "no",
    {"x": "12"},
    "C",
    "{x}?{result}",
)
SUB_10 = Skill(
    "sub_10",
    "Subtract 10 from a number from 10 to 19.",
    "{x} minus 10 is {result}",
    lambda x: str(int(x) - 10),
    {"x": "12"},
    "S",
    "{x}-{result}",
)
MULTIPLY_DIGITS = Skill(
    "mul_two_single_digit_number",
    "Multiply two single-digit numbers.",
    "{a} times {b} is {result}",
    lambda a, b: str(int(a) * int(b)),
    {"a": "7", "b": "5"},
    "M",
    "{a}*{b}:{result}",
)
ADD_NUMBERS = Skill(
    "add_multiple_numbers",
    "Add numbers.",
    "the sum of {numbers} is {result}",
    lambda numbers: str(sum(map(int, numbers.split(" and ")))),
    {"numbers": "1200 and 350"},
    "P",
    "{numbers}:{result}",
)
ADDITION_SKILLS = (EXTRACT_DIGITS, LIST_LENGTH, ADD_DIGITS, COMPARE_10, SUB_10)
MULTIPLICATION_SKILLS = (EXTRACT_DIGITS, LIST_LENGTH, MULTIPLY_DIGITS, ADD_NUMBERS)
TABLED = (ADD_DIGITS.name, MULTIPLY_DIGITS.name, COMPARE_10.name, SUB_10.name)  # skills with a table of facts


def table(skill: Skill) -> tuple[str, ...]:
    """Every fact of a one-digit skill, a line each: the 10 × 10 sums or products, or 0 to 19 against 10."""
    if skill.name in (ADD_DIGITS.name, MULTIPLY_DIGITS.name):
        return tuple(use(skill, a=str(a), b=str(b)).text() for a in range(10) for b in range(10))
    values = range(10, 20) if skill.name == SUB_10.name else range(20)
    return tuple(use(skill, x=str(x)).text() for x in values)


def addition_problem(a: int, b: int) -> Problem:
    """The sum a + b: digits side by side, added two at a time, then carried from the right into the list R."""
    first, second = str(a), str(b)
    width = max(len(first), len(second))
    steps = [use(EXTRACT_DIGITS, number=n) for n in (first, second)]
    steps += [use(LIST_LENGTH, items=", ".join(n)) for n in (first, second)]
    sums: list[int] = []
    for x, y in zip(first.zfill(width), second.zfill(width), strict=True):
        sums.append(int(x) + int(y))
        steps.append(use(ADD_DIGITS, _list(sums), a=x, b=y))
    steps += _carried(sums)
    return Problem(f"What is {a} + {b}?", Trace(tuple(steps), str(a + b)), _sum_parts(first, second), f"{a}+{b}>")


def multiplication_problem(a: int, b: int) -> Problem:
    """The product a × b: both expanded by place value, all pairwise products, and a running sum."""
    first, second = str(a), str(b)
    steps = [use(EXTRACT_DIGITS, number=n) for n in (first, second)]
    steps += [use(LIST_LENGTH, items=", ".join(n)) for n in (first, second)]
    total = 0
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            zeros = len(first) - 1 - i + len(second) - 1 - j
            product = int(x) * int(y) * 10**zeros
            steps.append(use(MULTIPLY_DIGITS, f"with {zeros} zeros: {product}", a=x, b=y))
            total += product
            steps.append(use(ADD_NUMBERS, numbers=f"{total - product} and {product}"))
    parts = [
        (f"{int(x) * 10 ** (len(first) - 1 - i)} * {b}", str(int(x) * 10 ** (len(first) - 1 - i) * b))
        for i, x in enumerate(first)
    ]
    return Problem(
        f"What is {a} * {b}?", Trace(tuple(steps), str(a * b)), (*parts, (f"{a} * {b}", str(a * b))), f"{a}*{b}>"
    )


def addition(train: tuple[int, ...], beyond: tuple[int, ...]) -> Sized:
    """Sums of two numbers of so many digits each."""
    return Sized(
        "addition",
        "length",
        "digits",
        train,
        beyond,
        lambda d, rng: addition_problem(*_numbers(d, rng)),
        ADDITION_SKILLS,
        same_number,
    )


def multiplication(train: tuple[int, ...], beyond: tuple[int, ...]) -> Sized:
    """Products of two numbers of so many digits each."""
    return Sized(
        "multiplication",
        "length",
        "digits",
        train,
        beyond,
        lambda d, rng: multiplication_problem(*_numbers(d, rng)),
        MULTIPLICATION_SKILLS,
        same_number,
    )


def _numbers(digits: int, rng: np.random.Generator) -> tuple[int, int]:
    low = 10 ** (digits - 1)
    a, b = rng.integers(low if digits > 1 else 0, low * 10, 2)
    return int(a), int(b)


def _carried(sums: Sequence[int]) -> list[Step]:
    """The steps that carry from the right through the list R of sums, a 0 before it."""
    r = [0, *sums]
    steps: list[Step] = []
    for i in range(len(r) - 1, -1, -1):
        x = r[i]
        steps.append(use(COMPARE_10, x=str(x)))
        if x >= 10:
            r[i], r[i - 1] = x - 10, r[i - 1] + 1
            steps.append(use(SUB_10, _list(r), x=str(x)))
    return steps


def _list(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


def _sum_parts(first: str, second: str) -> tuple[tuple[str, str], ...]:
    """The sums of the last digits, of the last two, and so on: each needs only the one before."""
    width = max(len(first), len(second))
    cut = [(int(first[-k:]), int(second[-k:])) for k in range(1, width + 1)]
    return tuple((f"{a} + {b}", str(a + b)) for a, b in cut)
