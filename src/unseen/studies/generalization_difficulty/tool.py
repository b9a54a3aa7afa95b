"""How many bits does a data set of your own ask for? Its dimension, separation and radius, each with its interval.

unseen use generalization_difficulty bits digits.npz

1797 rows of 64 features, 10 classes
m         8.11  [7.918, 8.298]  intrinsic dimension, 5 neighbours
δ        1.179  [1.179, 1.196]  least distance between classes; a sample's can only be too large
R        4.806  [4.704, 4.806]  largest norm
bits  4.05e+10  [2.28e+10, 5.98e+10]  for an error of 0.01; log10 10.61
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.measures.difficulty import How, Measured, of

from . import published, reading

app = typer.Typer(
    help="The bits beyond its data that a task asks for, of your data or of the paper's constants.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("bits")
def bits_of(
    dataset: Annotated[Path, typer.Argument(help="An npz (x, y), csv or parquet file, or a folder of pictures that `datasets` reads.")],
    label: Annotated[str, typer.Option("--label", help="The column of labels in a csv or parquet file.")] = "label",
    error: Annotated[float, typer.Option("--error", help="The error (0 to 1) that is asked for.")] = 0.01,
    neighbours: Annotated[int, typer.Option("--neighbours", min=2, help="Neighbours of a point, for the dimension.")] = 5,
    anchors: Annotated[int, typer.Option("--anchors", min=2, help="Points whose neighbours are looked for, at most.")] = 10_000,
    sample: Annotated[int, typer.Option("--sample", min=2, help="Rows among which δ is sought, at most.")] = 30_000,
    extremes: Annotated[bool, typer.Option("--extremes", help="Of more rows, tell δ for all pairs from the nearest of random ones.")] = False,
    min_distance: Annotated[float, typer.Option("--min-distance", min=0, help="Pass over pairs that are no farther apart, such as copies.")] = 0.0,
    side: Annotated[int, typer.Option("--side", min=0, help="Height and width of pictures; 0 keeps the first one's.")] = 0,
    device: Annotated[str, typer.Option("--device", help="Where distances are taken: cpu, cuda, …")] = "cpu",
    seed: Annotated[int, typer.Option("--seed", help="Which rows are looked at.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """The bits of labelled data, with intrinsic dimension m, separation δ and radius R. Features are taken as they are:
    scale them alike first. The bound hangs much on δ; do not compare it across ways of measuring δ."""
    x, y = reading.read(dataset, label=label, side=side)
    how = How(neighbours, anchors, sample, extremes, min_distance, device)
    found = of(x, y, error=error, rng=np.random.default_rng(seed), how=how)
    width = int(np.asarray(x[np.array([0])]).size)
    told = as_told(found, width, error)
    typer.echo(json.dumps(told, indent=1) if as_json else text(told, neighbours))


@app.command("published")
def published_figures(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """The paper's figures from the constants of its code, which are not estimated again."""
    found = {name: f.bits.log10 for name, f in published.figures().items()}
    if as_json:
        typer.echo(json.dumps({name: {"log10_bits": value} for name, value in found.items()}, indent=1))
        return
    for name, value in found.items():
        typer.echo(f"{name:<13} {_number(value):>9} bits")


def as_told(found: Measured, features: int, error: float) -> dict[str, Any]:
    """What was measured as plain values; bits as their decimal logarithm (None where there are 0), with `state` saying why."""

    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    told: dict[str, Any] = {"rows": found.n, "features": features, "classes": found.classes, "error": error}
    for name, estimate in (("m", found.m), ("delta", found.delta), ("radius", found.radius)):
        told[name] = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    log10 = {"value": found.bits.log10, "low": found.low, "high": found.high}
    return told | {"log10_bits": {k: finite(v) for k, v in log10.items()}, "state": found.bits.state}


def text(told: Mapping[str, Any], neighbours: int) -> str:
    """The same as lines for people."""
    lines = [f"{told['rows']} rows of {told['features']} features, {told['classes']} classes"]
    notes = {
        "m": f"intrinsic dimension, {neighbours} neighbours",
        "delta": "least distance between classes; a sample's can only be too large",
        "radius": "largest norm",
    }
    for (name, note), sign in zip(notes.items(), ("m", "δ", "R"), strict=True):
        value, low, high = (f"{told[name][k]:.4g}" for k in ("value", "low", "high"))
        lines.append(f"{sign:<4} {value:>9}  [{low}, {high}]  {note}")
    value, low, high = (_number(told["log10_bits"][k]) for k in ("value", "low", "high"))
    log10 = told["log10_bits"]["value"]
    why = told["state"] or f"log10 {log10:.4g}"
    lines.append(f"bits {value:>9}  [{low}, {high}]  for an error of {told['error']:g}; {why}")
    return "\n".join(lines)


def _number(log10: float | None) -> str:
    """A number of bits from its logarithm: 3.2e+10, whatever its size."""
    if log10 is None:
        return "0"
    whole = math.floor(log10)
    return f"{10 ** (log10 - whole):.3g}e+{whole}" if whole >= 0 else f"{10**log10:.3g}"
