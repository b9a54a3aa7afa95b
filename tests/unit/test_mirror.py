"""What a machine that is gone leaves of an unfinished trial: rows and checkpoints of one moment."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.buckets import machine
from unseen.core import find
from unseen.core.errors import Failed
from unseen.core.execute import execute, here
from unseen.core.far.mirror import Mirror, drop_partial, mirrored
from unseen.core.far.objects import Far
from unseen.core.plan import plan
from unseen.core.store import Store
from unseen.core.work import measure

WORLD = {"code": "5b0c", "seeds": (0, 1)}
AT = "partial/s/k"


@pytest.fixture
def far() -> Far:
    return Far(f"memory://{time.time_ns()}/unseen")


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """An unfinished trial's folder, two rows long."""
    folder = tmp_path / "here" / "partial"
    for name in ("state", "files"):
        (folder / name).mkdir(parents=True)
    (folder / "rows.jsonl").write_bytes(b"world\none\ntwo\n")
    (folder / "state" / "fit-1.safetensors").write_bytes(b"step 2")
    (folder / "files" / "log.txt").write_bytes(b"log")
    return folder


def copied(far: Far, partial: Path) -> Mirror:
    """A mirror that copied the folder as it is."""
    made = Mirror(far, AT, partial, WORLD)
    made.note()
    made.end(drop=False)
    made.copy_all()
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_is_found_on_another_machine_as_it_was_copied(far: Far, partial: Path, tmp_path: Path) -> None:
    before = contents(partial)
    copied(far, partial)
    assert contents(partial) == before
    with (partial / "rows.jsonl").open("ab") as file:
        file.write(b"a row after the checkpoint\n")
    there = tmp_path / "there" / "partial"
    Mirror(far, AT, there, WORLD).restore()
    assert contents(there) == before


def test_only_what_changed_is_copied(far: Far, partial: Path) -> None:
    mirror = Mirror(far, AT, partial, WORLD)
    sent: list[bytes] = []
    put = far.put_file
    far.put_file = lambda path, name: (sent.append(path.read_bytes()), put(path, name))[1]  # type: ignore[method-assign, func-returns-value]
    (partial / "state" / "large-2.safetensors").write_bytes(b"stays")

    def step(row: bytes, state: bytes) -> None:
        with (partial / "rows.jsonl").open("ab") as file:
            file.write(row)
        (partial / "new").write_bytes(state)
        os.replace(partial / "new", partial / "state" / "fit-1.safetensors")
        mirror.note()
        assert mirror._due is not None
        mirror._copy(*mirror._due)

    step(b"three\n", b"step 3")
    assert sorted(sent) == [b"log", b"stays", b"step 3", b"world\none\ntwo\nthree\n"]
    sent.clear()
    step(b"four\n", b"step 4")
    assert sorted(sent) == [b"four\n", b"step 4"]
    held = {n: far.read(f"{AT}/{n}") for n in far.listing(AT)}
    assert b"step 3" not in held.values() and b"step 4" in held.values(), "what is replaced is removed"


def test_a_checkpoint_is_copied_as_it_was_noted(far: Far, partial: Path, tmp_path: Path) -> None:
    """What is written after `note`, while the copy waits, is not part of it."""
    mirror = Mirror(far, AT, partial, WORLD)
    mirror.note()
    (partial / "new").write_bytes(b"step 9, far ahead of the rows")
    os.replace(partial / "new", partial / "state" / "fit-1.safetensors")
    with (partial / "rows.jsonl").open("ab") as file:
        file.write(b"a row after")
    mirror.end(drop=False)
    mirror.copy_all()
    Mirror(far, AT, tmp_path / "there", WORLD).restore()
    assert (tmp_path / "there" / "state" / "fit-1.safetensors").read_bytes() == b"step 2"
    assert (tmp_path / "there" / "rows.jsonl").read_bytes() == b"world\none\ntwo\n"


@pytest.mark.parametrize("harm", ["gone", "changed", "other world", "not json", "strange", "outside"])
def test_a_copy_that_is_not_whole_is_none(harm: str, far: Far, partial: Path, tmp_path: Path) -> None:
    copied(far, partial)
    told: dict[str, Any] = json.loads(far.read(f"{AT}/mirror.json") or b"")
    sha = told["files"]["state/fit-1.safetensors"][0]
    if harm == "gone":
        far.remove([f"{AT}/{sha}"])
    elif harm == "changed":
        far.write(f"{AT}/{sha}", b"step 7")
    elif harm == "other world":
        told["world"]["code"] = "another"
    elif harm == "outside":
        told["files"]["../../evil"] = told["files"].pop("files/log.txt")
    elif harm == "strange":
        told["rows"] = [3]
    far.write(f"{AT}/mirror.json", b"{" if harm == "not json" else json.dumps(told).encode())
    there = tmp_path / "there" / "partial"
    Mirror(far, AT, there, WORLD).restore()
    assert not there.exists() and not list(tmp_path.rglob("evil")) and not list(tmp_path.rglob("*.restored"))


def test_the_longer_of_two_goes_on(far: Far, partial: Path, tmp_path: Path) -> None:
    copied(far, partial)
    there = tmp_path / "there"
    shutil.copytree(partial, there)
    (there / "rows.jsonl").write_bytes(b"world\none\ntwo\nthree\n")
    Mirror(far, AT, there, WORLD).restore()
    assert (there / "rows.jsonl").read_bytes().endswith(b"three\n")
    (there / "rows.jsonl").write_bytes(b"world\n")
    Mirror(far, AT, there, WORLD).restore()
    assert contents(there) == contents(partial)


def test_a_store_that_fails_costs_the_copy_alone(far: Far, partial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise Failed("no answer")

    with mirrored(far, AT, partial, WORLD) as note:
        assert note is not None
        monkeypatch.setattr(far, "put_file", fails)
        note()
        time.sleep(0.1)
    assert far.listing(AT) == {} and not (partial / ".links").exists()


def test_while_a_copy_is_under_way_only_the_newest_waits(far: Far, partial: Path) -> None:
    mirror = Mirror(far, AT, partial, WORLD)
    for step in range(5):
        (partial / "new").write_bytes(f"step {step}".encode())
        os.replace(partial / "new", partial / "state" / "fit-1.safetensors")
        mirror.note()
    assert len(list((partial / ".links").iterdir())) == 1
    mirror.end(drop=False)
    mirror.copy_all()
    assert b"step 4" in [far.read(f"{AT}/{n}") for n in far.listing(AT)] and len(far.listing(AT)) == 4
    drop_partial(far, "s", "k")
    assert far.listing(AT) == {}


def test_nothing_is_copied_without_a_far_store(partial: Path) -> None:
    with mirrored(None, AT, partial, WORLD) as note:
        assert note is None


class Gone(Exception):
    """The machine is gone."""


def test_a_trial_goes_on_elsewhere_from_its_last_checkpoint(
    shelf: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kept_rows checkpoints every 5 steps; its machine goes at step 13; elsewhere 11 to 20 are computed, to the same bytes."""
    trial = plan("kept_rows", find.study("kept_rows"), "smoke")[0]
    log = tmp_path / "log.txt"
    monkeypatch.setenv("KEPT_ROWS_LOG", str(log))
    lone = Store(tmp_path / "lone")
    execute([trial], lone, here())
    log.unlink()

    def told(done: float, of: float, shown: object) -> None:
        if done == 13.0:
            raise Gone

    monkeypatch.setattr("unseen.core.lab.PER_SECOND", 1e9)
    with pytest.raises(Gone):
        measure(trial, Store(bucket), told)
    assert [line.split()[-1] for line in log.read_text().splitlines()] == [str(k) for k in range(1, 14)]
    log.unlink()
    machine(tmp_path, monkeypatch, "other")
    other = Store(bucket)
    assert [o.status for o in execute([trial], other, here())] == ["done"]
    assert [line.split()[-1] for line in log.read_text().splitlines()] == [str(k) for k in range(11, 21)]
    one, two = contents(lone.folder(trial)), contents(other.whole(trial))
    assert one.keys() == two.keys()
    assert all(one[n] == two[n] for n in one if n != "trial.json")
    assert other.far is not None and other.far.listing("partial") == {}


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list(tmp_path.rglob("*.restored"))
