"""Which facts are told and asked? The world of a setting, drawn with numpy alone; every seed has its own.

tasks(Learned("composition", …))[0].draw("composed apart", 1, rng)[0].prompt  ->  'e12 r3 r7'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unseen.core.lab import Lab
from unseen.core.task import Task
from unseen.tasks import kg
from unseen.tasks.kg import Knowledge
from unseen.tasks.kg_comparison import comparison, complex_reasoning

from .arms import Asked, Learned

KEPT = 0.03  # the share of comparisons that complex reasoning trains on


def tasks(setting: Learned | Asked) -> Sequence[Task]:
    """The world that seed 0 of a setting learns or is asked about."""
    return [of(setting, Lab((0,), Path(), Path()), 0)]


def of(setting: Learned | Asked, lab: Lab, seed: int) -> Knowledge:
    """The world of a seed. Arms that draw worlds of one kind and size share them, seed by seed."""
    sizes = setting.entities, setting.labels, setting.degree
    if isinstance(setting, Asked):
        return complex_reasoning(*sizes, lab.rng("world", "complex", seed=seed), kept=setting.kept)
    rng = lab.rng("world", setting.family, seed=seed)
    apart, held = setting.apart, setting.held
    match setting.family:
        case "composition":
            return kg.composition(*sizes, setting.phi, rng, apart=apart, held=held, closed=setting.closed)
        case "comparison":
            return comparison(*sizes, setting.phi, rng, apart=apart, held=held, closed=setting.closed)
        case "complex":
            return complex_reasoning(*sizes, rng, kept=_kept(setting), apart=apart, held=held)


def taught(setting: Learned, task: Knowledge, rng: np.random.Generator) -> Knowledge:
    """What a setting trains on: its task, or the same with composed facts that have each other's answers."""
    return task if setting.answers == "true" else kg.shuffled(task, rng)


def _kept(setting: Learned) -> float:
    """The share of comparisons trained on; small worlds need more of them for two apart entities to be linked at all."""
    return max(KEPT, 2.0 / setting.entities)
