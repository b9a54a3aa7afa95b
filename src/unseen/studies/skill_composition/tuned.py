"""Does a model learn to compose skills from texts of few? LoRA on texts with full marks, asked for more before and after.

Row("full", 0.31, Split("4 train skills", …), n=100, at={"phase": "after"}, step=4000, seed=2)

A teacher writes texts of the train pool, the program grades them, and only those with full marks are trained on: as many
whatever the mixture of sizes is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from unseen import models
from unseen.core.errors import Failed, Invalid, missing_extra
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored
from unseen.methods.trainer import IGNORED, arguments, collated, opened, trained, with_adapter

from . import composed, wording
from .arms_mix import Taught
from .asked import two_turns
from .posed import Mix, Posed, mixes

TRIES = 10  # texts that a teacher may write for each one that is needed
SCORES = ("full", "all_skills", "fraction")
Pair = tuple[Posed, str]


def run(setting: Taught, lab: Lab) -> Iterator[Row]:
    """Yield the three scores on every split before and after training, and the last loss (nats)."""
    (task,) = mixes(setting)
    for seed in lab.seeds:
        pairs = lessons(setting, task, lab, seed)  # before the student is opened: a teacher needs the room
        model, tokenizer = opened(setting.checkpoint, setting.dtype, lab)
        yield from _measured(setting, task, (model, tokenizer), lab, seed, "before")
        after, loss = tuned(setting, (model, tokenizer), pairs, lab, seed)
        yield Row("tuning_loss", loss, step=setting.steps, seed=seed)
        yield from _measured(setting, task, (after, tokenizer), lab, seed, "after")
        after.save_pretrained(str(lab.folder / f"adapter-{seed}"))


def lessons(setting: Taught, task: Mix, lab: Lab, seed: int) -> list[Pair]:
    """Examples with texts that have full marks: equal shares of every size, `texts` in all.

    Raises Failed for a teacher whose texts seldom have them.
    """
    share = -(-setting.texts // len(setting.mixture))
    chosen = task.draw("train", setting.texts, lab.rng("lessons", seed=seed))
    found: list[Pair] = []
    for k in setting.mixture:
        kept = _kept(setting, task, [e for e in chosen if e.combination.k == k], share, lab, seed)
        if len(kept) < share:
            raise Failed(f"teacher={setting.teacher}: {len(kept)} texts of {k} skills had full marks of {TRIES} tries for each of the {share} that are needed; name a better teacher, or lower texts={setting.texts}.")  # fmt: skip
        found += kept
    return found[: setting.texts]


def tuned(setting: Taught, opened_: tuple[Any, Any], pairs: Sequence[Pair], lab: Lab, seed: int) -> tuple[Any, float]:
    """(the model with a trained adapter on every linear layer, its mean loss in nats); it goes on where it was interrupted."""
    try:
        from transformers import Trainer, TrainingArguments
    except ModuleNotFoundError as error:
        raise missing_extra("skill_composition's training", error, "hub") from error

    model, tokenizer = opened_
    # DEPARTS: adapters stand for the paper's training of all weights, at ten times its learning rate
    student = with_adapter(model, setting.rank, lab, seed)
    told = arguments(lab, "taught", steps=setting.steps, batch=setting.batch, at_once=setting.at_once, lr=setting.lr, dtype=setting.dtype, seed=seed)  # fmt: skip
    trainer = Trainer(
        model=student,
        args=TrainingArguments(**told, warmup_steps=max(1, setting.steps // 50), logging_strategy="no", remove_unused_columns=False, dataloader_pin_memory=lab.device != "cpu"),
        train_dataset=[encoded(pair, tokenizer, chat=setting.apply_chat_template) for pair in pairs],  # type: ignore[arg-type]
        data_collator=collated,
    )  # fmt: skip
    return student.eval(), float(trained(trainer, lab).training_loss)


def encoded(pair: Pair, tokenizer: Any, *, chat: bool) -> dict[str, list[int]]:
    """Tokens and labels of both turns; the loss is that of what the student says, and of its end."""
    example, text = pair
    reply = f"{wording.ANSWER} {text}"
    # DEPARTS: the teacher's first reply is its second one, so that both turns teach the graded text
    first, second = (wording.asked(example.combination, chat=chat), wording.again(example.combination, reply, chat=chat))  # fmt: skip
    tokens: list[int] = []
    labels: list[int] = []
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    for prompt in (first, second):
        before = _tokens(prompt, tokenizer)
        if before[: len(tokens)] != tokens:  # a template that rewrites earlier turns: only the last one is taught
            tokens, labels = [], []
        said = tokenizer(f" {reply}" if not chat else reply, add_special_tokens=False)["input_ids"]
        labels += [IGNORED] * (len(before) - len(tokens)) + said
        tokens = [*before, *said]
    return {"input_ids": [*tokens, *end], "labels": [*labels, *end]}


def _tokens(prompt: Any, tokenizer: Any) -> list[int]:
    """A prompt's tokens; those of a chat by the tokenizer's template."""
    if isinstance(prompt, str):
        return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    text = tokenizer.apply_chat_template([dict(t) for t in prompt], add_generation_prompt=True, tokenize=False)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _kept(setting: Taught, task: Mix, chosen: Sequence[Posed], share: int, lab: Lab, seed: int) -> list[Pair]:
    """The texts of one size that have full marks, in the order they were written, `share` at most."""
    if not chosen:
        raise Invalid(f"mixture={setting.mixture}: there is nothing to train on of some size; sizes trained on are 1, 2 or 3.")  # fmt: skip
    kept: list[Pair] = []
    for turn in range(-(-TRIES * share // len(chosen))):
        if len(kept) >= share:
            break
        told = _written(setting, chosen, lab, seed, turn)
        kept += [(e, text) for e, text in zip(chosen, told, strict=True) if task.score(e, text)["full"] == 1]
    return kept[:share]


def _written(setting: Taught, chosen: Sequence[Posed], lab: Lab, seed: int, turn: int) -> list[str]:
    """The teacher's text of each example: of a writer by rule, or of a model in two turns."""
    combinations = [e.combination for e in chosen]
    if setting.teacher in composed.WRITERS:
        rng = lab.rng("taught", turn, seed=seed)
        return [composed.written(setting.teacher, one, rng) for one in combinations]
    teacher = models.open(setting.teacher, lab=lab, dtype=setting.dtype)
    words = {"max_new_tokens": setting.max_new_tokens, "temperature": setting.temperature, "seed": lab.stream("taught", turn, seed=seed) % 2**31}  # fmt: skip
    return two_turns(teacher.generate, combinations, words, chat=setting.apply_chat_template)


def _measured(setting: Taught, task: Mix, writer_of: tuple[Any, Any], lab: Lab, seed: int, phase: str) -> Iterator[Row]:
    """Rows of one phase, on the same combinations before and after."""
    from unseen.models.engine import Local

    writer = Local(*writer_of)

    def generate(prompts: Sequence[Any], **words: Any) -> list[Any]:
        said = dict(writer.stream(prompts, **words))
        return [said[i] for i in range(len(prompts))]

    words = {"max_new_tokens": setting.max_new_tokens, "temperature": setting.temperature, "seed": lab.stream("asked", seed=seed) % 2**31}  # fmt: skip
    for split in task.splits:
        chosen = task.draw(split.name, setting.limit, lab.rng("asked", task.name, split.name, seed=seed))
        texts = two_turns(generate, [e.combination for e in chosen], words, chat=setting.apply_chat_template)
        found = [task.score(e, text) for e, text in zip(chosen, texts, strict=True)]
        for name in SCORES:
            scored = Scored([seed], [[e.id for e in chosen]], np.array([[f[name] for f in found]]))
            step = setting.steps if phase == "after" else 0
            yield from Row.each(name, scored, split, step=step, at={"phase": phase})
