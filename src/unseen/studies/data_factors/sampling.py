"""How often, and from when on, is each example trained on? Zipf's law over buckets, and always-novel curricula.

zipf(buckets, 1.0)           [0.44, 0.22, 0.15, 0.11, 0.09]   five examples, each a bucket of its own
entering(order)              [0.0, 0.32, 0.48, 0.64, 0.8]     the share of training after which each example is used
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.tasks.paired import Pair

Buckets = Literal["random", "source length", "target length", "connectives"]
BEGUN, DONE = 0.2, 0.8  # the share of examples that training starts with, and the share of training that adds them all
COUNTED: Mapping[str, Callable[[Pair], int]] = {
    "source length": lambda pair: len(pair[0].split()),
    "target length": lambda pair: len(pair[1].split()),
    "connectives": lambda pair: sum(w in ("and", "after") for w in pair[0].split()),
}


def buckets(pairs: Sequence[Pair], by: Buckets, rng: np.random.Generator) -> NDArray[np.int64]:
    """The rank [pair], from 1, of each pair's bucket: buckets of one pair in random order, or by a count, least first."""
    if by == "random":
        return rng.permutation(len(pairs)) + 1
    counts = np.array([COUNTED[by](pair) for pair in pairs])
    return np.unique(counts, return_inverse=True)[1].reshape(-1) + 1


def zipf(ranks: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """The probability [pair] of each pair: rank(bucket)^−exponent, shared evenly within a bucket; 0 makes buckets alike.

    Raises Invalid for a negative exponent.
    """
    if exponent < 0:
        raise Invalid(f"exponent={exponent}: it is 0 (all buckets alike) or more.")
    there, place, size = np.unique(ranks, return_inverse=True, return_counts=True)
    share = there.astype(float) ** -exponent
    return (share / share.sum() / size)[place.reshape(-1)]


def entering(order: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of training (0..1) after which each pair is drawn, by its place in an order from 0.

    At a share d of training the first max(0.2, d / 0.8) of the pairs are drawn, so that something new comes all the
    time until 0.8. Pairs of one place enter together.
    """
    if not len(order):
        raise Invalid("there are no examples to put in order.")
    share = (np.asarray(order) + 1) / (int(np.max(order)) + 1)
    return np.where((share <= BEGUN) | (np.asarray(order) == np.min(order)), 0.0, DONE * share)


def by_example(pairs: Sequence[Pair], rng: np.random.Generator) -> NDArray[np.int64]:
    """A random place [pair] for every pair."""
    return rng.permutation(len(pairs))


def by_primitive(
    pairs: Sequence[Pair], primitives_of: Callable[[str], Sequence[str]], rng: np.random.Generator
) -> NDArray[np.int64]:
    """The place [pair] of each pair where primitives come in random order: that of its last one; with none, the first."""
    held = [primitives_of(source) for source, _ in pairs]
    words = sorted({w for its in held for w in its})
    place = dict(zip(words, rng.permutation(len(words)).tolist(), strict=True))
    return np.array([max((place[w] for w in its), default=0) for its in held])
