"""Sums without neighbours against exhaustive search."""

from itertools import pairwise, product

import numpy as np
import pytest

from unseen.tasks.dp import ADD, CHOOSE, FIND_MAX, LIST_LENGTH, best_mask, best_sums, dp, problem


def exhaustive(numbers: list[int]) -> tuple[int, str]:
    """The largest sum over all choices without neighbours, and the smallest of its masks."""
    found = []
    for chosen in product((True, False), repeat=len(numbers)):
        if not any(a and b for a, b in pairwise(chosen)):
            total = sum(n for n, c in zip(numbers, chosen, strict=True) if c)
            found.append((-total, "".join("1" if c else "2" for c in chosen)))
    best = min(found)
    return -best[0], best[1]


def test_sum_and_mask_against_exhaustive_search() -> None:
    rng = np.random.default_rng(0)
    lists = [[0], [-5], [5], [0, 0, 0], [-1, -1], [3, 2, -1, 4], [1, 1, 1, 1, 1]]
    lists += [rng.integers(-5, 6, int(rng.integers(1, 10))).tolist() for _ in range(400)]
    for numbers in lists:
        total, mask = exhaustive(numbers)
        assert best_sums(numbers)[0] == total
        assert best_mask(numbers) == mask, numbers
        assert problem(numbers).trace.answer == str(total)
        assert problem(numbers, "mask").trace.answer == mask


def test_the_table_is_that_of_every_tail() -> None:
    numbers = [3, 2, -1, 4]
    assert best_sums(numbers)[:4] == [exhaustive(numbers[i:])[0] for i in range(4)]
    assert [a for _, a in problem(numbers).parts] == ["4", "4", "6", "7"]
    assert problem(numbers).trace.steps[-1].state == "D = 7, 6, 4, 4"


def test_skills() -> None:
    assert ADD.compute(x="-3", y="5") == "2"
    assert FIND_MAX.compute(numbers="-2, -7, 0") == "0"
    assert LIST_LENGTH.compute(items="3, 2, -1") == "3"
    assert (CHOOSE.compute(x="4", y="4"), CHOOSE.compute(x="4", y="5")) == ("1", "2")


@pytest.mark.parametrize("asks", ["sum", "mask"])
def test_every_step_follows_from_its_skill(asks: str) -> None:
    task = dp((4, 5), (8,), asks)  # type: ignore[arg-type]
    for e in task.draw("8 numbers", 20, np.random.default_rng(0)):
        assert all(s.skill.compute(**s.args) == s.result for s in e.trace.steps)
