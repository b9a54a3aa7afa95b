"""How is the use of skills read in a prompt measured? One decoder is trained on all forms of prompts, and asked in each.

    Row("answered", 0.97, Split("4 uses", …), n=200, step=2000, at={"prompted": "skic"}, seed=2)
    Row("answered", 0.41, Split("4 uses", …), n=200, step=2000, at={"prompted": "cot"}, seed=2)

The same episodes are asked in all forms.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.models import decoder
from unseen.tasks import episodes
from unseen.tasks.episodes import FORMS, LISTED, Episodes, Prompted

from . import small
from .learned import Episodic
from .tasks import episodes_task

AT_ONCE = 40_000  # tokens of all seeds in one cache


def run(setting: Episodic, lab: Lab) -> Iterator[Row]:
    """Yield `answered`, the fraction of final answers that are right, for every split and form of prompt."""
    tasks = {form: episodes_task(setting, form) for form in FORMS}
    if setting.learner == "program":
        for form, task in tasks.items():
            for split in task.splits:
                yield from Row.each(
                    "answered", by_program(task, split, setting.items, lab), split, step=0, at={"prompted": form}
                )
        return
    training = episodes_task(setting, None)
    context = max(training.longest(s.name) for s in training.splits)
    models = small.begun(setting, training.vocab, context, lab)
    if setting.learner == "untrained":
        yield from measured(models, tasks, setting.items, 0, lab)
        return
    for step, now in small.trained(models, training, setting, lab):
        yield from measured(now, tasks, setting.items, step, lab)
    decoder.save(models, lab.folder / "decoder")


def measured(models: decoder.Decoder, tasks: dict[Prompted, Episodes], n: int, step: int, lab: Lab) -> Iterator[Row]:
    """`answered` for every form of prompt and split."""
    for form, task in tasks.items():
        for split in task.splits:
            yield from Row.each(
                "answered", answered(models, task, split, n, lab), split, step=step, at={"prompted": form}
            )


@torch.inference_mode()
def answered(models: decoder.Decoder, task: Episodes, split: Split, n: int, lab: Lab) -> Scored:
    """Whether the final answer to each of n episodes is right [seed item], decoded greedily."""
    asked = [task.draw(split.name, n, lab.rng("test", split.name, seed=s)) for s in models.seeds]
    prompts = torch.tensor(
        np.array([[episodes.tokens_of(e.prompt) for e in row] for row in asked]), device=models.flat.device
    )
    steps = task.room(split.name)
    size = max(1, AT_ONCE // (len(asked) * (prompts.shape[2] + steps)))
    parts = [decoder.greedy(models, part, steps=steps, end=episodes.STOP) for part in prompts.split(size, 1)]
    told = torch.cat([F.pad(part, (0, steps - part.shape[2])) for part in parts], 1)
    right = [
        [task.score(e, episodes.text_of(tokens.tolist()))["exact"] for e, tokens in zip(row, said, strict=True)]
        for row, said in zip(asked, told.cpu(), strict=True)
    ]
    return Scored(models.seeds, [[e.id for e in row] for row in asked], np.array(right))


def by_program(task: Episodes, split: Split, n: int, lab: Lab) -> Scored:
    """The same for a program that reads the skill list, or the worked examples where there is none."""
    reads = "list" if task.form in LISTED else "examples"
    asked = [task.draw(split.name, n, lab.rng("test", split.name, seed=s)) for s in lab.seeds]
    right = [[task.score(e, episodes.solved(e.prompt, reads=reads))["exact"] for e in row] for row in asked]
    return Scored(lab.seeds, [[e.id for e in row] for row in asked], np.array(right))
