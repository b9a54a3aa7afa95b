"""How is a language model judged? It is asked every family's problems; each answer is read and kept as an Item.

Item("6f1c…", Split("gcd level 3", …), prompt="What is …", answer="… \\\\boxed{12}", truth="12",
     scores={"exact": 1, "tokens": 212, "spiral": 0, "familiar": 0}, seed=2)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from unseen import models
from unseen.core.lab import Lab
from unseen.core.model import Prompt
from unseen.core.record import Item
from unseen.tasks.drawn import own

from . import controls
from .answers import mentions, right
from .arms import Control, Judged
from .posed import Asked, Posed
from .tasks import posed

FEW_SHOT_STOP = ("\n\n", "\nQuestion:")


def run(setting: Judged | Control, lab: Lab) -> Iterator[Item]:
    """Yield every item with `exact`, `tokens`, `spiral` (the right answer occurs in a wrong text) and, where a problem
    has a familiar answer, `familiar`."""
    model = None if isinstance(setting, Control) else models.open(setting.model, lab=lab, dtype=setting.dtype)
    for done, seed in enumerate(lab.seeds, 1):
        chosen = [(task, e) for task in posed(setting) for e in _examples(setting, task, lab, seed)]
        asked = [e for _, e in chosen]
        if isinstance(setting, Control):
            said = controls.said(setting.speaker, asked, lab.rng("control", setting.speaker, seed=seed))
            items = [item(e, e.prompt, text, 0, "stop", seed) for e, text in zip(asked, said, strict=True)]
        else:
            items = _told(model, setting, chosen, lab, seed)
        yield from items
        lab.progress(done, len(lab.seeds), exact=float(np.mean([i.scores["exact"] for i in items])))


def item(example: Posed, prompt: str, text: str, tokens: int, finish: str, seed: int) -> Item:
    """One answer with its scores."""
    return Item(
        example.id,
        example.split,
        prompt,
        text,
        example.truth,
        scores(example, text, tokens),
        example.familiar,
        finish,
        tokens,
        seed=seed,
    )


def scores(example: Posed, text: str, tokens: int) -> dict[str, float]:
    """What an answer is worth."""
    exact = right(text, example.truth, example.kind)
    found = {"exact": float(exact), "tokens": float(tokens)}
    found["spiral"] = float(not exact and mentions(text, example.truth, example.kind))
    if example.familiar is not None:
        found["familiar"] = float(not exact and right(text, example.familiar, example.kind))
    return found


def prompt_of(example: Posed, shown: Sequence[Posed], *, chat: bool) -> Prompt:
    """The problem alone, asking for a boxed answer, or behind solved ones."""
    if not shown:
        return [{"role": "user", "content": example.prompt}] if chat else f"{example.prompt}\n"
    if chat:
        turns = [(("user", e.question), ("assistant", f"\\boxed{{{e.truth}}}")) for e in shown]
        told = [{"role": role, "content": content} for pair in turns for role, content in pair]
        return [*told, {"role": "user", "content": example.question}]
    before = "".join(f"Question: {e.question}\nAnswer: {e.truth}\n\n" for e in shown)
    return f"{before}Question: {example.question}\nAnswer:"


def _examples(setting: Judged | Control, task: Asked, lab: Lab, seed: int) -> list[Posed]:
    """The items of a seed on every split up to the highest level."""
    most = setting.most_level if isinstance(setting, Judged) else 99
    chosen = [p.split(task.axis) for p in task.parts if p.level <= most]
    rngs = [lab.rng("asked", task.name, s.name, seed=0) for s in chosen]
    found = [own(task, s.name, setting.limit, seed=seed, rng=rng) for s, rng in zip(chosen, rngs, strict=True)]
    return [e for examples in found for e in examples]


def _told(model: Any, setting: Judged, chosen: Sequence[tuple[Asked, Posed]], lab: Lab, seed: int) -> list[Item]:
    """All items of a seed, asked at once."""
    shown = {task.name: _shown(setting, task, lab, seed) for task in {t.name: t for t, _ in chosen}.values()}
    asked = [prompt_of(e, shown[t.name], chat=setting.apply_chat_template) for t, e in chosen]
    ends = FEW_SHOT_STOP if setting.num_fewshot and not setting.apply_chat_template else ()
    answers = model.generate(asked, max_new_tokens=setting.max_new_tokens, stop=ends)
    return [
        item(e, _text(p), a.text, a.tokens, a.finish, seed) for (_, e), p, a in zip(chosen, asked, answers, strict=True)
    ]


def _shown(setting: Judged, task: Asked, lab: Lab, seed: int) -> list[Posed]:
    """Solved problems that are shown: of what the task trains on."""
    if not setting.num_fewshot:
        return []
    return list(task.draw("train", setting.num_fewshot, lab.rng("shown", task.name, seed=seed)))


def _text(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else "\n".join(f"{turn['role']}: {turn['content']}" for turn in prompt)
