"""Can a model tell which symbol is most frequent? Alone, or with a scratchpad that helps or hurts.

none       prompt 'a b b c >', truth 'b'
counts     prompt 'a b b c >', truth '1 a 1 c 2 b b'      (count, symbol) by rising count, then the answer
itemized   prompt 'a b b c >', truth 'a 1 b 2 c 1 b'      (symbol, count) as they first occur, then the answer
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from .layout import FIRST, Drawn, Lengthwise, Tokens, interleaved, packed, splits, within, words_of

Scratchpad = Literal["none", "counts", "itemized"]
ALPHABET = "abcde"
SHORTEST = 3


def modes(train: int, test: Sequence[int], scratchpad: Scratchpad = "none") -> Lengthwise:
    """The most frequent of 3..train symbols from an alphabet of five, tested on longer strings.

    Ties for the most frequent are broken by turning one occurrence of another into the winner.
    """
    found = splits(train, test, least=SHORTEST)
    k, longest = len(ALPHABET), max((train, *test))
    numbers = [str(i + 1) for i in range(longest)] if scratchpad != "none" else []

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        x = _unique_mode(lengths, rng)
        occurs = _occurrences(x)
        answer = FIRST + occurs.argmax(1)[:, None]
        if scratchpad != "none":
            answer = packed(_listed(x, occurs, scratchpad), answer)
        return Drawn(np.where(x >= 0, FIRST + x, 0), answer)

    name = "mode" if scratchpad == "none" else f"mode+{scratchpad}"
    room = 1 if scratchpad == "none" else 2 * k + 1
    return Lengthwise(name, words_of(ALPHABET, numbers), (SHORTEST, train), found, sample, lambda n: n + room)


def _occurrences(x: Tokens) -> Tokens:
    """How often each symbol occurs [item symbol] in x [item place], -1 being no symbol."""
    return (x[:, :, None] == np.arange(len(ALPHABET))).sum(1)


def _unique_mode(lengths: Tokens, rng: np.random.Generator) -> Tokens:
    """Symbols [item place], -1 outside the length, whose most frequent one is unique."""
    inside = within(lengths)
    x = np.where(inside, rng.integers(0, len(ALPHABET), inside.shape), -1)
    occurs = _occurrences(x)
    first_of_tied = np.where(occurs == occurs.max(1, keepdims=True), rng.random(occurs.shape), -1.0)
    winner, loser = np.argsort(-first_of_tied, axis=1)[:, :2].T
    tied = (first_of_tied >= 0).sum(1) > 1
    moved = np.where(x == loser[:, None], rng.random(x.shape), -1.0).argmax(1)
    x[tied, moved[tied]] = winner[tied]
    return x


def _listed(x: Tokens, occurs: Tokens, scratchpad: Scratchpad) -> Tokens:
    """The scratchpad's tokens [item 2·symbol], those of symbols that do not occur left as padding."""
    k, never = len(ALPHABET), x.shape[1]
    here = x[:, :, None] == np.arange(k)
    first = np.where(here.any(1), here.argmax(1), never)
    order = np.argsort(first, axis=1, kind="stable")
    if scratchpad == "counts":
        by_count = np.argsort(np.take_along_axis(occurs, order, 1), axis=1, kind="stable")
        order = np.take_along_axis(order, by_count, 1)
    counted = np.take_along_axis(occurs, order, 1)
    symbol = np.where(counted > 0, FIRST + order, 0)
    number = np.where(counted > 0, FIRST + k - 1 + counted, 0)
    return interleaved(number, symbol) if scratchpad == "counts" else interleaved(symbol, number)
