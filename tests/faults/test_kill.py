"""A run that is killed and started again measures what it would have measured, and nothing twice."""

from __future__ import annotations

import json
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import lines, same, torn, trials, weighed

Start = Callable[..., Any]  # words -> how the command ended (code, said, seconds)
Note = Callable[[Any], None]
RUN = ("run", "kept_rows", "--tier", "laptop", "--json")
SLOW = pytest.mark.slow


def seeds(first: int, quick: int, n: int) -> list[Any]:
    """Seeds of so many kills, of which the first few are quick enough for every day."""
    return [pytest.param(seed, marks=() if seed < first + quick else SLOW) for seed in range(first, first + n)]


def journals(home: Path) -> dict[str, list[str]]:
    """The whole rows in the journals of unfinished trials."""
    return {
        path.parent.name: [x.decode() for x in path.read_bytes().split(b"\n")[1:-1]]
        for path in home.glob("partial/*/*/rows.jsonl")
    }


def rows_of(folder: Path) -> Counter[tuple[object, ...]]:
    import polars as pl

    frame = pl.read_parquet(folder / "records.parquet").filter(pl.col("measure") == "sum")
    return Counter(frame.select("split", "step", "seed", "value").rows())


@pytest.fixture(scope="module")
def uninterrupted(undisturbed: Callable[..., tuple[Path, float]]) -> tuple[Path, float]:
    """A store that one run filled, and how long that took (seconds)."""
    home, seconds = undisturbed(*RUN)
    assert len(trials(home)) == 6
    return home, seconds


@pytest.fixture(scope="module")
def crewed(undisturbed: Callable[..., tuple[Path, float]]) -> float:
    """How long an undisturbed run with two workers takes (seconds), most of it their start."""
    return undisturbed(*RUN, "--on", "procs:2")[1]


@pytest.mark.parametrize("seed", seeds(0, 3, 20))
def test_a_killed_run_goes_on_exactly(
    seed: int, kennel: Start, uninterrupted: tuple[Path, float], cost: Note, tmp_path: Path
) -> None:
    whole, seconds = uninterrupted
    home, log = tmp_path / "home", tmp_path / "log.txt"
    killed = kennel(home, *RUN, kill=random.Random(seed).uniform(0.02, seconds), KEPT_ROWS_LOG=str(log))
    finished, kept, before = trials(home), journals(home), lines(log)
    again = kennel(home, *RUN, KEPT_ROWS_LOG=str(log))
    assert (killed.code in (-9, 0), again.code) == (True, 0), again.said
    for key, rows in kept.items():  # what was yielded before the kill is in the records as it was
        told = [json.loads(r) for r in rows if '"sum"' in r]
        had = Counter((r["split"]["name"], r["step"], r["seed"], r["value"]) for r in told)
        assert had <= rows_of(home / "trials" / "kept_rows" / key)
    after = lines(log)[len(before) :]
    assert not set(after) & _of_finished(before, len(finished)), "finished work was done again"
    cost(weighed("kill -9 of the driver", home, whole, before + after))


def _of_finished(before: list[str], finished: int) -> set[str]:
    """The lines of the trials that were published before the kill: trials run one after another."""
    order = list(dict.fromkeys(line.rsplit(" ", 1)[0] for line in before))
    return {line for line in before if line.rsplit(" ", 1)[0] in order[:finished]}


@pytest.mark.parametrize("seed", seeds(20, 1, 10))
def test_killed_with_its_workers_it_goes_on_exactly(
    seed: int, kennel: Start, uninterrupted: tuple[Path, float], crewed: float, cost: Note, tmp_path: Path
) -> None:
    whole, _ = uninterrupted
    home, log = tmp_path / "home", tmp_path / "log.txt"
    words = (*RUN, "--on", "procs:2")
    kennel(home, *words, kill=random.Random(seed).uniform(0.5, 1.0) * crewed, KEPT_ROWS_LOG=str(log))
    assert not torn(home)
    again = kennel(home, *words, KEPT_ROWS_LOG=str(log))
    assert again.code == 0, again.said
    cost(weighed("kill -9 of the driver of two workers", home, whole, lines(log), busy=2))


@pytest.mark.parametrize("seed", seeds(30, 0, 4))
def test_killed_workers_are_replaced(
    seed: int, kennel: Start, uninterrupted: tuple[Path, float], cost: Note, tmp_path: Path
) -> None:
    """Four workers are killed one after another; a trial that met two of them is left out, and measured by the next run."""
    whole, seconds = uninterrupted
    home, log = tmp_path / "home", tmp_path / "log.txt"
    words, draw = (*RUN, "--on", "procs:2"), random.Random(seed)
    blows = [(draw.uniform(0.2, 2 * seconds), 0, "worker", int(signal.SIGKILL)) for _ in range(4)]
    ended = kennel(home, *words, blows=blows, KEPT_ROWS_LOG=str(log))
    assert ended.code in (0, 1) and not torn(home), ended.said
    again = kennel(home, *words, KEPT_ROWS_LOG=str(log))
    assert again.code == 0, again.said
    cost(weighed("kill -9 of a worker", home, whole, lines(log), hits=len(blows)))


@pytest.mark.parametrize("seed", seeds(40, 1, 6))
def test_two_drivers_of_one_plan_are_both_killed(
    seed: int, kennel: Start, uninterrupted: tuple[Path, float], cost: Note, tmp_path: Path
) -> None:
    """Each is killed at a moment of its own; then both are started again, and share what is left."""
    whole, seconds = uninterrupted
    home, log = tmp_path / "home", tmp_path / "log.txt"
    draw = random.Random(seed)
    blows = [(draw.uniform(0.1, seconds), n, "driver", int(signal.SIGKILL)) for n in (0, 1)]
    kennel(home, *RUN, drivers=2, blows=blows, KEPT_ROWS_LOG=str(log))
    assert not torn(home)
    again = kennel(home, *RUN, drivers=2, KEPT_ROWS_LOG=str(log))
    assert [one.code for one in again] == [0, 0], again
    cost(weighed("kill -9 of both of two drivers", home, whole, lines(log), hits=2))


@pytest.mark.parametrize("on", ["here", pytest.param("procs:2", marks=SLOW)])
@pytest.mark.parametrize("seed", seeds(50, 1, 3))
def test_sigterm_keeps_what_is_done_and_says_how_to_go_on(
    on: str, seed: int, kennel: Start, uninterrupted: tuple[Path, float], cost: Note, tmp_path: Path
) -> None:
    whole, seconds = uninterrupted
    home, log = tmp_path / "home", tmp_path / "log.txt"
    after = random.Random(seed).uniform(0.2, seconds)
    words = (*RUN, "--on", on)
    ended = kennel(home, *words, blows=[(after, 0, "driver", int(signal.SIGTERM))], KEPT_ROWS_LOG=str(log))
    assert ended.code in (143, -15, 0) and "Traceback" not in ended.said and not torn(home), ended
    if ended.code == 143:
        assert "Go on with: unseen run kept_rows --tier laptop" in ended.said
        assert not list(home.glob("leases/*.lease")), "what is given up is given back"
    assert kennel(home, *words, KEPT_ROWS_LOG=str(log)).code == 0
    cost(weighed("SIGTERM of the driver", home, whole, lines(log), busy=2 if on != "here" else 1))


def test_here_and_procs_measure_the_same(kennel: Start, uninterrupted: tuple[Path, float], tmp_path: Path) -> None:
    ended = kennel(tmp_path / "home", *RUN, "--on", "procs:2")
    assert ended.code == 0, ended.said
    same(tmp_path / "home", uninterrupted[0])


def test_a_second_run_measures_nothing(kennel: Start, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    for _ in range(2):
        assert kennel(tmp_path / "home", *RUN, KEPT_ROWS_LOG=str(log)).code == 0
    assert set(Counter(lines(log)).values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_killed_training_goes_on_exactly(seed: int, kennel: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The real trainer: weights, optimizer and rows are equal to the bit, weights on disk too."""
    words = ("run", "kept_training", "--tier", "smoke", "--json")
    whole, home = (tmp_path_factory.mktemp(name) for name in ("whole", "killed"))
    ended = kennel(whole, *words)
    assert ended.code == 0, ended.said
    kennel(home, *words, kill=random.Random(seed).uniform(0.3, 1.0) * ended.seconds)
    assert kennel(home, *words).code == 0
    same(home, whole)
