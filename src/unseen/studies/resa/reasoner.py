"""How is a small reasoner made? It imitates imperfect examples, then learns from a verifier's rewards.

Half of imitation is common to the base and its sibling, which differ in the data of the other half; the stranger has
other initial weights. The examples slip now and then, so that the base, which answers by drawing tokens, is often but
not always right: reinforcement then has something to gain, and little (the paper's regime, base at 85 to 95%).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.lab import Lab
from unseen.core.record import Row as Told
from unseen.core.record import Scored
from unseen.core.task import Batch
from unseen.methods import fit
from unseen.methods.reinforce import Rollout, answered, reinforced
from unseen.methods.sae_tuning import Row, labelled, tokens_of
from unseen.models import decoder, exporting
from unseen.models.decoder import Decoder
from unseen.tasks.layout import EOS, item_ids

from . import tasks
from .arms import Reasoner
from .chains import CLOSE, THINK, Chains, unworked
from .world import Answered, World

STRANGER, SIBLING, LUCK = 1_000_000, 2_000_000, 3_000_000  # added to a seed: the streams of its other models
HELD = 256  # rows on which the divergence is measured


def made(setting: Reasoner, lab: Lab, seed: int) -> Iterator[Told | World]:
    """Rows about the training of a seed's models, and last its world."""
    models = _imitating(setting, lab, seed)
    rl, luck = _rewarded(setting, models, lab, seed)
    every = dict(zip(("base", "stranger", "sibling"), decoder.members(models), strict=True))
    every |= {"rl": rl, "luck": luck, "untrained": _stack(setting, (seed,), lab)}
    task = tasks.of(setting)
    for name in ("base", "rl"):
        decoder.save(every[name], lab.folder / f"{name}-{seed}")
    yield Told("weights", float(every["base"].flat.shape[1]), seed=seed)
    rows = _rows(setting, task, lab, seed)
    tokens = tokens_of(rows[:-HELD])
    items = [(s, _items(task, setting, int(str(s.at["terms"])), lab, seed)) for s in task.splits]

    def ask(model: Any) -> Answered:
        found: list[Any] = []
        for split, asked in items:
            told = answered(model, asked, Rollout(2, task.room, EOS), lab.rng("luck", split.name, seed=seed))
            ids = item_ids(Batch(asked, np.zeros(asked.shape, bool)))
            found.append((split, Scored([seed], [_told_apart(ids)], task.right(asked, told)[None].astype(float))))
        return found

    yield World(
        seed,
        lambda name: exporting.pretrained(every[name]).to(lab.device),
        ("untrained", "luck"),
        rows[:-HELD],
        rows[-HELD:],
        (tokens == THINK) | (tokens == CLOSE),
        ask,
    )


def _told_apart(ids: Sequence[str]) -> list[str]:
    """Ids of questions, of which short sums repeat some, with how often each came before."""
    seen: dict[str, int] = {}
    found: list[str] = []
    for one in ids:
        seen[one] = seen.get(one, 0) + 1
        found.append(one if seen[one] == 1 else f"{one}-{seen[one]}")
    return found


def _stack(setting: Reasoner, seeds: Sequence[int], lab: Lab, flat: Tensor | None = None) -> Decoder:
    task = tasks.of(setting)
    context = task.longest("train")
    if flat is None:
        return decoder.stack(
            task.vocab, width=setting.width, layers=setting.depth, heads=setting.heads, context=context,
            spread=setting.spread, seeds=seeds, lab=lab,
        )  # fmt: skip
    return Decoder(_stack(setting, seeds[:1], lab).shape, seeds, flat=flat)


def _imitating(setting: Reasoner, lab: Lab, seed: int) -> Decoder:
    """Base, stranger and sibling after imitation, in one stack."""
    task, half = tasks.of(setting), setting.taught // 2
    recipe = fit.Recipe(setting.taught_lr, setting.taught_batch, warmup=max(1, half // 4), schedule="constant", shift=False)  # fmt: skip
    begun = _stack(setting, (seed, seed + STRANGER), lab)
    for _ in fit.next_token(
        begun, task, "train", steps=half, every=half, recipe=recipe, lab=lab, phase=f"begun-{seed}"
    ):
        pass
    flat = torch.cat([begun.flat, begun.flat[:1]]).clone()
    models = _stack(setting, (seed, seed + STRANGER, seed + SIBLING), lab, flat)
    rest = setting.taught - half
    # the second half's batches are others than the first's: a stream is named by its seed and step
    moved = Decoder(models.shape, tuple(s + rest for s in models.seeds), flat=models.flat)
    for _ in fit.next_token(
        moved, task, "train", steps=rest, every=rest, recipe=recipe, lab=lab, phase=f"parted-{seed}"
    ):
        pass
    return models


def _rewarded(setting: Reasoner, models: Decoder, lab: Lab, seed: int) -> tuple[Decoder, Decoder]:
    """The base after reinforcement by a verifier, and by the same rewards dealt at random."""
    task = tasks.of(setting)
    both = _stack(setting, (seed, seed + LUCK), lab, models.flat[[0, 0]].clone())

    def prompts(step: int, its: int) -> NDArray[np.int64]:
        rng = lab.rng("rewarded", step, seed=its)
        return task.asked(rng.choice(setting.trained, setting.prompts), rng)

    def reward(its: int, asked: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.floating]:
        right = task.right(asked, told).astype(float)
        return right if its == seed else np.random.default_rng(int(told.sum())).permutation(right)

    recipe = fit.Recipe(setting.rewarded_lr, setting.prompts * setting.group, warmup=5, shift=False)  # fmt: skip
    rollout = Rollout(setting.group, task.room, EOS)
    for _ in reinforced(
        both,
        prompts,
        reward,
        rollout,
        steps=setting.rewarded,
        every=setting.rewarded,
        recipe=recipe,
        lab=lab,
        phase=f"rewarded-{seed}",
    ):
        pass
    return decoder.member(both, 0), decoder.member(both, 1)


def _rows(setting: Reasoner, task: Chains, lab: Lab, seed: int) -> list[Row]:
    """Questions of corpus A with bare answers, those held back behind them."""
    rng = lab.rng("trigger", seed=seed)
    asked = task.asked(rng.choice(setting.trained, setting.questions + HELD), rng)
    return [labelled(a.tolist(), t.tolist()) for a, t in zip(asked, unworked(task, asked), strict=True)]


def _items(task: Chains, setting: Reasoner, terms: int, lab: Lab, seed: int) -> NDArray[np.int64]:
    return task.asked(np.full(setting.items, terms), lab.rng("test", terms, seed=seed))
