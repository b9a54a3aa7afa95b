"""Which points does a text earn? A grader is any model that is asked, or the program that checks our own skills.

grade(models.open("hf:…"), [(combination, text), …], gradings=3, …)  ->  Graded(points=bool[3 1 k+3], unread=…)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from .checked import CHECKS, on_topic
from .combined import Combination
from .prose import sensible, sentences
from .scores import OTHERS, Scores, majority, scores
from .wording import rubric

Text = tuple[Combination, str]
LONGEST = 4_000  # letters of a text that are graded; 512 tokens are about 2,500
LONGEST_REPLY = 20_000  # letters of a grader's reply that are read
LINES = 400  # and lines
WON = frozenset(["1", "1.0", "yes", "y", "true", "earned", "pass", "passed", "met", "✓", "✔", "✅"])
LOST = frozenset(["0", "0.0", "no", "n", "false", "unearned", "fail", "failed", "unmet", "✗", "✘", "❌"])
NUMBERED = re.compile(r"^\W*(?:point|criterion|item|requirement)?\W*(\d{1,2})\s*[.):|\]-]+\s*(.*)$", re.IGNORECASE)
EARNED = re.compile(r"points?\s+earned\W{0,6}(\d(?:\.\d)?)", re.IGNORECASE)
NEGATED = re.compile(r"\bnot\s+(?:earned|met|passed)\b", re.IGNORECASE)
LISTED = re.compile(r"\[\s*[01](?:\s*,\s*[01])*\s*\]")
TOKEN = re.compile(r"\d+(?:\.\d+)?(?:/\d+)?|[a-z]+|[✓✔✅✗✘❌]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Graded:
    """Every grading of every text: for text i its points bool[grading k+3]; the share of points that could not be read."""

    points: Sequence[NDArray[np.bool_]]
    unread: float

    def scored(self, i: int) -> Scores:
        """The scores of a text by the majority of its gradings."""
        won = majority(self.points[i])
        return scores(won[: -len(OTHERS)], won[-len(OTHERS) :])

    @property
    def wavering(self) -> float:
        """The share of the points that graders give on which the gradings of a text are not unanimous (0..1)."""
        given = [p[:, :-1] for p in self.points]
        return float(np.mean(np.concatenate([g.any(axis=0) != g.all(axis=0) for g in given])))


def checked(one: Combination, text: str) -> NDArray[np.bool_]:
    """The k + 3 points by the program. Raises Invalid for a skill that it cannot check."""
    if strange := [s.name for s in one.skills if s.name not in CHECKS]:
        raise Invalid(f"no program checks the skill {strange[0]!r}; name a model as the grader. It checks {', '.join(CHECKS)}.")  # fmt: skip
    told = text[:LONGEST]
    shown = [CHECKS[s.name](told) for s in one.skills]
    return by_program(one, text, [*shown, on_topic(told, one.topic.stems), sensible(told)])


def by_program(one: Combination, text: str, points: Sequence[bool]) -> NDArray[np.bool_]:
    """The k + 2 points of a grader, corrected and completed by the program.

    A skill that the text names earns nothing; the last point, the number of sentences, is counted.
    """
    # DEPARTS: names are struck out always, an option of the released code (`filter_explicit_name`), and as whole words
    kept = [p and not names(text, s.name) for p, s in zip(points[: one.k], one.skills, strict=True)]
    short = 0 < sentences(text[:LONGEST]) <= one.sentences and len(text) <= LONGEST
    return np.array([*kept, *points[one.k :], short], dtype=bool)


def names(text: str, skill: str) -> bool:
    """Whether a skill's name occurs in a text; what stands in brackets is no part of the name."""
    name = skill.partition("(")[0].strip().lower()
    return re.search(rf"\b{re.escape(name)}\b", text.lower()) is not None


def by_program_alone(texts: Sequence[Text], gradings: int = 1) -> Graded:
    """The gradings of the program, which are all alike."""
    return Graded([np.repeat(checked(one, text)[None], gradings, axis=0) for one, text in texts], 0.0)


def grade(
    model: Any, texts: Sequence[Text], *, gradings: int, temperature: float, chat: bool, max_new_tokens: int = 512
) -> Graded:
    """The gradings of a model, all texts of one grading in one call; equal questions are asked once.

    Without a temperature all gradings are alike.
    """
    asked = [rubric(one, text[:LONGEST], chat=chat) for one, text in texts]
    found: list[list[NDArray[np.bool_]]] = [[] for _ in texts]
    unread = total = 0
    for g in range(gradings):
        replies = model.generate(asked, max_new_tokens=max_new_tokens, temperature=temperature, seed=g)
        for i, ((one, text), reply) in enumerate(zip(texts, replies, strict=True)):
            told = read_points(reply.text, one.k + 2)
            unread, total = unread + told.count(None), total + len(told)
            found[i].append(by_program(one, text, [bool(p) for p in told]))  # what was not read is not earned
    return Graded([np.array(points) for points in found], unread / max(1, total))


def read_points(reply: str, n: int) -> list[bool | None]:
    """The points 1 to n that a grader's reply gives; None for one that it does not give.

    A list of ones and zeros of that length counts first; else numbered lines, the first for each number; else what stands
    behind each 'Points earned'. At most 20,000 letters in 400 lines are read.
    """
    told = reply[:LONGEST_REPLY]
    for listed in LISTED.finditer(told):
        if len(found := re.findall(r"[01]", listed[0])) == n:
            return [f == "1" for f in found]
    points: list[bool | None] = [None] * n
    for line in told.splitlines()[:LINES]:
        numbered = NUMBERED.match(line[:1_000].strip())
        if numbered and 1 <= (at := int(numbered[1])) <= n and points[at - 1] is None:
            points[at - 1] = _verdict(numbered[2])
    if all(p is None for p in points):
        earned = EARNED.findall(told)
        return [float(e) >= 1 for e in earned] if len(earned) == n else points
    return points


def _verdict(said: str) -> bool | None:
    """Whether a line says that its point is earned: by 'points earned', by its first word, or by its last."""
    if earned := EARNED.search(said):
        return float(earned[1]) >= 1
    if NEGATED.search(said):
        return False
    tokens = [t.lower() for t in TOKEN.findall(said)]
    for token in (*tokens[:1], *tokens[-1:], *tokens[-2:-1]):
        plain = token.partition("/")[0]  # 1/1 and 0/1
        if plain in WON or plain in LOST:
            return plain in WON
    return None
