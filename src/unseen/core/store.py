"""Where is what was measured? One trial, one folder, whole or not there.

$UNSEEN_HOME/trials/<study>/<key>/     records.parquet [scores.parquet items.parquet] files/ … and last trial.json
$UNSEEN_HOME/partial/<study>/<key>/    what a trial that is not finished has yielded and kept so far
$UNSEEN_HOME/plans/<hash>.json         which trials each run of a plan had, newest last
$UNSEEN_HOME/index/<study>.json        every manifest at once; made anew from the folders wherever it differs from them
$UNSEEN_HOME/failed/<key>.json         why a trial failed when it was last tried; gone once it is published
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

from .code import code_digest
from .disk import whole, writing
from .errors import Damaged, Mistake
from .far import Far
from .lab import digest_of_file, local_home
from .lease import lease
from .plan import Trial, plan_hash
from .record import Records
from .study import values_of


class Store:
    """A folder of trials (or an fsspec URL). Only `publish` puts a trial there, and it appears whole or not at all."""

    def __init__(self, root: str | Path) -> None:
        self.url = str(root)
        self.far = Far(self.url) if "://" in self.url else None
        self.root = local_home() / "far" / _name_of(self.url) if self.far else Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise Mistake(
                f"the store {self.root} is a file, not a folder; name a folder with UNSEEN_HOME, or move the file."
            )
        self._manifests = cache(_manifest)
        self.code = cache(code_digest)  # of a study, as it was when this store was opened

    def folder(self, trial: Trial) -> Path:
        """Where a finished trial lies."""
        return self.root / "trials" / trial.study / trial.key

    def partial(self, trial: Trial) -> Path:
        """Where an unfinished trial keeps its rows and checkpoints."""
        return self.root / "partial" / trial.study / trial.key

    def has(self, trial: Trial) -> bool:
        """Whether the trial is finished and its files are there. `damaged` compares what they hold, too."""
        folder = self.folder(trial)
        if not (folder / "trial.json").is_file() and not (
            self.far and self.far.get(f"trials/{trial.study}/{trial.key}", folder)
        ):
            return False
        return not self.broken(trial)

    def broken(self, trial: Trial) -> str:
        """What is wrong with a finished trial's folder, by its manifest and sizes; empty where all is well."""
        folder = self.folder(trial)
        if not (folder / "trial.json").is_file():
            return ""
        try:
            path = folder / "trial.json"
            files = _files(self._manifests(path, path.stat().st_mtime_ns))
        except Damaged as error:
            return str(error)
        for name, (size, _) in files.items():
            path = folder / name
            if not path.is_file():
                return f"{path} is gone."
            if path.stat().st_size != size:
                return f"{path} holds {path.stat().st_size} bytes, not the {size} that were written."
        return ""

    def damaged(self, trials: Sequence[Trial]) -> dict[str, str]:
        """The finished trials whose folders are not what was written: key -> what is wrong. Reads every file."""
        told = {t.key: self.broken(t) or self._changed(t) for t in trials}
        return {key: why for key, why in told.items() if why}

    def sound(self, trials: Sequence[Trial]) -> tuple[list[Trial], dict[str, str]]:
        """The trials that are finished and as they were written, and what is wrong with those that are not (by key)."""
        there = [t for t in trials if self.has(t)]
        damaged = self.damaged(trials)
        return [t for t in there if t.key not in damaged], damaged

    def manifest(self, trial: Trial) -> dict[str, Any]:
        """A finished trial's `trial.json`. Raises Damaged where it cannot be read."""
        path = self.folder(trial) / "trial.json"
        try:
            return self._manifests(path, path.stat().st_mtime_ns)
        except (OSError, Damaged) as error:
            raise self._unreadable(trial, error) from None

    def manifests(self, slug: str, *, index: bool = True) -> list[dict[str, Any]]:
        """The manifests of all finished trials of a study, sorted by key; unreadable ones left out.

        Without `index` nothing is written, so that those who only look need no right to write.
        """
        if self.far:
            for key in self.far.names(f"trials/{slug}"):
                if not (self.root / "trials" / slug / key / "trial.json").is_file():
                    self.far.get(f"trials/{slug}/{key}", self.root / "trials" / slug / key)
        path = self.root / "index" / f"{slug}.json"
        known = _index(path)
        found: dict[str, Any] = {}
        for at in sorted(self.root.glob(f"trials/{slug}/*/trial.json")):
            stamp, was = at.stat().st_mtime_ns, known.get(at.parent.name)
            if was and was.get("stamp") == stamp:
                found[at.parent.name] = was
                continue
            with suppress(Damaged):
                found[at.parent.name] = {"stamp": stamp, "told": self._manifests(at, stamp)}
        if index and found != known:
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                whole(path, json.dumps(found).encode())
        return [one["told"] for one in found.values()]

    def records(self, trials: Sequence[Trial]) -> Records:
        """What these trials measured. Raises Damaged naming the trial that cannot be read."""
        import polars as pl

        parts: list[Records] = []
        for trial in trials:
            items = self._table(trial, "scores.parquet")
            try:
                parts.append(Records.of_frames(self._table(trial, "records.parquet", needed=True), items))
            except (KeyError, ValueError, AttributeError, pl.exceptions.PolarsError) as error:
                raise self._unreadable(trial, error) from None
        return Records.concat(parts)

    def items(self, trial: Trial) -> Iterator[dict[str, Any]]:
        """Every item of a finished trial with its prompt and answer. Raises Damaged."""
        table = self._table(trial, "items.parquet")
        for row in table.iter_rows(named=True) if table is not None else ():
            try:
                yield {**row, "scores": json.loads(row["scores"]), "at": json.loads(row["at"])}
            except (KeyError, ValueError) as error:
                raise self._unreadable(trial, error) from None

    def stale(self, trial: Trial) -> bool:
        """Whether a finished trial was measured by other code than is here now."""
        return self.manifest(trial).get("code") != self.code(trial.study)

    def publish(self, trial: Trial, ready: Path) -> None:
        """Make a finished folder the trial's own; what stood there is moved aside. The partial folder goes."""
        to = self.folder(trial)
        with writing(f"publishing {trial.key}"):
            if self.far:
                self.far.put(ready, f"trials/{trial.study}/{trial.key}")
            to.parent.mkdir(parents=True, exist_ok=True)
            if to.exists():
                self.set_aside(trial)
            os.rename(ready, to)
        self.tidy(trial)

    def tidy(self, trial: Trial) -> None:
        """Remove what a finished trial needs no longer: its journal, its checkpoints, its last progress."""
        shutil.rmtree(self.partial(trial), ignore_errors=True)
        for folder in ("live", "failed"):
            with suppress(OSError):
                (self.root / folder / f"{trial.key}.json").unlink(missing_ok=True)

    def set_aside(self, trial: Trial) -> Path | None:
        """Move a trial's folder to `aside/`; where it went, None if there was none."""
        at = self.folder(trial)
        if not at.exists():
            return None
        to = self.root / "aside" / f"{trial.study}-{trial.key}-{time.time_ns()}"
        with writing(f"moving {trial.key} aside"):
            to.parent.mkdir(parents=True, exist_ok=True)
            os.rename(at, to)
        return to

    def discard(self, trial: Trial) -> None:
        """Forget what was measured of a trial, moving it aside, so that it is measured again.

        A trial that another driver works on is left to it: what it measures is fresh.
        """
        with self.lease(trial) as mine:
            if mine:
                if self.far:
                    self.far.forget(f"trials/{trial.study}/{trial.key}")
                self.set_aside(trial)
                shutil.rmtree(self.partial(trial), ignore_errors=True)

    @contextmanager
    def lease(self, trial: Trial) -> Generator[bool]:
        """Whether this process may work on the trial now; it is given back at the end, or when the process dies."""
        with ExitStack() as held:
            with writing("taking a lease"):
                mine = held.enter_context(lease(self.root / "leases" / f"{trial.key}.lease"))
            yield mine

    def check(self) -> None:
        """Raise Failed or Mistake where nothing can be written any more."""
        path = self.root / "leases" / f".check.{os.getpid()}"
        with writing("writing to the store"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                whole(path, bytes(65536))
            finally:
                path.unlink(missing_ok=True)

    def write_plan(self, slug: str, unpinned: Sequence[Trial], pinned: Sequence[Trial]) -> None:
        """Note which trials this run of a plan has: the pinned keys and, by unpinned key, the pins themselves."""
        path = self._plan(unpinned)
        pins = {u.key: dict(p.pins) for u, p in zip(unpinned, pinned, strict=True)}
        with writing("writing the plan"), lease(path.with_suffix(".lease"), wait=None):
            runs = [r for r in self._runs(path) or () if r["pins"] != pins]
            runs.append({"when": now(), "keys": [t.key for t in pinned], "pins": pins})
            whole(path, json.dumps({"study": slug, "runs": runs}, indent=1).encode())
            if self.far:
                self.far.put_file(path, f"plans/{path.name}")

    def newest(self, slug: str, unpinned: Sequence[Trial]) -> dict[str, dict[str, str]] | None:
        """The pins of the newest run of a plan: unpinned key -> pins; None where it was never run. Raises Damaged."""
        path = self._plan(unpinned)
        runs = self._runs(path)
        if runs is None and path.is_file():
            raise Damaged(
                f"the plan {path} cannot be read; `unseen run {slug} …` writes it again (finished trials are kept)."
            )
        return runs[-1]["pins"] if runs else None

    def live(self, trial: Trial, event: Mapping[str, Any]) -> None:
        """Mirror a trial's progress for those who watch from elsewhere; lost without harm."""
        self._tell("live", trial, event)

    def failed(self, trial: Trial, error: str) -> None:
        """Keep why a trial failed, for those who look later; its last progress goes. Lost without harm."""
        self._tell("failed", trial, {"error": error, "when": time.time()})
        with suppress(OSError):
            (self.root / "live" / f"{trial.key}.json").unlink(missing_ok=True)

    def _tell(self, folder: str, trial: Trial, told: Mapping[str, Any]) -> None:
        """One small file about a trial that is not finished, with the words by which a reader knows it."""
        setting = {"setting": type(trial.setting).__name__, **values_of(trial.setting)}
        known = {"key": trial.key, "study": trial.study, "setting": setting, "seeds": trial.seeds}
        with suppress(OSError):
            path = self.root / folder / f"{trial.key}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            whole(path, json.dumps({**told, **known}, default=str).encode(), durable=False)

    def _plan(self, unpinned: Sequence[Trial]) -> Path:
        return self.root / "plans" / f"{plan_hash(unpinned)}.json"

    def _runs(self, path: Path) -> list[dict[str, Any]] | None:
        """The runs of a plan, oldest first; None where there is no plan that can be read."""
        try:
            far = self.far.read(f"plans/{path.name}") if self.far else None
            runs = json.loads(path.read_bytes() if far is None else far)["runs"]
            return runs if all(isinstance(r["pins"], dict) for r in runs) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _table(self, trial: Trial, name: str, *, needed: bool = False) -> Any:
        """One table of a finished trial (polars), None where it has none. Raises Damaged."""
        import polars as pl

        path = self.folder(trial) / name
        if not path.is_file() and not needed:
            return None
        try:
            return pl.read_parquet(path, memory_map=False)
        except (OSError, ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise self._unreadable(trial, error) from None

    def _unreadable(self, trial: Trial, error: BaseException) -> Damaged:
        return Damaged(
            f"the trial {trial.key} of {trial.study} cannot be read ({_short(error)}); `unseen run` measures it again."
        )

    def _changed(self, trial: Trial) -> str:
        folder = self.folder(trial)
        if not (folder / "trial.json").is_file():
            return ""
        for name, (_, sha256) in _files(self.manifest(trial)).items():
            if digest_of_file(folder / name) != sha256:
                return f"{folder / name} is not what was written (its sha256 changed)."
        return ""


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _manifest(path: Path, _: int) -> dict[str, Any]:
    """A trial.json as it was at a time (ns). Raises Damaged where it is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or cast("dict[str, Any]", told).get("key") != path.parent.name:
            raise ValueError("it is not this trial's manifest")
        if "records.parquet" not in _files(cast("dict[str, Any]", told)):
            raise ValueError("it names no records")
        return cast("dict[str, Any]", told)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{path} cannot be read ({_short(error)}).") from None


def _files(told: Mapping[str, Any]) -> dict[str, tuple[int, str]]:
    """The files of a manifest with their sizes (bytes) and digests."""
    return {str(name): (int(kept["bytes"]), str(kept["sha256"])) for name, kept in told["files"].items()}


def _index(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return told if all(isinstance(t["told"], dict) for t in told.values()) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _name_of(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
