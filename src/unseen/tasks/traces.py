"""How is a problem solved step by step? Skills that compute and say what they did, traces of them, and their replay.

    1. Using Skill <last_letter>, the last letter of "apple" is "e"; now e.
    2. Using Skill <last_letter>, the last letter of "dog" is "g"; now eg.
    The answer is eg.

One object serves three ends: a `Skill` computes a result, its template says so in a step, and the same template reads
the step back, so that what a model wrote can be replayed and its first error named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from unseen.core.errors import Invalid

Form = Literal["grounded", "bare", "plain"]  # skills named and state kept | state kept | neither (a chain of thought)
Error = Literal["", "seen skill", "unseen skill", "composition", "copying", "other"]
ERRORS: tuple[Error, ...] = ("seen skill", "unseen skill", "composition", "copying", "other")
END = "."  # ends a terse trace


@dataclass(frozen=True, slots=True)
class Skill:
    """A basic skill. `text` and `terse` are templates over its arguments and `{result}`; `tag` names it in one letter.

    `example` holds the arguments shown in a prompt's list of skills. A skill without `terse` is left out of terse
    traces, which small models are trained on.
    """

    name: str
    says: str
    text: str
    compute: Callable[..., str]
    example: Mapping[str, str]
    tag: str = ""
    terse: str = ""

    def block(self) -> str:
        """The skill as a line of the list of skills: `Skill <name>: what it is. For example, …`."""
        shown = self.text.format(**self.example, result=self.compute(**self.example))
        return f"Skill <{self.name}>: {self.says} For example, {shown}."


@dataclass(frozen=True, slots=True)
class Step:
    """One use of a skill: its arguments, its result, and what is known afterwards ("" where nothing is carried)."""

    skill: Skill
    args: Mapping[str, str]
    result: str
    state: str = ""

    def text(self) -> str:
        """What the step says, by the skill's template."""
        return self.skill.text.format(**self.args, result=self.result)

    def terse(self) -> str:
        """The same in a few characters; "" where the skill has no terse form."""
        return self.skill.terse.format(**self.args, result=self.result) if self.skill.terse else ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A worked solution: its steps and the answer they end in."""

    steps: tuple[Step, ...]
    answer: str

    @property
    def skills(self) -> tuple[Skill, ...]:
        """The skills used, each once, in the order of their first use."""
        return tuple({s.skill.name: s.skill for s in self.steps}.values())


@dataclass(frozen=True, slots=True)
class Said:
    """One step as a model wrote it: the skill it names (None: none), and what could be read of it."""

    named: str | None
    body: str
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A whole answer as a model wrote it: its steps, and the final answer (None: none was given)."""

    steps: tuple[Said, ...]
    answer: str | None


@dataclass(frozen=True, slots=True)
class Graded:
    """The verdict of a replay: the kind of the first error ("" if there is none), the step it is in, counted from 0."""

    error: Error
    at: int | None = None
    named: frozenset[str] = field(default_factory=frozenset[str])


def use(skill: Skill, state: str = "", **args: str) -> Step:
    """The step of using a skill on these arguments."""
    return Step(skill, args, skill.compute(**args), state)


def legible(skill: Skill) -> Skill:
    """The skill, whose template holds its result and each argument once. Raises Invalid where it does not."""
    _pattern(skill.text)
    fields = set(re.findall(r"\{(\w+)\}", skill.text)) - {"result"}
    if lacking := sorted(fields - set(skill.example)):
        raise Invalid(f"the example of the skill {skill.name!r} lacks {', '.join(lacking)}, which its text speaks of.")
    return skill


def lines(trace: Trace, form: Form) -> tuple[str, ...]:
    """The steps as numbered sentences of that form, the last one giving the answer."""
    told = [f"{i}. {_sentence(step, form)}" for i, step in enumerate(trace.steps, 1)]
    return (*told, f"The answer is {trace.answer}.")


def terse(trace: Trace, form: Form | Literal["answer"]) -> str:
    """The trace in few characters: `Lapple:e|e;Ldog:g|eg;=eg.`; with the form "answer", only `=eg.`."""
    steps = () if form == "answer" else [s for s in trace.steps if s.skill.terse]
    told = [
        f"{s.skill.tag if form == 'grounded' else ''}{s.terse()}{f'|{s.state}' if s.state and form != 'plain' else ''};"
        for s in steps
    ]
    return "".join(told) + f"={trace.answer}{END}"


def read(text: str) -> Told:
    """What a model wrote, taken apart into steps and answer; everything after the first answer is left out."""
    steps: list[Said] = []
    for line in text.splitlines():
        line = re.sub(r"^\s*\d+[.)]\s*", "", line).strip()
        if (answer := answer_in(line)) is not None:
            return Told(tuple(steps), answer)
        if line:
            found = re.match(
                r"^(?:Using (?:the )?Skill <(?P<named>[^<>]*)>,?\s*)?(?P<body>.*?)(?:; now (?P<state>.*?))?\.?$", line
            )
            assert found is not None
            steps.append(Said(found["named"], found["body"], found["state"]))
    return Told(tuple(steps), None)


def read_terse(text: str, form: Form | Literal["answer"], skills: Sequence[Skill]) -> Told:
    """What a small model wrote, taken apart."""
    # the answer's mark begins a piece; an equals sign within one is the step's own
    mark = re.search(r"(?:^|;)=", text)
    body, rest = (text, "") if mark is None else (text[: mark.end() - 1], text[mark.end() :])
    names = {s.tag: s.name for s in skills if s.tag}
    steps: list[Said] = []
    for piece in body.split(";")[:-1] if body else ():
        named, piece = (names.get(piece[:1], piece[:1]), piece[1:]) if form == "grounded" else (None, piece)
        told, bar, state = piece.partition("|")
        steps.append(Said(named, told, state if bar else None))
    ended = mark is not None and END in rest
    return Told(tuple(steps), rest.partition(END)[0] if ended else None)


def answer_in(line: str) -> str | None:
    """The answer that a line gives (`The answer is 42.`), without quotes and full stop; None where it gives none."""
    found = re.search(r"\banswer is:?\s*(.*?)\s*\.?\s*$", line, re.IGNORECASE)
    return found[1].strip("\"'“”‘’ ") if found and found[1] else None


def replay(gold: Trace, told: Told, form: Form, *, known: Sequence[str] = (), short: bool = False) -> Graded:
    """The first place where what was written leaves the right solution, and what kind of error it is.

    A step is in error of the kind "unseen skill" if it names a skill that stands neither in the solution nor in
    `known`, "composition" if another skill is due (or the steps end early or go on), "copying" if the skill is right
    but an argument or the state carried along is not, "seen skill" if only the result is wrong, and "other" if it
    cannot be read at all. A wrong final answer after right steps is one of copying.
    """
    steps = [s for s in gold.steps if s.skill.terse] if short else list(gold.steps)
    skills = {s.skill.name: s.skill for s in steps}
    named = frozenset(s.named for s in told.steps if s.named)
    for at, said in enumerate(told.steps):
        if said.named is not None and said.named not in skills:
            return Graded("composition" if said.named in known else "unseen skill", at, named)
        if at >= len(steps):
            return Graded("composition", at, named)
        if error := _error(steps[at], said, form, skills, short=short):
            return Graded(error, at, named)
    if len(told.steps) < len(steps):
        return Graded("composition", len(told.steps), named)
    if told.answer is None:
        return Graded("other", None, named)
    return Graded("" if told.answer == gold.answer else "copying", None, named)


def internal_share(told: Told, known: Sequence[str]) -> float | None:
    """The share (0..1) of the skills an answer names that its prompt did not; None where it names none."""
    named = {s.named for s in told.steps if s.named}
    return len(named - set(known)) / len(named) if named else None


def _sentence(step: Step, form: Form) -> str:
    text = step.text()
    lead = f"Using Skill <{step.skill.name}>, {text}" if form == "grounded" else text[:1].upper() + text[1:]
    state = f"; now {step.state}" if step.state and form != "plain" else ""
    return f"{lead}{state}."


def _error(due: Step, said: Said, form: Form, skills: Mapping[str, Skill], *, short: bool) -> Error:
    """What is wrong with one step that was written, given the step that is due; "" if nothing is."""
    template = due.skill.terse if short else due.skill.text
    found = _matched(template, said.body) if said.named in (None, due.skill.name) else None
    if found is None:
        others = [s for s in skills.values() if said.named in (None, s.name) and s.name != due.skill.name]
        legible = any(_matched(s.terse if short else s.text, said.body) is not None for s in others)
        return "composition" if legible else "other"
    if any(found[name] != due.args[name] for name in found if name != "result"):
        return "copying"
    if found["result"] != due.result:
        return "seen skill"
    return "copying" if form != "plain" and (said.state or "") != due.state else ""


def _matched(template: str, text: str) -> dict[str, str] | None:
    """The arguments and result that a sentence of this template holds; None where it is no such sentence."""
    found = _pattern(template).fullmatch(text) or _pattern(template).fullmatch(text[:1].lower() + text[1:])
    return found.groupdict() if found else None


@lru_cache(maxsize=256)
def _pattern(template: str) -> re.Pattern[str]:
    """The regular expression that reads what `template.format(…)` wrote."""
    parts = re.split(r"\{(\w+)\}", template)
    if len(set(parts[1::2])) < len(parts) // 2 or "result" not in parts[1::2]:
        raise Invalid(
            f"the template {template!r} must hold {{result}} and each argument once; it is read back by them."
        )
    return re.compile("".join(re.escape(p) if i % 2 == 0 else f"(?P<{p}>.*?)" for i, p in enumerate(parts)))
