"""Many small trials: read at once as they are read one by one, handed out ahead, and none lost where a worker dies."""

from __future__ import annotations

import io
import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.unit.many_tables import KEYS, tables, told
from unseen.core import coded
from unseen.core.coded import Coded, of_series, series
from unseen.core.execute import Outcome, Tell, procs
from unseen.core.manifest import Manifests
from unseen.core.plan import Trial
from unseen.core.record import Records
from unseen.core.study import Needs
from unseen.core.tables import Unreadable, admitted, gathered
from unseen.studies.length_generalization.study import STUDY


@pytest.mark.parametrize("lacks", [(), (KEYS[11],)])
def test_read_at_once_they_are_what_they_are_one_by_one(tmp_path: Path, lacks: tuple[str, ...]) -> None:
    folders = {k: f for k, f in tables(tmp_path).items() if k not in lacks}
    frames = [admitted(pl.read_parquet(f / "records.parquet"), k) for k, f in folders.items()]
    forms = [[f for f in frames if f.schema == s] for s in dict.fromkeys(map(repr, (f.schema for f in frames))) for s in [next(f.schema for f in frames if repr(f.schema) == s)]]  # fmt: skip
    slow = Records.concat([Records.of_frames(pl.concat(alike)) for alike in forms])
    assert told(gathered(folders, "records.parquet")) == told(slow) and len(slow) == 2 * len(folders)


@pytest.mark.parametrize("content", [b"PAR1", None, "another"])
def test_the_one_that_is_wrong_among_many_is_named(tmp_path: Path, content: bytes | str | None) -> None:
    folders = tables(tmp_path)
    bad = folders[KEYS[7]] / "records.parquet"
    if content is None:
        bad.unlink()
    else:
        bad.write_bytes(
            (folders[KEYS[8]] / "records.parquet").read_bytes() if isinstance(content, str) else bytes(content)
        )
    with pytest.raises(Unreadable) as caught:
        gathered(folders, "records.parquet")
    assert caught.value.key == KEYS[7]


@pytest.mark.parametrize("levels", [(1, 2, 3), (0.5, 1.5, float("inf")), (False, True), (None, "a", "b"), (None, 1, "x"), (None,)])  # fmt: skip
def test_few_values_are_written_as_many_are(levels: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    column = Coded(np.arange(30, dtype=np.int32) % len(levels), levels)

    def content() -> bytes:
        held = io.BytesIO()
        pl.DataFrame({"x": series(column)}).write_parquet(held, statistics=False)
        return held.getvalue()

    few = content()
    monkeypatch.setattr(coded, "FEW", 0)
    assert content() == few


@pytest.mark.parametrize(
    "values", [["b", "a", "ä", "", "a" * 99], [3, -1, 2**62], ["a", None], ["a", "\x1f1"], [0.5, -1.5], [True, False]]
)  # fmt: skip
def test_many_values_are_read_as_few_are(values: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    told = pl.Series(values * 7)
    few = of_series(told)
    monkeypatch.setattr(coded, "FEW", 0)
    many = of_series(told)
    assert [repr(v) for v in many.levels] == [repr(v) for v in few.levels]
    assert many.codes.tolist() == few.codes.tolist() and many.codes.dtype == few.codes.dtype


def trials(n: int) -> list[Trial]:
    """So many trials that differ in their seed alone."""
    setting = STUDY.settings("smoke")[0]
    return [Trial("length_generalization", STUDY.version, setting, (i,), Needs(minutes=0.01)) for i in range(n)]


@dataclass(frozen=True)
class Dying:
    """Work that notes every trial, and dies the first time that it meets seed 20, and whenever it meets seed 30."""

    folder: str

    def __call__(self, trial: Trial, tell: Tell) -> Outcome:
        (seed,) = trial.seeds
        with (Path(self.folder) / str(seed)).open("a") as file:
            file.write(".")
        if seed == 30 or (seed == 20 and (Path(self.folder) / "20").read_text() == "."):
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(trial, "done")


def test_trials_in_hand_of_a_worker_that_dies_are_given_to_another(tmp_path: Path) -> None:
    """Each is done once, but for those that were at work when it died; one that kills twice is left out alone."""
    asked = trials(60)
    found = list(procs(1).map(Dying(str(tmp_path)), asked, lambda event: None))
    assert [o.trial.seeds[0] for o in found if o.status == "failed"] == [30]
    assert sorted(o.trial.key for o in found) == sorted(t.key for t in asked)
    times = {int(p.name): len(p.read_text()) for p in tmp_path.iterdir()}
    assert times == {i: 2 if i in (20, 30) else 1 for i in range(60)}


def test_manifests_are_read_when_they_are_looked_at() -> None:
    read = list[int]()

    def manifest(trial: Trial) -> dict[str, Any]:
        read.append(trial.seeds[0])
        return {"key": trial.key}

    asked = trials(5)
    held = Manifests(manifest, asked)
    assert len(held) == 5 and not read
    assert held[-1] == {"key": asked[4].key} and [m["key"] for m in held[1:3]] == [t.key for t in asked[1:3]]
    assert [m["key"] for m in held] == [t.key for t in asked] and read == [4, 1, 2, 0, 1, 2, 3, 4]


def test_a_trials_key_is_kept_and_never_carried_to_another() -> None:
    one = trials(1)[0]
    other = replace(one, seeds=(7,))
    assert one.key == one.key and other.key != one.key and other.asked == one.asked
    assert replace(one, version=99).key != one.key and one == replace(one)
