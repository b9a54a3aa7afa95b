"""How is it measured? Series of board games, puzzles asked all at once, or decoders trained, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unseen.core.lab import Lab
from unseen.core.model import Prompt
from unseen.core.record import Item, Row

from .arms import BOARDS, Asked, Scripted
from .harness import Turns
from .learned import Learned
from .series import Game


def run(setting: Asked | Scripted | Learned, lab: Lab) -> Iterator[Row | Item]:
    """Yield the games or puzzles of models as items, those of scripted players as rows, and rows of decoders."""
    if isinstance(setting, Learned):
        from . import trained

        return trained.run(setting, lab)
    if isinstance(setting, Scripted):
        return _scripted(setting, lab)
    return _asked(setting, lab)


def _scripted(setting: Scripted, lab: Lab) -> Iterator[Row | Item]:
    from . import played, puzzled

    if setting.game in BOARDS:
        return played.run(setting, lab, played.scripted(setting.player))
    return puzzled.run(setting, lab, puzzled.scripted(setting.player, lab))


def _asked(setting: Asked, lab: Lab) -> Iterator[Row | Item]:
    """A model is opened once; every live game, or every puzzle of a seed, is asked in one batch."""
    from unseen import models

    from . import played, puzzled

    model = models.open(setting.model, lab=lab, dtype=setting.dtype)

    def said(prompt: Turns) -> Prompt:
        return prompt if setting.apply_chat_template else "\n\n".join(turn["content"] for turn in prompt)

    def ask(games: Sequence[Game], prompts: Sequence[Turns]) -> list[str]:
        words = {"max_new_tokens": setting.max_new_tokens, "temperature": setting.temperature, "seed": lab.seeds[0]}
        return [a.text for a in model.generate([said(p) for p in prompts], **words)]

    if setting.game in BOARDS:
        return played.run(setting, lab, ask)
    return puzzled.run(setting, lab, puzzled.of_model(model, setting, said))
