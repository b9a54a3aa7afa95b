"""What happened when? The curves of a training, kept through interruptions, and what they say about its turning points.

history.reached("composed trained", 0.99)  ->  the step [seed] at which trained facts were first 99% right, NaN if never
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab

Floats = NDArray[np.float64]


@dataclass
class History:
    """Curves by name: step -> values [seed]."""

    curves: dict[str, dict[int, Floats]] = field(default_factory=dict[str, dict[int, Floats]])

    @staticmethod
    def resumed(lab: Lab) -> History:
        """What an interrupted trial knew, or nothing."""
        found = lab.resume("history")
        history = History()
        for name, table in (found[1] if found else {}).items():
            history.curves[name] = {int(row[0]): np.array(row[1:]) for row in np.asarray(table, np.float64)}
        return history

    def keep(self, lab: Lab, step: int) -> None:
        """Write the curves to the trial's state."""
        lab.checkpoint("history", step, {name: _table(curve) for name, curve in self.curves.items()})

    def add(self, name: str, step: int, values: Floats) -> None:
        """Note the values [seed] of a curve; a step that is measured again replaces itself."""
        self.curves.setdefault(name, {})[step] = np.asarray(values, np.float64)

    def reached(self, name: str, threshold: float) -> Floats:
        """The step [seed] at which a curve first reaches the threshold, interpolated linearly from the step before (from
        0 at step 0); NaN where it never does."""
        table = _table(self.curves[name])
        steps, values = np.concatenate([[0], table[:, 0]]), np.vstack([np.zeros(table.shape[1] - 1), table[:, 1:]])
        found = np.full(values.shape[1], np.nan)
        for seed, curve in enumerate(values.T):
            if len(at := np.flatnonzero(curve >= threshold)):
                i = max(1, int(at[0]))
                rise = (threshold - curve[i - 1]) / max(1e-12, curve[i] - curve[i - 1])
                found[seed] = steps[i - 1] + min(1.0, max(0.0, rise)) * (steps[i] - steps[i - 1])
        return found

    def when(self, name: str, steps: Floats) -> Floats:
        """The value [seed] of a curve at the first measurement at or after these steps [seed]; NaN where there is none."""
        table = _table(self.curves[name])
        found = np.full(len(steps), np.nan)
        for seed, step in enumerate(steps):
            at = np.flatnonzero(table[:, 0] >= step) if not np.isnan(step) else np.zeros(0, int)
            if len(at):
                found[seed] = table[at[0], 1 + seed]
        return found

    def last(self, name: str) -> Floats:
        """The last value [seed] of a curve."""
        curve = self.curves[name]
        return curve[max(curve)]


def _table(curve: dict[int, Floats]) -> Floats:
    """A curve as rows of step and values [step 1 + seed], in the order of steps."""
    return np.array([[step, *curve[step]] for step in sorted(curve)])
