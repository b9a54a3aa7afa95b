"""Is there a short RASP-L program for it? Print the program of a task, run it, or check one of your own.

unseen use length_generalization run sort s7 s2 s9    ->  s2 s7 s9
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.core.errors import Invalid, Missing, Mistake, Unknown, nearest
from unseen.measures.rasp import Node, breaches, complexity, written
from unseen.measures.rasp import run as run_program
from unseen.measures.rasp_programs import exact, program
from unseen.tasks.layout import EOS, SEP, SOS, Lengthwise

from .tasks import NAMES, named

LONGEST = 64  # the longest input that the words suffice for

app = typer.Typer(
    help="Programs in RASP-L: which task has one, how long it is, what it answers, and whether yours is right.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A task's name, as `tasks` lists them.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def wide(task: str) -> Lengthwise:
    """The task of that name with words enough for inputs of up to 64."""
    return named(task, 20 if task == "and-places" else LONGEST // 2, (LONGEST,))


def described(task: str) -> dict[str, Any]:
    """A task's program as text, its attention calls, nodes and depth, and what in it RASP-L forbids (nothing: [])."""
    named(task, 20, (25,))
    node = program(task)
    found = complexity(node)
    return {
        "task": task,
        "kqv": found.kqv,
        "nodes": found.nodes,
        "depth": found.depth,
        "breaches": breaches(node),
        "program": written(node),
    }


def answer(task: str, prompt: Sequence[str]) -> list[str]:
    """The words that a task's program answers to a prompt's words, written greedily one at a time.

    Raises Unknown for a word that the task has not, Invalid where the program writes on without an end.
    """
    asked = wide(task)
    words = [w for w in prompt if w != ">"]
    number = {w: i for i, w in enumerate(asked.words) if w}
    if strange := [w for w in words if w not in number]:
        raise Unknown(
            f"{task} has no word {strange[0]!r}{nearest(strange[0], number)}. Its words: {_listed(list(number))}."
        )
    if not words:
        raise Invalid(f"the prompt is empty; give {task} words such as {_example(asked)}.")
    row = [SOS, *(number[w] for w in words), SEP]
    begin, most = len(row), len(row) + asked.room(max(LONGEST, len(words)))
    while len(row) < most:
        said = int(run_program(program(task), [row])[0, -1])
        if said == EOS and len(row) > begin:
            return [asked.words[t] for t in row[begin:]]
        if not SEP < said < asked.vocab:
            raise Invalid(
                f"the program of {task} has no answer to {' '.join(words)}; is the prompt well formed? One is: {_example(asked)}."
            )
        row.append(said)
    raise Invalid(
        f"the program of {task} writes on without an end to {' '.join(words)}; a well-formed prompt: {_example(asked)}."
    )


def checked(task: str, node: Node, *, items: int = 500, seed: int = 0) -> dict[str, Any]:
    """How a program of yours does: the fraction of items right on every split, its size, and what RASP-L forbids in it."""
    asked = wide(task)
    found = complexity(node)
    right = {
        split.name: float(exact(node, asked.batch(split.name, items, np.random.default_rng(seed))).mean())
        for split in asked.splits
    }
    return {
        "task": task,
        "exact": right,
        "kqv": found.kqv,
        "nodes": found.nodes,
        "depth": found.depth,
        "breaches": breaches(node),
    }


@app.command("tasks")
def list_tasks(as_json: AsJson = False) -> None:
    """List the tasks with the size of their programs, shortest first; those outside RASP-L say why."""
    told = sorted((described(name) for name in NAMES), key=lambda d: (bool(d["breaches"]), d["nodes"], d["task"]))
    if as_json:
        typer.echo(json.dumps([{k: v for k, v in d.items() if k != "program"} for d in told], indent=1))
        return
    for d in told:
        why = f"not RASP-L: {d['breaches'][0]}" if d["breaches"] else "RASP-L"
        typer.echo(f"{d['task']:<24} {d['kqv']:>2} attention calls  {d['nodes']:>3} nodes  depth {d['depth']}  {why}")


@app.command("program")
def show_program(task: TaskName, as_json: AsJson = False) -> None:
    """Print a task's program: what it says at a position is the next token there."""
    d = described(task)
    if as_json:
        typer.echo(json.dumps(d, indent=1))
        return
    shown = wide(task)
    typer.echo(f"x = tokens()  # {_listed([f'{i} {w}' for i, w in enumerate(shown.words) if w])}")
    typer.echo("at = indices()")
    typer.echo(d["program"])
    kept = "keeps to RASP-L" if not d["breaches"] else f"is outside RASP-L: {'; '.join(dict.fromkeys(d['breaches']))}"
    typer.echo(f"# {d['kqv']} attention calls, {d['nodes']} nodes, depth {d['depth']}; it {kept}.")


@app.command("run")
def run_task(task: TaskName, tokens: Annotated[list[str], typer.Argument(help="The prompt's words.")]) -> None:
    """Answer a prompt with the task's program: `run sort s7 s2 s9`."""
    typer.echo(" ".join(answer(task, tokens)))


@app.command("check")
def check_program(
    task: TaskName,
    file: Annotated[Path, typer.Argument(help="A Python file with `def program() -> Node`.")],
    items: Annotated[int, typer.Option("--items", min=1, help="Questions of every length.")] = 500,
    as_json: AsJson = False,
) -> None:
    """Check a program of your own: is it right at lengths of 32 and 64, how long is it, and is it RASP-L?"""
    told = checked(task, load(file)(), items=items)
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    for split, right in told["exact"].items():
        typer.echo(f"{split:<12} {right:.3f} of {items} right")
    why = "; ".join(dict.fromkeys(told["breaches"])) or "nothing that RASP-L forbids"
    typer.echo(f"{told['kqv']} attention calls, {told['nodes']} nodes, depth {told['depth']}; {why}.")


def load(file: Path) -> Callable[[], Node]:
    """The function `program` of a Python file. Raises Missing, or Mistake where the file cannot be run or has none."""
    if not file.is_file():
        raise Missing(f"there is no file {file}; it is to hold `def program() -> Node`.")
    space: dict[str, Any] = {"__name__": "program"}
    try:
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), space)
    except Exception as error:
        raise Mistake(f"{file} cannot be run: {type(error).__name__}: {error}.") from error
    if not callable(space.get("program")):
        raise Mistake(f"{file} defines no function `program`; write `def program() -> Node` with unseen.measures.rasp.")
    return space["program"]


def _listed(words: Sequence[str], most: int = 14) -> str:
    return ", ".join(words[:most]) + (f", … ({len(words)} in all)" if len(words) > most else "")


def _example(task: Lengthwise) -> str:
    return " ".join(task.draw(task.splits[0].name, 1, np.random.default_rng(0))[0].prompt.split()[:-1][:9])
