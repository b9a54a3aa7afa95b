"""Can a model copy? With symbols that all differ, the next one is found by its neighbour; with two symbols it is not.

unique   prompt 's7 s2 s9 >', truth 's7 s2 s9'
repeat   prompt 's0 s1 s1 >', truth 's0 s1 s1'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .layout import FIRST, Drawn, Lengthwise, Tokens, distinct, numbered, splits, within, words_of


def copies(
    train: int, test: Sequence[int], symbols: Literal["unique", "repeat"], *, alphabet: int | None = None
) -> Lengthwise:
    """Copying of 1..train symbols, tested on longer ones: all different, or two symbols drawn with replacement.

    `alphabet` defaults to the longest length and a quarter of it more for unique symbols, to 2 for repeated ones.
    """
    found = splits(train, test)
    longest = max((train, *test))
    size = alphabet or (longest + longest // 4 if symbols == "unique" else 2)

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        if symbols == "unique":
            x = distinct(lengths, size, rng)
        else:
            x = rng.integers(0, size, (len(lengths), int(lengths.max())))
        x = np.where(within(lengths), FIRST + x, 0)
        return Drawn(x, x)

    return Lengthwise(f"copy-{symbols}", words_of(numbered("s", size)), (1, train), found, sample, lambda n: 2 * n)
