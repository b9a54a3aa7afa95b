"""How does a small model learn? Next-token training of stacked decoders, as a stream of (step, models).

    for step, models in next_token(models, task, "train", steps=2_000, every=500, lab=lab):
        yield from Row.each("exact", exact.greedy(models, task, split, n=512, lab=lab), split, step=step)

Every seed has its own batches, loss, gradient norm and optimizer state, so a member learns the same alone and in a
block. A batch is a function of (seed, step), so that a resumed trial continues exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab
from unseen.core.task import Batch, TokenTask
from unseen.models.decoder import Decoder

Schedule = Literal["linear", "cosine", "constant"]
COMPILED_FROM = 30_000_000  # tokens of a whole training; below it, compiling costs more than it saves


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the weights are moved: AdamW with warm-up, decay of the rate, and clipping of each member's own gradient."""

    lr: float | tuple[float, ...] = 1e-3  # one rate, or one for each member
    batch: int = 128  # sequences of each member a step
    warmup: int = 50
    schedule: Schedule = "linear"
    weight_decay: float = 0.01  # of matrices only
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    shift: bool = True  # learned positions start at a random place of the context, so that all of them are trained

    def rate(self, step: int, steps: int) -> float:
        """The share of the learning rate at a step counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        left = (steps - step) / max(1, steps - self.warmup)
        if self.schedule == "linear":
            return left
        return 0.5 * (1 - math.cos(math.pi * left)) if self.schedule == "cosine" else 1.0


def next_token(
    models: Decoder,
    task: TokenTask,
    split: str,
    *,
    steps: int,
    every: int | Sequence[int],
    recipe: Recipe = Recipe(),
    lab: Lab,
    phase: str = "fit",
) -> Iterator[tuple[int, Decoder]]:
    """Train on answers by next-token cross-entropy; yield (step, models) every so many steps, or at the steps listed.

    A member whose loss or gradient stops being finite is frozen as it is: it goes on to yield its failing score.
    Raises Invalid for an empty or too long batch, Failed where memory runs out.
    """
    at = _schedule(every, steps)
    width = _width(models, task, split)
    training = _Training(models, recipe)
    begun = training.resume(lab, phase)
    body = _compiled(models, steps * recipe.batch * width * len(models.seeds))
    try:
        for step in range(begun, steps):
            tokens, answer, offset = _batch(models, task, split, step, recipe, lab, width)
            loss = training.step(tokens, answer, offset, recipe.rate(step, steps), body)
            if step + 1 in at:
                lab.progress(
                    step + 1,
                    steps,
                    loss=float(loss.mean()),
                    **({"diverged": int((~training.alive).sum())} if not training.alive.all() else {}),
                )
                yield step + 1, models
                training.checkpoint(lab, phase, step + 1)
            elif step % 8 == 0:
                lab.progress(step + 1, steps, loss=float(loss.mean()))
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise Failed(
            f"memory ran out training {len(models.seeds)} decoders of width {models.shape.width} on {recipe.batch} sequences each; lower batch, width or the number of seeds."
        ) from error


class _Training:
    """The optimizer's state over the models' one buffer."""

    def __init__(self, models: Decoder, recipe: Recipe) -> None:
        self.models, self.recipe = models, recipe
        self.alive = torch.ones(len(models.seeds), dtype=torch.bool)
        self.grad = torch.zeros_like(models.flat)
        self.rows = _rows(models, self.grad)
        at = 0
        for name in models.names:
            weight = models.w(name)
            size = weight[0].numel()
            weight.grad = self.grad[:, at : at + size].view(weight.shape)
            at += size
        rates = recipe.lr if isinstance(recipe.lr, tuple) else (recipe.lr,) * len(models.seeds)
        if len(rates) != len(models.seeds):
            raise Invalid(
                f"lr={recipe.lr} has {len(rates)} rates for {len(models.seeds)} members; give one, or one for each."
            )
        groups = [
            {"params": [row], "lr": rate, "peak": rate, "weight_decay": decay}
            for pair, rate in zip(self.rows, rates, strict=True)
            for row, decay in zip(pair, (recipe.weight_decay, 0.0), strict=True)
        ]
        self.adam = torch.optim.AdamW(groups, betas=recipe.betas, fused=True)

    def step(
        self, tokens: Tensor, answer: Tensor, offset: Tensor | None, share: float, body: Callable[..., Tensor]
    ) -> Tensor:
        """One step of every member; their losses [seed]."""
        self.grad.zero_()
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=half(tokens.device.type)):
            hidden = body(tokens[:, :, :-1], offset)
            loss = answer_loss(self.models, hidden, tokens, answer)
        loss.sum().backward()
        norm = self.grad.square().sum(1).sqrt()
        fine = torch.isfinite(norm) & torch.isfinite(loss.detach())
        if not bool(fine.all()):
            self._freeze(fine)
        self.grad.mul_((self.recipe.clip / norm.clamp_min(1e-12)).clamp_max(1.0).nan_to_num(0.0)[:, None])
        for group in self.adam.param_groups:
            group["lr"] = group["peak"] * share
        self.adam.step()
        return loss.detach()

    def _freeze(self, fine: Tensor) -> None:
        """Leave out members that diverged, for good: their weights stay as they are."""
        self.alive &= fine.cpu()
        for i in torch.nonzero(~self.alive).flatten().tolist():
            self.grad[i].zero_()
            for group in self.adam.param_groups[2 * i : 2 * i + 2]:
                group["peak"], group["weight_decay"] = 0.0, 0.0
                state = self.adam.state.get(group["params"][0])
                if state:
                    state["exp_avg"].zero_()

    def checkpoint(self, lab: Lab, phase: str, step: int) -> None:
        """Keep weights, moments and who is alive."""
        kept = {"flat": self.models.flat, "alive": self.alive.to(torch.uint8)}
        for i, row in enumerate(r for pair in self.rows for r in pair):
            kept.update(
                {f"{name}.{i}": self.adam.state[row][name].clone() for name in ("exp_avg", "exp_avg_sq", "step")}
            )
        lab.checkpoint(phase, step, kept)

    def resume(self, lab: Lab, phase: str) -> int:
        """The step to go on from, after reading the last checkpoint if there is one."""
        found = lab.resume(phase)
        if found is None:
            return 0
        step, kept, _ = found
        with torch.no_grad():
            self.models.flat.copy_(kept["flat"])
        for i, row in enumerate(r for pair in self.rows for r in pair):
            self.adam.state[row] = {
                name: kept[f"{name}.{i}"].to(row.device if name != "step" else "cpu")
                for name in ("exp_avg", "exp_avg_sq", "step")
            }
        self.alive = kept["alive"].bool().cpu()
        if not bool(self.alive.all()):
            self._freeze(self.alive.to(self.grad.device))
        return step


def _rows(models: Decoder, grad: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each member's matrices and vectors as two flat leaves with their gradients, for the optimizer."""
    found: list[tuple[Tensor, Tensor]] = []
    for s in range(len(models.seeds)):
        pair = models.flat[s, : models.decayed].detach(), models.flat[s, models.decayed :].detach()
        for leaf, its in zip(pair, (grad[s, : models.decayed], grad[s, models.decayed :]), strict=True):
            leaf.grad = its
        found.append(pair)
    return found


def answer_loss(models: Decoder, hidden: Tensor, tokens: Tensor, answer: Tensor) -> Tensor:
    """The mean cross-entropy of each member's answer tokens [seed] (nats); logits are made only where they count."""
    s = tokens.shape[0]
    wanted = answer[:, :, 1:].reshape(s, -1)
    counts = wanted.sum(1)
    most = int(counts.max())
    order = torch.argsort(wanted.to(torch.uint8), dim=1, descending=True, stable=True)[:, :most]
    picked = torch.gather(hidden.reshape(s, -1, hidden.shape[-1]), 1, order[..., None].expand(-1, -1, hidden.shape[-1]))
    goal = torch.gather(tokens[:, :, 1:].reshape(s, -1), 1, order)
    each = F.cross_entropy(models.logits(picked).float().transpose(1, 2), goal, reduction="none")
    return (each * torch.gather(wanted, 1, order)).sum(1) / counts


def half(device: str) -> bool:
    """Whether a device trains in bfloat16: accelerators, and CPUs with matrix units for it."""
    if device == "cuda":
        return True
    return device == "cpu" and bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())


def _compiled(models: Decoder, tokens: int) -> Callable[..., Tensor]:
    """The models' forward, compiled where the whole training is long enough."""
    return torch.compile(models, dynamic=False) if tokens >= COMPILED_FROM else models


def _schedule(every: int | Sequence[int], steps: int) -> set[int]:
    if steps < 1:
        raise Invalid(f"steps={steps}: training takes at least one step.")
    if isinstance(every, int):
        if every < 1:
            raise Invalid(f"every={every}: models are yielded every so many steps, at least 1.")
        return {*range(every, steps, every), steps}
    return {s for s in every if 1 <= s <= steps} | {steps}


def _width(models: Decoder, task: Any, split: str) -> int:
    longest = int(task.longest(split))
    if longest - 1 > models.shape.context:
        raise Invalid(
            f"{task.name} has sequences of {longest} tokens on {split!r}, but the decoder's context is {models.shape.context}; make it at least {longest - 1}."
        )
    return longest


def _batch(
    models: Decoder, task: TokenTask, split: str, step: int, recipe: Recipe, lab: Lab, width: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Tokens and answer marks [seed batch width], and where learned positions start [seed batch]."""
    drawn = [task.batch(split, recipe.batch, lab.rng("batch", step, seed=s)) for s in models.seeds]
    tokens, answer = padded(drawn, width)
    device = models.flat.device
    offset = None
    if recipe.shift and models.shape.positions == "learned" and models.shape.context > width - 1:
        room = models.shape.context - (width - 1) + 1
        offset = torch.from_numpy(
            np.stack([lab.rng("offset", step, seed=s).integers(0, room, recipe.batch) for s in models.seeds])
        ).to(device)
    return torch.from_numpy(tokens).to(device), torch.from_numpy(answer).to(device), offset


def padded(drawn: Sequence[Batch], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches of one size stacked and padded: tokens int64[seed batch width], answer bool[seed batch width]."""
    n = len(drawn[0].tokens)
    tokens, answer = np.zeros((len(drawn), n, width), np.int64), np.zeros((len(drawn), n, width), bool)
    for i, batch in enumerate(drawn):
        if not batch.answer.any():
            raise Invalid(
                "a batch has no answer tokens, so there is nothing to learn; its split is empty or its marks are wrong."
            )
        length = batch.tokens.shape[1]
        if length > width:
            raise Invalid(f"a batch is {length} tokens wide, more than the {width} its task calls the longest.")
        tokens[i, :, :length], answer[i, :, :length] = batch.tokens, batch.answer
    return tokens, answer
