"""What does a document of the stream say? Some facts of one domain, one after the other; no document comes twice.

sums:3 sums:9 sums:12 sums:8 sums:6 sums:1             3 + 9 = 12, 8 + 6 = 1 (modulo 13)
rich:e4 rich:r2 rich:r5 rich:e1 rich:e3 rich:r2 rich:e9    4 –2→ ? –5→ 1, 3 –2→ 9

What is learned is the last word of every fact. Facts held out are asked one at a time, and never stand in a document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id
from unseen.tasks.drawn import split_named
from unseen.tasks.kg import MARKS, NEW, Facts, Knowledge, batch_of

Ints = NDArray[np.integer[Any]]
AXIS = "example"
FIRST = len(MARKS)  # tokens before those of worlds


@dataclass(frozen=True, eq=False)
class Documents:
    """tokens [document place], right-padded with 0, bool [document place] whether a token is an answer, and of which domain
    each document is [document]."""

    tokens: Ints
    answer: NDArray[np.bool_]
    domain: Ints

    def take(self, index: Ints) -> Documents:
        """The documents at these positions."""
        return Documents(self.tokens[index], self.answer[index], self.domain[index])


@dataclass(frozen=True, eq=False)
class Stream:
    """A TokenTask over several domains: trained on documents of `facts` facts, tested on single facts, trained and new.

    tables are the facts of each domain, of documents and held out; words [vocab] are the tokens' texts.
    """

    domains: tuple[str, ...]
    words: tuple[str, ...]
    trained: Mapping[str, Facts]
    new: Mapping[str, Facts]
    facts: int
    name: str = "stream"

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    @property
    def splits(self) -> tuple[Split, ...]:
        """Of every domain the facts that documents hold, and those held out."""
        return tuple(_split(d, new) for d in self.domains for new in (False, True))

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has."""
        most = max(f.tokens.shape[1] for f in self.trained.values())
        return self.facts * most if split == "train" else most

    def documents(self, n: int, rng: np.random.Generator) -> Documents:
        """n documents, each of a domain drawn at random, of facts drawn with replacement."""
        domain = rng.integers(0, len(self.domains), n)
        width = self.longest("train")
        tokens, answer = np.zeros((n, width), np.int64), np.zeros((n, width), bool)
        for i, name in enumerate(self.domains):
            rows = np.flatnonzero(domain == i)
            table = self.trained[name]
            told = batch_of(table.take(rng.integers(0, len(table), len(rows) * self.facts)))
            whole = (len(rows), self.facts * told.tokens.shape[1])
            flat, marks = told.tokens.reshape(whole), told.answer.reshape(whole)
            order = np.argsort(flat == 0, axis=1, kind="stable")  # words first, in their order
            tokens[rows, : whole[1]] = np.take_along_axis(flat, order, 1)
            answer[rows, : whole[1]] = np.take_along_axis(marks, order, 1)
        return Documents(tokens, answer, domain)

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n documents of "train", or n different facts of a split tested on. Raises Invalid where a split holds fewer."""
        if split == "train":
            found = self.documents(n, rng)
            return Batch(found.tokens, found.answer)
        table = self._table(split_named(self, split))
        if n > len(table):
            raise Invalid(f"{split!r} holds {len(table)} facts, fewer than the {n} asked for; ask for less.")
        return batch_of(table.take(rng.choice(len(table), n, replace=False)))

    def size(self, split: str) -> int:
        """The number of facts of a split."""
        return len(self._table(split_named(self, split)))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n different facts as examples, fewer where the split holds fewer; of "train" those of all domains."""
        if split == "train":
            each = [self.draw(_split(d, False).name, -(-n // len(self.domains)), rng) for d in self.domains]
            return [e for some in zip(*each, strict=False) for e in some][:n]
        where = split_named(self, split)
        table = self._table(where)
        kept = table.take(rng.permutation(len(table))[:n])
        found: list[Example] = []
        for row, asked, truth in zip(kept.tokens, kept.asked.tolist(), kept.truth.tolist(), strict=True):
            prompt = " ".join(self.words[t] for t in row[:asked].tolist())
            found.append(Example(example_id(self.name, split, prompt), prompt, self.words[truth], where))
        return found

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the answer is the right word, whatever its white space, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}

    def _table(self, split: Split) -> Facts:
        return (self.trained if split.at["trained"] else self.new)[str(split.at["domain"])]


def stream(worlds: Mapping[str, Knowledge], facts: int) -> Stream:
    """The stream of these worlds, each with words of its own; what a world calls `composed new` is held out."""
    words: list[str] = list(MARKS)
    trained: dict[str, Facts] = {}
    new: dict[str, Facts] = {}
    for name, world in worlds.items():
        ahead = len(words) - FIRST
        words += [f"{name}:{word}" for word in world.words[FIRST:]]
        trained[name], new[name] = (_moved(world.tables[t], ahead) for t in ("train", NEW))
    return Stream(tuple(worlds), tuple(words), trained, new, facts)


def table(name: str, values: Ints, held: float, rng: np.random.Generator) -> Knowledge:
    """The facts `a b → values[a, b]` as a world in which a share `held` of them is never trained on."""
    n = len(values)
    order = rng.permutation(n * n)
    tokens = np.stack([*np.divmod(np.arange(n * n), n), values.ravel()], 1) + FIRST
    facts = Facts(tokens[order], np.full(n * n, 2), np.zeros(n * n, bool), {})
    cut = round(held * n * n)
    parts = {"train": facts.take(np.arange(cut, n * n)), NEW: facts.take(np.arange(cut))}
    return Knowledge(name, (*MARKS, *(str(i) for i in range(n))), (), parts, None)


def _split(domain: str, new: bool) -> Split:
    return Split(f"{domain} {'new' if new else 'trained'}", AXIS, {"domain": domain, "trained": not new}, new)


def _moved(facts: Facts, ahead: int) -> Facts:
    """The same facts with a world's own tokens put behind those of others."""
    return Facts(np.where(facts.tokens >= FIRST, facts.tokens + ahead, facts.tokens), facts.asked, facts.composed, {})
