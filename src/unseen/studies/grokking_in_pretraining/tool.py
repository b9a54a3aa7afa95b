"""How did routing change along a training of your own? Every checkpoint of a mixture of experts, on a file of samples.

unseen use grokking_in_pretraining checkpoints runs/mine --data held.jsonl --accuracy scores.jsonl

    step    loss   distance         95%   consistency   entropy
     500   3.912      412.6   398 to 427        0.571     3.842
    1000   3.104      396.1   381 to 411        0.603     3.801
    r with accuracy: distance -0.93, consistency 0.95, loss -0.97, log(step) 0.98
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from unseen.core.errors import Invalid
from unseen.tasks.rows import json_rows

app = typer.Typer(
    help="Routing pathways of mixtures of experts: how alike, how smooth.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
LEAST = 3  # checkpoints that a correlation is taken over


@app.callback()
def main() -> None:
    """Routing pathways of mixtures of experts: how alike, how smooth."""


@app.command("checkpoints")
def checkpoints_of(
    folder: Annotated[Path, typer.Argument(help="A folder of checkpoint-N or stepN folders, or one checkpoint.")],
    data: Annotated[Path, typer.Option("--data", help="Samples: jsonl with text or input_ids, perhaps group.")],
    accuracy: Annotated[Path | None, typer.Option("--accuracy", help="jsonl of step and accuracy, to go with.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=2, help="Samples, drawn once for all.")] = 256,
    max_length: Annotated[int, typer.Option("--max-length", min=2, help="Tokens of a sample.")] = 512,
    threshold: Annotated[float, typer.Option("--threshold", help="Share of the weight in a pathway.")] = 0.7,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, …")] = "cpu",
    dtype: Annotated[str, typer.Option("--dtype", help="auto, float32, bfloat16, …")] = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Which samples are drawn.")] = 0,
    output_path: Annotated[Path | None, typer.Option("--output-path", help="Write csv, parquet or json there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The pathways of every checkpoint on one set of samples: their distance in pairs, consistency and routing entropy.

    No test is needed; with one (--accuracy), the correlation over checkpoints is printed beside that of log(step), which
    goes with anything that rises.
    """
    from . import along

    told = along.samples(data, limit=limit, seed=seed)
    right = None if accuracy is None else scores(accuracy)
    found = list(along.along(folder, told, threshold=threshold, max_length=max_length, device=device, dtype=dtype))
    with_it = {} if right is None else beside(found, right)
    if output_path is not None:
        write(found, output_path)
    if as_json:
        typer.echo(json.dumps({"checkpoints": found, "r": with_it}, indent=1))
        return
    for line in lines(found, with_it, len(told)):
        typer.echo(line)


def scores(path: Path) -> dict[int, float]:
    """Accuracy by step of a jsonl file. Raises Invalid for lines without both."""
    holds = 'each line is an object with "step" and "accuracy"'
    found: dict[int, float] = {}
    for line, row in json_rows(path, holds):
        try:
            found[int(row["step"])] = float(row["accuracy"])
        except (KeyError, TypeError, ValueError):
            raise Invalid(f"{path}, line {line} lacks a number; {holds}.") from None
    return found


def beside(found: Sequence[Mapping[str, Any]], accuracy: Mapping[int, float]) -> dict[str, float]:
    """The correlations over checkpoints, of all seeds' means, with accuracy: of distance, consistency, loss and log(step).

    Raises Invalid where fewer than three checkpoints have an accuracy.
    """
    import numpy as np

    from unseen.measures import pathways

    steps = sorted({one["step"] for one in found} & set(accuracy))
    if len(steps) < LEAST:
        raise Invalid(
            f"{len(steps)} checkpoints have an accuracy; a correlation over checkpoints takes {LEAST} or more."
        )
    right = [accuracy[s] for s in steps]
    told = {
        name: pathways.correlation([np.mean([one[name] for one in found if one["step"] == s]) for s in steps], right)
        for name in ("distance", "consistency", "entropy", "loss")
    }
    return {**told, "log_step": pathways.correlation(pathways.log_steps(steps), right)}


def lines(found: Sequence[Mapping[str, Any]], r: Mapping[str, float], n: int) -> list[str]:
    """The table as it is printed."""
    across, seeds = "across" in found[0], "seed" in found[0]
    head = f"{'step':>9}{'  seed' if seeds else ''} {'loss':>8} {'distance':>9} {'95%':>16}{'   across' if across else ''} {'consistency':>12} {'entropy':>8}   of {n} samples"
    told = [head]
    for one in found:
        seed = f" {one['seed']:>5}" if seeds else ""
        apart = f" {one['across']:>8.1f}" if across else ""
        between = f"{one['low']:.1f} to {one['high']:.1f}"
        told.append(
            f"{one['step']:>9}{seed} {one['loss']:>8.3f} {one['distance']:>9.1f} {between:>16}{apart} {one['consistency']:>12.3f} {one['entropy']:>8.3f}"
        )
    if r:
        words = ", ".join(f"{name.replace('log_step', 'log(step)')} {value:.2f}" for name, value in r.items())
        told.append(f"r with accuracy over checkpoints: {words}")
    return told


def write(found: Sequence[Mapping[str, Any]], to: Path) -> None:
    """Rows of numbers as csv, parquet or json by the file's ending. Raises Invalid for another one."""
    if to.suffix not in (".csv", ".parquet", ".json"):
        raise Invalid(f"--output-path {to}: it ends in .csv, .parquet or .json.")
    to.parent.mkdir(parents=True, exist_ok=True)
    if to.suffix == ".json":
        to.write_text(json.dumps(list(found), indent=1), encoding="utf-8")
        return
    import polars as pl

    frame = pl.DataFrame(list(found))
    frame.write_csv(to) if to.suffix == ".csv" else frame.write_parquet(to)
