"""How is it measured? Decoders are trained on facts, or language models asked, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Item, Row

from .arms import Asked, Learned


def run(setting: Learned | Asked, lab: Lab) -> Iterator[Row | Item]:
    """Yield rows (`exact`, `strength`, `mrr_…`, …) of decoders trained here, items (`exact`, `undecided`) of models asked."""
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    from . import asked

    return asked.run(setting, lab)
