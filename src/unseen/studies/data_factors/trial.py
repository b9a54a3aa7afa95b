"""How is it measured? Decoders are trained and asked, by the kind of the setting; the interpreter is asked too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Item, Row, Scored, Split
from unseen.core.task import example_id
from unseen.tasks import scan
from unseen.tasks.paired import Paired

from . import tasks
from .arms import Interpreted, Real, Scanned

FEW = 5  # times fewer items are asked before the end


def run(setting: Scanned | Real | Interpreted, lab: Lab) -> Iterator[Row | Item]:
    """Yield `exact`, the fraction (0..1) of answers wholly right, four times during training, and `exact_untrained`;
    of the interpreter `interpreted`, the fraction of published commands whose actions it gives."""
    if isinstance(setting, Interpreted):
        yield from _interpreted(setting, lab)
    else:
        yield from _learned(setting, lab)


def _learned(setting: Scanned | Real, lab: Lab) -> Iterator[Row | Item]:
    """Rows of decoders: untrained, during training on few items, and at the end on all; saves them."""
    from unseen.measures import exact
    from unseen.methods import fit
    from unseen.models import decoder

    worlds = tasks.worlds(setting, lab)
    splits = worlds[0].splits
    models = decoder.stack(
        worlds[0].vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=max(its.longest(name) for its in worlds for name in ("train", *(s.name for s in splits))),
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )
    few = max(20, setting.items // FEW)
    for split in splits:
        yield from Row.each("exact_untrained", exact.greedy(models, worlds, split, n=few, lab=lab), split)
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup, schedule="cosine")
    quarter = max(1, setting.steps // 4)
    for step, _ in fit.next_token(models, worlds, "train", steps=setting.steps, every=quarter, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            for split in splits:
                yield from Row.each("exact", exact.greedy(models, worlds, split, n=few, lab=lab), split, step=step)
    for split in splits:
        yield from told(worlds, split, exact.greedy(models, worlds, split, n=setting.items, lab=lab), setting.steps)
    decoder.save(models, lab.folder / "decoder")


def told(worlds: Sequence[Paired], split: Split, scored: Scored, step: int) -> Iterator[Row | Item]:
    """The final `exact` of a split: its items where all models were asked every one of them, else a row of each model.

    One pass over right answers tells which are given (`exact.greedy`), so what was said instead is not written down.
    """
    if not split.shifted or worlds[0].size(split.name) != len(scored.ids[0]):
        yield from Row.each("exact", scored, split, step=step)
        return
    task = worlds[0]
    for seed, values in zip(scored.seeds, scored.values, strict=True):
        for (source, target), value in zip(task.pairs(split.name), values, strict=True):
            yield Item(
                example_id(task.name, split.name, source),
                split,
                source,
                target if value else "",
                target,
                {"exact": float(value)},
                finish="" if value else "left the right answer",
                step=step,
                seed=int(seed),
            )


def _interpreted(setting: Interpreted, lab: Lab) -> Iterator[Row]:
    """How many commands of a published split the interpreter understands, of its training and of its test set."""
    task = tasks.published(setting.published)
    for seed in lab.seeds:
        for split in (Split("train"), *task.splits):
            drawn = task.draw(split.name, setting.items, lab.rng("test", split.name, seed=seed))
            right = np.array([[scan.interpret(e.prompt) == e.truth for e in drawn]], float)
            yield from Row.each("interpreted", Scored([seed], [[e.id for e in drawn]], right), split)
