"""What is trained in the comparisons of training: decoders of GPT-2's shape on a task that costs nothing to draw.

tokens   7 21 4 … 9 | 7 21 4 … 9      the second half repeats the first, and only it is learned
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Split
from unseen.core.task import Batch, Example
from unseen.methods import fit
from unseen.models import decoder

SEEDS, BATCH, VOCAB, LAYERS, HEADS = 8, 128, 40, 2, 4
SAME_STEPS = 20  # of which the losses are compared
PLAIN = "float32"
SETTINGS = {  # bfloat16 or not, compiled or not
    PLAIN: (False, False),
    "bfloat16": (True, False),
    "float32, compiled": (False, True),
    "bfloat16, compiled": (True, True),
}


@dataclass(frozen=True)
class Echo:
    """Random tokens of which the second half repeats the first."""

    length: int
    name: str = "echo"
    vocab: int = VOCAB
    splits: tuple[Split, ...] = field(default=())

    def longest(self, split: str) -> int:
        """All sequences are equally long."""
        return self.length

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences; their second halves are the answers."""
        told = self.length // 2
        tokens = rng.integers(1, self.vocab, (n, self.length))
        tokens[:, -told:] = tokens[:, :told]
        return Batch(tokens, np.tile(np.arange(self.length) >= self.length - told, (n, 1)))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> list[Example]:
        """Nothing: this task is trained on, not asked."""
        return []

    def score(self, example: Example, answer: str) -> dict[str, float]:
        """Nothing, as there are no examples."""
        return {}


def begun(task: Echo, width: int, seeds: range) -> decoder.Decoder:
    """Decoders of the shape that is compared."""
    context = task.length - 1
    return decoder.stack(VOCAB, width=width, layers=LAYERS, heads=HEADS, context=context, seeds=tuple(seeds))


def recipe(precision: Any) -> fit.Recipe:
    """A constant rate, so that all sides are at the same one at every step."""
    return fit.Recipe(batch=BATCH, warmup=0, schedule="constant", precision=precision, shift=False)


def drawn(task: Echo, step: int, lab: Lab) -> Batch:
    """The batch that `fit` draws for seed 0 at a step."""
    return task.batch("train", BATCH, lab.rng("batch", step, seed=0))
