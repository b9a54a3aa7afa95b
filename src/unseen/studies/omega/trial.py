"""How is it measured? Models are asked, decoders and language models trained, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Item, Row

from .arms import Learned, Setting, Tuned


def run(setting: Setting, lab: Lab) -> Iterator[Row | Item]:
    """Yield items (`exact`, `tokens`, `spiral`, `familiar`) of models that are asked, and rows of those trained here."""
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    if isinstance(setting, Tuned):
        from . import tuned

        return tuned.run(setting, lab)
    from . import judged

    return judged.run(setting, lab)
