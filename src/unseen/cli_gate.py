"""The verb that guards a build: exit 1 when a verdict got worse.

unseen gate gate.json --study length_generalization --tier laptop      the first time: records
unseen gate gate.json --check --junit gate.xml                         later: 0, or 1 and what got worse
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import words

if TYPE_CHECKING:
    from .driver import How
    from .gate.baseline import Baseline

File = Annotated[Path, typer.Argument(metavar="FILE", help="The gate's file, to be kept beside your code.")]


def gate(
    file: File,
    study: Annotated[
        list[str] | None,
        typer.Option("--study", help="Gate this study's verdicts; with --model, the only studies of its card."),
    ] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", help="smoke, laptop or paper; laptop where a gate is recorded.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Gate this model's card.")] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="BASE", help="With --model: also gate it against this, paired.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Record today's verdicts, in place of what FILE holds.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Record what is named into FILE and keep the rest of it.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Never record: a FILE that is not there is an error.")
    ] = False,
    run: Annotated[bool, typer.Option("--run", help="Measure first what is not stored yet.")] = False,
    on: Annotated[str | None, typer.Option("--on", help="Where to measure: here, or procs:N. Measures, as --run.")] = None,
    margin: Annotated[
        float | None, typer.Option("--margin", min=0, help="By how much scores may fall; kept in FILE where recorded.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="ID=WHY", help="Let this one be worse; kept in FILE.")
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write JUnit XML.")] = None,
    json: words.Json = False,
) -> None:  # fmt: skip
    """Record verdicts; later exit 1 when one got worse."""
    from . import live
    from .core.errors import Invalid
    from .driver import How

    if record + update + check > 1:
        raise Invalid("--record, --update and --check exclude one another; give one of them.")
    anew = record or update or not (check or file.exists())
    with words.going_on(), live.watch(json) as watch:
        how = How(on or "here", watch=watch) if run or on is not None else None
        if anew:
            return _record(file, (study, tier, model, against), how, margin=margin, onto=update, as_json=json)
        code = _check(file, (study, tier, model), how, margin=margin, allow=allow, junit=junit, as_json=json)
    raise typer.Exit(code)


def _record(
    file: Path,
    asked: tuple[list[str] | None, str | None, str | None, str | None],
    how: How | None,
    *,
    margin: float | None,
    onto: bool,
    as_json: bool,
) -> None:
    from . import terminal
    from .gate import baseline, gated

    study, tier, model, against = asked
    old = baseline.read(file) if onto else None
    if old is not None and not (study or tier or model):
        seen = list(gated.again(old, old.subjects, how).values())
    else:
        seen = gated.today(study, tier or "laptop", model=model, against=against, how=how)
    kept = margin if margin is not None else old.margin if old else 0.0
    held = baseline.record(seen, margin=kept, onto=old)
    baseline.write(held, file)
    if as_json:
        return terminal.show_json({"file": str(file), "recorded": held.ids()})
    for one in seen:
        untested = sum(p.status == "untested" for p in one.parts.values())
        lacks = f", {untested} of them untested, which cannot get worse" if untested else ""
        print(f"{one.name}: {len(one.parts)} recorded{lacks}")
    terminal.wrote([file], then=f"unseen gate {file} --check --run")


def _check(
    file: Path,
    asked: tuple[list[str] | None, str | None, str | None],
    how: How | None,
    *,
    margin: float | None,
    allow: list[str] | None,
    junit: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """The exit code of a gate that was checked and told."""
    import os

    from . import terminal
    from .gate import baseline, gated
    from .gate import told as gate_report

    held = _spared(file, baseline.read(file), allow)
    seen = gated.again(held, gated.named(held, *asked), how)
    found = baseline.stands(held, seen, margin)
    notes = baseline.notes(held, found, seen)
    if junit is not None:
        gate_report.junit(found, junit)
    gate_report.summarize(gate_report.markdown(str(file), found, notes), os.environ)
    fell = [s for s in found if s.failed]
    if as_json:
        terminal.show_json(gate_report.to_json(file, found, notes))
    else:
        for told in (*gate_report.lines(found), *notes):
            print(told)
        print(f"{file}, recorded {held.recorded}: {gate_report.line(found)}.")
    return 1 if fell or not found else 0


def _spared(file: Path, held: Baseline, allow: list[str] | None) -> Baseline:
    """The gate with the exceptions that were asked for, written into its file."""
    from .gate import baseline

    if not allow:
        return held
    spared = baseline.allowing(held, allow)
    baseline.write(spared, file)
    return spared
