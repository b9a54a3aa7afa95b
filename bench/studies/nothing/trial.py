"""One row, at once."""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.lab import Lab
from unseen.core.record import Row

from .study import Setting


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """The number of the setting."""
    yield Row("number", float(setting.number))
