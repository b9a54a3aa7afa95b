"""Which small decoders learn what, and what should come of it when the board, the shape or the structure changes?

Learned("tictactoe")     positions of 3 × 3 with a best move; asked for unseen ones, exchanged marks, and 4 × 4 boards
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from unseen.core.study import Needs, Tier

LearnedTask = Literal["tictactoe", "shapes", "lego"]
TOKENS: Mapping[str, int] = {"tictactoe": 13, "shapes": 78, "lego": 12}  # of a sequence trained on


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on questions whose answer is one word."""

    task: LearnedTask
    learner: Literal["trained", "untrained", "shuffled"] = "trained"  # the last two are controls
    frame: int = 3  # cells a side of the frame of a 3 × 3 board; with 4, boards of 4 × 4 are asked too
    width: int = 64  # features of the residual stream
    layers: int = 2
    heads: int = 4
    steps: int = 2_000  # optimizer steps
    batch: int = 64  # questions a step
    lr: float = 3e-3
    spread: float = 4.0  # of the initial weights, in those of GPT-2
    items: int = 400  # asked of every split


def settings_learned(tier: Tier) -> list[Learned]:
    """The decoders at a tier."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def rehearse_learned(setting: Learned) -> Learned:
    """A setting with only its sizes lowered."""
    return replace(setting, width=16, layers=1, heads=2, steps=20, batch=8, items=20)


def needs_learned(setting: Learned) -> Needs:
    """What one trial of five seeds asks of a machine, by the tokens it trains on."""
    if setting.learner == "untrained":
        return Needs(0.3, extras=("torch",))
    cost = setting.layers / 2 * (setting.width / 64) ** (1 if setting.width <= 64 else 1.6)
    minutes = 5 * setting.steps * setting.batch * TOKENS[setting.task] * cost / 50_000 / 60 + 0.3
    if setting.width > 128:
        return Needs(minutes / 50, cpus=2, gpus=1, memory_gb=16, extras=("torch",))
    return Needs(minutes, extras=("torch",))


def _smoke() -> list[Learned]:
    arms = [*(Learned(task) for task in TOKENS), Learned("tictactoe", frame=4), Learned("lego", "untrained")]  # type: ignore[arg-type]
    return [rehearse_learned(a) for a in arms]


def _laptop() -> list[Learned]:
    arms = [
        Learned("tictactoe", steps=5_000),
        Learned("shapes", steps=1_000, batch=32),
        Learned("lego", steps=4_000),
    ]
    return [*arms, Learned("lego", "shuffled", steps=300), *(Learned(a.task, "untrained", items=400) for a in arms)]


def _paper() -> list[Learned]:
    large = Learned("tictactoe", width=256, layers=4, heads=8, steps=20_000, batch=256, lr=1e-3, spread=2.0)
    arms = [replace(large, task=task) for task in TOKENS]  # type: ignore[arg-type]
    arms.append(replace(large, frame=4))
    return [*arms, replace(large, task="lego", learner="shuffled"), *(replace(a, learner="untrained") for a in arms)]
