"""What do the arms of a study need of its models? Each of them anew, rows to tune on, and how an answer is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from unseen.core.record import Scored, Split
from unseen.methods.sae_tuning import Row

Answered = Sequence[tuple[Split, Scored]]


@dataclass(frozen=True)
class World:
    """One seed's models, rows and items.

    `model(name)` opens `base`, `rl`, `sibling` or `stranger` anew, since tuning changes what it is given; `others` are
    models that are only asked. `rows` are questions with bare answers, `held` more of them, drawn apart.
    `marked` bool[token] says which tokens of `rows` are thinking marks. `ask(model)` scores answers on every split.
    """

    seed: int
    model: Callable[[str], Any]
    others: Sequence[str]
    rows: Sequence[Row]
    held: Sequence[Row]
    marked: Tensor
    ask: Callable[[Any], Answered]
