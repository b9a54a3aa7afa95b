"""How things look in a terminal: tables, live bars with time left, and JSON for those who asked for it.

C1 supported   0.93 [0.88, 0.97]  With hints, sums longer than any trained on stay right.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.study import takes_model

if TYPE_CHECKING:
    from rich.table import Table

    from .conformance import Check
    from .core.card import Card
    from .core.compare import Comparison
    from .core.execute import Event
    from .core.ledger import Judged
    from .core.plan import Trial
    from .core.study import Study
    from .driver import Asked, Tell

COLOURS = {"supported": "green", "refuted": "red", "undecided": "yellow", "untested": "dim"}
BARS = "▁▂▃▄▅▆▇█"


def studies(found: Sequence[tuple[str, Study]], *, axis: str | None, as_json: bool) -> None:
    """Print the studies, one a line."""
    kept = [(slug, s) for slug, s in found if axis is None or axis in s.axes]
    if as_json:
        told = [
            {"slug": slug, "title": s.paper.title, "year": s.paper.year, "axes": s.axes, "claims": len(s.claims)}
            for slug, s in kept
        ]
        return _json(told)
    if not kept:
        axes = sorted({a for _, s in found for a in s.axes})
        print(f"No study tests the axis {axis!r}. Axes there are: {', '.join(axes) or 'none'}.")
        return
    wide = max(len(slug) for slug, _ in kept)
    for slug, s in kept:
        takes = "takes a model" if takes_model(s, "smoke") else ""
        print(
            f"{slug:<{wide}}  {s.paper.year}  {', '.join(s.axes):<22} {len(s.claims):>3} claims  {takes:<14} {s.paper.title}"
        )


def study(slug: str, found: Study, sheet: str, departs: Sequence[str], *, as_json: bool) -> None:
    """Print a study's sheet, claims and departures."""
    claims = [
        {
            "id": c.id,
            "kind": c.kind,
            "says": c.says,
            "effect": str(c.effect),
            "expect": str(c.expect),
            "reported": c.reported,
            "tiers": c.tiers,
        }
        for c in found.claims
    ]
    if as_json:
        return _json(
            {
                "slug": slug,
                "title": found.paper.title,
                "arxiv": found.paper.arxiv,
                "axes": found.axes,
                "claims": claims,
                "departures": departs,
                "sheet": sheet,
            }
        )
    console = _console()
    from rich.markdown import Markdown
    from rich.text import Text

    console.print(Markdown(sheet))
    table = _table("claim", "says", "measured as", "expected", "paper reports", "tiers")
    for c in claims:
        kind = "" if c["kind"] == "finding" else f" ({c['kind']})"
        table.add_row(
            *[
                Text(str(v))
                for v in (c["id"] + kind, c["says"], c["effect"], c["expect"], c["reported"], ", ".join(c["tiers"]))
            ]
        )
    console.print(table)
    console.print(
        Text("Departures from the paper" if departs else "No departures from the paper are marked.", style="bold")
    )
    for line in departs:
        console.print(Text(f"  {line}"))


def plan(trials: Sequence[Trial], done: Sequence[str], *, as_json: bool) -> None:
    """Print the trials of a plan with their price, and which of them are already measured."""
    from .core.study import values_of

    left = [t for t in trials if t.key not in done]
    if as_json:
        rows = [
            {
                "key": t.key,
                "study": t.study,
                "setting": {"class": type(t.setting).__name__, **values_of(t.setting)},
                "seeds": t.seeds,
                "minutes": t.needs.minutes,
                "measured": t.key in done,
            }
            for t in trials
        ]
        return _json(
            {
                "trials": rows,
                "minutes": sum(t.needs.minutes for t in trials),
                "minutes_left": sum(t.needs.minutes for t in left),
            }
        )
    from rich.text import Text

    console, table = _console(), _table("key", "setting", "seeds", "minutes", "needs", "")
    for t in trials:
        values = ", ".join(f"{k}={v}" for k, v in values_of(t.setting).items())
        needs = (
            f"{t.needs.cpus:g} cpu"
            + (f", {t.needs.gpus:g} gpu" if t.needs.gpus else "")
            + (f", {'+'.join(t.needs.extras)}" if t.needs.extras else "")
        )
        cells = (
            t.key,
            f"{type(t.setting).__name__}({values})",
            _span(t.seeds),
            f"{t.needs.minutes:g}",
            needs,
            "measured" if t.key in done else "",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    print(
        f"{len(trials)} trials, {sum(t.needs.minutes for t in trials):.1f} minutes in all; {len(left)} not yet measured, {sum(t.needs.minutes for t in left):.1f} minutes."
    )


def run(asked: Asked, *, on: str, fresh: bool, output_path: Path | None, log_samples: bool, as_json: bool) -> int:
    """Measure with live bars, judge, print the verdicts; the exit code (1 if a trial failed)."""
    from . import driver, export

    try:
        with progress(as_json) as tell:
            outcomes = driver.measure(asked, on=on, fresh=fresh, tell=tell)
    except KeyboardInterrupt:
        print(f"\nStopped; what was done is kept. Go on with: unseen run {asked.words()}", file=sys.stderr)
        return 130
    failed = [o for o in outcomes if o.status == "failed"]
    for o in failed:
        print(f"unseen: trial {o.trial.key} failed: {o.error}", file=sys.stderr)
    if len(failed) < len(outcomes):
        judged = driver.judge(asked)
        verdicts(judged, as_json=as_json)
        if output_path is not None:
            wrote(export.folder(judged, output_path, samples=log_samples), as_json=as_json)
    if failed:
        print(
            f"unseen: {len(failed)} of {len(outcomes)} trials failed; the others are kept. Try them again: unseen run {asked.words()}",
            file=sys.stderr,
        )
    return 1 if failed else 0


def verdicts(judged: Judged, *, as_json: bool) -> None:
    """Print a study's verdicts, findings first."""
    if as_json:
        return _json(judged.to_json())
    from rich.text import Text

    console, table = _console(), _table("claim", "status", "estimate", "interval", "units", "what was claimed, and why")
    order = {"finding": 0, "control": 1, "audit": 2}
    for v in sorted(judged.verdicts, key=lambda v: order[v.claim.kind]):
        kind = "" if v.claim.kind == "finding" else f" ({v.claim.kind})"
        why = Text.assemble(v.claim.says, "\n", (v.why, "dim"))
        table.add_row(
            Text(v.claim.id + kind),
            Text(v.status, style=COLOURS[v.status]),
            _number(v.estimate),
            _interval(v.low, v.high),
            Text(str(v.units)),
            why,
        )
    marked = " — exploratory: the plan was changed" if judged.exploratory else ""
    console.print(Text(f"{judged.slug}, tier {judged.tier}{marked}", style="bold"))
    console.print(table)
    if judged.absent:
        print(f"{len(judged.absent)} of {len(judged.trials)} trials are not measured.")
    if judged.stale:
        print(f"Measured by older code: {', '.join(judged.stale)}. `unseen run … --fresh` measures them again.")


def card(made: Card, *, as_json: bool) -> None:
    """Print a model's profile."""
    if as_json:
        return _json(made.to_json())
    from rich.text import Text

    console = _console()
    heading = f"{made.model} at tier {made.tier}" + (f", against {made.against}" if made.against else "")
    console.print(Text(heading, style="bold"))
    table = _table(
        "axis",
        "study",
        "reference",
        "shifted",
        "gap",
        "along the axis",
        "chance",
        "n",
        *(["change, shifted"] if made.against else []),
    )
    for axis, profiles in made.axes.items():
        for p in profiles:
            cells = [
                axis,
                f"{p.study}: {p.measure}",
                p.reference.text(),
                p.shifted.text(),
                p.gap.text(signed=True),
                spark([v for _, v, _ in p.curve]),
                f"{p.chance:g}",
                str(p.n),
            ]
            table.add_row(
                *[Text(c) for c in cells + ([p.change.text(signed=True) if p.change else "–"] if made.against else [])]
            )
    console.print(table)
    for note in made.notes:
        print(note)


def comparison(found: Comparison, *, as_json: bool) -> None:
    """Print the paired differences of two models or runs."""
    if as_json:
        return _json(found.to_json())
    from rich.text import Text

    console, table = _console(), _table("what", "split", "A", "B", "B − A", "p", "Holm", "n")
    for d in found.differences:
        table.add_row(
            *[
                Text(c)
                for c in (
                    d.what,
                    d.split,
                    f"{d.a:.3f}",
                    f"{d.b:.3f}",
                    f"{d.estimate:+.3f} [{d.low:+.3f}, {d.high:+.3f}]",
                    f"{d.p:.3g}",
                    f"{d.holm:.3g}",
                    str(d.n),
                )
            ]
        )
    console.print(Text(f"A = {found.first}, B = {found.second}", style="bold"))
    console.print(table)
    for note in found.notes:
        print(note)


def scores(judged: Judged, *, as_json: bool) -> None:
    """Print what predictions made elsewhere are worth: the mean of every measure on every split."""
    rows = [r for r in judged.records.frame().sort("shifted", "split", "measure").iter_rows(named=True)]
    if as_json:
        return _json(
            {
                **judged.to_json(),
                "scores": [{k: r[k] for k in ("measure", "split", "shifted", "value", "n")} for r in rows],
            }
        )
    from rich.text import Text

    console, table = _console(), _table("measure", "split", "", "mean", "n")
    for r in rows:
        table.add_row(
            *[
                Text(str(c))
                for c in (
                    r["measure"],
                    r["split"],
                    "shifted" if r["shifted"] else "reference",
                    f"{r['value']:.4f}",
                    r["n"],
                )
            ]
        )
    console.print(table)
    verdicts(judged, as_json=False)


def checks(slug: str, made: Sequence[Check], *, as_json: bool) -> bool:
    """Print what `validate` found; whether anything failed."""
    failed = [c for c in made if not c.passed]
    if as_json:
        _json(
            {
                "study": slug,
                "passed": not failed,
                "checks": [{"name": c.name, "passed": c.passed, "why": c.why} for c in made],
            }
        )
        return bool(failed)
    for c in made:
        print(f"{'ok  ' if c.passed else 'FAIL'} {c.name}{': ' + c.why if c.why else ''}")
    print(f"{slug}: {len(made) - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


def doctor(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what `doctor` found."""
    if as_json:
        return _json(found)
    for part, lines in found.items():
        print(part)
        for name, value in lines.items():
            print(f"  {name:<22} {value}")


def wrote(paths: Sequence[Path], *, as_json: bool = False, then: str = "") -> None:
    """Print the files that were written, and what to do next."""
    if as_json:
        print(json.dumps({"written": [str(p) for p in paths]}), file=sys.stderr)
        return
    for path in paths:
        print(f"wrote {path}")
    if then:
        print(f"next: {then}")


@contextmanager
def progress(quiet: bool = False) -> Iterator[Tell]:
    """A callable that takes events and keeps one bar a trial, with its last shown values and the time left."""
    if quiet or not sys.stderr.isatty():
        yield _silent if quiet else _Lines().tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.fields[shown]}"),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=5) as bars:
        yield _Bars(bars).tell


class _Bars:
    """One bar for each trial that has said something."""

    def __init__(self, bars: Any) -> None:
        self.bars, self.tasks, self.curves = bars, dict[str, Any](), dict[str, list[float]]()

    def tell(self, event: Event) -> None:
        if event.key not in self.tasks:
            self.tasks[event.key] = self.bars.add_task(event.key, total=event.of, shown="")
        curve = self.curves.setdefault(event.key, [])
        numbers = [v for v in event.shown.values() if isinstance(v, float)]
        if numbers:
            curve.append(numbers[0])
        self.bars.update(
            self.tasks[event.key], completed=event.done, total=event.of, shown=f"{spark(curve[-20:])} {_shown(event)}"
        )


class _Lines:
    """Where there is no terminal: a line a trial, every ten seconds at most."""

    def __init__(self) -> None:
        self.said = dict[str, float]()

    def tell(self, event: Event) -> None:
        now = time.monotonic()
        if event.done < event.of and now - self.said.get(event.key, -10.0) < 10:
            return
        self.said[event.key] = now
        print(f"{event.key} {event.done:g}/{event.of:g} {_shown(event)}", file=sys.stderr, flush=True)


def _silent(event: Event) -> None:
    """Nothing."""


def spark(values: Sequence[float]) -> str:
    """Numbers as a line of bars, lowest to highest; those between 0 and 1 on the scale 0..1."""
    kept = [v for v in values if v == v and abs(v) != float("inf")]
    if not kept:
        return ""
    low, high = (0.0, 1.0) if min(kept) >= 0 and max(kept) <= 1 else (min(kept), max(kept))
    span = (high - low) or 1.0
    return "".join(BARS[min(len(BARS) - 1, int((v - low) / span * len(BARS)))] for v in kept)


def _shown(event: Event) -> str:
    return " ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in event.shown.items())


def _span(seeds: Sequence[int]) -> str:
    return f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3g}"


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None or low != low else f"[{low:.3g}, {high:.3g}]"


def _json(told: object) -> None:
    print(json.dumps(told, indent=1, ensure_ascii=False, default=str))


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
