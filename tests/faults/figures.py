"""What did a fault cost? Records lost or had twice, folders that are half-written, steps that were done again.

Cost("kill -9 of the driver", hits=1, lost=0, doubled=0, torn=0, repeated=3)
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from unseen.core.disk import digest_of_file

EVERY = 5  # steps between two checkpoints of kept_rows
TIMES = ("minutes", "finished")
PROPERTY = "what a fault cost"  # by this name costs travel from a test to the table


@dataclass(frozen=True)
class Cost:
    """What one test of a fault came to. `repeated` is the most steps that one interruption made a trial do again."""

    fault: str
    hits: int
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    repeated: int = 0


def trials(home: Path) -> dict[str, Path]:
    """The finished trials' folders by key; every folder under `trials` must be whole."""
    assert not (found := torn(home)), f"{found} are half-written"
    return {p.name: p for p in home.glob("trials/*/*")}


def torn(home: Path) -> list[str]:
    """The folders under `trials` that are not what their manifest says, and what is wrong."""
    found: list[str] = []
    for folder in home.glob("trials/*/*"):
        try:
            kept = json.loads((folder / "trial.json").read_text(encoding="utf-8"))["files"]
            wrong = [name for name, told in kept.items() if digest_of_file(folder / name) != told["sha256"]]
        except (OSError, ValueError) as error:
            wrong = [str(error)]
        found += [f"{folder.name}: {why}" for why in wrong]
    return found


def said(folder: Path) -> dict[str, object]:
    """What a trial.json says, its times left out."""
    told = json.loads((folder / "trial.json").read_text(encoding="utf-8"))
    return {k: v for k, v in told.items() if k not in TIMES}


def same(one: Path, two: Path) -> None:
    """Two stores hold the same trials, byte for byte, times left out."""
    a, b = trials(one), trials(two)
    assert a.keys() == b.keys()
    for key, folder in a.items():
        names = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
        assert names == sorted(p.relative_to(b[key]) for p in b[key].rglob("*") if p.is_file())
        for name in names:
            if name.name != "trial.json":
                assert (folder / name).read_bytes() == (b[key] / name).read_bytes(), f"{key}/{name} differs"
        assert said(folder) == said(b[key])


def weighed(fault: str, home: Path, undisturbed: Path, log: Sequence[str], hits: int = 1, busy: int = 1) -> Cost:
    """The cost of `hits` blows to a store that is finished now, each of which met at most `busy` trials under way.

    Raises AssertionError unless the store is what it would be undisturbed, to the byte, and each blow made the trials
    that it met repeat no more than one interval between two checkpoints.
    """
    before, now = records(undisturbed), records(home)
    again = intervals(log)
    most = max((extra for _, extra in again), default=0)
    cost = Cost(fault, hits, (before - now).total(), (now - before).total(), len(torn(home)), most)
    assert (cost.lost, cost.doubled, cost.torn) == (0, 0, 0), cost
    same(home, undisturbed)
    assert not list(home.glob("partial/*/*")), "work that is published is left unfinished"
    assert sum(times for times, _ in again) <= hits * busy, (cost, again)
    assert most <= EVERY, cost
    return cost


def intervals(log: Iterable[str]) -> list[tuple[int, int]]:
    """Every interval between two checkpoints that a trial did again: (how many times more, steps each time)."""
    counted = Counter(log)
    done: dict[tuple[str, int], list[int]] = {}
    for line, times in counted.items():
        trial, step = line.rsplit(" ", 1)
        done.setdefault((trial, (int(step) - 1) // EVERY), []).append(times)
    again = [(max(times) - 1, sum(times) - len(times)) for times in done.values()]
    return [(times, -(-steps // times)) for times, steps in again if times]


def records(home: Path) -> Counter[tuple[object, ...]]:
    """Every record of a store and how often it stands there."""
    import polars as pl

    counted = Counter[tuple[object, ...]]()
    for folder in home.glob("trials/*/*"):
        frame = pl.read_parquet(folder / "records.parquet")
        counted.update((folder.name, *map(repr, row)) for row in frame.rows())
    return counted


def lines(path: Path) -> list[str]:
    """The steps that were done so far."""
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def summed(costs: Iterable[dict[str, Any]]) -> list[Cost]:
    """One cost for each fault, in the order in which faults come."""
    found: dict[str, Cost] = {}
    for told in costs:
        one = Cost(**told)
        had = found.get(one.fault, Cost(one.fault, 0))
        found[one.fault] = Cost(
            one.fault,
            had.hits + one.hits,
            had.lost + one.lost,
            had.doubled + one.doubled,
            had.torn + one.torn,
            max(had.repeated, one.repeated),
        )
    return list(found.values())


def table(costs: Sequence[Cost]) -> list[str]:
    """The lines of a table in Markdown."""
    head = "| fault | times | records lost | records twice | folders half-written | most steps repeated (of 5 between checkpoints) |"
    rows = [f"| {' | '.join(str(v) for v in asdict(c).values())} |" for c in costs]
    return [head, "|---|---|---|---|---|---|", *rows]
