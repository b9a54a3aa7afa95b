"""Files are whole or not there, and a full disk is one paragraph whatever library met it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from unseen.core import disk
from unseen.core.disk import full_disk, is_full, whole, writing
from unseen.core.errors import Failed, Invalid, Mistake


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/a/b"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_a_failure(error: Exception) -> None:
    assert is_full(error)
    with (
        pytest.raises(Failed, match=r"the disk is full while writing x .*what was finished is intact"),
        full_disk("writing x"),
    ):
        raise error
    with pytest.raises(Failed), writing("x"):
        raise error


def test_what_else_goes_wrong_passes() -> None:
    for error in (
        PermissionError(errno.EACCES, "denied", "/a"),
        ValueError("x"),
        Invalid("y"),
        Failed("no space left on device"),
    ):
        with pytest.raises(type(error)) as caught, full_disk("x"):
            raise error
        assert caught.value is error
    with pytest.raises(Mistake, match=r"/a cannot be written while x \(denied\)"), writing("x"):
        raise PermissionError(errno.EACCES, "denied", "/a")


def test_a_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    whole(path, b"one")
    whole(path, b"two", durable=False)
    assert path.read_bytes() == b"two"

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="full"):
        whole(path, b"three")
    assert path.read_bytes() == b"two" and [p.name for p in tmp_path.iterdir()] == ["a"]


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to would keep its reader for ever."""
    plain, pipe, link = tmp_path / "plain", tmp_path / "pipe", tmp_path / "link"
    plain.write_bytes(b"told")
    os.mkfifo(pipe)
    link.symlink_to(plain)
    assert disk.content(plain) == disk.content(plain, 4) == b"told"
    for path in (pipe, link, tmp_path, tmp_path / "none"):
        with pytest.raises(OSError):
            disk.content(path)
    with pytest.raises(OSError, match="more than 3 bytes"):
        disk.content(plain, 3)
