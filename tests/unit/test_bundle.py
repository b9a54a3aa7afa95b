"""Rows that stand in one file beside their tables are those of the tables, and nobody else's."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import unseen.core.tables
from tests.unit.many_tables import KEYS, tables, told
from unseen.core import bundle, find
from unseen.core.bundle import Bundle
from unseen.core.execute import execute, here
from unseen.core.plan import plan
from unseen.core.record import Records, Row
from unseen.core.store import Store
from unseen.core.tables import gathered

NAME = "records.parquet"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the trials whose tables are opened from here on; a few tables are many, and no table is too new."""
    found: list[str] = []
    real = unseen.core.tables._part  # pyright: ignore[reportPrivateUsage]

    def part(paths: Mapping[str, str]) -> Iterator[Any]:
        found.extend(paths)
        return real(paths)

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(unseen.core.tables, "_part", part)
    monkeypatch.setattr(unseen.core.tables, "MANY", 2)
    monkeypatch.setattr(bundle, "QUIET", 0.0)
    return found


@pytest.fixture
def kept(tmp_path: Path, opened: list[str]) -> tuple[dict[str, Path], Bundle]:
    """Twenty trials' folders, and the bundle of their rows as it was written when they were read."""
    (tmp_path / "trials").mkdir()
    folders, held = tables(tmp_path / "trials"), Bundle(tmp_path / "index" / "s.records", tmp_path / "trials", NAME)
    time.sleep(0.02)
    assert told(gathered(folders, NAME, held)) == told(gathered(folders, NAME)) and len(opened) == 2 * len(KEYS)
    opened.clear()
    return folders, held


def test_what_is_in_the_bundle_is_not_opened(kept: tuple[dict[str, Path], Bundle], opened: list[str]) -> None:
    folders, held = kept
    for asked in (folders, dict(reversed(folders.items())), {k: folders[k] for k in KEYS[3:15]}):
        found = told(gathered(asked, NAME, held))
        assert opened == [] and found == told(gathered(asked, NAME))
        opened.clear()
    few = {KEYS[0]: folders[KEYS[0]]}
    assert len(gathered(few, NAME, held)) == 2 and opened == [KEYS[0]]  # one table is sooner opened than the bundle


def test_a_bundle_of_too_many_others_is_left_alone(
    kept: tuple[dict[str, Path], Bundle], opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, held = kept
    before = held.path.read_bytes()
    monkeypatch.setattr(bundle, "LARGEST", len(before) // len(KEYS))
    some = {k: folders[k] for k in KEYS[:9]}
    assert told(gathered(some, NAME, held)) == told(gathered(some, NAME)) and opened[:9] == KEYS[:9]
    assert held.path.read_bytes() == before


def other_bytes(path: Path) -> None:
    """Another value of the same length at the same times."""
    before = path.stat()
    rows = [Row("exact", 77.0, step=step) for step in (1, 2)]
    Records.of([({"setting": "S", "width": 8, "name": "b"}, 5, row) for row in rows], "twin", KEYS[5]).frame().write_parquet(path)  # fmt: skip
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_was_touched_is_opened(kept: tuple[dict[str, Path], Bundle], opened: list[str]) -> None:
    folders, held = kept
    other_bytes(folders[KEYS[5]] / NAME)
    found = gathered(folders, NAME, held)
    assert opened == [KEYS[5]] and 77.0 in found.value and told(found) == told(gathered(folders, NAME))


def test_trials_that_are_gone_leave_the_bundle_when_it_is_written(
    kept: tuple[dict[str, Path], Bundle], opened: list[str]
) -> None:
    folders, held = kept
    for key in KEYS[:10]:
        shutil.rmtree(folders.pop(key))
    again = KEYS[10:12]
    for key in again:
        (folders[key] / NAME).touch()
    time.sleep(0.02)
    asked = {k: folders[k] for k in KEYS[10:15]}
    gathered(asked, NAME, held)
    held_now = {k for t in held._tables() for k in t["trial"]}  # pyright: ignore[reportPrivateUsage]
    assert opened == again and held_now == set(KEYS[10:])


def harmed(content: bytes) -> dict[str, bytes]:
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    return {"empty": b"", "cut": content[:-9], "flipped": bytes(flipped), "noise": os.urandom(999), "seal": content[1:]}


@pytest.mark.parametrize("harm", ["empty", "cut", "flipped", "noise", "seal"])
def test_a_harmed_bundle_is_none(harm: str, kept: tuple[dict[str, Path], Bundle], opened: list[str]) -> None:
    folders, held = kept
    held.path.write_bytes(harmed(held.path.read_bytes())[harm])
    slow = told(gathered(folders, NAME))
    opened.clear()
    for read in (KEYS, []):  # it is written anew
        assert told(gathered(folders, NAME, held)) == slow and opened == read
        opened.clear()


def sealed_by_another(held: Bundle, patch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    patch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))


def sealed_elsewhere(held: Bundle, patch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = held.path.read_bytes()
    shutil.rmtree(held.path.parent)
    held.path.parent.mkdir()
    held.path = held.path.with_name("t.records")
    held.path.write_bytes(content)


def a_pipe(held: Bundle, patch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held.path.unlink()
    os.mkfifo(held.path)


def a_link(held: Bundle, patch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    held.path.rename(tmp_path / "moved")
    held.path.symlink_to(tmp_path / "moved")


@pytest.mark.parametrize("harm", [sealed_by_another, sealed_elsewhere, a_pipe, a_link])
def test_a_bundle_of_somebody_else_is_none(
    harm: Callable[..., None],
    kept: tuple[dict[str, Path], Bundle],
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The stamps in it are right, as they would be on a disk whose every number a stranger chose; the seal is not."""
    folders, held = kept
    harm(held, monkeypatch, tmp_path)
    assert told(gathered(folders, NAME, held)) == told(gathered(folders, NAME)) and opened[: len(KEYS)] == KEYS


def test_two_who_write_at_once(kept: tuple[dict[str, Path], Bundle], opened: list[str]) -> None:
    """Both found no bundle and read the same tables: the rows of each stand once in what the last of them wrote."""
    folders, held = kept
    asked, read = held.asked(KEYS), [t.drop("stamp") for t in held._tables()]  # pyright: ignore[reportPrivateUsage]
    held.keep(KEYS, asked, read)
    assert told(gathered(folders, NAME, held)) == told(gathered(folders, NAME)) and opened == KEYS


def reading(folders: dict[str, Path], held: Bundle, first: int) -> None:
    """Read through a bundle, from another half of the trials each time, and write what it lacked."""
    bundle.QUIET, unseen.core.tables.MANY = 0.0, 2
    for i in range(first, first + 30):
        gathered(dict(list(folders.items())[10 * (i % 2) : 10 * (i % 2) + 12]), NAME, held)
        if i % 5 == 0:
            held.path.unlink(missing_ok=True)


def test_two_processes_that_write_all_the_time(kept: tuple[dict[str, Path], Bundle], opened: list[str]) -> None:
    folders, held = kept
    slow = told(gathered(folders, NAME))
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=reading, args=(folders, held, i)) for i in (0, 1)]
    for other in others:
        other.start()
    while any(other.is_alive() for other in others):
        assert told(gathered(folders, NAME, held)) == slow
    assert [other.exitcode for other in others] == [0, 0]


def test_where_nothing_can_be_written(kept: tuple[dict[str, Path], Bundle], tmp_path: Path) -> None:
    folders, held = kept
    shutil.rmtree(held.path.parent)
    held.path.parent.write_text("a file where the folder should be")
    assert told(gathered(folders, NAME, held)) == told(gathered(folders, NAME))


def test_what_changed_a_moment_ago_is_not_kept(
    kept: tuple[dict[str, Path], Bundle], opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might change again within one tick of the clock."""
    folders, held = kept
    held.path.unlink()
    monkeypatch.setattr(bundle, "QUIET", 60.0)
    gathered(folders, NAME, held)
    gathered(folders, NAME, held)
    assert opened == [*KEYS, *KEYS]


def test_a_key_is_the_users_alone(kept: tuple[dict[str, Path], Bundle], tmp_path: Path) -> None:
    [key] = (tmp_path / "state").rglob("key")
    assert len(key.read_bytes()) == 32 and stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    key.write_bytes(b"torn")
    folders, held = kept
    assert told(gathered(folders, NAME, held)) == told(gathered(folders, NAME)) and len(key.read_bytes()) == 32


def test_a_store_reads_through_its_bundles(shelf: Path, opened: list[str]) -> None:
    """Rows and the scores of items, also where a trial of the plan is not there any more."""
    asked = plan("kept_rows", find.study("kept_rows"), "smoke")
    assert {o.status for o in execute(asked, Store(shelf), here())} == {"done"}
    time.sleep(0.02)
    first = Store(shelf).records(asked)
    opened.clear()
    again = Store(shelf).records(asked)
    assert opened == [] and sorted(p.suffix for p in (shelf / "index").iterdir()) == [".records", ".scores"]
    assert told(again) == told(first) and told(again.items) == told(first.items) and len(again.items)
    (Store(shelf).folder(asked[0]) / "scores.parquet").unlink()
    fewer = Store(shelf).records(asked)
    shutil.rmtree(shelf / "index")
    assert told(fewer.items) == told(Store(shelf).records(asked).items) and 0 < len(fewer.items) < len(first.items)
