"""How is it measured? Networks are meta-trained, then read sequences of seen and unseen tasks in one causal pass each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.core.row import Value
from unseen.tasks.worlds import Sequences, Worlds

from . import tasks
from .arms import Designed, Learned

if TYPE_CHECKING:
    from torch import Tensor

    from unseen.models.learner import Learner, Shape

LOOKS = 40  # at the loss during training
LOOKED = 64  # sequences each time
UNBIASED = 0.5  # share of training after which no labels are kept unpermuted
Hits = NDArray[np.bool_]


def run(setting: Learned | Designed, lab: Lab) -> Iterator[Row]:
    """Yield `first` and `last`, the accuracy (0..1) at a sequence's first and last example; the same `_beyond` chance;
    `accuracy` by `shots`, the examples read before; of networks also `gained` (nats below chance) during training,
    `last_by_tasks` and `last_by_size`, and which of `memorises`, `identifies`, `learns` and `fails` (0 or 1) holds."""
    worlds = [tasks.world(setting, lab, seed) for seed in lab.seeds]
    if isinstance(setting, Learned):
        yield from _learned(setting, worlds, lab)
    else:
        yield from _designed(setting, worlds, lab)


def _learned(setting: Learned, worlds: Sequence[Worlds], lab: Lab) -> Iterator[Row]:
    from unseen.methods import fit
    from unseen.models import learner

    models = learner.stack(_shape(setting), seeds=lab.seeds, spread=setting.spread, lab=lab)
    chance, seen = 1 / setting.classes, worlds[0].splits[0]
    told, x, y = _sequences(worlds, seen, LOOKED, lab)
    hits = learner.right(models, x, y).cpu().numpy()
    yield from _beyond("untrained", chance, _scored(lab, told, hits[:, :, -1]), seen, 0)
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup)
    every = max(1, setting.steps // LOOKS)
    features = setting.batch * models.shape.tokens * setting.width
    stream = fit.train(
        models,
        lambda step: _batch(setting, worlds, step, lab),
        learner.losses,
        steps=setting.steps,
        every=every,
        recipe=recipe,
        features=features,
        lab=lab,
    )
    for step, _ in stream:
        yield from _gained(setting, models, worlds, seen, step, lab)
    yield from _final(setting, models, worlds, lab)
    learner.save(models, lab.folder / f"{setting.part}-{setting.kind}-{setting.size}-{setting.tasks}")


def _shape(setting: Learned) -> Shape:
    from unseen.models.learner import Shape

    return Shape(
        setting.features,
        setting.classes,
        setting.length,
        setting.width,
        setting.layers,
        setting.heads,
        setting.kind,
        setting.form,
        "rotary" if setting.form == "shift" else "none",  # a shifted label has to be found one token further on
    )


def _batch(setting: Learned, worlds: Sequence[Worlds], step: int, lab: Lab) -> tuple[Tensor, ...]:
    """What a step learns from: x [seed batch length feature], y [seed batch length]."""
    import torch

    fixed = setting.fixed * max(0.0, 1 - step / setting.steps / UNBIASED)
    drawn = [
        world.sample("train", setting.batch, lab.rng("batch", step, seed=s), fixed=fixed)
        for world, s in zip(worlds, lab.seeds, strict=True)
    ]
    return tuple(torch.from_numpy(np.stack(v)).to(lab.device) for v in ([d.x for d in drawn], [d.y for d in drawn]))


def _sequences(
    worlds: Sequence[Worlds], split: Split, n: int, lab: Lab, *names: Value
) -> tuple[list[Sequences], Tensor, Tensor]:
    """n sequences of a split for each seed, and as tensors x [seed n length feature] and y [seed n length]."""
    import torch

    drawn = [
        w.sample(split.name, n, lab.rng("test", split.name, *names, seed=s))
        for w, s in zip(worlds, lab.seeds, strict=True)
    ]
    x, y = (torch.from_numpy(np.stack(v)).to(lab.device) for v in ([d.x for d in drawn], [d.y for d in drawn]))
    return drawn, x, y


def _gained(
    setting: Learned, models: Learner, worlds: Sequence[Worlds], split: Split, step: int, lab: Lab
) -> Iterator[Row]:
    """How far the loss (nats, mean over a sequence) lies below that of guessing, on few sequences."""
    import torch

    from unseen.models import learner

    _, x, y = _sequences(worlds, split, LOOKED, lab, step)
    with torch.no_grad():
        losses = learner.losses(models, x, y).tolist()
    for seed, loss in zip(lab.seeds, losses, strict=True):
        yield Row("gained", math.log(setting.classes) - loss, split, LOOKED, step, seed=seed)


def _final(setting: Learned, models: Learner, worlds: Sequence[Worlds], lab: Lab) -> Iterator[Row]:
    """What trained networks are worth on every split, and what kind of algorithm each is."""
    from unseen.models import learner

    levels: dict[str, Scored] = {}
    for split in worlds[0].splits:
        told, x, y = _sequences(worlds, split, setting.items, lab)
        hits = learner.right(models, x, y).cpu().numpy()
        yield from _rows(setting, hits, told, split, lab, setting.steps)
        levels[f"first {split.name}"] = _scored(lab, told, hits[:, :, 0])
        levels[f"last {split.name}"] = last = _scored(lab, told, hits[:, :, -1])
        if split.name == "new tasks":
            met = min(setting.tasks or math.inf, setting.steps * setting.batch)
            size = {"state": math.log2(models.shape.state), "parameters": math.log2(models.parameters_each)}
            yield from Row.each("last_by_tasks", last, split, step=setting.steps, at={"doublings": math.log2(met)})
            yield from Row.each("last_by_size", last, split, step=setting.steps, at=size)
    for i, seed in enumerate(lab.seeds):
        its = {name: float(np.mean(scored.values[i])) for name, scored in levels.items()}
        for name, holds in kind_of(its, 1 / setting.classes).items():
            yield Row(name, float(holds), step=setting.steps, seed=seed)


def kind_of(levels: Mapping[str, float], chance: float) -> dict[str, bool]:
    """Which algorithm a network is, by accuracies of its `first` and `last` examples on seen and new tasks.

    It learns if it ends a new task above halfway between chance and 1; else it memorises if it begins a seen one there,
    identifies if it ends a seen one there, and fails if it does neither.
    """
    half = (1 + chance) / 2
    learns, begins, ends = (levels[name] >= half for name in ("last new tasks", "first seen tasks", "last seen tasks"))
    return {
        "learns": learns,
        "memorises": begins and not learns,
        "identifies": ends and not begins and not learns,
        "fails": not (learns or begins or ends),
    }


def _designed(setting: Designed, worlds: Sequence[Worlds], lab: Lab) -> Iterator[Row]:
    """Rows of a designed learner, trained anew on every context."""
    from .designed import right

    for split in worlds[0].splits:
        drawn = [
            w.sample(split.name, setting.items, lab.rng("test", split.name, seed=s))
            for w, s in zip(worlds, lab.seeds, strict=True)
        ]
        hits = []
        for i, one in enumerate(drawn):
            hits.append(right(setting.method, one.x, one.y, setting.classes))
            lab.progress(i + 1, len(drawn))
        yield from _rows(setting, np.stack(hits), drawn, split, lab, None)


def shots(length: int) -> list[int]:
    """The numbers of examples read before at which accuracy is told: 0, 1, 2, 4, 8, … and all."""
    return sorted({0, length - 1, *(2**k for k in range(length.bit_length()) if 2**k < length)})


def _rows(
    setting: Learned | Designed, hits: Hits, told: Sequence[Sequences], split: Split, lab: Lab, step: int | None
) -> Iterator[Row]:
    """`first`, `last`, both beyond chance, and `accuracy` by shots, of right answers [seed sequence place]."""
    for name, place in (("first", 0), ("last", hits.shape[2] - 1)):
        scored = _scored(lab, told, hits[:, :, place])
        yield from Row.each(name, scored, split, step=step)
        yield from _beyond(name, 1 / setting.classes, scored, split, step)
    for place in shots(hits.shape[2]):
        yield from Row.each("accuracy", _scored(lab, told, hits[:, :, place]), split, step=step, at={"shots": place})


def _beyond(name: str, chance: float, scored: Scored, split: Split, step: int | None) -> Iterator[Row]:
    """The same beyond chance: −chance … 1 − chance."""
    for row in Row.each(f"{name}_beyond", scored, split, step=step):
        yield replace(row, value=round(row.value - chance, 12))


def _scored(lab: Lab, told: Sequence[Sequences], hits: Hits) -> Scored:
    """Right answers [seed sequence] of every seed's own sequences."""
    return Scored(lab.seeds, [one.names for one in told], hits.astype(float))
