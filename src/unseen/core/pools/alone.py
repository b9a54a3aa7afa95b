"""May a task measure this trial now? Not before another task that measures it has ended.

Alone(Measuring(url))(trial, tell)

A task may outlive the driver that gave it: for a moment under Ray, for half a minute behind a Ray client's port. The next
driver gives the same trial to another task, and two at once would write one journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..execute import Measuring, Outcome, Tell, Work
from ..lease import lease
from ..plan import Trial
from ..store import Store


@dataclass(frozen=True)
class Alone:
    """The same work, begun as soon as no other task has the trial in hand; one that died or fell silent has not."""

    work: Measuring

    def __call__(self, trial: Trial, tell: Tell) -> Outcome:
        folder = Store(self.work.url).root / "leases" / "tasks" / trial.key[:2]  # of which each has a lock of its own
        with lease(folder / f"{trial.key}.lease", wait=None):
            return self.work(trial, tell)


def alone(work: Work) -> Work:
    """The work, each trial measured by one task at a time; what measures nothing is left as it is."""
    return Alone(work) if isinstance(work, Measuring) else work
