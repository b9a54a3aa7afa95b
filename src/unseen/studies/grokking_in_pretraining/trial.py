"""How is it measured? Mixtures of experts are trained, kernels computed, or released checkpoints read, by the kind of setting."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .arms import Kernel, Pretrained, Setting


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield rows: `exact`, `distance`, `consistency` and `loss` at checkpoints, and what whole courses say (`distance_slope`, `r_distance`,
    …), or `kernel_r` of kernels."""
    if isinstance(setting, Kernel):
        from . import kernel

        return kernel.run(setting, lab)
    if isinstance(setting, Pretrained):
        from . import pretrained

        return pretrained.run(setting, lab)
    from . import released

    return released.run(setting, lab)
