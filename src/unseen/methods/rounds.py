"""How is a question asked in rounds? Least-to-most and decomposed prompting: each answer is given back to the model.

    least_to_most(model, material, ["Take the last letters of …"], most=(64, 32))  ->  [Reached("eg", transcript, …)]

All questions advance together, so that a round is one call of the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from unseen.core.model import Generates
from unseen.tasks.made_up import NONE
from unseen.tasks.said import final_list, stated

from . import prompts
from .prompts import Material

MOST_PARTS = 16  # a decomposition is cut off there
MOST_HOPS = 6
END = "end"


@dataclass
class Reached:
    """How far a question got: what was said, in order, the last answer, and what it took."""

    text: str = ""
    answer: str = ""
    finish: str = "stop"
    tokens: int = 0
    calls: int = 0
    done: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    parts: tuple[str, ...] = ()

    def note(self, said: str, finish: str, tokens: int) -> None:
        """Keep one answer of the model in the account."""
        self.text = f"{self.text}\n{said}".strip()
        self.tokens, self.calls = self.tokens + tokens, self.calls + 1
        self.finish = "length" if "length" in (finish, self.finish) else "stop"


@dataclass(frozen=True, slots=True)
class Hops:
    """What decomposed prompting shows: a question with its simple questions, and each simple one with facts and answer.

    In `asks`, [A1] stands for the answers to the first.
    """

    question: str
    facts: str
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    simple: tuple[tuple[str, str], ...]


def least_to_most(
    model: Generates, material: Material, questions: Sequence[str], *, most: tuple[int, int], chat: bool = False
) -> list[Reached]:
    """Each question broken into parts by the model, then its parts answered in order; the last answer is the question's.

    A question without parts is its own only part. `most`: tokens for a list of parts, and for the answer to one.
    """
    ends = prompts.stop("least_to_most", chat=chat)
    reached = [Reached() for _ in questions]
    broken = [prompts.decomposition(material, q, chat=chat) for q in questions]
    for one, q, said in zip(reached, questions, _ask(model, broken, most[0], prompts.STOP), strict=True):
        one.note(said.text, said.finish, said.tokens)
        one.parts = prompts.parts_in(said.text)[:MOST_PARTS] or (q,)
    for at in range(MOST_PARTS):
        going = [i for i, one in enumerate(reached) if at < len(one.parts)]
        if not going:
            break
        asked = [
            prompts.next_part(material, questions[i], reached[i].done, reached[i].parts[at], chat=chat) for i in going
        ]
        for i, said in zip(going, _ask(model, asked, most[1], ends), strict=True):
            part = reached[i].parts[at]
            reached[i].note(f"Part: {part}\n{said.text}", said.finish, said.tokens)
            reached[i].answer = stated(said.text) or (said.text.strip().splitlines() or [""])[0]
            reached[i].done.append((part, reached[i].answer))
    return reached


def decomp(
    model: Generates,
    shown: Sequence[Hops],
    questions: Sequence[tuple[str, str]],
    *,
    most: tuple[int, int],
    chat: bool = False,
) -> list[Reached]:
    """Each (facts, question) answered by simple questions: the model asks one, answers it by the facts for every name
    that [A1], [A2], … stand for, sees the answers, and asks on until it says that it is done."""
    reached = [Reached() for _ in questions]
    going = list(range(len(questions)))
    for _ in range(MOST_HOPS):
        asked = [_controller(shown, questions[i][1], reached[i].done, chat) for i in going]
        for i, said in zip(list(going), _ask(model, asked, most[0], ("\n",)), strict=True):
            reached[i].note(said.text, said.finish, said.tokens)
            wanted = _next_ask(said.text)
            if wanted is None:
                going.remove(i)
            else:
                reached[i].parts = (*reached[i].parts, wanted)
        if not going:
            break
        _answer_round(model, shown, [(i, reached[i], questions[i][0]) for i in going], most=most[1], chat=chat)
    for one in reached:
        one.answer = one.done[-1][1] if one.done else ""
    return reached


def _answer_round(
    model: Generates, shown: Sequence[Hops], going: Sequence[tuple[int, Reached, str]], *, most: int, chat: bool
) -> None:
    """Answer the newest simple question of each, once for each name it stands for; answers are pooled."""
    each = [(i, one, facts, q) for i, one, facts in going for q in _filled(one.parts[-1], one.done)]
    asked = [_simple(shown, facts, q, chat) for _, _, facts, q in each]
    pooled: dict[int, list[str]] = {i: [] for i, _, _ in going}
    for (i, one, _, q), said in zip(each, _ask(model, asked, most, prompts.stop("few_shot", chat=chat)), strict=True):
        one.note(f"{q}\n{said.text}", said.finish, said.tokens)
        pooled[i] += [name for name in _names(said.text) if name not in pooled[i]]
    for i, one, _ in going:
        one.done.append((one.parts[-1], ", ".join(pooled[i]) or NONE))


def _controller(shown: Sequence[Hops], question: str, done: Sequence[tuple[str, str]], chat: bool) -> object:
    """The prompt that asks for the next simple question."""

    def told(asks: Sequence[str], answers: Sequence[str]) -> list[str]:
        return [f"Q{i}: {q} [A{i}] = {a}" for i, (q, a) in enumerate(zip(asks, answers, strict=True), 1)]

    exemplars = [(h.question, "\n".join([*told(h.asks, h.answers), f"Q{len(h.asks) + 1}: {END}"])) for h in shown]
    lead = "Break the last question into simple ones, one after the other, as is done for the others."
    before = told([q for q, _ in done], [a for _, a in done])
    if not chat:
        return str(prompts.assembled(lead, exemplars, question)) + "\n".join([*before, f"Q{len(done) + 1}:"])
    return prompts.assembled(lead, exemplars, "\n".join([question, *before, f"Q{len(done) + 1}:"]), chat=True)


def _simple(shown: Sequence[Hops], facts: str, question: str, chat: bool) -> object:
    exemplars = [(f"{h.facts} {q}", f"The answer is {a}.") for h in shown for q, a in h.simple[:2]]
    lead = "Answer the last question by the facts, as the others are answered."
    return prompts.assembled(lead, exemplars, f"{facts} {question}", chat=chat)


def _next_ask(text: str) -> str | None:
    """The simple question that was asked; None where the model is done or asks nothing."""
    line = (text.strip().splitlines() or [""])[0]
    line = re.sub(r"\s*\[A\d+\]\s*=.*$", "", re.sub(r"^Q\d+:\s*", "", line))  # it may go on and answer itself
    return line.strip() if line.strip() and line.strip().lower().rstrip(".") != END else None


def _filled(ask: str, done: Sequence[tuple[str, str]]) -> list[str]:
    """The question once for each name that its [A…] stands for."""
    found = re.search(r"\[A(\d+)\]", ask)
    if found is None or not 1 <= int(found[1]) <= len(done):
        return [ask]
    names = [n for n in done[int(found[1]) - 1][1].split(", ") if n != NONE]
    return [ask.replace(found[0], name) for name in names[:MOST_PARTS]]


def _names(text: str) -> list[str]:
    """The names an answer gives, as written."""
    words = stated(text) or (text.strip().splitlines() or [""])[0]
    kept = set(final_list(text)) - {NONE}
    found = [p.strip(" .[]\"'") for p in re.split(r",\s*and\s+|,|;|\band\b", words)]
    return list(dict.fromkeys(p for p in found if p.lower() in kept))


def _ask(model: Generates, asked: Sequence[object], most: int, ends: Sequence[str]) -> list:
    if not asked:
        return []
    return model.generate(list(asked), max_new_tokens=most, stop=ends)  # type: ignore[arg-type]
