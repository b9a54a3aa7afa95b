"""How is a plan carried out? Each trial once, wherever there is room; a failure stops only its own trial.

execute(trials, store, procs(2))  ->  [Outcome(trial, "done", "", 3.2), Outcome(trial, "kept", "", 0.0), …]
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from .errors import UnseenError
from .plan import Trial
from .record import Value
from .store import Store
from .work import measure, threads_of

THREAD_WORDS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a trial: measured now, kept from before, or failed with a message."""

    trial: Trial
    status: Literal["done", "kept", "failed"]
    error: str = ""
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """How far a trial is, with what it shows."""

    key: str
    done: float
    of: float
    shown: Mapping[str, Value] = field(default_factory=dict[str, Value])
    when: float = 0.0


Tell = Callable[[Event], None]


class Pool(Protocol):
    """The whole interface to the world: measure trials of a store somewhere, yield (trial, error) as they end."""

    def map(self, trials: Iterable[Trial], store: Store, tell: Tell) -> Iterator[tuple[Trial, str]]: ...


def execute(trials: Sequence[Trial], store: Store, pool: Pool, *, tell: Tell | None = None) -> list[Outcome]:
    """The outcome of every trial, in the order given. Finished trials are kept; several drivers may share one store.

    Only this process publishes. Raises Mistake or Failed where the store itself cannot be used.
    """
    found: dict[str, Outcome] = {}
    left = list({t.key: t for t in trials}.values())

    def told(event: Event) -> None:
        store.live({**asdict(event), "shown": dict(event.shown)})
        if tell is not None:
            tell(event)

    while left:
        with contextlib.ExitStack() as leases:
            began: dict[str, float] = {}
            for trial, error in pool.map(_leased(left, store, leases, found, began), store, told):
                found[trial.key] = _ended(trial, error, store, (time.monotonic() - began[trial.key]) / 60)
        left = [t for t in left if t.key not in found]
        if left:
            time.sleep(0.2)
    return [found[t.key] for t in trials]


def _leased(
    left: Sequence[Trial],
    store: Store,
    leases: contextlib.ExitStack,
    found: dict[str, Outcome],
    began: dict[str, float],
) -> Iterator[Trial]:
    """The trials that are not finished and that no other driver works on, leased one by one as there is room."""
    for trial in left:
        if store.has(trial):
            found[trial.key] = Outcome(trial, "kept")
            continue
        if not leases.enter_context(store.lease(trial)):
            continue
        if store.has(trial):
            found[trial.key] = Outcome(trial, "kept")
            continue
        began[trial.key] = time.monotonic()
        yield trial


def _ended(trial: Trial, error: str, store: Store, minutes: float) -> Outcome:
    if error:
        return Outcome(trial, "failed", error, minutes)
    try:
        store.publish(trial, store.partial(trial) / "ready")
    except UnseenError as failure:
        return Outcome(trial, "failed", str(failure), minutes)
    return Outcome(trial, "done", "", minutes)


@dataclass(frozen=True)
class _Here:
    def map(self, trials: Iterable[Trial], store: Store, tell: Tell) -> Iterator[tuple[Trial, str]]:
        for trial in trials:
            yield trial, _measured(trial, store, tell)


def here() -> Pool:
    """Work in this process, one trial after another."""
    return _Here()


@dataclass(frozen=True)
class _Procs:
    n: int

    def map(self, trials: Iterable[Trial], store: Store, tell: Tell) -> Iterator[tuple[Trial, str]]:
        todo, again = iter(trials), dict[str, int]()
        workers = [_Worker(store.root) for _ in range(self.n)]
        try:
            idle = list(workers)
            while True:
                while idle and (trial := next(todo, None)) is not None:
                    idle.pop().give(trial)
                busy = [w for w in workers if w.trial is not None]
                if not busy:
                    return
                for worker in _ready(busy):
                    trial = cast(Trial, worker.trial)
                    said = worker.take(tell)
                    if said is None:
                        continue
                    if said == _DIED and not again.get(trial.key):
                        again[trial.key] = 1
                        worker.restart(store.root)
                        worker.give(trial)
                        continue
                    if said == _DIED:
                        worker.restart(store.root)
                        said = "its worker died twice (killed, or out of memory); the trial was left out. Lower its sizes or use fewer processes."
                    worker.trial = None
                    idle.append(worker)
                    yield trial, said
        finally:
            for worker in workers:
                worker.stop()


def procs(n: int) -> Pool:
    """Work in n spawned processes; a worker that dies is replaced and its trial tried once more."""
    return _Procs(n)


_DIED = "\0died"


class _Worker:
    """One spawned process and the trial it has in hand."""

    def __init__(self, root: Path) -> None:
        self.trial: Trial | None = None
        self.restart(root)

    def restart(self, root: Path) -> None:
        """A fresh process in this worker's place."""
        if getattr(self, "process", None) is not None:
            self.stop()
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        with _one_thread():
            self.process = context.Process(target=_serve, args=(theirs, root, os.getpid()), daemon=True)
            self.process.start()
        theirs.close()

    def give(self, trial: Trial) -> None:
        """Hand it a trial: only plain words travel, so that studies outside the package work too."""
        self.trial = trial
        with contextlib.suppress(OSError):
            self.pipe.send(_packed(trial))

    def take(self, tell: Tell) -> str | None:
        """What it says: an error text ("" for none) when its trial ended, None for progress."""
        try:
            kind, told = self.pipe.recv()
        except (EOFError, OSError):
            return _DIED
        if kind == "event":
            tell(told)
            return None
        return str(told)

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _ready(busy: Sequence[_Worker]) -> list[_Worker]:
    by_pipe = {w.pipe: w for w in busy}
    return [by_pipe[cast(Connection, c)] for c in wait(list(by_pipe))]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Numeric libraries read these words when they load: a worker starts with one thread and is told more per trial."""
    before = {name: os.environ.get(name) for name in THREAD_WORDS}
    os.environ.update(dict.fromkeys(THREAD_WORDS, "1"), OMP_WAIT_POLICY=os.environ.get("OMP_WAIT_POLICY", "PASSIVE"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})


def _packed(trial: Trial) -> dict[str, Any]:
    from .study import values_of

    return {
        "study": trial.study,
        "version": trial.version,
        "class": type(trial.setting).__name__,
        "values": values_of(trial.setting),
        "seeds": trial.seeds,
        "pins": dict(trial.pins),
    }


def _unpacked(told: Mapping[str, Any]) -> Trial:
    from . import find

    study = find.study(told["study"])
    setting = getattr(find.module(told["study"], "study"), told["class"])(**told["values"])
    return Trial(told["study"], told["version"], setting, told["seeds"], study.needs(setting), told["pins"])


def _serve(pipe: Connection, root: Path, parent: int) -> None:
    """A worker's life: measure what comes through the pipe until it closes; die with the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent)
    sys.path.insert(0, os.getcwd())
    store = Store(root)
    while True:
        try:
            told = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            error = _measured(_unpacked(told), store, lambda event: pipe.send(("event", event)))
        except UnseenError as failure:
            error = str(failure)
        pipe.send(("ended", error))


def _die_with(parent: int) -> None:
    """Ask the system to kill this process when its parent dies (Linux); elsewhere a closed pipe ends it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _measured(trial: Trial, store: Store, tell: Tell) -> str:
    """Measure a trial here; the error as one paragraph, "" if there was none."""
    _use_threads(threads_of(trial))

    def told(done: float, of: float, shown: Mapping[str, Value]) -> None:
        tell(Event(trial.key, done, of, dict(shown), time.time()))

    try:
        measure(trial, store, told)
        tell(Event(trial.key, 1.0, 1.0, {"ended": True}, time.time()))
        return ""
    except UnseenError as error:
        return str(error)
    except MemoryError as error:
        return f"out of memory ({error or 'the system refused more'}); lower a size of {type(trial.setting).__name__} with --set, or use fewer processes."
    except Exception as error:
        return _kept_traceback(trial, store, error)


def _kept_traceback(trial: Trial, store: Store, error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    path = store.root / "failed" / f"{trial.key}.txt"
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno}; all of it in {path})."


def _use_threads(n: int) -> None:
    """Use n threads, in libraries that are loaded and those that will be."""
    os.environ.update(dict.fromkeys(THREAD_WORDS, str(n)))
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(n)
