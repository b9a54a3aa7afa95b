"""How is it measured? Train on copying, score exact matches six times on the way, keep the weights."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures import exact
from unseen.methods import fit
from unseen.models import decoder
from unseen.tasks import copying

from .study import Setting


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `exact`, the fraction (0..1) copied wholly right, per split and seed."""
    task = copying.copies(4, (6,), "unique")
    models = decoder.stack(task.vocab, width=setting.width, seeds=lab.seeds, lab=lab)
    recipe = fit.Recipe(batch=16, warmup=5)
    for step, now in fit.next_token(models, task, "train", steps=setting.steps, every=10, recipe=recipe, lab=lab):
        for split in task.splits:
            yield from Row.each("exact", exact.greedy(now, task, split, n=32, lab=lab), split, step=step)
    decoder.save(models, lab.folder / "decoder")
