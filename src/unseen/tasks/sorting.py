"""Can a model sort? Symbols without repetition, written again in ascending order.

prompt 's7 s2 s9 >', truth 's2 s7 s9'
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layout import FIRST, Drawn, Lengthwise, Tokens, distinct, numbered, splits, within, words_of


def sorts(train: int, test: Sequence[int], *, alphabet: int | None = None) -> Lengthwise:
    """Sorting of 1..train different symbols, tested on more. `alphabet` defaults to 1.5 times the longest."""
    found = splits(train, test)
    longest = max((train, *test))
    size = alphabet or longest + longest // 2

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        inside = within(lengths)
        x = FIRST + distinct(lengths, size, rng)
        ordered = np.sort(np.where(inside, x, np.iinfo(np.int64).max), axis=1)
        return Drawn(np.where(inside, x, 0), np.where(inside, ordered, 0))

    return Lengthwise("sort", words_of(numbered("s", size)), (1, train), found, sample, lambda n: 2 * n)
