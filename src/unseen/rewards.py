"""How right was a completion? A task's own score as a reward function, as TRL's trainers call it.

f = reward("skills_in_context/last_letter")
f(prompts=["…"], completions=["ab"], id=["6f1c…"], receipt=[{…}])  ->  [1.0]
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .core import find
from .core.errors import Invalid, Unknown, nearest
from .core.task import Example, Task

Reward = Callable[..., list[float]]
Score = Callable[[str, Any, str], Mapping[str, float]]


def reward(name: str, *, measure: str | None = None) -> Reward:
    """A function `f(prompts, completions, **columns) -> list[float]` that scores completions as `STUDY` or `STUDY/TASK` does.

    The columns are those of rows that `unseen data` wrote: `id` and `receipt`, from which the items are drawn again (once
    for each receipt). A completion is a text, or chat turns whose last content counts. `measure` names one of the task's
    scores; the first if left out. Raises Unknown for a study, task or measure that is not there, Invalid for other rows.
    """
    score = scorer(name)

    def rewards(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float]:
        ids, receipts = (_column(columns, c, len(completions)) for c in ("id", "receipt"))
        told = (score(i, r, text_of(c)) for c, i, r in zip(completions, ids, receipts, strict=True))
        return [_chosen(name, scores, measure) for scores in told]

    rewards.__name__ = rewards.__qualname__ = name.replace("/", "_")
    return rewards


def scorer(name: str) -> Score:
    """A function `f(id, receipt, answer) -> {measure: score}` that scores answers to items of `STUDY` or `STUDY/TASK`.

    Items are drawn again from their receipts, once for each. Raises Unknown for a study that is not there, Invalid for
    one without tasks; the function raises Invalid for an item that its receipt does not draw.
    """
    slug, _, wanted = name.partition("/")
    study = find.study(slug)
    find.module(slug, "tasks")
    drawn: dict[str, tuple[Task, Mapping[str, Example]]] = {}

    def items_of(receipt: Any) -> tuple[Task, Mapping[str, Example]]:
        from . import items

        told = items.parsed(receipt)
        if not isinstance(told, Mapping):
            raise Invalid(f"the column receipt holds {type(receipt).__name__}; it must be as `unseen data` wrote it.")
        if wanted and told.get("task") != wanted:
            raise Invalid(f"a row is of the task {told.get('task')!r}; this reward is of {name}.")
        key = json.dumps(told, sort_keys=True, default=str)
        if key not in drawn:
            drawn[key] = items.redrawn(slug, study, told, "a row")[1:]
        return drawn[key]

    def score(identity: str, receipt: Any, answer: str) -> Mapping[str, float]:
        task, examples = items_of(receipt)
        if identity not in examples:
            raise Invalid(
                f"no item {identity!r} is drawn by its receipt; ids and receipts must be as `unseen data` wrote them."
            )
        return task.score(examples[identity], answer)

    return score


def text_of(completion: Any) -> str:
    """What a model said: the text itself, or the content of the last turn of a chat."""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Sequence) and completion and isinstance(completion[-1], Mapping):
        return str(completion[-1].get("content") or "")
    raise Invalid(f"a completion is a text or a list of chat turns; this is {completion!r:.80}.")


def _column(columns: Mapping[str, Any], name: str, n: int) -> Sequence[Any]:
    if name not in columns:
        held = ", ".join(columns) or "none"
        raise Invalid(f"the rows have no column {name!r} (there are {held}); train on rows that `unseen data` wrote.")
    if len(columns[name]) != n:
        raise Invalid(f"the column {name!r} holds {len(columns[name])} values for {n} completions.")
    return columns[name]


def _chosen(name: str, scores: Mapping[str, float], measure: str | None) -> float:
    if measure is None:
        return float(next(iter(scores.values())))
    if measure not in scores:
        raise Unknown(f"{name} has no score {measure!r}{nearest(measure, scores)}. Its scores: {', '.join(scores)}.")
    return float(scores[measure])
