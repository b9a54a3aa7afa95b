"""Batches of several members as one array."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.core.task import Batch
from unseen.tasks.batches import SHARES, each_its, padded, places, prompts


def test_places_are_those_before_answers_in_few_sizes() -> None:
    answer = np.random.default_rng(0).random((3, 8, 9)) < 0.4
    answer[0, :, 1:] = False
    answer[0, 2, 5] = True
    keep, weight = places(answer)
    assert keep.shape[1] % (8 * 8 // SHARES) == 0
    for marks, its, share in zip(answer, keep, weight, strict=True):
        wanted = [row * 8 + at - 1 for row, at in zip(*np.nonzero(marks), strict=True) if at > 0]
        assert its[share > 0].tolist() == wanted
        assert share[share > 0] == pytest.approx(1 / len(wanted))


def test_a_member_may_have_no_answer_among_those_of_others() -> None:
    answer = np.zeros((2, 1, 3), bool)
    answer[0, 0, 2] = True
    keep, weight = places(answer)
    assert keep.tolist() == [[1], [0]] and weight.tolist() == [[1.0], [0.0]]


def test_a_batch_that_teaches_nothing_or_is_too_wide_is_refused() -> None:
    tokens, first = np.ones((2, 5), int), np.zeros((2, 5), bool)
    first[:, 0] = True  # what nothing stands before cannot be learned
    with pytest.raises(Invalid, match="no answer tokens"):
        padded([Batch(tokens, first)], 5)
    with pytest.raises(Invalid, match="5 tokens wide, more than the 4"):
        padded([Batch(tokens, ~first)], 4)
    with pytest.raises(Invalid, match="no answer tokens"):
        padded([Batch(tokens[:0], first[:0])], 5)


def test_prompts_end_where_answers_begin() -> None:
    answer = np.array([[[0, 0, 1, 1, 0], [0, 0, 0, 0, 1]]], bool)
    assert prompts(answer).tolist() == [[2, 4]]


def test_a_task_is_all_members_or_each_has_its_own() -> None:
    assert each_its(1, 3) == [1, 1, 1]  # type: ignore[arg-type]
    assert each_its([1, 2], 2) == [1, 2]  # type: ignore[list-item]
    with pytest.raises(Invalid, match="1 tasks for 2 members; give one, or one for each"):
        each_its([1], 2)  # type: ignore[list-item]
