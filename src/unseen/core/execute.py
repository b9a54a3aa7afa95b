"""How is a plan carried out? Each trial once, wherever there is room; a failure stops only its own trial.

execute(trials, store, procs(2))  ->  [Outcome(trial, "done", "", 3.2), Outcome(trial, "kept", "", 0.0), …]
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from .errors import UnseenError
from .plan import Trial
from .record import Value
from .store import Store
from .threads import threads
from .work import measure, threads_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a trial: measured now, kept from before, or failed with a message."""

    trial: Trial
    status: Literal["done", "kept", "failed"]
    error: str = ""
    minutes: float = 0.0
    code: int = 0  # of a failure: 2 where its user can mend it, else 1


@dataclass(frozen=True, slots=True)
class Event:
    """How far a trial is, with what it shows."""

    key: str
    done: float
    of: float
    shown: Mapping[str, Value] = field(default_factory=dict[str, Value])
    when: float = 0.0


Tell = Callable[[Event], None]
Work = Callable[[Trial, Tell], Outcome]  # picklable: what a pool does with a trial, wherever it does it


class Pool(Protocol):
    """The whole interface to the world: do the work on every trial somewhere, yield outcomes as they come.

    Trials are taken one by one, as there is room; what the work raises on purpose is an outcome already.
    """

    def map(self, work: Work, trials: Iterable[Trial], tell: Tell) -> Iterator[Outcome]: ...


def execute(
    trials: Sequence[Trial],
    store: Store,
    pool: Pool,
    *,
    tell: Tell | None = None,
    kept: Sequence[Trial] | None = None,
) -> list[Outcome]:
    """The outcome of every trial, in the order given. Finished trials are kept; several drivers may share one store.

    `kept` are those of which `store.sound` said so a moment ago, where the caller asked already. Only this process
    publishes. Raises Mistake or Failed where the store itself cannot be written to any more.
    """
    if kept is None:
        kept = store.sound(trials)[0]
    found = {t.key: Outcome(t, "kept") for t in kept}
    every = {t.key: t for t in trials if t.key not in found}
    left = list(every.values())

    def told(event: Event) -> None:
        if not event.shown.get("ended"):  # what is published in a moment needs no word for others
            store.live(every[event.key], {**asdict(event), "shown": dict(event.shown)})
        if tell is not None:
            tell(event)

    while left:
        held: dict[str, ExitStack] = {}
        try:
            with closing(_closable(pool.map(Measuring(store.url), _leased(left, store, held, found), told))) as ended:
                for outcome in ended:
                    found[outcome.trial.key] = _published(outcome, store)
                    held.pop(outcome.trial.key).close()
        finally:
            for stack in held.values():
                stack.close()
        left = [t for t in left if t.key not in found]
        if left:
            time.sleep(0.2)  # another driver works on these
    return [found[t.key] for t in trials]


def _closable(outcomes: Iterator[Outcome]) -> Generator[Outcome]:
    """A generator around a pool's iterator, whose closing ends the pool's work at once."""
    yield from outcomes


def _leased(
    left: Sequence[Trial], store: Store, held: dict[str, ExitStack], found: dict[str, Outcome]
) -> Iterator[Trial]:
    """The trials that are not finished and that no other driver works on, leased one by one as there is room."""
    for trial in left:
        with ExitStack() as stack:
            if stack.enter_context(store.lease(trial)) and not _kept(trial, store, found):
                held[trial.key] = stack.pop_all()
                yield trial


def _kept(trial: Trial, store: Store, found: dict[str, Outcome]) -> bool:
    """Whether the trial is finished and every byte of it is what was written."""
    if not store.sound([trial])[0]:
        return False
    found[trial.key] = Outcome(trial, "kept")
    return True


def _published(outcome: Outcome, store: Store) -> Outcome:
    """The outcome once its trial is published. Raises where nothing can be written any more."""
    if outcome.status == "done":
        try:
            store.publish(outcome.trial, store.partial(outcome.trial) / "ready")
        except UnseenError as failure:
            outcome = replace(outcome, status="failed", error=str(failure), code=failure.code)
    if outcome.status == "failed":
        store.check()
        store.failed(outcome.trial, outcome.error)
    return outcome


@dataclass(frozen=True)
class Measuring:
    """The work: measure a trial into a store's partial folders; failures are outcomes of one paragraph."""

    url: str

    def __call__(self, trial: Trial, tell: Tell) -> Outcome:
        began = time.monotonic()
        with threads(threads_of(trial)):
            error, code = self._error(trial, tell)
        return Outcome(trial, "failed" if code else "done", error, (time.monotonic() - began) / 60, code)

    def _error(self, trial: Trial, tell: Tell) -> tuple[str, int]:
        """Measure; the error as one paragraph with its code, ("", 0) where there was none."""

        def told(done: float, of: float, shown: Mapping[str, Value]) -> None:
            tell(Event(trial.key, done, of, dict(shown), time.time()))

        store = Store(self.url)
        try:
            store.stage(trial, measure(trial, store, told))
            tell(Event(trial.key, 1.0, 1.0, {"ended": True}, time.time()))
            return "", 0
        except UnseenError as error:
            return str(error), error.code
        except MemoryError as error:
            why = f"out of memory ({error or 'the system refused more'}); lower a size of {type(trial.setting).__name__} with --set, or use fewer processes."
            return why, 1
        except Exception as error:
            return _with_traceback(trial, store.root / "failed" / f"{trial.key}.txt", error), 1


def _with_traceback(trial: Trial, path: Path, error: Exception) -> str:
    """An error that no one foresaw as one paragraph; its traceback goes into a file."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said} ({Path(last.filename).name}, line {last.lineno}; all of it in {path})."


@dataclass(frozen=True)
class _Here:
    def map(self, work: Work, trials: Iterable[Trial], tell: Tell) -> Iterator[Outcome]:
        for trial in trials:
            yield work(trial, tell)


def here() -> Pool:
    """Work in this process, one trial after another."""
    return _Here()


def procs(n: int) -> Pool:
    """Work in n spawned processes; a worker that dies is replaced and its trial tried once more."""
    from .pools.workers import Procs

    return Procs(n)


def ray(address: str = "") -> Pool:
    """Work on a Ray cluster: the one at the address, else one on this machine, which is started if there is none."""
    from .pools.on_ray import Ray

    return Ray(address)


def slurm(words: str = "") -> Pool:
    """Work in tasks that Slurm starts; `words` as in `partition=gpu,time=240`. Raises Invalid for words it does not know."""
    from .pools.on_slurm import Slurm, parsed

    return Slurm(parsed(words))
