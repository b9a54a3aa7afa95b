"""Training of any stack: a linear model with a loss of its own, against torch's optimizer alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.methods.training import Recipe, train

EXACT = Recipe(lr=0.05, batch=8, warmup=0, weight_decay=0.1, precision="float32", clip=0.5)


class Lines:
    """y = x·a + b for each seed: matrices a [seed 3 1] before vectors b [seed 1]."""

    def __init__(self, seeds: tuple[int, ...], flat: Tensor | None = None) -> None:
        self.flat = torch.zeros(len(seeds), 4) if flat is None else flat
        self.seeds, self.decayed, self.names = seeds, 3, ["a", "b"]
        self.held = {"a": self.flat[:, :3].view(-1, 3, 1), "b": self.flat[:, 3:]}
        self.held = {name: torch.nn.Parameter(view) for name, view in self.held.items()}

    def w(self, name: str) -> Tensor:
        return self.held[name]

    def part(self, first: int, last: int) -> Lines:
        return Lines(self.seeds[first:last], self.flat[first:last])


def losses(models: Lines, x: Tensor, y: Tensor) -> Tensor:
    return ((x @ models.w("a"))[..., 0] + models.w("b") - y).square().mean(1)


def drawn(seed: int, step: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(1000 * seed + step)
    x = torch.randn(8, 3, generator=source)
    return x, x @ torch.tensor([1.0, -2.0, float(seed)]) + 0.5


def stacked(seeds: tuple[int, ...]):
    def draw(step: int) -> tuple[Tensor, ...]:
        return tuple(torch.stack(part) for part in zip(*(drawn(s, step) for s in seeds), strict=True))

    return draw


@pytest.mark.parametrize("features", [0, 1 << 30])
def test_any_stack_learns_as_with_torchs_optimizer_alone(features: int) -> None:
    seeds, steps = (3, 5), 40
    models = Lines(seeds)
    for step, same in train(
        models, stacked(seeds), losses, steps=steps, every=10, recipe=EXACT, features=features, lab=Lab.alone(seeds)
    ):
        assert same is models and step % 10 == 0
    for i, seed in enumerate(seeds):
        a, b = torch.zeros(3, requires_grad=True), torch.zeros(1, requires_grad=True)
        adam = torch.optim.AdamW(
            [{"params": [a], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}], betas=EXACT.betas
        )
        for step in range(steps):
            x, y = drawn(seed, step)
            adam.zero_grad()
            (x @ a + b - y).square().mean().backward()
            torch.nn.utils.clip_grad_norm_([a, b], 0.5)
            for group in adam.param_groups:
                group["lr"] = 0.05 * (steps - step) / steps
            adam.step()
        assert torch.allclose(models.flat[i], torch.cat([a, b]).detach(), atol=1e-5)


def test_data_that_are_not_finite_are_refused() -> None:
    def draw(step: int) -> tuple[Tensor, ...]:
        x, y = stacked((0,))(step)
        return x, y * (math.nan if step == 2 else 1)

    with pytest.raises(Invalid, match="the batch of step 2 holds NaN"):
        list(train(Lines((0,)), draw, losses, steps=4, every=1, recipe=EXACT, lab=Lab.alone()))
