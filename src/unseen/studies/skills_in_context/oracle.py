"""What would a perfect answer be? The oracle reads the question off the prompt and works it through, as a control.

    answer(['… Question: What is 12 + 34?\\nAnswer:\\n'], …)  ->  ["The answer is 46."]

It is a model like any other (`py:unseen.studies.skills_in_context.oracle:answer`), so that a score of 1 shows that every
prompt holds all that its question needs, and that every right answer is read as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from unseen.core.errors import Invalid
from unseen.core.model import Prompt
from unseen.tasks import commaqa, digits, dp, gsm8k, last_letter, made_up
from unseen.tasks.traces import Form, lines
from unseen.tasks.worked import Problem


def answer(prompts: Sequence[Prompt], **_: Any) -> list[str]:
    """The right answer to each prompt's last question, in the form in which its exemplars are answered."""
    return [_answered(p) for p in prompts]


def solved(question: str) -> Problem:
    """The problem that a question states, worked through. Raises Invalid for a question of no task here."""
    if found := re.fullmatch(r'Take the last letters of the words in "(.*)" and concatenate them\.', question):
        return last_letter.problem(found[1].split())
    if found := re.fullmatch(r"What is (\d+) ([+*]) (\d+)\?", question):
        make = digits.addition_problem if found[2] == "+" else digits.multiplication_problem
        return make(int(found[1]), int(found[3]))
    if found := re.fullmatch(r"Find the maximum sum of a subsequence of ([-\d, ]+) in which .*", question):
        return dp.problem([int(n) for n in found[1].split(", ")])
    if question.startswith(commaqa.LEAD):
        facts, asked = commaqa.halves(question)
        return commaqa.problem(made_up.read(facts), asked)
    if re.match(r"\w+ has \d+ \w+\.", question):
        return gsm8k.retold(question)
    raise Invalid(f"the oracle knows no task that asks {question[:80]!r}.")


def _answered(prompt: Prompt) -> str:
    whole = prompt if isinstance(prompt, str) else "\n".join(_content(turn) for turn in prompt)
    last = prompt if isinstance(prompt, str) else _content(prompt[-1])
    question = last.rpartition("Question: ")[2].removesuffix("Answer:\n").strip()
    problem = solved(question)
    form = _form(whole)
    return f"The answer is {problem.trace.answer}." if form is None else "\n".join(lines(problem.trace, form))


def _form(prompt: str) -> Form | None:
    """How the prompt's exemplars are told; None where they give answers only."""
    if "1. Using Skill <" in prompt:
        return "grounded"
    if not re.search(r"^1\. ", prompt, re.MULTILINE):
        return None
    return "bare" if "; now " in prompt else "plain"


def _content(turn: Mapping[str, Any]) -> str:
    return str(turn["content"])
