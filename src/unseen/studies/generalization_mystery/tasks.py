"""Which images are asked about? The digits as items, with the label each is given and the right one.

tasks(Watched(noise=0.5))[0].draw("corrupted", 1, rng)[0].truth  ->  '7', of an image of a 3
"""

from __future__ import annotations

from collections.abc import Sequence

from unseen.core.task import Task
from unseen.tasks.labelled_images import DigitImages

from .arms import Setting, Suppressed, Watched


def tasks(setting: Setting) -> Sequence[Task]:
    """The digits with a setting's fraction of random labels; none for strata, random pixels and other data sets."""
    if isinstance(setting, Suppressed) or (isinstance(setting, Watched) and setting.pixels == "real"):
        return [DigitImages(setting.noise)] if setting.data == "digits" else []
    return []
