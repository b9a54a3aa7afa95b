"""How do stacked models learn? One optimizer over one buffer, in which every member is by itself.

    for step, models in train(models, draw, losses, steps=2_000, every=500, recipe=Recipe(), lab=lab): …

Each member has its own loss, gradient norm and optimizer state, so it learns the same alone and in a block. What a step
learns from is a function of the step, so that a resumed trial continues exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self, TypeVar

import torch
from torch import Tensor

from unseen.core.errors import Failed, Invalid
from unseen.core.lab import Lab

Schedule = Literal["linear", "cosine", "constant"]
Given = tuple[Tensor | None, ...]  # what a step learns from; every tensor has the seed as its first axis
AT_ONCE = 1 << 19  # features of a CPU's forward pass: members are taken so many at a time that these stay in its cache


class Stack(Protocol):
    """Models of one shape, one for each seed, whose weights are views into one buffer.

    flat [seed weight] holds each member's matrices (`decayed` numbers) before its vectors; `w(name)` [seed …] is a leaf
    that shares its memory.
    """

    flat: Tensor
    seeds: tuple[int, ...]
    decayed: int
    names: list[str]

    def w(self, name: str) -> Tensor:
        """A weight of all members [seed …]."""
        ...

    def part(self, first: int, last: int) -> Self:
        """The members first … last − 1 as a stack that shares their weights."""
        ...


S = TypeVar("S", bound=Stack)


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


def train(
    models: S,
    draw: Callable[[int], Given],
    losses: Callable[..., Tensor],
    *,
    steps: int,
    every: int | Sequence[int],
    recipe: Recipe,
    features: int = 0,
    lab: Lab,
    phase: str = "fit",
) -> Iterator[tuple[int, S]]:
    """Train by `losses(models, *draw(step))` [seed]; yield (step, models) every so many steps, or at the steps listed.

    `features` are those of one member's forward pass, by which members share a CPU's cache (0: all learn in one pass). A
    member whose loss or gradient stops being finite is frozen as it is: it goes on to yield its failing score. Raises
    Invalid for steps that are none and for data that are not finite, Failed where memory runs out.
    """
    at = _schedule(every, steps)
    training = _Training(models, recipe, features)
    begun = training.resume(lab, phase)
    try:
        for step in range(begun, steps):
            loss = training.step(_finite(draw(step), step), recipe.rate(step, steps), losses)
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
            f"memory ran out training {len(models.seeds)} models of {models.flat.shape[1]:,} weights on batches of {recipe.batch} each; lower batch, width or the number of seeds."
        ) from error


class _Training:
    """The optimizer's state over the models' one buffer."""

    def __init__(self, models: Stack, recipe: Recipe, features: int) -> None:
        self.models, self.recipe = models, recipe
        self.alive = torch.ones(len(models.seeds), dtype=torch.bool)
        self.grad = torch.zeros_like(models.flat)
        self.rows = _rows(models, self.grad)
        self.size = _members(models, features)
        grads = self.grad.split(self.size)
        parts = [models.part(i, i + self.size) for i in range(0, len(models.seeds), self.size)]
        self.parts = [
            (part, [part.w(name) for name in part.names], _views(part, grad))
            for part, grad in zip(parts, grads, strict=True)
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
            if row.numel()
        ]
        self.adam = torch.optim.AdamW(groups, betas=recipe.betas, fused=True)

    def step(self, given: Given, share: float, losses: Callable[..., Tensor]) -> Tensor:
        """One step of every member; their losses [seed]."""
        found: list[Tensor] = []
        device = self.models.flat.device.type
        for i, (part, weights, grads) in enumerate(self.parts):
            its = [x if x is None else x[i * self.size : (i + 1) * self.size] for x in given]
            with torch.autocast(device, torch.bfloat16, enabled=self.recipe.precision == "auto" and half(device)):
                loss = losses(part, *its)
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
        size = len(self.adam.param_groups) // len(self.models.seeds)
        for i in torch.nonzero(~self.alive).flatten().tolist():
            self.grad[i].zero_()
            for group in self.adam.param_groups[size * i : size * (i + 1)]:
                group["peak"], group["weight_decay"] = 0.0, 0.0
                state = self.adam.state.get(group["params"][0])
                if state:
                    state["exp_avg"].zero_()

    def _leaves(self) -> list[Tensor]:
        """What the optimizer moves, in its order."""
        return [group["params"][0] for group in self.adam.param_groups]

    def checkpoint(self, lab: Lab, phase: str, step: int) -> None:
        """Keep weights, moments and who is alive."""
        kept = {"flat": self.models.flat, "alive": self.alive.to(torch.uint8)}
        for i, row in enumerate(self._leaves()):
            kept.update(
                {f"{name}.{i}": self.adam.state[row][name].clone() for name in ("exp_avg", "exp_avg_sq", "step")}
            )
        lab.checkpoint(phase, step, kept)

    def resume(self, lab: Lab, phase: str) -> int:
        """The step to go on from, after reading the last checkpoint if there is one. Raises Invalid for that of others."""
        found = lab.resume(phase)
        if found is None:
            return 0
        step, kept, _ = found
        leaves = self._leaves()
        if _other(kept, self.models.flat, leaves):
            raise Invalid(
                f"the checkpoint of {phase!r} at step {step} is of other models than these {len(self.models.seeds)} of {self.models.flat.shape[1]:,} weights; run with --fresh to start the trial anew."
            )
        with torch.no_grad():
            self.models.flat.copy_(kept["flat"])
        for i, row in enumerate(leaves):
            self.adam.state[row] = {
                name: kept[f"{name}.{i}"].to(row.device if name != "step" else "cpu")
                for name in ("exp_avg", "exp_avg_sq", "step")
            }
        self.alive = kept["alive"].bool().cpu()
        if not bool(self.alive.all()):
            self._freeze(self.alive.to(self.grad.device))
        return step


def half(device: str) -> bool:
    """Whether a device trains in bfloat16: accelerators, and CPUs that multiply it faster than float32."""
    if device == "cuda":
        return True
    able = (getattr(torch.cpu, name, lambda: False) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return device == "cpu" and any(test() for test in able)


def _other(kept: Mapping[str, Tensor], flat: Tensor, leaves: Sequence[Tensor]) -> bool:
    """Whether a checkpoint is not one of these weights."""
    moments = {f"exp_avg.{i}": leaf.shape for i, leaf in enumerate(leaves)}
    shapes = {"flat": flat.shape, "alive": flat.shape[:1], **moments}
    return any(name not in kept or kept[name].shape != shape for name, shape in shapes.items())


def _finite(given: Given, step: int) -> Given:
    """The same, after a look at it."""
    for x in given:
        if x is not None and x.is_floating_point() and not bool(torch.isfinite(x).all()):
            raise Invalid(
                f"the batch of step {step} holds NaN or infinity, from which nothing can be learned; look at what draws it."
            )
    return given


def _rows(models: Stack, grad: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each member's matrices and vectors as two flat leaves with their gradients, for the optimizer."""
    found: list[tuple[Tensor, Tensor]] = []
    for s in range(len(models.seeds)):
        pair = models.flat[s, : models.decayed].detach(), models.flat[s, models.decayed :].detach()
        for leaf, its in zip(pair, (grad[s, : models.decayed], grad[s, models.decayed :]), strict=True):
            leaf.grad = its
        found.append(pair)
    return found


def _members(models: Stack, features: int) -> int:
    """How many members learn in one pass: all on an accelerator, as many as stay in the cache on a CPU."""
    n = len(models.seeds)
    if models.flat.device.type != "cpu" or features < 1:
        return n
    most = max(1, AT_ONCE // features)
    return max(k for k in range(1, n + 1) if n % k == 0 and k <= most)


def _views(models: Stack, grad: Tensor) -> list[Tensor]:
    """A buffer [seed weight] as views, one for each weight."""
    weights = [models.w(name) for name in models.names]
    return [g.view_as(w) for g, w in zip(grad.split([w[0].numel() for w in weights], 1), weights, strict=True)]


def _schedule(every: int | Sequence[int], steps: int) -> set[int]:
    if steps < 1:
        raise Invalid(f"steps={steps}: training takes at least one step.")
    if isinstance(every, int):
        if every < 1:
            raise Invalid(f"every={every}: models are yielded every so many steps, at least 1.")
        return {*range(every, steps, every), steps}
    return {s for s in every if 1 <= s <= steps} | {steps}
