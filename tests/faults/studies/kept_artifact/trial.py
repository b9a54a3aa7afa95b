"""How is it measured? Draw numbers once for all trials, and add some of them up.

Every drawing leaves a line in the file that KEPT_ROWS_LOG names, so that a test can count them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Row, Split

from .study import Setting


def run(setting: Setting, lab: Lab) -> Iterator[Row]:
    """Yield `sum`, of the first `count` of eight numbers (0..1)."""

    def draw(to: Path) -> None:
        with Path(os.environ["KEPT_ROWS_LOG"]).open("a", encoding="utf-8") as file:
            file.write(f"drawn {os.getpid()}\n")
        time.sleep(setting.seconds)
        to.mkdir()
        (to / "numbers.txt").write_text(" ".join(map(repr, np.random.default_rng(0).uniform(size=8).tolist())))

    numbers = [float(x) for x in (lab.once("numbers", draw, n=8) / "numbers.txt").read_text().split()]
    yield Row("sum", sum(numbers[: setting.count]), Split("near", axis="length", at={"length": setting.count}))
