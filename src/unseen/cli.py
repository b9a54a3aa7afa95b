"""The verbs. One function each; everything heavy is imported inside the verb that needs it.

unseen run length_generalization --tier smoke --on procs:2
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="A laboratory for generalization: what does a model do on what it has not seen, why, and what makes it better?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Studies = Annotated[list[str], typer.Argument(metavar="STUDY...", help="Slugs of studies, or `all`.")]
Slug = Annotated[str, typer.Argument(metavar="STUDY", help="The slug of a study; `unseen list` prints all.")]
TierWord = Annotated[str, typer.Option("--tier", help="smoke (seconds), laptop (minutes) or paper (a cluster).")]
ModelWord = Annotated[
    str | None,
    typer.Option(
        "--model", help="hf:ORG/NAME, gguf:PATH, smollm2, api:NAME@URL, py:module:function, tiny:decoder, replay:FILE."
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=A,B", help="Replace a field of the settings; commas sweep, 5:6:7 is a tuple."),
]
Seeds = Annotated[int | None, typer.Option("--seeds", help="How many seeds, instead of the tier's own number.")]
On = Annotated[str, typer.Option("--on", help="Where to work: here, or procs:N.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Measure again what is already stored.")]
Limit = Annotated[int | None, typer.Option("--limit", help="Items per split, where settings have a field `limit`.")]
Shots = Annotated[
    int | None, typer.Option("--num-fewshot", help="Exemplars, where settings have a field `num_fewshot`.")
]
Chat = Annotated[
    bool | None,
    typer.Option("--apply-chat-template/--no-apply-chat-template", help="Chat turns, where settings have the field."),
]
Dtype = Annotated[
    str | None, typer.Option("--dtype", help="float32, bfloat16, …, where settings have a field `dtype`.")
]
Device = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, cuda:1, mps; the fastest there is if left out.")
]
Batch = Annotated[
    str | None, typer.Option("--batch-size", help="auto, or the number of prompts a local model takes at once.")
]
Out = Annotated[Path | None, typer.Option("--output-path", help="Also write verdicts and rows into this folder.")]
Samples = Annotated[
    bool, typer.Option("--log-samples", help="With --output-path: also every prompt and answer, as jsonl.")
]


@app.command("list")
def list_(
    axis: Annotated[str | None, typer.Option("--axis", help="Only studies of this axis.")] = None, json: Json = False
) -> None:
    """Print the studies there are."""
    from . import terminal
    from .core import find

    terminal.studies([(slug, find.study(slug)) for slug in find.slugs()], axis=axis, as_json=json)


@app.command()
def show(study: Slug, json: Json = False) -> None:
    """Print a study's sheet, its claims and where it departs from its paper."""
    from . import terminal
    from .core import find

    terminal.study(study, find.study(study), find.sheet(study), find.departures(study), as_json=json)


@app.command()
def plan(
    study: Slug,
    tier: TierWord = "laptop",
    model: ModelWord = None,
    set_: Sets = None,
    seeds: Seeds = None,
    json: Json = False,
) -> None:
    """Print the trials a run would do and what they would cost; nothing is measured."""
    from . import driver, terminal

    asked = driver.ask(study, tier, model=model, sweep=_sweep(set_), seeds=seeds)
    terminal.plan(driver.trials_of(asked), driver.finished(asked), as_json=json)


@app.command()
def run(
    studies: Studies,
    tier: TierWord = "laptop",
    on: On = "here",
    model: ModelWord = None,
    set_: Sets = None,
    seeds: Seeds = None,
    limit: Limit = None,
    num_fewshot: Shots = None,
    apply_chat_template: Chat = None,
    dtype: Dtype = None,
    device: Device = None,
    batch_size: Batch = None,
    fresh: Fresh = False,
    output_path: Out = None,
    log_samples: Samples = False,
    json: Json = False,
) -> None:
    """Measure studies, with live curves, and judge their claims."""
    from . import driver, terminal

    driver.machine(device=device, batch_size=batch_size)
    fields = {"limit": limit, "num_fewshot": num_fewshot, "apply_chat_template": apply_chat_template, "dtype": dtype}
    asked = [driver.ask(s, tier, model=model, sweep=_sweep(set_, **fields), seeds=seeds) for s in _all(studies)]
    code = 0
    for one in asked:
        code = max(
            code, terminal.run(one, on=on, fresh=fresh, output_path=output_path, log_samples=log_samples, as_json=json)
        )
    raise typer.Exit(code)


@app.command()
def judge(
    study: Slug,
    tier: TierWord = "laptop",
    model: ModelWord = None,
    set_: Sets = None,
    seeds: Seeds = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="DIR", help="Write the verdicts into this ledger, such as results."),
    ] = None,
    json: Json = False,
) -> None:
    """Judge a study's claims again from what is stored."""
    from . import driver, terminal

    judged = driver.judge(driver.ask(study, tier, model=model, sweep=_sweep(set_), seeds=seeds))
    terminal.verdicts(judged, as_json=json)
    if record is not None:
        from .core import ledger
        from .pages import figures

        written = [*ledger.write(judged, record), *figures.keep(judged, record / judged.slug)]
        terminal.wrote(written, as_json=json)


@app.command()
def report(
    studies: Annotated[list[str] | None, typer.Argument(metavar="[STUDY...|all]")] = None,
    tier: TierWord = "laptop",
    model: ModelWord = None,
    set_: Sets = None,
    seeds: Seeds = None,
    card: Annotated[
        list[str] | None,
        typer.Option("--card", metavar="MODEL", help="Add the card of this model, from what is stored."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("unseen-report.html"),
    json: Json = False,
) -> None:
    """Write one HTML file with verdicts, figures and provenance; it opens with no network."""
    from . import driver, terminal
    from .pages import report as page

    names = _all(studies or ["all"])
    judged = driver.judged_of(
        [driver.ask(s, tier, model=model, sweep=_sweep(set_), seeds=seeds) for s in names],
        every=bool(studies) and studies != ["all"],
    )
    cards = [driver.card(m, tier, measure=False) for m in card or ()]
    terminal.wrote([page.write(judged, out, cards=cards)], as_json=json)


@app.command()
def card(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="hf:ORG/NAME, gguf:PATH, smollm2, api:NAME@URL, py:module:function, tiny:decoder, replay:FILE.",
        ),
    ],
    tier: TierWord = "laptop",
    against: Annotated[
        str | None, typer.Option("--against", metavar="MODEL", help="A second model, compared item by item.")
    ] = None,
    on: On = "here",
    set_: Sets = None,
    limit: Limit = None,
    device: Device = None,
    batch_size: Batch = None,
    fresh: Fresh = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the card: .html, .md or .json.")] = None,
    json: Json = False,
) -> None:
    """Print one model's profile over every study that takes a model."""
    from . import driver, terminal

    driver.machine(device=device, batch_size=batch_size)
    with terminal.progress(json) as tell:
        made = driver.card(model, tier, against=against, on=on, sweep=_sweep(set_, limit=limit), fresh=fresh, tell=tell)
    terminal.card(made, as_json=json)
    if out is not None:
        from .pages import card as page

        terminal.wrote([page.write(made, out)], as_json=json)


@app.command()
def compare(
    first: Annotated[
        str, typer.Argument(metavar="A", help="A model, or a folder that `run --output-path --log-samples` wrote.")
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    study: Annotated[list[str] | None, typer.Option("--study", help="Only these studies (models).")] = None,
    tier: TierWord = "laptop",
    json: Json = False,
) -> None:
    """Compare two models, or two runs of one study, item by item."""
    from . import driver, terminal

    terminal.comparison(driver.compare(first, second, studies=study, tier=tier), as_json=json)


@app.command()
def data(
    study: Annotated[str, typer.Argument(metavar="STUDY[/TASK]", help="A study, or one task of it.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Items per split.")] = 100,
    to: Annotated[str, typer.Option("--to", help="jsonl, parquet, or hf (a Hugging Face datasets folder).")] = "jsonl",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to write; jsonl goes to the terminal if left out.")
    ] = None,
    split: Annotated[list[str] | None, typer.Option("--split", help="Only these splits; `train` is one too.")] = None,
    tier: TierWord = "laptop",
    set_: Sets = None,
    seed: Annotated[int, typer.Option("--seed", help="The seed of the draw.")] = 0,
) -> None:
    """Write items with their split, right answer and a receipt from which they can be drawn again."""
    from . import items, terminal

    drawn = items.draw(study, n=n, tier=tier, sweep=_sweep(set_), seed=seed, splits=split)
    written = items.write(drawn, to, out)
    if written is not None:
        terminal.wrote([written])


@app.command()
def score(
    study: Slug,
    predictions: Annotated[
        Path,
        typer.Argument(metavar="PREDICTIONS", help="jsonl rows with id, receipt (as `data` wrote them) and answer."),
    ],
    json: Json = False,
) -> None:
    """Judge answers that were made elsewhere to items that `unseen data` wrote."""
    from . import items, terminal

    terminal.scores(items.score(study, predictions), as_json=json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def use(ctx: typer.Context, study: Slug) -> None:
    """Use the tool that a study leaves behind: `unseen use STUDY --help` says what it does."""
    from .core import find

    find.module(study, "tool").app(args=ctx.args, prog_name=f"unseen use {study}")


@app.command()
def export(
    study: Slug,
    to: Annotated[str, typer.Option("--to", help="csv, parquet, or checkpoints (folders that transformers opens).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write into.")] = Path("export"),
    tier: TierWord = "laptop",
    model: ModelWord = None,
    set_: Sets = None,
    seeds: Seeds = None,
    json: Json = False,
) -> None:
    """Write what was measured, or the models that were trained, for other tools."""
    from . import driver, export, terminal

    asked = driver.ask(study, tier, model=model, sweep=_sweep(set_), seeds=seeds)
    terminal.wrote(export.write(asked, to, out), as_json=json)


@app.command()
def new(
    slug: Annotated[
        str, typer.Argument(metavar="SLUG", help="One to four words of the paper's title, joined by underscores.")
    ],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="STUDY", help="Copy this study instead of the template.")
    ] = None,
) -> None:
    """Start a study in ./studies: a folder that passes `unseen validate`."""
    from . import folders, terminal

    terminal.wrote([folders.new(slug, source=from_)], then=f"unseen validate {slug}")


@app.command()
def validate(
    studies: Studies,
    write: Annotated[bool, typer.Option("--write", help="Write smoke.json from this run.")] = False,
    json: Json = False,
) -> None:
    """Check that a study keeps every rule, and that its smoke tier measures what it should."""
    from . import conformance, terminal

    failed = [terminal.checks(slug, conformance.checked(slug, write=write), as_json=json) for slug in _all(studies)]
    raise typer.Exit(1 if any(failed) else 0)


@app.command()
def doctor(json: Json = False) -> None:
    """Print versions, devices and caches, what is missing and how to get it."""
    from . import doctor as check
    from . import terminal

    terminal.doctor(check.examine(), as_json=json)


def main() -> None:
    """The console script: runs a verb and turns our errors into one paragraph and an exit code."""
    from .core.errors import UnseenError

    try:
        app(args=[_spelled(word) for word in sys.argv[1:]])
    except UnseenError as error:
        print(f"unseen: {error}", file=sys.stderr)
        sys.exit(error.code)
    except BrokenPipeError:
        sys.exit(0)


def _spelled(word: str) -> str:
    """A flag with hyphens, however it was spelled: --num_fewshot=4 is --num-fewshot=4."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value


def _sweep(words: list[str] | None, **fields: object) -> dict[str, str]:
    """`--set` words and flags that name fields, as {field: "a,b"}. Raises Invalid for a word without `=`."""
    from .core.errors import Invalid

    found = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in fields.items()
        if value is not None
    }
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Invalid(f"--set {word}: write FIELD=VALUE, or FIELD=A,B to sweep.")
        found[name.strip()] = value
    return found


def _all(studies: list[str]) -> list[str]:
    from .core import find

    if "all" in studies:
        return list(find.slugs())
    for slug in studies:
        find.folder(slug)
    return list(dict.fromkeys(studies))


if __name__ == "__main__":
    main()
