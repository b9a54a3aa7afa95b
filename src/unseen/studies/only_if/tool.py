"""What should an instruction set be made of? Mix two files at a fixed budget, see how varied a file is, apply a rule.

unseen use only_if mix code.jsonl general.jsonl --share 0.2 --total 20000 --out mixed.jsonl
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.tasks.rewriting import interpret

from .instructions import Instruction, mixed, named

app = typer.Typer(
    help="Instruction sets: mix two at a fixed budget, count how varied one is; and follow a rewriting rule.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Source = Annotated[str, typer.Argument(metavar="SOURCE", help="A jsonl file, hf:org/set, or twin.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TWIN = 1000  # instructions of a twin, where it is counted


def variety(held: Sequence[Instruction]) -> dict[str, Any]:
    """How varied instructions are: how many, how many different ones, and how even their first two words are.

    `openings` is the exponential of the entropy of the first two words: so many equally common ones would be as varied.
    """
    openings = Counter(" ".join(one.asked.lower().split()[:2]) for one in held)
    share = np.array(list(openings.values())) / max(1, len(held))
    return {
        "instructions": len(held),
        "different": len({one.asked for one in held}),
        "openings": float(np.exp(-np.sum(share * np.log(share)))) if len(held) else 0.0,
        "commonest": [name for name, _ in openings.most_common(5)],
    }


@app.command("mix")
def mix(
    code: Source,
    general: Source,
    out: Annotated[Path, typer.Option("--out", help="The jsonl file to write.")],
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="Of general instructions.")] = 0.2,
    total: Annotated[int, typer.Option("--total", min=1, help="Instructions, whatever the share.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Which ones are taken, and their order.")] = 0,
) -> None:
    """Replace a share of one instruction set by another's at a fixed budget, as fields prompt and response."""
    sources = (("code", code), ("general", general))
    held = [named(kind, source, total, np.random.default_rng((seed, i))) for i, (kind, source) in enumerate(sources)]
    chosen = mixed(*held, share=share, total=total, rng=np.random.default_rng(seed))
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        file.writelines(
            json.dumps({"prompt": one.asked, "response": one.answer}, ensure_ascii=False) + "\n" for one in chosen
        )
    typer.echo(f"{len(chosen)} instructions, {round(share * total)} of them from {general}: {out}")


@app.command("variety")
def show_variety(source: Source, as_json: AsJson = False) -> None:
    """Count how varied an instruction set is."""
    told = variety(named("general", source, TWIN, np.random.default_rng(0)))
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(f"{told['instructions']} instructions, {told['different']} different ones")
    typer.echo(
        f"as varied as {told['openings']:.1f} equally common openings; the commonest: {', '.join(told['commonest'])}"
    )


@app.command("apply")
def apply(prompt: Annotated[str, typer.Argument(help="A rule and a string: 'a b -> c d : e a b f'.")]) -> None:
    """Rewrite the leftmost left side of a rule in a string: the right answer to a prompt of this study."""
    typer.echo(interpret(prompt))
