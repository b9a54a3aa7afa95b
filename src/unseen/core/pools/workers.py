"""How is work done in several processes? Spawned workers, each with one trial in hand, or several short ones.

Only plain words travel to a worker, so that studies outside the package work too: it finds the study by its slug.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from ..execute import Event, Outcome, Tell, Work
from ..plan import Trial
from ..threads import words
from . import accelerator
from .accelerator import Shares
from .beginnings import Beginnings
from .parcel import packed, said_of

GRACE = 5.0  # seconds in which a worker without work ends by itself
MOST = 16  # trials that a worker has in hand at once
SECONDS = 0.25  # of work that it has in hand, where its trials are short
UP = "up"  # the first that a worker says
REMEDY = 'A script that measures in processes begins with `if __name__ == "__main__":`; else mend what they printed'
TRIES = 2  # times a trial is given to a worker before it is left out


@dataclass(frozen=True)
class Procs:
    """A pool of n spawned processes, which share the accelerators of this machine."""

    n: int
    devices: tuple[str, ...] | None = None  # None: those that there are

    def map(self, work: Work, trials: Iterable[Trial], tell: Tell) -> Iterator[Outcome]:
        """The outcomes of the trials as they end; workers are started as they are needed and end with the last."""
        shares = Shares(accelerator.here() if self.devices is None else self.devices)
        crew, died = Crew(work, self.n, shares), Counter[str]()
        todo = iter(trials)
        try:
            while True:
                crew.hand_out(todo)
                busy = [w for w in crew.workers if w.trial is not None]
                if not busy:
                    return
                for worker in _ready(busy):
                    trial = cast(Trial, worker.trial)
                    outcome = worker.take(tell)
                    crew.beginnings.begun |= worker.up
                    if isinstance(outcome, Gone):
                        crew.beginnings.ended(str(worker.process.pid), outcome.how)
                        died[trial.key] += 1
                        if died[trial.key] < TRIES:
                            crew.replace(worker, worker.trials)
                            continue
                        crew.replace(worker, list(worker.trials)[1:])
                        outcome = Outcome(trial, "failed", outcome.why(died[trial.key]), code=1)
                    if outcome is not None:
                        crew.free(worker, trial, 60 * outcome.minutes)
                        yield outcome
        finally:
            for worker in crew.workers:
                worker.stop()


class Crew:
    """The workers there are, at most n, and the accelerators that each of them sees."""

    def __init__(self, work: Work, n: int, shares: Shares) -> None:
        self.work, self.n, self.shares = work, n, shares
        self.workers = list[Worker]()
        self.beginnings = Beginnings("workers", REMEDY)
        self.next: Trial | None = None  # taken, but its accelerators are still in use
        self.pace = 1.0  # seconds of a trial, lately

    def hand_out(self, todo: Iterator[Trial]) -> None:
        """Give trials to those who have none, starting workers while there may be more; then a few short ones ahead, so
        that nobody waits for what is published meanwhile."""
        while sum(w.trial is not None for w in self.workers) < self.n:
            trial = self.next or next(todo, None)
            self.next = None
            if trial is None:
                return
            devices = self.shares.take(self._asked(trial))
            if devices is None:
                self.next = trial
                return
            self._give(trial, devices)
        ahead = 1 if self.shares.names else min(MOST, int(SECONDS / max(self.pace, 1e-6)))
        for place in range(1, ahead):
            for worker in [w for w in self.workers if len(w.trials) == place]:
                if (trial := next(todo, None)) is None:
                    return
                worker.give(trial)

    def replace(self, worker: Worker, trials: Iterable[Trial]) -> None:
        """Start another worker for trials of one that died, with the same accelerators."""
        self.end(worker)
        if trials := list(trials):
            self.workers.append(Worker(self.work, trials, worker.devices))

    def end(self, worker: Worker) -> None:
        """Stop a worker for good."""
        self.workers.remove(worker)
        worker.stop()

    def free(self, worker: Worker, trial: Trial, seconds: float) -> None:
        """A worker has ended its trial, after so many seconds."""
        worker.trials.popleft()
        self.pace = 0.7 * self.pace + 0.3 * seconds
        self.shares.give_back(worker.devices, self._asked(trial))

    def _give(self, trial: Trial, devices: tuple[str, ...]) -> None:
        """To an idle worker that sees these accelerators, else to a new one, for which an idle one may have to go."""
        idle = [w for w in self.workers if w.trial is None]
        for worker in idle:
            if worker.devices == devices:
                worker.give(trial)
                return
        if idle and len(self.workers) >= self.n:
            self.end(idle[0])
        self.workers.append(Worker(self.work, [trial], devices))

    def _asked(self, trial: Trial) -> float:
        return accelerator.asked(trial, self.n, len(self.shares.names))


@dataclass(frozen=True)
class Gone:
    """A worker ended before its trial did; `code` is its exit code, negative for a signal."""

    code: int | None

    def how(self) -> str:
        """Its exit code or signal in words."""
        return f"killed by signal {-self.code}" if self.code is not None and self.code < 0 else f"exit code {self.code}"

    def why(self, times: int) -> str:
        """One paragraph that says so."""
        return f"its worker died {times} times ({self.how()}; out of memory is the usual cause), so the trial was left out. Lower its sizes with --set, or use fewer processes."


class Worker:
    """One spawned process and the trials it has in hand, the one at work first."""

    def __init__(self, work: Work, trials: Iterable[Trial], devices: tuple[str, ...] = ()) -> None:
        self.devices, self.trials, self.up = devices, deque[Trial](), False
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work, os.getpid()), daemon=True)
        with (
            words(1),
            accelerator.visible(devices),
        ):  # a worker's libraries load with one thread; each trial then says how many it needs
            self.process.start()
        theirs.close()
        for trial in trials:
            self.give(trial)

    @property
    def trial(self) -> Trial | None:
        """The one at work."""
        return self.trials[0] if self.trials else None

    def give(self, trial: Trial) -> None:
        """Hand it a trial."""
        self.trials.append(trial)
        with suppress(OSError):  # it died: `take` will tell
            self.pipe.send(packed(trial))

    def take(self, tell: Tell) -> Outcome | Gone | None:
        """What it says: the outcome of its trial, Gone if it died, None for progress."""
        try:
            said = self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return Gone(self.process.exitcode)
        self.up = True
        if said == UP:
            return None
        if isinstance(said, Event):
            tell(said)
            return None
        return Outcome(cast(Trial, self.trial), *said)

    def stop(self) -> None:
        """End the process: one that has nothing in hand by its closed pipe, so that its libraries can tidy up behind
        them (else the system complains of what they left); whatever goes on is killed."""
        self.pipe.close()
        if self.trial is None:
            self.process.join(GRACE)
        self.process.kill()
        self.process.join()


def _ready(busy: Sequence[Worker]) -> list[Worker]:
    by_pipe = {w.pipe: w for w in busy}
    return [by_pipe[cast("Connection[Any, Any]", c)] for c in wait(list(by_pipe))]


def _serve(pipe: Connection[Any, Any], work: Work, parent: int) -> None:
    """A worker's life: do the work on what comes through the pipe until it closes; die with the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver alone answers Ctrl-C
    die_with(parent)
    sys.path.insert(0, os.getcwd())
    with suppress(OSError):
        pipe.send(UP)
    while True:
        try:
            told = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(said_of(work, told, pipe.send))


def die_with(parent: int) -> None:
    """Ask the system to kill this process when its parent dies (Linux); elsewhere a closed pipe ends it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
