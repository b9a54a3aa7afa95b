"""What can be done with scenes beside studying them? Draw them as pictures, answer them by the rules, load them for training.

unseen use multimodal_reasoning render "10 distractors" --out pictures    ->  pictures/0.png, 0.txt, …, answers.jsonl
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen.core.errors import Invalid, Unknown, nearest
from unseen.core.lab import Lab
from unseen.tasks.rows import json_lines, json_rows

from . import evaluator, pictures, said
from .coded import Encoding, coded, longest
from .families import PARTS, Family
from .scenes import Items
from .tasks import Scenes
from .world import World

app = typer.Typer(
    help="Scenes of coloured letters with questions: pictures, answers, arrays.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
WORLD = World()


class Loaded:
    """Rows that `unseen data multimodal_reasoning/…` wrote, as a data set that `torch.utils.data.DataLoader` reads.

    An entry holds arrays: rule [token feature], stim [cell+1 feature], last, answer (a class), and picture [height width 3]
    if asked for. Questions are filled up to `nodes` nodes, those of the deepest one if none are given.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], *, encoding: Encoding = "onehot", nodes: int | None = None, picture: bool = False) -> None:  # fmt: skip
        self.encoding: Encoding = encoding
        self.picture = picture
        self.items: list[Items] = [items_of(row) for row in rows]
        self.nodes = nodes or longest(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, i: int) -> dict[str, Any]:
        told = coded([self.items[i]], self.encoding, nodes=self.nodes)
        found = {k: getattr(told, k)[0] for k in ("rule", "stim", "last", "answer")}
        return found | ({"picture": pictures.picture(self.items[i], 0)} if self.picture else {})


def items_of(row: Mapping[str, Any]) -> Items:
    """The scene and question of a row, in the world that its receipt tells. Raises Invalid for other rows."""
    from unseen.items import parsed

    receipt = parsed(row.get("receipt"))
    if not isinstance(receipt, Mapping) or "setting" not in receipt or "prompt" not in row:
        raise Invalid(
            f"a row holds {', '.join(row)}; it needs prompt and receipt, as `unseen data multimodal_reasoning` wrote them."
        )
    sizes = receipt["setting"]
    world = World(*(int(sizes[k]) for k in ("side", "shapes", "colours", "queried")))
    return said.items_of([str(row["prompt"])], world)[0]


def family_with(split: str, world: World) -> Family:
    """The family that has a split of that name, tested as in the paper as far as there is room. Raises Unknown for
    another."""
    far = tuple(k for k in (10, 20, 30, 40) if k < world.cells)
    made = [
        Family(part, world, fidelity, tests=(5, 7) if part == "productive" else far)
        for fidelity in ("as_intended", "as_released")
        for part in PARTS
    ]
    for family in made:
        if split in (family.part, Scenes(family).name) or split in [s.name for s in family.splits]:
            return family
    known = dict.fromkeys([Scenes(f).name for f in made] + [s.name for f in made for s in f.splits])
    raise Unknown(f"no split is called {split!r}{nearest(split, known)}. There are {', '.join(known)}.")


def drawn(split: str, n: int, *, world: World = WORLD, seed: int = 0) -> list[Items]:
    """n items of a split, such as `10 distractors` or `depth 5`; of a family (`opsys_as_released`), of its training."""
    family = family_with(split, world)
    name = split if split in [s.name for s in family.splits] else "train"
    return family.draw(name, n, Lab.alone(seeds=(seed,)).rng("render", split))


@app.command("render")
def render(
    split: Annotated[str, typer.Argument(help="A split, such as '10 distractors', or a family, such as opsys.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many.")] = 8,
    side: Annotated[int, typer.Option("--side", help="Cells of a side of the grid.")] = 10,
    letters: Annotated[int, typer.Option("--letters", help="Letters that stand in scenes.")] = 26,
    colours: Annotated[int, typer.Option("--colours", help="Colours that stand in scenes.")] = 10,
    queried: Annotated[int, typer.Option("--queried", help="Letters and colours that questions speak of.")] = 10,
    dot: Annotated[int, typer.Option("--dot", min=1, max=40, help="Pixels of a letter's dot; a cell is 11 wide.")] = 3,
    seed: Annotated[int, typer.Option("--seed")] = 0,
) -> None:
    """Draw scenes as PNG files, with their questions and answers in answers.jsonl."""
    world = World(side, letters, colours, queried)
    parts = drawn(split, n, world=world, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "answers.jsonl").open("w", encoding="utf-8") as file:
        number = 0
        for items in parts:
            for i in range(len(items)):
                name = f"{number}.png"
                (out / name).write_bytes(pictures.png(pictures.picture(items, i, dot=dot)))
                question = said.asked(evaluator.question_of(items, i))
                told = {"picture": name, "question": question, "answer": world.answer(int(items.answer[i]))}
                file.write(json.dumps(told | {"prompt": said.prompt(items, i)}) + "\n")
                number += 1
    typer.echo(
        f"{out}: {number} pictures of {world.side * 11 * dot} × {world.side * 11 * dot} pixels, and answers.jsonl"
    )


@app.command("solve")
def solve(
    file: Annotated[Path | None, typer.Argument(help="JSONL rows with a prompt; standard input if not given.")] = None,
) -> None:
    """Answer prompts by the rules, each worked out on its own grid."""
    holds = "give JSONL rows with a prompt, as `unseen data` writes them"
    rows = json_lines(sys.stdin, "standard input", holds) if file is None else json_rows(file, holds)
    for number, row in rows:
        if not isinstance(row, dict) or "prompt" not in row:
            raise Invalid(f"line {number} is no JSON object with a prompt; {holds}.")
        _, question, scene = said.read(str(row["prompt"]))
        typer.echo(evaluator.answer(question, scene))


@app.command("arrays")
def arrays(
    split: Annotated[str, typer.Argument(help="A split or a family, as in `render`.")],
    out: Annotated[Path, typer.Option("--out", help="The .npz file to write.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many.")] = 1000,
    encoding: Annotated[
        str, typer.Option("--encoding", help="onehot, or scalar as the released code has it.")
    ] = "onehot",
    pixels: Annotated[bool, typer.Option("--pixels", help="With pictures, too.")] = False,
    seed: Annotated[int, typer.Option("--seed")] = 0,
) -> None:
    """Write items of the paper's sizes as arrays: rule, stim, last, answer (and pixels)."""
    if encoding not in ("onehot", "scalar"):
        raise Invalid(f"--encoding {encoding}: tokens are onehot or scalar.")
    parts = drawn(split, n, seed=seed)
    told = coded(parts, encoding, nodes=longest(parts))
    more: dict[str, Any] = {"pixels": np.concatenate([pictures.pictures(p) for p in parts])} if pixels else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out, rule=told.rule, stim=told.stim, last=told.last, answer=told.answer, **more)
    typer.echo(f"{out}: {n} items")
