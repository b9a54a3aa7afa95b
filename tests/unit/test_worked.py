"""Problems are drawn on the right side: held back ones are tested, others are shown."""

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.tasks import commaqa, digits, dp, gsm8k, last_letter
from unseen.tasks.worked import Sized, held_back

TASKS = [
    last_letter.last_letter((1, 2), (4, 8)),
    digits.addition((2, 3), (5,)),
    digits.multiplication((2, 3), (4,)),
    dp.dp((4, 5), (8,)),
    gsm8k.twin((2, 3), (5,)),
    commaqa.Twin(3, 2, 3),
]
IDS = [t.name for t in TASKS]


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_splits_are_disjoint_and_truths_score_one(task: Sized) -> None:
    rng = np.random.default_rng(0)
    drawn = {name: task.draw(name, 30, rng) for name in ("train", *(s.name for s in task.splits))}
    prompts = [e.prompt for items in drawn.values() for e in items]
    assert len(prompts) == len(set(prompts))
    for items in drawn.values():
        assert all(task.score(e, e.truth) == {"exact": 1.0} for e in items)
        assert all(task.score(e, f"Let me see.\nThe answer is {e.truth}.") == {"exact": 1.0} for e in items)
        assert all(task.score(e, "The answer is zzz 777.") == {"exact": 0.0} for e in items)
    assert not any(held_back(e.prompt) for e in drawn["train"])


@pytest.mark.parametrize("task", TASKS, ids=IDS)
def test_a_draw_is_a_function_of_its_randomness_and_begins_alike(task: Sized) -> None:
    split = task.splits[-1].name
    short = task.draw(split, 5, np.random.default_rng(3))
    long = task.draw(split, 12, np.random.default_rng(3))
    assert [e.id for e in short] == [e.id for e in long[:5]]
    assert [e.id for e in short] != [e.id for e in task.draw(split, 5, np.random.default_rng(4))]


def test_shown_problems_have_the_trained_sizes_in_turn() -> None:
    shown = digits.addition((2, 3), (5,)).shown(5, np.random.default_rng(0))
    assert [len(e.trace.steps[0].args["number"]) for e in shown] == [2, 3, 2, 3, 2]
    assert len({e.prompt for e in shown}) == 5


def test_sizes_are_what_a_split_says() -> None:
    task = dp.dp((4, 5), (8,))
    for split in task.splits:
        for e in task.draw(split.name, 10, np.random.default_rng(0)):
            assert len(e.short.split(",")) == split.at["numbers"]


def test_what_is_not_there_is_named() -> None:
    task = digits.addition((1,), (5,))
    with pytest.raises(Unknown, match="5 digits"):
        task.draw("6 digits", 1, np.random.default_rng(0))
    with pytest.raises(Invalid, match="different problems"):
        task.draw("1 digits", 20, np.random.default_rng(0))
