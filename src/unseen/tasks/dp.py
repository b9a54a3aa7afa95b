"""The largest sum of numbers of which no two stand side by side: a problem for dynamic programming.

    "Find the maximum sum of a subsequence of 3, 2, -1, 4 with no two adjacent numbers."  ->  "7"

D[i] = max(A[i] + D[i+2], D[i+1], 0), filled from the end; the empty subsequence counts, with sum 0. Asked for its
mask instead, the answer marks the chosen numbers with 1 and the others with 2, the smallest such text among ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .said import same_number
from .traces import Skill, Step, Trace, use
from .worked import Problem, Sized

Asks = Literal["sum", "mask"]
LOW, HIGH = -5, 5
LIST_LENGTH = Skill(
    "list_length",
    "Count the elements of a list.",
    "the list {items} has length {result}",
    lambda items: str(len(items.split(", "))),
    {"items": "3, 2, -1"},
)
ADD = Skill(
    "add",
    "Add two numbers.",
    "{x} plus {y} is {result}",
    lambda x, y: str(int(x) + int(y)),
    {"x": "-3", "y": "5"},
    "A",
    "{x}+{y}:{result}",
)
FIND_MAX = Skill(
    "find_max",
    "Find the largest of some numbers.",
    "the maximum of {numbers} is {result}",
    lambda numbers: str(max(map(int, numbers.split(", ")))),
    {"numbers": "2, 7, 0"},
    "M",
    "{numbers}:{result}",
)
CHOOSE = Skill(
    "choose",
    "Write 1 where two numbers are equal, and 2 where they are not.",
    "{x} and {y} give {result}",
    lambda x, y: "1" if x == y else "2",
    {"x": "4", "y": "4"},
    "E",
    "{x}={y}:{result}",
)
SKILLS = (LIST_LENGTH, FIND_MAX, ADD)


def best_sums(numbers: Sequence[int]) -> list[int]:
    """D[0 … n+1] of the recurrence; D[0] is the answer."""
    d = [0] * (len(numbers) + 2)
    for i in range(len(numbers) - 1, -1, -1):
        d[i] = max(numbers[i] + d[i + 2], d[i + 1], 0)
    return d


def best_mask(numbers: Sequence[int]) -> str:
    """1 for each number chosen and 2 for each other, as text; of equal sums the smallest text."""
    return "".join(_choices(numbers)[0])


def problem(numbers: Sequence[int], asks: Asks = "sum") -> Problem:
    """The problem of these numbers with its table D, filled from the end, as worked solution."""
    listed = ", ".join(map(str, numbers))
    n, d = len(numbers), best_sums(numbers)
    steps = [use(LIST_LENGTH, items=listed)]
    for i in range(n - 1, -1, -1):
        taken = use(ADD, x=str(numbers[i]), y=str(d[i + 2]))
        kept = f"D = {', '.join(map(str, d[i:n]))}"
        steps += [taken, use(FIND_MAX, kept, numbers=f"{taken.result}, {d[i + 1]}, 0")]
    parts = tuple((", ".join(map(str, numbers[i:])), str(d[i])) for i in range(n - 1, -1, -1))
    if asks == "sum":
        question = f"Find the maximum sum of a subsequence of {listed} in which no two numbers are adjacent."
        return Problem(question, Trace(tuple(steps), str(d[0])), parts, f"{listed.replace(' ', '')}>")
    mask, chosen = _choices(numbers)
    question = f"Mark with 1 the numbers of {listed} that make the largest sum with no two adjacent, and the others with 2; of equal sums, the smallest marking."
    return Problem(question, Trace((*steps, *chosen), "".join(mask)), parts, f"{listed.replace(' ', '')}?>")


def dp(train: tuple[int, ...], beyond: tuple[int, ...], asks: Asks = "sum") -> Sized:
    """The task of lists of so many numbers from −5 to 5."""

    def make(n: int, rng: np.random.Generator) -> Problem:
        return problem(rng.integers(LOW, HIGH + 1, n).tolist(), asks)

    skills = SKILLS if asks == "sum" else (*SKILLS, CHOOSE)
    return Sized("dp", "length", "numbers", train, beyond, make, skills, same_number)


def _choices(numbers: Sequence[int]) -> tuple[list[str], list[Step]]:
    """The marks, and the steps that find them from the left: a number is chosen where that reaches D[i]."""
    d = best_sums(numbers)
    marks: list[str] = []
    steps: list[Step] = []
    i = 0
    while i < len(numbers):
        # a chosen number wins ties, for 1 sorts before 2; the one after it cannot be chosen
        step = use(
            CHOOSE,
            "".join([*marks, "1" if numbers[i] + d[i + 2] == d[i] else "2"]),
            x=str(numbers[i] + d[i + 2]),
            y=str(d[i]),
        )
        steps.append(step)
        marks.append(step.result)
        i += 1
        if step.result == "1" and i < len(numbers):
            marks.append("2")
            i += 1
    return marks, steps
