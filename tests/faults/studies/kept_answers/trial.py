"""How is it measured? Ask for words near and far, and look whether they come back."""

from __future__ import annotations

from collections.abc import Iterator

from unseen import models
from unseen.core.lab import Lab
from unseen.core.record import Item, Split

from .study import Setting

SPLITS = (Split("near", axis="words", at={"words": 1}), Split("far", axis="words", at={"words": 2}, shifted=True))


def run(setting: Setting, lab: Lab) -> Iterator[Item]:
    """Yield `right`: 1 where the model answers yes."""
    model = models.open(setting.model, lab=lab)
    for split in SPLITS:
        prompts = [f"{split.name} {k}?" for k in range(3)]
        for prompt, answer in zip(prompts, model.generate(prompts, max_new_tokens=2), strict=True):
            score = float(answer.text == "yes")
            yield Item(prompt, split, prompt, answer.text, "yes", {"right": score})
