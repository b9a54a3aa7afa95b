"""Where is what was measured? One trial, one folder, whole or not there.

$UNSEEN_HOME/trials/<study>/<key>/     records.parquet [scores.parquet items.parquet] files/ … and last trial.json
$UNSEEN_HOME/partial/<study>/<key>/    what a trial that is not finished has yielded and kept so far
$UNSEEN_HOME/plans/<hash>.json         which pins each run of a plan had, newest last
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from .code import code_digest
from .errors import Damaged, Failed, Mistake
from .lab import digest_of_file
from .plan import Trial, plan_hash
from .record import Records

TABLES = ("records.parquet", "scores.parquet", "items.parquet")


class Store:
    """A folder of trials. Only `publish` puts a trial there, and it appears whole or not at all."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise Mistake(
                f"the store {self.root} is a file, not a folder; name a folder with UNSEEN_HOME, or move the file."
            )
        self._manifests = cache(self._read_manifest)

    def folder(self, trial: Trial) -> Path:
        """Where a finished trial lies."""
        return self.root / "trials" / trial.study / trial.key

    def partial(self, trial: Trial) -> Path:
        """Where an unfinished trial keeps its rows and checkpoints."""
        return self.root / "partial" / trial.study / trial.key

    def has(self, trial: Trial) -> bool:
        """Whether the trial is finished and what was written can still be read."""
        return (self.folder(trial) / "trial.json").is_file() and not self.broken(trial)

    def broken(self, trial: Trial) -> str:
        """What is wrong with a finished trial's folder; empty where all is well.

        Sizes and the manifest are looked at; `damaged` compares digests too.
        """
        folder = self.folder(trial)
        if not (folder / "trial.json").is_file():
            return ""
        try:
            told = self.manifest(trial)
        except Damaged as error:
            return str(error)
        for name, kept in cast("Mapping[str, Mapping[str, Any]]", told.get("files", {})).items():
            path = folder / name
            if not path.is_file():
                return f"{path} is gone."
            if path.stat().st_size != kept["bytes"]:
                return f"{path} holds {path.stat().st_size} bytes, not the {kept['bytes']} that were written."
        return ""

    def damaged(self, trials: Sequence[Trial]) -> dict[str, str]:
        """The finished trials whose folders are not what was written: key -> what is wrong. Reads every file."""
        found: dict[str, str] = {}
        for trial in trials:
            if why := self.broken(trial) or self._changed(trial):
                found[trial.key] = why
        return found

    def manifest(self, trial: Trial) -> dict[str, Any]:
        """A finished trial's `trial.json`. Raises Damaged where it cannot be read."""
        path = self.folder(trial) / "trial.json"
        return self._manifests(path, path.stat().st_mtime_ns)

    def manifests(self, slug: str) -> list[dict[str, Any]]:
        """The manifests of all finished trials of a study, sorted by key; unreadable ones left out."""
        found: list[dict[str, Any]] = []
        for path in sorted(self.root.glob(f"trials/{slug}/*/trial.json")):
            try:
                found.append(self._manifests(path, path.stat().st_mtime_ns))
            except Damaged:
                continue
        return found

    def records(self, trials: Sequence[Trial]) -> Records:
        """What these trials measured. Raises Damaged naming the trial that cannot be read."""
        import polars as pl

        parts: list[Records] = []
        for trial in trials:
            folder = self.folder(trial)
            try:
                rows = pl.read_parquet(folder / "records.parquet", memory_map=False)
                scores = folder / "scores.parquet"
                parts.append(
                    Records.of_frames(rows, pl.read_parquet(scores, memory_map=False) if scores.is_file() else None)
                )
            except (OSError, pl.exceptions.PolarsError, KeyError, ValueError) as error:
                raise Damaged(
                    f"the trial {trial.key} of {trial.study} cannot be read ({_short(error)}); remove {folder} and run it again."
                ) from None
        return Records.concat(parts)

    def items(self, trial: Trial) -> Iterator[dict[str, Any]]:
        """Every item of a finished trial with its prompt and answer."""
        import polars as pl

        path = self.folder(trial) / "items.parquet"
        if path.is_file():
            for row in pl.read_parquet(path, memory_map=False).iter_rows(named=True):
                yield {**row, "scores": json.loads(row["scores"]), "at": json.loads(row["at"])}

    def stale(self, trial: Trial) -> bool:
        """Whether a finished trial was measured by other code than is here now."""
        return self.manifest(trial).get("code") != code_digest(trial.study)

    def publish(self, trial: Trial, ready: Path) -> None:
        """Make a finished folder the trial's own; what stood there is moved aside. The partial folder goes."""
        to = self.folder(trial)
        with full_disk(f"publishing {trial.key}"):
            to.parent.mkdir(parents=True, exist_ok=True)
            if to.exists():
                self.set_aside(trial)
            os.rename(ready, to)
        shutil.rmtree(self.partial(trial), ignore_errors=True)

    def set_aside(self, trial: Trial) -> Path | None:
        """Move a trial's folder to `aside/`; where it went, None if there was none."""
        at = self.folder(trial)
        if not at.exists():
            return None
        to = self.root / "aside" / f"{trial.study}-{trial.key}-{time.time_ns()}"
        to.parent.mkdir(parents=True, exist_ok=True)
        os.rename(at, to)
        return to

    def discard(self, trial: Trial) -> None:
        """Forget what was measured of a trial, moving it aside, so that it is measured again."""
        self.set_aside(trial)
        shutil.rmtree(self.partial(trial), ignore_errors=True)

    @contextmanager
    def lease(self, trial: Trial) -> Iterator[bool]:
        """Whether this process may work on the trial now; it is given back at the end, or when the process dies."""
        from filelock import FileLock, Timeout

        path = self.root / "leases" / f"{trial.key}.lock"
        with full_disk("taking a lease"):
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def write_plan(self, slug: str, unpinned: Sequence[Trial], pinned: Sequence[Trial]) -> None:
        """Note which pins this run of a plan has."""
        path = self._plan(unpinned)
        with full_disk("writing the plan"):
            path.parent.mkdir(parents=True, exist_ok=True)
            told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"study": slug, "runs": []}
            pins = {u.key: dict(p.pins) for u, p in zip(unpinned, pinned, strict=True)}
            runs = [r for r in told["runs"] if r["pins"] != pins]
            told["runs"] = [*runs, {"when": now(), "pins": pins}]
            whole(path, json.dumps(told, indent=1).encode())

    def newest(self, slug: str, unpinned: Sequence[Trial]) -> dict[str, dict[str, str]] | None:
        """The pins of the newest run of a plan: unpinned key -> pins; None where it was never run."""
        path = self._plan(unpinned)
        if not path.is_file():
            return None
        try:
            return cast("dict[str, dict[str, str]]", json.loads(path.read_text(encoding="utf-8"))["runs"][-1]["pins"])
        except (ValueError, KeyError, IndexError):
            raise Damaged(
                f"the plan {path} cannot be read; remove it and run the study again (finished trials are kept)."
            ) from None

    def live(self, event: Mapping[str, Any]) -> None:
        """Mirror progress for those who watch from elsewhere; lost without harm."""
        try:
            path = self.root / "live" / f"{event['key']}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            whole(path, json.dumps(event, default=str).encode())
        except OSError:
            pass

    def _plan(self, unpinned: Sequence[Trial]) -> Path:
        return self.root / "plans" / f"{plan_hash(unpinned)}.json"

    def _changed(self, trial: Trial) -> str:
        folder = self.folder(trial)
        if not (folder / "trial.json").is_file():
            return ""
        for name, kept in self.manifest(trial).get("files", {}).items():
            if digest_of_file(folder / name) != kept["sha256"]:
                return f"{folder / name} is not what was written (its sha256 changed)."
        return ""

    def _read_manifest(self, path: Path, _: int) -> dict[str, Any]:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(told, dict) or "key" not in told:
                raise ValueError("it is no trial's manifest")
            return cast("dict[str, Any]", told)
        except (OSError, ValueError) as error:
            raise Damaged(
                f"{path} cannot be read ({_short(error)}); remove {path.parent} and run the trial again."
            ) from None


@contextmanager
def full_disk(doing: str) -> Iterator[None]:
    """Turn a world that cannot be written to into one paragraph: full disk, read-only store."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise Failed(
                f"the disk is full while {doing} ({error.filename or 'no file named'}); what was finished is intact. Free some space and run the same command again."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise Mistake(
                f"{error.filename or 'the store'} cannot be written while {doing} ({error.strerror}); name another folder with UNSEEN_HOME."
            ) from error
        raise


def whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    spare = path.with_name(f".{path.name}.{os.getpid()}")
    spare.write_bytes(content)
    os.replace(spare, path)


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
