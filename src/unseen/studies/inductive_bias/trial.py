"""How is it measured? The law of the test error of Gaussian processes on spheres, and test errors of trained networks."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .arms import Setting, Sphere


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `bits` that a test error needs, and how near its estimates come; see the module of each kind of setting."""
    if isinstance(setting, Sphere):
        from . import spheres

        return spheres.run(setting, lab)
    from . import ensembles

    return ensembles.run(setting, lab)
