"""Which models and problems does the paper's own scale take? Checkpoints of the hub, and word problems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Scored
from unseen.methods import sae_tuning
from unseen.methods.trainer import opened
from unseen.models.engine import Local
from unseen.tasks import gsm8k
from unseen.tasks.owned import Pair
from unseen.tasks.worked import Sized, Stored

from . import tasks
from .arms import Checkpoints
from .world import Answered, World

HELD = 64  # rows on which the divergence is measured, at most a fifth of them


def made(setting: Checkpoints, lab: Lab, seed: int) -> Iterator[World]:
    """The world of a seed: which problems adapters are tuned on, and which are asked."""
    task = tasks.problems(setting, _released(lab) if setting.corpus == "released" else None)
    names = {"base": setting.target, "rl": setting.source, "sibling": setting.sibling, "stranger": setting.stranger}
    _, tokenizer = opened(setting.target, setting.dtype, lab)
    drawn = task.draw("train", setting.questions, lab.rng("trigger", seed=seed))
    pairs = [Pair(e.id, e.prompt, e.truth) for e in drawn]
    held = max(1, min(HELD, len(pairs) // 5))
    rows, marked = sae_tuning.laid(tokenizer, pairs[:-held], setting.longest)
    yield World(
        seed,
        lambda name: opened(names[name], setting.dtype, lab)[0],
        (),
        rows,
        sae_tuning.laid(tokenizer, pairs[-held:], setting.longest)[0],
        marked,
        lambda model: _asked(setting, task, model, tokenizer, lab, seed),
    )


def _asked(setting: Checkpoints, task: Sized | Stored, model: Any, tokenizer: Any, lab: Lab, seed: int) -> Answered:
    """Scores on every split, of answers drawn at the setting's temperature."""
    writer, found = Local(model, tokenizer), []
    for split in task.splits:
        items = task.draw(split.name, setting.items, lab.rng("test", split.name, seed=seed))
        prompts = [sae_tuning.ASKED.format(e.prompt) for e in items]
        told = dict(
            writer.stream(
                prompts,
                max_new_tokens=setting.max_new_tokens,
                temperature=setting.temperature,
                seed=lab.stream("luck", split.name, seed=seed) % 2**31,
            )
        )
        right = np.array([[task.score(e, told[i].text)["exact"] for i, e in enumerate(items)]])
        found.append((split, Scored([seed], [[e.id for e in items]], right)))
    return found


def _released(lab: Lab) -> Path:
    """The folder of the released files, fetched where they are not there."""
    paths = [lab.data(f"{gsm8k.FOLDER}/{name}", gsm8k.SOURCE + name, sha) for name, sha in gsm8k.FILES.values()]
    return paths[0].parent
