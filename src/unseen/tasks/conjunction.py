"""Can a model tell whether all bits are one? On longer strings, or where a zero stands at places it never stood before.

length   prompt '1 1 0 1 >', truth '0'         half of the strings are all ones, the others hold a single zero
place    the same at one length; trained with the zero before the last quarter, tested with it inside
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split

from .layout import FIRST, Drawn, Lengthwise, Tokens, splits, within, words_of

EARLY, LATE = "zero early", "zero late"


def conjunctions(train: int, test: Sequence[int]) -> Lengthwise:
    """The conjunction of 1..train bits, tested on more."""

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        return _strings(lengths, np.zeros_like(lengths), lengths, rng)

    return Lengthwise("and", words_of("01"), (1, train), splits(train, test), sample, lambda n: n + 1)


def places(length: int) -> Lengthwise:
    """The conjunction of `length` bits whose last quarter is all ones in training and holds the zero in the test.

    The familiar answer is that of the rule which ignores the last quarter, as the interpolator of least degree does.
    """
    if length < 4:
        raise Invalid(f"length={length}: strings of at least 4 bits have a last quarter.")
    known = length - length // 4
    found = tuple(
        Split(name, "place", {"length": length, "place": name.split()[-1]}, shifted)
        for name, shifted in ((EARLY, False), (LATE, True))
    )

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        low, high = (known, length) if split == LATE else (0, known)
        return _strings(lengths, np.full_like(lengths, low), np.full_like(lengths, high), rng)

    def familiar(split: Split, prompt: str) -> str | None:
        return "1" if split.shifted and "0" in prompt else None

    return Lengthwise("and-places", words_of("01"), (length, length), found, sample, lambda n: n + 1, familiar)


def _strings(lengths: Tokens, low: Tokens, high: Tokens, rng: np.random.Generator) -> Drawn:
    """Strings of ones, every other one (by a fair coin) with a zero at a uniform place in low..high-1."""
    bits = np.where(within(lengths), FIRST + 1, 0)
    holds = rng.random(len(lengths)) < 0.5
    place = rng.integers(low, high)
    bits[holds, place[holds]] = FIRST
    return Drawn(bits, FIRST + 1 - holds.astype(np.int64)[:, None])
