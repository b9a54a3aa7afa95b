"""How is work done on a cluster that Slurm runs? Arrays of tasks, sized from what the trials need, through submitit.

Slurm({"partition": "gpu", "time": "240"})      --on slurm:partition=gpu,time=240
Slurm({"local": ""})                            --on slurm:local: the same, as processes of this machine

The store lies on a file system that all nodes share. A driver that died finds its tasks again: those that wait or run are
watched on, and what they finished is published. A task that lost its node goes on from its last checkpoint.
"""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..disk import content, whole
from ..errors import Failed, Invalid, Missing, missing_extra
from ..execute import Event, Measuring, Outcome, Tell, Work
from ..lab import local_home
from ..plan import Trial
from ..store import Store
from ..work import threads_of, versions
from . import accelerator
from .beginnings import Beginnings
from .likeness import Told, coded
from .parcel import Said, packed
from .slurm_job import REFUSED, Share, said_at

TRIES = 2  # times a trial is given to a task before it is left out
MOST = 1000  # trials that wait or run at once; Slurm's own limit of an array is 1001, unless it was raised
SHORT = 5.0  # minutes of work that are worth a task of their own
MARGIN, LEAST = 3.0, 10.0  # the time asked for: so many times what the study says, and so many minutes more
WORDS = ("partition", "time", "array", "account", "qos", "constraint", "local")
ALIVE = (
    "PENDING",
    "RUNNING",
    "REQUEUED",
    "COMPLETING",
    "CONFIGURING",
    "SUSPENDED",
    "RESIZING",
    "UNKNOWN",
    "READY",
    "PREEMPTED",
)
REMEDY = "Mend the environment of the tasks"
Shape = tuple[int, int, float]  # processors, accelerators, gigabytes


@dataclass(frozen=True)
class Slurm:
    """A pool of tasks that Slurm starts; `words` are what its user asks of it beside what the trials need."""

    words: Mapping[str, str] = field(default_factory=dict[str, str])

    def map(self, work: Work, trials: Iterable[Trial], tell: Tell) -> Iterator[Outcome]:
        """The outcomes of the trials as they end. Raises Missing where there is no Slurm, Failed where it refuses."""
        _check(self.words)
        queue = Queue(work, self.words, tell)
        try:
            yield from queue.outcomes(iter(trials))
        finally:
            queue.cancel()


def parsed(text: str) -> dict[str, str]:
    """The words of `partition=gpu,time=240`. Raises Invalid for one that is not known, or without its value."""
    found: dict[str, str] = {}
    for word in filter(None, text.split(",")):
        name, equals, value = word.partition("=")
        if name not in WORDS or (bool(equals) == (name == "local")) or (equals and not value):
            raise Invalid(
                f"--on slurm:{text}: {word!r} says nothing here; write {', '.join(f'{w}=…' for w in WORDS[:-1])}, or local to work in processes of this machine."
            )
        if name in ("time", "array") and not (value.isdigit() and int(value) > 0):
            raise Invalid(f"--on slurm:{text}: {name} takes a whole number{' of minutes' * (name == 'time')} from 1.")
        found[name] = value
    return found


@dataclass(frozen=True)
class Place:
    """Where a trial is being measured: submitit's number of the task, and the folder of its files."""

    id: str
    folder: str
    job: Any  # submitit's


@dataclass
class Queue:
    """The trials that wait or run, and how often each of them lost its task."""

    work: Work
    words: Mapping[str, str]
    tell: Tell
    at: dict[str, tuple[Trial, Place]] = field(default_factory=dict[str, tuple[Trial, Place]])
    died: Counter[str] = field(default_factory=Counter[str])
    silent: Counter[str] = field(default_factory=Counter[str])  # looks at a task that ended without a word
    heard: dict[str, float] = field(default_factory=dict[str, float])  # when each trial's last word was said

    def __post_init__(self) -> None:
        self.local = "local" in self.words
        self.root = Store(self.work.url).root if isinstance(self.work, Measuring) else local_home()
        self.place = self.root.absolute() / "slurm"
        self.sign = self.place / f"begun-{platform.node()}-{os.getpid()}-{time.time_ns()}"
        self.beginnings = Beginnings("tasks", REMEDY)
        self.told = Told(platform.node(), os.getcwd(), {}, versions(), {}, "")
        self.most = int(self.words.get("array", os.cpu_count() or 1)) if self.local else MOST

    def outcomes(self, todo: Iterator[Trial]) -> Iterator[Outcome]:
        """The outcomes as they come, until nothing is left."""
        more = True
        while more or self.at:
            if more and len(self.at) <= self.most // 2:
                taken = [t for _, t in zip(range(self.most - len(self.at)), todo, strict=False)]
                more = bool(taken)
                self._submit([t for t in taken if not self._found_again(t)])
            for trial, said in self._landed():
                yield Outcome(trial, *said)
            self._listen()
            time.sleep(0.1 if self.local else 2.0)

    def cancel(self) -> None:
        """End what waits or runs, and what is kept of it."""
        for _, place in {p.id: (t, p) for t, p in self.at.values()}.values():
            with suppress(Exception):
                place.job.cancel()
        until = time.monotonic() + 5
        while self.local and time.monotonic() < until and any(_alive(p.job) for _, p in self.at.values()):
            time.sleep(0.1)
        for key in self.at:
            self._forget(key)
        self.sign.unlink(missing_ok=True)

    def _submit(self, trials: Sequence[Trial]) -> None:
        """One array for each kind of task that these trials need."""
        by_shape: dict[Shape, list[Trial]] = {}
        for trial in trials:
            by_shape.setdefault(_asks(trial), []).append(trial)
        for shape, alike in by_shape.items():
            shares = _shares(alike, 1 if self.local else 8)
            for batch, job in zip(shares, self._array(shape, shares), strict=True):
                folder = str(job.paths.folder)
                for trial in batch:
                    self.at[trial.key] = trial, Place(str(job.job_id), folder, job)
                    self._note(trial.key, str(job.job_id), folder)

    def _array(self, shape: Shape, shares: Sequence[Sequence[Trial]]) -> list[Any]:
        """submitit's handles of an array, a task for each share. Raises Failed where Slurm takes none."""
        import submitit

        told = coded(self.told, {t.study for batch in shares for t in batch})
        given = [
            Share(self.work, tuple((t.key, packed(t)) for t in b), told, str(self.place), str(self.sign))
            for b in shares
        ]
        folder = self.place / "tasks" / str(time.time_ns())
        executor = submitit.AutoExecutor(folder=folder, cluster="local" if self.local else "slurm")
        executor.update_parameters(**self._parameters(shape, max(_minutes(b) for b in shares)))
        try:
            with _printing_to(folder / "controllers.txt") if self.local else nullcontext(), executor.batch():
                return [executor.submit(one) for one in given]
        except Exception as error:  # submitit's own errors carry what sbatch said
            raise Failed(
                f"Slurm did not take an array of {len(shares)} tasks ({' '.join(str(error).split())[:300]}). Change what is asked with --on slurm:partition=…,time=…,account=…, and run the same command again."
            ) from error

    def _parameters(self, shape: Shape, minutes: float) -> dict[str, Any]:
        """What is asked of Slurm for each task of an array."""
        cpus, gpus, memory = shape
        asked: dict[str, Any] = {
            "name": "unseen",
            "cpus_per_task": cpus,
            "mem_gb": memory,
            "gpus_per_node": gpus,
            "timeout_min": int(self.words.get("time", math.ceil(minutes * MARGIN + LEAST))),
        }
        if not self.local:
            asked["slurm_max_num_timeout"] = 100  # each goes on where the last one stopped
            asked |= {f"slurm_{w}": self.words[w] for w in WORDS[:-1] if w in self.words and w not in ("time", "array")}
            asked["slurm_array_parallelism"] = int(self.words.get("array", MOST))
        return {k: v for k, v in asked.items() if v or k != "gpus_per_node"}

    def _landed(self) -> Iterator[tuple[Trial, Said]]:
        """The trials of which something was said, and those that lost their task too often."""
        lost: list[Trial] = []
        for key, (trial, place) in list(self.at.items()):
            said = said_at(str(self.place), key)
            if said is None and not _alive(place.job):
                self.silent[key] += 1
                if self.silent[key] < 3:  # a shared folder may be a moment late
                    continue
                self._ended(place)
                self.died[key] += 1
                del self.at[key], self.silent[key]
                self._forget(key)
                if self.died[key] < TRIES:
                    lost.append(trial)
                    continue
                said = "failed", self._why(place, self.died[key]), 0.0, 1
            if said is not None:
                self.beginnings.begun = True
                self.at.pop(key, None)
                self._forget(key)
                if said[0] == REFUSED:
                    raise Invalid(said[1])
                yield trial, said
        self._submit(lost)

    def _ended(self, place: Place) -> None:
        """A task ended without a word. Raises Failed where none of the first few had begun, with what it printed last."""
        self.beginnings.begun |= self.sign.exists()

        def how() -> str:
            printed = ""
            with suppress(Exception):  # submitit's handle of a task, or what is left of one
                printed = " ".join((place.job.stderr() or "").split())[-400:]
            return f"{printed or 'nothing was printed'} ({place.folder})"

        self.beginnings.ended(place.id, how)

    def _why(self, place: Place, times: int) -> str:
        state = "" if self.local else f" ({place.job.state})"
        return f"its task ended {times} times without a word{state}; out of memory or time are the usual causes, and {place.folder} has what it printed. Lower its sizes with --set, or ask for more with --on slurm:time=…."

    def _found_again(self, trial: Trial) -> bool:
        """Whether a driver before this one has given the trial to a task that is not over, or has finished it."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads(content(self.place / "at" / f"{trial.key}.json"))
            job, said = _again(noted, self.local), said_at(str(self.place), trial.key)
            if _alive(job) or (said is not None and said[0] == "done"):
                self.at[trial.key] = trial, Place(str(noted["id"]), str(noted["folder"]), job)
                return True
        self._forget(trial.key)
        return False

    def _note(self, key: str, number: str, folder: str) -> None:
        """Write down where a trial is, for the next driver."""
        path = self.place / "at" / f"{key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole(path, json.dumps({"id": number, "folder": folder, "local": self.local}).encode(), durable=False)

    def _forget(self, key: str) -> None:
        """Drop what is kept of a trial's task; the task's folder goes with the last of its trials."""
        note = self.place / "at" / f"{key}.json"
        with suppress(OSError, ValueError, KeyError):
            folder = Path(json.loads(content(note))["folder"])
            said = said_at(str(self.place), key)
            note.unlink()
            others = any(p.folder == str(folder) for _, p in self.at.values())
            if said is not None and said[0] == "done" and not others and folder.parent == self.place / "tasks":
                shutil.rmtree(folder, ignore_errors=True)
        (self.place / "said" / f"{key}.json").unlink(missing_ok=True)

    def _listen(self) -> None:
        """Tell what the tasks wrote since."""
        for key in self.at:
            with suppress(OSError, ValueError, KeyError, TypeError):
                told = json.loads(content(self.root / "live" / f"{key}.json"))
                if told["when"] != self.heard.get(key):
                    self.heard[key] = told["when"]
                    self.tell(Event(key, told["done"], told["of"], told["shown"], told["when"]))


def _check(words: Mapping[str, str]) -> None:
    """Raise Missing where submitit or Slurm is not here."""
    try:
        import submitit  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ModuleNotFoundError as error:
        raise missing_extra("--on slurm", error, "slurm") from error
    if "local" not in words and shutil.which("sbatch") is None:
        raise Missing(
            "--on slurm: there is no sbatch here, so this machine cannot give work to Slurm. Run this on a login node of the cluster; --on slurm:local does the same in processes of this machine."
        )


def _asks(trial: Trial) -> Shape:
    """Processors, whole accelerators and gigabytes that a trial needs."""
    return threads_of(trial), math.ceil(accelerator.needed(trial)), trial.needs.memory_gb


def _minutes(trials: Sequence[Trial]) -> float:
    return sum(t.needs.minutes for t in trials)


def _shares(trials: Sequence[Trial], least: int) -> list[list[Trial]]:
    """The trials in parts worth a task each: short ones together, but in no fewer than `least` parts."""
    most = max(1, math.ceil(len(trials) / least)) if least > 1 else 1
    found: list[list[Trial]] = []
    for trial in trials:
        if found and len(found[-1]) < most and _minutes(found[-1]) + trial.needs.minutes <= SHORT:
            found[-1].append(trial)
        else:
            found.append([trial])
    return found


def _again(noted: Mapping[str, Any], local: bool) -> Any:
    """submitit's handle of a task that another process submitted. Raises ValueError where it was of another kind."""
    if noted["local"] != local:
        raise ValueError
    if local:
        return Controller(int(noted["id"]))
    import submitit

    return submitit.SlurmJob(str(noted["folder"]), str(noted["id"]))


@contextmanager
def _printing_to(path: Path) -> Generator[None]:
    """What processes begun here say on standard error stands in a file: submitit's, told to stop, end with a traceback."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@dataclass(frozen=True)
class Controller:
    """A process of this machine that submitit started for a driver that is gone."""

    pid: int

    @property
    def state(self) -> str:
        """RUNNING while it lives."""
        with suppress(OSError):
            if b"submitit" in Path(f"/proc/{self.pid}/cmdline").read_bytes():
                return "RUNNING"
        return "FINISHED"

    def cancel(self) -> None:
        """Let it end its task, and itself."""
        import signal

        if self.state == "RUNNING":
            os.kill(self.pid, signal.SIGINT)


def _alive(job: Any) -> bool:
    """Whether a task waits or runs, or nothing is known of it yet."""
    return str(job.state).split(" ")[0].upper() in ALIVE
