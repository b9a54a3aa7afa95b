"""Which questions are asked? The task of a setting and of its hint, drawn with numpy alone.

of(Learned("sort", "successor", …)).draw("length 10", 1, rng)[0].prompt  ->  'sort s7 s2 s9 s0 s4 s1 s6 s8 s3 s2 >'
"""

from __future__ import annotations

from collections.abc import Sequence

from unseen.core.task import Task
from unseen.tasks import hinted
from unseen.tasks.hinted import Hinted

from .arms import Built, Learned

FIRST = 0.5  # of the training, for the hint where it comes first


def tasks(setting: Learned | Built) -> Sequence[Task]:
    """The task of a setting, and that of its hint."""
    made = of(setting)
    return [made] if isinstance(setting, Built) or setting.hint == "none" else [made, hinted.about(made, setting.hint)]


def of(setting: Learned | Built) -> Hinted:
    """What a setting is tested on: inputs of one family, sorted or increased by one."""
    if isinstance(setting, Built):
        return hinted.sorts(setting.train, setting.test, alphabet=setting.alphabet, repeat=True)
    if setting.family == "increment":
        return hinted.increments(setting.train, setting.test)
    return hinted.sorts(setting.train, setting.test, alphabet=setting.alphabet, repeat=setting.repeat)


def taught(setting: Learned) -> Hinted:
    """What a setting trains on: the task, mixed with its hint or after it, or with the answers of other questions."""
    task = of(setting)
    if setting.hint != "none":
        first = FIRST if setting.pace == "hint first" else 0.0
        task = hinted.with_hints(task, [setting.hint], share=setting.share, first=first)
    return hinted.shuffled(task) if setting.labels == "shuffled" else task


def prompt_lengths(setting: Learned) -> list[int]:
    """The lengths of prompts trained on, marks counted: those of the task and of its hint."""
    task = taught(setting)
    low, high = task.trained
    return sorted({task.asked(kind, n) for kind in task.kinds for n in range(low, high + 1)})
