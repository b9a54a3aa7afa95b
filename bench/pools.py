"""What does a pool cost beside the work? Trials that do nothing: in processes from plan to published folder, and on Ray
beside bare tasks of Ray, as many in flight.

Nearly all of it is spent in other processes, so that both columns of time are seconds on the wall.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unseen.core.execute import Outcome, Tell, execute, procs
from unseen.core.plan import Trial
from unseen.core.store import Store
from unseen.driver import ask, trials_of

from .timing import Result, Spent, take_turns

PUBLISHED, TASKS = 4_000, 10_000  # the first so many that starting workers is a small part
MOST_MS, LEAST_SHARE = 5.0, 1 / 1.3
STUDIES = Path(__file__).parent / "studies"


@dataclass(frozen=True)
class Nothing:
    """Work that is done as soon as it begins."""

    def __call__(self, trial: Trial, tell: Tell) -> Outcome:
        return Outcome(trial, "done")


def compare(rounds: int) -> Iterator[Result]:
    """One result for processes and two for Ray. Some minutes."""
    os.environ["UNSEEN_STUDIES"] = str(STUDIES)
    os.environ["UNSEEN_HOME"] = tempfile.mkdtemp(prefix="unseen-bench-")
    try:
        yield _processes(rounds)
        yield from _ray(rounds)
    finally:
        shutil.rmtree(os.environ["UNSEEN_HOME"], ignore_errors=True)


def some(n: int) -> list[Trial]:
    """So many trials that differ in their number alone."""
    (one,) = trials_of(ask("nothing", "smoke"))
    return [Trial(one.study, one.version, type(one.setting)(i), one.seeds, one.needs) for i in range(n)]


def on_wall(work: Callable[[], object]) -> Spent:
    """Seconds on the wall, told as both."""
    began = time.perf_counter()
    work()
    return Spent(time.perf_counter() - began, time.perf_counter() - began)


def _processes(rounds: int) -> Result:
    """Trials measured and published by two processes, beside the same folders written one file after another."""
    trials = some(PUBLISHED)

    def ours() -> Spent:
        home = Path(tempfile.mkdtemp(dir=os.environ["UNSEEN_HOME"]))
        return on_wall(lambda: execute(trials, Store(home), procs(2)))

    def theirs() -> Spent:
        home = Path(tempfile.mkdtemp(dir=os.environ["UNSEEN_HOME"]))
        return on_wall(lambda: [_synced(home / t.key) for t in trials])

    found = take_turns(ours, theirs, rounds)
    return Result(
        "pools", f"{PUBLISHED} empty trials, procs:2", "two durable files each, one after another", 0.0, 0.0, found,
        0.0, PUBLISHED, "trials", {}, {}, least=1000 / MOST_MS,
    )  # fmt: skip


def _synced(folder: Path) -> None:
    folder.mkdir()
    for name in ("records.parquet", "trial.json"):
        with (folder / name).open("wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())


def _ray(rounds: int) -> Iterator[Result]:
    """Trials handed to Ray by the pool, and trials measured and published through it, beside bare tasks of Ray."""
    import ray

    from unseen.core.pools.on_ray import Ray

    def published() -> None:
        home = Path(tempfile.mkdtemp(dir=os.environ["UNSEEN_HOME"]))
        execute(trials[:PUBLISHED], Store(home), Ray())

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=80 << 20, logging_level="ERROR")
    trials = some(TASKS)
    cases = (
        ("empty trials, Ray", TASKS, LEAST_SHARE, lambda: list(Ray().map(Nothing(), trials, lambda event: None))),
        ("published trials, Ray", PUBLISHED, 0.0, published),  # a task of Ray's writes nothing: told, not asked for
    )
    try:
        for words, n, least, work in cases:
            ours = lambda work=work: on_wall(work)  # noqa: E731
            theirs = lambda n=n: on_wall(lambda: bare(ray, n))  # noqa: E731
            ours(), theirs()
            found = take_turns(ours, theirs, rounds)
            yield Result(
                "pools", f"{n} {words}", "ray.remote, 64 in flight", 0.0, 0.0, found, least, n, "trials", {}, {}
            )
    finally:
        ray.shutdown()


def bare(ray: Any, n: int) -> int:
    """So many tasks that return what they are given, 64 in flight; how many ended."""
    task = ray.remote(max_retries=0)(lambda i: i)
    flight, done, given = list[Any](), 0, 0
    while done < n:
        while given < n and len(flight) < 64:
            flight.append(task.remote(given))
            given += 1
        ready, flight = ray.wait(flight, num_returns=1)
        more, flight = ray.wait(flight, num_returns=len(flight), timeout=0) if flight else ([], [])
        done += len(ray.get([*ready, *more]))
    return done
