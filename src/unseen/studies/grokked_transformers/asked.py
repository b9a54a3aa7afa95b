"""How is a language model asked? The facts of one attribute as sentences, in random order, and one comparison.

'The a3 of e4 is 5. The a3 of e17 is less than that of e4. … Is the a3 of e17 less than, equal to or greater than that of
e30?'  ->  Item(answer="… Answer: less", truth="less", scores={"exact": 1, "undecided": 0, "parsed": 1}, seed=2)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from unseen import models
from unseen.core.lab import Lab
from unseen.core.model import Prompt
from unseen.core.record import Item
from unseen.tasks.kg import NEW, SIGNS, Knowledge
from unseen.tasks.kg_comparison import HARD, Reasoned

from . import tasks
from .arms import Asked

WORDS = ("less", "equal", "greater")
SAYS = ("less than", "equal to", "greater than")
DIRECT = "Answer with one word, less, equal or greater, and nothing else."
COT = "Think step by step. End with a line `Answer: less`, `Answer: equal` or `Answer: greater`."
UNDECIDED = re.compile(
    r"can(?:not|'t) be (?:\w+ )?(?:decided|determined|inferred|concluded|established|answered|compared)"
    r"|(?:not|in)[ -]?(?:enough|sufficient) (?:information|data)|undetermined|undecid|indeterminate|(?:impossible|unable) to (?:\w+ )?(?:tell|say|decide|determine)",
    re.IGNORECASE,
)
SHOWN = 4000  # letters of a prompt that are kept with its item


def run(setting: Asked, lab: Lab) -> Iterator[Item]:
    """Yield every question with `exact`, `undecided` (it says that the facts do not tell) and `parsed` (0 or 1 each).

    The reference are comparisons of two used entities, whose values stand in the prompt; the shifted ones are hard.
    """
    model = models.open(setting.model, lab=lab, dtype=setting.dtype)
    most = setting.max_new_tokens if setting.style == "cot" else 16
    for done, seed in enumerate(lab.seeds, 1):
        task = tasks.of(setting, lab, seed)
        examples = [
            e for name in (NEW, HARD) for e in task.draw(name, setting.limit, lab.rng("asked", name, seed=seed))
        ]
        texts = [prompt(setting, task, e.prompt, lab.rng("order", i, seed=seed)) for i, e in enumerate(examples)]
        given: list[Prompt] = [[{"role": "user", "content": t}] if setting.apply_chat_template else t for t in texts]
        told = model.generate(given, max_new_tokens=most)
        for example, text, answer in zip(examples, texts, told, strict=True):
            truth = WORDS[SIGNS.index(example.truth[-1])]
            scores = graded(answer.text, truth)
            shown = text if len(text) <= SHOWN else f"[{len(text)} letters] …{text[-SHOWN:]}"
            yield Item(
                example.id,
                example.split,
                shown,
                answer.text,
                truth,
                scores,
                finish=answer.finish,
                tokens=answer.tokens,
                seed=seed,
            )
        lab.progress(done, len(lab.seeds))


def graded(answer: str, truth: str) -> dict[str, float]:
    """What an answer is worth: `exact`, `undecided`, `parsed`."""
    said = parsed(answer)
    return {
        "exact": float(said == truth),
        "undecided": float(said == "undecided"),
        "parsed": float(said is not None),
    }


def parsed(answer: str) -> str | None:
    """less, equal, greater or undecided, as an answer's last `Answer:` says, else as its only word of these; None where
    it says none."""
    marked = re.findall(r"answer\W{0,6}(.*)", answer, re.IGNORECASE)
    text = marked[-1] if marked else answer
    if UNDECIDED.search(text):
        return "undecided"
    found = list(dict.fromkeys(re.findall(r"\b(less|equal|greater)\b", text.lower())))
    if len(found) == 1:
        return found[0]
    return "undecided" if not found and UNDECIDED.search(answer) else None


def prompt(setting: Asked, task: Knowledge, question: str, rng: np.random.Generator) -> str:
    """The text that asks a comparison, written as `a3 <q> e17 <mask> e30 </q> <a>`."""
    name, _, one, _, other, *_ = question.split()
    facts = told(task, int(name[1:]), (int(one[1:]), int(other[1:])) if setting.given == "retrieved" else None)
    listed = "\n".join(facts[i] for i in rng.permutation(len(facts)))
    asked = f"Is the {name} of {one} {SAYS[0]}, {SAYS[1]} or {SAYS[2]} that of {other}?"
    return f"Facts:\n{listed}\n\nQuestion: {asked} {COT if setting.style == 'cot' else DIRECT}\n"


def told(task: Knowledge, attribute: int, about: tuple[int, int] | None) -> list[str]:
    """The facts trained on of an attribute as sentences: all, or the comparisons of two entities with the values of what
    they are compared with."""
    # DEPARTS: which facts the paper's retrieval returns is not known to us; these are all that a proof can need
    world: Reasoned = task.world
    rows = world.taught[:, world.taught[2] == attribute]
    if about is not None:
        rows = rows[:, np.isin(rows[0], about) | np.isin(rows[1], about)]
    used = np.flatnonzero(~world.apart[:, attribute])
    near = used if about is None else used[np.isin(used, rows[:2]) | np.isin(used, about)]
    name = f"a{attribute}"
    values = [f"The {name} of e{e} is {world.value[e, attribute]}." for e in near]
    signs = world.signs(rows)
    return values + [
        f"The {name} of e{x} is {SAYS[s]} that of e{y}." for x, y, s in zip(rows[0], rows[1], signs, strict=True)
    ]
