"""What was found, and when? Every change of a verdict and of a card, so that news can be told.

    history/verdicts/omega.jsonl                   {"when": "2026-11-27T09:12:44.120318+00:00", "tier": "laptop", "id": "C1", …}
    history/cards/hf-Qwen-Qwen3-0.6B-5f0c….jsonl    {"when": …, "sweep": {}, "data": "", "card": {"model": …, "axes": …}}

    verdicts(store.root)[-1].before.status, verdicts(store.root)[-1].now.status      ->  ("supported", "refuted")
    cards(store.root)[0].newest.card.axes

Lines are only ever added, each in one write to a file opened for appending, so several drivers may write at once; a line
that was torn (a kill, a full disk) is left out by readers and ended by the next writer. Where the store is an fsspec URL
the history lies in its folder here: object stores cannot append, and two drivers that write a file anew lose each
other's lines. So it tells what this machine has found.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from .card import Card, Failure, Interval, OwnData, Profile
from .ledger import Judged, verdict_json

NAN = float("nan")
WORDS = ("when", "slug", "tier", "id", "kind", "says", "status", "evidence", "expect", "why", "title")


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one claim at one time (ISO 8601, UTC); a number that is not known is NaN."""

    when: str
    slug: str
    tier: str
    id: str
    kind: str
    says: str
    status: str
    estimate: float
    low: float
    high: float
    units: int
    evidence: str
    expect: str
    why: str
    version: int
    title: str


@dataclass(frozen=True, slots=True)
class Change:
    """A claim's finding and the one before it; None where it is the first."""

    now: Finding
    before: Finding | None

    @property
    def flipped(self) -> bool:
        """Whether the verdict is another one than before, not only its numbers."""
        return self.before is not None and self.before.status != self.now.status


@dataclass(frozen=True, slots=True)
class Dated:
    """A card and when it was made (ISO 8601, UTC), with the fields that were swept and the digest of an owner's files."""

    when: str
    card: Card
    sweep: Mapping[str, str]
    data: str


@dataclass(frozen=True, slots=True)
class Series:
    """All the cards of one model at one tier, the newest first."""

    model: str
    tier: str
    cards: Sequence[Dated]

    @property
    def newest(self) -> Dated:
        """The card that was made last."""
        return self.cards[0]

    @property
    def earlier(self) -> Sequence[Dated]:
        """Those before it, the newest first."""
        return self.cards[1:]


def note_verdicts(root: Path, judged: Judged) -> int:
    """Add what is new of a study's verdicts to its history; how many lines were added. Raises OSError.

    Only the study's own plan, measured whole, and claims that its tier decides: half a study's verdicts are no news.
    """
    if judged.exploratory or judged.absent or judged.damaged:
        return 0
    path = root / "history" / "verdicts" / f"{plain_name(judged.slug)}.jsonl"
    known = {_claim(line): line for line in _lines(path)}
    head = {
        "slug": judged.slug,
        "tier": judged.tier,
        "version": judged.study.version,
        "title": judged.study.paper.title,
    }
    found: list[dict[str, Any]] = [
        _strict({**head, **verdict_json(v)}) for v in judged.verdicts if judged.tier in v.claim.tiers
    ]
    return _add(path, [line for line in found if not _same(known.get(_claim(line)), line)])


def note_card(root: Path, card: Card, sweep: Mapping[str, str], data: Sequence[Path] = ()) -> int:
    """Add a card to its model's history unless the last one like it says the same; lines added. Raises OSError."""
    if not card.axes:
        return 0
    path = root / "history" / "cards" / f"{plain_name(card.model)}.jsonl"
    digest = hashlib.sha256(b"".join(hashlib.sha256(p.read_bytes()).digest() for p in data)).hexdigest()[:16]
    line = _strict({"sweep": dict(sweep), "data": digest if data else "", "card": card.to_json()})
    like = [was for was in _lines(path) if _like(was, line)]
    return _add(path, [] if like and _same(like[-1], line) else [line])


def verdicts(root: Path, since: datetime | None = None) -> list[Change]:
    """Every change of a verdict, the oldest first; with `since` (aware) only those found at that time or after it."""
    told: list[Change] = []
    for path in sorted((root / "history" / "verdicts").glob("*.jsonl")):
        last: dict[str, Finding] = {}
        seen: dict[str, Mapping[str, Any]] = {}
        for line in _lines(path):
            key = _claim(line)
            if (now := _finding(line)) is None or _same(seen.get(key), line):
                continue
            told.append(Change(now, last.get(key)))
            last[key], seen[key] = now, line
    told.sort(key=lambda c: (_time(c.now.when), c.now.slug))
    return [c for c in told if since is None or _time(c.now.when) >= since]


def cards(root: Path) -> list[Series]:
    """The cards of every model and tier, the models whose newest card is newest first."""
    found: dict[tuple[str, str], list[Dated]] = {}
    for path in sorted((root / "history" / "cards").glob("*.jsonl")):
        told: list[dict[str, Any]] = []
        for line in _lines(path):
            if (one := _dated(line)) is None or _same(next((t for t in reversed(told) if _like(t, line)), None), line):
                continue
            told.append(line)
            found.setdefault((one.card.model, one.card.tier), []).insert(0, one)
    series = [Series(*key, sorted(its, key=lambda d: _time(d.when), reverse=True)) for key, its in found.items()]
    return sorted(series, key=lambda s: _time(s.newest.when), reverse=True)


def plain_name(name: str) -> str:
    """A name fit for a file: a plain short one as it is, of any other what is plain of it and a digest of all of it."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_]{0,63}", name):
        return name
    kept = re.sub(r"[^A-Za-z0-9._]+", "-", name)[:64].strip("-.")
    return f"{kept}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}".lstrip("-")


def _add(path: Path, lines: Sequence[Mapping[str, Any]]) -> int:
    """Append lines in one write each; one that another writer left torn is ended first."""
    if not lines:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    when = datetime.now(UTC).isoformat(timespec="microseconds")
    with path.open("a+b", buffering=0) as file:
        torn = file.seek(0, os.SEEK_END) > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
        for line in lines:
            text = ("\n" if torn else "") + json.dumps({"when": when, **line}, allow_nan=False) + "\n"
            if file.write(text.encode()) != len(text):
                raise OSError(errno.ENOSPC, "only a part of a line could be written", str(path))
            torn = False
    return len(lines)


def _lines(path: Path) -> Iterable[dict[str, Any]]:
    """The whole lines of a history, in order; what is torn is left out."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    for text in content.split(b"\n")[:-1]:
        try:
            line = json.loads(text)
            _time(line["when"])
            if isinstance(line.get("card", {}), dict):
                yield line
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _same(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    """Whether two lines say the same, whenever they were written and whatever a card's notes say of its making."""
    return before is not None and _said(before) == _said(now)


def _said(line: Mapping[str, Any]) -> dict[str, Any]:
    told = {k: v for k, v in line.items() if k != "when"}
    if "card" in told:
        told["card"] = {k: v for k, v in told["card"].items() if k != "notes"}
    return told


def _like(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two lines are cards of one model, made in one way."""
    same = all(one["card"].get(k) == other["card"].get(k) for k in ("model", "tier", "against"))
    return same and all(one.get(k) == other.get(k) for k in ("sweep", "data"))


def _claim(line: Mapping[str, Any]) -> str:
    """The claim of a study that a line speaks of."""
    return f"{line.get('tier')} {line.get('id')}"


def _strict(told: Any) -> Any:
    """Plain JSON, as it is read again: a number that is none is null, a tuple a list, a key text."""
    if isinstance(told, float):
        return told if abs(told) < float("inf") else None
    if isinstance(told, Mapping):
        return {str(k): _strict(v) for k, v in cast("Mapping[Any, Any]", told).items()}
    return [_strict(v) for v in cast("Sequence[Any]", told)] if isinstance(told, list | tuple) else told


def _time(text: str) -> datetime:
    """An aware time. Raises ValueError for a text that is none."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return found


def _number(value: Any) -> float:
    return NAN if value is None else float(value)


def _finding(line: Mapping[str, Any]) -> Finding | None:
    """A line as a finding; None for one that is none."""
    try:
        words: dict[str, Any] = {k: str(line[k]) for k in WORDS}
        estimate, low, high = (_number(line[k]) for k in ("estimate", "low", "high"))
        return Finding(
            **words, estimate=estimate, low=low, high=high, units=int(line["units"]), version=int(line["version"])
        )
    except (KeyError, TypeError, ValueError):
        return None


def _dated(line: Mapping[str, Any]) -> Dated | None:
    """A line as a card of its time; None for one that is none."""
    try:
        told = line["card"]
        axes = {axis: [_profile(axis, p) for p in its] for axis, its in told["axes"].items()}
        own = _own(told["own"]) if told.get("own") else None
        card = Card(told["model"], told["tier"], axes, told["against"], told["notes"], own)
        return Dated(line["when"], card, line["sweep"], line["data"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _profile(axis: str, told: Mapping[str, Any]) -> Profile:
    change = cast("Mapping[str, Any]", told.get("change") or {})
    return Profile(
        study=told["study"],
        axis=axis,
        measure=told["measure"],
        chance=_number(told["chance"]),
        reference=_interval(told["reference"]),
        shifted=_interval(told["shifted"]),
        gap=_interval(told["gap"]),
        n=told["n"],
        evidence=told["evidence"],
        curve=[(c["at"], _number(c["value"]), c["n"]) for c in told["curve"]],
        where=told["where"],
        note=told["note"],
        formats=[(f["name"], _number(f["reference"]), _number(f["shifted"])) for f in told["formats"]],
        change=_interval(change["shifted"]) if change else None,
        change_reference=_interval(change["reference"]) if change else None,
        survives=_interval(change["survives"]) if change.get("survives") else None,
        p=change.get("p"),
    )


def _interval(told: Mapping[str, Any]) -> Interval:
    return Interval(_number(told["estimate"]), _number(told["low"]), _number(told["high"]))


def _own(told: Mapping[str, Any]) -> OwnData:
    return OwnData(
        train=told["train"],
        test=told["test"],
        says=told["says"],
        counts=told["counts"],
        examples=[(k, p, a) for k, p, a in told["examples"]],
        failures=[
            Failure(f["prompt"], f["answer"], f["said"], [(n, p, a) for n, p, a in f["near"]]) for f in told["failures"]
        ],
        notes=told["notes"],
    )
