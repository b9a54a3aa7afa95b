"""Pairs as a task: tokens by hand, draws by weight and by pace against their shares."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.core.record import Split
from unseen.core.task import TokenTask
from unseen.methods.fit import Paced
from unseen.tasks.paired import Asked, Pair, Paired, encoded, vocabulary

TRAIN: list[Pair] = [("a", "A"), ("a b", "A B"), ("b a b", "B A B A"), ("b", "B")]
TEST: list[Pair] = [("b b", "B B"), ("a a", "A A")]


def made(weights: list[float] | None = None, enters: list[float] | None = None) -> Paired:
    tests = (Asked(Split("known"), TRAIN), Asked(Split("new", "composition", shifted=True), TEST))
    arrays = (None if x is None else np.array(x) for x in (weights, enters))
    return Paired("letters", vocabulary([*TRAIN, *TEST]), TRAIN, tests, *arrays)


def test_tokens_by_hand() -> None:
    task = made()
    assert task.words == ("", "<s>", "</s>", ">", "a", "b", "A", "B") and task.vocab == 8
    batch = task.batch("new", 2, np.random.default_rng(0))
    assert batch.tokens.tolist() == [[1, 5, 5, 3, 7, 7, 2], [1, 4, 4, 3, 6, 6, 2]]
    assert batch.answer.tolist() == [[False] * 4 + [True] * 3] * 2
    assert (task.longest("train"), task.longest("new"), task.size("new")) == (10, 7, 2)
    assert isinstance(task, TokenTask) and isinstance(task, Paced)


def test_what_is_drawn_is_what_was_given() -> None:
    task = made()
    batch = task.batch("train", 200, np.random.default_rng(1))
    assert {task.text(row) for row in batch.tokens} == set(TRAIN)
    assert [(e.prompt, e.truth) for e in task.draw("known", 9, np.random.default_rng(0))] == TRAIN
    example = task.draw("new", 1, np.random.default_rng(0))[0]
    assert example.split.shifted and example.at["source_words"] == 2
    assert task.score(example, f"  {example.truth}\n") == {"exact": 1.0} and task.score(example, "A") == {"exact": 0.0}
    few = [task.batch("known", 2, np.random.default_rng(i)).tokens for i in range(20)]
    assert all(len({tuple(row) for row in tokens}) == 2 for tokens in few)


def test_a_batch_is_as_wide_as_its_longest_sequence() -> None:
    task = made(weights=[1, 0, 0, 1])
    assert task.batch("train", 8, np.random.default_rng(0)).tokens.shape == (8, 5)


def test_weights_are_the_shares_of_draws() -> None:
    task = made(weights=[5, 3, 2, 0])
    batch = task.batch("train", 20_000, np.random.default_rng(0))
    found = Counter(task.text(row) for row in batch.tokens)
    assert [found[p] / 20_000 for p in TRAIN] == pytest.approx([0.5, 0.3, 0.2, 0], abs=0.015)


def test_pairs_come_when_they_enter_and_keep_their_shares() -> None:
    task = made(weights=[2, 1, 1, 4], enters=[0, 0, 0.5, 0.8])
    for done, shares in (
        (0.0, [2 / 3, 1 / 3, 0, 0]),
        (0.49, [2 / 3, 1 / 3, 0, 0]),
        (0.5, [0.5, 0.25, 0.25, 0]),
        (0.8, [0.25, 0.125, 0.125, 0.5]),
    ):
        batch = task.paced("train", 20_000, np.random.default_rng(0), done)
        found = Counter(task.text(row) for row in batch.tokens)
        assert [found[p] / 20_000 for p in TRAIN] == pytest.approx(shares, abs=0.015)
    assert np.array_equal(
        task.paced("new", 2, np.random.default_rng(0), 0).tokens, task.batch("new", 2, np.random.default_rng(0)).tokens
    )


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(Unknown, match="known"):
        made().batch("knwn", 1, np.random.default_rng(0))
    with pytest.raises(Invalid, match="3 values for 4"):
        made(weights=[1, 1, 1])
    with pytest.raises(Invalid, match="enter at 0"):
        made(enters=[0.1, 0.2, 0.3, 0.4])
    with pytest.raises(Invalid, match="no pairs"):
        Paired("none", ("",), [], ())
    with pytest.raises(Invalid, match="'c'"):
        encoded([("c", "A")], {"A": 4})
    with pytest.raises(Invalid, match="mark"):
        vocabulary([("a >", "A")])
