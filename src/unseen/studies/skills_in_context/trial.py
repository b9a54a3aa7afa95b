"""How is it measured? Models are asked, or decoders trained, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Item, Row

from .asked import Control, Prompted
from .learned import Episodic, Learned


def run(setting: Prompted | Control | Learned, lab: Lab) -> Iterator[Row | Item]:
    """Yield items (`exact` and what went wrong) of models that are asked, rows (`answered`, …) of decoders trained here."""
    if isinstance(setting, Prompted | Control):
        from . import prompted

        return prompted.run(setting, lab)
    if isinstance(setting, Episodic):
        from . import episodic

        return episodic.run(setting, lab)
    from . import traced

    return traced.run(setting, lab)
