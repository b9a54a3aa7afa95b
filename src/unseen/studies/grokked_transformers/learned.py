"""How do decoders learn facts, and where do they put them together? Training, tests, the lens and tracing on the way.

Row("exact", 0.97, Split("composed new", …), step=4000, seed=2) ; Row("strength", 0.8, …, at={"layer": 1, "place": "r1"})
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split, drawn_of
from unseen.measures import exact, lens
from unseen.methods import fit
from unseen.models import decoder
from unseen.models.decoder import Decoder
from unseen.tasks.kg import NEW, TRAINED, Knowledge
from unseen.tasks.layout import item_ids

from . import probes, readers, tasks
from .arms import Learned
from .history import History

FITTED = 0.99  # of the trained composed facts: the moment from which on grokking is counted
LEARNED = 0.9  # of new composed facts
LABELS = 3
PLACES: Mapping[str, tuple[str, ...]] = {
    "composition": ("e", "r1", "r2"),
    "comparison": ("a", "ask", "e1", "mask", "e2"),
}


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Yield `exact` on every split, `mrr_…`, `labels_found` and `strength` by layer and place, all through training;
    `exact_untrained` before it, `exact_early` at one step of it, and turning points (`delay`, `…_growth`) after it."""
    known = [tasks.of(setting, lab, s) for s in lab.seeds]
    models = made(setting, known, lab)
    splits = {s.name: s for s in known[0].splits}
    sizes = {name: min(setting.items, *(t.size(name) for t in known)) for name in splits}
    for split in splits.values():
        yield from Row.each("exact_untrained", exact.greedy(models, known, split, n=sizes[split.name], lab=lab), split)
        if setting.family in PLACES:
            yield from readers.rows(known, split, sizes[split.name], lab)
    looked = _Looked(setting, known, lab)
    history = History.resumed(lab)
    taught = [tasks.taught(setting, t, lab.rng("shuffled", seed=s)) for t, s in zip(known, lab.seeds, strict=True)]
    at = schedule(setting)
    for step, _ in fit.next_token(
        models, taught, "train", steps=setting.steps, every=at, recipe=recipe(setting), lab=lab
    ):
        for name, split in splits.items():
            scored = exact.greedy(models, known, split, n=sizes[name], lab=lab)
            history.add(name, step, np.mean(scored.values, axis=1))
            yield from Row.each("exact", scored, split, step=step)
            if name == NEW and step == setting.early:
                yield from Row.each("exact_early", scored, split, step=step)
        yield from looked.rows(models, step, history)
        history.keep(lab, step)
    yield from turning_points(setting, history, splits[NEW], known, sizes[NEW], lab)
    decoder.save(models, lab.folder / f"{setting.family}-{setting.arm.replace(' ', '-')}")


def made(setting: Learned, known: Sequence[Knowledge], lab: Lab) -> Decoder:
    """Untrained decoders as wide and deep as a setting says."""
    return decoder.stack(
        known[0].vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=known[0].longest("train") - 1,
        spread=setting.spread,
        loops=setting.loops,
        seeds=lab.seeds,
        lab=lab,
    )


def recipe(setting: Learned) -> fit.Recipe:
    """AdamW at a constant rate after a linear warm-up, clipped at 1, as in the paper."""
    return fit.Recipe(
        lr=setting.lr,
        batch=setting.batch,
        warmup=setting.warmup,
        schedule="constant",
        weight_decay=setting.decay,
        betas=(0.9, setting.beta),
        shift=False,
    )


def schedule(setting: Learned) -> list[int]:
    """The steps measured at: every so many, from `dense` on more seldom, and the early one."""
    found = {*range(setting.every, min(setting.dense, setting.steps) + 1, setting.every), setting.steps}
    found |= set(range(setting.dense + setting.later, setting.steps + 1, setting.later))
    return sorted(found | {min(setting.early, setting.steps)})


def middle(depth: int) -> int:
    """The layer in the middle that claims read: the fifth of eight, as in the paper, and so in proportion."""
    return max(1, depth * 5 // 8)


class _Looked:
    """What is read inside the decoders: the same prompts at every step."""

    def __init__(self, setting: Learned, known: Sequence[Knowledge], lab: Lab) -> None:
        self.family, self.seeds = setting.family, lab.seeds
        if setting.family not in PLACES:
            return
        found = [probes.of(t, setting.probes, lab.rng("probes", seed=s)) for t, s in zip(known, lab.seeds, strict=True)]
        found = [f.first(min(len(f.prompts) for f in found)) for f in found]
        self.split = next(s for s in known[0].splits if s.name == TRAINED)
        self.ids = [[drawn_of([str(row.tolist())]) for row in f.prompts] for f in found]
        self.prompts = _stacked([f.prompts for f in found], lab)
        self.sought = {
            name: (place, _stacked([f.sought[name][1] for f in found], lab))
            for name, (place, _) in found[0].sought.items()
        }
        self.others = {place: _stacked([f.others[place] for f in found], lab) for place in found[0].others}

    def rows(self, models: Decoder, step: int, history: History) -> Iterator[Row]:
        """Reciprocal ranks, labels found and causal strength by layer and place; the claims' own layers go into history."""
        if self.family not in PLACES:
            return
        depth, words = models.shape.depth, PLACES[self.family]
        for name, (place, wanted) in self.sought.items():
            ranks = lens.ranks(models, self.prompts, place, wanted)  # [layer seed item wanted]
            measure = "labels_found" if name == "labels" else f"mrr_{name}"
            values = (ranks < LABELS).mean(-1) if measure == "labels_found" else 1 / (ranks[..., 0] + 1.0)
            history.add(
                measure, step, values[max(1, depth - 1) if measure == "labels_found" else middle(depth)].mean(1)
            )
            for layer in range(1, depth):
                yield from self._each(measure, values[layer], step, layer, words[place])
        changed = lens.traced(models, self.prompts, self.others)  # [layer place seed item]
        for column, place in enumerate(self.others):
            history.add(f"strength {words[place]}", step, changed[middle(depth) - 1, column].mean(1))
            for layer in range(1, depth):
                yield from self._each("strength", changed[layer - 1, column], step, layer, words[place])

    def _each(self, measure: str, values: NDArray[np.generic], step: int, layer: int, place: str) -> Iterator[Row]:
        scored = Scored(self.seeds, self.ids, values.astype(np.float64))
        yield from Row.each(measure, scored, self.split, step=step, at={"layer": layer, "place": place})


def turning_points(
    setting: Learned, history: History, new: Split, known: Sequence[Knowledge], n: int, lab: Lab
) -> Iterator[Row]:
    """Rows of what the curves say: `fitted_at` and `learned_at` (steps), their ratio's logarithm `delay`; `exact_when_fitted`
    of new facts; inside, the rise from fitting to the end (`…_growth`) and what was there when fitted (`…_when_fitted`)."""
    fitted, learned = history.reached(TRAINED, FITTED), history.reached(NEW, LEARNED)
    told = {"fitted_at": fitted, "learned_at": learned, "delay": np.log(learned / fitted)}
    inner = [name for name in history.curves if name.startswith(("mrr_", "strength", "labels_"))]
    for name in inner:
        then = history.when(name, fitted)
        plain = name.replace(" ", "_")
        told |= {f"{plain}_growth": history.last(name) - then, f"{plain}_when_fitted": then}
    for measure, values in told.items():
        for seed, value in zip(lab.seeds, values, strict=True):
            yield Row(measure, float(value), step=setting.steps, seed=seed)
    for i, (seed, value) in enumerate(zip(lab.seeds, history.when(NEW, fitted), strict=True)):
        drawn = drawn_of(item_ids(known[i].batch(NEW, n, lab.rng("test", NEW, seed=seed))))
        yield Row("exact_when_fitted", float(value), new, n, setting.steps, seed=seed, drawn=drawn)


def _stacked(parts: Sequence[NDArray[np.integer]], lab: Lab) -> torch.Tensor:
    return torch.from_numpy(np.stack(parts).astype(np.int64)).to(lab.device)
