"""How is it measured? Decoders learn a world and are traced to its documents, or language models to word problems."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .arms import Learned, Traced


def run(setting: Learned | Traced, lab: Lab) -> Iterator[Row]:
    """Yield rows of rankings (`likeness`, `reliance`, `answer_found`, `rules_over`, `over`, `rise`, …) by type and method."""
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    from . import traced

    return traced.run(setting, lab)
