"""What is a task? Examples with a right answer, drawn on named splits, and the rule that scores an answer.

Example(id='6f1c…', prompt='2 7 + 4 5 =', truth='7 2', split=Split('4 digits', ...), familiar=None, at={})
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .record import Split, Value


def example_id(task: str, split: str, prompt: str) -> str:
    """The 16 hex digits that name an example: a digest of its task, split and prompt."""
    text = "\x1f".join((task, split, prompt))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its right answer.

    `familiar` is the answer that a rule learned on the reference splits would give where it is wrong here, and `at`
    holds the factors of the item beside its split's own coordinates.
    """

    id: str
    prompt: str
    truth: str
    split: Split
    familiar: str | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Batch:
    """Token sequences for next-token training.

    tokens: int[batch length], right-padded with 0.
    answer: bool[batch length], true where the token itself is part of the answer: the loss (and exact match) of
    position t is that of predicting `tokens[:, t]` from what precedes it.
    """

    tokens: NDArray[np.integer]
    answer: NDArray[np.bool_]


@runtime_checkable
class Task(Protocol):
    """Examples on splits, and how an answer is scored. `splits` are those tested on; `draw` also takes "train"."""

    @property
    def name(self) -> str: ...
    @property
    def splits(self) -> tuple[Split, ...]: ...
    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]: ...
    def score(self, example: Example, answer: str) -> Mapping[str, float]: ...


@runtime_checkable
class TokenTask(Task, Protocol):
    """A task whose items are also token sequences. Token 0 is padding; `vocab` counts it."""

    @property
    def vocab(self) -> int: ...
    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch: ...
