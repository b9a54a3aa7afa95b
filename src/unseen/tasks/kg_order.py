"""What follows from comparisons? Reachability in the graph of `at least`: x ≥ … ≥ y is known if a path leads there.

known: x > a, a ≥ b, b = y    ->   x > y, for the path x a b y has a strict step
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
LESS, EQUAL, MORE = range(3)
OPEN = -1  # what is not decided


def edges(n: int, one: Ints, other: Ints, sign: Ints) -> tuple[Bools, Bools]:
    """Of facts (one, other, sign) each [fact]: where `at least` is known, and where `more` is, each [node node]."""
    least, more = np.zeros((n, n), bool), np.zeros((n, n), bool)
    equal = sign == EQUAL
    more[one[sign == MORE], other[sign == MORE]] = True
    more[other[sign == LESS], one[sign == LESS]] = True
    least[one[equal], other[equal]] = least[other[equal], one[equal]] = True
    return least | more, more


def reached(least: Bools, more: Bools, sources: Ints) -> tuple[Bools, Bools]:
    """Where a path of known steps leads from each source [source node], and where one with a strict step does.

    One product of matrices for every step of the longest shortest path.
    """
    step, strict = least.astype(np.float32), more.astype(np.float32)
    there = np.zeros((len(sources), len(least)), np.float32)
    there[np.arange(len(sources)), sources] = 1
    surely = np.zeros_like(there)
    while True:
        onward = np.maximum(there, there @ step > 0)
        sure = np.maximum(surely, np.maximum(surely @ step, there @ strict) > 0)
        if np.array_equal(onward, there) and np.array_equal(sure, surely):
            return there > 0, surely > 0
        there, surely = onward, sure


def decided(least: Bools, more: Bools, sources: Ints) -> Ints:
    """How each source compares with each other one [source source], as far as paths tell: LESS, EQUAL, MORE, or OPEN."""
    there, surely = (part[:, sources] for part in reached(least, more, sources))
    found = np.full(there.shape, OPEN)
    found[there & there.T] = EQUAL
    found[surely] = MORE
    found[surely.T] = LESS
    return found
