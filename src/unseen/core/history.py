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
from .disk import content
from .ledger import Judged, verdict_json
from .manifest import WRONG
from .study import TIERS, Evidence, Tier

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
        told = content(path)
    except OSError:
        return
    for text in told.split(b"\n")[:-1]:
        try:
            line = json.loads(text)
            _time(line["when"])
            if isinstance(line.get("card", {}), dict):
                yield line
        except WRONG:
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
    """A finite number; NaN for null and for what is not finite. Raises ValueError, TypeError or OverflowError."""
    number = NAN if value is None else float(value)
    return number if abs(number) < float("inf") else NAN


def _count(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no count")
    return value


def _text(value: Any) -> str:
    """A text. Raises TypeError for what is none."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(told: Any) -> list[str]:
    return [_text(t) for t in told]


def _words(told: Mapping[Any, Any]) -> dict[str, Any]:
    """Names and values: a number, a truth value or null as it is, all else as a text."""
    return {_text(k): v if v is None or isinstance(v, int | float) else str(v) for k, v in told.items()}


def _finding(line: Mapping[str, Any]) -> Finding | None:
    """A line as a finding; None for one that is none."""
    try:
        words: dict[str, Any] = {k: str(line[k]) for k in WORDS}
        estimate, low, high = (_number(line[k]) for k in ("estimate", "low", "high"))
        return Finding(
            **words, estimate=estimate, low=low, high=high, units=int(line["units"]), version=int(line["version"])
        )
    except WRONG:
        return None


def _dated(line: Mapping[str, Any]) -> Dated | None:
    """A line as a card of its time; None for one that is none."""
    try:
        told = line["card"]
        axes = {_text(axis): [_profile(axis, p) for p in its] for axis, its in told["axes"].items()}
        own = _own(told["own"]) if told.get("own") else None
        against = None if told["against"] is None else _text(told["against"])
        card = Card(_text(told["model"]), _tier(told["tier"]), axes, against, _texts(told["notes"]), own)
        return Dated(line["when"], card, _words(line["sweep"]), _text(line["data"]))
    except WRONG:
        return None


def _tier(value: Any) -> Tier:
    """A tier. Raises ValueError for what is none."""
    return TIERS[TIERS.index(value)]


def _profile(axis: str, told: Mapping[str, Any]) -> Profile:
    change = cast("Mapping[str, Any]", told.get("change") or {})
    return Profile(
        study=_text(told["study"]),
        axis=axis,
        measure=_text(told["measure"]),
        chance=_number(told["chance"]),
        reference=_interval(told["reference"]),
        shifted=_interval(told["shifted"]),
        gap=_interval(told["gap"]),
        n=_count(told["n"]),
        evidence=cast("Evidence", _text(told["evidence"])),
        curve=[(_text(c["at"]), _number(c["value"]), _count(c["n"])) for c in told["curve"]],
        where=_words(told["where"]),
        note=_text(told["note"]),
        formats=[(_text(f["name"]), _number(f["reference"]), _number(f["shifted"])) for f in told["formats"]],
        change=_interval(change["shifted"]) if change else None,
        change_reference=_interval(change["reference"]) if change else None,
        survives=_interval(change["survives"]) if change.get("survives") else None,
        p=None if change.get("p") is None else _number(change["p"]),
    )


def _interval(told: Mapping[str, Any]) -> Interval:
    return Interval(_number(told["estimate"]), _number(told["low"]), _number(told["high"]))


def _own(told: Mapping[str, Any]) -> OwnData:
    return OwnData(
        train=_text(told["train"]),
        test=_text(told["test"]),
        says=_text(told["says"]),
        counts={_text(k): _count(v) for k, v in told["counts"].items()},
        examples=[(_text(k), _text(p), _text(a)) for k, p, a in told["examples"]],
        failures=[
            Failure(
                _text(f["prompt"]),
                _text(f["answer"]),
                _text(f["said"]),
                [(_number(n), _text(p), _text(a)) for n, p, a in f["near"]],
            )
            for f in told["failures"]
        ],
        notes=_texts(told["notes"]),
    )
