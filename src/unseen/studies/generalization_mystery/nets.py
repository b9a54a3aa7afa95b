"""How do small networks learn? Stacks of them, one for each seed, moved together by plain or suppressed gradients.

    nets = Nets(pixels=64, width=128, layers=2, classes=10, seeds=(0, 1, 2), lab=lab)
    for step in trained(nets, data, steps=4000, at={10, 100, 4000}, …): nets.logits(x)      x [seed n pixel]

Every seed has its own images, labels, first weights and order of examples, all of them functions of the seed, so that a
member learns the same alone and in a block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.methods.suppressed import median, rolling, winsorised

from .arms import Method


@dataclass(frozen=True, eq=False)
class Taught:
    """What each seed learns from: images x [seed n pixel] and the labels they are given, y [seed n]."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True, slots=True)
class How:
    """How weights are moved: the rate, examples a step, and what is done to gradients."""

    steps: int
    batch: int
    lr: float
    method: Method = "winsorised"
    level: float = 0.0


class Nets:
    """Multilayer perceptrons of one shape, one for each seed: weights by name [seed …]."""

    def __init__(
        self, pixels: int, classes: int, *, width: int, layers: int, seeds: Sequence[int], lab: Lab, name: str = "net"
    ) -> None:
        """Weights are drawn uniformly within ±1/√(inputs), as PyTorch does, from the stream of (seed, name)."""
        sizes = [pixels, *([width] * layers), classes]
        parts: list[nn.Module] = []
        for a, b in pairwise(sizes):
            parts += [nn.Linear(a, b), nn.ReLU()]
        self.module = nn.Sequential(*parts[:-1]).requires_grad_(True)  # its own weights are never used
        self.seeds = tuple(seeds)
        self.weights: dict[str, Tensor] = {}
        draws = [lab.rng("weights", name, seed=s) for s in self.seeds]
        for key, p in self.module.named_parameters():
            bound = sizes[int(key.split(".")[0]) // 2] ** -0.5
            values = np.stack([r.uniform(-bound, bound, tuple(p.shape)) for r in draws])
            self.weights[key] = torch.from_numpy(values.astype(np.float32)).to(lab.device).requires_grad_(True)

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """Logits [seed n class] of images [seed n pixel]."""
        return vmap(self._call)(self.weights, x)

    @torch.no_grad()
    def member(self, i: int) -> nn.Module:
        """One seed's network as a module of its own; the next call changes it."""
        for key, p in self.module.named_parameters():
            p.copy_(self.weights[key][i])
        return self.module.to(next(iter(self.weights.values())).device)

    def gradients(self, x: Tensor, y: Tensor, how: How) -> dict[str, Tensor]:
        """What moves each seed's weights [seed …], from images [seed batch pixel] and labels [seed batch]."""
        weights = {k: w.detach() for k, w in self.weights.items()}
        if how.method == "winsorised" and how.level:
            each = vmap(vmap(grad(self._loss), (None, 0, 0)))(weights, x[:, :, None], y[:, :, None])
            return {k: winsorised(g, how.level, dim=1) for k, g in each.items()}
        if how.method == "medians":
            thirds = (torch.stack(t.chunk(3, 1), 1) for t in (x, y))
            means = vmap(vmap(grad(self._loss), (None, 0, 0)))(weights, *thirds)
            return {k: median(list(g.unbind(1))) for k, g in means.items()}
        return vmap(grad(self._loss))(weights, x, y)

    def _call(self, weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(self.module, weights, (x,))

    def _loss(self, weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self._call(weights, x), y)


def trained(nets: Nets, taught: Taught, how: How, *, at: Collection[int], lab: Lab, name: str = "net") -> Iterator[int]:
    """Train by stochastic gradient descent, yielding at these steps (0: before the first). Raises Invalid for a batch
    that is larger than the data, or that has no three equal groups where medians are taken."""
    n = taught.y.shape[1]
    if not 1 <= how.batch <= n or (how.method == "medians" and how.batch % 3):
        raise Invalid(f"batch={how.batch}: it is to be at most the {n} examples, and a multiple of 3 for medians.")
    optimizer = torch.optim.SGD(list(nets.weights.values()), how.lr)
    if how.method == "rolling":
        rolling(optimizer)
    if 0 in at:
        yield 0
    members = torch.arange(len(nets.seeds))[:, None]
    for step, batch in enumerate(_batches(nets.seeds, n, how, lab, name)):
        rows = torch.from_numpy(batch)
        found = nets.gradients(taught.x[members, rows], taught.y[members, rows], how)
        for key, w in nets.weights.items():
            w.grad = found[key]
        optimizer.step()
        if step % 64 == 0:
            lab.progress(step + 1, how.steps)
        if step + 1 in at:
            yield step + 1


def _batches(seeds: Sequence[int], n: int, how: How, lab: Lab, name: str) -> Iterator[NDArray[np.int64]]:
    """The examples of every step [seed batch]: a new order in every epoch, what does not fill a batch left out."""
    per_epoch = n // how.batch
    orders = np.empty((0, n), np.int64)
    for step in range(how.steps):
        epoch, part = divmod(step, per_epoch)
        if not part:
            orders = np.stack([lab.rng("order", name, epoch, seed=s).permutation(n) for s in seeds])
        yield orders[:, part * how.batch : (part + 1) * how.batch]
