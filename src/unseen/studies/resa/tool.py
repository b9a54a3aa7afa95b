"""unseen use resa …: dictionaries of a model's activations, and the layer whose dictionary speaks most of thinking.

unseen use resa dictionary hf:./rl --train train.jsonl --layer 12 --out sae
unseen use resa layers hf:./rl --train train.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from unseen.core.errors import Invalid, missing_extra
from unseen.core.lab import Lab

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Sparse autoencoders of a model's activations.")

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="hf:ORG/NAME or a folder as hf:PATH.")]
Train = Annotated[Path, typer.Option("--train", help="Rows of questions and answers: jsonl, or chat.")]
Features = Annotated[int, typer.Option("--features", help="Latents; 0 takes sixteen for each number of an activation.")]
Kept = Annotated[int, typer.Option("--k", min=1, help="Latents kept of a token.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Rows read, at most.")]
Longest = Annotated[int, typer.Option("--longest", min=2, help="Tokens of a row, at most.")]
Passes = Annotated[float, typer.Option("--passes", help="Over the activations.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the directions that learning begins at.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, …")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def dictionary(
    model: ModelName,
    train: Train,
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder, as SAELens lays one out.")],
    layer: Annotated[int, typer.Option("--layer", min=1, help="The block whose output is read, from 1.")],
    features: Features = 0,
    k: Kept = 32,
    limit: Limit = 2_000,
    longest: Longest = 1_024,
    passes: Passes = 4.0,
    seed: Seed = 0,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Learn a top-k dictionary of a layer's activations, and write it as SAELens opens it."""
    found = learned(
        model, train, (layer,), features=features, k=k, limit=limit, longest=longest, passes=passes, seed=seed,
        device=device, out=out,
    )  # fmt: skip
    _print(found, as_json)


@app.command()
def layers(
    model: ModelName,
    train: Train,
    layer: Annotated[
        list[int] | None, typer.Option("--layer", help="Only these; all but the last if left out.")
    ] = None,
    features: Features = 0,
    k: Kept = 32,
    limit: Limit = 500,
    longest: Longest = 1_024,
    passes: Passes = 4.0,
    seed: Seed = 0,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Count, for each layer, the latents that are active at <think> and </think> and nowhere else."""
    found = learned(
        model, train, layer or (), features=features, k=k, limit=limit, longest=longest, passes=passes, seed=seed,
        device=device,
    )  # fmt: skip
    _print(found, as_json)


def learned(
    model: str,
    train: Path,
    layers: Sequence[int],
    *,
    features: int = 0,
    k: int = 32,
    limit: int = 500,
    longest: int = 1_024,
    passes: float = 4.0,
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """For each layer (none named: all but the last) its dictionary's fvu, l0, dead and only_thinking; the last layer's
    dictionary is written to `out`.

    Raises Mistake for a model, a file or a layer that is not there.
    """
    from itertools import islice

    from unseen.tasks.owned import pairs

    try:
        from unseen.measures import sae
        from unseen.methods import sae_tuning
        from unseen.methods.trainer import opened
    except ModuleNotFoundError as error:
        raise missing_extra("a dictionary of activations", error, "hub") from error
    rows = list(islice(pairs(train), limit))
    one, tokenizer = opened(model, "float32", Lab.alone((seed,), device=device))
    depth = len(sae_tuning.blocks(one)[1])
    chosen = tuple(layers) or tuple(range(1, depth))
    if not chosen:
        raise Invalid(f"{model} has one block, after which there is none to be tuned; name the layer with --layer 1.")
    laid, marked = sae_tuning.laid(tokenizer, rows, longest)
    x = sae_tuning.activations(one, laid, chosen)
    found: list[dict[str, Any]] = []
    for at in chosen:
        many = features or 16 * x[at].shape[1]
        made = sae.fit(x[at], many, k=min(k, many), recipe=sae.Recipe(passes=passes), seed=seed)
        assert made.report is not None
        count = int(sae.only_at(made, x[at], marked.to(x[at].device)).sum())
        found.append({"layer": at, "fvu": made.report.fvu, "l0": made.report.l0, "dead": made.report.dead, "only_thinking": count})  # fmt: skip
        if out is not None:
            sae.save(made, out, model=model, hook=f"{sae_tuning.blocks(one)[0]}.{at - 1}")
    return found


def _print(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    typer.echo(f"{'layer':>6} {'unexplained':>12} {'active':>8} {'dead':>6} {'at thinking marks alone':>24}")
    for one in found:
        typer.echo(
            f"{one['layer']:>6} {one['fvu']:>12.4f} {one['l0']:>8.2f} {one['dead']:>6.2f} {one['only_thinking']:>24}"
        )
