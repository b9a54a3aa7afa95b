"""How do things look in a terminal? Tables, and JSON for those who asked for it.

C1 supported   0.93 [0.88, 0.97]  With hints, sums longer than any trained on stay right.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import Unknown, nearest
from .core.study import span, takes_model

if TYPE_CHECKING:
    from rich.table import Table

    from .conformance import Check
    from .core.execute import Outcome
    from .core.ledger import Judged
    from .core.plan import Trial
    from .core.study import Study
    from .driver import Asked
    from .forecast import Forecast

COLOURS = {"supported": "green", "refuted": "red", "undecided": "yellow", "untested": "dim"}


def few(names: Sequence[str], most: int = 3) -> str:
    """Names in a line: all of them, or the first few and how many more there are."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def studies(found: Sequence[tuple[str, Study]], *, axis: str | None, as_json: bool) -> None:
    """Print the studies, one a line. Raises Unknown for an axis that none of them tests."""
    kept = [(slug, s) for slug, s in found if axis is None or axis in s.axes]
    if axis is not None and not kept:
        axes = sorted({a for _, s in found for a in s.axes})
        raise Unknown(
            f"--axis {axis}: no study tests it{nearest(axis, axes)}. Axes there are: {', '.join(axes) or 'none'}."
        )
    if as_json:
        told = [
            {
                "slug": slug,
                "title": s.paper.title,
                "year": s.paper.year,
                "axes": s.axes,
                "claims": len(s.claims),
                "takes_model": takes_model(s, "smoke"),
            }
            for slug, s in kept
        ]
        return show_json(told)
    wide = max((len(slug) for slug, _ in kept), default=0)
    axes = {slug: few(s.axes) for slug, s in kept}
    axes_wide = max(map(len, axes.values()), default=0)
    for slug, s in kept:
        takes = "takes a model" if takes_model(s, "smoke") else ""
        claims = f"{len(s.claims):>3} claims"
        print(f"{slug:<{wide}}  {s.paper.year}  {axes[slug]:<{axes_wide}}  {claims}  {takes:<13}  {s.paper.title}")
    if not kept:
        print("There are no studies. `unseen new my_study` starts one in ./studies.")


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
        return show_json(
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
    console = screen()
    from rich.markdown import Markdown
    from rich.text import Text

    console.print(Markdown(sheet))
    table = drawn_table("claim", "says", "measured as", "expected", "paper reports", "tiers")
    for c in claims:
        kind = "" if c["kind"] == "finding" else f" ({c['kind']})"
        table.add_row(
            *[
                Text(str(v))
                for v in (f"{c['id']}{kind}", c["says"], c["effect"], c["expect"], c["reported"], ", ".join(c["tiers"]))
            ]
        )
    console.print(table)
    console.print(
        Text("Departures from the paper" if departs else "No departures from the paper are marked.", style="bold")
    )
    for line in departs:
        console.print(Text(f"  {line}"))


def plan(trials: Sequence[Trial], done: Sequence[str], ahead: Forecast, *, as_json: bool) -> None:
    """Print the trials of a plan with their price, which of them are already measured, and how long the others take."""
    from . import forecast
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
        return show_json(
            {
                "trials": rows,
                "minutes": sum(t.needs.minutes for t in trials),
                "minutes_left": sum(t.needs.minutes for t in left),
                "forecast": forecast.told(ahead),
            }
        )
    from rich.text import Text

    console, table = screen(), drawn_table("key", "setting", "seeds", "minutes", "needs", "")
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
            span(t.seeds),
            f"{t.needs.minutes:g}",
            needs,
            "measured" if t.key in done else "",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    print(
        f"{len(trials)} trials, {sum(t.needs.minutes for t in trials):.1f} minutes in all; {len(left)} not yet measured, {sum(t.needs.minutes for t in left):.1f} minutes."
    )
    if left:
        print(forecast.sentence(ahead))


def ran(
    asked: Asked,
    failed: Sequence[Outcome],
    judged: Judged | None,
    own: Judged | None,
    written: Sequence[Path],
    *,
    as_json: bool,
) -> dict[str, Any]:
    """Print what a plan came to: failures, verdicts (those of the study's own plan beside), files; or return it as JSON."""
    for o in failed:
        print(f"unseen: trial {o.trial.key} failed: {o.error}", file=sys.stderr)
    if failed:
        print(
            f"unseen: {len(failed)} trials failed; what was measured is kept. Try them again: unseen run {asked.words()}",
            file=sys.stderr,
        )
    if as_json:
        told = judged.to_json() if judged else {"study": asked.slug, "tier": asked.tier, "verdicts": []}
        wrong = [{"key": o.trial.key, "error": o.error} for o in failed]
        beside = own.to_json()["verdicts"] if own else None
        return {**told, "failed": wrong, "own_plan": beside, "written": [str(p) for p in written]}
    if judged is not None:
        verdicts(judged, own=own)
    wrote(written)
    return {}


def verdicts(judged: Judged, *, own: Judged | None = None) -> None:
    """Print a study's verdicts, findings first; beside those of a changed plan the study's own."""
    from rich.text import Text

    theirs = {v.claim.id: v for v in own.verdicts} if own else {}
    heads = ["claim", "status", "estimate", "interval", "units", *(["own plan"] if theirs else [])]
    console, table = screen(), drawn_table(*heads, "what was claimed, and why")
    order = {"finding": 0, "control": 1, "audit": 2}
    for v in sorted(judged.verdicts, key=lambda v: order[v.claim.kind]):
        kind = "" if v.claim.kind == "finding" else f" ({v.claim.kind})"
        beside = theirs.get(v.claim.id)
        cells = [
            Text(v.claim.id + kind),
            Text(v.status, style=COLOURS[v.status]),
            Text(_number(v.estimate)),
            Text(_interval(v.low, v.high)),
            Text(str(v.units)),
            *([Text(f"{beside.status} {_number(beside.estimate)}" if beside else "–")] if theirs else []),
        ]
        table.add_row(*cells, Text.assemble(v.claim.says, *(["\n", (v.why, "dim")] if v.why else [])))
    marked = (
        " — exploratory: the plan was changed, these are not the study's own verdicts" if judged.exploratory else ""
    )
    console.print(Text(f"{judged.slug}, tier {judged.tier}{marked}", style="bold"))
    console.print(table)
    if judged.absent:
        print(f"{len(judged.absent)} of {len(judged.trials)} trials are not measured.")
    for why in judged.damaged.values():
        print(f"Left out: {why} `unseen run {judged.slug} --tier {judged.tier}` measures it again.")
    if judged.stale:
        print(f"Measured by older code: {', '.join(judged.stale)}. `unseen run … --fresh` measures them again.")


def scores(judged: Judged, notes: Sequence[str], *, as_json: bool) -> None:
    """Print what predictions made elsewhere are worth: the mean of every measure on every split."""
    rows = [r for r in judged.records.frame().sort("shifted", "split", "measure").iter_rows(named=True)]
    if as_json:
        means = [{k: r[k] for k in ("measure", "split", "shifted", "value", "n")} for r in rows]
        return show_json({**judged.to_json(), "scores": means, "notes": list(notes)})
    from rich.text import Text

    console, table = screen(), drawn_table("measure", "split", "", "mean", "n")
    for r in rows:
        where = "shifted" if r["shifted"] else "reference"
        table.add_row(*map(Text, (r["measure"], r["split"], where, f"{r['value']:.4f}", str(r["n"]))))
    console.print(table)
    for note in notes:
        print(note)
    verdicts(judged)


def checks(slug: str, made: Sequence[Check], *, as_json: bool) -> dict[str, Any]:
    """Print what `validate` found, or return it as JSON."""
    failed = [c for c in made if not c.passed]
    if as_json:
        told = [{"name": c.name, "passed": c.passed, "why": c.why} for c in made]
        return {"study": slug, "passed": not failed, "checks": told}
    for c in made:
        print(f"{'ok  ' if c.passed else 'FAIL'} {c.name}{': ' + c.why if c.why else ''}")
    print(f"{slug}: {len(made) - len(failed)} passed, {len(failed)} failed")
    return {}


def doctor(found: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what `doctor` found."""
    if as_json:
        return show_json(found)
    for part, lines in found.items():
        print(part)
        for name, value in lines.items():
            print(f"  {name:<22} {value}")


def wrote(paths: Sequence[Path], *, as_json: bool = False, then: str = "") -> None:
    """Print the files that were written, and what to do next."""
    if as_json:
        return show_json({"written": [str(p) for p in paths]})
    for path in paths:
        print(f"wrote {path}")
    if then:
        print(f"next: {then}")


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3g}"


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None or low != low else f"[{low:.3g}, {high:.3g}]"


def show_json(told: object) -> None:
    """Print JSON; a number that is none (NaN, infinite) is null."""
    print(json.dumps(_strict(told), indent=1, ensure_ascii=False, default=str))


def _strict(told: Any) -> Any:
    if isinstance(told, float):
        return told if told == told and abs(told) != float("inf") else None
    if isinstance(told, Mapping):
        return {k: _strict(v) for k, v in told.items()}
    return [_strict(v) for v in told] if isinstance(told, list | tuple) else told


def screen() -> Any:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def drawn_table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
