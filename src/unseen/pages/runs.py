"""What is being measured now? Every trial at work, how far it is, what it shows, and what failed or was finished lately.

    seen = Seen()
    look(source, seen)     ->  Now(studies=[AtWork("omega", …)], failed=[…], finished=[…])
    page(now)              ->  runs.html
    fragment(now)          ->  its part that changes, for those who listen

All of it is read from the store: `live/` (progress, mirrored by the driver), `leases/` (who works), `failed/` (why a trial
could not be measured), `plans/` and the trials themselves. Nothing is written. The store keeps only the last word of a
trial, so curves are of what this server has seen since it began to look.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unseen.core.disk import content
from unseen.core.errors import Damaged
from unseen.core.inert import inert, label
from unseen.core.lease import held
from unseen.core.manifest import read_manifest
from unseen.core.study import span

from . import glyphs, layout, report
from .source import Source

LINES = 120  # points of a curve that are kept
LATELY = 12  # finished trials that are listed
OLD = 30 * 24 * 3600.0  # seconds after which a failure is no news
CURVES = 4  # numbers of one trial that are drawn
LARGEST = 1_000_000  # bytes of a file that is read here


@dataclass(frozen=True)
class Working:
    """A trial at work: its words, its share done (0..1), what it shows, curves, minutes left (None: not known), and whether
    whoever worked on it is gone."""

    key: str
    setting: Sequence[tuple[str, str]]
    seeds: str
    share: float
    shown: Sequence[tuple[str, str]]
    curves: Sequence[tuple[str, str]]
    left: float | None
    gone: bool


@dataclass(frozen=True)
class AtWork:
    """A study that is being measured: its trials at work, and how many of its plan are finished."""

    slug: str
    trials: Sequence[Working]
    done: int
    of: int

    @property
    def share(self) -> float:
        """The part of the plan that is finished, counting parts of trials (0..1)."""
        return min(1.0, (self.done + sum(t.share for t in self.trials)) / max(1, self.of, self.done + len(self.trials)))


@dataclass(frozen=True)
class Now:
    """What the store says of now."""

    studies: Sequence[AtWork]
    failed: Sequence[Mapping[str, Any]]
    finished: Sequence[Mapping[str, Any]]


@dataclass
class Seen:
    """The numbers that trials showed since this server began to look: key -> name -> (when, value), bounded."""

    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    when: dict[str, float] = field(default_factory=dict)

    def add(self, event: Mapping[str, Any]) -> None:
        """Take what a trial shows, once for each time it spoke."""
        key = str(event["key"])
        if self.when.get(key) == _when(event):
            return
        self.when[key] = _when(event)
        for name, value in _shown(event).items():
            if isinstance(value, float) and abs(value) < float("inf"):
                curve = self.curves.setdefault(key, {}).setdefault(name, [])
                curve.append(value)
                del curve[:-LINES]

    def keep(self, keys: Iterable[str]) -> None:
        """Forget all trials but these."""
        there = set(keys)
        for gone in [k for k in self.when if k not in there]:
            self.when.pop(gone, None)
            self.curves.pop(gone, None)


def look(source: Source, seen: Seen) -> Now:
    """What the store says now."""
    events = [e for e in _read(source.home / "live") if not _shown(e).get("ended")]
    for event in events:
        seen.add(event)
    seen.keep(str(e["key"]) for e in events)
    by_study: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        by_study.setdefault(label(event.get("study", "")), []).append(event)
    studies = [_at_work(source, slug, its, seen) for slug, its in sorted(by_study.items())]
    newest = time.time() - OLD
    failed = sorted(_read(source.home / "failed"), key=_when, reverse=True)
    return Now(studies, [_failed(f) for f in failed if _when(f) > newest], _finished(source))


def page(now: Now) -> str:
    """The page, which is whole without a script."""
    return layout.render("runs.html", "runs.html", title="Runs", now=now, left=left)


def fragment(now: Now) -> str:
    """The part of the page that changes."""
    return report.environment().get_template("runs_now.html").render(now=now, root="", left=left)


def left(minutes: float | None) -> str:
    """`about 3 minutes left`; empty where it is not known."""
    if minutes is None:
        return ""
    if minutes < 1.5:
        return f"about {max(1, round(minutes * 60))} seconds left"
    return f"about {minutes:.0f} minutes left" if minutes < 90 else f"about {minutes / 60:.0f} hours left"


def _at_work(source: Source, slug: str, events: Sequence[Mapping[str, Any]], seen: Seen) -> AtWork:
    trials = [_working(source, e, seen) for e in sorted(events, key=lambda e: str(e["key"]))]
    keys = _plan(source.home, slug, {str(e["key"]) for e in events})
    there = source.home / "trials" / slug
    done = sum((there / key / "trial.json").is_file() for key in keys) if _plain(slug) else 0
    return AtWork(slug, trials, done, len(keys))


def _working(source: Source, event: Mapping[str, Any], seen: Seen) -> Working:
    key = str(event["key"])
    share = min(1.0, _amount(event.get("done")) / (_amount(event.get("of")) or 1.0))
    since = held(source.home / "leases" / f"{key}.lease") if _plain(key) else None
    curves = [
        (name, glyphs.curve([(str(i), v, 1) for i, v in enumerate(curve)]))
        for name, curve in list(seen.curves.get(key, {}).items())[:CURVES]
        if len(curve) > 1
    ]
    minutes = None
    if since is not None and share > 0:
        minutes = max(0.0, (_when(event) - since) * (1 - share) / share / 60)
    return Working(
        key, _setting(event), _seeds(event), share, [(k, _value(v)) for k, v in _shown(event).items()],
        curves, minutes, since is None,
    )  # fmt: skip


def _failed(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": str(told["key"]),
        "study": label(told.get("study", "")),
        "setting": _setting(told),
        "seeds": _seeds(told),
        "error": inert(str(told.get("error", ""))),
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(_when(told))),
    }


def _finished(source: Source) -> list[dict[str, Any]]:
    """The trials that were finished last, by their folders' times."""
    root = source.home / "trials"
    found: list[tuple[int, str, str]] = []
    with suppress(OSError):
        for study in sorted((s for s in os.scandir(root) if s.is_dir()), key=lambda s: -s.stat().st_mtime_ns)[:LATELY]:
            found += source.kept.get(("lately", study.name), (study.stat().st_mtime_ns,), lambda at=study: _lately(at))
    told: list[dict[str, Any]] = []
    for _, slug, key in sorted(found, reverse=True)[:LATELY]:
        path = root / slug / key / "trial.json"
        with suppress(Damaged):
            if source.inside(path):
                told.append({"study": slug, **report.trial(read_manifest(path))})
    return told


def _lately(study: os.DirEntry[str]) -> list[tuple[int, str, str]]:
    found: list[tuple[int, str, str]] = []
    for trial in os.scandir(study.path):
        with suppress(OSError):
            found.append((os.stat(os.path.join(trial.path, "trial.json")).st_mtime_ns, study.name, trial.name))
    return sorted(found, reverse=True)[:LATELY]


def _plan(home: Path, slug: str, keys: set[str]) -> list[str]:
    """The keys of the newest plan that has one of these trials."""
    with suppress(OSError):
        for path in sorted((home / "plans").glob("*.json"), key=lambda p: -p.stat().st_mtime_ns):
            told = _json(path)
            runs = told.get("runs") if told and told.get("study") == slug else None
            held = runs[-1].get("keys") if isinstance(runs, list) and runs and isinstance(runs[-1], dict) else None
            if isinstance(held, list) and keys & set(map(str, held)):
                return [str(k) for k in held if _plain(str(k))]
    return sorted(keys)


def _read(folder: Path) -> list[dict[str, Any]]:
    """The small files of a folder that tell of a trial; what cannot be read is left out."""
    found: list[dict[str, Any]] = []
    with suppress(OSError):
        for path in sorted(folder.glob("*.json")):
            if not path.name.startswith(".") and (told := _json(path)) and told.get("key") == path.stem:
                found.append(told)
    return found


def _json(path: Path) -> dict[str, Any] | None:
    """What a small file of JSON tells. A pipe, which would wait for who writes, and a link are none."""
    with suppress(OSError, ValueError, RecursionError):
        told = json.loads(content(path, LARGEST))
        return told if isinstance(told, dict) else None
    return None


def _shown(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a trial shows, by inert names."""
    shown = event.get("shown")
    return {label(k): v for k, v in shown.items()} if isinstance(shown, dict) else {}


def _setting(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    setting = told.get("setting")
    return [("" if k == "setting" else label(k), _value(v)) for k, v in setting.items()] if isinstance(setting, dict) else []  # fmt: skip


def _seeds(told: Mapping[str, Any]) -> str:
    seeds = told.get("seeds")
    return label(span(seeds)) if isinstance(seeds, list) else ""


def _value(value: object) -> str:
    return glyphs.number(value) if isinstance(value, float) else label(value)


def _when(told: Mapping[str, Any]) -> float:
    return _amount(told.get("when"), 1e11)


def _amount(value: object, most: float = 1e300) -> float:
    """A number that is not negative and below a bound; 0 for all else."""
    return float(value) if isinstance(value, int | float) and 0 <= value < most else 0.0


def _plain(name: str) -> bool:
    """Whether a name is one of a file, and leads nowhere."""
    return bool(name) and name not in (".", "..") and all(c.isalnum() or c in "_-." for c in name)
