"""Where do the weights of stacked models lie? In one buffer [seed weight]: first what decays, then the rest.

laid({"up.weight": ((64, 256), 0.02), "up.bias": ((256,), 0.0)}, seeds=5)   ->  a buffer [5 16640], and views of it by name

A kind is a weight's own shape, without the seed, and its initial standard deviation (−1: ones, 0: zeros).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Kinds = Mapping[str, tuple[tuple[int, ...], float]]


@dataclass(frozen=True)
class Laid:
    """A buffer [seed weight], the names in its order, how many of a member's numbers decay, and the weights by name."""

    flat: Tensor
    names: list[str]
    decayed: int
    weights: nn.ParameterDict


def laid(
    kinds: Kinds, seeds: int, *, spared: Collection[str] = (), device: str = "cpu", flat: Tensor | None = None
) -> Laid:
    """The weights as views of a buffer, a new one or `flat`; matrices decay, save those `spared`, and vectors do not."""

    def rests(name: str) -> bool:
        return len(kinds[name][0]) < 2 or name in spared

    names = sorted(kinds, key=rests)
    sizes = [math.prod(kinds[name][0]) for name in names]
    whole = torch.empty(seeds, sum(sizes), device=device) if flat is None else flat
    weights = nn.ParameterDict()
    for name, view in zip(names, whole.split(sizes, 1), strict=True):
        weights[name.replace(".", "_")] = nn.Parameter(view.view(seeds, *kinds[name][0]))
    return Laid(whole, names, sum(n for n, name in zip(sizes, names, strict=True) if not rests(name)), weights)


def numbers(kinds: Kinds) -> int:
    """How many numbers one member's weights are."""
    return sum(math.prod(shape) for shape, _ in kinds.values())


@torch.no_grad()
def begin(found: Laid, kinds: Kinds, row: int, stream: int, spread: float = 1.0) -> None:
    """Draw the weights of one member, in the order of the kinds; normal ones are `spread` times as wide as their kind says."""
    source = torch.Generator().manual_seed(stream)
    for name, (shape, wide) in kinds.items():
        value = torch.randn(shape, generator=source) * wide * spread if wide > 0 else torch.full(shape, -wide)
        found.weights[name.replace(".", "_")][row].copy_(value)
