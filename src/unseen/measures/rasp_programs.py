"""Which program answers which task? One RASP-L program for every task of lengths that has one, and a longer-armed one
(with arithmetic on positions) for those that have none we know.

    exact(program("sort"), task.batch("length 20", 500, rng))  ->  all True

Each program says the next token at every position of `sos prompt > answer eos` and knows neither the input's length nor
the size of its alphabet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Unknown, nearest
from unseen.core.task import Batch
from unseen.tasks.addition import PLUS
from unseen.tasks.layout import EOS, FIRST, SEP, SOS
from unseen.tasks.mode import ALPHABET

from .rasp import Node, breaches, full, indices, kqv, run, tokens, where
from .rasp_library import (
    argmax,
    cumsum,
    firsts,
    has_seen,
    index_select,
    induct,
    lasts,
    mask,
    mode,
    num_prev,
    shift_right,
)

ZERO, ONE = FIRST, FIRST + 1
AT_ONCE = 8_000_000  # numbers in one attention matrix
LAST_SYMBOL = FIRST + len(ALPHABET) - 1


def program(task: str) -> Node:
    """The program of a task. Raises Unknown with the nearest names."""
    if task not in PROGRAMS:
        raise Unknown(
            f"no RASP program is written for {task!r}{nearest(task, PROGRAMS)}. There is one for: {', '.join(PROGRAMS)}."
        )
    return PROGRAMS[task]()


def in_rasp_l(task: str) -> bool:
    """Whether the task's program keeps to RASP-L."""
    return not breaches(program(task))


def exact(node: Node, batch: Batch) -> NDArray[np.bool_]:
    """Whether a program, run greedily, answers each sequence of a batch exactly right [item].

    Items are run in pieces, so that the attention matrices [item length length] take a few hundred megabytes at most.
    """
    pieces = -(-batch.tokens.size * batch.tokens.shape[1] // AT_ONCE)
    said = np.concatenate([run(node, part) for part in np.array_split(batch.tokens, pieces)])[:, :-1]
    return np.all((said == batch.tokens[:, 1:]) | ~batch.answer[:, 1:], axis=1)


def _conjunction() -> Node:
    x = tokens()
    return where(x.eq(SEP), kqv(x, ZERO, full(ZERO), "==", default=ONE), EOS)


def _count() -> Node:
    x = tokens()
    prev = shift_right(x, 1)
    first, last = kqv(prev, SOS, x, "=="), kqv(x, SEP, prev, "==")
    return where(x.eq(SEP), first, where(x.eq(last), EOS, x + 1))


def _copy_unique() -> Node:
    x = tokens()
    found = induct(x, where(x.eq(SEP), SOS, x))
    return where(found.eq(SEP), EOS, found)


def _copy_repeat() -> Node:
    x = tokens()
    found = index_select(x, cumsum(has_seen(x, SEP)))
    return where(found.eq(SEP), EOS, found)


def _sort() -> Node:
    x = tokens()
    return kqv(x, x, x, ">", default=EOS, reduction="min")


def _mode() -> Node:
    x = tokens()
    return where(x.eq(SEP), mode(x), EOS)


def _mode_itemized() -> Node:
    """After a number (or at the start) comes the symbol that first occurs next; after a symbol its count; at the end
    the most frequent one, which by then stands in the answer for a second time."""
    x, at = tokens(), indices()
    after, prev = has_seen(x, SEP), shift_right(x, 1)
    prompt = mask(x, ~after)
    begun = mask(at, firsts(x, x).eq(at) & ~after, -1)
    here = where(x.eq(SEP), 0, firsts(x, prev))
    following = kqv(begun, here, begun, ">", default=0, reduction="min")
    best = index_select(x, argmax(mask(num_prev(x, x), ~after)))
    symbol = where(following.eq(0), best, index_select(x, following))
    said = num_prev(mask(x, after), x) >= 2
    return where((x > LAST_SYMBOL) | x.eq(SEP), symbol, where(said, EOS, num_prev(prompt, x) + LAST_SYMBOL))


def _mode_counts() -> Node:
    """Every symbol's count and first place, and among those that come after the last pair the first: a program as long
    as the alphabet."""
    x = tokens()
    prev, prompt = shift_right(x, 1), mask(x, ~has_seen(x, SEP))
    is_number = x > LAST_SYMBOL
    last = where(is_number, prev, x)
    count, place = num_prev(prompt, last), firsts(x, last)
    symbol, most, begun = full(0), full(0), full(0)
    for letter in range(FIRST, LAST_SYMBOL + 1):
        n, first = num_prev(prompt, letter), firsts(x, letter)
        later = (n >= 1) & ((n > count) | ((n >= count) & (first > place)))
        sooner = symbol.eq(0) | (n < most) | ((n <= most) & (first < begun))
        take = later & sooner
        symbol, most, begun = where(take, letter, symbol), where(take, n, most), where(take, first, begun)
    ended = (prev >= FIRST) & (prev <= LAST_SYMBOL) & ~x.eq(SEP)
    pair = where(symbol.eq(0), x, where(is_number, symbol, most + LAST_SYMBOL))
    return where(ended & ~is_number, EOS, pair)


def _parity() -> Node:
    x = tokens()
    return where(x.eq(SEP), num_prev(x, ONE) % 2 + ZERO, EOS)


def _flipped(bit: Node) -> Node:
    return where(bit.eq(ONE), ZERO, ONE)


def _parity_ones() -> Node:
    x = tokens()
    after = has_seen(x, SEP)
    ones, said = cumsum(x.eq(ONE) & ~after), cumsum(after)
    more = where(x.eq(SEP), ONE, _flipped(x))
    return where(said <= ones, more, where(said <= ones + 1, where(x.eq(SEP), ZERO, x), EOS))


def _parity_ones_hints() -> Node:
    x = tokens()
    prev = shift_right(x, 1)
    hint = mask(prev, x.eq(ONE))
    following = kqv(hint, where(x.eq(SEP), ONE, prev), hint, ">", default=where(x.eq(SEP), ZERO, x), reduction="min")
    flipped = where(prev.eq(ONE), ZERO, ONE)
    return where(x > ONE, flipped, where((prev > ONE) | x.eq(SEP), following, EOS))


def _parity_every() -> Node:
    x = tokens()
    said, end = cumsum(has_seen(x, SEP)), lasts(x, SEP)
    bit = index_select(x, said)
    parity = where(x.eq(ONE), _flipped(bit), bit)
    return where(said < end, parity, where(said <= end, x, EOS))


def _parity_every_hints() -> Node:
    x = tokens()
    prev = shift_right(x, 1)
    bit = kqv(prev, x, x, "==")
    parity = where(prev.eq(ONE), _flipped(bit), bit)
    following = where(has_seen(x, prev + 1), prev + 1, where(prev > ONE, x, EOS))
    first = kqv(prev, SOS, x, "==")
    return where(x.eq(SEP), first, where(x > ONE, parity, where(prev > ONE, following, EOS)))


def _addition(*, back: bool) -> Node:
    """Without hints places must be counted off: position minus that of the plus, which RASP-L forbids."""
    x, at = tokens(), indices()
    after, plus = has_seen(x, SEP), lasts(x, PLUS)
    said = cumsum(after)
    second = has_seen(x, PLUS) & ~after & ~x.eq(PLUS)
    place = mask(at - plus, second, -1)
    total = x + index_select(x, at - plus) - 2 * FIRST
    digit = _summed(total, place, plus - said if back else said)
    return where(said >= plus, EOS, digit)


def _summed(total: Node, place: Node, wanted: Node) -> Node:
    """The digit of the sum at a place, given every place's sum of digits: with the carry of the nearest place below
    whose digits do not sum to nine."""
    decides = mask(place, ~total.eq(9), -1)
    below = kqv(decides, wanted, decides, ">", default=-2, reduction="min")
    carry = kqv(place, below, total, "==") >= 10
    return (kqv(place, wanted, total, "==") + carry) % 10 + FIRST


def _addition_hints() -> Node:
    x = tokens()
    prev, after = shift_right(x, 1), has_seen(x, SEP)
    digits = mask(prev, ~after)
    total = kqv(digits, prev, x, "==", reduction="max") + kqv(digits, prev, x, "==", reduction="min") - 2 * FIRST
    place = mask(prev, has_seen(x, PLUS) & ~after & (prev > PLUS), -1)
    first = kqv(prev, SOS, x, "==")
    following = where(has_seen(x, prev + 1), prev + 1, EOS)
    return where(x > PLUS, _summed(total, place, x), where(x.eq(SEP), first, following))


def _addition_reversed_hints() -> Node:
    """The carry is read off the digit just written: the sum of its digits exceeds it by nine or ten if it overflowed."""
    x = tokens()
    prev, before = shift_right(x, 1), shift_right(x, 2)
    digits = mask(prev, ~has_seen(x, SEP))

    def total(hint: Node) -> Node:
        return kqv(digits, hint, x, "==", reduction="max") + kqv(digits, hint, x, "==", reduction="min") - 2 * FIRST

    carry = (total(before) - prev + FIRST >= 9) & ~prev.eq(SEP)
    digit = (total(x) + carry) % 10 + FIRST
    first = kqv(prev, SOS, x, "==")
    return where(x > PLUS, digit, where(x.eq(SEP), before, where(prev.eq(first), EOS, prev - 1)))


PROGRAMS: Mapping[str, Callable[[], Node]] = {
    "and": _conjunction,
    "and-places": _conjunction,
    "count": _count,
    "copy-unique": _copy_unique,
    "copy-repeat": _copy_repeat,
    "sort": _sort,
    "mode": _mode,
    "mode+counts": _mode_counts,
    "mode+itemized": _mode_itemized,
    "parity": _parity,
    "parity+hints": _parity,
    "parity+ones": _parity_ones,
    "parity+ones+hints": _parity_ones_hints,
    "parity+every": _parity_every,
    "parity+every+hints": _parity_every_hints,
    "addition": lambda: _addition(back=False),
    "addition+reversed": lambda: _addition(back=True),
    "addition+hints": _addition_hints,
    "addition+reversed+hints": _addition_reversed_hints,
}
