"""What if the store is not a folder here? A root such as `s3://bucket/unseen`, reached through fsspec.

Trials are measured in a folder here, copied there as they are published, and fetched when they are read. `trial.json`
travels last in both directions, so that a folder without it does not exist, there as here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import Failed, Missing, Mistake, UnseenError

LAST = "trial.json"


class Far:
    """The part of a store that lies behind an fsspec URL."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url
        with self._reaching():
            try:
                self.fs, self.root = fsspec.core.url_to_fs(url)
            except (ImportError, ValueError) as error:
                raise Mistake(f"the store {url} cannot be reached: {error}. Name another with UNSEEN_HOME.") from error

    def put(self, folder: Path, name: str) -> None:
        """Copy a finished folder there. Raises Failed."""
        files = sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p == folder / LAST)
        for path in files:
            self.put_file(path, f"{name}/{path.relative_to(folder).as_posix()}")

    def put_file(self, path: Path, name: str) -> None:
        """Copy one file there."""
        to = f"{self.root}/{name}"
        with self._reaching():
            self.fs.makedirs(to.rsplit("/", 1)[0], exist_ok=True)
            self.fs.put_file(str(path), to)

    def get(self, name: str, to: Path) -> bool:
        """Whether a finished folder of that name lies there; it is fetched to `to`, whole."""
        at = f"{self.root}/{name}"
        with self._reaching():
            if not self.fs.exists(f"{at}/{LAST}"):
                return False
            spare = to.with_name(f".{to.name}.{os.getpid()}")
            shutil.rmtree(spare, ignore_errors=True)
            for found in self.fs.find(at):
                path = spare / str(found)[len(at.rstrip("/")) + 1 :]
                path.parent.mkdir(parents=True, exist_ok=True)
                self.fs.get_file(found, str(path))
        shutil.rmtree(to, ignore_errors=True)
        to.parent.mkdir(parents=True, exist_ok=True)
        os.replace(spare, to)
        return True

    def read(self, name: str) -> bytes | None:
        """A file's content, None where there is none of that name."""
        with self._reaching():
            at = f"{self.root}/{name}"
            told: Any = self.fs.cat_file(at) if self.fs.exists(at) else None
            return None if told is None else bytes(told)

    def names(self, folder: str) -> list[str]:
        """The names of what lies in a folder there, sorted."""
        with self._reaching():
            at = f"{self.root}/{folder}"
            found = self.fs.ls(at, detail=False) if self.fs.isdir(at) else []
            return sorted(str(f).rstrip("/").rsplit("/", 1)[-1] for f in found)

    def forget(self, name: str) -> None:
        """Remove a folder there, `trial.json` first."""
        with self._reaching():
            at = f"{self.root}/{name}"
            if self.fs.exists(f"{at}/{LAST}"):
                self.fs.rm_file(f"{at}/{LAST}")
            if self.fs.exists(at):
                self.fs.rm(at, recursive=True)

    @contextmanager
    def _reaching(self) -> Generator[None]:
        try:
            yield
        except UnseenError:
            raise
        except ImportError as error:
            raise Missing(f"the store {self.url} needs a package that is not installed: {error}.") from error
        except Exception as error:  # every file system has errors of its own
            raise Failed(
                f"the store {self.url} does not answer ({' '.join(str(error).split())[:200]}); what is here is kept. Run the same command again when it does."
            ) from error
