"""How is a language model trained by transformers' own trainers, or TRL's, within a trial?

model, tokenizer = opened("hf:Qwen/Qwen3-0.6B", "bfloat16", lab)
trainer = Trainer(model=model, args=TrainingArguments(**arguments(lab, "tuning", steps=…, …, seed=seed), …), …)
told = trained(trainer, lab)          # shows how far it is, and goes on from where it was interrupted
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unseen.core.errors import Invalid
from unseen.core.lab import Lab

IGNORED = -100  # a label without loss


def opened(checkpoint: str, dtype: str, lab: Lab) -> tuple[Any, Any]:
    """(model, tokenizer) of a model that transformers computes here, on the lab's device.

    Raises Invalid for another kind of model, Missing where it is not there.
    """
    from transformers import AutoModelForCausalLM

    from unseen import models
    from unseen.models import tiny
    from unseen.models.engine import quiet

    quiet()
    kind, _, rest = checkpoint.partition(":")
    if (
        kind == "tiny" and rest != "decoder"
    ):  # kept in a folder, from which GRPO reads the model that it is to stay near
        place = (lab.state or lab.folder) / f"tiny-{rest}"
        tiny.made(rest, dtype).save_pretrained(str(place))
        return AutoModelForCausalLM.from_pretrained(str(place)).to(lab.device), tiny.byte_tokenizer()
    local = models.local(checkpoint, device=lab.device, dtype=dtype)
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
    """What the arguments of every trainer say alike: `batch` rows a step, `at_once` of them in memory, four checkpoints of
    which the last is kept. Raises Invalid where `at_once` does not divide `batch`."""
    if batch % at_once:
        raise Invalid(f"batch={batch}, at_once={at_once}: at_once must divide batch.")
    return {
        "output_dir": str((lab.state or lab.folder) / f"{phase}-{seed}"),
        "max_steps": steps,
        "per_device_train_batch_size": at_once,
        "gradient_accumulation_steps": batch // at_once,
        "learning_rate": lr,
        "bf16": dtype == "bfloat16",
        "use_cpu": lab.device == "cpu",
        "save_steps": max(1, steps // 4),
        "save_total_limit": 1,
        "disable_tqdm": True,
        "report_to": [],
        "seed": lab.stream(phase, seed=seed) % 2**31,
    }


def trained(trainer: Any, lab: Lab) -> Any:
    """What `trainer.train()` gives, which tells the lab after every step; it goes on from its last checkpoint, if any."""
    from transformers import PrinterCallback, TrainerCallback

    class Telling(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            lab.progress(state.global_step, state.max_steps)

    trainer.add_callback(Telling())
    trainer.remove_callback(PrinterCallback)
    before = last_whole(Path(trainer.args.output_dir))
    return trainer.train(resume_from_checkpoint=None if before is None else str(before))


def last_whole(place: Path) -> Path | None:
    """The last checkpoint of a trainer in a folder that was written to its end, or None.

    A process that is killed while it writes one leaves it in part: what a trainer writes last is its state.
    """
    found = {int(p.name.removeprefix("checkpoint-")): p for p in place.glob("checkpoint-*") if p.name[11:].isdigit()}
    for step in sorted(found, reverse=True):
        try:
            if json.loads((found[step] / "trainer_state.json").read_text(encoding="utf-8"))["global_step"] == step:
                return found[step]
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
