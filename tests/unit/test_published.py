"""Folders that appear whole or not at all, where nothing can be renamed."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from unseen.core.errors import Damaged
from unseen.core.far.objects import Far
from unseen.core.far.published import digests, fetch, files_of, place, replaced, send


@pytest.fixture
def far() -> Far:
    return Far(f"memory://{time.time_ns()}/unseen")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "made"
    (made / "files" / "a b").mkdir(parents=True)
    (made / "records.parquet").write_bytes(b"PAR1")
    (made / "files" / "a b" / "é[1].txt").write_text("text")
    return made


def test_a_folder_travels_whole(far: Far, folder: Path, tmp_path: Path) -> None:
    told = digests(folder)
    assert told["records.parquet"] == {"bytes": 4, "sha256": hashlib.sha256(b"PAR1").hexdigest()}
    files = files_of({"files": told})
    send(far, folder, "measured/x", files)
    fetch(far, "measured/x", files, tmp_path / "one", ["records.parquet"])
    assert os.listdir(tmp_path / "one") == ["records.parquet"]
    fetch(far, "measured/x", files, tmp_path / "one")
    assert digests(tmp_path / "one") == told
    far.remove(f"measured/x/{n}" for n in far.listing("measured/x"))
    fetch(far, "measured/x", files, tmp_path / "one")  # what is here and right is not fetched


def test_other_bytes_have_another_place(far: Far, folder: Path, tmp_path: Path) -> None:
    before = files_of({"files": digests(folder)})
    send(far, folder, "x", before)
    (folder / "records.parquet").write_bytes(b"PAR2")
    after = files_of({"files": digests(folder)})
    assert place("x", before) != place("x", after)
    send(far, folder, "x", after)
    for files, content in ((before, b"PAR1"), (after, b"PAR2")):
        to = tmp_path / content.decode()
        fetch(far, "x", files, to)
        assert (to / "records.parquet").read_bytes() == content


@pytest.mark.parametrize(
    ("content", "says"), [(None, "is gone"), (b"PAR", "holds 3 bytes, not the 4"), (b"PARX", "its sha256 changed")]
)
def test_what_is_not_what_was_written_is_named(
    content: bytes | None, says: str, far: Far, folder: Path, tmp_path: Path
) -> None:
    files = files_of({"files": digests(folder)})
    send(far, folder, "x", files)
    name = f"{place('x', files)}/records.parquet"
    if content is None:
        far.remove([name])
    else:
        far.write(name, content)
    with pytest.raises(Damaged, match=rf"{name} .*{says}"):
        fetch(far, "x", files, tmp_path / "to")
    assert not [p for p in (tmp_path / "to").rglob("*") if p.is_file() and "records" in p.name]


@pytest.mark.parametrize("name", ["../up", "/abs", "a/../../b", "", "a\\b", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        files_of({"files": {name: {"bytes": 1, "sha256": "0"}}})


def test_a_folder_is_replaced(tmp_path: Path) -> None:
    for content in ("one", "two"):
        spare = tmp_path / "spare"
        spare.mkdir()
        (spare / "f").write_text(content)
        replaced(spare, tmp_path / "in" / "place")
        assert (tmp_path / "in" / "place" / "f").read_text() == content
    assert os.listdir(tmp_path / "in") == ["place"] and not spare.exists()
    with pytest.raises(FileNotFoundError):
        replaced(tmp_path / "none", tmp_path / "in" / "other")
