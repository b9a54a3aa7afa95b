"""How are decoders measured? Trained each in its own world, and asked about trained rules, new ones and other domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.measures import exact
from unseen.methods import fit
from unseen.models import decoder
from unseen.tasks.batches import prompts
from unseen.tasks.layout import EOS, item_ids
from unseen.tasks.rewriting import OFFSET, Rewriting, tokens
from unseen.tasks.rewriting_rules import ALPHABET
from unseen.tasks.rewriting_strings import Letters

from . import tasks
from .arms import Learned
from .mistakes import KINDS, kinds

UNTRAINED = 50  # items of every split asked before training, at most


def run(setting: Learned, lab: Lab) -> Iterator[Row]:
    """Rows of decoders: untrained, through training on few items, and at the end on all with what went wrong."""
    import torch

    asked = [tasks.of(setting, seed=s) for s in lab.seeds]
    models = decoder.stack(
        asked[0].vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=max(asked[0].longest(s.name) for s in asked[0].splits),
        positions="rotary",
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )
    for split in asked[0].splits:
        scored = exact.greedy(models, asked, split, n=min(UNTRAINED, setting.items), lab=lab)
        yield from Row.each("exact_untrained", scored, split)
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=setting.warmup, precision=setting.precision)
    few = max(20, setting.items // 4)
    quarter = max(1, setting.steps // 4)
    for step, _ in fit.next_token(models, asked, "train", steps=setting.steps, every=quarter, recipe=recipe, lab=lab):
        if step < setting.steps:  # the last step is measured below, so that a resumed trial measures it too
            for split in asked[0].splits:
                yield from Row.each("exact", exact.greedy(models, asked, split, n=few, lab=lab), split, step=step)
    for split in asked[0].splits:
        yield from Row.each(
            "exact", exact.greedy(models, asked, split, n=setting.items, lab=lab), split, step=setting.steps
        )
        with torch.inference_mode():
            found = wrong(models, asked, split, setting.items, lab)
        for name, scored in found:
            yield from Row.each("answered", scored, split, step=setting.steps, at={"kind": name})
    decoder.save(models, lab.folder / "decoder")


def wrong(
    models: decoder.Decoder, asked: Sequence[Rewriting], split: Split, n: int, lab: Lab
) -> Iterator[tuple[str, Scored]]:
    """Of each kind in `KINDS`, which of n answers are of it [seed item]; the items are those of `exact.greedy`."""
    import torch

    drawn = [
        t.asked(split.name, n, lab.rng("test", split.name, seed=s)) for t, s in zip(asked, models.seeds, strict=True)
    ]
    batches = [tokens(one, one.told().out) for one in drawn]
    given = np.stack([b.tokens for b in batches])
    begin = prompts(np.stack([b.answer for b in batches]))
    first = int(begin.flat[0])
    assert np.all(begin == first), "prompts of one split are equally long, since sides and strings are"
    longest = given.shape[2] - first
    asks = torch.from_numpy(given[:, :, :first]).to(models.flat.device)
    said = decoder.greedy(models, asks, steps=longest, end=EOS).cpu().numpy()
    each = [kinds(one, letters(row), t.rules) for one, row, t in zip(drawn, said, asked, strict=True)]
    ids = [item_ids(b) for b in batches]
    for name in KINDS:
        yield name, Scored(models.seeds, ids, np.stack([found[name] for found in each]).astype(float))


def letters(said: Letters) -> Letters:
    """What was written, as letters counted from 1 [item place]; −1 where it is no letter, and all of it where there is
    no end: such an answer is no string."""
    ends = said == EOS
    before = np.cumsum(ends, axis=1) == 0
    found = np.where((said > OFFSET) & (said <= OFFSET + len(ALPHABET)), said - OFFSET, -1)
    found = np.where(before, found, 0)
    return np.where(ends.any(1)[:, None], found, -1)
