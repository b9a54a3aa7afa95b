"""How is a model asked for texts? In two turns for each combination and generation; every combination is an Item.

Item("6f1c…", Split("2 skills", …), prompt="…", answer="Bread has seven …", scores={"full": 0.33, "best_full": 1, …})

`full`, `all_skills` and `fraction` are means over the generations, `best_…` their maxima, as Skill-Mix aggregates them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen import models
from unseen.core.lab import Lab
from unseen.core.model import Answer
from unseen.core.record import Item, Row
from unseen.tasks.drawn import own

from . import composed, likely, wording
from .arms_mix import PROGRAM, Compared, Speaker, Written
from .combined import Combination
from .grading import Graded, Text, by_program_alone, checked, grade
from .posed import Mix, Posed, by_split, mixes
from .prose import sentences
from .scores import OTHERS, Scores, best, mean

BETWEEN = "\n-----\n"  # between a combination's texts, as they are kept
Asks = Written | Compared


def run(setting: Written | Speaker, lab: Lab) -> Iterator[Item | Row]:
    """Yield every combination with its scores, and of graders that are asked what could not be read and how they waver."""
    (task,) = mixes(setting)
    model = models.open(setting.model, lab=lab, dtype=setting.dtype) if isinstance(setting, Written) else None
    for done, seed in enumerate(lab.seeds, 1):
        examples = examples_of(task, setting.limit, lab, seed)
        combinations = [e.combination for e in examples]
        if isinstance(setting, Speaker):
            told = [by_rule(setting.speaker, combinations, lab, seed)]
            graded, judged = [by_program_alone(list(zip(combinations, told[0], strict=True)))], False
        else:
            told = [by_model(model, setting, combinations, lab.stream("written", g, seed=seed)) for g in range(setting.generations)]  # fmt: skip
            graded, judged = graded_by(setting, combinations, told), setting.grader != PROGRAM
        items = list(_items(examples, told, graded, seed, judged=judged))
        yield from items
        if judged:
            yield Row("unread", float(np.mean([g.unread for g in graded])), seed=seed)
            yield Row("wavering", float(np.mean([g.wavering for g in graded])), seed=seed)
        lab.progress(done, len(lab.seeds), full=float(np.mean([i.scores["full"] for i in items])))


def examples_of(task: Mix, limit: int, lab: Lab, seed: int) -> list[Posed]:
    """A seed's combinations of every split, none of which another seed has."""
    return [e for s in task.splits for e in own(task, s.name, limit, seed=seed, rng=lab.rng("asked", task.name, s.name, seed=0))]  # fmt: skip


def by_rule(who: str, combinations: Sequence[Combination], lab: Lab, seed: int) -> list[str]:
    """A text of each combination by a writer by rule."""
    rng = lab.rng("composed", who, seed=seed)
    return [composed.written(who, one, rng) for one in combinations]


def by_model(model: Any, setting: Asks, combinations: Sequence[Combination], stream: int) -> list[str]:
    """A text of each combination by a model, asked in the setting's form."""
    chat = setting.apply_chat_template
    words = {"max_new_tokens": setting.max_new_tokens, "temperature": setting.temperature, "seed": stream % 2**31}
    if setting.form == "shown":
        asked = [wording.briefly(c, chat=chat) for c in combinations]
        return [wording.read_text(a.text) for a in model.generate(asked, **words, stop=wording.BRIEF_STOP)]
    return two_turns(model.generate, combinations, words, chat=chat)


def two_turns(
    generate: Callable[..., list[Answer]], combinations: Sequence[Combination], words: Mapping[str, Any], *, chat: bool
) -> list[str]:
    """The text of each combination in a model's second reply, where it has looked over its first."""
    stop = () if chat else wording.STOP
    first = generate([wording.asked(c, chat=chat) for c in combinations], **words, stop=stop)
    turns = [wording.again(c, a.text, chat=chat) for c, a in zip(combinations, first, strict=True)]
    return [wording.read_text(a.text) for a in generate(turns, **words, stop=stop)]


def graded_by(setting: Written, combinations: Sequence[Combination], told: Sequence[Sequence[str]]) -> list[Graded]:
    """The gradings of each generation's texts by the setting's grader, all of them asked together."""
    texts: list[Text] = [(c, t) for texts in told for c, t in zip(combinations, texts, strict=True)]
    graded = grader_of(setting.grader, texts, setting, setting.gradings)
    n = len(combinations)
    return [Graded(graded.points[g * n : (g + 1) * n], graded.unread) for g in range(len(told))]


def grader_of(name: str, texts: Sequence[Text], setting: Asks, gradings: int) -> Graded:
    """The gradings of texts by the program, by the likelihoods of `likely:NAME`, or by the replies of the model NAME."""
    if name == PROGRAM:
        return by_program_alone(texts, gradings)
    judge = models.open(name.removeprefix(likely.PREFIX), dtype=setting.dtype)
    if name.startswith(likely.PREFIX):
        return likely.grade(judge, texts)
    return grade(judge, texts, gradings=gradings, temperature=setting.temperature, chat=setting.apply_chat_template, max_new_tokens=setting.max_new_tokens)  # fmt: skip


def _items(
    examples: Sequence[Posed], told: Sequence[Sequence[str]], graded: Sequence[Graded], seed: int, *, judged: bool
) -> Iterator[Item]:
    """One item for each combination. `swapped` is known where the program grades."""
    other = dict(pair for places in by_split(examples).values() for pair in zip(places, np.roll(places, 1), strict=True))  # fmt: skip
    for i, e in enumerate(examples):
        texts = [t[i] for t in told]
        found = {**_scores([g.scored(i) for g in graded]), **_points(e, texts, [g.points[i] for g in graded])}
        if not judged:
            found["swapped"] = _swapped(e.combination, examples[int(other[i])].combination, texts)
        yield Item(e.id, e.split, e.prompt, BETWEEN.join(texts), e.truth, found, seed=seed)


def _scores(found: Sequence[Scores]) -> dict[str, float]:
    """The three scores over generations: their mean, and as best_… their maximum."""
    told: dict[str, float] = {}
    for name in ("full", "all_skills", "fraction"):
        values = [float(getattr(s, name)) for s in found]
        told |= {name: float(mean(values)), f"best_{name}": float(best(values))}
    return told


def _points(e: Posed, texts: Sequence[str], points: Sequence[NDArray[np.bool_]]) -> dict[str, float]:
    """Over all gradings, the share of skills shown, the other points, and that of length as the released code counts it."""
    given = np.mean([p.mean(axis=0) for p in points], axis=0)
    released = [0 < sentences(t, as_released=True) <= e.combination.sentences for t in texts]
    others = dict(zip(OTHERS, given[-len(OTHERS) :].tolist(), strict=True))
    return {"shown": float(given[: -len(OTHERS)].mean()), **others, "short_as_released": float(np.mean(released))}


def _swapped(one: Combination, other: Combination, texts: Sequence[str]) -> float:
    """The share of the skills asked for in another combination that the texts show, though they were not asked to."""
    mine = {s.name for s in one.skills}
    others = tuple(s for s in other.skills if s.name not in mine) or other.skills
    shown = [checked(Combination(others, one.topic), t)[: len(others)] for t in texts]
    return float(np.mean(shown))
