"""How is training on traces measured? Decoders learn to write solutions in one form, and are asked for longer problems.

Row("answered", 0.98, Split("4 numbers", …), n=100, step=800, seed=2)         the final answer is right
Row("whole", 0.97, Split("4 numbers", …), n=100, step=800, seed=2)            and so is every character before it
Row("failed", 0.01, Split("4 numbers", …), n=100, at={"error": "copying"})    where the trace first goes wrong
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.measures import exact
from unseen.models import decoder
from unseen.tasks import written
from unseen.tasks.traces import ERRORS
from unseen.tasks.written import Spelled, Written

from . import small
from .continuations import continued
from .learned import Traced
from .tasks import written_task

SPARE = 8  # tokens that may be written beyond the longest right solution


@dataclass(frozen=True)
class Answers:
    """What every seed's decoder wrote for its own items of a split: examples and texts [seed][item]."""

    asked: Sequence[Sequence[Spelled]]
    told: Sequence[Sequence[str]]


def run(setting: Traced, lab: Lab) -> Iterator[Row]:
    """Yield `whole` four times during training, and after it `answered` and `failed`, for every split."""
    task = written_task(setting)
    context = max(task.longest(s.name) for s in task.splits) + SPARE
    models = small.begun(setting, task.vocab, context, lab)
    if setting.learner == "untrained":
        yield from measured(models, task, setting.items, 0, lab)
        return
    for step, now in small.trained(models, task, setting, lab):
        if step < setting.steps:
            for split in task.splits:
                yield from Row.each("whole", exact.greedy(now, task, split, n=setting.items, lab=lab), split, step=step)
    yield from measured(models, task, setting.items, setting.steps, lab)
    decoder.save(models, lab.folder / "decoder")


def measured(models: decoder.Decoder, task: Written, n: int, step: int, lab: Lab) -> Iterator[Row]:
    """`whole`, `answered` and, where there are steps to replay, `failed` for every kind of error, on every split."""
    for split in task.splits:
        whole = exact.greedy(models, task, split, n=n, lab=lab)
        yield from Row.each("whole", whole, split, step=step)
        answers = answered(models, task, split, n, np.asarray(whole.values) > 0, lab)
        for name, scored in graded(models, task, answers).items():
            if name == "answered":
                yield from Row.each(name, scored, split, step=step)
            else:
                yield from Row.each("failed", scored, split, step=step, at={"error": name})


def answered(
    models: decoder.Decoder, task: Written, split: Split, n: int, whole: NDArray[np.bool_], lab: Lab
) -> Answers:
    """What is written for n items of a split. Where a solution is known to come out whole, it is not decoded again."""
    asked = [task.draw(split.name, n, lab.rng("test", split.name, seed=s)) for s in models.seeds]
    left = [[i for i in range(n) if not whole[row, i]] for row in range(len(asked))]
    prompts = [
        [written.encoded([(asked[row][i].prompt, "")])[0][0].astype(np.int64) for i in items]
        for row, items in enumerate(left)
    ]
    made = continued(models, prompts, most=task.room(split.name) + SPARE, end=written.STOP)
    told = [[s.text for s in row] for row in asked]
    for row, items in enumerate(left):
        for i, tokens in zip(items, made[row], strict=True):
            told[row][i] = written.text_of(tokens)
    return Answers(asked, told)


def graded(models: decoder.Decoder, task: Written, answers: Answers) -> dict[str, Scored]:
    """Whether each final answer is right (`answered`), and for every kind of error whether it is an item's first one."""
    pairs = [list(zip(asked, told, strict=True)) for asked, told in zip(answers.asked, answers.told, strict=True)]
    ids = [[s.id for s in row] for row in answers.asked]
    right = np.array([[task.score(s, text)["exact"] for s, text in row] for row in pairs])
    found = {"answered": Scored(models.seeds, ids, right)}
    if task.form == "answer":
        return found
    errors = np.array([[task.graded(s, text).error for s, text in row] for row in pairs])
    return found | {kind: Scored(models.seeds, ids, (errors == kind).astype(float)) for kind in ERRORS}
