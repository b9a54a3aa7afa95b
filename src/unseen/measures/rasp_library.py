"""Which pieces are RASP-L programs made of? Each is a few calls of the core, as in the paper's library.

    run(shift_right(tokens(), 1, default=0), [[5, 6, 7]])  ->  [[0, 5, 6]]

Written anew from the descriptions of Zhou et al. 2023; `argmax` names its predicate, which the published library leaves
out.
"""

from __future__ import annotations

from .rasp import Node, full, indices, kqv, sel_width, select, where


def shift_right(x: Node, n: int, default: int = 0) -> Node:
    """The token n positions earlier."""
    return kqv(indices() + n, indices(), x, "==", default=default)


def cumsum(flags: Node) -> Node:
    """How many of the flags are set up to here."""
    return sel_width(select(flags, 1, "=="))


def mask(x: Node, flags: Node, hidden: int = 0) -> Node:
    """x where the flags are set, a value that nothing matches elsewhere."""
    return where(flags, x, full(hidden))


def maximum(x: Node) -> Node:
    """The largest number so far."""
    return kqv(x, x, x, "true", reduction="max")


def minimum(x: Node) -> Node:
    """The smallest number so far."""
    return kqv(x, x, x, "true", reduction="min")


def argmax(x: Node) -> Node:
    """The latest index of the largest number so far."""
    return kqv(x, maximum(x), indices(), "==", reduction="max")


def num_prev(x: Node, q: Node | int) -> Node:
    """How often q occurred in x up to here."""
    return sel_width(select(x, q, "=="))


def has_seen(x: Node, q: Node | int) -> Node:
    """Whether q occurred in x up to here."""
    return kqv(x, q, full(1), "==", default=0, reduction="max")


def firsts(x: Node, q: Node | int, default: int = -1) -> Node:
    """The index where q first occurred in x."""
    return kqv(x, q, indices(), "==", default=default, reduction="min")


def lasts(x: Node, q: Node | int, default: int = -1) -> Node:
    """The index where q last occurred in x."""
    return kqv(x, q, indices(), "==", default=default, reduction="max")


def index_select(x: Node, at: Node, default: int = 0) -> Node:
    """The token at an index that is not later than here."""
    return kqv(indices(), at, x, "==", default=default)


def first_true(flags: Node, default: int = -1) -> Node:
    """The first index where a flag is set."""
    return kqv(flags, 1, indices(), "==", default=default, reduction="min")


def induct(x: Node, q: Node, *, offset: int = 1, default: int = 0) -> Node:
    """The token `offset` positions after the earlier occurrence of q in x (their mean, where there are several)."""
    return kqv(shift_right(x, offset), q, x, "==", default=default)


def induct_prev(x: Node, q: Node, *, offset: int = 1, default: int = 0) -> Node:
    """The token `offset` positions before the latest earlier occurrence of q in x."""
    before = shift_right(x, offset)
    return index_select(before, lasts(x, q), default)


def binary_mode(x: Node) -> Node:
    """The more frequent of 0 and 1 so far: 1 where at least half are ones (the mean of 2x, rounded down and clipped)."""
    return kqv(x, x, x * 2, "true", reduction="mean") >= 1


def mode(x: Node) -> Node:
    """The most frequent token so far: of several, the one that got there last."""
    count = num_prev(x, x)
    return index_select(x, argmax(count))
