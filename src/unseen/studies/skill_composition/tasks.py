"""Which texts are asked for? SkillText, a task of letters whose every skill a program checks, and Skill-Mix in English.

unseen data skill_composition/skilltext --n 2      prompts such as 'TOPIC c f; BIGRAM a b; at most 3 sentences …', with texts
unseen data skill_composition/mix_own --n 2        requests for short English texts that show skills of our own writing
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from unseen.core.task import Task

from .arms import Baseline, Learned, Setting
from .posed import mixes
from .twin import Twin


def tasks(setting: Setting) -> Sequence[Task]:
    """The tasks of a setting."""
    if isinstance(setting, Learned | Baseline):
        return (twin_of(setting, seed=0),)
    return cast("tuple[Task]", mixes(setting))


def twin_of(setting: Learned | Baseline, *, seed: int) -> Twin:
    """The task of a seed, which has a training set, held-out skills and topics of its own."""
    muddled = isinstance(setting, Learned) and setting.learner == "shuffled"
    return Twin(setting.trained_k, setting.texts, setting.sentences, seed, muddled)
