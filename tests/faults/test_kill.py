"""A run that is killed and started again measures what it would have measured, and nothing twice."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unseen.core.lab import digest_of_file

Start = Callable[..., Any]  # words -> how the command ended (code, said, seconds)
EVERY = 5  # steps between two checkpoints of kept_rows
TIMES = ("minutes", "finished")
RUN = ("run", "kept_rows", "--tier", "laptop", "--json")


def trials(home: Path) -> dict[str, Path]:
    """The finished trials' folders by key; every folder under `trials` must be whole."""
    found: dict[str, Path] = {}
    for folder in home.glob("trials/*/*"):
        told = json.loads((folder / "trial.json").read_text(encoding="utf-8"))
        for name, kept in told["files"].items():
            assert digest_of_file(folder / name) == kept["sha256"], f"{folder / name} is half-written"
        found[folder.name] = folder
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


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


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
def uninterrupted(kennel: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A store that one run filled, and how long that took (seconds)."""
    home = tmp_path_factory.mktemp("uninterrupted")
    ended = kennel(home, *RUN)
    assert ended.code == 0, ended.said
    assert len(trials(home)) == 6
    return home, ended.seconds


@pytest.mark.parametrize("seed", range(20))
def test_a_killed_run_goes_on_exactly(
    seed: int, kennel: Start, uninterrupted: tuple[Path, float], tmp_path: Path
) -> None:
    whole, seconds = uninterrupted
    home, log = tmp_path / "home", tmp_path / "log.txt"
    killed = kennel(home, *RUN, kill=random.Random(seed).uniform(0.02, seconds), KEPT_ROWS_LOG=str(log))
    finished, kept, before = trials(home), journals(home), lines(log)
    again = kennel(home, *RUN, KEPT_ROWS_LOG=str(log))
    assert (killed.code in (-9, 0), again.code) == (True, 0), again.said
    same(home, whole)
    for key, rows in kept.items():  # what was yielded before the kill is in the records as it was
        told = [json.loads(r) for r in rows if '"sum"' in r]
        had = Counter((r["split"]["name"], r["step"], r["seed"], r["value"]) for r in told)
        assert had <= rows_of(home / "trials" / "kept_rows" / key)
    after = lines(log)[len(before) :]
    assert not set(after) & _of_finished(before, len(finished)), "finished work was done again"
    repeated = set(before) & set(after)
    assert len(repeated) <= EVERY, "steps before the last checkpoint were done again"


def _of_finished(before: list[str], finished: int) -> set[str]:
    """The lines of the trials that were published before the kill: trials run one after another."""
    order = list(dict.fromkeys(line.rsplit(" ", 1)[0] for line in before))
    return {line for line in before if line.rsplit(" ", 1)[0] in order[:finished]}


@pytest.mark.parametrize("seed", range(20, 24))
def test_killed_with_its_workers_it_goes_on_exactly(
    seed: int, kennel: Start, uninterrupted: tuple[Path, float], tmp_path: Path
) -> None:
    whole, seconds = uninterrupted
    home = tmp_path / "home"
    kennel(home, *RUN, "--on", "procs:2", kill=random.Random(seed).uniform(0.3, seconds + 0.5))
    trials(home)
    again = kennel(home, *RUN, "--on", "procs:2")
    assert again.code == 0, again.said
    same(home, whole)


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
