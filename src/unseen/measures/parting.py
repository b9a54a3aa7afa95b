"""When does a training teach the reference at the shifted rows' cost? Two curves, row by row, and where they part.

parting(looks)  ->  Parting(measure="exact", since=40, until=200, shifted=(0.55, 0.41), reference=(0.58, 0.66), p=0.004)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from unseen.core.stats import clopper_pearson, limits, mcnemar
from unseen.core.stats import spread as units

Measure = Literal["exact", "surprise"]
SIDES = ("reference", "shifted")
SEEN_LEARNING = 0.05  # fraction of right answers from which answers, not surprise, tell how the model does


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the watched rows found after a step: {side: {measure: [row]}}."""

    step: int
    each: Mapping[str, Mapping[str, Sequence[float]]]

    def mean(self, side: str, measure: Measure) -> float:
        """The mean over rows."""
        return float(np.mean(self.each[side][measure]))


@dataclass(frozen=True, slots=True)
class Parting:
    """Whether the shifted rows were lost while the reference was not, and since when.

    From the step `since`, at which the shifted rows did best, to the last look: their change and p (exact McNemar or
    sign test over rows, times the number of looks among which the best was chosen), and the reference's change.
    """

    measure: Measure
    since: int
    until: int
    shifted: tuple[float, float]
    reference: tuple[float, float]
    p: float

    @property
    def parted(self) -> bool:
        """Whether the shifted rows fell by more than chance while the reference did not fall."""
        up = 1 if self.measure == "exact" else -1
        return self.p < 0.05 and up * (self.reference[1] - self.reference[0]) >= 0

    def words(self) -> str:
        """What is to be said of it."""
        what = "right answers" if self.measure == "exact" else "nats a token"
        of = [f"{a:.2f} to {b:.2f}" for a, b in (self.shifted, self.reference)]
        if self.parted:
            return f"From step {self.since} on the shifted rows went from {of[0]} {what} while the reference went from {of[1]} (p {self.p:.2g}): stop there."
        if self.p < 0.05:
            return f"From step {self.since} on both fell: the shifted rows from {of[0]} {what}, the reference from {of[1]} (p {self.p:.2g})."
        if self.since == self.until:
            return f"The shifted rows did best at the end, step {self.since}: {of[0].split()[0]} {what}."
        if self.shifted[0] == self.shifted[1]:
            return f"The shifted rows lost nothing since step {self.since}: {self.shifted[0]:.2f} {what}."
        return f"The shifted rows did best at step {self.since}; what they lost since, from {of[0]} {what}, chance explains (p {self.p:.2g})."


def parting(looks: Sequence[Look]) -> Parting | None:
    """When the shifted rows did best, and whether they lost since what the reference did not; None without such rows."""
    if len(looks) < 2 or any(side not in looks[0].each for side in SIDES):
        return None
    learned = max(k.mean(side, "exact") for k in looks for side in SIDES) >= SEEN_LEARNING
    measure: Measure = "exact" if learned else "surprise"
    up = 1.0 if learned else -1.0
    best, last = max(looks, key=lambda k: (up * k.mean("shifted", measure), -k.step)), looks[-1]
    change = up * (np.array(last.each["shifted"][measure]) - np.array(best.each["shifted"][measure]))
    won, lost = int(np.sum(change > 0)), int(np.sum(change < 0))
    p = min(1.0, mcnemar(won, lost) * len(looks)) if lost > won else 1.0
    pair = [(best.mean(side, measure), last.mean(side, measure)) for side in ("shifted", "reference")]
    return Parting(measure, best.step, last.step, pair[0], pair[1], p)


def looks_of(path: Path) -> list[Look]:
    """The looks in a file, by step; of two at one step, as an interrupted training leaves, the later one."""
    found: dict[int, Look] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            told = json.loads(line)
        except ValueError:  # cut off where the process died
            continue
        found[told["step"]] = Look(told["step"], told["each"])
    return [found[step] for step in sorted(found)]


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95% limits over rows: exact binomial ones for right and wrong, Hall's for nats."""
    x = np.asarray(values, float)
    if np.isin(x, (0.0, 1.0)).all():
        low, high = clopper_pearson(np.sum(x, keepdims=True), np.array([float(len(x))]))
    else:
        low, high = limits(units(x[None]), None)
    return float(x.mean()), float(low[0]), float(high[0])
