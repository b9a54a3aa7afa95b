"""Is teacher-forced exact match what greedy decoding would write? Against decoding each question token by token."""

from __future__ import annotations

import numpy as np
import torch

from unseen.core.lab import Lab
from unseen.measures import exact
from unseen.methods import fit
from unseen.models import decoder
from unseen.tasks import sorting
from unseen.tasks.layout import EOS


def written(models: decoder.Decoder, seed: int, tokens: np.ndarray, answer: np.ndarray) -> bool:
    """Whether one decoder, given the prompt alone, writes exactly the answer with its end."""
    begin, wanted = int(answer.argmax()), tokens[answer]
    prompt = torch.from_numpy(tokens[:begin].astype(np.int64)).expand(len(models.seeds), 1, begin)
    told = decoder.greedy(models, prompt, steps=len(wanted), end=EOS)[seed, 0].tolist()
    return told == wanted.tolist()


def test_one_forward_pass_decides_what_greedy_decoding_writes() -> None:
    task = sorting.sorts(3, (4,))
    lab = Lab.alone(seeds=(0, 1))
    context = task.longest("length 4")
    models = decoder.stack(
        task.vocab, width=32, layers=1, heads=2, context=context, positions="none", seeds=(0, 1), lab=lab
    )
    recipe = fit.Recipe(lr=5e-3, batch=32, warmup=10)
    for _ in fit.next_token(models, task, "train", steps=50, every=50, recipe=recipe, lab=lab):
        pass
    right = 0
    for split in task.splits:
        scored = exact.greedy(models, task, split, n=40, lab=lab)
        for row, seed in enumerate((0, 1)):
            batch = task.batch(split.name, 40, lab.rng("test", split.name, seed=seed))
            alone = [written(models, row, t, a) for t, a in zip(batch.tokens, batch.answer, strict=True)]
            assert list(scored.values[row]) == alone
            right += sum(alone)
    assert 0 < right < 160, right  # some are right and some are not, so that agreement says something
