"""What does a piece of work cost? CPU and wall seconds of two sides that take turns.

Turns(ours=[Spent(cpu=1.41, wall=1.43), …], theirs=[Spent(cpu=6.02, wall=6.08), …])
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU (all threads and finished child processes) and of the clock on the wall."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times more one side needs, over the rounds: median, least and most."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(theirs: list[float], ours: list[float]) -> Ratio:
        """Ratios of the rounds, each of two turns that were taken right after one another."""
        found = [a / b for a, b in zip(theirs, ours, strict=True)]
        return Ratio(median(found), min(found), max(found))

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.least:.2f} to {self.most:.2f})"


@dataclass(frozen=True, slots=True)
class Turns:
    """What each turn of both sides cost, in order [round]."""

    ours: list[Spent]
    theirs: list[Spent]

    @property
    def cpu(self) -> Ratio:
        """How many times more CPU time the other side needs."""
        return Ratio.of([t.cpu for t in self.theirs], [t.cpu for t in self.ours])

    @property
    def wall(self) -> Ratio:
        """How many times longer the other side takes."""
        return Ratio.of([t.wall for t in self.theirs], [t.wall for t in self.ours])


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    `difference` is the largest between numbers that both sides computed, `within` what it may be; `required` is the
    least ratio of CPU time; `theirs` names the other side with the settings it was best at, `tried` are amounts a CPU
    second under all that were tried, and `notes` keeps what else was measured; `least` is the amount a CPU second that
    ours must work off whatever the other side does; `peaks` are bytes at most of both sides, where they were measured, and
    `thrift` how many times less ours must take.
    """

    comparison: str
    case: str
    theirs: str
    difference: float
    within: float
    turns: Turns
    required: float
    amount: float  # of the unit that both sides work off in a turn
    unit: str
    tried: dict[str, float]
    notes: dict[str, object]
    least: float = 0.0
    peaks: tuple[int, int] | None = None
    thrift: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the numbers are the same, and the ratios of CPU time and memory and our amount reach what is required."""
        fast = self.amount / median(t.cpu for t in self.turns.ours) >= self.least
        thrifty = self.peaks is None or self.peaks[1] >= self.thrift * self.peaks[0]
        return self.difference <= self.within and self.turns.cpu.median >= self.required and fast and thrifty


def spent(work: Callable[[], object]) -> Spent:
    """What one call costs."""
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return Spent(_cpu() - cpu, time.perf_counter() - wall)


def take_turns(ours: Callable[[], Spent], theirs: Callable[[], Spent], rounds: int) -> Turns:
    """Both sides in alternation, each first in every other round. Call each once before, so that neither pays for beginning."""
    found = Turns([], [])
    for i in range(rounds):
        pair = [(found.ours, ours), (found.theirs, theirs)]
        for kept, turn in pair if i % 2 == 0 else reversed(pair):
            kept.append(turn())
    return found


def _cpu() -> float:
    ended = os.times()  # children's in hundredths of a second; our own are finer
    return time.process_time() + ended.children_user + ended.children_system
