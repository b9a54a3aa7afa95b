"""What is a run doing now? One bar for each trial at work, the last curve of what it shows, and the time left.

echo smoke            ━━━━━━━━━━━━╸━━━━━━━━━━━  2 of 4 trials  0:00:41
  unique, width 32    ━━━━━━━━━━━━━━━━━╸━━━━━━  0:00:12  loss ▇▅▄▃▂▂ 0.41  exact ▁▂▅ 0.62
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .core.study import span, values_of

if TYPE_CHECKING:
    from .core.execute import Event
    from .core.lab import Told
    from .core.plan import Trial
    from .core.record import Value

BARS = "▁▂▃▄▅▆▇█"
LINE_SECONDS = 10.0
CURVES = 2  # of one trial, at most
DRAWN = 12  # values of a curve, at most
LABEL = 44  # letters of a trial's label, at most


class Watch(Protocol):
    """Who is told what a run does: which trials it has (and which are measured already), every event, and what was found."""

    def begin(self, title: str, trials: Sequence[Trial], kept: Collection[str]) -> None: ...
    def tell(self, event: Event) -> None: ...
    def say(self, text: str) -> None: ...


@contextmanager
def watch(quiet: bool = False) -> Generator[Watch]:
    """Live bars on a terminal, a line now and then elsewhere, nothing at all where quiet. Writes to standard error."""
    if quiet:
        yield Silent()
        return
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[shown]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=5, transient=True) as bars:
        yield Bars(bars)


class Silent:
    """Shows nothing."""

    def begin(self, title: str, trials: Sequence[Trial], kept: Collection[str]) -> None:
        """Nothing."""

    def tell(self, event: Event) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


def telling(watch: Watch | None, key: str) -> Told:
    """How a Lab of no trial speaks: its words, as events of `key`, to whoever watches."""
    from .core.execute import Event

    seen = watch or Silent()

    def tell(done: float, of: float, shown: Mapping[str, Value]) -> None:
        seen.tell(Event(key, done, of, dict(shown), time.time()))

    return tell


class Curves:
    """The last values of every number that a trial shows."""

    def __init__(self) -> None:
        self.seen = dict[str, dict[str, list[float]]]()

    def add(self, event: Event) -> str:
        """The event's words, numbers with the curve they came by."""
        seen = self.seen.setdefault(event.key, {})
        told: list[str] = []
        for name, value in event.shown.items():
            if not isinstance(value, float):
                told.append(f"{name} {value}")
                continue
            curve = seen.setdefault(name, [])
            curve.append(value)
            del curve[:-DRAWN]
            drawn = spark(curve) if len(curve) > 1 and list(seen).index(name) < CURVES else ""
            told.append(" ".join(w for w in (name, drawn, f"{value:.3g}") if w))
        return "  ".join(told)

    def end(self, key: str) -> None:
        """Forget a trial that ended."""
        self.seen.pop(key, None)


class Bars:
    """A bar for the whole, by the minutes its trials need, and one for each trial at work."""

    def __init__(self, bars: Any) -> None:
        self.bars, self.tasks, self.curves = bars, dict[str, Any](), Curves()
        self.labels, self.minutes, self.share = dict[str, str](), dict[str, float](), dict[str, float]()
        self.whole: Any = None

    def begin(self, title: str, trials: Sequence[Trial], kept: Collection[str]) -> None:
        """One bar for the whole, above those of its trials."""
        self.labels = labels(trials)
        self.minutes = {t.key: t.needs.minutes for t in trials}
        self.share = {t.key: 1.0 for t in trials if t.key in kept}
        if self.whole is not None:
            self.bars.remove_task(self.whole)
        self.whole = self.bars.add_task(title, total=sum(self.minutes.values()), shown="")
        self._whole()

    def tell(self, event: Event) -> None:
        """Move the trial's bar; a trial that ended loses it and leaves a line."""
        self.share[event.key] = event.done / event.of if event.of else 1.0
        label = self.labels.get(event.key, event.key)
        if event.shown.get("ended"):
            self.curves.end(event.key)
            if (task := self.tasks.pop(event.key, None)) is not None:
                shown = next(t for t in self.bars.tasks if t.id == task).fields["shown"]
                self.bars.remove_task(task)
                self.bars.console.print(f"measured {label}  {shown}", markup=False, highlight=False)
        else:
            if event.key not in self.tasks:
                self.tasks[event.key] = self.bars.add_task(f"  {label}", total=event.of, shown="")
            shown = {"shown": self.curves.add(event)} if event.shown else {}  # who tells nothing takes nothing back
            self.bars.update(self.tasks[event.key], completed=event.done, total=event.of, **shown)
        self._whole()

    def say(self, text: str) -> None:
        """A line above the bars, which stays."""
        self.bars.console.print(text, markup=False, highlight=False)

    def _whole(self) -> None:
        if self.whole is None:
            return
        done = sum(self.minutes.get(k, 0.0) * share for k, share in self.share.items())
        over = sum(share >= 1 for share in self.share.values())
        self.bars.update(self.whole, completed=done, shown=f"{over} of {len(self.minutes)} trials")


class Lines:
    """Where there is no terminal: the first word of every trial, its last, and one every ten seconds between."""

    def __init__(self, write: Callable[[str], None] | None = None) -> None:
        self.write = write or (lambda line: print(line, file=sys.stderr, flush=True))
        self.said, self.labels, self.curves = dict[str, float](), dict[str, str](), Curves()
        self.first = dict[str, tuple[float, float]]()  # when a trial was first heard of, and its share then

    def begin(self, title: str, trials: Sequence[Trial], kept: Collection[str]) -> None:
        """How much there is to do."""
        self.labels = labels(trials)
        left = [t for t in trials if t.key not in kept]
        minutes = sum(t.needs.minutes for t in left)
        self.write(f"{title}: {len(left)} of {len(trials)} trials to measure, about {_minutes(minutes)}")

    def tell(self, event: Event) -> None:
        """A line, unless one was written a moment ago."""
        now, label = time.monotonic(), self.labels.get(event.key, event.key)
        if event.shown.get("ended"):
            self.curves.end(event.key)
            self.first.pop(event.key, None)
            self.said.pop(event.key, None)
            self.write(f"measured {label}")
            return
        shown = self.curves.add(event)
        if event.done < event.of and now - self.said.get(event.key, -LINE_SECONDS) < LINE_SECONDS:
            return
        self.said[event.key] = now
        share = event.done / (event.of or 1)
        self.write("  ".join(w for w in (label, f"{share:.0%}", self._left(event.key, share, now), shown) if w))

    def say(self, text: str) -> None:
        """The line."""
        self.write(text)

    def _left(self, key: str, share: float, now: float) -> str:
        """The time left by the pace since the trial was first heard of; nothing at first and at the end."""
        began, had = self.first.setdefault(key, (now, share))
        if share >= 1 or share <= had:
            return ""
        return f"{_minutes((now - began) * (1 - share) / (share - had) / 60)} left"


def labels(trials: Sequence[Trial]) -> dict[str, str]:
    """A few words for each trial, keyed by its key: as few fields of its setting as tell all apart, and its seeds."""
    settings = list({id(t.setting): t.setting for t in trials}.values())
    told = [{"": type(s).__name__, **values_of(s)} for s in settings]
    names = list(dict.fromkeys(name for values in told for name in values))
    texts = {n: [str(v.get(n)) for v in told] for n in names}
    levels = {n: len(set(column)) for n, column in texts.items()}
    tupled = {n for n in names if any(isinstance(v.get(n), tuple) for v in told)}
    apart, group, parts = len(set(settings)), [0] * len(told), 1
    chosen: list[str] = []
    for name in sorted(names, key=lambda n: (n in tupled, -levels[n])):
        seen: dict[tuple[int, str], int] = {}
        finer = [seen.setdefault(pair, len(seen)) for pair in zip(group, texts[name], strict=True)]
        if parts < apart and len(seen) > parts:
            chosen.append(name)
            group, parts = finer, len(seen)
    words = {
        id(s): [_named(n, v[n]) for n in names if n in chosen and n in v] for s, v in zip(settings, told, strict=True)
    }
    several = len({t.seeds for t in trials}) > 1
    found: dict[str, str] = {}
    for t in trials:
        said = words[id(t.setting)]
        seeds = [f"seed {span(t.seeds)}"] if several or not said else []
        found[t.key] = ", ".join([*said, *seeds])[:LABEL]
    return found


def spark(values: Sequence[float]) -> str:
    """Numbers as a line of bars, lowest to highest; those between 0 and 1 on the scale 0..1."""
    kept = [v for v in values if v == v and abs(v) != float("inf")]
    if not kept:
        return ""
    low, high = (0.0, 1.0) if min(kept) >= 0 and max(kept) <= 1 else (min(kept), max(kept))
    size = (high - low) or 1.0
    return "".join(BARS[min(len(BARS) - 1, int((v - low) / size * len(BARS)))] for v in kept)


def _named(name: str, value: object) -> str:
    """A field in few words: text speaks for itself, a number needs its name."""
    return str(value) if not name or (isinstance(value, str) and value) else f"{name} {value}"


def _minutes(minutes: float) -> str:
    return f"{minutes * 60:.0f} seconds" if minutes < 2 else f"{minutes:.0f} minutes"
