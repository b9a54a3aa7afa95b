"""How is it measured? A stack of sums, one for each seed of the block, in steps with checkpoints between them.

Every step that is computed leaves a line in the file that KEPT_ROWS_LOG names, so that a test can count them.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Item, Row, Split

from .study import Setting

NEAR = Split("near", axis="length", at={"length": 1})
FAR = Split("far", axis="length", at={"length": 2}, shifted=True)


def run(setting: Setting, lab: Lab) -> Iterator[Row | Item]:
    """Yield `sum`, the mean of uniform numbers (0..1) so far, and `part` at every step, then `hit` for four items."""
    begun, sums = 0, np.zeros(len(lab.seeds))
    if (found := lab.resume("summing")) is not None:
        begun, sums = found[0], np.asarray(found[1]["sums"])
    for step in range(begun + 1, setting.steps + 1):
        sums = sums + [lab.rng("draw", step, seed=s).uniform() for s in lab.seeds]
        _log(f"{setting.name} {lab.seeds} {step}")
        time.sleep(setting.pause)
        yield from _rows(sums, step, lab)
        lab.progress(step, setting.steps, sum=float(sums[0]))
        _fault(setting, lab, step)
        if step % setting.every == 0:
            lab.checkpoint("summing", step, {"sums": sums})
    for number, seed in enumerate(lab.seeds):
        (lab.folder / f"sums-{seed}.txt").write_text(repr(float(sums[number])), encoding="utf-8")
        for k in range(4):
            told = lab.rng("item", k, seed=seed).uniform()
            yield Item(f"i{k}", FAR, f"above {k / 4}?", repr(told), "yes", {"hit": float(told > k / 4)}, seed=seed)


def _rows(sums: NDArray[np.float64], step: int, lab: Lab) -> Iterator[Row]:
    for number, seed in enumerate(lab.seeds):
        for split in (NEAR, FAR):
            value = np.float64(sums[number] / step / (2 if split.shifted else 1))
            yield Row("sum", value, split, n=step, step=step, seed=seed)
        yield Row("part", float("nan"), NEAR, step=step, at={"half": np.int64(step % 2), "pair": (1, 2)}, seed=seed)


def _fault(setting: Setting, lab: Lab, step: int) -> None:
    if step != 7 or not setting.fault:
        return
    if setting.fault == "raise":
        raise RuntimeError("the sum\nwent wrong")
    if setting.fault == "memory":
        raise MemoryError
    marker = lab.cache / f"died {setting.fault} {lab.seeds}"
    if setting.fault == "die" or (setting.fault == "die once" and not marker.exists()):
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if setting.fault == "data":
        lab.data("kept/words.txt", "url:http://127.0.0.1:9/words.txt", "0" * 64)
    if setting.fault == "full":
        (lab.folder / "large").write_bytes(bytes(64_000_000))


def _log(line: str) -> None:
    if named := os.environ.get("KEPT_ROWS_LOG"):
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
