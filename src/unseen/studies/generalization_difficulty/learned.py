"""How well do networks generalize on a manifold of known dimension, beside the bits that it asks for?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Split
from unseen.measures import difficulty
from unseen.measures.difficulty import Bits
from unseen.methods.training import Recipe, train
from unseen.tasks.manifolds import Manifold, band, draw

from .arms import Learned
from .nets import Nets, losses, stack

TARGET = 0.01  # the error that the bits are asked for
Floats = NDArray[np.float32]


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Rows of each seed: `error` (fraction 0..1) on `test` and `noise`, `train_error`, `untrained` (the error before the
    first step), `log10_bits` (0 where data suffice) with `suffices`, and `measured_log10`, the bits estimated from the very
    points trained on. `error` carries the bits of the known constants as a coordinate."""
    drawn = [_drawn(setting, seed, lab) for seed in lab.seeds]
    parts = {name: _stacked([d[name] for d in drawn], lab) for name in ("train", "test", "noise")}
    nets = stack((setting.ambient, *[setting.width] * setting.layers, 1), lab.seeds, lab)
    known = known_bits(setting)
    place = max(0.0, known.log10)
    yield from _each("untrained", _wrong(nets, *parts["test"]), setting.tested, lab.seeds, Split("test"))
    x, y = parts["train"]

    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        rows = np.stack([lab.rng("batch", step, seed=s).integers(0, setting.points, setting.batch) for s in lab.seeds])
        which = torch.from_numpy(rows).to(lab.device)
        member = torch.arange(len(lab.seeds), device=lab.device)[:, None]
        return x[member, which], y[member, which]

    recipe = Recipe(lr=setting.lr, batch=setting.batch, precision="float32")
    for _ in train(nets, batch, losses, steps=setting.steps, every=setting.steps, recipe=recipe, lab=lab):
        pass
    for split in _manifold(setting, 0).splits:
        wrong = _wrong(nets, *parts[split.name])
        yield from _each("error", wrong, setting.tested, lab.seeds, split, log10_known=place)
    yield from _each("train_error", _wrong(nets, x, y), setting.points, lab.seeds, Split("train"))
    for i, seed in enumerate(lab.seeds):
        yield Row("log10_bits", place, seed=seed)
        yield Row("suffices", float(bool(known.state)), seed=seed)
        yield from _measured(x[i].cpu().numpy(), y[i].cpu().numpy(), seed, lab)


def known_bits(setting: Learned) -> Bits:
    """The bits of the manifold that is known: its dimension and radius, and the δ = 2π R/M that its highest frequency
    M stands for."""
    made = _manifold(setting, 0)
    delta = 2 * math.pi * made.radius / setting.frequency
    return difficulty.bits(setting.points, setting.m, delta, made.radius, 2, TARGET)


def _manifold(setting: Learned, seed: int) -> Manifold:
    return Manifold(setting.kind, setting.m, setting.ambient, noise=setting.added, seed=seed)


def _drawn(setting: Learned, seed: int, lab: Lab) -> dict[str, tuple[Floats, Floats]]:
    """A seed's own manifold and function: points and classes of every split. The classes are halves of the training part;
    shuffled, they are dealt out anew on each."""
    made = _manifold(setting, seed)
    target = band(made, setting.frequency, lab.rng("function", seed=seed))
    sizes = {"train": setting.points, "test": setting.tested, "noise": setting.tested}
    found = {name: draw(made, target, name, n, lab.rng("points", name, seed=seed)) for name, n in sizes.items()}
    middle = np.median(found["train"].y)
    told: dict[str, tuple[Floats, Floats]] = {}
    for name, points in found.items():
        y = (points.y > middle).astype(np.float32)
        if setting.labels == "shuffled":
            y = lab.rng("shuffled", name, seed=seed).permutation(y)
        told[name] = points.x.astype(np.float32) * np.float32(np.sqrt(setting.ambient)), y
    return told


def _stacked(parts: Sequence[tuple[Floats, Floats]], lab: Lab) -> tuple[torch.Tensor, torch.Tensor]:
    """Points [seed n feature] and classes [seed n]."""
    x, y = (torch.from_numpy(np.stack(v)).to(lab.device) for v in zip(*parts, strict=True))
    return x, y


@torch.no_grad()
def _wrong(nets: Nets, x: torch.Tensor, y: torch.Tensor) -> NDArray[np.float64]:
    """The share of wrong answers of each member [seed]."""
    return ((nets(x) > 0).float() != y).double().mean(1).cpu().numpy()


def _each(measure: str, values: NDArray[np.float64], n: int, seeds: Sequence[int], split: Split, **at: float) -> Iterator[Row]:  # fmt: skip
    for seed, value in zip(seeds, values.tolist(), strict=True):
        yield Row(measure, value, split, n, at=at, seed=seed)


def _measured(x: Floats, y: Floats, seed: int, lab: Lab) -> Iterator[Row]:
    found = difficulty.of(x, y, error=TARGET, rng=lab.rng("measured", seed=seed))
    yield Row("measured_m", found.m.value, seed=seed)
    yield Row("measured_delta", found.delta.value / found.radius.value, seed=seed)
    yield Row("measured_log10", max(0.0, found.bits.log10), seed=seed)
