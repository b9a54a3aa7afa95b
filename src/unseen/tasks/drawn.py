"""Which split has this name, and which of its items are a seed's own?

split_named(task, "6 digits")                    the Split; of "train", which no task lists, one that says so
own(task, "6 digits", n=100, seed=2, rng=…)      items 200 to 299 of the stream that all seeds share
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from unseen.core.errors import Unknown, nearest
from unseen.core.record import Split

PLENTY = 10  # seeds; a split that has items for fewer is shared by all

T = TypeVar("T", covariant=True)
TRAIN = Split("train")


class Splits(Protocol):
    """What has a name and splits, as every task does."""

    @property
    def name(self) -> str: ...
    @property
    def splits(self) -> tuple[Split, ...]: ...


class Draws(Protocol[T]):
    """What draws items of a split, as every task does."""

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[T]: ...


def split_named(task: Splits, wanted: str, train: Split = TRAIN) -> Split:
    """The split of that name; `train` stands for "train". Raises Unknown, naming those there are."""
    for split in (train, *task.splits):
        if split.name == wanted:
            return split
    raise no_split(task.name, wanted, (s.name for s in task.splits))


def no_split(task: str, wanted: str, tested: Iterable[str]) -> Unknown:
    """The error for a split that a task has not, with the nearest name and all names, "train" first."""
    known = ["train", *tested]
    return Unknown(f"{task} has no split {wanted!r}{nearest(wanted, known)}. Splits: {', '.join(known)}.")


def own(task: Draws[T], split: str, n: int, *, seed: int, rng: np.random.Generator) -> Sequence[T]:
    """The n items of a seed, none of which another seed has. Where the split has not enough for ten seeds, all seeds
    have the same n (or all there are).

    Every seed gives a generator of the same stream. Items that only some seeds had, by chance or because the split ran
    out, would be neither shared by all nor each seed's own, and nothing could be judged of them.
    """
    drawn = task.draw(split, n * max(PLENTY, seed + 1), rng)
    return drawn[:n] if len(drawn) < n * PLENTY else drawn[n * seed :][:n]
