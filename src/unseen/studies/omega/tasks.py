"""Which problems are asked? One task for each family, in English; of decoders, one in the compact language.

unseen data omega/polynomial_gcd --n 2       items with family, level, axis and role; the truth; what is familiar
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from unseen.core.task import Task

from .arms import Control, Judged, Learned, Setting, Tuned
from .posed import Asked, asked
from .spelled import Spelled, spelled


def tasks(setting: Setting) -> Sequence[Task]:
    """The tasks of a setting."""
    if isinstance(setting, Learned):
        return (compact(setting, seed=0),)
    return cast("list[Task]", posed(setting))


def posed(setting: Judged | Control | Tuned) -> list[Asked]:
    """The tasks of a setting that asks language models: the same for every setting that asks a family."""
    return [asked(name) for name in ((setting.asked,) if isinstance(setting, Tuned) else setting.families)]


def compact(setting: Learned, *, seed: int) -> Spelled:
    """The task of a decoder's setting; every seed has a training set of its own."""
    muddled = setting.learner == "shuffled"
    return spelled(setting.families, setting.also, setting.most_level, setting.problems, seed, muddled=muddled)
