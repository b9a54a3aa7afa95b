"""One piece of work of `bench.scale`, alone in its process: python -m bench.scaled WORK N  ->  [wall, cpu, memory_mb]"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from unseen import driver, live
from unseen.core import find
from unseen.core.execute import Outcome, Tell, Work, execute
from unseen.core.plan import Trial, plan_hash
from unseen.core.store import Store

SLUG = "empty_trials"
ASKED = driver.Asked(SLUG, "smoke")  # the study's own plan, of as many trials as EMPTY_SETTINGS says


def main() -> None:
    """Do the work once and print what it took."""
    what, n = sys.argv[1], int(sys.argv[2])
    find.study(SLUG)
    work = WORKS[what](n)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, peak_mb()]))


def peak_mb() -> float:
    """The most that this process held in memory so far (MB). Linux only."""
    rows = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM:"))


def fill(n: int) -> Callable[[], object]:
    """Store n finished trials: one measured, the others as it, with values of their own."""

    def work() -> None:
        import hashlib

        import polars as pl

        store, trials = Store(driver.home()), driver.trials_of(ASKED)
        execute(trials[:1], store, driver.pool_of("here"))
        told = store.manifest(trials[0])
        frame = pl.read_parquet(store.folder(trials[0]) / "records.parquet")
        for trial in trials[1:]:
            folder = store.folder(trial)
            folder.mkdir()
            content = _table(frame, trial, pl)
            (folder / "records.parquet").write_bytes(content)
            kept = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            own = {"key": trial.key, "seeds": trial.seeds, "files": {"records.parquet": kept}}
            setting = {**told["setting"], "number": trial.setting.number}
            (folder / "trial.json").write_text(json.dumps({**told, **own, "setting": setting}, indent=1))

    return work


def _table(frame: Any, trial: Trial, pl: Any) -> bytes:
    import io

    held = io.BytesIO()
    own = [
        pl.lit(trial.key).alias("trial"),
        pl.lit(trial.seeds[0], pl.Int64).alias("seed"),
        pl.lit(trial.setting.number, pl.Int64).alias("setting.number"),
    ]
    frame.with_columns(own).write_parquet(held, statistics=False)
    return held.getvalue()


def nothing(n: int) -> Callable[[], object]:
    """`unseen run` of a plan that is measured, up to its judging: planned, noted, every trial told sound."""

    def work() -> None:
        outcomes = driver.measure(ASKED, driver.How("here"))
        assert len(outcomes) == n and all(o.status == "kept" for o in outcomes)

    return work


def listed(n: int) -> Callable[[], object]:
    """Every manifest, one at a time."""

    def work() -> None:
        assert sum(1 for _ in Store(driver.home()).manifests(SLUG)) == n

    return work


def read(n: int) -> Callable[[], object]:
    """The records of all trials."""

    def work() -> None:
        store, trials = Store(driver.home()), driver.trials_of(ASKED)
        assert len(store.records(store.sound(trials)[0])) == n

    return work


def again(n: int) -> Callable[[], object]:
    """`unseen run` of a plan that is measured, with its judging."""

    def work() -> None:
        outcomes, told = driver.carried_out(ASKED, driver.How("here"))
        assert all(o.status == "kept" for o in outcomes) and told is not None and len(told.records) == n
        assert not driver.noted(told) and all(v.status != "untested" for v in told.verdicts), told

    return work


def planned(n: int) -> Callable[[], object]:
    """A plan, with the key of every trial and its own."""
    return lambda: plan_hash(driver.trials_of(ASKED))


class Nowhere(Store):
    """A store that keeps nothing and says nothing, so that only the driver's own work is left."""

    def sound(self, trials: Sequence[Trial], *, anew: bool = False) -> tuple[list[Trial], dict[str, str]]:
        return [], {}

    def lease(self, trial: Trial) -> Any:
        return nullcontext(True)

    def publish(self, trial: Trial, ready: Path) -> None:
        pass


class Done:
    """A pool whose work is done at once."""

    def map(self, work: Work, trials: Iterable[Trial], tell: Tell) -> Iterator[Outcome]:
        for trial in trials:
            yield Outcome(trial, "done")


def scheduled(n: int) -> Callable[[], object]:
    """What the driver does for each trial beside storing it."""
    trials = driver.trials_of(ASKED)
    return lambda: execute(trials, Nowhere(driver.home()), Done())


def labelled(n: int) -> Callable[[], object]:
    """The words by which a terminal tells trials apart."""
    trials = driver.trials_of(ASKED)
    return lambda: live.labels(trials)


def judged(n: int) -> Callable[[], object]:
    """Five claims over n records: 20 settings, 10 splits, 10 steps, as many seeds as it takes."""
    import numpy as np

    from unseen.core.claim import Claim, above, gap, judge_study, level, rank, slope
    from unseen.core.coded import Coded
    from unseen.core.record import Records
    from unseen.core.study import Needs, Paper, Study

    sizes = {"setting.width": 10, "setting.kind": 2, "split": 10, "step": 10, "seed": max(5, n // 2000)}
    total = int(np.prod(list(sizes.values())))
    codes = dict(zip(sizes, np.unravel_index(np.arange(total), tuple(sizes.values())), strict=True))

    def column(name: str, levels: Sequence[Any]) -> Coded:
        return Coded(codes[name].astype(np.int32), tuple(levels))

    def all_(value: Any) -> Coded:
        return Coded.all(value, total)

    shifted = Coded((codes["split"] > 4).astype(np.int32), (False, True))
    columns = {
        "measure": all_("exact"), "split": column("split", [f"s{i}" for i in range(10)]), "axis": all_("length"),
        "shifted": shifted, "step": column("step", [10 * (i + 1) for i in range(10)]),
        "seed": column("seed", range(sizes["seed"])), "drawn": all_(""), "evidence": all_("twin"), "trial": all_("x"),
        "setting": all_("Setting"), "setting.width": column("setting.width", [8 * (i + 1) for i in range(10)]),
        "setting.kind": column("setting.kind", ["a", "b"]), "at.digits": column("split", range(10)),
    }  # fmt: skip
    value = np.random.default_rng(0).binomial(100, 0.5, total) / 100
    records = Records(columns, value, np.full(total, 100)).sorted()
    words: dict[str, Any] = {"reported": "none", "source": "recalled", "tiers": ("smoke",)}
    a, b = {"kind": "a"}, {"kind": "b"}
    both = ("width", "kind")
    effects = [
        (level("exact", shifted=True), both), (gap("exact", a, b, shifted=True), ("width",)),
        (gap("exact", {"shifted": True}, {"shifted": False}), both), (slope("exact", "width", shifted=True), ("kind",)),
        (rank("exact", "digits"), both),
    ]  # fmt: skip
    claims = tuple(
        Claim(f"C{i}", "It holds.", effect=e, expect=above(0.01), over=o, **words) for i, (e, o) in enumerate(effects)
    )
    study = Study(paper=Paper("Empty Trials", None, 2026), axes=("length",), settings=lambda tier: [], seeds={"smoke": 2, "laptop": 2, "paper": 2},
        needs=lambda s: Needs(minutes=1), evidence=lambda s: "twin", claims=claims)  # fmt: skip

    def work() -> None:
        found = judge_study(study, records, "smoke", swept=[])
        assert all(v.status != "untested" for v in found), [str(v) for v in found]

    return work


WORKS: dict[str, Callable[[int], Callable[[], object]]] = {
    "fill": fill,
    "plan and nothing to do, at first": nothing,
    "plan and nothing to do, again": nothing,
    "list manifests, at first": listed,
    "list manifests, again": listed,
    "read records, at first": read,
    "read records, again": read,
    "run again, judged": again,
    "plan": planned,
    "schedule": scheduled,
    "label": labelled,
    "judge records": judged,
}


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
