"""How does a small model learn from a reward alone? Policy gradient with the mean of a group of answers as baseline.

    for step, models in reinforced(models, prompts, reward, Rollout(8, 12, end=2), steps=200, every=50, …): …

Every prompt is answered `group` times by the model as it is. An answer's advantage is its reward minus the mean of its
group (GRPO without the division by the spread, one update for each batch, so that no ratio needs clipping).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.models.decoder import Decoder

from .fit import answer_losses
from .training import Given, Recipe, train

Ints = NDArray[np.int64]
Prompts = Callable[[int, int], Ints]  # (step, seed) -> tokens [prompt length], of equal length for every seed of a step
Reward = Callable[
    [int, Ints, Ints], NDArray[np.floating]
]  # (seed, prompts [item length], answers [item room]) -> [item]


@dataclass(frozen=True, slots=True)
class Rollout:
    """How answers are drawn: `group` for each prompt, at most `room` tokens long, ending at the token `end`."""

    group: int
    room: int
    end: int
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.group < 2:
            raise Invalid(
                f"group={self.group}: an answer is compared with others to its prompt, so at least 2 are drawn."
            )
        if self.room < 1 or not self.temperature > 0:
            raise Invalid(f"room={self.room}, temperature={self.temperature}: both are above 0.")


def reinforced(
    models: Decoder,
    prompts: Prompts,
    reward: Reward,
    rollout: Rollout,
    *,
    steps: int,
    every: int | Sequence[int],
    recipe: Recipe,
    lab: Lab,
    phase: str = "reinforced",
) -> Iterator[tuple[int, Decoder]]:
    """Train on sampled answers weighed by their advantage; yield (step, models) every so many steps, or at those listed.

    A step draws its prompts and its chance from streams of its own, so that an interrupted training continues exactly.
    """

    def draw(step: int) -> Given:
        asked = np.stack([prompts(step, s) for s in models.seeds]).repeat(rollout.group, axis=1)
        chance = [lab.rng("rollout", step, seed=s) for s in models.seeds]
        told = sampled(models, asked, rollout, chance)
        found = np.stack([reward(s, a, t) for s, a, t in zip(models.seeds, asked, told, strict=True)])
        return _given(models, asked, told, advantages(found, rollout.group), rollout.end)

    yield from train(models, draw, answer_losses, steps=steps, every=every, recipe=recipe, lab=lab, phase=phase)


def sampled(models: Decoder, asked: Ints, rollout: Rollout, chance: Sequence[np.random.Generator]) -> Ints:
    """Answers [seed item room] of small decoders to prompts [seed item length], drawn as `written` draws them."""
    cache: list[tuple[Tensor, Tensor]] = []
    lengths = torch.full(asked.shape[:2], asked.shape[2], device=models.flat.device)

    def reads(given: Tensor) -> Tensor:
        return models.logits(models(given, asked=lengths, cache=cache)[:, :, -1])

    return written(reads, torch.from_numpy(asked).to(models.flat.device), rollout, chance)


def answered(model: Any, asked: Ints, rollout: Rollout, chance: np.random.Generator) -> Ints:
    """Answers [item room] of a causal language model of transformers to prompts [item length] of one length."""
    past: Any = None

    def reads(given: Tensor) -> Tensor:
        nonlocal past
        out = model(input_ids=given[0], past_key_values=past, use_cache=True)
        past = out.past_key_values
        return out.logits[None, :, -1]

    device = next(model.parameters()).device
    return written(reads, torch.from_numpy(asked).to(device)[None], rollout, [chance])[0]


@torch.inference_mode()
def written(
    reads: Callable[[Tensor], Tensor], asked: Tensor, rollout: Rollout, chance: Sequence[np.random.Generator]
) -> Ints:
    """Answers [seed item room] to prompts [seed item length], drawn token by token; zeros after the end.

    `reads` takes the next tokens [seed item length] and gives the scores of what follows [seed item vocab]. A token is
    that of greatest score / temperature + Gumbel noise, so that models with equal generators have the same luck.
    """
    given = asked
    over = torch.zeros(asked.shape[:2], dtype=torch.bool, device=asked.device)
    told = np.zeros((*asked.shape[:2], rollout.room), np.int64)
    for i in range(rollout.room):
        scores = reads(given).float() / rollout.temperature
        luck = np.stack([one.gumbel(size=scores.shape[1:]) for one in chance])
        chosen = (scores + torch.from_numpy(luck).to(scores)).argmax(-1).masked_fill(over, 0)
        told[:, :, i] = chosen.cpu().numpy()
        over |= chosen == rollout.end
        if bool(over.all()):
            break
        given = chosen[..., None]
    return told


def advantages(rewards: NDArray[np.floating], group: int) -> NDArray[np.float32]:
    """Rewards [seed item] minus the mean of each group of neighbours."""
    grouped = rewards.reshape(len(rewards), -1, group)
    return (grouped - grouped.mean(2, keepdims=True)).reshape(rewards.shape).astype(np.float32)


def _given(models: Decoder, asked: Ints, told: Ints, gained: NDArray[np.float32], end: int) -> Given:
    """What `answer_losses` takes: every token drawn, weighed by its answer's advantage over the number of answers."""
    s, n, room = told.shape
    tokens = np.concatenate([asked, told], 2)
    said = np.cumsum(told == end, 2) - (told == end) == 0  # up to the end and with it
    width, first = tokens.shape[2] - 1, asked.shape[2] - 1
    places = np.arange(n)[:, None] * width + first + np.arange(room)
    keep = np.broadcast_to(places.reshape(-1), (s, n * room)).copy()
    # every answer weighs by all its tokens, not by their mean, which would favour short right and long wrong ones
    weight = (said * gained[:, :, None] / n).reshape(s, -1).astype(np.float32)
    device = models.flat.device
    put: list[Tensor | None] = [torch.from_numpy(x).to(device) for x in (tokens, keep, weight)]
    return (put[0], None, put[1], put[2])
