"""How is it measured? Decoders are trained and asked, the program is run, language models are tuned and tested."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored
from unseen.tasks.rewriting import interpret

from . import tasks
from .arms import Learned, Program, Tuned


def run(setting: Learned | Program | Tuned, lab: Lab) -> Iterator[Row]:
    """Yield `exact` (fraction 0..1 of answers wholly right, four times during training), `exact_untrained` and
    `answered` (by kind of answer) of decoders; `program_exact`; `passed` (fraction of code problems whose tests pass)."""
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    if isinstance(setting, Program):
        return _program(setting, lab)
    from . import tuned

    return tuned.run(setting, lab)


def _program(setting: Program, lab: Lab) -> Iterator[Row]:
    """Rows of the program, which reads a prompt as text, on every split."""
    for seed in lab.seeds:
        task = tasks.of(setting, seed=seed)
        for split in task.splits:
            drawn = task.draw(split.name, setting.items, lab.rng("test", split.name, seed=seed))
            right = np.array([[task.score(e, interpret(e.prompt))["exact"] for e in drawn]])
            yield from Row.each("program_exact", Scored([seed], [[e.id for e in drawn]], right), split)
