"""How is work done on a Ray cluster? One trial, one task, with the resources that it needs; a few more in flight than run.

Ray("")                     a Ray that runs on this machine, or one that is started for this and stopped afterwards
Ray("ray://head:10001")     a cluster, through its client's port
Ray("head:6379")            a cluster that this machine is a node of

Only this process publishes. Short trials are handed over several at a time. A trial whose worker or node dies is given
to another; whatever a trial raises is its outcome.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any

from ..errors import Failed, Invalid
from ..execute import Event, Measuring, Outcome, Tell, Work
from ..plan import Trial
from ..store import Store
from ..work import threads_of, versions
from . import accelerator
from .beginnings import Beginnings
from .likeness import Told, coded
from .parcel import packed, unfolded
from .ray_cluster import joined, short
from .ray_task import Part, Words, served

TRIES = 2  # times a trial may take its worker along before it is left out
MOVES = 10  # times a trial may lose its node, which is hardly its own doing
MOST = 64  # trials that are handed over at once
CUT = 10.0  # seconds after a node is given up in which Ray itself may say so of its tasks
SECONDS = 0.25  # of work that are worth a hand-over
AHEAD = 2  # tasks in flight for each processor of the cluster
REMEDY = "The files worker-*.err in the folder of Ray's logs on that node say more. Mend its environment"
SHARED = ("UNSEEN_", "HF_", "TRANSFORMERS_", "TOKENIZERS_", "OMP_WAIT_")  # the environment that trials know
SECRET = "_API_KEY"  # these travel, too; nothing writes them down

Shape = tuple[int, float, int]  # processors, accelerators, bytes
Batch = tuple[Trial, ...]


@dataclass(frozen=True)
class Ray:
    """A pool of the workers of a Ray cluster; with `apart`, no folder is taken for one that all of its nodes share."""

    address: str = ""
    apart: bool = False

    def map(self, work: Work, trials: Iterable[Trial], tell: Tell) -> Iterator[Outcome]:
        """The outcomes of the trials as they end. Raises Missing where there is no cluster, Invalid where a worker is
        not like this machine, Failed where the cluster goes away."""
        with joined(self.address) as ray, _marked(work, self.apart) as mark:
            flight = Flight(ray, work, _told(mark, bool(self.address)), tell)
            try:
                yield from flight.outcomes(iter(trials))
            finally:
                flight.cancel()


@dataclass
class Flight:
    """What is under way in the cluster: which trials each reference stands for, and how often one lost its worker."""

    ray: Any
    work: Work
    told: Told
    tell: Tell
    under_way: dict[Any, tuple[int, Batch]] = field(
        default_factory=dict[Any, tuple[int, Batch]]
    )  # with the task's number
    again: deque[Trial] = field(default_factory=deque[Trial])  # to be given once more, each by itself
    died: Counter[str] = field(default_factory=Counter[str])
    moved: Counter[str] = field(default_factory=Counter[str])
    pace: float = 1.0  # seconds of a trial, lately

    def __post_init__(self) -> None:
        self.task = self.ray.remote(max_retries=0)(served)
        self.words = self.ray.remote(Words).options(num_cpus=0, max_restarts=-1).remote()
        self.asked: Any = None  # for words
        self.numbers = count()
        self.nodes: dict[int, str] = {}  # on which each task began
        self.room = Room(self.ray)
        self.beginnings = Beginnings("workers of the cluster", REMEDY)
        self.next: Trial | None = None  # taken, but of another shape than those before it

    def outcomes(self, todo: Iterator[Trial]) -> Iterator[Outcome]:
        """The outcomes as they come, until nothing is left."""
        while True:
            yield from self._hand_out(todo)
            if not self.under_way:
                return
            self._listen()
            ready, _ = self.ray.wait(list(self.under_way), num_returns=1, timeout=0.25)
            if ready:
                ready, _ = self.ray.wait(list(self.under_way), num_returns=len(self.under_way), timeout=0)
            for ref in ready:
                yield from self._landed(self._done_with(ref), ref)
            yield from self._cut_off()

    def cancel(self) -> None:
        """End what is under way, and wait a moment until it has ended."""
        for ref in self.under_way:
            with suppress(Exception):
                self.ray.cancel(ref, force=True)
        with suppress(Exception):
            self.ray.wait(list(self.under_way), num_returns=len(self.under_way), timeout=5)
        with suppress(Exception):
            self.ray.kill(self.words)

    def _hand_out(self, todo: Iterator[Trial]) -> Iterator[Outcome]:
        """Give out trials while there is room; those that fit nowhere fail."""
        while len(self.under_way) < self.room.most():
            batch = self._taken(todo)
            if not batch:
                return
            shape, why = self.room.shape(batch[0])
            if why:
                yield from (Outcome(t, "failed", why, code=2) for t in batch)
                continue
            cpus, gpus, memory = shape
            given = [packed(t) for t in batch]
            told = coded(self.told, {t.study for t in batch})
            options = self.task.options(num_cpus=cpus, num_gpus=gpus or None, memory=memory)
            number = next(self.numbers)
            self.under_way[options.remote(self.work, given, told, self.words, number)] = number, batch

    def _taken(self, todo: Iterator[Trial]) -> Batch:
        """The next trials that are handed over together: alike in what they need, and together not long."""
        if self.again:
            return (self.again.popleft(),)
        most = max(1, min(MOST, int(SECONDS / max(self.pace, 1e-6))))
        first = self.next or next(todo, None)
        self.next = None
        if first is None:
            return ()
        found = [first]
        for trial in islice(todo, most - 1):
            if _asks(trial) != _asks(first):
                self.next = trial
                break
            found.append(trial)
        return tuple(found)

    def _landed(self, batch: Batch, ref: Any) -> Iterator[Outcome]:
        """The outcomes of a task; none of trials that are given once more."""
        errors = self.ray.exceptions
        try:
            found = self.ray.get(ref)
            self.beginnings.begun = True
            if isinstance(found, str):
                raise Invalid(found)
            for trial, (said, parts) in zip(batch, found, strict=True):
                if parts is not None:
                    self._received(trial, parts)
                self.pace = 0.7 * self.pace + 0.3 * 60 * said[2]
                yield Outcome(trial, *said)
        except (errors.NodeDiedError, errors.LocalRayletDiedError, errors.ObjectLostError) as error:
            yield from self._lost(batch, self.moved, MOVES, f"its node was lost ({short(error)})")
        except (errors.WorkerCrashedError, errors.OutOfMemoryError) as error:
            self._ended(ref, short(error))
            yield from self._lost(batch, self.died, TRIES, f"its worker died ({short(error)})")
        except errors.RayTaskError as error:
            raise Failed(_unlike(error)) from error
        except (errors.RuntimeEnvSetupError, errors.RaySystemError, ConnectionError) as error:
            raise Failed(
                f"the Ray cluster failed ({short(error)}); what was done is kept. Run the same command again when it answers."
            ) from error

    def _done_with(self, ref: Any) -> Batch:
        """The trials of a task that is not waited for any more."""
        number, batch = self.under_way.pop(ref)
        self.nodes.pop(number, None)
        return batch

    def _cut_off(self) -> Iterator[Outcome]:
        """Give the trials of nodes that the cluster gave up once more. (Ray waits minutes for what a node that lost its
        network may still say.)"""
        gone = self.room.gone()
        for ref in [r for r, (number, _) in self.under_way.items() if self.nodes.get(number) in gone]:
            with suppress(Exception):
                self.ray.cancel(ref, force=True)
            yield from self._lost(self._done_with(ref), self.moved, MOVES, "its node was lost (cut off)")

    def _lost(self, batch: Batch, times: Counter[str], most: int, how: str) -> Iterator[Outcome]:
        """Give each of these once more, by itself; one that was by itself too often is left out."""
        for trial in batch:
            if len(batch) == 1:
                times[trial.key] += 1
            if times[trial.key] < most:
                self.again.append(trial)
            else:
                why = f"{how}, for the {times[trial.key]}th time, so the trial was left out. Memory is the usual cause: lower its sizes with --set, or give it a larger node."
                yield Outcome(trial, "failed", why, code=1)

    def _received(self, trial: Trial, parts: Sequence[Part]) -> None:
        """Lay a trial's files where it would have been measured here."""
        assert isinstance(self.work, Measuring)

        def content(held: Any) -> bytes:
            return held if isinstance(held, bytes) else self.ray.get(held)

        to = Store(self.work.url).partial(trial) / "ready"
        unfolded(((name, lambda held=held: content(held)) for name, held in parts), to)

    def _ended(self, ref: Any, how: str) -> None:
        """A worker died. Raises Failed where none of the first few had begun, what they said on their way here included."""
        if not self.beginnings.begun:
            with suppress(Exception):
                self._heard(self.ray.get(self.words.take.remote(), timeout=5))
        self.beginnings.ended(ref.hex(), lambda: how)

    def _listen(self) -> None:
        """Tell what was said since; never waits."""
        with suppress(Exception):  # words are lost without harm
            if self.asked is None:
                self.asked = self.words.take.remote()
            elif self.ray.wait([self.asked], timeout=0)[0]:
                asked, self.asked = self.asked, None
                self._heard(self.ray.get(asked))

    def _heard(self, words: Sequence[tuple[Any, ...]]) -> None:
        """Tell these; whoever says anything has begun."""
        self.beginnings.begun |= bool(words)
        for word in words:
            if len(word) == 2:
                self.nodes[word[0]] = word[1]
            else:
                self.tell(Event(*word))


class Room:
    """What the nodes of a cluster have, asked again every few seconds, for nodes come and go."""

    def __init__(self, ray: Any) -> None:
        self.ray, self.when = ray, -60.0
        self.nodes: list[Mapping[str, float]] = []
        self.dead: dict[str, float] = {}  # since when each of the others is given up

    def most(self) -> int:
        """How many tasks may be in flight."""
        return max(4, AHEAD * round(sum(n.get("CPU", 0) for n in self._nodes())))

    def shape(self, trial: Trial) -> tuple[Shape, str]:
        """What a trial's task asks for, at most all of the largest node's; why it can be placed nowhere, else empty."""
        cpus, gpus, memory = _asks(trial)
        nodes = self._nodes()
        largest = {n: max((node.get(n, 0.0) for node in nodes), default=0.0) for n in ("CPU", "GPU", "memory")}
        if gpus > largest["GPU"]:
            why = f"it needs {gpus:g} accelerator{'s' * (gpus > 1)}, and no node of the cluster has more than {largest['GPU']:g}. Add such a node, or say --device cpu."
            return (cpus, gpus, memory), why
        return (max(1, min(cpus, int(largest["CPU"]))), gpus, min(memory, int(largest["memory"]))), ""

    def gone(self) -> set[str]:
        """The nodes that were given up a moment ago, or earlier."""
        self._nodes()
        return {node for node, since in self.dead.items() if time.monotonic() - since > CUT}

    def _nodes(self) -> list[Mapping[str, float]]:
        if time.monotonic() - self.when > 5:
            self.when = time.monotonic()
            told = self.ray.nodes()
            self.nodes = [n["Resources"] for n in told if n["Alive"]] or self.nodes
            for node in (n["NodeID"] for n in told if not n["Alive"]):
                self.dead.setdefault(node, self.when)
        return self.nodes


def _asks(trial: Trial) -> Shape:
    """Processors, accelerators (whole ones from 1 on) and bytes that a trial needs."""
    gpus = accelerator.needed(trial)
    return threads_of(trial), gpus if gpus < 1 else float(math.ceil(gpus)), int(trial.needs.memory_gb * 2**30)


@contextmanager
def _marked(work: Work, apart: bool) -> Generator[str]:
    """A file in the store, by which a worker sees whether the store is within its reach; empty where none is to be."""
    if apart or not isinstance(work, Measuring):
        yield ""
        return
    store = Store(work.url)
    mark = store.root / "live" / f".ray-{os.getpid()}-{time.time_ns()}"
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    try:
        yield str(mark.absolute())
    finally:
        mark.unlink(missing_ok=True)


def _told(mark: str, far: bool) -> Told:
    """What every worker is told; a cluster elsewhere finds own studies in the folder that Ray brings."""
    env = {k: v for k, v in os.environ.items() if k.startswith(SHARED) or k.endswith(SECRET)}
    if far:
        env.pop("UNSEEN_STUDIES", None)
    elif named := env.get("UNSEEN_STUDIES"):
        env["UNSEEN_STUDIES"] = os.pathsep.join(os.path.abspath(p) for p in named.split(os.pathsep) if p)
    if (home := env.get("UNSEEN_HOME")) and "://" not in home:
        env["UNSEEN_HOME"] = os.path.abspath(os.path.expanduser(home))
    return Told(platform.node(), "" if far else os.getcwd(), env, versions(), {}, mark)


def _unlike(error: Exception) -> str:
    """One paragraph on a task that could not begin, or broke outside of its trial."""
    said = " ".join(str(error).split())
    if "No module named" in said:
        module = said.rsplit("No module named", 1)[1].split()[0].strip("'\".")
        return f"the nodes of the cluster lack {module}: no trial can be measured there. Install unseen, in the version that is here, with its extras on every node."
    return f"the workers of the cluster failed outside of a trial ({said[-300:]})."


def resources(address: str) -> list[dict[str, float]] | None:
    """What each node of a cluster has (Ray's own names); None where `--on ray` would start one. Raises Missing."""
    with suppress(ConnectionError), joined(address, start=False) as ray:
        return [dict(n["Resources"]) for n in ray.nodes() if n["Alive"]]
    return None
