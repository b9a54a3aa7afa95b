"""How is a language model measured? Tuned with LoRA on a mixture of instructions, it writes code that tests are run on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored
from unseen.methods.trainer import IGNORED, arguments, collated, opened, trained, with_adapter

from .arms import Tuned
from .instructions import ASKED, Instruction, completing, mixed, named
from .problems import Problems

UNTUNED = 20  # problems asked before tuning, at most


def run(setting: Tuned, lab: Lab) -> Iterator[Row]:
    """Rows of a language model for each seed: `passed` (fraction of problems) before and after, and the last loss."""
    task = Problems(setting.problems)
    for seed in lab.seeds:
        model, tokenizer = opened(setting.checkpoint, setting.dtype, lab)
        data = _examples(setting, tokenizer, lab, seed)
        yield from _passed("passed_untuned", setting, task, model, tokenizer, lab, seed, min(UNTUNED, setting.items))
        tuned, loss = tune(model, data, setting, lab, seed)
        yield Row("tuning_loss", loss, step=setting.steps, seed=seed)
        yield from _passed("passed", setting, task, tuned, tokenizer, lab, seed, setting.items)
        tuned.save_pretrained(str(lab.folder / f"adapter-{seed}"))


def encoded(one: Instruction, tokenizer: Any, length: int) -> dict[str, list[int]]:
    """Tokens and labels of an instruction in Alpaca's form; the loss is that of the answer and its end, cut at `length`."""
    asked = tokenizer(ASKED.format(one.asked))["input_ids"]
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    if end and asked[-1:] == end:
        asked = asked[:-1]
    told = [*tokenizer(one.answer, add_special_tokens=False)["input_ids"], *end]
    return {"input_ids": [*asked, *told][:length], "labels": [*([IGNORED] * len(asked)), *told][:length]}


def tune(model: Any, data: Sequence[dict[str, list[int]]], setting: Tuned, lab: Lab, seed: int) -> tuple[Any, float]:
    """(the model with a trained LoRA adapter on every linear layer, the mean loss of training in nats).

    An interrupted training goes on from its last checkpoint.
    """
    from transformers import Trainer

    tuned = with_adapter(model, setting.rank, lab, seed)
    trainer = Trainer(
        model=tuned,
        args=_arguments(setting, lab, seed),
        train_dataset=list(data),  # type: ignore[arg-type]
        data_collator=collated,
    )
    return tuned.eval(), float(trained(trainer, lab).training_loss)


def _arguments(setting: Tuned, lab: Lab, seed: int) -> Any:
    from transformers import TrainingArguments

    told = arguments(
        lab, "tuning", steps=setting.steps, batch=setting.batch, at_once=setting.at_once, lr=setting.lr,
        dtype=setting.dtype, seed=seed,
    )  # fmt: skip
    return TrainingArguments(
        **told,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, setting.steps // 30),
        logging_strategy="no",
        remove_unused_columns=False,
        dataloader_pin_memory=lab.device != "cpu",
    )


def _examples(setting: Tuned, tokenizer: Any, lab: Lab, seed: int) -> list[dict[str, list[int]]]:
    """The mixture of a setting as tokens; those whose answer is cut off whole are left out."""
    held = [
        named(kind, source, setting.total, lab.rng(kind, seed=seed))
        for kind, source in (("code", setting.code), ("general", setting.general))
    ]
    chosen = mixed(*held, share=setting.share, total=setting.total, rng=lab.rng("mixture", seed=seed))
    found = [encoded(one, tokenizer, setting.longest) for one in chosen]
    kept = [one for one in found if any(label != IGNORED for label in one["labels"])]
    if not kept:
        raise Invalid(f"longest={setting.longest}: every answer lies beyond it; make it longer.")
    return kept


def _passed(
    measure: str, setting: Tuned, task: Problems, model: Any, tokenizer: Any, lab: Lab, seed: int, n: int
) -> Iterator[Row]:
    """The fraction of n problems of every split whose tests pass, all written greedily; runs what the model writes."""
    from unseen.models.engine import Local

    writer = Local(model, tokenizer)
    for split in task.splits:
        asked = task.draw(split.name, n, lab.rng("test", split.name, seed=seed))
        prompts = [ASKED.format(completing(e.prompt)) for e in asked]
        said = dict(writer.stream(prompts, max_new_tokens=setting.room))
        right = np.array([[task.score(e, said[i].text)["passed"] for i, e in enumerate(asked)]])
        step = setting.steps if measure == "passed" else 0
        yield from Row.each(measure, Scored([seed], [[e.id for e in asked]], right), split, step=step)
