"""What does one rank do? It tunes its share of a small model."""

from __future__ import annotations

from typing import Any

from unseen.core.lab import Lab
from unseen.methods.sharded import held, in_turn
from unseen.methods.trainer import opened
from unseen.methods.tuning import Recipe, prepared
from unseen.methods.tuning import tuned as trl_tuned
from unseen.tasks.owned import Pair


def tuned(lab: Lab, steps: int) -> dict[str, Any]:
    """{"told": [(step, loss, norm of the gradient)], "held": bytes a rank holds, as a share of all}."""
    from transformers import TrainerCallback

    told: list[tuple[int, float, float]] = []

    class Logged(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            if "loss" in given["logs"]:
                told.append((state.global_step, given["logs"]["loss"], given["logs"]["grad_norm"]))

    recipe = Recipe("full", steps, batch=4, lr=1e-2)
    with in_turn(lab):
        model, tokenizer = opened("tiny:llama", "float32", lab)
        whole = held(model)
        model = prepared(model, recipe, lab)
    rows = [Pair(str(i), f"{i}:", ("red", "blue", "dark green")[i % 3]) for i in range(10)]
    after = trl_tuned(model, tokenizer, rows, recipe, lab, callbacks=[Logged()])
    return {"told": told, "held": held(after) / whole}
