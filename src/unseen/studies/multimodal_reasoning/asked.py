"""How is a language model asked? The rules, some solved items of the training split, then a scene and a question.

Item("6f1c…", Split("10 distractors", …), prompt="Every cell …", answer="red", truth="red", scores={"exact": 1, "heard": 1, …})
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unseen import models
from unseen.core.lab import Lab
from unseen.core.model import Prompt
from unseen.core.record import Item
from unseen.core.study import Model
from unseen.core.task import Example
from unseen.tasks.drawn import own

from . import said, tasks
from .arms import Asked, Control
from .world import OPERATORS

ORACLE = Model("py:unseen.studies.multimodal_reasoning.oracle:answer")
UNTRAINED = Model("tiny:decoder")


def _examples(asked: Asked, task: tasks.Scenes, split: str, lab: Lab, seed: int) -> Sequence[Example]:
    """A seed's items of a split."""
    return own(task, split, asked.limit, seed=seed, rng=lab.rng("asked", asked.part, split, seed=0))


def run(setting: Asked | Control, lab: Lab) -> Iterator[Item]:
    """Yield every item with `exact`, `heard` (the answer was one of the possible ones) and `above` (its share of kappa)."""
    asked = setting if isinstance(setting, Asked) else of_control(setting)
    task = tasks.Scenes(tasks.family_of(asked))
    model = models.open(asked.model, lab=lab, dtype=asked.dtype)
    for done, seed in enumerate(lab.seeds, 1):
        shown = task.draw("train", asked.num_fewshot, lab.rng("shown", asked.part, seed=seed)) if asked.num_fewshot else ()  # fmt: skip
        examples = [e for s in task.splits for e in _examples(asked, task, s.name, lab, seed)]
        texts = [prompt(e, shown) for e in examples]
        given: list[Prompt] = [[{"role": "user", "content": t}] if asked.apply_chat_template else t for t in texts]
        told = model.generate(given, max_new_tokens=asked.max_new_tokens, stop=("\n",))
        for example, text, answer in zip(examples, texts, told, strict=True):
            yield Item(
                example.id,
                example.split,
                text,
                answer.text,
                example.truth,
                scores(task, example, answer.text),
                finish=answer.finish,
                tokens=answer.tokens,
                seed=seed,
            )
        lab.progress(done, len(lab.seeds))


def of_control(setting: Control) -> Asked:
    """The control's setting as one that asks its speaker."""
    model = UNTRAINED if setting.speaker == "untrained" else ORACLE
    sizes = (setting.tests, setting.side, setting.shapes, setting.colours, setting.queried, setting.most)
    return Asked(
        model, setting.part, *sizes, limit=setting.limit, fidelity=setting.fidelity, operators=setting.operators
    )


def prompt(example: Example, shown: Sequence[Example] = ()) -> str:
    """An item's prompt with solved ones before it; the rules stand once."""
    solved = [f"{_bare(e)} {e.truth}" for e in shown]
    return "\n\n".join([said.RULES, *solved, _bare(example)])


def _bare(example: Example) -> str:
    """An item's scene and question, without the rules."""
    return example.prompt.removeprefix(f"{said.RULES}\n\n")


def scores(task: tasks.Scenes, example: Example, answer: str) -> dict[str, float]:
    """What an answer is worth: `exact` and `heard` (0 or 1), `above` as kappa counts it."""
    exact = task.score(example, answer)["exact"]
    guess = float(task.family.world.guess()[OPERATORS.index(str(example.at["operator"]))])
    return {"exact": exact, "heard": float(tasks.heard(answer) is not None), "above": (exact - guess) / (1 - guess)}
