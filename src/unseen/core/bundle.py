"""What do many small tables hold? Their rows once more in one file, so that a hundred thousand need not be opened.

$UNSEEN_HOME/index/<study>.records     32 bytes of seal, then tables of one form each: 8 bytes of length, and a parquet

Each row stands there with the stamp (size, times, number) that its own table had before it was read, and counts only
while the table has it still. The seal is a digest under a key that lies outside of every store and is this user's
alone: a bundle that somebody else wrote, that lay elsewhere or that was harmed is as good as none.
"""

from __future__ import annotations

import io
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .disk import content, whole
from .stamps import QUIET, number_of, stamp_of

MANY = 256  # tables from which on a bundle is looked into, and that must be new before it is written
ROWS = 1024  # of one table, at most: larger ones are opened
LARGEST = 64 << 10  # bytes for each table that is asked for: in a larger bundle, too many others lie
PIECE = 1 << 14  # rows that are decoded at once
SEAL = 32  # bytes
ASKED = np.dtype([("key", "<u8"), ("stamp", "<u8"), ("changed", "<i8"), ("place", "<i8")])


class Bundle:
    """The rows of one study's tables of one name, as a file keeps them."""

    def __init__(self, path: Path, trials: Path, name: str) -> None:
        self.path, self.trials, self.name = path, str(trials), name

    def asked(self, keys: Sequence[str]) -> NDArray[Any]:
        """What the file system says of these trials' tables now, sorted by key; the stamp is 0 where there is none."""
        told = ((number_of(k) or 0, *stamp_of(f"{self.trials}/{k}", (self.name,)), i) for i, k in enumerate(keys))
        found = np.fromiter(told, ASKED, len(keys))
        return found[np.argsort(found["key"])]

    def rows(self, asked: NDArray[Any]) -> tuple[list[Any], NDArray[np.bool_]]:
        """Tables (polars) of the rows of those trials whose stamps are what they were, and which these are [place]."""
        found, known = list[Any](), np.zeros(len(asked), bool)
        for table in self._tables() if self._small(asked) else ():
            at, hit = _places(table, asked)
            hit &= asked["stamp"][at] == table["stamp"].to_numpy()
            known[asked["place"][at[hit]]] = True
            found.append(table.drop("stamp").filter(hit))
        return [table for table in found if len(table)], known

    def keep(self, keys: Sequence[str], asked: NDArray[Any], read: Sequence[Any]) -> None:
        """Write what was read of some of these trials beside what was known; lost without harm, where that cannot be.

        `asked` was asked before. What changed since, or a moment before, is left out, and so are trials that are gone.
        """
        import polars as pl

        if not self._small(asked):
            return
        with suppress(OSError):
            sure = (self.asked(keys)["stamp"] == asked["stamp"]) & (asked["stamp"] != 0)
            sure &= time.time_ns() - asked["changed"] > QUIET * 1e9
            there = pl.Series(os.listdir(self.trials)).implode()
            kept, new = dict[str, list[Any]](), np.zeros(len(asked), bool)
            for table in read:
                at, hit = _places(table, asked)
                new[at[hit]] = True
                told = table.with_columns(pl.Series("stamp", asked["stamp"][at])).filter(hit & sure[at])
                kept.setdefault(repr(told.schema), []).append(told.filter(pl.len().over("trial") <= ROWS))
            for table in self._tables():  # of those just read, another process may have written some
                at, hit = _places(table, asked)
                same = hit & ~new[at] & (asked["stamp"][at] == table["stamp"].to_numpy())
                alike = kept.setdefault(repr(table.schema), [])
                alike += [table.filter(same), table.filter(~hit).filter(pl.col("trial").is_in(there))]
            self._write([pl.concat(alike) for alike in kept.values()])

    def _small(self, asked: NDArray[Any]) -> bool:
        """Whether reading the bundle is less than opening the tables of those that were asked for."""
        try:
            return self.path.lstat().st_size <= LARGEST * len(asked)
        except OSError:
            return True  # there is none yet

    def _tables(self) -> Iterator[Any]:
        """All rows with their stamps, a piece at a time; none where the seal is not ours."""
        import polars as pl

        try:
            held = memoryview(content(self.path))
            if not secrets.compare_digest(bytes(held[:SEAL]), self._seal(held[SEAL:])):
                return
        except OSError:
            return
        at = SEAL
        while at < len(held):
            end = at + 8 + int.from_bytes(held[at : at + 8], "little")
            yield pl.read_parquet(held[at + 8 : end].tobytes())
            at = end

    def _write(self, tables: Sequence[Any]) -> None:
        parts = list[bytes]()
        for piece in (table.slice(start, PIECE) for table in tables for start in range(0, len(table), PIECE)):
            held = io.BytesIO()
            piece.write_parquet(held)
            parts += [len(held.getvalue()).to_bytes(8, "little"), held.getvalue()]
        rows = b"".join(parts)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole(self.path, self._seal(rows) + rows, durable=False)

    def _seal(self, rows: bytes | memoryview) -> bytes:
        """A digest of what the bundle holds and where it lies, which nobody else can make. Raises OSError."""
        seal = blake2b(os.path.realpath(self.path).encode() + b"\0", key=_key(), digest_size=SEAL)
        seal.update(rows)
        return seal.digest()


def _places(table: Any, asked: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where among the trials that were asked for those of a table's rows stand, and whether they do [row]."""
    import polars as pl

    keys = table["trial"].str.to_integer(base=16, dtype=pl.UInt64, strict=False).fill_null(0).to_numpy()
    at = np.minimum(np.searchsorted(asked["key"], keys), len(asked) - 1)
    return at, (asked["key"][at] == keys) & (keys != 0)


def _key() -> bytes:
    """32 bytes that this user alone may read, beside no store; made when they are first needed. Raises OSError."""
    from platformdirs import user_state_path

    path = user_state_path("unseen-seal", appauthor=False) / "key"  # a folder of its own: a store may lie in unseen's
    if not path.is_absolute():
        raise OSError(f"{path} cannot be found: this user has no home.")
    with suppress(FileNotFoundError):
        if len(key := content(path)) == SEAL:
            return key
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole(path, secrets.token_bytes(SEAL))
    return content(path)  # another process may have made one meanwhile: the last is the key
