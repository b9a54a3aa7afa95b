"""How does a small model learn? Next-token training of stacked decoders, as a stream of (step, models).

    for step, models in next_token(models, task, "train", steps=2_000, every=500, lab=lab):
        yield from Row.each("exact", exact.greedy(models, task, split, n=512, lab=lab), split, step=step)

Every seed has its own batches, loss, gradient norm and optimizer state, so a member learns the same alone and in a
block. A batch is a function of (seed, step), so that a resumed trial continues exactly.
"""

from __future__ import annotations

import math
import shutil
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab
from unseen.core.task import Batch, TokenTask
from unseen.models.decoder import Decoder, parts

Schedule = Literal["linear", "cosine", "constant"]
Losses = Callable[[Decoder, Tensor, Tensor | None, Tensor, Tensor], Tensor]
COMPILED_FROM = 30_000_000  # tokens of a whole training; compiling costs some 40 s and saves a third of each token
AT_ONCE = 1 << 19  # features of a CPU's forward pass: members are taken so many at a time that these stay in its cache
SHARES = 16  # answers are counted in sixteenths of all places, so that steps of many lengths have few shapes


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
    precision: Literal["auto", "float32"] = "auto"  # auto: products in bfloat16 where the device is faster at them
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
    training = _Training(models, recipe, recipe.batch * width)
    begun = training.resume(lab, phase)
    losses = _compiled(models, steps * recipe.batch * width * len(models.seeds))
    try:
        for step in range(begun, steps):
            drawn = _drawn(models, task, split, step, recipe, lab, width)
            loss = training.step(drawn, recipe.rate(step, steps), losses)
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


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one step learns from: tokens [seed batch width], and where learned positions start [seed batch].

    keep [seed n] are the places whose next token is an answer's, counted through batch and width − 1; weight [seed n]
    makes the mean over them, 0 where a member has fewer than n.
    """

    tokens: Tensor
    offset: Tensor | None
    keep: Tensor
    weight: Tensor

    def split(self, n: int) -> list[Drawn]:
        """The batches of n members at a time."""
        offsets = [None] * len(self.keep) if self.offset is None else self.offset.split(n)
        parted = zip(self.tokens.split(n), offsets, self.keep.split(n), self.weight.split(n), strict=False)
        return [Drawn(*one) for one in parted]


class _Training:
    """The optimizer's state over the models' one buffer."""

    def __init__(self, models: Decoder, recipe: Recipe, places: int) -> None:
        self.models, self.recipe = models, recipe
        self.alive = torch.ones(len(models.seeds), dtype=torch.bool)
        self.grad = torch.zeros_like(models.flat)
        self.rows = _rows(models, self.grad)
        self.size = _members(models, places)
        self.parts = [
            (part, [part.w(name) for name in part.names], _views(part, grad))
            for part, grad in zip(parts(models, self.size), self.grad.split(self.size), strict=True)
        ]
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

    def step(self, drawn: Drawn, share: float, losses: Losses) -> Tensor:
        """One step of every member; their losses [seed]."""
        found: list[Tensor] = []
        device = drawn.tokens.device.type
        for (part, weights, grads), its in zip(self.parts, drawn.split(self.size), strict=True):
            with torch.autocast(device, torch.bfloat16, enabled=self.recipe.precision == "auto" and half(device)):
                loss = losses(part, its.tokens, its.offset, its.keep, its.weight)
            torch._foreach_copy_(grads, torch.autograd.grad(loss.sum(), weights))
            found.append(loss.detach())
        loss = torch.cat(found)
        norm = torch.linalg.vector_norm(self.grad, dim=1)
        fine = torch.isfinite(norm) & torch.isfinite(loss)
        if not bool(fine.all()):
            self._freeze(fine)
        scale = (self.recipe.clip / norm.clamp_min(1e-12)).clamp_max(1.0).nan_to_num(0.0)
        if bool((scale < 1).any()):
            self.grad.mul_(scale[:, None])
        for group in self.adam.param_groups:
            group["lr"] = group["peak"] * share
        self.adam.step()
        return loss

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


def _members(models: Decoder, places: int) -> int:
    """How many members learn in one pass: all on an accelerator, as many as stay in the cache on a CPU."""
    n = len(models.seeds)
    if models.flat.device.type != "cpu":
        return n
    most = max(1, AT_ONCE // (places * models.shape.width))
    return max(k for k in range(1, n + 1) if n % k == 0 and k <= most)


def _views(models: Decoder, grad: Tensor) -> list[Tensor]:
    """A buffer [seed weight] as views, one for each weight."""
    weights = [models.w(name) for name in models.names]
    return [g.view_as(w) for g, w in zip(grad.split([w[0].numel() for w in weights], 1), weights, strict=True)]


def answer_losses(models: Decoder, tokens: Tensor, offset: Tensor | None, keep: Tensor, weight: Tensor) -> Tensor:
    """The mean cross-entropy of each member's answer tokens [seed] (nats); arguments as in `Drawn`."""
    kept = models(tokens[:, :, :-1], offset, keep=keep)
    goal = torch.gather(tokens[:, :, 1:].reshape(len(kept), -1), 1, keep)
    each = F.cross_entropy(models.logits(kept).float().flatten(0, 1), goal.flatten(), reduction="none")
    return (each.view_as(goal) * weight).sum(1)


def places(answer: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """`keep` and `weight` of `Drawn` for the marks of answer tokens [seed batch width]."""
    found = [np.flatnonzero(marks[:, 1:]) for marks in answer]
    unit = max(1, answer[0, :, 1:].size // SHARES)
    n = -(-max(map(len, found)) // unit) * unit
    keep, weight = np.zeros((len(found), n), np.int64), np.zeros((len(found), n), np.float32)
    for i, one in enumerate(found):
        keep[i, : len(one)], weight[i, : len(one)] = one, 1 / len(one)
    return keep, weight


def half(device: str) -> bool:
    """Whether a device trains in bfloat16: accelerators, and CPUs that multiply it faster than float32."""
    if device == "cuda":
        return True
    able = (getattr(torch.cpu, name, lambda: False) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return device == "cpu" and any(test() for test in able)


def _compiled(models: Decoder, tokens: int) -> Losses:
    """`answer_losses`, compiled where the whole training is long enough and the machine has what it takes."""
    able = models.flat.device.type != "cpu" or _compiler()
    return torch.compile(answer_losses, dynamic=False) if tokens >= COMPILED_FROM and able else answer_losses


def _compiler() -> bool:
    """Whether there are a C++ compiler and Python's headers, which compiling for a CPU needs."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return header.is_file() and any(map(shutil.which, ("g++", "clang++", "c++")))


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


def _drawn(models: Decoder, task: TokenTask, split: str, step: int, recipe: Recipe, lab: Lab, width: int) -> Drawn:
    """The batches of a step, a function of each member's seed and the step."""
    drawn = [task.batch(split, recipe.batch, lab.rng("batch", step, seed=s)) for s in models.seeds]
    tokens, answer = padded(drawn, width)
    keep, weight = places(answer)
    offset = None
    if recipe.shift and models.shape.positions == "learned" and models.shape.context > width - 1:
        room = models.shape.context - (width - 1) + 1
        starts = [lab.rng("offset", step, seed=s).integers(0, room, recipe.batch) for s in models.seeds]
        offset = torch.from_numpy(np.stack(starts)).to(models.flat.device)
    tokens, keep, weight = (torch.from_numpy(x).to(models.flat.device) for x in (tokens, keep, weight))
    return Drawn(tokens, offset, keep, weight)


def padded(drawn: Sequence[Batch], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches of one size stacked and padded: tokens int64[seed batch width], answer bool[seed batch width]."""
    n = len(drawn[0].tokens)
    tokens, answer = np.zeros((len(drawn), n, width), np.int64), np.zeros((len(drawn), n, width), bool)
    for i, batch in enumerate(drawn):
        if not batch.answer[:, 1:].any():
            raise Invalid(
                "a batch has no answer tokens, so there is nothing to learn; its split is empty or its marks are wrong."
            )
        length = batch.tokens.shape[1]
        if length > width:
            raise Invalid(f"a batch is {length} tokens wide, more than the {width} its task calls the longest.")
        tokens[i, :, :length], answer[i, :, :length] = batch.tokens, batch.answer
    return tokens, answer
