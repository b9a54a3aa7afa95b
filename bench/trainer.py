"""A `transformers.Trainer` that is trained a few steps at a time: one GPT-2 of the shape that is compared."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from unseen.core.lab import Lab
from unseen.methods import fit
from unseen.models import exporting

from .echo import BATCH, SAME_STEPS, Echo, begun, drawn


def turns(task: Echo, width: int, how: tuple[Any, ...], steps: int) -> Callable[[], object]:
    """What takes so many steps of a Trainer, after three that pay for compiling."""
    one = Paused(task, width, *how)
    one.turn(3)()
    return one.turn(steps)


def losses(task: Echo, width: int) -> np.ndarray:
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
