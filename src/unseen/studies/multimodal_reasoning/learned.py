"""How are networks measured? Trained on fresh items, then tested on every split of their family.

Row("kappa", 0.81, Split("30 distractors", …), n=500, step=2000, seed=3) ; Row("by_operator", 0.93, …, at={"operator": "go"})
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.methods import fit

from . import nets
from .arms import Learned
from .coded import Coded, coded, sizes
from .families import Family, halves
from .nets import Net, Record
from .scenes import Items
from .shape import Shape
from .tasks import family_of
from .trees import nodes
from .world import OPERATORS, World

LOOKS = 4  # at the reference during training, the last at the end
AT_ONCE = 16_384  # tokens of one member in a forward pass of a test
Index = NDArray[np.integer]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Test:
    """A split's items of every seed, as drawn and as arrays [seed item …], with their ids."""

    split: Split
    items: list[list[Items]]
    arrays: tuple[Tensor, ...]
    ids: list[list[str]]

    @property
    def operator(self) -> Index:
        """Which operator gives the answer [seed item]."""
        return np.stack([np.concatenate([part.operator for part in its]) for its in self.items])


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Yield `accuracy` (0..1) and `kappa`, its share of the way from guessing to 1, per split; `by_operator`; `untrained`,
    the kappa before training; `looked`, the attention on the asked objects' cells; `by_pair`; `latents_apart`."""
    family = family_of(setting)
    models = begun(setting, family, lab)
    tests = [drawn(setting, family, split, lab) for split in family.splits]
    yield from Row.each("untrained", _kappa(tests[0], right(models, tests[0]), family.world, lab), tests[0].split, step=0)  # fmt: skip
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup)
    stream = fit.train(
        models,
        lambda step: batch(setting, family, step, lab),
        nets.losses,
        steps=setting.steps,
        every=max(1, setting.steps // LOOKS),
        recipe=recipe,
        features=setting.batch * nets.tokens_of(models.shape) * setting.width,
        lab=lab,
    )
    for step, _ in stream:
        for test in tests if step == setting.steps else tests[:1]:
            yield from _rows(models, test, family, step, lab)
    if setting.kind == "perceiver":
        yield from _apart(models, tests[0], setting.steps)


def begun(setting: Learned, family: Family, lab: Lab) -> Net:
    """The untrained networks of a setting, one for each seed."""
    rule, stim = sizes(family.world, setting.encoding)
    deepest = max(*family.trained, *(setting.tests if setting.part == "productive" else (1,)))
    latents = "zero" if setting.fidelity == "as_released" else "learned"
    shape = Shape(
        setting.kind,
        rule,
        stim,
        nodes(deepest),
        family.world.cells,
        family.world.classes,
        setting.width,
        setting.layers,
        setting.heads,
        setting.positions,
        latents,
        setting.places,
    )
    return nets.stack(shape, seeds=lab.seeds, lab=lab)


def batch(setting: Learned, family: Family, step: int, lab: Lab) -> tuple[Tensor, ...]:
    """What a step learns from, arrays [seed batch …]."""
    rngs = [lab.rng("batch", step, seed=s) for s in lab.seeds]
    items = [family.draw("train", setting.batch, rng) for rng in rngs]
    told = _coded(setting, items)
    if setting.labels == "shuffled":
        for its, answers, rng in zip(items, told[-1], rngs, strict=True):
            answers[:] = torch.from_numpy(shuffled(answers.numpy(), np.concatenate([i.operator for i in its]), rng))
    return tuple(x.to(lab.device) for x in told)


def shuffled(answers: Index, operator: Index, rng: np.random.Generator) -> Index:
    """The answers [item] with those of each operator in a random order."""
    found = answers.copy()
    for op in np.unique(operator):
        mine = np.flatnonzero(operator == op)
        found[mine] = answers[rng.permutation(mine)]
    return found


def drawn(setting: Learned, family: Family, split: Split, lab: Lab) -> Test:
    """A split's test items, every seed's own."""
    items = [family.draw(split.name, setting.items, lab.rng("test", split.name, seed=s)) for s in lab.seeds]
    arrays = tuple(x.to(lab.device) for x in _coded(setting, items))
    return Test(split, items, arrays, [[name for part in its for name in names(part)] for its in items])


def names(items: Items) -> list[str]:
    """An id for each item: a digest of its question and scene."""
    told = (items.trees.op, items.trees.said_shape, items.trees.said_colour, items.shape, items.colour)
    rows = np.concatenate([x.reshape(len(items), -1).astype(np.int8) for x in told], 1)
    return [hashlib.blake2b(row.tobytes(), digest_size=8).hexdigest() for row in rows]


def _coded(setting: Learned, items: Sequence[Sequence[Items]]) -> tuple[Tensor, ...]:
    """rule, stim, last and answer of every seed's items, stacked."""
    most = max(nodes(part.trees.depth) for its in items for part in its)
    told: list[Coded] = [coded(its, setting.encoding, nodes=most) for its in items]
    return tuple(torch.from_numpy(np.stack([getattr(t, k) for t in told])) for k in ("rule", "stim", "last", "answer"))


@torch.inference_mode()
def right(models: Net, test: Test, record: list[Record] | None = None) -> Flags:
    """Which answers [seed item] are right, some at a time; `record` gets what each pass recorded."""
    at_once = max(1, AT_ONCE // nets.tokens_of(models.shape))
    found: list[Tensor] = []
    for rule, stim, last, answer in zip(*(x.split(at_once, 1) for x in test.arrays), strict=True):
        kept: Record | None = None if record is None else {}
        found.append(models(rule, stim, last, kept).argmax(-1) == answer)
        if record is not None and kept is not None:
            record.append(kept)
    return torch.cat(found, 1).cpu().numpy()


def _rows(models: Net, test: Test, family: Family, step: int, lab: Lab) -> Iterator[Row]:
    record: list[Record] | None = [] if models.shape.kind == "cross" else None
    hits, operator = right(models, test, record), test.operator
    yield from Row.each("accuracy", Scored(lab.seeds, test.ids, hits.astype(float)), test.split, step=step)
    kappa = _kappa(test, hits, family.world, lab)
    yield from Row.each("kappa", kappa, test.split, step=step)
    for op, name in enumerate(OPERATORS):
        if all((mine := operator == op).any(1)):
            yield from Row.each("by_operator", _some(lab, test, hits, mine), test.split, step=step, at={"operator": name})  # fmt: skip
    if record is not None:
        yield from _looked(test, record, step, lab)
    if family.part == "opsys" and family.fidelity == "as_released" and test.split.shifted:
        known = np.stack([_trained(its, family) for its in test.items])
        for name, mine in (("trained", known), ("never trained", ~known)):
            if mine.any(1).all():
                scored = _some(lab, test, np.asarray(kappa.values), mine)
                yield from Row.each("by_pair", scored, test.split, step=step, at={"pair": name})


def _kappa(test: Test, hits: Flags, world: World, lab: Lab) -> Scored:
    """Each answer's share of kappa: (right − guess) / (1 − guess), guess being the share of its operator's most frequent
    answer, so that their mean is 0 for who knows the operator alone."""
    guess = world.guess()[test.operator]
    return Scored(lab.seeds, test.ids, (hits - guess) / (1 - guess))


def _some(lab: Lab, test: Test, values: NDArray[np.generic], mine: Flags) -> Scored:
    """The values of some items [seed item], by seed."""
    ids = [[name for name, m in zip(names, row, strict=True) if m] for names, row in zip(test.ids, mine, strict=True)]
    return Scored(lab.seeds, ids, [v[m].astype(float).tolist() for v, m in zip(values, mine, strict=True)])


def _looked(test: Test, record: Sequence[Record], step: int, lab: Lab) -> Iterator[Row]:
    """The share of attention that the end of the question pays to the cells of the objects that the answer is about,
    mean over heads, where there is one."""
    shares = torch.cat([r["cross.weights"] for r in record], 1).mean(2)[:, :, 0].cpu().numpy()
    for s, seed in enumerate(lab.seeds):
        cells: Index = np.concatenate([part.cell[np.arange(len(part)), part.leaf] for part in test.items[s]])
        mass = np.stack([np.where(c >= 0, shares[s, np.arange(len(cells)), c], 0) for c in cells.T]).sum(0)
        there: Flags = np.any(cells >= 0, axis=1)
        if there.any():
            ids = [[name for name, m in zip(test.ids[s], there.tolist(), strict=True) if m]]
            yield from Row.each("looked", Scored((seed,), ids, [mass[there].tolist()]), test.split, step=step)


def _trained(items: Sequence[Items], family: Family) -> Flags:
    """Which items' (operator, object) [item] stand in the training split, too."""
    kept: list[Flags] = []
    side = halves(family.world, family.fidelity)
    codes = [set(map(tuple, half.tolist())) for half in side]
    for part in items:
        op, shape, colour = part.trees.op[:, 0], part.trees.shape[:, 0, 0], part.trees.colour[:, 0, 0]
        told = zip(op.tolist(), shape.tolist(), colour.tolist(), strict=True)
        kept.append(np.array([(s, c) in codes[family.half_of(o)] for o, s, c in told]))
    return np.concatenate(kept)


@torch.inference_mode()
def _apart(models: Net, test: Test, step: int) -> Iterator[Row]:
    """The largest difference between any two of a perceiver's latents, in standard deviations of one of them."""
    kept: Record = {}
    models(*(x[:, :64] for x in test.arrays[:3]), kept)
    latents = kept["latents"].float()
    far = (latents - latents[:, :, :1]).abs().amax((1, 2, 3)) / latents.std((1, 2, 3)).clamp_min(1e-9)
    for seed, value in zip(models.seeds, far.tolist(), strict=True):
        yield Row("latents_apart", value, test.split, 64, step, seed=seed)
