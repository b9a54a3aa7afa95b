"""How do small decoders compose skills? Trained on texts of few, they are sampled three times for each query of more.

Row("full", 0.91, Split("k=4 trained", …), n=100, step=1600, seed=2)       mean over three texts; best_full: their best
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Split
from unseen.core.task import Batch
from unseen.methods import fit
from unseen.models import decoder
from unseen.tasks.layout import item_ids

from . import marked, sampled
from .arms import Learned
from .skilltext import Bools, Ints
from .tasks import twin_of
from .twin import Twin, k_of, read

CONTEXT = 128  # tokens; positions are rotary, so that it costs nothing
AT_ONCE = 1_536  # texts of all seeds sampled together


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Yield the scores on every split, and half-way through training those of the reference splits."""
    own = [twin_of(setting, seed=seed) for seed in lab.seeds]
    models = decoder.stack(
        own[0].vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=CONTEXT,
        positions="rotary",
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )
    if setting.learner == "untrained":
        yield from asked_of(models, own, own[0].splits, setting, lab, 0)
        return
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup)
    reference = [split for split in own[0].splits if not split.shifted]
    half = max(1, setting.steps // 2)
    for step, _ in fit.next_token(models, own, "train", steps=setting.steps, every=half, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            yield from asked_of(models, own, reference, setting, lab, step)
    yield from asked_of(models, own, own[0].splits, setting, lab, setting.steps)
    decoder.save(models, lab.folder / f"{own[0].name}-{setting.learner}-k{setting.trained_k}")


def asked_of(
    models: decoder.Decoder, own: Sequence[Twin], splits: Sequence[Split], setting: Learned, lab: Lab, step: int
) -> Iterator[Row]:
    """Rows of the splits at one step; a seed's queries and random numbers depend on the seed and the split alone."""
    for split in splits:
        drawn = [_asked(its, split, setting.items, lab) for its in own]
        prompts = np.stack([batch.tokens[:, : int(batch.answer[0].argmax())] for _, batch in drawn])
        told, ended = _texts(models, own[0], prompts, split, setting, lab)
        limit = own[0].limit(k_of(split))
        earned = []
        for (asked, _), texts, over in zip(drawn, told, ended, strict=True):
            each = np.repeat(asked, setting.generations, 0)
            skills, others = marked.points(each, read(texts), over, limit=limit)
            form = (setting.items, setting.generations, -1)
            earned.append((skills.reshape(form), others.reshape(form)))
        ids = [item_ids(batch) for _, batch in drawn]
        yield from marked.rows(split, lab.seeds, ids, earned, step=step)


def _asked(task: Twin, split: Split, n: int, lab: Lab) -> tuple[Ints, Batch]:
    """n queries [n k+1 3] of a seed, and their sequences: the same at every step."""
    rng = lab.rng("test", split.name, seed=task.seed)
    asked, texts = task.queries(split.name, n, rng)
    return asked, task.sequences(asked, texts, rng)


def _texts(
    models: decoder.Decoder, task: Twin, prompts: NDArray[np.integer], split: Split, setting: Learned, lab: Lab
) -> tuple[Ints, Bools]:
    """Tokens [seed query·generation place] sampled for prompts [seed query length], and which came to an end."""
    repeated = np.repeat(prompts, setting.generations, 1)
    steps = task.room(k_of(split))
    noise = [lab.rng("sampled", split.name, seed=seed) for seed in lab.seeds]
    size = max(1, AT_ONCE // len(lab.seeds))
    pieces = [
        sampled.texts(models, repeated[:, at : at + size], steps=steps, temperature=setting.temperature, noise=noise)
        for at in range(0, repeated.shape[1], size)
    ]
    return np.concatenate([t for t, _ in pieces], 1), np.concatenate([o for _, o in pieces], 1)
