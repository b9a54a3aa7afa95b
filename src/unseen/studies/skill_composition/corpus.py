"""What does a training set hold of a query? Its nearest prompt, and whether any of its texts shows all that is asked.

corpus = corpus_of(task.training())
corpus.nearest(asked)        the text [query] whose prompt shares the most skills with the query, the topic counted
corpus.held(asked, 3)        whether some text has full marks for it [query]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .skilltext import LETTERS, Bools, Ints, sentences, shown

Skill = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts [text place], padded with 0, and for each skill the texts whose prompts ask for it, in ascending order."""

    texts: Ints
    prompts: dict[Skill, Ints]
    known: dict[Skill, Bools] = field(default_factory=dict[Skill, Bools])  # which texts show a skill [text]

    def nearest(self, asked: Ints) -> Ints:
        """The text [query] of the prompt that shares the most with each query [query k+1 3]; of several, the first."""
        found = np.zeros(len(asked), np.int64)
        for i, query in enumerate(_skills(asked)):
            shared = np.zeros(len(self.texts), np.int64)
            for skill in query:
                shared[self.prompts.get(skill, ())] += 1
            found[i] = shared.argmax()
        return found

    def held(self, asked: Ints, limit: int) -> Bools:
        """Whether some text of at most so many sentences shows all that each query [query k+1 3] asks for [query]."""
        short = sentences(self.texts) <= limit
        return np.array([bool(np.logical_and.reduce([short, *map(self._showing, q)]).any()) for q in _skills(asked)])

    def _showing(self, skill: Skill) -> Bools:
        if skill not in self.known:
            asked = np.broadcast_to(np.array(skill), (len(self.texts), 1, 3))
            self.known[skill] = shown(self.texts, asked)[:, 0]
        return self.known[skill]


def corpus_of(training: Sequence[tuple[Ints, Ints]]) -> Corpus:
    """The corpus of a training set: for each k queries [text k+1 3] and texts [text place]."""
    most = max(texts.shape[1] for _, texts in training)
    texts = np.concatenate([np.pad(t, ((0, 0), (0, most - t.shape[1]))) for _, t in training])
    begun, prompts = 0, dict[Skill, list[Ints]]()
    for asked, _ in training:
        rows = np.repeat(np.arange(begun, begun + len(asked)), asked.shape[1])
        flat = asked.reshape(-1, 3)
        code = (flat[:, 0] * (LETTERS + 1) + flat[:, 1]) * (LETTERS + 1) + flat[:, 2]
        order = np.argsort(code, kind="stable")
        for at in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
            prompts.setdefault(_skill(flat[at[0]]), []).append(rows[at])
        begun += len(asked)
    return Corpus(texts, {skill: np.concatenate(found) for skill, found in prompts.items()})


def _skills(asked: Ints) -> list[list[Skill]]:
    return [[_skill(row) for row in query] for query in asked]


def _skill(row: Ints) -> Skill:
    kind, x, y = row.tolist()
    return kind, x, y
