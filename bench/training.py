"""Training small decoders from scratch: `unseen.methods.fit` beside `transformers.Trainer` and a loop written by hand.

Ours trains eight seeds at once, as a study does; the others one GPT-2 of the same shape after another (two layers, four
heads, no dropout), with the same 128 sequences a step, loss places, AdamW and clipping. Trainer is taken as it comes,
and both others at the fastest of float32 and bfloat16, compiled or not. Each side has a process of its own. Compiling is done before the clock
starts, on all sides; what it costs is kept beside the timings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from unseen.core.lab import Lab
from unseen.core.threads import threads
from unseen.methods import fit
from unseen.models import decoder
from unseen.tasks.batches import places

from . import by_hand, trainer
from .echo import BATCH, LAYERS, PLAIN, SAME_STEPS, SEEDS, SETTINGS, VOCAB, Echo, begun, drawn, recipe
from .sides import Side
from .timing import Result, spent, take_turns

CASES = {(64, 32): 12, (64, 5): 48, (256, 32): 4, (256, 5): 16}  # (width, tokens of a sequence): our steps in a turn
OF_TRAINER = {(64, 32): 3.0, (64, 5): 3.0, (256, 32): 3.0, (256, 5): 2.5}  # what is required beside Trainer as it comes
WITHIN = 1e-4
PEAK = 2048  # rows and columns of the products that the machine's peak is measured with


@dataclass(frozen=True)
class Other:
    """Another way to train the same: its name, what takes its turns, its losses, its settings, the ratios required."""

    name: str
    turns: Callable[..., Callable[[], object]]
    losses: Callable[[Echo, int], np.ndarray]
    settings: dict[str, tuple[Any, ...]]
    required: Mapping[tuple[int, int], float]


FUSED = {f"{PLAIN}, its activation's fused kernel": (*SETTINGS[PLAIN], "gelu_pytorch_tanh")}
OTHERS = (
    Other("Trainer as it comes", trainer.turns, trainer.losses, {PLAIN: SETTINGS[PLAIN]}, OF_TRAINER),
    Other(
        "Trainer at its best", trainer.turns, trainer.losses, SETTINGS | FUSED, dict.fromkeys(CASES, 1.0)
    ),  # to be told, not reached
    Other("a loop by hand", by_hand.turns, by_hand.losses, SETTINGS, dict.fromkeys(CASES, 1.5)),
)


def compare(rounds: int) -> Iterator[Result]:
    """Three results for each width and length. About half an hour on an idle core, most of it compiling."""
    peak = matrix_peak()
    for (width, length), steps in CASES.items():
        for other in OTHERS:
            yield _compared(Echo(length), width, steps, rounds, other, peak)


def _compared(task: Echo, width: int, steps: int, rounds: int, other: Other, peak: float) -> Result:
    difference = float(np.abs(our_losses(task, width) - other.losses(task, width)).max())
    amount = steps * SEEDS * BATCH * (task.length - 1)
    costs = {name: _cost(other, task, width, how, steps * SEEDS) for name, how in other.settings.items()}
    best = min(costs, key=lambda name: costs[name])
    ours = Side(our_turns, task, width, steps, True)
    theirs = Side(other.turns, task, width, other.settings[best], steps * SEEDS)
    ours.turn(), theirs.turn()
    turns = take_turns(ours.turn, theirs.turn, rounds)
    ours.stop(), theirs.stop()
    rate = amount / median(t.cpu for t in turns.ours)
    notes: dict[str, object] = {
        "CPU seconds before the first turn, compiling (ours, theirs)": (ours.made.cpu, theirs.made.cpu),
        "compiled from (tokens of a training)": fit.COMPILED_FROM,
        "steps of which the losses were compared": SAME_STEPS,
        f"ours beside {other.name}, {PLAIN}": costs[PLAIN] / median(t.cpu for t in turns.ours),
        "the machine's bfloat16 matrix peak (operations a second, one thread)": peak,
        "our share of it": rate * operations(task, width) / peak,
    }
    rates = {name: amount / cost for name, cost in costs.items()}
    case = f"width {width}, {task.length} tokens, {SEEDS} seeds"
    named = f"{other.name}, {best}; ours at {notes['our share of it']:.0%} of the bfloat16 peak"
    return Result(
        "training",
        case,
        named,
        difference,
        WITHIN,
        turns,
        other.required[width, task.length],
        amount,
        "tokens",
        rates,
        notes,
    )


def _cost(other: Other, task: Echo, width: int, how: tuple[Any, ...], steps: int) -> float:
    """CPU seconds of a turn under one setting."""
    side = Side(other.turns, task, width, how, steps)
    cost = min(side.turn().cpu for _ in range(2))
    side.stop()
    return cost


def our_turns(task: Echo, width: int, steps: int, compiled: bool) -> Callable[[], object]:
    """What takes so many steps of all seeds, after some that pay for compiling; in the state of a trial's process."""
    threads(1).__enter__()  # for as long as the process lives
    enough = fit.COMPILED_FROM // (SEEDS * BATCH * task.length) + 1
    stream = _trained(task, width, steps, enough if compiled else enough // 4)
    next(stream)
    return lambda: next(stream)


def _trained(task: Echo, width: int, every: int, steps: int) -> Iterator[Any]:
    """A training of ours as `next_token` streams it, without checkpoints."""
    lab = Lab.alone(seeds=tuple(range(SEEDS)))
    lab.state = None
    models = begun(task, width, range(SEEDS))
    return fit.next_token(models, task, "train", steps=steps, every=every, recipe=recipe("auto"), lab=lab)


def our_losses(task: Echo, width: int) -> np.ndarray:
    """The loss of one member at each step, in float32 [step]: that on the batch which the step learns from."""
    lab = Lab.alone()
    lab.state = None
    models = begun(task, width, range(1))
    found = [_loss(models, task, 0, lab)]
    how = recipe("float32")
    for step, _ in fit.next_token(models, task, "train", steps=SAME_STEPS, every=1, recipe=how, lab=lab):
        found.append(_loss(models, task, step, lab))
    return np.array(found[:-1])


@torch.no_grad()
def _loss(models: decoder.Decoder, task: Echo, step: int, lab: Lab) -> float:
    batch = drawn(task, step, lab)
    keep, weight = places(batch.answer[None])
    tokens = torch.from_numpy(batch.tokens)[None]
    return float(fit.answer_losses(models, tokens, None, torch.from_numpy(keep), torch.from_numpy(weight)))


def operations(task: Echo, width: int) -> float:
    """Operations that training on a token takes by the textbook: 6 for each weight of a product, 12 for each pair of places."""
    weights = LAYERS * 12 * width**2 + VOCAB * width
    return 6 * weights + 12 * LAYERS * width * (task.length - 1)


def matrix_peak() -> float:
    """Operations a second of large bfloat16 products on one thread: the best of five."""
    a, b = (torch.randn(PEAK, PEAK, dtype=torch.bfloat16) for _ in range(2))
    torch.mm(a, b)
    return 2 * PEAK**3 / min(spent(lambda: [torch.mm(a, b) for _ in range(4)]).cpu / 4 for _ in range(5))
