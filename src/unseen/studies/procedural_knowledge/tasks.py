"""What is read and asked? The world of a setting as a task, drawn with numpy alone; every seed has its own.

tasks(Learned("main", …))[0].draw("problems", 1, rng)[0].prompt  ->  '<s> sum ( 3 + 5 ) * 4 :'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Unknown, nearest
from unseen.core.lab import Lab
from unseen.core.record import Split
from unseen.core.task import Batch, Example, Task, example_id

from . import corpus
from .arms import Learned, Traced
from .corpus import Corpus, Query

FACTS = Split("facts", "novelty", {"type": "factual"})
PROBLEMS = Split("problems", "novelty", {"type": "reasoning"}, shifted=True)
SPLITS = (FACTS, PROBLEMS)


@dataclass(frozen=True, eq=False)
class Reading:
    """Documents to read ("train"; some perhaps left out, with others in their stead) and two splits of questions."""

    corpus: Corpus
    without: NDArray[np.bool_] | None = None  # [document]
    number: Mapping[str, int] = field(default_factory=dict[str, int])
    name: str = "documents"
    splits: tuple[Split, ...] = SPLITS

    @property
    def vocab(self) -> int:
        """The number of words, padding counted."""
        return len(self.corpus.words)

    def longest(self, split: str) -> int:
        """The most tokens of a document or of a question with its answer."""
        told = [len(d.words) for d in self.corpus.documents]
        return max(*told, *(len(q.prompt) + len(q.answer) for q in self.corpus.queries))

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n documents drawn with replacement, all of whose tokens count; or the first n questions of a split."""
        if split != "train":
            asked = self.of(split)[:n]
            return self._batch([(*q.prompt, *q.answer) for q in asked], [len(q.prompt) for q in asked])
        at = rng.integers(len(self.corpus.documents), size=n)
        if self.without is not None:
            left = np.flatnonzero(~self.without)
            spare = left[rng.integers(len(left), size=n)]
            at = np.where(self.without[at], spare, at)
        return self._batch([self.corpus.documents[i].words for i in at], [1] * n)

    def tokens(self, words: Sequence[str]) -> list[int]:
        """The tokens of words."""
        return [self.number[w] for w in words]

    def of(self, split: str) -> list[Query]:
        """The questions of a split. Raises Unknown for another name."""
        types = {s.name: str(s.at["type"]) for s in self.splits}
        if split not in types:
            raise Unknown(
                f"split {split!r}: there is none{nearest(split, types)}; there are {', '.join(types)}, train."
            )
        return [q for q in self.corpus.queries if q.type == types[split]]

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n questions of a split, or documents of "train" as their own answers; fewer where there are fewer."""
        if split == "train":
            told = [(d.words[:-1], d.words[-1:]) for d in self.corpus.documents]
            where = Split("train")
        else:
            told = [(q.prompt, q.answer) for q in self.of(split)]
            where = next(s for s in self.splits if s.name == split)
        chosen = [told[i] for i in rng.permutation(len(told))[:n]]
        pairs = dict((" ".join(prompt), " ".join(answer)) for prompt, answer in chosen)
        return [Example(example_id(self.name, split, p), p, a, where) for p, a in pairs.items()]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """Whether the answer is the right one word by word, the end left out or not."""
        plain = answer.replace("</s>", " ").split()
        return {"exact": float(plain == example.truth.replace("</s>", " ").split())}

    def _batch(self, rows: Sequence[Sequence[str]], begins: Sequence[int]) -> Batch:
        width = max(map(len, rows))
        tokens, answer = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), bool)
        for i, (row, begin) in enumerate(zip(rows, begins, strict=True)):
            tokens[i, : len(row)] = self.tokens(row)
            answer[i, begin : len(row)] = True
        return Batch(tokens, answer)


def tasks(setting: Learned | Traced) -> Sequence[Task]:
    """The world that seed 0 of a setting learns; none of a model that is traced, whose documents are word problems."""
    return [of(setting, Lab((0,), Path(), Path()), 0)] if isinstance(setting, Learned) else []


def of(setting: Learned, lab: Lab, seed: int) -> Reading:
    """The world of a seed."""
    made = corpus.drawn(setting, lab.rng("world", setting.facts, setting.worked, setting.modulus, seed=seed))
    return reading(made)


def reading(made: Corpus, without: NDArray[np.bool_] | None = None) -> Reading:
    """A world as a task, with some documents [document] left out."""
    return Reading(made, without, {w: i for i, w in enumerate(made.words) if w})
