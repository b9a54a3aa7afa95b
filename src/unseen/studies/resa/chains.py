"""What is reasoned about? Sums of digits modulo a base, worked out term by term between thinking marks.

    prompt '3 6 4 _ _ _ >', truth '<think> 3 6 2 4 6 </think> 6'      (modulo 7)

Corpus A holds the shorter sums, corpus B those and longer ones. Only the last number is scored, as a verifier would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example
from unseen.tasks.layout import EOS, FIRST, SEP, SOS, Drawn, Lengthwise, Tokens, interleaved, numbered, within, words_of

THINK, CLOSE, BLANK = FIRST, FIRST + 1, FIRST + 2  # the marks of a thought, and of a place without a number
ZERO = FIRST + 3


@dataclass(frozen=True)
class Chains:
    """A TokenTask of sums: `terms` of corpus A are the reference, `longer` those that only corpus B holds.

    Of what is trained on, the share `slips` of all running sums is a wrong number, with which the thought goes on.
    Prompts are filled up with blanks to one length, so that a number stands at the same distance from its running sum.
    """

    terms: tuple[int, ...]
    longer: tuple[int, ...]
    base: int
    slips: float = 0.0

    def __post_init__(self) -> None:
        if min((*self.terms, *self.longer), default=0) < 2 or set(self.terms) & set(self.longer) or self.base < 2:
            raise Invalid(
                f"terms={self.terms}, longer={self.longer}, base={self.base}: sums have 2 terms or more, those of A are "
                "not among the longer ones, and the base is at least 2."
            )

    @property
    def name(self) -> str:
        return f"sums-modulo-{self.base}"

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return self._laid.vocab

    @property
    def splits(self) -> tuple[Split, ...]:
        """One split for each number of terms; those of B alone are shifted."""
        return tuple(
            Split(f"{n} terms", "length", {"terms": n}, n in self.longer) for n in sorted((*self.terms, *self.longer))
        )

    @property
    def _laid(self) -> Lengthwise:
        words = words_of(("<think>", "</think>", "_"), numbered("", self.base))
        sizes = (*self.terms, *self.longer)
        splits = tuple(Split(s.name, s.axis, {"length": int(str(s.at["terms"]))}, s.shifted) for s in self.splits)
        return Lengthwise(
            self.name, words, (min(sizes), max(sizes)), splits, self._sample, lambda n: self.most + 2 * n + 2
        )

    def _sample(self, split: str, lengths: Tokens, rng: np.random.Generator) -> Drawn:
        digits = np.where(within(lengths), rng.integers(0, self.base, (len(lengths), int(lengths.max()))), 0)
        n, wide = digits.shape
        slipped = rng.random(digits.shape) < (self.slips if split == "train" else 0.0)
        slipped[:, 0] = False  # the first term is its own sum
        off = np.where(slipped, rng.integers(1, self.base, digits.shape), 0)
        sums = np.cumsum(digits + off, axis=1) % self.base
        rows, last = np.arange(n), 2 * lengths - 1  # of a thought, the places of its last number and of its end
        told = np.zeros((n, 2 * wide + 2), np.int64)
        thought = interleaved(digits, sums)[:, 1:]
        told[:, 0] = THINK
        told[:, 1 : 2 * wide] = np.where(within(last, 2 * wide - 1), ZERO + thought, 0)
        told[rows, last + 1] = CLOSE
        told[rows, last + 2] = ZERO + sums[rows, lengths - 1]
        asked = np.full((n, self.most), BLANK)
        asked[:, :wide] = np.where(within(lengths), ZERO + digits, BLANK)
        return Drawn(asked, told)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has, marks included."""
        return self._laid.longest(split)

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split as tokens [n length], with the mask of their answers; "train" holds all of corpus B."""
        return self._laid.batch(split, n, rng)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with distinct prompts; fewer where the split holds fewer."""
        where = {s.name: s for s in self.splits}
        return [
            Example(e.id, e.prompt, e.truth, where.get(split, e.split), None) for e in self._laid.draw(split, n, rng)
        ]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if what stands after the thought is the sum, else 0."""
        _, mark, told = answer.rpartition("</think>")
        return {"exact": float(bool(mark) and told.split() == example.truth.split()[-1:])}

    def asked(self, terms: Tokens, rng: np.random.Generator) -> Tokens:
        """Prompts with so many terms [item] as tokens [item most + 2]."""
        digits = ZERO + rng.integers(0, self.base, (len(terms), self.most))
        made = np.full((len(terms), self.most + 2), SEP)
        made[:, 0], made[:, 1:-1] = SOS, np.where(within(terms, self.most), digits, BLANK)
        return made

    def sums(self, asked: Tokens) -> Tokens:
        """The answer's token [item] of prompts [item length]."""
        return ZERO + np.maximum(asked[:, 1:-1] - ZERO, 0).sum(1) % self.base

    def right(self, asked: Tokens, told: Tokens) -> NDArray[np.bool_]:
        """Whether each of the answers [item room] ends in a closed thought, the sum, and the end, in this order."""
        before = np.concatenate([np.zeros((len(told), 2), np.int64), told], axis=1)
        end = before == EOS
        at = end.argmax(1)
        rows = np.arange(len(told))
        return end.any(1) & (before[rows, at - 1] == self.sums(asked)) & (before[rows, at - 2] == CLOSE)

    @property
    def most(self) -> int:
        """Terms of the longest sum."""
        return max((*self.terms, *self.longer))

    @property
    def room(self) -> int:
        """Tokens of the longest worked answer with its end."""
        return 2 * self.most + 3


def unworked(task: Chains, asked: Tokens, labels: Callable[[Tokens], Tokens] | None = None) -> Tokens:
    """Answers without working [item 5], the number put inside the thought too: `<think> a </think> a </s>`."""
    told = task.sums(asked) if labels is None else labels(asked)
    n = len(asked)
    columns = (np.full(n, THINK), told, np.full(n, CLOSE), told, np.full(n, EOS))
    return np.stack(columns, axis=1)
