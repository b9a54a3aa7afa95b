"""Training small decoders from scratch: `unseen.methods.fit` beside `transformers.Trainer`, tokens a second.

    tokens   7 21 4 … 9 | 7 21 4 … 9      the second half repeats the first, and only it is learned

Ours trains eight seeds at once, as a study does; Trainer one GPT-2 of the same shape (two layers, four heads, its
default activation, no dropout), with the same 128 sequences a step, loss places, AdamW and clipping. Trainer is taken
at the fastest of float32 and bfloat16, compiled or not. Compiling is done before the clock starts, on both sides; what
it costs is kept beside the timings.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
import torch

from unseen.core.lab import Lab
from unseen.core.record import Split
from unseen.core.task import Batch, Example
from unseen.methods import fit
from unseen.models import decoder, exporting

from .timing import Result, spent, take_turns

CASES = {(64, 32): 6, (64, 5): 24, (256, 32): 2, (256, 5): 6}  # (width, tokens of a sequence): our steps in a turn
SEEDS, BATCH, VOCAB, LAYERS, HEADS = 8, 128, 40, 2, 4
PLAIN = "float32"  # as Trainer comes
SETTINGS = {
    PLAIN: (False, False),
    "bfloat16": (True, False),
    "float32, compiled": (False, True),
    "bfloat16, compiled": (True, True),
}
SAME_STEPS = 20
WITHIN, REQUIRED = 1e-4, 2.5


@dataclass(frozen=True)
class Echo:
    """Random tokens of which the second half repeats the first."""

    length: int
    name: str = "echo"
    vocab: int = VOCAB
    splits: tuple[Split, ...] = field(default=())

    def longest(self, split: str) -> int:
        """All sequences are equally long."""
        return self.length

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences; their second halves are the answers."""
        told = self.length // 2
        tokens = rng.integers(1, self.vocab, (n, self.length))
        tokens[:, -told:] = tokens[:, :told]
        return Batch(tokens, np.tile(np.arange(self.length) >= self.length - told, (n, 1)))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> list[Example]:
        """Nothing: this task is trained on, not asked."""
        return []

    def score(self, example: Example, answer: str) -> dict[str, float]:
        """Nothing, as there are no examples."""
        return {}


def compare(rounds: int) -> Iterator[Result]:
    """One result for each width and length. About a quarter of an hour on an idle core, most of it compiling."""
    for (width, length), steps in CASES.items():
        yield _compared(width, length, steps, rounds)


def _compared(width: int, length: int, steps: int, rounds: int) -> Result:
    task = Echo(length)
    difference = float(np.abs(our_losses(task, width) - their_losses(task, width)).max())
    amount = steps * SEEDS * BATCH * (length - 1)
    plain, our_compiling, ours = _ours(task, width, steps)
    costs, compiling = _tried(task, width, steps * SEEDS)
    best = min(SETTINGS, key=lambda name: costs[name])
    theirs = Paused(task, width, *SETTINGS[best])
    theirs.turn(3)()
    turns = take_turns(ours, theirs.turn(steps * SEEDS), rounds)
    theirs.stop()
    notes: dict[str, object] = {
        "Trainer's CPU seconds of the first three steps": compiling,
        "our CPU seconds of the first turn, compiling": our_compiling,
        "compiled from (tokens of a training)": fit.COMPILED_FROM,
        "steps of which the losses were compared": SAME_STEPS,
        f"ours beside Trainer, {PLAIN}": costs[PLAIN] / median(t.cpu for t in turns.ours),
    }
    rates = {name: amount / cost for name, cost in {**costs, "ours, not compiled": plain}.items()}
    case = f"width {width}, {length} tokens, {SEEDS} seeds"
    return Result(
        "training", case, f"Trainer, {best}", difference, WITHIN, turns, REQUIRED, amount, "tokens", rates, notes
    )


def _tried(task: Echo, width: int, steps: int) -> tuple[dict[str, float], dict[str, float]]:
    """CPU seconds of a turn of Trainer under each setting, and of its first three steps, where it compiles."""
    costs: dict[str, float] = {}
    compiling: dict[str, float] = {}
    fused = (f"{PLAIN}, its activation's fused kernel", (*SETTINGS[PLAIN], "gelu_pytorch_tanh"))
    for name, how in (*SETTINGS.items(), fused):
        one = Paused(task, width, *how)
        compiling[name] = spent(one.turn(3)).cpu
        costs[name] = min(spent(one.turn(steps)).cpu for _ in range(2))
        one.stop()
    return costs, compiling


def _ours(task: Echo, width: int, steps: int) -> tuple[float, float, Callable[[], object]]:
    """CPU seconds of a turn that is not compiled and of the first that is, and what takes a compiled turn."""
    enough = fit.COMPILED_FROM // (SEEDS * BATCH * task.length) + 1
    plain = _trained(task, width, range(SEEDS), steps, enough // 4)
    next(plain)
    cost = min(spent(lambda: next(plain)).cpu for _ in range(2))
    compiled = _trained(task, width, range(SEEDS), steps, enough)
    return cost, spent(lambda: next(compiled)).cpu, lambda: next(compiled)


def _trained(task: Echo, width: int, seeds: range, every: int, steps: int) -> Iterator[Any]:
    """A training of ours as `next_token` streams it, without checkpoints."""
    lab = Lab.alone(seeds=tuple(seeds))
    lab.state = None
    models = begun(task, width, seeds)
    return fit.next_token(models, task, "train", steps=steps, every=every, recipe=recipe("auto"), lab=lab)


def begun(task: Echo, width: int, seeds: range) -> decoder.Decoder:
    """Decoders of the shape that is compared."""
    context = task.length - 1
    return decoder.stack(VOCAB, width=width, layers=LAYERS, heads=HEADS, context=context, seeds=tuple(seeds))


def recipe(precision: Any) -> fit.Recipe:
    """A constant rate, so that both sides are at the same one at every step."""
    return fit.Recipe(batch=BATCH, warmup=0, schedule="constant", precision=precision, shift=False)


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
    keep, weight = fit.places(batch.answer[None])
    tokens = torch.from_numpy(batch.tokens)[None]
    return float(fit.answer_losses(models, tokens, None, torch.from_numpy(keep), torch.from_numpy(weight)))


def drawn(task: Echo, step: int, lab: Lab) -> Batch:
    """The batch that `fit` draws for seed 0 at a step."""
    return task.batch("train", BATCH, lab.rng("batch", step, seed=0))


def their_losses(task: Echo, width: int) -> np.ndarray:
    """Trainer's loss at each step, from the same weights and batches, in float32 [step]."""
    found: list[float] = []
    one = Paused(task, width, False, False)
    one.model.register_forward_hook(lambda module, given, told: found.append(told.loss.item()))
    one.turn(SAME_STEPS)()
    one.stop()
    return np.array(found[:SAME_STEPS])


class Paused:
    """A Trainer that runs in a thread of its own and rests between turns."""

    def __init__(self, task: Echo, width: int, bf16: bool, compiled: bool, activation: str | None = None) -> None:
        self.model = exporting.pretrained(begun(task, width, range(1))).train()
        if activation:
            from transformers.activations import ACT2FN

            for block in self.model.transformer.h:
                block.mlp.act = ACT2FN[activation]
        self.left, self.ended = 0, False
        self.go, self.rest = threading.Event(), threading.Event()
        self.trainer = _trainer(self, task, bf16, compiled)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def turn(self, steps: int) -> Callable[[], None]:
        """What takes so many steps when it is called."""

        def take() -> None:
            self.left = steps
            self.rest.clear()
            self.go.set()
            if self.thread.ident is None:
                self.thread.start()
            self.rest.wait()

        return take

    def stepped(self, control: Any) -> None:
        """After each step of the Trainer: rest where the turn is over."""
        self.left -= 1
        if self.left == 0:
            self.go.clear()
            self.rest.set()
            self.go.wait()
        control.should_training_stop = self.ended

    def stop(self) -> None:
        """End the training, and wait for its thread."""
        self.ended = True
        self.go.set()
        self.thread.join()

    def _run(self) -> None:
        try:
            self.trainer.train()
        finally:
            self.rest.set()


def _trainer(paused: Paused, task: Echo, bf16: bool, compiled: bool) -> Any:
    from accelerate.state import AcceleratorState
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    for name in [n for n in os.environ if n.startswith("ACCELERATE_")]:
        del os.environ[name]  # else a Trainer is compiled because one before it was
    AcceleratorState._reset_state(reset_partial_state=True)

    class Rests(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            paused.stepped(control)

    settings = TrainingArguments(
        output_dir=tempfile.mkdtemp(prefix="bench-"),
        per_device_train_batch_size=BATCH,
        max_steps=1 << 20,
        learning_rate=fit.Recipe().lr,
        lr_scheduler_type="constant",
        weight_decay=fit.Recipe().weight_decay,
        adam_beta2=fit.Recipe().betas[1],
        max_grad_norm=fit.Recipe().clip,
        optim="adamw_torch_fused",
        use_cpu=True,
        bf16=bf16,
        torch_compile=compiled,
        report_to=[],
        remove_unused_columns=False,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
    )
    made = Trainer(paused.model, settings, _collator(task), Places(), callbacks=[Rests()])
    made.remove_callback(PrinterCallback)
    return made


class Places:
    """A dataset of places only: the collator draws each step's batch whole, as `fit` does."""

    def __len__(self) -> int:
        return BATCH << 14

    def __getitem__(self, i: int) -> int:
        return i

    def __getitems__(self, places: list[int]) -> list[int]:
        return places


def _collator(task: Echo) -> Callable[[list[int]], dict[str, torch.Tensor]]:
    lab = Lab.alone()
    steps = iter(range(1 << 30))

    def collated(places: list[int]) -> dict[str, torch.Tensor]:
        batch = drawn(task, next(steps), lab)
        tokens = torch.from_numpy(batch.tokens)
        goals = tokens.masked_fill(~torch.from_numpy(batch.answer), -100)[:, 1:].contiguous()
        return {"input_ids": tokens[:, :-1], "labels": goals, "shift_labels": goals}  # moved by one place already

    return collated
