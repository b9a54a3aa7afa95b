"""How is it measured? Constants are worked out, networks trained, data sets looked at, by the kind of the setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .arms import Known, Learned, Published, Setting


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `log10_bits` of tasks, `error` of networks (fraction 0..1), `dimension`, `delta` and `radius` of data; see the
    module of each kind of setting."""
    if isinstance(setting, Published):
        from . import published

        return published.rows(setting.spread, {s: lab.rng("constants", seed=s) for s in lab.seeds})
    if isinstance(setting, Learned):
        from . import learned

        return learned.run(setting, lab)
    from . import estimated

    return estimated.known(setting, lab) if isinstance(setting, Known) else estimated.run(setting, lab)
