"""What was read in full is not read again, unless anything about it was touched."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from unseen.core import find, stamps
from unseen.core.disk import digest_of_file
from unseen.core.execute import execute, here
from unseen.core.plan import Trial, plan
from unseen.core.stamps import LINE, Stamps, inside, stamp_of
from unseen.core.store import Store

FILES = 5  # of each trial


@pytest.fixture
def trials(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """Two finished trials in a store, which were read once since, a while after they were written."""
    asked = plan("kept_rows", find.study("kept_rows"), "smoke")
    asked = [asked[0], asked[2]]
    assert [o.status for o in execute(asked, Store(shelf), here())] == ["done", "done"]
    monkeypatch.setattr(stamps, "QUIET", 0.0)
    time.sleep(0.02)
    assert Store(shelf).sound(asked) == (asked, {})
    return asked


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read from here on, to compare them with what was written."""
    found: list[str] = []

    def digest(path: Path) -> str:
        found.append(path.name)
        return digest_of_file(path)

    monkeypatch.setattr("unseen.core.store.digest_of_file", digest)
    return found


def test_what_was_not_touched_is_not_read_again(shelf: Path, trials: list[Trial], files: list[str]) -> None:
    store = Store(shelf)
    assert store.sound(trials) == (trials, {}) == store.sound(trials) and files == []
    assert not store.stale(trials[:1]) and Store(shelf).stamps("kept_rows").codes([t.key for t in trials]) == [
        None,
        None,
    ]
    assert store.sound(trials, anew=True) == (trials, {}) and len(files) == 2 * FILES


def flipped_with_its_times_put_back(folder: Path) -> None:
    path = folder / "records.parquet"
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def gone(folder: Path) -> None:
    (folder / "items.parquet").unlink()


def all_gone(folder: Path) -> None:
    shutil.rmtree(folder)


def linked(folder: Path) -> None:
    path = folder / "files" / "sums-0.txt"
    path.rename(folder.parent / "elsewhere.txt")
    path.symlink_to(folder.parent / "elsewhere.txt")


def linked_above(folder: Path) -> None:
    (folder / "files").rename(folder.parent.parent / "files")
    (folder / "files").symlink_to(folder.parent.parent / "files")


def manifest_exchanged(folder: Path) -> None:
    path = folder / "trial.json"
    told = json.loads(path.read_text())
    told["files"]["records.parquet"]["sha256"] = "0" * 64
    path.write_text(json.dumps(told))


@pytest.mark.parametrize("harm", [flipped_with_its_times_put_back, gone, all_gone, linked, manifest_exchanged])
def test_what_was_touched_is_read_again(
    harm: Callable[[Path], None], shelf: Path, trials: list[Trial], files: list[str]
) -> None:
    store = Store(shelf)
    harm(store.folder(trials[0]))
    there, damaged = store.sound(trials)
    assert there == trials[1:] and list(damaged) == ([trials[0].key] if harm is not all_gone else [])
    assert len(files) <= FILES  # the other was not


def test_files_in_a_linked_folder_are_refused(shelf: Path, trials: list[Trial]) -> None:
    """The files are the same and so are their stamps; whoever reads all again refuses what leads outside."""
    linked_above(Store(shelf).folder(trials[0]))
    assert list(Store(shelf).sound(trials, anew=True)[1]) == [trials[0].key]


def test_a_change_within_a_tick_of_the_clock_is_not_missed(
    shelf: Path, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As git's index knows: what changed a moment ago might change again under the same times. It is not noted."""
    monkeypatch.setattr(stamps, "QUIET", 2.0)
    (shelf / "index" / "kept_rows.stamps").unlink()
    store = Store(shelf)
    assert store.sound(trials) == (trials, {}) and not (shelf / "index" / "kept_rows.stamps").exists()
    now = time.time()
    monkeypatch.setattr("time.time_ns", lambda: int((now - 3600) * 1e9))  # a clock that was put back
    assert store.sound(trials) == (trials, {}) and not (shelf / "index" / "kept_rows.stamps").exists()
    monkeypatch.setattr("time.time_ns", lambda: int((now + 3600) * 1e9))
    assert store.sound(trials) == (trials, {}) and (shelf / "index" / "kept_rows.stamps").exists()


def test_a_copied_store_is_read_once(shelf: Path, trials: list[Trial], files: list[str], tmp_path: Path) -> None:
    shutil.copytree(shelf, tmp_path / "copy")
    time.sleep(0.02)
    for read in (2 * FILES, 0):
        files.clear()
        assert Store(tmp_path / "copy").sound(trials) == (trials, {}) and len(files) == read


def test_two_processes_note_into_one_file(shelf: Path, trials: list[Trial], files: list[str]) -> None:
    (shelf / "index" / "kept_rows.stamps").unlink()
    one, two = Store(shelf), Store(shelf)
    assert one.sound(trials[:1])[0] and two.sound(trials[1:])[0]
    files.clear()
    assert Store(shelf).sound(trials) == (trials, {}) and files == []


@pytest.mark.parametrize("harm", ["", "{", "{}\n", "[]\nx", "last", "names", "zero", "twice"])
def test_stamps_that_are_none(harm: str, shelf: Path, trials: list[Trial], files: list[str]) -> None:
    path = shelf / "index" / "kept_rows.stamps"
    head, _, body = path.read_bytes().partition(b"\n")
    told = {
        "last": head + b"\n" + body[:-1],
        "names": head.replace(b"trial.json", b"../../../x") + b"\n" + body,
        "zero": head + b"\n" + _zeros(body),
        "twice": head + b"\n" + body[:32] * 2,
    }
    path.write_bytes(told.get(harm, harm.encode()))
    if harm == "zero":
        shutil.rmtree(Store(shelf).folder(trials[0]))
        assert Store(shelf).sound(trials) == (trials[1:], {})
        return
    assert Store(shelf).sound(trials) == (trials, {}) and len(files) == 2 * FILES


def test_a_pipe_in_the_place_of_what_was_noted_is_not_waited_for(shelf: Path, trials: list[Trial]) -> None:
    for name in ("kept_rows.stamps", "kept_rows.jsonl"):
        (shelf / "index" / name).unlink(missing_ok=True)
        os.mkfifo(shelf / "index" / name)
    assert Store(shelf).sound(trials) == (trials, {})
    assert [m["key"] for m in Store(shelf).manifests("kept_rows")] == sorted(t.key for t in trials)


def _zeros(body: bytes) -> bytes:
    import numpy as np

    lines = np.frombuffer(body, LINE).copy()
    lines["stamp"] = 0
    return lines.tobytes()


def test_where_nothing_can_be_written(shelf: Path, trials: list[Trial]) -> None:
    shutil.rmtree(shelf / "index")
    (shelf / "index").write_text("a file where the folder should be")
    assert Store(shelf).sound(trials) == (trials, {})


def test_stamps_of_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    stamp, changed = stamp_of(str(tmp_path), ("a",))
    assert stamp and abs(changed / 1e9 - time.time()) < 60
    assert stamp_of(str(tmp_path), ("a", "b")) == (0, 0) == stamp_of(str(tmp_path), ("a\0",))
    assert Stamps(tmp_path / "none", tmp_path).unchanged(["no key", "0" * 16, "zzzzzzzzzzzzzzzz"]) == [False] * 3
    names = ["a", "files/b.txt", "ä b"]
    strange = ["/a", "../a", "a/../b", "a//b", "", ".", "c:/x", "a\\b", "a/", "a\0b", "a" * 2000]
    assert all(map(inside, names)) and not any(map(inside, strange))
