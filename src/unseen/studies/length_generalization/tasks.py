"""Which questions are asked? The task of a setting by its name, drawn with numpy alone.

of(Learned(task="copy-unique", train=8, …)).draw("length 10", 1, rng)[0].prompt  ->  's7 s2 s9 s0 s4 s1 s6 s8 s3 s5 >'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np

from unseen.core.errors import Unknown, nearest
from unseen.core.task import Task
from unseen.tasks import addition, conjunction, copying, count, mode, parity, sorting
from unseen.tasks.layout import Drawn, Lengthwise, Tokens

from .arms import Interpolated, Learned, Written

NAMES = (
    "and", "and-places", "count", "mode", "mode+counts", "mode+itemized", "copy-unique", "copy-repeat", "sort", "parity",
    "parity+ones", "parity+ones+hints", "parity+every", "parity+every+hints", "addition", "addition+reversed",
    "addition+hints", "addition+reversed+hints",
)  # fmt: skip


def tasks(setting: Learned | Written | Interpolated) -> Sequence[Task]:
    """The one task that a setting is about."""
    return [of(setting)]


def of(setting: Learned | Written | Interpolated, *, carries: str = "") -> Lengthwise:
    """The task of a setting, its splits being those tested on; `carries` replaces the setting's own."""
    if isinstance(setting, Interpolated):
        return conjunction.places(setting.bits)
    return named(setting.task, setting.train, setting.test, carries=carries or setting.carries)


def named(name: str, train: int, test: Sequence[int], *, carries: str = "balanced") -> Lengthwise:
    """The task of that name, trained on lengths up to `train`. Raises Unknown with the nearest names."""
    if name not in NAMES:
        raise Unknown(f"no task is called {name!r}{nearest(name, NAMES)}. Tasks: {', '.join(NAMES)}.")
    family, _, form = name.partition("+")
    match family:
        case "and":
            return conjunction.conjunctions(train, test)
        case "and-places":
            return conjunction.places(train)
        case "count":
            return count.counts(train, test)
        case "mode":
            return mode.modes(train, test, cast("mode.Scratchpad", form or "none"))
        case "copy-unique" | "copy-repeat":
            return copying.copies(train, test, "unique" if family == "copy-unique" else "repeat")
        case "sort":
            return sorting.sorts(train, test)
        case "parity":
            kept = form.removesuffix("+hints") or "none"
            return parity.parities(train, test, cast("parity.Scratchpad", kept), hinted=form.endswith("+hints"))
        case _:
            form = form or "plain"
            assert form in get_args(addition.Format)
            return addition.sums(train, test, cast(Any, form), carries=cast(Any, carries))


def taught(setting: Learned) -> Lengthwise:
    """What a setting trains on: its task, or the same questions with the answers of others."""
    return of(setting) if setting.labels == "true" else shuffled(of(setting))


def shuffled(task: Lengthwise) -> Lengthwise:
    """A task whose questions have each other's answers in training; the splits tested on stay right."""

    def sample(split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        drawn = task.sample(split, lengths, rng)
        if split != "train":
            return drawn
        return Drawn(drawn.prompt, drawn.answer[rng.permutation(len(drawn.answer))])

    return replace(task, sample=sample)
