"""Which questions are asked? The rewriting task of a setting, or the code problems of a tuned model, with numpy alone.

of(Learned(rules=8, …), seed=3).draw("new rules, free", 1, rng)[0].prompt  ->  'a b -> c d : e a b f a b >'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from unseen.core.task import Task
from unseen.tasks.rewriting import Rewriting, rewriting
from unseen.tasks.rewriting_rules import Taught, World
from unseen.tasks.rewriting_strings import Domain

from .arms import Learned, Program, Tuned
from .problems import Problems

COPIES = 2  # how often a shape repeats its seed


def tasks(setting: Learned | Program | Tuned) -> Sequence[Task]:
    """The one task that a setting is about: of a rewriting task, that of the first seed's world."""
    return [Problems(setting.problems)] if isinstance(setting, Tuned) else [of(setting, seed=0)]


def of(setting: Learned | Program, *, seed: int) -> Rewriting:
    """The task of a setting in the world of a seed."""
    world = World(setting.alphabet, (setting.side, setting.side), (setting.length, setting.length), COPIES, seed)
    asked, domains = _domains(setting.asks), _domains(setting.domains)
    if isinstance(setting, Program):
        taught = Taught(64, 64, domains)
        return rewriting(world, taught, asked=asked, longer=setting.longer)
    taught = Taught(setting.rules, setting.total, domains, setting.shares, setting.alpha, setting.idle)
    made = rewriting(world, taught, asked=asked, longer=setting.longer, tested=setting.tested)
    return replace(made, muddled=setting.labels == "shuffled")


def _domains(names: str) -> tuple[Domain, ...]:
    return cast("tuple[Domain, ...]", tuple(names.split("+")))
