"""Where heads look: queries and keys worked by hand and found by brute force, and the mean of what falls on them."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.task import Batch
from unseen.measures.heads import identity_and_successor, mass
from unseen.tasks import hinted


def test_a_case_worked_by_hand() -> None:
    tokens = np.array([[1, 20, 6, 4, 4, 3, 4, 4, 6, 2]])  # sos sort c a a > a a c eos
    answer = np.array([[0, 0, 0, 0, 0, 0, 1, 1, 1, 1]], bool)
    queries, keys = identity_and_successor(Batch(tokens, answer))
    assert np.flatnonzero(queries[0]).tolist() == [6, 7]  # c has nothing larger to come
    assert np.flatnonzero(keys[0, 6]).tolist() == [2, 3, 4, 6] and np.flatnonzero(keys[0, 7]).tolist() == [
        2,
        3,
        4,
        6,
        7,
    ]
    weights = np.zeros((1, 2, 9, 9))
    weights[0, 0, 6, 3], weights[0, 0, 7, 1] = 1, 1
    weights[0, 1, 6, :7], weights[0, 1, 7, :8] = 1 / 7, 1 / 8
    assert mass(weights, queries, keys) == pytest.approx([0.5, (4 / 7 + 5 / 8) / 2])


def test_brute_force_agrees() -> None:
    batch = hinted.sorts(6, (9,), alphabet=7, repeat=True).batch("train", 30, np.random.default_rng(0))
    queries, keys = identity_and_successor(batch)
    for i, (row, marks) in enumerate(zip(batch.tokens, batch.answer, strict=True)):
        told = [int(t) for t, m in zip(row, marks, strict=True) if m and t >= 4]
        for q, token in enumerate(row):
            larger = sorted(t for t in told if t > token)
            assert queries[i, q] == bool(marks[q] and token >= 4 and larger)
            if queries[i, q]:
                assert keys[i, q].tolist() == [j <= q and t in (token, larger[0]) for j, t in enumerate(row)]


def test_attention_on_nothing_else_is_all_of_it() -> None:
    batch = hinted.sorts(6, (9,), alphabet=7, repeat=True).batch("length 9", 10, np.random.default_rng(0))
    queries, keys = identity_and_successor(batch)
    weights = keys[:, None] / np.maximum(1, keys.sum(-1))[:, None, :, None]
    assert mass(weights, queries, keys) == pytest.approx([1.0])
    assert mass(1 - (weights > 0), queries, keys) == pytest.approx([0.0])
