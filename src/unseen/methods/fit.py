"""How does a small model learn? Next-token training of stacked decoders, as a stream of (step, models).

    for step, models in next_token(models, task, "train", steps=2_000, every=500, lab=lab):
        yield from Row.each("exact", exact.greedy(models, task, split, n=512, lab=lab), split, step=step)

A batch is a function of (seed, step); members share a task or have one each. `train` does the same for other models.
"""

from __future__ import annotations

import shutil
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.task import Batch, TokenTask
from unseen.models.decoder import Decoder
from unseen.models.moe import Mixture
from unseen.tasks.batches import each_its, padded, places, prompts

from .training import Given, Recipe, Schedule, Stack, half, train

__all__ = ["Paced", "Recipe", "Schedule", "Stack", "answer_losses", "compiled", "half", "next_token", "train"]

COMPILED_FROM = 30_000_000  # tokens of a whole training; compiling costs some 40 s and saves a third of each token
D = TypeVar("D", Decoder, Mixture)
PLAIN = Recipe()
BUCKET = 8  # tokens: without compiling, a step is as wide as its longest sequence, in eights


@runtime_checkable
class Paced(Protocol):
    """A task that is drawn by how far training is: a curriculum."""

    def paced(self, split: str, n: int, rng: np.random.Generator, done: float) -> Batch:
        """n sequences of a split at `done`, the share of all steps that lie behind (0 … below 1)."""
        ...


def next_token(
    models: D,
    task: TokenTask | Sequence[TokenTask],
    split: str,
    *,
    steps: int,
    every: int | Sequence[int],
    recipe: Recipe = PLAIN,
    lab: Lab,
    phase: str = "fit",
) -> Iterator[tuple[int, D]]:
    """Train on answers by next-token cross-entropy; yield (step, models) every so many steps, or at the steps listed.

    All members learn one task, or each its own. A `Paced` task is drawn by its pace. Mixtures of experts add their
    load-balancing loss. Raises Invalid for an empty or too
    long batch and for tokens beyond the vocabulary, Failed where memory runs out.
    """
    tasks = each_its(task, len(models.seeds))
    width = _width(models, tasks, split)
    losses = compiled(answer_losses, models, steps * recipe.batch * width * len(models.seeds))
    narrow = BUCKET if losses is answer_losses else width  # compiled code is made anew for every shape

    def draw(step: int) -> Given:
        rngs = [lab.rng("batch", step, seed=s) for s in models.seeds]
        drawn = [_batch(its, split, recipe.batch, rng, step / steps) for its, rng in zip(tasks, rngs, strict=True)]
        return _given(models, drawn, min(width, _rounded(drawn, narrow)), _offset(models, step, recipe, lab, width))

    features = recipe.batch * width * models.shape.width
    yield from train(
        models, draw, losses, steps=steps, every=every, recipe=recipe, features=features, lab=lab, phase=phase
    )


def answer_losses(
    models: Decoder | Mixture,
    tokens: Tensor,
    offset: Tensor | None,
    keep: Tensor,
    weight: Tensor,
    asked: Tensor | None = None,
) -> Tensor:
    """The mean cross-entropy of each member's answer tokens [seed] (nats).

    tokens [seed batch width]; keep and weight [seed n] as of `batches.places`; learned positions start at offset [seed
    batch]; asked [seed batch] are the prompts' lengths. Of mixtures of experts the load-balancing loss is added.
    """
    given, extra = tokens[:, :, :-1], 0.0
    if isinstance(models, Mixture):
        kept, extra = models.balanced(given, keep)
    else:
        kept = models(given, offset, asked=asked, keep=keep)
    goal = torch.gather(tokens[:, :, 1:].reshape(len(kept), -1), 1, keep)
    each = F.cross_entropy(models.logits(kept).float().flatten(0, 1), goal.flatten(), reduction="none")
    return (each.view_as(goal) * weight).sum(1) + extra


def compiled(losses: Callable[..., Tensor], models: Stack, tokens: int) -> Callable[..., Tensor]:
    """`losses`, compiled where the whole training is long enough and the machine has what it takes.

    Mixtures of experts are not: how many tokens an expert gets, and so the shape of its product, changes every step.
    """
    able = not isinstance(models, Mixture) and (models.flat.device.type != "cpu" or _compiler())
    return torch.compile(losses, dynamic=False) if tokens >= COMPILED_FROM and able else losses


def _compiler() -> bool:
    """Whether there are a C++ compiler and Python's headers, which compiling for a CPU needs."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return header.is_file() and any(map(shutil.which, ("g++", "clang++", "c++")))


def _width(models: Decoder | Mixture, tasks: Sequence[Any], split: str) -> int:
    longest = max(int(task.longest(split)) for task in tasks)
    if longest - 1 > models.shape.context:
        raise Invalid(
            f"{tasks[0].name} has sequences of {longest} tokens on {split!r}, but the decoder's context is {models.shape.context}; make it at least {longest - 1}."
        )
    return longest


def _given(models: Decoder | Mixture, drawn: Sequence[Batch], width: int, offset: np.ndarray | None) -> Given:
    """What `answer_losses` takes of one batch for each member."""
    tokens, answer = padded(drawn, width)
    if (most := int(tokens.max())) >= models.shape.vocab:
        raise Invalid(f"a batch holds token {most}, but the decoder has {models.shape.vocab} tokens; give it more.")
    keep, weight = places(answer)
    asked = prompts(answer) if models.shape.temper != "none" else None
    device = models.flat.device
    return tuple(None if x is None else torch.from_numpy(x).to(device) for x in (tokens, offset, keep, weight, asked))


def _rounded(drawn: Sequence[Batch], unit: int) -> int:
    """The length of the longest sequence, up to a whole number of units."""
    return -(-max(batch.tokens.shape[1] for batch in drawn) // unit) * unit


def _batch(task: TokenTask, split: str, n: int, rng: np.random.Generator, done: float) -> Batch:
    return task.paced(split, n, rng, done) if isinstance(task, Paced) else task.batch(split, n, rng)


def _offset(models: Decoder | Mixture, step: int, recipe: Recipe, lab: Lab, width: int) -> np.ndarray | None:
    """Where learned positions start [seed batch]; None where they start at 0."""
    if not (recipe.shift and models.shape.positions == "learned" and models.shape.context > width - 1):
        return None
    room = models.shape.context - (width - 1) + 1
    return np.stack([lab.rng("offset", step, seed=s).integers(0, room, recipe.batch) for s in models.seeds])
