"""What does a prompt show of a problem's solution? One set of exemplars, told in the ways that prompting methods tell it.

    build("skic", Material(skills, exemplars), "Take the last letters of …")
    ->  "Skills:\\nSkill <last_letter>: Find the last letter of a word. For example, …\\n\\nQuestion: …\\nAnswer:\\n1. Using Skill …"

    zero_shot                 the question alone
    few_shot                  exemplars with their answers
    cot                       exemplars with their steps (Wei et al. 2022)
    least_to_most             easier parts first, each answer given back to the model (Zhou et al. 2023)
    decomp                    one simple question at a time, each put to the model by itself (Khot et al. 2023)
    skic                      the skills, and exemplars whose every step names its skill (Chen et al. 2023)
    skic_without_skills       the same exemplars, no list of skills
    skic_without_grounding    the list of skills, exemplars whose steps name none

A prompt is plain text, or turns of a chat: an exemplar is then a question of the user and an answer of the assistant.
The last two methods that ask in rounds are run by `methods/rounds.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.model import Prompt
from unseen.tasks.traces import Form, Skill, lines
from unseen.tasks.worked import Worked

Method = Literal[
    "zero_shot",
    "few_shot",
    "cot",
    "least_to_most",
    "decomp",
    "skic",
    "skic_without_skills",
    "skic_without_grounding",
]
METHODS: tuple[Method, ...] = get_args(Method)
FORMS: Mapping[Method, Form] = {  # how the steps are told, where exemplars show steps
    "cot": "plain",
    "skic": "grounded",
    "skic_without_skills": "grounded",
    "skic_without_grounding": "bare",
}
LISTS_SKILLS = ("skic", "skic_without_grounding")
IN_ROUNDS = ("least_to_most", "decomp")
STOP = ("\n\n", "\nQuestion:")  # where an answer after exemplars ends: exemplars are parted so
ZERO_SHOT = 'Answer the question. Write "The answer is" and then the answer, and nothing else.'
LEADS: Mapping[Method, str] = {
    "few_shot": "Answer the last question as the others are answered.",
    "cot": "Answer the last question step by step, as the others are answered.",
    "skic": "Answer the last question step by step, as the others are answered. Use these skills.",
    "skic_without_skills": "Answer the last question step by step, as the others are answered. Name the skill of every step.",
    "skic_without_grounding": "Answer the last question step by step, as the others are answered. Use these skills.",
}


@dataclass(frozen=True, slots=True)
class Material:
    """What prompts are made of: skills, solved problems, and tables of facts by the name of their skill."""

    skills: tuple[Skill, ...] = ()
    exemplars: tuple[Worked, ...] = ()
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def build(method: Method, material: Material, question: str, *, chat: bool = False) -> Prompt:
    """The prompt of a method that asks once. Raises Invalid where it asks in rounds, or material is lacking."""
    if method in IN_ROUNDS:
        raise Invalid(f"{method} asks in rounds, so it is no one prompt; methods/rounds.py runs it.")
    if method == "zero_shot":
        return assembled(ZERO_SHOT, (), question, chat=chat)
    if not material.exemplars:
        raise Invalid(f"{method} shows solved problems, and there are none; give at least one exemplar.")
    if method in LISTS_SKILLS and not material.skills:
        raise Invalid(f"{method} lists the skills, and there are none; give at least one skill.")
    lead = LEADS[method]
    if method in LISTS_SKILLS:
        lead = f"{lead}\n\n{skill_list(material)}"
    shown = [(e.prompt, solution(method, e)) for e in material.exemplars]
    return assembled(lead, shown, question, chat=chat)


def stop(method: Method, *, chat: bool) -> tuple[str, ...]:
    """The texts at which an answer to such a prompt ends (beside the model's own end)."""
    if method == "least_to_most":
        return (*STOP, "\nPart:")
    return STOP[1:] if chat or method == "zero_shot" else STOP


def solution(method: Method, exemplar: Worked) -> str:
    """An exemplar's answer as a method tells it."""
    if method not in FORMS:
        return f"The answer is {exemplar.truth}."
    told = lines(replace(exemplar.trace, answer=exemplar.truth), FORMS[method])
    return "\n".join(told)


def skill_list(material: Material) -> str:
    """Block 1 of the method: every skill once, with an example and its table of facts where there is one."""
    told = [
        "\n".join((skill.block(), *(f"{line}." for line in material.tables.get(skill.name, ()))))
        for skill in material.skills
    ]
    return "Skills:\n" + "\n".join(told)


def assembled(lead: str, shown: Sequence[tuple[str, str]], question: str, *, chat: bool = False) -> Prompt:
    """A lead, questions with their answers, and the question: as text, or as turns."""
    if not chat:
        told = [f"Question: {q}\nAnswer:\n{a}" for q, a in shown]
        return "\n\n".join([lead, *told, f"Question: {question}\nAnswer:\n"])
    turns: list[dict[str, str]] = []
    for q, a in shown:
        turns += [{"role": "user", "content": f"Question: {q}"}, {"role": "assistant", "content": a}]
    turns.append({"role": "user", "content": f"Question: {question}"})
    turns[0] = {"role": "user", "content": f"{lead}\n\n{turns[0]['content']}"}
    return turns


def decomposition(material: Material, question: str, *, chat: bool = False) -> Prompt:
    """Least-to-most, first stage: the question's easier parts, one a line. Raises Invalid for exemplars without parts."""
    shown = [(e.prompt, "\n".join(f"Part: {part}" for part, _ in _parts(e))) for e in material.exemplars]
    return assembled(
        "Break the last question into easier parts, as is done for the others.", shown, question, chat=chat
    )


def parts_in(text: str) -> tuple[str, ...]:
    """The parts that a decomposition names, in order, each once."""
    return tuple(dict.fromkeys(p.strip() for p in re.findall(r"Part:[ \t]*(\S.*)", text)))


def next_part(
    material: Material, question: str, done: Sequence[tuple[str, str]], part: str, *, chat: bool = False
) -> Prompt:
    """Least-to-most, second stage: the next part, after the parts that are answered already."""
    shown = [(e.prompt, "\n".join(_answered(p, a) for p, a in _parts(e))) for e in material.exemplars]
    lead = "Answer the parts of the last question in order, as is done for the others."
    before = [_answered(p, a) for p, a in done]
    if not chat:
        asked = assembled(lead, shown, question)
        return str(asked) + "\n".join([*before, f"Part: {part}\n"])
    return assembled(lead, shown, "\n".join([question, *before, f"Part: {part}"]), chat=True)


def shuffled(exemplars: Sequence[Worked], rng: np.random.Generator) -> tuple[Worked, ...]:
    """The exemplars with each other's answers, the control: one of their cyclic shifts, so that all move.

    With one exemplar, or answers that are all equal, nothing can move.
    """
    by = int(rng.integers(1, len(exemplars))) if len(exemplars) > 1 else 0
    moved = [*exemplars[by:], *exemplars[:by]]
    return tuple(replace(e, truth=other.truth) for e, other in zip(exemplars, moved, strict=True))


def _parts(exemplar: Worked) -> tuple[tuple[str, str], ...]:
    if not exemplar.parts:
        raise Invalid(f"least_to_most shows easier parts, and the exemplar {exemplar.prompt[:60]!r} has none.")
    return exemplar.parts


def _answered(part: str, answer: str) -> str:
    return f"Part: {part}\nThe answer is {answer}."
