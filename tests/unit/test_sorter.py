"""The sorter with weights written by hand: it sorts as Python does at every length, and its sharpness is needed."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.measures.heads import identity_and_successor, mass
from unseen.models import sorter
from unseen.tasks import hinted
from unseen.tasks.layout import EOS, FIRST, SEP, SOS

ALPHABET = 12
TASK = hinted.sorts(5, (10, 40, 100), alphabet=ALPHABET, repeat=True)
MADE = sorter.built(TASK.vocab, range(FIRST, FIRST + ALPHABET), longest=100)


def written(prompt: list[int], sharpness: float, most: int = 120) -> list[int]:
    """What the sorter writes after '>' by itself, token after token."""
    row = [SOS, *prompt, SEP]
    begin = len(row)
    while len(row) < begin + most:
        logits, _ = sorter.forward(MADE, np.array([row]), np.array([sharpness]))
        row.append(int(logits[0, -1].argmax()))
        if row[-1] == EOS:
            break
    return row[begin:-1]


@pytest.mark.parametrize("length", [1, 2, 5, 10, 40])
def test_it_writes_what_sorted_says(length: int) -> None:
    rng = np.random.default_rng(length)
    for _ in range(3):
        x = (FIRST + rng.integers(0, ALPHABET, length)).tolist()
        assert written(x, 1 + np.log(length)) == sorted(x)


def test_it_sorts_a_hundred_symbols_with_no_training() -> None:
    batch = TASK.batch("length 100", 10, np.random.default_rng(0))
    logits, _ = sorter.forward(MADE, batch.tokens[:, :-1], np.full(10, 1 + np.log(100)))
    assert np.all((logits.argmax(-1) == batch.tokens[:, 1:]) | ~batch.answer[:, 1:])


def test_the_hardest_inputs() -> None:
    """All alike, and one symbol below a crowd that lies just above the next one: n · exp(−β) is largest."""
    low, mid, high = FIRST, FIRST + 1, FIRST + 2
    for x in (
        [low] * 30,
        [low, mid, *[high] * 60],
        [high, *[mid] * 29, low],
        list(range(FIRST, FIRST + ALPHABET))[::-1],
    ):
        assert written(x, 1 + np.log(len(x))) == sorted(x), x


def test_a_fixed_sharpness_does_not_do() -> None:
    def right(length: int) -> float:
        batch = TASK.batch(f"length {length}", 10, np.random.default_rng(0))
        logits, _ = sorter.forward(MADE, batch.tokens[:, :-1], np.full(10, 1.2))
        return float(np.all((logits.argmax(-1) == batch.tokens[:, 1:]) | ~batch.answer[:, 1:], axis=1).mean())

    assert right(5) > 0.8 and right(100) < 0.5
    crowd = [FIRST, FIRST + 1, *[FIRST + 2] * 60]
    assert written(crowd, 1 + np.log(3)) != sorted(crowd) == written(crowd, 1 + np.log(62))


def test_its_heads_read_identity_and_successor() -> None:
    batch = TASK.batch("length 40", 4, np.random.default_rng(0))
    _, weights = sorter.forward(MADE, batch.tokens[:, :-1], np.full(4, 1 + np.log(40)))
    assert np.allclose(weights[1].sum(-1), 1)
    both = mass(weights[1], *identity_and_successor(batch))
    assert both[sorter.IDENTITY[1]] > 0.99 and both[sorter.SUCCESSOR[1]] > 0.9
