"""Made once, here or on another machine; whole or not at all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from unseen.core.errors import Failed, Invalid
from unseen.core.far.objects import Far
from unseen.core.far.once import made_once
from unseen.core.lab import Lab


@pytest.fixture
def far() -> Far:
    return Far(f"memory://{time.time_ns()}/unseen")


def lab(folder: Path, far: Far | None) -> Lab:
    """The lab of a trial on a machine whose cache is a folder."""
    return Lab((0,), folder / "files", folder / "cache", study="s", far=far)


def tree(path: Path) -> dict[str, bytes]:
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_machines_fetch_what_one_made(far: Far, tmp_path: Path) -> None:
    made: list[str] = []

    def folder(to: Path) -> None:
        made.append("folder")
        (to / "a" / "b").mkdir(parents=True)
        (to / "a" / "b" / "weights").write_bytes(b"w" * 1000)
        (to / "empty").write_bytes(b"")

    def file(to: Path) -> None:
        made.append("file")
        to.write_bytes(b"one file")

    for k in range(3):
        one = lab(tmp_path / str(k), far)
        assert tree(one.once("model", folder, width=3)) == {"a/b/weights": b"w" * 1000, "empty": b""}
        assert one.once("words.txt", file).read_bytes() == b"one file"
    assert made == ["folder", "file"]
    lab(tmp_path / "0", far).once("model", folder, width=4)
    assert made == ["folder", "file", "folder"], "it depends on what it says it depends on"


@pytest.mark.parametrize("harm", ["gone", "changed", "manifest", "outside"])
def test_what_is_damaged_there_is_made_again(harm: str, far: Far, tmp_path: Path) -> None:
    def make(to: Path) -> None:
        to.write_bytes(b"right")

    lab(tmp_path / "1", far).once("a", make)
    names = far.listing("once")
    blob, manifest = (next(f"once/{n}" for n in names if n.endswith(end)) for end in ("content", ".json"))
    if harm == "gone":
        far.remove([blob])
    elif harm == "changed":
        far.write(blob, b"wrong")
    elif harm == "manifest":
        far.write(manifest, b"{")
    else:
        far.write(manifest, b'{"kind": "folder", "files": {"../../evil": {"bytes": 5, "sha256": "0"}}}')
    for k in "23":
        assert lab(tmp_path / k, far).once("a", make).read_bytes() == b"right"
    assert not list(tmp_path.rglob("evil"))


def test_a_maker_that_raises_leaves_nothing_anywhere(far: Far, tmp_path: Path) -> None:
    def fails(to: Path) -> None:
        to.mkdir()
        (to / "half").write_bytes(b"")
        raise KeyError("no")

    for store in (far, None):
        with pytest.raises(KeyError):
            lab(tmp_path, store).once("a", fails)
        with pytest.raises(Invalid, match="wrote nothing"):
            lab(tmp_path, store).once("a", lambda to: None)
        assert not [
            p
            for p in (tmp_path / "cache").rglob("*")
            if p.is_file() and p.name not in (".guard",) and "unsent" not in p.name
        ]
    assert not [n for n in far.listing("once")]
    assert lab(tmp_path, far).once("a", lambda to: to.touch()).is_file()


def test_many_at_once_make_it_once(far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unseen.core.far.leases.LOOK", 0.02)
    made, found = list[int](), list[bytes]()

    def make(to: Path) -> None:
        made.append(1)
        time.sleep(0.2)
        to.write_bytes(b"x")

    def use(k: int) -> None:
        found.append(lab(tmp_path / str(k), far).once("a", make).read_bytes())

    threads = [threading.Thread(target=use, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert made == [1] and found == [b"x"] * 4


def test_what_could_not_be_sent_is_sent_by_the_next_who_uses_it(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise Failed("no answer")

    made: list[int] = []

    def make(to: Path) -> None:
        made.append(1)
        to.write_bytes(b"x")

    with monkeypatch.context() as away:
        away.setattr(far, "put_file", fails)
        assert lab(tmp_path / "1", far).once("a", make).read_bytes() == b"x"
    assert not [n for n in far.listing("once")]
    assert lab(tmp_path / "1", far).once("a", make).read_bytes() == b"x"
    assert lab(tmp_path / "2", far).once("a", make).read_bytes() == b"x"
    assert made == [1]


def test_without_a_far_store_nothing_is_sent(tmp_path: Path) -> None:
    place = tmp_path / "cache" / "a"
    assert made_once(place, lambda to: to.touch(), None, "once/a") == place
    assert not list(place.parent.glob("*.unsent"))
