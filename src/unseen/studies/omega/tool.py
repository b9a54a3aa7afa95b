"""Problems of any template and level, with exact answers, and grades for what a model said of them.

unseen use omega families                                  every family with its domain, axis and levels
unseen use omega problems gcd --level 3 --n 5              questions with their answers; --jsonl for rows
unseen use omega read "so \\\\boxed{\\\\frac{3}{4}}" --kind fraction
unseen use omega grade answers.jsonl                       rows with answer, truth and kind; their grades and means

A row of `--jsonl` has the columns `id`, `family`, `level`, `axis`, `role`, `kind`, `question`, `compact`, `messages`,
`ground_truth` and `familiar`; with a column `answer` added it can be graded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.core.errors import Invalid, Unknown, nearest
from unseen.core.task import example_id
from unseen.tasks.rows import json_rows

from .answers import mentions, read, right
from .catalogue import FAMILIES, PAIRS, SHIFTS, axis_of, family
from .posed import BOXED
from .problem import KINDS, Problem

app = typer.Typer(
    help="Problems of 40 templates, 7 compositions and 7 transformations with exact answers, and grades for answers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def drawn(name: str, level: int | None, n: int, seed: int = 0) -> list[tuple[int, Problem]]:
    """n problems of a family, of one level or of each in turn; the same arguments draw the same ones."""
    one, rng = family(name), np.random.default_rng([seed, *name.encode()])
    levels = one.levels if level is None else (level,)
    return [(levels[i % len(levels)], one.draw(levels[i % len(levels)], rng)) for i in range(n)]


def row_of(name: str, level: int, problem: Problem) -> dict[str, Any]:
    """A problem as a row of plain JSON values, in columns as data sets of this kind have them."""
    prompt = problem.question + BOXED
    return {
        "id": example_id("omega", f"{name} level {level}", prompt),
        "family": name,
        "level": level,
        "axis": axis_of(name),
        "role": "composed" if name in PAIRS else "transformed" if name in SHIFTS else "template",
        "kind": problem.kind,
        "question": problem.question,
        "compact": problem.compact,
        "messages": [{"role": "user", "content": prompt}],
        "ground_truth": problem.answer,
        "familiar": problem.familiar,
    }


def graded(row: Mapping[str, Any]) -> dict[str, Any]:
    """`exact`, whether the right answer is passed by in a wrong text, and `familiar`, of a row that holds an answer."""
    text, kind = str(row["answer"]), str(row["kind"])
    truth = str(row.get("ground_truth", row.get("truth")))
    if kind not in KINDS:
        raise Unknown(f"the kind {kind!r} is not known{nearest(kind, KINDS)}. Kinds: {', '.join(KINDS)}.")
    exact = right(text, truth, kind)  # type: ignore[arg-type]
    found: dict[str, Any] = {"exact": exact, "spiral": not exact and mentions(text, truth, kind)}  # type: ignore[arg-type]
    if row.get("familiar") is not None:
        found["familiar"] = not exact and right(text, str(row["familiar"]), kind)  # type: ignore[arg-type]
    return found


@app.command(name="families")
def families_command() -> None:
    """Print every family with its domain, its axis, its levels and what it is made from."""
    for one in FAMILIES.values():
        told = f"{one.name:<26} {one.domain:<14} {axis_of(one.name):<15} levels {one.levels[0]} to {one.levels[-1]}"
        if one.name in PAIRS:
            told += f"  from {PAIRS[one.name].first} and {PAIRS[one.name].second}"
        if one.name in SHIFTS:
            told += f"  from {SHIFTS[one.name].trained}"
        typer.echo(told)


@app.command(name="problems")
def problems_command(
    name: Annotated[str, typer.Argument(help="A family; `unseen use omega families` lists them.")],
    level: Annotated[int | None, typer.Option(help="Its level; each in turn if left out.")] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="How many problems.")] = 3,
    seed: int = 0,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="One JSON row a problem.")] = False,
) -> None:
    """Print problems with their answers."""
    for at, problem in drawn(name, level, n, seed):
        if jsonl:
            typer.echo(json.dumps(row_of(name, at, problem), ensure_ascii=False))
        else:
            familiar = f"  (the familiar strategy says {problem.familiar})" if problem.familiar is not None else ""
            typer.echo(f"[{name}, level {at}] {problem.question}\n  answer: {problem.answer}{familiar}\n")


@app.command(name="read")
def read_command(
    text: str, kind: Annotated[str, typer.Option(help="integer, decimal, fraction, list or text.")] = "integer"
) -> None:
    """Print the answer that a text gives."""
    if kind not in KINDS:
        raise Unknown(f"--kind {kind}: not known{nearest(kind, KINDS)}. Kinds: {', '.join(KINDS)}.")
    found = read(text, kind)  # type: ignore[arg-type]
    typer.echo("none" if found is None else found if isinstance(found, str) else _listed(found))


@app.command(name="grade")
def grade_command(
    answers: Annotated[Path, typer.Argument(help="JSONL rows with answer, kind and ground_truth (or truth).")],
) -> None:
    """Print the grade of every row, and the share of right ones by family and level."""
    by_cell: dict[tuple[str, str], list[bool]] = {}
    for row in _rows(answers):
        found = graded(row)
        by_cell.setdefault((str(row.get("family", "-")), str(row.get("level", "-"))), []).append(found["exact"])
        typer.echo(json.dumps({"id": row.get("id"), **found}))
    for (name, level), exact in sorted(by_cell.items()):
        typer.echo(f"{name:<26} level {level:<3} {sum(exact) / len(exact):.3f} of {len(exact)}")


def _listed(values: tuple[Fraction, ...]) -> str:
    return ", ".join(map(str, values))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, row in json_rows(path, "`unseen use omega problems … --jsonl` writes rows to answer"):
        if not isinstance(row, dict) or not {"answer", "kind"} <= set(row) or not {"ground_truth", "truth"} & set(row):
            raise Invalid(f"{path}, line {number}: a row needs answer, kind and ground_truth (or truth).")
        yield row
