"""How is it measured? Models are made or opened, dictionaries learned, adapters tuned, and all of them asked."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .arms import Reasoner, Setting, tuning


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `passed` (fraction 0..1 of answers that are right) by split for every arm, and what `tuned` says of
    dictionaries and tunings."""
    from . import hub, reasoner, tuned
    from .world import World

    for seed in lab.seeds:
        found = reasoner.made(setting, lab, seed) if isinstance(setting, Reasoner) else hub.made(setting, lab, seed)
        dtype = "float32" if isinstance(setting, Reasoner) else setting.dtype
        for one in found:
            if isinstance(one, World):
                yield from tuned.run(one, tuning(setting), lab, dtype)
            else:
                yield one
