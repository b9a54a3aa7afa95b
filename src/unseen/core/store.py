"""Where is what was measured? One trial, one folder, whole or not there.

$UNSEEN_HOME/trials/<study>/<key>/     records.parquet [scores.parquet items.parquet] files/ … and last trial.json
$UNSEEN_HOME/partial/<study>/<key>/    what a trial that is not finished has yielded and kept so far
$UNSEEN_HOME/plans/<hash>.json         which trials each run of a plan had, newest last
$UNSEEN_HOME/index/<study>.jsonl       every manifest at once; made anew from the folders wherever it differs from them
$UNSEEN_HOME/index/<study>.stamps      which trials were read in full, and when (stamps.py)
$UNSEEN_HOME/index/<study>.records     the rows of all those tables once more, and .scores (bundle.py)
$UNSEEN_HOME/failed/<key>.json         why a trial failed when it was last tried; gone once it is published
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, cast

from .bundle import Bundle
from .code import code_digest
from .disk import content, digest_of_file, whole, writing
from .errors import Damaged, Mistake
from .far.mirror import drop_partial
from .far.objects import Far
from .far.published import files_of
from .far.trials import FarTrials
from .inert import label
from .lab import local_home
from .lease import lease
from .listing import listed
from .manifest import manifest_of, misses, read_manifest, stands
from .plan import Trial, plan_hash
from .record import Records
from .stamps import Stamps, stamp_of
from .study import values_of
from .tables import Unreadable, gathered, item_of, table_at

HELD = 1_000  # manifests kept in memory


class Store:
    """A folder of trials (or an fsspec URL). Only `publish` puts a trial there, and it appears whole or not at all."""

    def __init__(self, root: str | Path) -> None:
        self.url = str(root)
        self.far = Far(self.url) if "://" in self.url else None
        self.root = local_home() / "far" / _name_of(self.far.shown) if self.far else Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise Mistake(
                f"the store {self.root} is a file, not a folder; name a folder with UNSEEN_HOME, or move the file."
            )
        self._trials = str(self.root / "trials")
        self._manifests = lru_cache(HELD)(read_manifest)
        self.stamps = cache(self._stamps)  # of a study, as they are read and noted by this store
        self.beyond = FarTrials(self.far, self.root) if self.far else None
        self.code = cache(code_digest)  # of a study, as it was when this store was opened

    def folder(self, trial: Trial) -> Path:
        """Where a finished trial lies."""
        return Path(self._at(trial))

    def _at(self, trial: Trial) -> str:
        """The same as a text: a hundred thousand paths take a second to make."""
        return f"{self._trials}/{trial.study}/{trial.key}"

    def partial(self, trial: Trial) -> Path:
        """Where an unfinished trial keeps its rows and checkpoints."""
        return self.root / "partial" / trial.study / trial.key

    def has(self, trial: Trial) -> bool:
        """Whether the trial is finished and its files are there. `sound` compares what they hold, too."""
        if self.beyond:
            return self.beyond.has(trial.study, trial.key)
        return stands(self.folder(trial)) and not self.broken(trial)

    def broken(self, trial: Trial) -> str:
        """What is wrong with a finished trial's folder, by its manifest and sizes; empty where all is well."""
        folder = self.folder(trial)
        if not stands(folder):
            return ""
        try:
            files = files_of(self._told(folder))
        except Damaged as error:
            return str(error)
        wrong = (misses(folder, name, size) for name, (size, _) in files.items())
        return next((why for why in wrong if why), "")

    def damaged(self, trials: Sequence[Trial]) -> dict[str, str]:
        """The finished trials whose folders are not what was written: key -> what is wrong."""
        return self.sound(trials)[1]

    def sound(self, trials: Sequence[Trial], *, anew: bool = False) -> tuple[list[Trial], dict[str, str]]:
        """The trials that are finished and as they were written, and what is wrong with those that are not (by key).

        Every byte is read of what was touched since it was last read; of everything with `anew`. 10^5 trials that
        were not touched take about a second.
        """
        if self.beyond:
            damaged = self.foresee(trials)
            return [t for t in trials if self.has(t) and t.key not in damaged], damaged
        stamps = {slug: self.stamps(slug) for slug in dict.fromkeys(t.study for t in trials)}
        same = set[str]()
        for slug, known in () if anew else stamps.items():
            keys = [t.key for t in trials if t.study == slug]
            same.update(key for key, unchanged in zip(keys, known.unchanged(keys), strict=True) if unchanged)
        there, damaged = list[Trial](), dict[str, str]()
        for trial in trials:
            if trial.key in same:
                there.append(trial)
            elif stands(self.folder(trial)):
                if why := self.broken(trial) or self._changed(trial):
                    damaged[trial.key] = why
                else:
                    there.append(trial)
        for known in stamps.values():
            known.keep()
        return there, damaged

    def manifest(self, trial: Trial) -> dict[str, Any]:
        """A finished trial's `trial.json`. Raises Damaged where it cannot be read."""
        self._bring([trial])
        try:
            return self._told(self.folder(trial))
        except (OSError, Damaged) as error:
            raise self._unreadable(trial, error) from None

    def manifests(self, slug: str, *, index: bool = True) -> Iterator[dict[str, Any]]:
        """The manifests of all finished trials of a study, by key, one at a time; unreadable ones left out.

        Without `index` nothing is written, so that those who only look need no right to write.
        """
        if self.beyond:
            texts = self.beyond.manifests(slug)
            return (told for key, text in texts.items() if (told := manifest_of(key, text)) is not None)
        return listed(self.root / "trials" / slug, self.root / "index" / f"{slug}.jsonl", read_manifest, write=index)

    def records(self, trials: Sequence[Trial]) -> Records:
        """What these trials measured. Raises Damaged naming the trial that cannot be read."""
        damaged = self._bring(trials)
        if bad := next((t for t in trials if t.key in damaged), None):
            raise self._unreadable(bad, Damaged(damaged[bad.key]))
        rows, items = (self._gathered(trials, name) for name in ("records.parquet", "scores.parquet"))
        return replace(rows, held=items) if len(items) else rows

    def _gathered(self, trials: Sequence[Trial], name: str) -> Records:
        """The records of one table of many trials."""
        try:
            slugs = {t.study for t in trials}
            bundle = self._bundle(slugs.pop(), name) if len(slugs) == 1 else None
            return gathered({t.key: self._at(t) for t in trials}, name, bundle)
        except Unreadable as error:
            raise self._unreadable(next(t for t in trials if t.key == error.key), error) from None

    def whole(self, trial: Trial) -> Path:
        """A finished trial's folder with every file of it here; a far store's are fetched. Raises Damaged."""
        if self.beyond:
            self.beyond.file(trial.study, trial.key, files_of(self.manifest(trial)))
        return self.folder(trial)

    def items(self, trial: Trial) -> Iterator[dict[str, Any]]:
        """Every item of a finished trial with its prompt and answer. Raises Damaged."""
        if self.beyond:
            self.beyond.file(trial.study, trial.key, ["items.parquet"] if self.manifest(trial) else ())
        try:
            table = table_at(trial.key, f"{self._at(trial)}/items.parquet")
            for row in table.iter_rows(named=True) if table is not None else ():
                yield item_of(row)
        except (ValueError, RecursionError) as error:
            raise self._unreadable(trial, error) from None

    def stale(self, trials: Sequence[Trial]) -> list[str]:
        """The keys of those finished trials of one study that were measured by other code than is here now."""
        known = self.stamps(trials[0].study).codes([t.key for t in trials]) if trials else ()
        code = {t.study: self.code(t.study) for t in trials[:1]}
        told = zip(trials, known, strict=True)
        return [t.key for t, told in told if (told or self.manifest(t).get("code")) != code[t.study]]

    def publish(self, trial: Trial, ready: Path) -> None:
        """Make a finished folder the trial's own; what stood there is moved aside. The partial folder goes.

        In a far store it may lie on the machine of a worker, which staged it. Raises Failed where the store is not
        reached: the folder then stays where it is, and `deliver` publishes it.
        """
        to = self.folder(trial)
        with writing(f"publishing {trial.key}"):
            if self.beyond:
                self.beyond.publish(trial.study, trial.key, ready)
            if ready.exists() or not self.beyond:
                to.parent.mkdir(parents=True, exist_ok=True)
                if to.exists():
                    self.set_aside(trial)
                os.rename(ready, to)
        self.tidy(trial)

    def stage(self, trial: Trial, ready: Path) -> None:
        """Copy a finished folder to a far store, for the driver to publish. Raises Failed; the folder stays."""
        if self.beyond:
            with writing(f"staging {trial.key}"):
                self.beyond.stage(trial.study, trial.key, ready)

    def foresee(self, trials: Sequence[Trial]) -> dict[str, str]:
        """Deliver what lies ready, and fetch at once what a far store holds of these trials, rather than one by one.

        Returns what is wrong with those that are damaged there, by key.
        """
        if self.beyond:
            self.beyond.deliver()
        return self._bring(trials)

    def tidy(self, trial: Trial) -> None:
        """Remove what a finished trial needs no longer: its journal, its checkpoints, its last progress."""
        _removed(str(self.partial(trial)))
        if self.far:
            drop_partial(self.far, trial.study, trial.key)
        for folder in ("live", "failed"):
            with suppress(OSError):
                (self.root / folder / f"{trial.key}.json").unlink(missing_ok=True)

    def sweep(self, finished: Sequence[Trial]) -> None:
        """Remove what is left of work on finished trials: of a driver that was killed after it published one."""
        for slug in dict.fromkeys(t.study for t in finished):
            with suppress(OSError):
                left = set(os.listdir(self.root / "partial" / slug))
                for trial in finished if left else ():
                    if trial.key in left and trial.study == slug:
                        with self.lease(trial) as mine:
                            if mine:
                                self.tidy(trial)

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
                if self.beyond:
                    self.beyond.forget(trial.study, trial.key)
                    drop_partial(self.beyond.far, trial.study, trial.key)
                self.set_aside(trial)
                shutil.rmtree(self.partial(trial), ignore_errors=True)

    @contextmanager
    def lease(self, trial: Trial) -> Generator[bool]:
        """Whether this process may work on the trial now; it is given back at the end, or when the process dies."""
        with ExitStack() as held:
            with writing("taking a lease"):
                mine = held.enter_context(lease(self.root / "leases" / f"{trial.key}.lease"))
                if mine and self.beyond:
                    mine = held.enter_context(self.beyond.lease(f"leases/{trial.key}"))
                    self.beyond.look_again(trial.study, trial.key)
            yield mine

    def check(self) -> None:
        """Raise Failed or Mistake where nothing can be written any more, here or in a far store."""
        path = self.root / "leases" / f".check.{os.getpid()}"
        with writing("writing to the store"):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                whole(path, bytes(65536))
            finally:
                path.unlink(missing_ok=True)
        if self.far:
            name = f"leases/.check-{os.getpid()}-{time.time_ns()}"
            self.far.write(name, bytes(1))
            self.far.remove([name])

    def write_plan(self, slug: str, unpinned: Sequence[Trial], pinned: Sequence[Trial]) -> None:
        """Note which trials this run of a plan has: the pinned keys and, by unpinned key, the pins themselves."""
        path = self._plan(unpinned)
        pins = {u.key: dict(p.pins) for u, p in zip(unpinned, pinned, strict=True) if p.pins}  # none is none
        with writing("writing the plan"), lease(path.with_suffix(".lease"), wait=None), self._alone(path):
            runs = [r for r in self._runs(path) or () if r["pins"] != pins]
            runs.append({"when": now(), "keys": [t.key for t in pinned], "pins": pins})
            whole(path, json.dumps({"study": slug, "runs": runs}).encode())
            if self.far:
                self.far.write(f"plans/{path.name}", path.read_bytes())

    def newest(self, slug: str, unpinned: Sequence[Trial]) -> dict[str, dict[str, str]] | None:
        """The pins of the newest run of a plan: unpinned key -> pins; None where it was never run. Raises Damaged."""
        path = self._plan(unpinned)
        runs = self._runs(path)
        if runs is None and (path.is_file() or (self.far and self.far.read(f"plans/{path.name}") is not None)):
            raise Damaged(
                f"the plan {path} cannot be read; `unseen run {slug} …` writes it again (finished trials are kept)."
            )
        return {t.key: runs[-1]["pins"].get(t.key, {}) for t in unpinned} if runs else None

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

    def _alone(self, path: Path) -> AbstractContextManager[object]:
        """A context in which no other machine writes this plan."""
        return self.beyond.lease(f"leases/plan-{path.stem}", wait=None) if self.beyond else nullcontext()

    def _bring(self, trials: Sequence[Trial]) -> dict[str, str]:
        """Fetch what a far store holds of these trials; key -> what is wrong with it there."""
        if self.beyond is None:
            return {}
        found: dict[str, str] = {}
        for study in sorted({t.study for t in trials}):
            found.update(self.beyond.bring(study, [t.key for t in trials if t.study == study]))
        return found

    def _plan(self, unpinned: Sequence[Trial]) -> Path:
        return self.root / "plans" / f"{plan_hash(unpinned)}.json"

    def _runs(self, path: Path) -> list[dict[str, Any]] | None:
        """The runs of a plan, oldest first; None where there is no plan that can be read."""
        try:
            far = self.far.read(f"plans/{path.name}") if self.far else None
            runs = json.loads(content(path) if far is None else far)["runs"]
            return runs if isinstance(runs, list) and all(map(_is_run, runs)) else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _unreadable(self, trial: Trial, error: BaseException) -> Damaged:
        return Damaged(
            f"the trial {trial.key} of {trial.study} cannot be read ({_short(error)}); `unseen run` measures it again."
        )

    def _stamps(self, slug: str) -> Stamps:
        return Stamps(self.root / "index" / f"{slug}.stamps", self.root / "trials" / slug)

    def _bundle(self, slug: str, name: str) -> Bundle:
        return Bundle(
            self.root / "index" / f"{slug}.{name.removesuffix('.parquet')}", self.root / "trials" / slug, name
        )

    def _changed(self, trial: Trial) -> str:
        """What is wrong with the content of a finished trial's files, each of which is read."""
        folder, told = self.folder(trial), self.manifest(trial)
        files, stamps = files_of(told), self.stamps(trial.study)
        shape = ("trial.json", *sorted(files))
        stamp, changed = stamp_of(str(folder), shape)
        for name, (_, sha256) in files.items():
            try:
                found = self._digest(folder / name)
            except OSError as error:
                return f"{folder / name} cannot be read ({error.strerror or error})."
            if found != sha256:
                return f"{folder / name} is not what was written (its sha256 changed)."
        stamps.note(trial.key, shape, stamp, changed, str(told.get("code")))
        return ""

    @staticmethod
    def _digest(path: Path) -> str:
        """A file's digest; a read that fails is tried once more, for some disks fail once."""
        try:
            return digest_of_file(path)
        except OSError:
            return digest_of_file(path)

    def _told(self, folder: Path) -> dict[str, Any]:
        """The manifest of a finished trial's folder. Raises Damaged or OSError."""
        path = folder / "trial.json"
        return self._manifests(path, path.stat().st_mtime_ns)


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _is_run(told: dict[str, Any]) -> bool:
    """Whether this is what a plan keeps of one time that it was run."""
    if not isinstance(told["pins"], dict):
        return False
    pins = list(cast("dict[str, Any]", told["pins"]).values())
    return all(isinstance(p, dict) and all(isinstance(v, str) for v in p.values()) for p in pins)


def _removed(partial: str) -> None:
    """Remove an unfinished trial's folder; one that holds nothing but rows goes without a look into it."""
    try:
        os.unlink(f"{partial}/rows.jsonl")
        with suppress(FileNotFoundError):
            os.rmdir(f"{partial}/files")
        os.rmdir(partial)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)


def _name_of(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _short(error: BaseException) -> str:
    return label(error, 200)
