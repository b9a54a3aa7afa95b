"""Can a model count on? From a first number to a last one, each number a token of its own.

prompt '3 7 >', truth '3 4 5 6 7'          length 5
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layout import FIRST, Drawn, Lengthwise, Tokens, splits, within, words_of


def counts(train: int, test: Sequence[int], *, numbers: int | None = None) -> Lengthwise:
    """Counting up over 1..train numbers, tested on longer stretches. `numbers` (default 1.5 times the longest stretch)
    is how many there are: every one of them is met in training, at whatever length."""
    found = splits(train, test)
    longest = max((train, *test))
    size = numbers or longest + longest // 2

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        first = rng.integers(0, size - lengths + 1)
        answer = np.where(within(lengths), FIRST + first[:, None] + np.arange(int(lengths.max())), 0)
        return Drawn(FIRST + np.stack([first, first + lengths - 1], axis=1), answer)

    return Lengthwise("count", words_of([str(i) for i in range(size)]), (1, train), found, sample, lambda n: n + 2)
