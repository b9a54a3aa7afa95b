"""What changed since a time? New studies, verdicts that flipped, cards that moved, and new papers near to ours.

    found = gather(store.root, datetime(2026, 11, 20, tzinfo=UTC))
    found.flips[0].change.before.status, found.flips[0].change.now.status     ->  ("supported", "refuted")
    found.moved[0].moves[0].beyond                                            ->  True: more than its intervals

Two sources are read: the ledger that comes with this package, whose dates tell of studies recorded since, and the history
of the store, where every change that was found here stands with its time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core import history
from ..core import ledger as ledgers
from ..core.card import Interval
from ..core.claim import tally
from ..core.errors import Invalid

if TYPE_CHECKING:
    from .nearness import Near

SPANS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Measured:
    """A study with verdicts it did not have: recorded in the ledger, or measured here for the first time at this tier.

    `counts` are those of its findings by status.
    """

    when: datetime
    slug: str
    title: str
    tier: str
    source: Literal["ledger", "here"]
    counts: Mapping[str, int]

    @property
    def key(self) -> str:
        """What names this change for good."""
        return f"study/{self.slug}/{self.tier}/{self.source}/{_stamp(self.when)}"


@dataclass(frozen=True, slots=True)
class Flip:
    """A verdict that is another one than before."""

    when: datetime
    change: history.Change

    @property
    def key(self) -> str:
        """What names this change for good."""
        now = self.change.now
        return f"verdict/{now.slug}/{now.tier}/{now.id}/{_stamp(self.when)}"


@dataclass(frozen=True, slots=True)
class Move:
    """A gap (shifted minus reference) that is another one than on the card before; `beyond` where the two intervals do
    not meet. Without `before` the axis is new on the card."""

    axis: str
    study: str
    measure: str
    before: Interval | None
    after: Interval
    beyond: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A card that was made, and what moved since those before it that were made in the same way; `first` without one.
    `still` counts the gaps that are as they were."""

    when: datetime
    model: str
    tier: str
    sweep: Mapping[str, str]
    first: bool
    moves: Sequence[Move]
    still: int

    @property
    def key(self) -> str:
        """What names this change for good; a digest of the model's name, which may be anything."""
        return f"card/{history.plain_name(self.model)}/{self.tier}/{_stamp(self.when)}"


Change = Measured | Flip | Moved
Gaps = Mapping[tuple[str, ...], Interval]  # the gap of every profile, by its identity


@dataclass(frozen=True)
class News:
    """What changed from `since` to `until`, each kind newest first; `notes` say what could not be looked at."""

    since: datetime
    until: datetime
    studies: Sequence[Measured] = ()
    flips: Sequence[Flip] = ()
    moved: Sequence[Moved] = ()
    papers: Sequence[Near] = ()
    notes: Sequence[str] = ()

    @property
    def changes(self) -> list[Change]:
        """Every change but new papers, the newest first: what a feed tells."""
        return newest_first([*self.studies, *self.flips, *self.moved])

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.studies or self.flips or self.moved or self.papers)


def gather(root: Path, since: datetime, *, ledger: Path | None = None, told: Collection[str] | None = None) -> News:
    """What changed at `since` (aware) or later, in the store's history and in the ledger; `until` is now.

    A ledger comes with a version of this package, so its dates may be older than the day on which it came. Where `told`
    names the keys of what was told of it before, all the others are new.
    """
    until = datetime.now(UTC)
    found = history.verdicts(root)
    flips = [Flip(_time(c.now.when), c) for c in found if c.flipped and _time(c.now.when) >= since]
    here = [m for m in _first_here(found) if m.when >= since]
    dated = since.astimezone(UTC).date()
    new = [m for m in recorded(ledger) if (m.when.date() >= dated if told is None else m.key not in told)]
    moved = [m for series in history.cards(root) for m in _moved(series) if m.when >= since]
    return News(since, until, newest_first([*here, *new]), newest_first(flips), newest_first(moved))


def all_changes(root: Path, ledger: Path | None) -> list[Change]:
    """Every change there ever was in the store at `root` and in a ledger, the newest first: what a feed chooses from."""
    return gather(root, datetime.min.replace(tzinfo=UTC), ledger=ledger).changes


def newest_first(changes: Iterable[Any]) -> list[Any]:
    """Changes in order of time, the newest first; those of one time in order of their keys."""
    return sorted(sorted(changes, key=lambda c: c.key), key=lambda c: c.when, reverse=True)


def since_of(word: str, now: datetime) -> datetime:
    """A time from `7d`, `12h`, `2w`, or a date such as 2026-11-01 (its beginning, UTC). Raises Invalid for another word."""
    if span := re.fullmatch(r"(\d{1,5})([hdw])", word.strip()):
        return now - int(span[1]) * SPANS[span[2]]
    try:
        found = datetime.fromisoformat(word.strip())
    except ValueError:
        raise Invalid(
            f"--since {word}: write a time such as 12h, 7d or 2w, a date such as 2026-11-01, or last (since the digest was last sent)."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _first_here(told: Sequence[history.Change]) -> list[Measured]:
    """The first time that each study was measured here at a tier, with all that was found at that time."""
    firsts: dict[tuple[str, str], list[history.Finding]] = {}
    for change in told:
        its = firsts.setdefault((change.now.slug, change.now.tier), [])
        if not its or change.now.when == its[0].when:
            its.append(change.now)
    return [
        Measured(
            _time(its[0].when), slug, its[0].title, tier, "here", tally(f.status for f in its if f.kind == "finding")
        )
        for (slug, tier), its in firsts.items()
    ]


def recorded(ledger: Path | None) -> list[Measured]:
    """The studies of a ledger with the days on which they were recorded; files that cannot be read are left out."""
    found: list[Measured] = []
    for slug, tier, told in ledgers.held(ledger):
        with suppress(ValueError, KeyError, TypeError):
            when = datetime.fromisoformat(told["recorded"]).replace(tzinfo=UTC)
            counts = tally(v["status"] for v in told["verdicts"] if v["kind"] == "finding")
            found.append(Measured(when, slug, str(told["title"]), tier, "ledger", counts))
    return found


def _moved(series: history.Series) -> list[Moved]:
    """Every card of a model beside those before it that were made in the same way: a card of one study alone is held
    against what was last known of that study, and leaves what is known of the others."""
    found: list[Moved] = []
    known: dict[str, dict[tuple[str, ...], Interval]] = {}
    for one in reversed(series.cards):
        way = json.dumps([one.data, sorted(one.sweep.items())])
        moves, still = _moves(known.get(way, {}), one)
        if moves:
            found.append(Moved(_time(one.when), series.model, series.tier, one.sweep, way not in known, moves, still))
        known.setdefault(way, {}).update(_gaps(one))
    return found


def _gaps(one: history.Dated) -> Gaps:
    return {p.identity: p.gap for ps in one.card.axes.values() for p in ps}


def _moves(was: Gaps, now: history.Dated) -> tuple[list[Move], int]:
    """The gaps that moved, those beyond their intervals first, and how many did not."""
    moves, still = list[Move](), 0
    for p in (p for ps in now.card.axes.values() for p in ps):
        old = was.get(p.identity)
        if old is not None and str(old) == str(p.gap):
            still += 1
            continue
        moves.append(Move(p.axis, p.study, p.measure, old, p.gap, old is not None and apart(old, p.gap)))
    return sorted(moves, key=lambda m: not m.beyond), still


def apart(one: Interval, other: Interval) -> bool:
    """Whether two intervals do not meet; False where one of them is not known."""
    return one.high < other.low or other.high < one.low


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _stamp(when: datetime) -> str:
    """A time as it can stand in the name of a change: 20261127T091244.120318Z."""
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
