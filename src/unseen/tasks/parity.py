"""Can a model tell whether the number of ones is odd? Alone, or while keeping a running parity.

none            prompt '1 0 1 >',           truth '0'
ones            prompt '1 0 1 >',           truth '1 0 0'               the running parity at each one, then the answer
ones, hints     prompt 'i4 1 i5 0 i6 1 >',  truth 'i4 1 i6 0 0'         the same, each after the index of its one
every           prompt '1 0 1 >',           truth '1 1 0 0'             the running parity at every bit, then the answer
every, hints    prompt 'i4 1 i5 0 i6 1 >',  truth 'i4 1 i5 1 i6 0 0'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .layout import FIRST, Drawn, Lengthwise, Tokens, hints, interleaved, numbered, packed, splits, within, words_of

Scratchpad = Literal["none", "ones", "every"]


def parities(train: int, test: Sequence[int], scratchpad: Scratchpad = "none", *, hinted: bool = False) -> Lengthwise:
    """The parity of 1..train fair bits, tested on more; `hinted` puts an index before every bit, and into the scratchpad."""
    found = splits(train, test)
    longest = max((train, *test))
    ids = longest + longest // 4 if hinted else 0

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        inside = within(lengths)
        bits = rng.integers(0, 2, inside.shape) * inside
        running = np.cumsum(bits, axis=1) % 2
        index = FIRST + 2 + hints(lengths, ids, rng) if hinted else None
        prompt = _written(index, FIRST + bits, inside)
        answer = FIRST + running[:, -1:]
        if scratchpad != "none":
            kept = inside if scratchpad == "every" else inside & (bits == 1)
            answer = packed(_written(index, FIRST + running, kept), answer)
        return Drawn(prompt, answer)

    name = "parity" + (f"+{scratchpad}" if scratchpad != "none" else "") + ("+hints" if hinted else "")
    room = (2 if hinted else 1) * (1 if scratchpad == "none" else 2)
    return Lengthwise(name, words_of("01", numbered("i", ids)), (1, train), found, sample, lambda n: room * n + 1)


def _written(index: Tokens | None, values: Tokens, kept: np.ndarray) -> Tokens:
    """The values where kept, each after its index where there is one, padding at the end."""
    values = np.where(kept, values, 0)
    if index is None:
        return packed(values)
    return packed(interleaved(np.where(kept, index, 0), values))
