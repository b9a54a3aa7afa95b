"""How does reinforcement change a language model? GRPO with the task's own score as reward; asked before and after.

Row("exact", 0.62, Split("gcd level 2", …), n=100, at={"phase": "after"}, step=300, seed=2)

The reward is 1 for a right answer and 0 for any other, as in the paper; `unseen.reward("omega/gcd")` is the same function
for rows that `unseen data omega/gcd` wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from unseen.core.errors import Invalid, missing_extra
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored
from unseen.methods.trainer import arguments, opened, trained

from .arms import Tuned
from .judged import scores
from .learned import shortfall
from .posed import Asked, Posed, asked

SHOWN = ("exact", "tokens", "spiral", "familiar")  # measures that are kept


def run(setting: Tuned, lab: Lab) -> Iterator[Row]:
    """Yield `exact`, `tokens`, `spiral` and `familiar` on every split before and after GRPO, `shortfall`, and the last reward."""
    task = asked(setting.asked)
    for seed in lab.seeds:
        model, tokenizer = opened(setting.checkpoint, setting.dtype, lab)
        yield from _measured(setting, task, (model, tokenizer), lab, seed, "before")
        after, reward = trained_by_grpo(setting, task, (model, tokenizer), lab, seed)
        yield Row("reward", reward, step=setting.steps, seed=seed)
        yield from _measured(setting, task, (after, tokenizer), lab, seed, "after")
        after.save_pretrained(str(lab.folder / f"model-{seed}"))


def rewarded(task: Asked, examples: Mapping[str, Posed]) -> Callable[..., list[float]]:
    """A reward function as TRL calls it: the score of each completion, by the id of its problem."""

    def reward(completions: Sequence[Any], id: Sequence[str], **_: Any) -> list[float]:
        texts = [c if isinstance(c, str) else str(c[-1]["content"]) for c in completions]
        return [task.score(examples[i], text)["exact"] for i, text in zip(id, texts, strict=True)]

    return reward


def rows_of(examples: Sequence[Posed], *, chat: bool) -> list[dict[str, Any]]:
    """What TRL trains on: the prompt, and the id by which the reward finds the problem."""
    return [{"prompt": [{"role": "user", "content": e.prompt}] if chat else e.prompt, "id": e.id} for e in examples]


def trained_by_grpo(setting: Tuned, task: Asked, opened_: tuple[Any, Any], lab: Lab, seed: int) -> tuple[Any, float]:
    """(the model trained, its mean reward in the last step). An interrupted training goes on from its last checkpoint."""
    try:
        from datasets import Dataset
        from trl import GRPOTrainer  # type: ignore[attr-defined]
    except ModuleNotFoundError as error:
        raise missing_extra("omega's GRPO", error, "rl") from error

    model, tokenizer = opened_
    examples = task.draw("train", setting.problems, lab.rng("train", task.name, seed=seed))
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=rewarded(task, {e.id: e for e in examples}),
        args=_arguments(setting, lab, seed),
        train_dataset=Dataset.from_list(rows_of(examples, chat=setting.apply_chat_template)),
        processing_class=tokenizer,
    )
    trained(trainer, lab)
    logged = [told["reward"] for told in trainer.state.log_history if "reward" in told]
    return trainer.model.eval(), float(logged[-1]) if logged else 0.0


def _arguments(setting: Tuned, lab: Lab, seed: int) -> Any:
    from trl import GRPOConfig  # type: ignore[attr-defined]

    if setting.batch % setting.group:
        raise Invalid(f"batch={setting.batch} is to be a multiple of group={setting.group}.")
    told = arguments(
        lab, "grpo", steps=setting.steps, batch=setting.batch, at_once=setting.at_once, lr=setting.lr,
        dtype=setting.dtype, seed=seed,
    )  # fmt: skip
    return GRPOConfig(
        **told,
        num_generations=setting.group,
        max_completion_length=setting.max_new_tokens,
        beta=setting.beta,
        temperature=1.0,
        use_vllm=setting.vllm,
        logging_steps=1,
    )


def _measured(
    setting: Tuned, task: Asked, writer_of: tuple[Any, Any], lab: Lab, seed: int, phase: str
) -> Iterator[Row]:
    """Rows of one phase, on the same items before and after."""
    from unseen.models.engine import Local

    writer = Local(*writer_of)
    step = setting.steps if phase == "after" else 0
    exact: dict[str, list[float]] = {}
    for part in (p for p in task.parts if p.level <= setting.most_level):
        split = part.split(task.axis)
        chosen = task.draw(split.name, setting.items, lab.rng("asked", task.name, split.name, seed=seed))
        prompts = [r["prompt"] for r in rows_of(chosen, chat=setting.apply_chat_template)]
        answers = dict(writer.stream(prompts, max_new_tokens=setting.max_new_tokens))
        found = [scores(e, answers[i].text, answers[i].tokens) for i, e in enumerate(chosen)]
        for name in SHOWN:
            kept = [(e.id, s[name]) for e, s in zip(chosen, found, strict=True) if name in s]
            if kept:
                scored = Scored([seed], [[i for i, _ in kept]], np.array([[v for _, v in kept]]))
                yield from Row.each(name, scored, split, step=step, at={"phase": phase})
        exact.setdefault(part.role, []).append(float(np.mean([s["exact"] for s in found])))
    if "composed" in exact:
        yield Row("shortfall", shortfall(exact), n=setting.items, step=step, seed=seed, at={"phase": phase})
