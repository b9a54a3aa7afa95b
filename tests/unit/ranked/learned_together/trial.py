"""How is it measured? The trial has ranks tune a model, and says what they found at every step."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row, Split
from unseen.methods import ranks

from . import learner
from .study import Setting

NEAR = Split("near")


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `loss` (nats) and `norm` (of the gradient, before it is cut) at every step, and `held`, a rank's share of the bytes."""
    first, *_ = ranks.run(learner.tuned, setting.shares, 7, lab=lab)
    for step, loss, norm in first["told"]:
        yield Row("loss", loss, NEAR, step=step)
        yield Row("norm", norm, NEAR, step=step)
    yield Row("held", first["held"], NEAR)
