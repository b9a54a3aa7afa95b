"""Can a model add? Written plainly, with the sum's digits reversed, with index hints, or both.

    plain            prompt '0 2 7 + 0 4 5 >',                      truth '0 7 2'
    reversed         prompt '0 2 7 + 0 4 5 >',                      truth '2 7 0'
    hints            prompt 'i3 0 i4 2 i5 7 + i3 0 i4 4 i5 5 >',    truth 'i3 0 i4 7 i5 2'
    reversed+hints   the same prompt,                               truth 'i5 2 i4 7 i3 0'

Both numbers have one digit more than their length says: a leading zero, so that the sum is as wide as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from .layout import FIRST, Drawn, Lengthwise, Tokens, hints, interleaved, numbered, packed, splits, within, words_of

Format = Literal["plain", "reversed", "hints", "reversed+hints"]
Carries = Literal["standard", "balanced", "chain"]
PLUS = FIRST + 10
PAIRS = np.array([(a, b) for a in range(10) for b in range(10)])
STOP, FREE, PASS, MAKE = 0, 1, 2, 3  # kinds of places: sum ≤ 8, sum ≤ 9, sum = 9, sum ≥ 10


def sums(train: int, test: Sequence[int], format: Format = "plain", *, carries: Carries = "balanced") -> Lengthwise:
    """Sums of two numbers of 1..train digits, tested on longer ones.

    carries: `standard` draws every digit uniformly, so that long carry chains hardly occur; `balanced` makes one chain
    of uniform length at a uniform place; `chain` makes one through all digits, the hardest case.
    """
    if format not in get_args(Format) or carries not in get_args(Carries):
        raise Invalid(
            f"format={format!r}, carries={carries!r}: formats are {', '.join(get_args(Format))}, carries {', '.join(get_args(Carries))}."
        )
    found = splits(train, test)
    longest = max((train, *test)) + 1
    hinted, back = "hints" in format, "reversed" in format
    ids = longest + longest // 4 if hinted else 0

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        a, b = _operands(lengths, carries, rng)
        total = _added(a, b)
        wide = within(lengths + 1)
        index = PLUS + 1 + hints(lengths + 1, ids, rng) if hinted else None
        plus = np.full((len(lengths), 1), PLUS)
        prompt = packed(_written(index, a, wide), plus, _written(index, b, wide))
        return Drawn(prompt, _answer(index, total, wide, back))

    name = "addition" if format == "plain" else f"addition+{format}"
    words = words_of([str(i) for i in range(10)], "+", numbered("i", ids))
    return Lengthwise(name, words, (1, train), found, sample, lambda n: (6 if hinted else 3) * (n + 1) + 1)


def _operands(lengths: Tokens, carries: Carries, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
    """Both numbers' digits [item place], most significant first from place 1 on; place 0 is the leading zero.

    Digits beyond an item's length are 0 and mean nothing.
    """
    n, wide = len(lengths), int(lengths.max())
    digits = rng.integers(0, 10, (2, n, wide)) if carries == "standard" else _pairs(_kinds(lengths, carries, rng), rng)
    digits = np.where(within(lengths), digits, 0)
    zero = np.zeros((n, 1), np.int64)
    return np.concatenate([zero, digits[0]], axis=1), np.concatenate([zero, digits[1]], axis=1)


def _kinds(lengths: Tokens, carries: Carries, rng: np.random.Generator) -> Tokens:
    """What each place [item place] does with a carry: one chain of carries, made at its lowest place and passed on.

    The chain's length is uniform in 0..length (all of it for `chain`), and so is its place.
    """
    size = lengths if carries == "chain" else rng.integers(0, lengths + 1)
    top = rng.integers(0, lengths - size + 1)  # its most significant place, counted from the left
    at = np.arange(int(lengths.max()))
    last = (top + size - 1)[:, None]
    kinds = np.full((len(lengths), len(at)), FREE)
    kinds[(at >= top[:, None]) & (at < last)] = PASS
    kinds[(at == last) & (size > 0)[:, None]] = MAKE
    kinds[(at == (top - 1)[:, None]) & (size > 0)[:, None]] = STOP
    return kinds


def _pairs(kinds: Tokens, rng: np.random.Generator) -> NDArray[np.int64]:
    """Digit pairs [2 item place], uniform among those of each place's kind."""
    total = PAIRS.sum(1)
    groups = [
        np.flatnonzero(total <= 8),
        np.flatnonzero(total <= 9),
        np.flatnonzero(total == 9),
        np.flatnonzero(total >= 10),
    ]
    sizes = np.array([len(g) for g in groups])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    pick = np.floor(rng.random(kinds.shape) * sizes[kinds]).astype(np.int64)
    return np.moveaxis(PAIRS[np.concatenate(groups)[starts[kinds] + pick]], 2, 0)


def _added(a: Tokens, b: Tokens) -> Tokens:
    """The sum's digits [item place], most significant first; digits beyond an item's length must be 0."""
    total, carry = np.zeros_like(a), np.zeros(len(a), np.int64)
    for place in range(a.shape[1] - 1, -1, -1):
        here = a[:, place] + b[:, place] + carry
        total[:, place], carry = here % 10, here // 10
    return total


def _written(index: Tokens | None, digits: Tokens, wide: NDArray[np.bool_]) -> Tokens:
    """Digits as tokens, each after its hint where there are hints."""
    digits = np.where(wide, FIRST + digits, 0)
    return digits if index is None else interleaved(np.where(wide, index, 0), digits)


def _answer(index: Tokens | None, total: Tokens, wide: NDArray[np.bool_], back: bool) -> Tokens:
    if back:
        total, wide, index = total[:, ::-1], wide[:, ::-1], None if index is None else index[:, ::-1]
    return packed(_written(index, total, wide))
