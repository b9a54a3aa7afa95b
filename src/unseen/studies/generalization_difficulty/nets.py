"""What learns here? Perceptrons of one shape, one for each seed, trained together.

    nets = Nets((64, 256, 256, 1), seeds=(0, 1, 2, 3, 4), lab=lab)
    nets(x)        # x [seed batch 64] -> logits [seed batch]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.core.lab import Lab


class Nets:
    """S perceptrons with ReLU. Weights are views into one buffer [seed weight], matrices first."""

    def __init__(self, sizes: Sequence[int], seeds: Sequence[int], flat: Tensor) -> None:
        self.sizes, self.seeds, self.flat = tuple(sizes), tuple(seeds), flat
        pairs = list(pairwise(sizes))
        shapes = {f"{i}.weight": pair for i, pair in enumerate(pairs)}
        shapes |= {f"{i}.bias": (1, b) for i, (_, b) in enumerate(pairs)}
        self.names = list(shapes)
        self.decayed = sum(a * b for a, b in pairs)
        parts = flat.split([a * b for a, b in shapes.values()], 1)
        self.weights = {
            name: part.view(len(self.seeds), *shape).requires_grad_(True)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    def w(self, name: str) -> Tensor:
        """A weight of all members [seed …]."""
        return self.weights[name]

    def part(self, first: int, last: int) -> Nets:
        """The members first … last − 1 as a stack that shares their weights."""
        return Nets(self.sizes, self.seeds[first:last], self.flat[first:last])

    def __call__(self, x: Tensor) -> Tensor:
        """The logits [seed batch] of inputs [seed batch feature]."""
        last = len(self.sizes) - 2
        for i in range(last + 1):
            x = torch.baddbmm(self.w(f"{i}.bias"), x, self.w(f"{i}.weight"))
            x = F.relu(x) if i < last else x
        return x[..., 0]


def stack(sizes: Sequence[int], seeds: Sequence[int], lab: Lab) -> Nets:
    """New networks, each of its seed's own weights: normal with deviation √(2/inputs), biases 0."""
    flat: list[np.ndarray] = []
    for seed in seeds:
        rng = lab.rng("weights", seed=seed)
        matrices = [rng.standard_normal(a * b) * np.sqrt(2 / a) for a, b in pairwise(sizes)]
        flat.append(np.concatenate([*matrices, np.zeros(sum(sizes[1:]))]))
    return Nets(sizes, seeds, torch.from_numpy(np.stack(flat).astype(np.float32)).to(lab.device))


def losses(nets: Nets, x: Tensor, y: Tensor) -> Tensor:
    """The mean cross-entropy of each member [seed] (nats) on inputs [seed batch feature] with labels 0 or 1 [seed batch]."""
    return F.binary_cross_entropy_with_logits(nets(x), y, reduction="none").mean(1)
