"""How are puzzles measured? A model or a scripted player is asked all of a setting's at once; each answer is an item.

Item("6f1c…", Split("7 pieces", "pieces", …), prompt="You will receive …", answer="valid", truth="invalid",
     scores={"exact": 0, "legal": 1}, seed=2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from unseen.core.lab import Lab
from unseen.core.record import Item, Split
from unseen.tasks.drawn import own

from . import players
from .arms import Asked, Scripted
from .harness import Turns
from .puzzle import Puzzle, Puzzles
from .tasks import puzzles_of

Ask = Callable[[Sequence[Turns], Sequence[int]], list[str]]  # prompts and the seeds they belong to -> answers


def run(setting: Asked | Scripted, lab: Lab, ask: Ask) -> Iterator[Item]:
    """Yield every puzzle's item, with the scores of its task. Seeds have puzzles of their own, where there are enough."""
    task = puzzles_of(setting)
    for done, seed in enumerate(lab.seeds, 1):
        drawn = [(split, p, k) for split in task.splits for p, k in _drawn(task, split, setting, lab, seed)]
        answers = ask([p.turns for _, p, _ in drawn], [k for _, _, k in drawn])
        for (split, p, k), said in zip(drawn, answers, strict=True):
            name = f"{p.id}-{seed}-{k}"
            yield Item(name, split, p.prompt, said, p.truth, dict(task.score(p, said)), at=dict(p.at), seed=seed)
        lab.progress(done, len(lab.seeds))


def scripted(name: str, lab: Lab) -> Ask:
    """A scripted player as one that is asked."""
    rng = lab.rng("own", seed=lab.seeds[0])
    speaks = players.speaker(name)
    return lambda prompts, _: speaks(prompts, [rng] * len(prompts))


def of_model(model: Any, setting: Asked, said: Callable[[Turns], Any]) -> Ask:
    """A model as one that is asked: everything in one batch; a prompt that comes again with another seed is sampled anew."""

    def ask(prompts: Sequence[Turns], seeds: Sequence[int]) -> list[str]:
        found: dict[int, str] = {}
        for seed in sorted(set(seeds)):
            at = [i for i, s in enumerate(seeds) if s == seed]
            words = {"max_new_tokens": setting.max_new_tokens, "temperature": setting.temperature, "seed": seed}
            told = model.generate([said(prompts[i]) for i in at], **words)
            found |= {i: a.text for i, a in zip(at, told, strict=True)}
        return [found[i] for i in range(len(prompts))]

    return ask


def _drawn(task: Puzzles, split: Split, setting: Asked | Scripted, lab: Lab, seed: int) -> list[tuple[Puzzle, int]]:
    """A seed's puzzles of a split, none of which another seed has; the one prompt of the released construction stands as
    often as games are asked."""
    n, names = setting.games, ("puzzles", setting.game, setting.shift, split.name, setting.harness)
    mine = own(task, split.name, n, seed=seed, rng=lab.rng(*names, seed=0))
    if len(mine) == n:
        return [(p, 0) for p in mine]
    drawn = task.draw(split.name, n, lab.rng(*names, seed=0))
    return [(drawn[k % len(drawn)], seed * n + k) for k in range(n)]
