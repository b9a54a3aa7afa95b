"""Training many seeds: stacked in one program beside one after another, both with `unseen.methods.fit`.

On an accelerator if there is one: small models leave it idle, so that a stack costs little more than a member. On a CPU a
stack saves only what each step costs beside its products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from unseen.core.lab import Lab
from unseen.core.threads import threads
from unseen.methods import fit
from unseen.models import decoder

from .echo import BATCH, HEADS, LAYERS, SAME_STEPS, VOCAB, Echo, recipe
from .sides import Side
from .timing import Result, take_turns

SEEDS = 32
CASES = {(64, 5): 4, (64, 32): 2}  # (width, tokens of a sequence): steps of all seeds in a turn
WITHIN = 1e-4
REQUIRED = {"cuda": 8.0, "cpu": 1.0}


def compare(rounds: int) -> Iterator[Result]:
    """One result for each width and length. A few minutes."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for (width, length), steps in CASES.items():
        task = Echo(length)
        stacked = Side(turns, task, width, [tuple(range(SEEDS))], steps, device)
        single = Side(turns, task, width, [(s,) for s in range(SEEDS)], steps, device)
        stacked.turn(), single.turn()
        found = take_turns(stacked.turn, single.turn, rounds)
        stacked.stop(), single.stop()
        case = f"width {width}, {length} tokens, {SEEDS} seeds"
        amount = steps * SEEDS * BATCH * (length - 1)
        other = f"one seed after another, on {device}"
        yield Result(
            "seeds",
            case,
            other,
            difference(task, width, device),
            WITHIN,
            found,
            REQUIRED[device],
            amount,
            "tokens",
            {},
            {},
        )


def turns(task: Echo, width: int, blocks: list[tuple[int, ...]], steps: int, device: str) -> Callable[[], object]:
    """What takes so many steps of every block, one block after another."""
    threads(1).__enter__()  # for as long as the process lives
    streams = [trained(task, width, seeds, steps, 1_000 * steps, "auto", device) for seeds in blocks]
    return lambda: [torch.sum(next(stream)[1].flat).item() for stream in streams]  # waits for the device


def trained(
    task: Echo, width: int, seeds: tuple[int, ...], every: int, steps: int, precision: str, device: str
) -> Iterator[tuple[int, decoder.Decoder]]:
    """A training as `next_token` streams it, not compiled and without checkpoints."""
    lab = Lab.alone(seeds=seeds, device=device)
    lab.state = None
    how: dict[str, Any] = {"width": width, "layers": LAYERS, "heads": HEADS, "context": task.length - 1}
    models = decoder.stack(VOCAB, seeds=seeds, lab=lab, **how)
    return fit.next_token(models, task, "train", steps=steps, every=every, recipe=recipe(precision), lab=lab)


def difference(task: Echo, width: int, device: str) -> float:
    """The largest between the logits of three members trained alone and in a stack, in float32."""
    given = torch.randint(1, VOCAB, (1, 16, task.length - 1), generator=torch.Generator().manual_seed(0)).to(device)
    logits: dict[tuple[int, ...], torch.Tensor] = {}
    for seeds in ((0, 1, 2), (0,), (1,), (2,)):
        for _, models in trained(task, width, seeds, SAME_STEPS, SAME_STEPS, "float32", device):
            with torch.no_grad():
                logits[seeds] = models.logits(models(given.expand(len(seeds), -1, -1)))
    alone = torch.cat([logits[(s,)] for s in range(3)])
    return float((alone - logits[0, 1, 2]).abs().max())
