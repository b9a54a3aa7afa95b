"""What is kept of every checkpoint? Losses, routing, answers: small arrays from which all numbers of the study follow.

course.add(step, losses=[seed sample], weights=[seed sample layer expert], …) ; course.of("losses", seed)  ->  [checkpoint sample]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab

PHASE = "course"


@dataclass
class Course:
    """Arrays by name, one a checkpoint, in the order of steps; the first axis of each is the member."""

    steps: list[int] = field(default_factory=list[int])
    kept: dict[str, list[NDArray[Any]]] = field(default_factory=dict[str, list[NDArray[Any]]])

    @staticmethod
    def resumed(lab: Lab) -> Course:
        """What an interrupted trial knew, or nothing."""
        found = lab.resume(PHASE)
        if found is None:
            return Course()
        steps = [int(s) for s in np.asarray(found[1]["steps"])]
        return Course(steps, {k: list(np.asarray(v)) for k, v in found[1].items() if k != "steps"})

    def keep(self, lab: Lab) -> None:
        """Write everything to the trial's state."""
        tensors: dict[str, Any] = {name: np.stack(values) for name, values in self.kept.items()}
        lab.checkpoint(PHASE, self.steps[-1], {**tensors, "steps": np.array(self.steps)})

    def add(self, step: int, **arrays: NDArray[Any]) -> None:
        """Note what was measured at a step; a step that is measured again replaces itself."""
        again = self.steps.index(step) if step in self.steps else None
        if again is None:
            self.steps.append(step)
        for name, value in arrays.items():
            its = self.kept.setdefault(name, [])
            if again is None:
                its.append(value)
            else:
                its[again] = value

    def of(self, name: str, member: int) -> NDArray[Any]:
        """What was measured of a member [checkpoint …]."""
        return np.stack([value[member] for value in self.kept[name]])
