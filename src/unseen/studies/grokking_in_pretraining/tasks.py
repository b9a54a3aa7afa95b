"""Which facts does the stream hold? The larger of two numbers, sums modulo a number, two graphs of facts composed of facts,
and a table of chance.

tasks(setting)[0].draw("rich new", 1, rng)[0].prompt  ->  'rich:e3 rich:r1 rich:r4'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unseen.core.lab import Lab
from unseen.core.task import Task
from unseen.tasks import kg
from unseen.tasks.kg import Knowledge

from .arms import ROTE, Pretrained, Setting
from .stream import Stream, stream, table


def tasks(setting: Setting) -> Sequence[Task]:
    """The stream that seed 0 of a setting learns; the other kinds of setting draw no facts."""
    return [of(setting, Lab((0,), Path(), Path()), 0)] if isinstance(setting, Pretrained) else []


def of(setting: Pretrained, lab: Lab, seed: int) -> Stream:
    """The stream of a seed. Arms share it."""
    rng = lab.rng("worlds", seed=seed)
    n, held = setting.numbers, setting.held
    each = np.arange(n)
    worlds = {
        "larger": table("larger", np.maximum.outer(each, each), held, rng),
        "sums": table("sums", np.add.outer(each, each) % n, held, rng),
        "rich": _graph(setting, setting.phi[0], rng),
        "poor": _graph(setting, setting.phi[1], rng),
        ROTE: table(ROTE, rng.integers(0, n, (n, n)), held, rng),
    }
    return stream(worlds, setting.facts)


def _graph(setting: Pretrained, phi: float, rng: np.random.Generator) -> Knowledge:
    sizes = setting.entities, setting.relations, setting.degree
    return kg.composition(*sizes, phi, rng, apart=0.0, held=setting.held, closed=False)
