"""What would make your own data set compose better? More of it by copies, an easy, hard or mixed quarter, or more SCAN.

unseen use data_factors copies pairs.tsv --times 20 --out more.tsv
unseen use data_factors quarter pairs.tsv --which mixed
unseen use data_factors commands --primitives 200 --clauses 3 --n 1000

Files of pairs have one a line, source and target apart by a tab (or JSON objects with both, where the name ends in
.jsonl); what is written has the same form.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast, get_args

import numpy as np
import typer

from unseen.core.errors import Invalid
from unseen.tasks import scan, scan_drawn
from unseen.tasks.paired import Pair
from unseen.tasks.scan_drawn import Limits

from . import augment, corpora, prototypes
from .prototypes import QUARTERS, Subset

app = typer.Typer(
    help="Larger, easier or harder training sets: copies of primitives and vocabularies, quarters by difficulty, SCAN with more words.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(help="Pairs, one a line: source, tab, target; or JSON lines.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where to write; standard output if left out.")]
Seed = Annotated[int, typer.Option("--seed")]


@app.command("aligned")
def aligned_command(file: File, least: Annotated[float, typer.Option("--least")] = 1.0) -> None:
    """List the source words that always come with one target word: those that can be copied."""
    for source, target in augment.aligned(corpora.read(file), least=least).items():
        typer.echo(f"{source}\t{target}")


@app.command("copies")
def copies_command(
    file: File,
    times: Annotated[int, typer.Option("--times", min=1, help="Forms of each word: its copies and itself.")] = 20,
    each: Annotated[int, typer.Option("--each", min=0, help="Copies of each pair, at random; 0: all there are.")] = 2,
    word: Annotated[
        list[str] | None, typer.Option("--word", help="Copy these words alone; may be given often.")
    ] = None,
    out: Out = None,
    seed: Seed = 0,
) -> None:
    """Write the pairs and copies of them, in which aligned words are replaced by new ones (walk by walk1, walk2, …)."""
    pairs = corpora.read(file)
    words = augment.aligned(pairs)
    if lacking := sorted(set(word or ()) - words.keys()):
        raise Invalid(f"--word {lacking[0]}: no target word always comes with it; `aligned` lists those that have one.")
    chosen = {s: t for s, t in words.items() if word is None or s in word}
    write(augment.copied(pairs, chosen, times - 1, each=each, rng=np.random.default_rng(seed)), out)


@app.command("vocabularies")
def vocabularies_command(
    file: File, copies: Annotated[int, typer.Option("--copies", min=1)] = 20, out: Out = None
) -> None:
    """Write the pairs and copies of them under fresh vocabularies (AugZero): every word w becomes w#1, w#2, …"""
    write(augment.aug_zero(corpora.read(file), copies), out)


@app.command("quarter")
def quarter_command(
    file: File,
    which: Annotated[str, typer.Option("--which", help=f"{', '.join(get_args(Subset))}.")] = "mixed",
    centres: Annotated[int, typer.Option("--centres", min=1, help="Prototypes.")] = prototypes.CENTRES,
    out: Out = None,
    seed: Seed = 0,
) -> None:
    """Write a quarter of the pairs: the nearest to prototypes, the farthest, half of each, or any."""
    if which not in get_args(Subset):
        raise Invalid(f"--which {which}: there is no such part; there are {', '.join(get_args(Subset))}.")
    pairs = corpora.read(file)
    hard = prototypes.hardness([source for source, _ in pairs], centres=centres, seed=seed)
    write([pairs[i] for i in prototypes.subset(hard, cast("Subset", which), np.random.default_rng(seed))], out)


@app.command("hard")
def hard_command(
    file: File, centres: Annotated[int, typer.Option("--centres", min=1)] = prototypes.CENTRES, seed: Seed = 0
) -> None:
    """Print each pair with its distance to the nearest prototype and its quarter, hardest last."""
    pairs = corpora.read(file)
    hard = prototypes.hardness([source for source, _ in pairs], centres=centres, seed=seed)
    for place, i in enumerate(np.argsort(hard, kind="stable")):
        quarter = QUARTERS[4 * place // len(pairs)]
        row = {"source": pairs[i][0], "target": pairs[i][1], "distance": round(float(hard[i]), 6), "quarter": quarter}
        typer.echo(json.dumps(row, ensure_ascii=False))


@app.command("commands")
def commands_command(
    primitives: Annotated[int, typer.Option("--primitives", min=4, help="SCAN's four and copies of them.")] = 4,
    clauses: Annotated[int, typer.Option("--clauses", min=1, help="At most so many in a command.")] = 2,
    most_actions: Annotated[int, typer.Option("--most-actions", min=1)] = 48,
    most_primitives: Annotated[
        int, typer.Option("--most-primitives", min=0, help="Different ones in a command; 0: any.")
    ] = 0,
    n: Annotated[int, typer.Option("--n", min=1)] = 100,
    out: Out = None,
    seed: Seed = 0,
) -> None:
    """Draw commands of SCAN's grammar with their actions."""
    limits = Limits(clauses, most_actions, most_primitives or None)
    write(scan_drawn.drawn(scan_drawn.primitives(primitives), limits, n, np.random.default_rng(seed)), out)


@app.command("interpret")
def interpret_command(command: Annotated[list[str], typer.Argument(help="The words of a command.")]) -> None:
    """Print the actions of a command, of any number of clauses."""
    typer.echo(scan.interpret(" ".join(command), clauses=len(command) + 1))


def write(pairs: Sequence[Pair], out: Path | None) -> None:
    """Write pairs to a file, as JSON lines if its name ends so, else as lines of two columns; or print them."""
    told = (
        [json.dumps({"source": s, "target": t}, ensure_ascii=False) for s, t in pairs]
        if out is not None and out.suffix == ".jsonl"
        else [f"{s}\t{t}" for s, t in pairs]
    )
    if out is None:
        typer.echo("\n".join(told))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(told) + "\n", encoding="utf-8")
