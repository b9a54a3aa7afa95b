"""How are decoders measured? Trained on one task, then asked every split: is the most likely word a right one?

Row("answered", 0.93, Split("unseen positions"), n=400, step=3000, seed=2)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.core.task import Batch
from unseen.measures.exact import AT_ONCE
from unseen.methods import fit
from unseen.models import decoder
from unseen.tasks.batches import padded
from unseen.tasks.layout import item_ids

from .learned import Learned
from .tasks import coded
from .tokens import Coded, laid


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Yield `answered`, the share of right words, and `lawful`, the share of legal ones, of every split: four times
    during training, or once of decoders that are not trained. Saves the decoders."""
    task = coded(setting)
    models = decoder.stack(
        task.vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=task.longest("train"),
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )
    if setting.learner == "untrained":
        yield from _asked(models, task, setting, 0, lab)
        return
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=min(50, setting.steps // 10 + 1), schedule="cosine")
    every = max(1, setting.steps // 4)
    for step, _ in fit.next_token(models, task, "train", steps=setting.steps, every=every, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            yield from _asked(models, task, setting, step, lab)
    yield from _asked(models, task, setting, setting.steps, lab)
    decoder.save(models, lab.folder / f"{setting.task}-{setting.learner}")


def _asked(models: decoder.Decoder, task: Coded, setting: Learned, step: int, lab: Lab) -> Iterator[Row]:
    for split in task.splits:
        for name, scored in scores(models, task, split, setting.items, lab).items():
            yield from Row.each(name, scored, split, step=step)


def scores(models: decoder.Decoder, task: Coded, split: Split, n: int, lab: Lab) -> dict[str, Scored]:
    """Whether each of n items is answered by a right word, and by a legal one [seed item]; seeds have their own items."""
    posed = [task.posed(split.name, n, lab.rng("test", split.name, seed=seed)) for seed in models.seeds]
    drawn = [laid(p.prompt, p.answer) for p in posed]
    said = chosen(models, drawn)
    ids = [_ids(batch) for batch in drawn]
    marks = {"answered": [p.right for p in posed], "lawful": [p.legal for p in posed]}
    return {
        name: Scored(
            models.seeds,
            ids,
            np.stack([np.take_along_axis(m, s[:, None], 1)[:, 0] for m, s in zip(each, said, strict=True)]).astype(
                float
            ),
        )
        for name, each in marks.items()
    }


@torch.inference_mode()
def chosen(models: decoder.Decoder, drawn: Sequence[Batch]) -> NDArray[np.int64]:
    """The most likely word of each member after each of its own prompts [seed item]."""
    tokens, answer = padded(drawn, max(b.tokens.shape[1] for b in drawn))
    size = max(1, AT_ONCE // (tokens.shape[0] * tokens.shape[2]))
    found: list[NDArray[np.int64]] = []
    for start in range(0, tokens.shape[1], size):
        part, marks = tokens[:, start : start + size, :-1], answer[:, start : start + size]
        keep = marks.argmax(2) - 1 + np.arange(part.shape[1]) * part.shape[2]
        given, places = (torch.from_numpy(np.ascontiguousarray(a)).to(models.flat.device) for a in (part, keep))
        found.append(models.logits(models(given, keep=places)).argmax(-1).cpu().numpy())
    return np.concatenate(found, 1)


def _ids(batch: Batch) -> list[str]:
    """A name for each item, even where a prompt comes twice."""
    return [f"{name}-{i}" for i, name in enumerate(item_ids(batch))]
