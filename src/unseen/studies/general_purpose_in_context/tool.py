"""Can a network learn your data set by reading it? Meta-train a learner, or let one classify a table of yours.

unseen use general_purpose_in_context predict train.csv test.csv --label species    ->  setosa, virginica, …
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unseen.core.errors import Invalid, Missing

if TYPE_CHECKING:
    from unseen.methods.in_context import InContextClassifier

app = typer.Typer(
    help="In-context learners: meta-train one, and classify tables by reading labelled rows.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Folder = Annotated[
    Path | None, typer.Option("--learner", help="A folder that `train` wrote; the shipped learner if not given.")
]


def classifier(learner: Path | None = None, *, views: int = 16, seed: int = 0) -> InContextClassifier:
    """A classifier with scikit-learn's `fit` and `predict` around a learner (the shipped one if none is named)."""
    from unseen.methods.in_context import InContextClassifier

    return InContextClassifier(learner, views=views, seed=seed)


@app.command("train")
def train(
    out: Annotated[Path, typer.Option("--out", help="The folder to write.")],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Optimizer steps.")] = 4800,
    features: Annotated[int, typer.Option("--features", min=1, help="Features that it reads.")] = 16,
    classes: Annotated[int, typer.Option("--classes", min=2, help="Classes that it tells apart.")] = 10,
    length: Annotated[
        int, typer.Option("--length", min=2, help="Examples of a sequence, the asked one included.")
    ] = 50,
    width: Annotated[
        int, typer.Option("--width", min=4, help="Features of the residual stream, a multiple of 4.")
    ] = 64,
    layers: Annotated[int, typer.Option("--layers", min=1, help="Blocks.")] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Of weights and data.")] = 0,
) -> None:
    """Meta-train a learner and save it (the defaults make the shipped one, in some five minutes of one core)."""
    from unseen.core.lab import Lab
    from unseen.methods.in_context import meta_train
    from unseen.models import learner

    shape = learner.Shape(features, classes, length, width, layers, 4)
    for step, models in meta_train(shape, steps=steps, lab=Lab.alone(seeds=(seed,))):
        typer.echo(f"{step} of {steps} steps")
        if step == steps:
            learner.save(models, out)
            typer.echo(f"{out}: {models.parameters_each:,} parameters")


@app.command("predict")
def predict(
    shown: Annotated[Path, typer.Argument(metavar="TRAIN", help="A CSV file of labelled rows to read.")],
    asked: Annotated[Path, typer.Argument(metavar="TEST", help="A CSV file of rows to classify.")],
    label: Annotated[str, typer.Option("--label", help="The column with the label; all others are features.")],
    learner: Folder = None,
    views: Annotated[int, typer.Option("--views", min=1, help="Random views averaged.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Classify rows after reading labelled ones; tells the accuracy too where TEST has the label's column."""
    x, y, names = table(shown, label)
    if y is None:
        raise Invalid(f"{shown} has no column {label!r}, so it labels nothing; its columns: {', '.join(names)}.")
    new, truth, _ = table(asked, label, names)
    said = [str(v) for v in classifier(learner, views=views).fit(x, y).predict(new)]
    right = None if truth is None else sum(a == b for a, b in zip(said, truth, strict=True)) / len(said)
    if as_json:
        typer.echo(json.dumps({"predicted": said, "accuracy": right}))
        return
    for one in said:
        typer.echo(one)
    if right is not None:
        typer.echo(f"# {right:.3f} of {len(said)} right")


def table(path: Path, label: str, features: list[str] | None = None) -> tuple[Any, list[str] | None, list[str]]:
    """The features [row feature] of a CSV file, its labels as text (None where it has no such column), and the names
    of the features in order: `features`, or all other columns.

    Raises Missing where there is no file, Invalid for one without rows and for a column that is absent or no number.
    """
    import polars as pl

    if not path.is_file():
        raise Missing(f"there is no file {path}.")
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise Invalid(f"{path} cannot be read as a CSV file ({' '.join(str(error).split())[:200]}).") from error
    if frame.is_empty():
        raise Invalid(f"{path} holds no rows below its header; an example is a row.")
    names = features or [c for c in frame.columns if c != label]
    if absent := [c for c in names if c not in frame.columns]:
        raise Invalid(f"{path} has no column {absent[0]!r}, which the labelled rows have.")
    if words := [c for c in names if not frame[c].dtype.is_numeric()]:
        raise Invalid(f"the column {words[0]!r} of {path} holds no numbers; leave it out, or turn it into some.")
    y = frame[label].cast(pl.String).to_list() if label in frame.columns else None
    return frame.select(names).to_numpy(), y, names
