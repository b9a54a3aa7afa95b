"""How do the small decoders begin, and how are they trained? The same for traces and episodes."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.task import TokenTask
from unseen.methods import fit
from unseen.models import decoder

from .learned import Learned


def begun(setting: Learned, vocab: int, context: int, lab: Lab) -> decoder.Decoder:
    """The untrained decoders of a setting, one for each seed of the lab."""
    return decoder.stack(
        vocab,
        width=setting.width,
        layers=setting.layers,
        heads=setting.heads,
        context=context,
        positions=setting.positions,
        spread=setting.spread,
        seeds=lab.seeds,
        lab=lab,
    )


def trained(
    models: decoder.Decoder, task: TokenTask, setting: Learned, lab: Lab
) -> Iterator[tuple[int, decoder.Decoder]]:
    """Train on the task's own split; yield (step, models) four times, the last of them at the end."""
    recipe = fit.Recipe(lr=setting.lr, batch=setting.batch, warmup=min(50, setting.steps // 10 + 1), schedule="cosine")
    every = max(1, setting.steps // 4)
    return fit.next_token(models, task, "train", steps=setting.steps, every=every, recipe=recipe, lab=lab)
