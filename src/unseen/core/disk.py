"""What if the world cannot be written to? Files are written whole or not at all, and a full disk is one paragraph."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import Full, Mistake, UnseenError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = ("no space left on device", "disk quota exceeded", "file too large", "os error 28", "os error 122")


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full; libraries in other languages say so in words only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    return any(words in str(error).lower() for words in FULL_WORDS)


@contextmanager
def full_disk(doing: str) -> Generator[None]:
    """Turn a full disk into Full with one paragraph; every other error passes."""
    try:
        yield
    except UnseenError:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise Full(
            f"the disk is full while {doing} ({_where(error)}); what was finished is intact. Free some space and run the same command again."
        ) from error


@contextmanager
def writing(doing: str) -> Generator[None]:
    """Turn a place that cannot be written to into one paragraph: Full for a full disk, Mistake for all else."""
    try:
        with full_disk(doing):
            yield
    except OSError as error:
        raise Mistake(
            f"{_where(error)} cannot be written while {doing} ({error.strerror or error}); name another folder with UNSEEN_HOME."
        ) from error


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """A file to read. Raises OSError for what is none, a link too: what a stranger put in a file's place may lead
    elsewhere, and a pipe would wait for who writes."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        yield file


def content(path: Path, most: int | None = None) -> bytes:
    """A file's bytes. Raises OSError for what is no file, or holds more than `most`."""
    with opened(path) as file:
        if most is not None and os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it holds more than {most:,} bytes", str(path))
        return file.read()


def digest_of_file(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(name: str) -> bool:
    """Whether a name in a manifest stays within its folder, however it is written."""
    parts = name.split("/")
    plain = "\\" not in name and "\0" not in name and ":" not in parts[0] and len(name) < 1024
    return plain and not any(part in ("", ".", "..") for part in parts)


def whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file whole or not at all; durably, unless it may be lost when the machine stops.

    A killed process loses nothing either way: what it wrote is the system's. `durable` is for a machine that stops: its
    fsync makes the content lasting before the name is, so that no name is left with half of a file behind it.
    """
    spare = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with spare.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(spare, path)
    except BaseException:
        spare.unlink(missing_ok=True)
        raise


def _where(error: BaseException) -> str:
    return str(getattr(error, "filename", None) or "the store")
