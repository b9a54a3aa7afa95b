"""What does a transformer that sorts look like? Run the sorter with weights written by hand and see where it reads.

unseen use task_hinting sort 7 2 9 2    ->  2 2 7 9
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer

from unseen.core.errors import Invalid
from unseen.models import sorter
from unseen.tasks.layout import EOS, FIRST, SEP, SOS

MOST = 200  # numbers that can be sorted at once

app = typer.Typer(
    help="A two-layer transformer that sorts, with weights written by hand: what it writes, and where its heads read.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@dataclass(frozen=True)
class Written:
    """What the sorter wrote, and for each number of it (and the end) what its two heads read: {number: share}."""

    said: list[int]
    identity: list[dict[str, float]]
    successor: list[dict[str, float]]


def written(numbers: Sequence[int], sharpness: float | None = None) -> Written:
    """What the sorter writes for whole numbers, token after token; it stops at its end or after twice as many.

    sharpness multiplies the scores of attention; 1 + log n if left out, which suffices for any numbers.
    """
    if not 1 <= len(numbers) <= MOST:
        raise Invalid(f"{len(numbers)} numbers: the sorter takes 1 to {MOST}.")
    if sharpness is not None and not 0 < sharpness < math.inf:
        raise Invalid(f"sharpness={sharpness}: it multiplies scores and lies above 0.")
    values = sorted(set(numbers))
    made = sorter.built(FIRST + len(values), range(FIRST, FIRST + len(values)), longest=len(numbers))
    row = [SOS, *(FIRST + values.index(n) for n in numbers), SEP]
    begin, beta = len(row), np.array([1 + math.log(len(numbers)) if sharpness is None else sharpness])
    reads: list[list[dict[str, float]]] = [[], []]
    words = ["", "start", "end", ">", *map(str, values)]
    while len(row) < begin + 2 * len(numbers) + 1:
        logits, weights = sorter.forward(made, np.array([row]), beta)
        for head, told in enumerate(reads):
            told.append(_shares([words[t] for t in row], weights[1][0, head, -1].tolist()))
        row.append(int(logits[0, -1].argmax()))
        if row[-1] == EOS:
            break
    return Written([values[t - FIRST] for t in row[begin:] if t >= FIRST], *reads)


def _shares(words: Sequence[str], weights: Sequence[float]) -> dict[str, float]:
    """The attention on each word, all its places together, largest first, where it is above one in a hundred."""
    found: dict[str, float] = {}
    for word, weight in zip(words, weights, strict=True):
        found[word] = found.get(word, 0.0) + weight
    return {w: round(x, 3) for w, x in sorted(found.items(), key=lambda pair: -pair[1]) if x > 0.01}


@app.command("sort")
def sort_numbers(
    numbers: Annotated[list[int], typer.Argument(help="Whole numbers; equal ones may occur.")],
    sharpness: Annotated[float | None, typer.Option("--sharpness", help="Of attention; 1 + log n if left out.")] = None,
    heads: Annotated[
        bool, typer.Option("--heads", help="Show what each head reads as each number is written.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Sort whole numbers with the sorter built by hand: `sort 7 2 9 2`."""
    told = written(numbers, sharpness)
    if as_json:
        typer.echo(
            json.dumps({"said": told.said, "right": told.said == sorted(numbers), "identity": told.identity, "successor": told.successor})
        )  # fmt: skip
        return
    typer.echo(" ".join(map(str, told.said)))
    if heads:
        for i, (same, following) in enumerate(zip(told.identity, told.successor, strict=True)):
            typer.echo(
                f"at {told.said[i - 1] if i else '>'}: identity reads {_read(same)}; successor {_read(following)}"
            )
    if told.said != sorted(numbers):
        typer.echo(f"wrong: sorted, they are {' '.join(map(str, sorted(numbers)))}; a sharper attention is needed.")


def _read(shares: dict[str, float]) -> str:
    return ", ".join(f"{word} {share:.2f}" for word, share in shares.items())


@app.callback()
def group() -> None:
    """Keep `sort` a verb of its own."""
