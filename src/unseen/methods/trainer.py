"""How is a language model trained by transformers' own trainers, or TRL's, within a trial?

model, tokenizer = opened("hf:Qwen/Qwen3-0.6B", "bfloat16", lab)
trainer = Trainer(model=model, args=TrainingArguments(**arguments(lab, "tuning", steps=…, …, seed=seed), …), …)
told = trained(trainer, lab)          # shows how far it is, and goes on from where it was interrupted
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Value

from . import ranks

IGNORED = -100  # a label without loss


def opened(checkpoint: str, dtype: str, lab: Lab) -> tuple[Any, Any]:
    """(model, tokenizer) of a model that transformers computes here, on the lab's device; in a rank on the CPU, from
    where its device gets its share.

    Raises Invalid for another kind of model, Missing where it is not there.
    """
    from transformers import AutoModelForCausalLM

    from unseen import models
    from unseen.models import tiny
    from unseen.models.engine import quiet

    quiet()
    device = lab.device if ranks.count() == 1 else "cpu"
    kind, _, rest = checkpoint.partition(":")
    if (
        kind == "tiny" and rest != "decoder"
    ):  # kept in a folder, from which GRPO reads the model that it is to stay near
        if ranks.rank():  # transformers has the first alone write
            return tiny.made(rest, dtype).to(device), tiny.byte_tokenizer()
        place = (lab.state or lab.folder) / f"tiny-{rest}"
        tiny.made(rest, dtype).save_pretrained(str(place))
        return AutoModelForCausalLM.from_pretrained(str(place)).to(device), tiny.byte_tokenizer()
    local = models.local(checkpoint, device=device, dtype=dtype)
    return local.model, local.tokenizer


def with_adapter(model: Any, rank: int, lab: Lab, seed: int) -> Any:
    """The model with a LoRA adapter on every linear layer, twice its rank as alpha, its first weights a function of the seed."""
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(lab.stream("adapter", seed=seed))
    return get_peft_model(
        model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def collated(rows: Sequence[dict[str, list[int]]]) -> dict[str, Any]:
    """Examples of `input_ids` and `labels` as tensors [row longest], padded on the right with what nothing looks at."""
    import torch

    longest = max(len(r["input_ids"]) for r in rows)

    def padded(name: str, filler: int) -> Any:
        return torch.tensor([[*r[name], *([filler] * (longest - len(r[name])))] for r in rows])

    mask = torch.tensor([[1] * len(r["input_ids"]) + [0] * (longest - len(r["input_ids"])) for r in rows])
    return {"input_ids": padded("input_ids", 0), "labels": padded("labels", IGNORED), "attention_mask": mask}


def arguments(
    lab: Lab, phase: str, *, steps: int, batch: int, at_once: int, lr: float, dtype: str, seed: int
) -> dict[str, Any]:
    """What the arguments of every trainer say alike: `batch` rows a step, `at_once` of them in memory (of all ranks),
    four checkpoints of which the last is kept, none of them the trainer's own. Raises Invalid where `at_once` does not
    divide `batch`, or the ranks do not divide `at_once`."""
    if batch % at_once:
        raise Invalid(f"batch={batch}, at_once={at_once}: at_once must divide batch.")
    dividing(at_once, ranks.count())
    return {
        "output_dir": str((lab.state or lab.folder) / f"{phase}-{seed}"),
        "max_steps": steps,
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": batch // at_once,
        "learning_rate": lr,
        "bf16": dtype == "bfloat16",
        "use_cpu": lab.device == "cpu",
        "save_strategy": "no",
        "save_steps": max(1, steps // 4),  # as `Keeping` reads them
        "disable_tqdm": True,
        "report_to": [],
        "seed": lab.stream(phase, seed=seed) % 2**31,
    }


def heard(lab: Lab, done: float, of: float, **shown: Value) -> None:
    """Tell the Lab what must not be lost, as what `progress` says may be: losses and looks, which are few."""
    lab.at = (done, of)
    if lab.tell is not None:
        lab.tell(done, of, shown)


def dividing(at_once: int, n: int) -> None:
    """Raise Invalid where n ranks cannot each take as many of the rows that are in memory at once."""
    if at_once % n:
        raise Invalid(f"{at_once} rows at once, {n} ranks: each takes as many rows of every batch; make it {max(1, at_once // n) * n}, or another multiple of {n} (--at-once, or --batch where that is 0).")  # fmt: skip


def trained(trainer: Any, lab: Lab) -> Any:
    """What `trainer.train()` gives; it goes on from its last checkpoint, if any.

    The Lab is told every step and every loss that is logged. Checkpoints are ours, without pickles. In ranks it raises
    Failed where the model is not shared among them.
    """
    import torch
    from transformers import PrinterCallback, TrainerCallback

    from . import checkpoint
    from .sharded import check

    class Telling(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            if ranks.count() > 1:
                check(given["model"])  # which is trained, whatever the trainer made of it
                torch.manual_seed(args.seed + ranks.rank())  # each drops out other numbers; rows are drawn by then

        def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            lab.progress(state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            if (loss := given["logs"].get("loss")) is not None:
                heard(lab, state.global_step, state.max_steps, loss=float(loss))

    _settle()
    place = Path(trainer.args.output_dir)
    before = checkpoint.last(place)
    if before is not None:
        checkpoint.weights_back(trainer.model, before)
        # The trainer would look for weights in files of its own, and says so loudly where this method has another name.
        trainer._load_from_checkpoint = lambda *_, **__: None
    trainer.add_callback(Telling())
    trainer.add_callback(checkpoint.Keeping(place, before))
    trainer.remove_callback(PrinterCallback)
    return trainer.train(resume_from_checkpoint=None if before is None else str(before))


@cache
def _settle() -> None:
    """Let collections of garbage pass over what the libraries made as they were loaded: every training begins with one,
    which took half a second beside trainings of as much."""
    gc.collect()
    gc.freeze()
