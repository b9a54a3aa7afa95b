"""Which trials lie in a far store, and what do they hold? They are listed once, and fetched as they are asked for.

trials/<study>/<key>/trial.json                 the manifest: a trial without it does not exist
measured/<study>/<key>/<digest>/…               the files that a manifest names, see `published`
ready/<study>/<key>.json                        the manifest of a trial that a worker finished and no driver published yet
aside/<study>-<key>-<ns>.json                   a manifest that --fresh put aside; its files stay

Here, below `root`, lies a copy of what was fetched: manifests and tables, and of the other files those asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, cast

from ..disk import content, whole, writing
from ..errors import Damaged
from ..lease import lease
from .leases import Elsewhere
from .mirror import drop_partial
from .objects import AT_ONCE, Far
from .published import Files, fetch, files_of, place, replaced, send

MANY = 20  # trials from which on a whole study is listed
FRESH = 5.0  # seconds for which a listing is taken as what lies there
MARK = ".damaged"  # in a copy here: why its trial is to be measured again
TABLES = ("records.parquet", "scores.parquet")  # what judging needs; all else is fetched when it is asked for


class FarTrials:
    """The trials of a far store, with a copy of what was read of them below `root`."""

    def __init__(self, far: Far, root: Path) -> None:
        self.far, self.root, self.lease = far, root, Elsewhere(far)
        self._listed: dict[str, tuple[float, dict[str, str]]] = {}  # study -> (when, key -> stamp)
        self._brought: dict[tuple[str, str], str] = {}  # what was fetched, by the stamp that it had
        self._delivered = False
        self._texts: dict[str, dict[str, list[str]]] = {}  # study -> key -> [stamp, text] of a manifest

    def has(self, study: str, key: str) -> bool:
        """Whether the trial is finished. A study is listed once; what is not in the list is looked for again later."""
        return key in self._stamps(study, key)

    def look_again(self, study: str, key: str) -> None:
        """Ask for one trial now, whatever was listed."""
        if study not in self._listed:
            return  # it will be listed when it is asked for
        stamps = self._listed[study][1]
        seen = self.far.seen(f"trials/{study}/{key}/trial.json")
        if seen is not None:
            stamps[key] = seen.stamp
        else:
            stamps.pop(key, None)

    def manifests(self, study: str, keys: Iterable[str] | None = None) -> dict[str, str]:
        """The texts of the manifests of a study's trials (of those with these keys) by key; only new ones are fetched."""
        if keys is None:
            self._listed.pop(study, None)
        stamps, path = self._stamps(study), self.root / "index" / f"{study}.far.json"
        if study not in self._texts:
            self._texts[study] = _index(path)
        index = self._texts[study]
        wanted = sorted(stamps if keys is None else set(keys) & stamps.keys())
        new = [k for k in wanted if index.get(k, ["", ""])[0] != stamps[k]]
        read = self.far.read_many(f"trials/{study}/{k}/trial.json" for k in new)
        for key in new:
            content = read.get(f"trials/{study}/{key}/trial.json")
            if content is None:
                stamps.pop(key)
            else:
                index[key] = [stamps[key], content.decode("utf-8", errors="replace")]
        if len(new) > MANY or (new and keys is None):
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                whole(path, json.dumps({k: v for k, v in index.items() if k in stamps}).encode(), durable=False)
        return {k: index[k][1] for k in wanted if k in stamps}

    def bring(self, study: str, keys: Sequence[str]) -> dict[str, str]:
        """Fetch manifests and tables of the finished ones of these; key -> what is wrong with it there.

        What this object fetched already is left. Files that are not fetched are looked at by their sizes.
        """
        stamps = self._stamps(study)
        left = [k for k in keys if k in stamps and self._brought.get((study, k)) != stamps[k]]
        if not left:
            return {}
        texts = self.manifests(study, left)
        sizes = self._sizes(study, left)

        def one(key: str) -> str:
            return self._bring(study, key, texts[key], sizes)

        with writing("fetching trials"), ThreadPoolExecutor(AT_ONCE) as crew:
            told = dict(zip(texts, crew.map(one, texts), strict=True))
        self._brought.update({(study, k): stamps[k] for k, why in told.items() if not why})
        return {k: why for k, why in told.items() if why}

    def file(self, study: str, key: str, names: Iterable[str]) -> None:
        """Fetch more files of a trial that was brought. Raises Damaged, and the trial is so from then on."""
        folder = self.root / "trials" / study / key
        files = _files(folder.name, (folder / "trial.json").read_text(encoding="utf-8"))
        with writing("fetching trials"):
            try:
                fetch(self.far, f"measured/{study}/{key}", files, folder, [n for n in names if n in files])
            except Damaged as error:
                whole(folder / MARK, str(error).encode(), durable=False)
                self._brought.pop((study, key), None)
                raise

    def stage(self, study: str, key: str, ready: Path) -> None:
        """Copy a finished folder there, for the driver to publish, wherever that is."""
        manifest = (ready / "trial.json").read_bytes()
        send(self.far, ready, f"measured/{study}/{key}", files_of(json.loads(manifest)))
        self.far.write(f"ready/{study}/{key}.json", manifest)

    def publish(self, study: str, key: str, ready: Path) -> None:
        """Make a finished trial the store's, from the folder that lies here or the one that its worker staged.

        Raises Damaged where there is neither.
        """
        staged = self.far.read(f"ready/{study}/{key}.json")
        with suppress(FileNotFoundError):
            manifest = (ready / "trial.json").read_bytes()
            if manifest != staged:
                self.stage(study, key, ready)
            staged = manifest
        if staged is None:
            raise Damaged(f"the trial {key} of {study} is neither in {ready} nor staged; run it again.")
        self.far.write(f"trials/{study}/{key}/trial.json", staged)
        self.far.remove([f"ready/{study}/{key}.json"])
        self.look_again(study, key)

    def deliver(self) -> None:
        """Publish what was finished and not published: ready folders here, and what workers staged anywhere.

        What another works on is left to it; what is in the store by now is kept there, and ours put aside. Done once
        by each of these objects, when it is first asked for trials.
        """
        if self._delivered:
            return
        self._delivered = True
        here = [(p.parts[-4], p.parts[-3]) for p in self.root.glob("partial/*/*/ready/trial.json")]
        there = [(*n.removesuffix(".json").split("/"),) for n in self.far.listing("ready") if n.count("/") == 1]
        for study, key in sorted({*here, *((s, k) for s, k in there)}):
            partial = self.root / "partial" / study / key
            with lease(self.root / "leases" / f"{key}.lease") as free, self._lease(key, free) as mine:
                if mine:
                    self._deliver(study, key, partial)

    def _lease(self, key: str, free: bool) -> AbstractContextManager[bool]:
        return self.lease(f"leases/{key}") if free else nullcontext(False)

    def _deliver(self, study: str, key: str, partial: Path) -> None:
        ready = partial / "ready"
        self.look_again(study, key)
        with writing(f"publishing {key}"):
            if not self.has(study, key):
                with suppress(Damaged):  # another driver published it just now
                    self.publish(study, key, ready)
            elif ready.is_dir():
                to = self.root / "aside" / f"{study}-{key}-{time.time_ns()}"
                to.parent.mkdir(parents=True, exist_ok=True)
                os.rename(ready, to)
            self.far.remove([f"ready/{study}/{key}.json"])
        shutil.rmtree(partial, ignore_errors=True)
        drop_partial(self.far, study, key)

    def forget(self, study: str, key: str) -> None:
        """Take a trial out of the store; its manifest is put aside."""
        name = f"trials/{study}/{key}/trial.json"
        if (manifest := self.far.read(name)) is not None:
            self.far.write(f"aside/{study}-{key}-{time.time_ns()}.json", manifest)
        self.far.remove([name, f"ready/{study}/{key}.json"])
        self.look_again(study, key)

    def _stamps(self, study: str, key: str = "") -> dict[str, str]:
        """key -> stamp of the finished trials; listed again where `key` is not among them and the list is old."""
        when, stamps = self._listed.get(study, (-FRESH, dict[str, str]()))
        if study not in self._listed or (key and key not in stamps and time.monotonic() - when > FRESH):
            told = self.far.listing(f"trials/{study}")
            stamps = {n.partition("/")[0]: seen.stamp for n, seen in told.items() if n.endswith("/trial.json")}
            self._listed[study] = (time.monotonic(), stamps)
        return stamps

    def _sizes(self, study: str, keys: Sequence[str]) -> dict[str, int]:
        """The sizes of the files that lie there of these trials (bytes), by `<key>/<digest>/<name>`."""
        if len(keys) > MANY:
            return {n: seen.size for n, seen in self.far.listing(f"measured/{study}").items()}
        return {
            f"{key}/{n}": seen.size for key in keys for n, seen in self.far.listing(f"measured/{study}/{key}").items()
        }

    def _bring(self, study: str, key: str, text: str, sizes: Mapping[str, int]) -> str:
        """What is wrong with a trial there; empty where its manifest and tables lie here now."""
        to = self.root / "trials" / study / key
        spare = to.with_name(f".{key}.{os.getpid()}-{time.time_ns()}")
        try:
            files = _files(key, text)
            tables = [n for n in TABLES if n in files]
            for name, (size, _) in files.items():
                at = f"{place(key, files)}/{name}"
                if name not in tables and sizes.get(at) != size:
                    return f"{self.far.shown}/measured/{study}/{at} holds {sizes.get(at, 0)} bytes, not the {size} that were written."
            known = to / "trial.json"
            if known.is_file() and known.read_bytes() == text.encode():
                if (to / MARK).is_file():  # a file that was asked for is not what was written, though as long
                    return content(to / MARK).decode()
                fetch(self.far, f"measured/{study}/{key}", files, to, tables)
                return ""
            fetch(self.far, f"measured/{study}/{key}", files, spare, tables)
            whole(spare / "trial.json", text.encode(), durable=False)
            replaced(spare, to)
            return ""
        except Damaged as error:
            return str(error)
        finally:
            shutil.rmtree(spare, ignore_errors=True)


def _files(key: str, text: str) -> Files:
    """The files of a trial's manifest. Raises Damaged where it is none of this trial's."""
    try:
        told = cast("dict[str, Any]", json.loads(text))
        files = files_of(told)
        if told["key"] != key or "records.parquet" not in files:
            raise ValueError("it is not this trial's manifest")
        return files
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"the manifest of {key} in the store cannot be read ({error}).") from None


def _index(path: Path) -> dict[str, list[str]]:
    try:
        told = json.loads(content(path))
        return told if all(isinstance(t, list) and len(t) == 2 for t in told.values()) else {}
    except (OSError, ValueError, AttributeError):
        return {}
