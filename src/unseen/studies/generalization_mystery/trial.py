"""How is it measured? Networks are trained and looked at, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .arms import Setting, Strata, Suppressed, Watched


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `accuracy` (fraction 0..1 of given labels) by split through training, `m_coherence` and what follows from its
    course; see the module of each kind of setting."""
    if isinstance(setting, Watched):
        from . import watched

        return watched.run(setting, lab)
    if isinstance(setting, Suppressed):
        from . import suppressing

        return suppressing.run(setting, lab)
    if isinstance(setting, Strata):
        from . import strata

        return strata.run(setting, lab)
    from . import pictured

    return pictured.run(setting, lab)
