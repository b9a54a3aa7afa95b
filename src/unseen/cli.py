"""The verbs. One function each; everything heavy is imported inside the verb that needs it.

unseen run length_generalization --tier smoke --on procs:2

Exit codes: 0 done (a refuted claim is no failure), 1 something failed, 2 the caller's mistake, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import words
from .cli_digest import digest
from .cli_gate import gate
from .cli_models import card, fit
from .cli_new import new
from .cli_site import site
from .cli_view import view

if TYPE_CHECKING:
    from .core.ledger import Judged
    from .driver import Asked, How

app = typer.Typer(
    help="A laboratory for generalization: what does a model do on what it has not seen, why, and what makes it better?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        from .extras import installed

        print(f"unseen {installed('unseen')}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None: ...


@app.command("list")
def list_(
    axis: Annotated[str | None, typer.Option("--axis", help="Only studies of this axis.")] = None,
    json: words.Json = False,
) -> None:
    """Print the studies there are."""
    from . import terminal
    from .core import find

    terminal.studies([(slug, find.study(slug)) for slug in find.slugs()], axis=axis, as_json=json)


@app.command()
def show(study: words.Slug, json: words.Json = False) -> None:
    """Print a study's sheet, claims and departures from its paper."""
    from . import terminal
    from .core import find

    terminal.study(study, find.study(study), find.sheet(study), find.departures(study), as_json=json)


@app.command()
def plan(
    study: words.Slug,
    tier: words.TierWord = "laptop",
    model: words.ModelWord = None,
    set_: words.Sets = None,
    seeds: words.Seeds = None,
    on: words.On = "here",
    json: words.Json = False,
) -> None:
    """Print the trials and their price, and what will run where; nothing is measured."""
    from . import driver, forecast, terminal
    from .core import ledger

    asked = driver.ask(study, tier, model=model, sweep=words.sweep_of(set_), seeds=seeds)
    trials, done = driver.trials_of(asked), driver.finished(asked)
    left = [t for t in trials if t.key not in done]
    terminal.plan(
        trials, done, forecast.forecast(left, on, forecast.known_minutes(ledger.shipped(), study)), as_json=json
    )


@app.command()
def run(
    studies: words.Studies,
    tier: words.TierWord = "laptop",
    on: words.On = "here",
    model: words.ModelWord = None,
    set_: words.Sets = None,
    seeds: words.Seeds = None,
    limit: words.Limit = None,
    num_fewshot: words.Shots = None,
    apply_chat_template: words.Chat = None,
    dtype: words.Dtype = None,
    device: words.Device = None,
    device_map: words.DeviceMap = None,
    batch_size: words.Batch = None,
    fresh: words.Fresh = False,
    output_path: words.Out = None,
    log_samples: words.Samples = False,
    log: words.Log = None,
    json: words.Json = False,
) -> None:
    """Measure studies, with live curves, and judge their claims."""
    from . import devices, driver, live, sinks, terminal

    devices.choose(device=device, batch_size=batch_size, device_map=device_map)
    fields = {"limit": limit, "num_fewshot": num_fewshot, "apply_chat_template": apply_chat_template, "dtype": dtype}
    asked = [
        driver.ask(s, tier, model=model, sweep=words.sweep_of(set_, **fields), seeds=seeds)
        for s in words.slugs_of(studies, tier=tier, model=model)
    ]
    if log_samples and output_path is None:
        raise typer.BadParameter("--log-samples writes into the folder that --output-path names; name one.")
    told, code = [], 0
    for one in asked:
        with words.going_on(), live.watch(json) as seen, sinks.logged(seen, log) as watch:
            failed, judged = _measured(one, driver.How(on, fresh, watch))
            watch.judged(judged.verdicts if judged is not None else ())
        written = _written(judged, output_path, log_samples, apart=len(asked) > 1)
        told.append(terminal.ran(one, failed, judged, driver.beside(one), written, as_json=json))
        code = max(code, min((o.code for o in failed), default=0))  # 2 where all of them are the user's to mend
    if json:
        terminal.show_json(told[0] if len(told) == 1 else told)
    raise typer.Exit(code)


@app.command()
def judge(
    study: words.Slug,
    tier: words.TierWord = "laptop",
    model: words.ModelWord = None,
    set_: words.Sets = None,
    seeds: words.Seeds = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="DIR", help="Write the verdicts into this ledger, such as results."),
    ] = None,
    json: words.Json = False,
) -> None:
    """Judge a study's claims again from what is stored."""
    from . import driver, terminal

    asked = driver.ask(study, tier, model=model, sweep=words.sweep_of(set_), seeds=seeds)
    judged = _noted(driver.judge(asked))
    written: list[Path] = []
    if record is not None:
        from .core import ledger
        from .pages import figures

        written = [*ledger.write(judged, record), *figures.keep(judged, record / judged.slug)]
    told = terminal.ran(asked, [], judged, driver.beside(asked), written, as_json=json)
    if json:
        terminal.show_json(told)


@app.command()
def report(
    studies: Annotated[list[str] | None, typer.Argument(metavar="STUDY")] = None,
    tier: words.TierWord = "laptop",
    model: words.ModelWord = None,
    set_: words.Sets = None,
    seeds: words.Seeds = None,
    card: Annotated[
        list[str] | None,
        typer.Option("--card", metavar="MODEL", help="Add the card of this model, from what is stored."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("unseen-report.html"),
    json: words.Json = False,
) -> None:
    """Write one HTML file that opens with no network."""
    from . import driver, terminal
    from .cards import card as carded
    from .pages import report as page

    names = words.slugs_of(studies or ["all"], tier=tier, model=model)
    judged = driver.judged_of(
        [driver.ask(s, tier, model=model, sweep=words.sweep_of(set_), seeds=seeds) for s in names],
        every=bool(studies) and studies != ["all"],
    )
    cards = [carded(m, tier, formats=3, measured=False) for m in card or ()]
    terminal.wrote([page.write(judged, out, cards=cards)], as_json=json)


app.command()(card)
app.command()(fit)
app.command()(gate)
app.command()(digest)
app.command()(view)
app.command()(site)


@app.command()
def compare(
    first: words.First,
    second: words.Second,
    study: Annotated[list[str] | None, typer.Option("--study", help="Only these studies, or tasks of logs.")] = None,
    tier: words.TierWord = "laptop",
    on: words.On = "here",
    json: words.Json = False,
) -> None:
    """Compare two models, runs or logs, item by item."""
    from . import driver, live, terminal_models

    with words.going_on(), live.watch(json) as watch:
        found = driver.compare(first, second, studies=study, tier=tier, how=driver.How(on, watch=watch))
    terminal_models.comparison(found, as_json=json)


@app.command()
def data(
    study: Annotated[str, typer.Argument(metavar="STUDY[/TASK]", help="A study, or one task of it.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Items per split.")] = 100,
    to: Annotated[str, typer.Option("--to", help="jsonl, parquet, or hf (a Hugging Face datasets folder).")] = "jsonl",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write; jsonl goes to the terminal if left out.")
    ] = None,
    split: Annotated[list[str] | None, typer.Option("--split", help="Only these splits; `train` is one too.")] = None,
    tier: words.TierWord = "laptop",
    set_: words.Sets = None,
    seed: Annotated[int, typer.Option("--seed", help="The seed of the draw.")] = 0,
) -> None:
    """Write items with split, right answer and receipt."""
    from . import items, terminal

    drawn = items.draw(study, n=n, tier=tier, sweep=words.sweep_of(set_), seed=seed, splits=split)
    written = items.write(drawn, to, out)
    if written is not None:
        terminal.wrote([written])


@app.command()
def score(
    study: words.Slug,
    predictions: Annotated[
        Path,
        typer.Argument(metavar="PREDICTIONS", help="jsonl rows with id, receipt (as `data` wrote them) and answer."),
    ],
    json: words.Json = False,
) -> None:
    """Judge answers that were made elsewhere."""
    from . import items, terminal

    judged, notes = items.score(study, predictions)
    terminal.scores(judged, notes, as_json=json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def use(ctx: typer.Context, study: words.Slug) -> None:
    """Use the tool that a study leaves behind."""
    from .core import find

    find.module(study, "tool").app(args=ctx.args, prog_name=f"unseen use {study}")


@app.command()
def export(
    study: words.Part,
    to: words.Form,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write into.")] = Path("export"),
    tier: words.TierWord = "laptop",
    model: words.ModelWord = None,
    set_: words.Sets = None,
    seeds: words.Seeds = None,
    n: Annotated[int, typer.Option("--n", min=1, help="Items per split, of lm-eval-tasks.")] = 100,
    json: words.Json = False,
) -> None:
    """Write tables, tasks or trained models for other tools."""
    from . import driver, export, lm_eval_tasks, terminal

    if to == "lm-eval-tasks":
        written = lm_eval_tasks.write(study, out, n=n, tier=tier, sweep=words.sweep_of(set_))
        return terminal.wrote(written, as_json=json, then=lm_eval_tasks.command(study, out))
    asked = driver.ask(study, tier, model=model, sweep=words.sweep_of(set_), seeds=seeds)
    terminal.wrote(export.write(asked, to, out), as_json=json)


app.command()(new)


@app.command()
def validate(
    studies: words.Studies,
    write: Annotated[bool, typer.Option("--write", help="Write smoke.json from this run.")] = False,
    widen: Annotated[
        bool, typer.Option("--widen", help="Widen the ranges of smoke.json by what this machine measures.")
    ] = False,
    json: words.Json = False,
) -> None:
    """Check that a study keeps every rule, and runs."""
    from . import conformance, terminal

    told, code = [], 0
    for slug in words.slugs_of(studies):
        with words.going_on():
            made = conformance.checked(slug, keep="wider" if widen else "new" if write else "")
        told.append(terminal.checks(slug, made, as_json=json))
        code = max(code, 0 if all(c.passed for c in made) else 1)
    if json:
        terminal.show_json(told[0] if len(told) == 1 else told)
    raise typer.Exit(code)


@app.command()
def doctor(json: words.Json = False) -> None:
    """Print versions, devices, folders, and what is missing."""
    from . import doctor as check
    from . import terminal

    terminal.doctor(check.examine(), as_json=json)


def main() -> None:
    """The console script: runs a verb and turns what went wrong into one paragraph and an exit code."""
    from .core.errors import UnseenError

    try:
        app(args=[words.spelled(word) for word in sys.argv[1:]], prog_name="unseen")
    except UnseenError as error:
        print(f"unseen: {error}", file=sys.stderr)
        sys.exit(error.code)
    except OSError as error:
        print(f"unseen: {error.filename or 'a file'}: {error.strerror or error}; name another path.", file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        print(f"unseen: {_unforeseen(error)}", file=sys.stderr)
        sys.exit(1)


def _unforeseen(error: Exception) -> str:
    """What to tell of an error that nobody foresaw; all of it is kept in a file."""
    import tempfile
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    with tempfile.NamedTemporaryFile("w", prefix="unseen-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.writelines(traceback.format_exception(error))
    where = f"{Path(last.filename).name}, line {last.lineno}"
    return f"{type(error).__name__}: {error} ({where}). This should not happen; please report it with {file.name}."


def _measured(asked: Asked, how: How) -> tuple[list[Any], Judged | None]:
    """The trials of a plan that failed, and its verdicts unless all of them did."""
    from . import driver

    outcomes, judged = driver.carried_out(asked, how)
    return [o for o in outcomes if o.status == "failed"], _noted(judged) if judged is not None else None


def _noted(judged: Judged) -> Judged:
    """The same, noted in the history; a history that cannot be written is told, no more."""
    from . import driver

    if said := driver.noted(judged):
        print(f"unseen: {said}", file=sys.stderr)
    return judged


def _written(judged: Judged | None, out: Path | None, samples: bool, *, apart: bool) -> list[Path]:
    """What `--output-path` writes: one folder, or one for each of several studies."""
    if judged is None or out is None:
        return []
    from . import export

    return export.folder(judged, out / judged.slug if apart else out, samples=samples)


if __name__ == "__main__":
    main()
