"""One trial measured: journaled row by row, stamped, gone on from, and left ready to publish."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core import find, work
from unseen.core.errors import Damaged, Failed, Invalid
from unseen.core.journal import Journal, plain, rows_of
from unseen.core.plan import Trial, plan
from unseen.core.record import Item, Row, Split
from unseen.core.store import Store
from unseen.core.study import Needs
from unseen.core.work import chosen_device, measure, threads_of

SPLIT = Split("far", axis="length", at={"length": 2}, shifted=True)
WORLD = {"code": "c", "device": "cpu"}


def item(**told: Any) -> Item:
    return Item(
        **{"id": "i", "split": SPLIT, "prompt": "p\u2028q", "answer": "a", "truth": "t", "scores": {"hit": 1.0}, **told}
    )


def journal(folder: Path, **world: str) -> Journal:
    return Journal(folder, {**WORLD, **world})


def test_rows_are_read_back_as_they_were(tmp_path: Path) -> None:
    rows = [
        Row("loss", float("inf"), step=1, seed=0),
        Row("loss", float("nan"), SPLIT, n=3, step=2, at={"pair": (1, (2, "x")), "k": None}, seed=1, drawn="ab"),
        item(seed=0, familiar="f", at={"shots": 3}),
    ]
    first = journal(tmp_path)
    for row in rows:
        first.add(row)
    first.sync()
    first.close()
    again = list(journal(tmp_path).rows.values())
    assert repr(again) == repr(rows) == repr(list(rows_of(tmp_path / "rows.jsonl")))


def test_numpy_numbers_are_kept_as_a_reader_would_find_them(tmp_path: Path) -> None:
    """An interrupted trial and one that was not hold rows of the same types."""
    one = journal(tmp_path)
    one.add(Row("sum", np.float32(0.1), step=np.int64(4), at={"k": np.int64(3), "l": [1, 2]}, seed=0))  # type: ignore[arg-type,dict-item]
    (row,) = one.rows.values()
    assert repr(row) == repr(next(rows_of(tmp_path / "rows.jsonl")))
    assert type(row.step) is int and row.at == {"k": 3, "l": (1, 2)}
    with pytest.raises(Invalid, match="no plain value"):
        one.add(Row("sum", 0.1, at={"k": object()}, seed=0))  # type: ignore[dict-item]
    with pytest.raises(Invalid, match="no plain value"):
        plain(b"bytes")


def test_an_equal_row_replaces_and_another_raises(tmp_path: Path) -> None:
    one = journal(tmp_path)
    row = Row("loss", 2.0, SPLIT, step=1, at={"a": 1, "b": 2}, seed=0)
    for same in (row, replace(row, value=2), replace(row, at={"b": 2, "a": 1}), replace(row, value=np.float64(2))):
        one.add(same)
    assert len(one.rows) == 1
    for other in (
        replace(row, value=3.0),
        replace(row, n=2),
        replace(row, drawn="x"),
        replace(row, split=replace(SPLIT, shifted=False)),
    ):
        with pytest.raises(Invalid, match="yielded twice with different values"):
            one.add(other)
    for another in (replace(row, step=2), replace(row, seed=1), replace(row, at={"a": 1}), replace(row, split=None)):
        one.add(another)
    one.add(item(seed=0))
    one.add(item(seed=0, scores={"hit": 1}))
    with pytest.raises(Invalid, match="yielded twice"):
        one.add(item(seed=0, prompt="another"))
    nan = Row("nan", float("nan"), seed=0)
    one.add(nan)
    one.add(nan)
    assert len(one.rows) == 7


def test_a_torn_line_is_dropped(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.add(Row("loss", 1.0, seed=0))
    first.close()
    whole = first.path.read_bytes()
    first.path.write_bytes(whole + b'{"kind":"Row","mea')
    again = journal(tmp_path)
    assert len(again.rows) == 1 and again.path.read_bytes() == whole
    again.add(Row("loss", 2.0, seed=1))
    again.close()
    assert len(journal(tmp_path).rows) == 2


@pytest.mark.parametrize("harm", ["world", "header", "row", "kind", "gone", "empty"])
def test_another_world_or_a_spoilt_journal_begins_anew(harm: str, tmp_path: Path) -> None:
    """Rows, checkpoints and files go together: none of them is ever mixed with what is measured next."""
    first = journal(tmp_path)
    first.add(Row("loss", 1.0, seed=0))
    first.close()
    for name in ("state", "files", "ready"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kept").write_text("x")
    lines = first.path.read_text().splitlines()
    spoilt = {
        "header": ["{", lines[1]],
        "row": [lines[0], '{"kind":"Row"}'],
        "kind": [lines[0], lines[1].replace('"Row"', '"Other"')],
        "empty": [],
    }
    if harm in spoilt:
        first.path.write_text("\n".join([*spoilt[harm], ""]) if spoilt[harm] else "")
    if harm == "gone":
        first.path.unlink()
    again = journal(tmp_path, **({"code": "d"} if harm == "world" else {}))
    assert not again.rows and [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]


def test_a_short_write_is_gone_on_with(tmp_path: Path) -> None:
    one = journal(tmp_path)
    held = bytearray()

    class Short:
        def write(self, content: memoryview) -> int:
            held.extend(content[:7])
            return min(7, len(content))

    one._file.close()
    one._file = Short()  # type: ignore[assignment]
    one.add(Row("loss", 1.0, seed=0))
    assert json.loads(held)["measure"] == "loss"


def test_threads_and_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSEEN_DEVICE", raising=False)

    def trial(**needs: float) -> Trial:
        return Trial("s", 1, None, (0,), Needs(1, **needs))  # type: ignore[arg-type]

    assert [threads_of(trial(cpus=c)) for c in (0.1, 1, 1.5, 2, 7.2)] == [1, 1, 2, 2, 8]
    assert chosen_device(trial()) == "cpu"
    assert chosen_device(trial(gpus=1)) in ("cpu", "cuda")
    monkeypatch.setenv("UNSEEN_DEVICE", "mps")
    assert chosen_device(trial(gpus=1)) == "mps"


@dataclass(frozen=True)
class Fake:
    """Stands in for a study's module `trial`."""

    run: Any


@pytest.fixture
def trial(shelf: Path) -> Trial:
    return plan("kept_rows", find.study("kept_rows"), "smoke")[0]


def yielding(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    real = find.module
    monkeypatch.setattr(
        find, "module", lambda slug, part, place=None: Fake(run) if part == "trial" else real(slug, part)
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (Row("a", 1.0), "every row must name its seed"),
        (Row("a", 1.0, seed=7), r"names seed 7, but this trial measures \(0, 1\)"),
        (3.5, "yielded a float; a trial yields Row or Item"),
    ],
)
def test_rows_are_stamped_with_their_seed(
    row: object, says: str, trial: Trial, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yielding(monkeypatch, lambda setting, lab: iter([row]))
    with pytest.raises(Invalid, match=says):
        measure(trial, Store(shelf))


def test_one_seed_need_not_be_named(trial: Trial, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yielding(monkeypatch, lambda setting, lab: iter([Row("a", 1.0), item()]))
    one = replace(trial, seeds=(4,))
    store = Store(shelf)
    store.publish(one, measure(one, store))
    assert set(store.records([one]).column("seed")) == {4} and next(store.items(one))["prompt"] == "p\u2028q"


def test_a_trial_finished_but_not_published_is_not_measured_again(
    trial: Trial, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(shelf)
    ready = measure(trial, store)
    told = (ready / "trial.json").read_text()
    yielding(monkeypatch, lambda setting, lab: pytest.fail("measured again"))
    assert measure(trial, store) == ready and (ready / "trial.json").read_text() == told


def test_files_of_a_trial_killed_while_it_was_made_ready_are_kept(
    trial: Trial, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(shelf)
    files = sorted(p.name for p in (measure(trial, store) / "files").iterdir())
    (store.partial(trial) / "ready" / "trial.json").unlink()
    yielding(monkeypatch, lambda setting, lab: iter([]))
    ready = measure(trial, store)
    assert sorted(p.name for p in (ready / "files").iterdir()) == files == ["sums-0.txt", "sums-1.txt"]


def test_changed_code_drops_rows_and_checkpoints_together(
    trial: Trial, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[tuple[int, object]]()

    def stops(setting: Any, lab: Any) -> Iterator[Row]:
        seen.append(
            (0 if lab.resume("p") is None else lab.resume("p")[0], sorted(p.name for p in lab.folder.iterdir()))
        )
        yield Row("a", 1.0, seed=0)
        (lab.folder / "kept").write_text("x")
        lab.checkpoint("p", 5, {"x": np.zeros(2)})
        raise RuntimeError("stopped")

    yielding(monkeypatch, stops)
    for code in ("one", "one", "two"):
        monkeypatch.setattr(work, "code_loaded", lambda slug, place, code=code: code)
        with pytest.raises(RuntimeError, match="stopped"):
            measure(trial, Store(shelf))
    assert seen == [(0, []), (5, ["kept"]), (0, [])]


def test_a_full_disk_in_the_trials_own_writing(trial: Trial, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(setting: Any, lab: Any) -> Iterator[Row]:
        yield Row("a", 1.0, seed=0)
        raise RuntimeError("unexpected pos 4 vs 3: No space left on device")

    yielding(monkeypatch, full)
    with pytest.raises(Failed, match=f"disk is full while measuring {trial.key}"):
        measure(trial, Store(shelf))
    assert len(list(rows_of(Store(shelf).partial(trial) / "rows.jsonl"))) == 1


def test_a_spoilt_journal_says_so(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{}\n{"kind": "Other", "split": null, "at": {}}\n')
    with pytest.raises(Damaged, match="'Other', which is no row"):
        list(rows_of(tmp_path / "rows.jsonl"))
