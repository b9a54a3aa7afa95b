"""What may a page read? The ledger, the store and its history, kept in memory while they stay as they are.

    source = Source.of("~/.local/share/unseen", Path("results"))
    source.catalogue()                      every paper, with its verdicts and how many trials the store holds
    source.recorded("omega")                ["laptop"]
    source.own("omega")                     the reader's own trials, by tier, and what was found of their claims

Nothing is ever written: a store that cannot be written to serves as well. What is kept is known by the times at which
its files were last changed, and only so much of it is kept at once. A trial's folder that leads out of the store (a
symbolic link) does not exist here.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unseen import driver
from unseen.core import find, history, ledger
from unseen.core.errors import UnseenError
from unseen.core.ledger import Judged
from unseen.core.store import Store
from unseen.core.study import TIERS, Study

from . import papers

Stamp = tuple[Any, ...]
MOST = 96  # things kept at once
FOLDERS = 20.0  # seconds for which the listing of studies is believed: it reads every installed package's entry points


class Kept:
    """The last few things that were made, each with the stamp of what it was made from. Safe among threads."""

    def __init__(self, most: int = MOST) -> None:
        self.most, self.held, self.lock = most, OrderedDict[Any, tuple[Stamp, Any]](), threading.Lock()

    def get(self, key: Any, stamp: Stamp, make: Callable[[], Any]) -> Any:
        """What was made of this key at this stamp, or what `make` makes now."""
        with self.lock:
            if key in self.held and self.held[key][0] == stamp:
                self.held.move_to_end(key)
                return self.held[key][1]
        made = make()
        with self.lock:
            self.held[key] = (stamp, made)
            self.held.move_to_end(key)
            while len(self.held) > self.most:
                self.held.popitem(last=False)
        return made

    def peek(self, key: Any, stamp: Stamp) -> Any:
        """What was made of this key at this stamp, or None."""
        with self.lock:
            return self.held[key][1] if key in self.held and self.held[key][0] == stamp else None


@dataclass(frozen=True)
class Own:
    """What the reader's own store holds of a study: finished trials by tier ("" for those of changed plans), how many the
    plan of each tier has, and the last finding of every claim by tier."""

    trials: Mapping[str, Sequence[Mapping[str, Any]]]
    planned: Mapping[str, int]
    found: Mapping[str, Sequence[history.Finding]]

    def tiers(self) -> list[str]:
        """The tiers of which anything is there, the smallest first; "" last."""
        return [t for t in (*TIERS, "") if self.trials.get(t) or self.found.get(t)]


@dataclass(frozen=True)
class Source:
    """The two roots that pages read (the ledger may be none), and what is kept of them."""

    home: Path
    results: Path | None
    kept: Kept = field(default_factory=Kept, compare=False)

    @staticmethod
    def of(home: str | Path, results: Path | None) -> Source:
        """The source of a store's root (of an fsspec URL: of what was fetched from there) and a ledger."""
        return Source(Store(home).root, results)

    def catalogue(self) -> tuple[papers.Listed, ...]:
        """Every paper, with its verdicts, and how many trials of it the store holds."""
        results = self.results or Path(os.devnull)
        stamp = (_tree(results, 2), _times(self.home / "trials"), tuple(self.folders().items()))
        return self.kept.get("catalogue", stamp, lambda: papers.catalogue(results, self.home))

    def held(self, slug: str) -> dict[str, Mapping[str, Any]]:
        """What the ledger holds of a study: tier -> its JSON. Files that cannot be read are left out."""
        if self.results is None or slug not in self._slugs():
            return {}
        results = self.results
        stamp = _tree(results / slug, 1)
        return self.kept.get(("held", slug), stamp, lambda: {t: told for _, t, told in ledger.held(results, slug)})

    def recorded(self, slug: str, tier: str) -> Judged | None:
        """A study's record in the ledger as something to draw: its rows and provenance, without verdicts; None without one."""
        if (study := self.study(slug)) is None or self.results is None or tier not in self.held(slug):
            return None
        results = self.results

        def made() -> Judged | None:
            try:
                told, records = ledger.read(results, slug, tier)
            except UnseenError:
                return None
            known = next(t for t in TIERS if t == tier)
            return Judged(slug, study, known, (), records, (), manifests=told["trials"])

        return self.kept.get(("recorded", slug, tier), _tree(results / slug, 1), made)

    def study(self, slug: str) -> Study | None:
        """The study of that slug; None where there is none, or it cannot be read."""
        if (folder := self.folders().get(slug)) is None:
            return None
        with suppress(UnseenError):
            return self.kept.get(
                ("study", slug), (folder, _time(folder / "study.py")), lambda: find.study(slug, folder)
            )
        return None

    def folders(self) -> dict[str, Path]:
        """The folder of every study there is."""
        return self.kept.get("folders", (time.monotonic() // FOLDERS,), find.slugs)

    def prose(self, slug: str) -> tuple[str, list[str]]:
        """A study's sheet, and what it does otherwise than its paper; empty where they cannot be read."""

        def made() -> tuple[str, list[str]]:
            sheet, departures = "", list[str]()
            with suppress(UnseenError, OSError, ValueError):
                sheet = find.sheet(slug)
            with suppress(UnseenError, OSError, ValueError):
                departures = find.departures(slug)
            return sheet, departures

        folder = self.folders().get(slug)
        return ("", []) if folder is None else self.kept.get(("prose", slug), _times(folder), made)

    def own(self, slug: str) -> Own:
        """What the reader's own store holds of a study."""
        stamp = (
            _time(self.home / "trials" / slug),
            _time(self.home / "plans"),
            _tree(self.home / "history" / "verdicts", 1),
        )
        return self.kept.get(("own", slug), stamp, lambda: self._own(slug))

    def trials(self, slug: str) -> list[dict[str, Any]]:
        """The manifests of a study's finished trials, sorted by key."""
        if slug not in self._slugs():
            return []
        root = self.home / "trials" / slug

        def made() -> list[dict[str, Any]]:
            if not self.inside(root):
                return []
            told = Store(self.home).manifests(slug, index=False)
            return [m for m in told if not os.path.islink(os.path.join(root, m["key"]))]

        return self.kept.get(("trials", slug), (_time(root),), made)

    def items(self, slug: str, tier: str) -> list[Path]:
        """The tables of prompts and answers of a study's finished trials at a tier."""
        folder = self.home / "trials" / slug
        told = self.own(slug).trials.get(tier, ())
        at = [folder / m["key"] / "items.parquet" for m in told if "items.parquet" in m.get("files", {})]
        return [p for p in at if p.is_file() and self.inside(p)]

    def judged(self, slug: str, tier: str) -> Judged | None:
        """The reader's own records of a study at a tier, to draw; None where there are none that can be read."""
        if (study := self.study(slug)) is None or tier not in TIERS:
            return None

        def made() -> Judged | None:
            store, known = Store(self.home), next(t for t in TIERS if t == tier)
            keys = {m["key"] for m in self.own(slug).trials.get(tier, ())}
            with suppress(UnseenError):
                there = [t for t in driver.newest(store, driver.ask(slug, tier)) if t.key in keys]
                return Judged(slug, study, known, there, store.records(there), ()) if there else None
            return None

        stamp = (_time(self.home / "trials" / slug), _time(self.home / "plans"))
        return self.kept.get(("judged", slug, tier), stamp, made)

    def cards(self) -> list[history.Series]:
        """The cards of every model and tier, the newest first."""
        stamp = _tree(self.home / "history" / "cards", 1)
        return self.kept.get("cards", stamp, lambda: history.cards(self.home))

    def inside(self, path: Path) -> bool:
        """Whether a path of the store leads nowhere else."""
        with suppress(OSError, RuntimeError):
            return path.resolve().is_relative_to(self.home.resolve())
        return False

    def _own(self, slug: str) -> Own:
        tier_of: dict[str, str] = {}
        planned: dict[str, int] = {}
        store = Store(self.home)
        held = self.trials(slug)
        for tier in TIERS if held else ():
            with suppress(UnseenError):
                trials = driver.newest(store, driver.ask(slug, tier))
                planned[tier] = len(trials)
                for trial in trials:
                    tier_of.setdefault(trial.key, tier)
        trials_of: dict[str, list[Mapping[str, Any]]] = {}
        for told in held:
            trials_of.setdefault(tier_of.get(told["key"], ""), []).append(told)
        newest = {(c.now.tier, c.now.id): c.now for c in self._changes() if c.now.slug == slug}
        found: dict[str, list[history.Finding]] = {}
        for (tier, _), finding in newest.items():
            found.setdefault(tier, []).append(finding)
        return Own(trials_of, planned, found)

    def _changes(self) -> list[history.Change]:
        stamp = _tree(self.home / "history" / "verdicts", 1)
        return self.kept.get("changes", stamp, lambda: history.verdicts(self.home))

    def _slugs(self) -> Iterable[str]:
        return {p.slug for p in self.catalogue()}


def listed(source: Source, slug: str) -> papers.Listed | None:
    """The paper of that slug, None where there is none."""
    return next((p for p in source.catalogue() if p.slug == slug), None)


def _time(path: Path) -> int:
    """When a file or folder was last changed (ns); 0 where there is none."""
    with suppress(OSError, ValueError):
        return path.stat().st_mtime_ns
    return 0


def _times(folder: Path) -> Stamp:
    """The folder's time and those of what lies in it."""
    with suppress(OSError), os.scandir(folder) as found:
        return (_time(folder), *sorted((e.name, e.stat().st_mtime_ns) for e in found))
    return ()


def _tree(folder: Path, deep: int) -> Stamp:
    """The times of a folder and of all below it, so many folders deep."""
    if deep < 2:
        return _times(folder)
    with suppress(OSError):
        with os.scandir(folder) as found:
            below = sorted(e.path for e in found if e.is_dir())
        return (_times(folder), *(_tree(Path(p), deep - 1) for p in below))
    return ()
