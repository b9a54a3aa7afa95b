"""How do small decoders generalize? Trained from scratch on levels 1 and 2 in the compact language, asked beyond.

Row("exact", 0.98, Split("gcd level 2", …), n=200, step=1200, seed=2)
Row("shortfall", 0.71, seed=2)      what two learned components would give if they joined by themselves, minus what they do
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored
from unseen.measures import exact
from unseen.methods import fit
from unseen.models import decoder

from . import tasks
from .arms import Learned
from .spelled import Spelled

CONTEXT = 512  # tokens; positions are rotary, so that it costs nothing


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Yield `exact` (fraction 0..1 of answers wholly right) on every split, twice during training, and `shortfall`."""
    own = [tasks.compact(setting, seed=seed) for seed in lab.seeds]
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
        yield from _asked(setting, own, models, lab, 0, setting.items)
        return
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup)
    half = max(1, setting.steps // 2)
    for step, _ in fit.next_token(models, own, "train", steps=setting.steps, every=half, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            yield from _asked(setting, own, models, lab, step, max(20, setting.items // 4))
    yield from _asked(setting, own, models, lab, setting.steps, setting.items)
    decoder.save(models, lab.folder / f"{own[0].name}-{setting.learner}")


def _asked(
    setting: Learned, own: list[Spelled], models: decoder.Decoder, lab: Lab, step: int, items: int
) -> Iterator[Row]:
    """Rows of one step: exact match on every split, and at the last step what composition falls short of."""
    found: dict[str, dict[int, list[float]]] = {}
    for split in own[0].splits:
        scored = exact.greedy(models, own, split, n=items, lab=lab)
        yield from Row.each("exact", scored, split, step=step)
        for seed, value in _means(scored).items():
            found.setdefault(str(split.at["role"]), {}).setdefault(seed, []).append(value)
    if step in (0, setting.steps) and "composed" in found:
        for seed in lab.seeds:
            told = shortfall({k: v[seed] for k, v in found.items()})
            yield Row("shortfall", told, n=setting.items, step=step, seed=seed)


def shortfall(scores: Mapping[str, list[float]]) -> float:
    """acc(first) * acc(second) - acc(composed), each a mean over its splits: 0 if strategies join independently."""
    first, second, composed = (float(np.mean(scores[role])) for role in ("first", "second", "composed"))
    return first * second - composed


def _means(scored: Scored) -> dict[int, float]:
    return {seed: float(np.mean(values)) for seed, values in zip(scored.seeds, scored.values, strict=True)}
