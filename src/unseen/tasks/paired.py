"""How is a set of pairs learned? Source and target texts as a TokenTask: a training set drawn evenly or not, all at
once or little by little, and sets of pairs to test on.

    ('walk left twice', 'I_TURN_LEFT I_WALK I_TURN_LEFT I_WALK')   <s> walk left twice > I_TURN_LEFT I_WALK … </s>
    Paired("scan", words, train, tests, weights=zipf(…))           some pairs are drawn more often than others
    Paired("scan", words, train, tests, enters=novel(…))           pairs enter as training goes on
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split, Value
from unseen.core.task import Batch, Example, example_id

from .drawn import no_split
from .layout import PAD, SEP, SPECIAL, Drawn, Tokens, assembled, filled, words_of

Pair = tuple[str, str]  # source and target, words between spaces


@dataclass(frozen=True)
class Asked:
    """Pairs to test on: the split they are, and what is known of them beside their text."""

    split: Split
    pairs: Sequence[Pair]


@dataclass(frozen=True, eq=False)
class Paired:
    """A TokenTask of pairs. `tests` are the sets it is tested on; those trained on may be among them.

    weights [pair]: how often each training pair is drawn, in any unit (None: all alike). enters [pair]: the share of
    training (0..1) after which a pair is drawn at all (None: all from the start).
    """

    name: str
    words: tuple[str, ...]
    train: Sequence[Pair]
    tests: tuple[Asked, ...]
    weights: NDArray[np.floating] | None = None
    enters: NDArray[np.floating] | None = None
    known: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        if not self.train:
            raise Invalid(f"{self.name} has no pairs to train on.")
        for name in ("weights", "enters"):
            given = getattr(self, name)
            if given is not None and len(given) != len(self.train):
                raise Invalid(f"{self.name}: {name} has {len(given)} values for {len(self.train)} training pairs.")
        if self.enters is not None and not np.any(self.enters <= 0):
            raise Invalid(f"{self.name}: no pair may be drawn at the start of training; let some enter at 0.")
        object.__setattr__(self, "known", {w: i for i, w in enumerate(self.words) if w})

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits it is tested on."""
        return tuple(t.split for t in self.tests)

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has, marks included."""
        return max(len(s.split()) + len(t.split()) for s, t in self.pairs(split)) + 3

    def size(self, split: str) -> int:
        """How many pairs a split has."""
        return len(self.pairs(split))

    def pairs(self, split: str) -> Sequence[Pair]:
        """All pairs of a split. Raises Unknown."""
        return self.train if split == "train" else self._tested(split).pairs

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences as tokens [n length], with the mask of their targets; those of "train" by weight, with
        replacement. Of a test split they are different ones, fewer than n where it has fewer."""
        if split == "train":
            return self.paced(split, n, rng, 1.0)
        pairs = self.pairs(split)
        return encoded([pairs[i] for i in self._some(split, n, rng)], self.known)

    def paced(self, split: str, n: int, rng: np.random.Generator, done: float) -> Batch:
        """The same, of the training pairs that have entered after a share `done` (0..1) of training."""
        if split != "train":
            return self.batch(split, n, rng)
        return self._trained(np.searchsorted(self._shares(done), rng.random(n), side="right"))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with different prompts; fewer where the split has fewer."""
        where, pairs = self._split(split), self.pairs(split)
        found = dict(pairs[i] for i in self._some(split, n, rng))
        return [Example(example_id(self.name, split, p), p, t, where, at=self.factors(p, t)) for p, t in found.items()]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the whole answer is right, whatever its white space, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}

    def factors(self, source: str, target: str) -> Mapping[str, Value]:
        """What is counted of a pair: the words of its source and of its target."""
        return {"source_words": len(source.split()), "target_words": len(target.split())}

    def text(self, tokens: Tokens) -> tuple[str, str]:
        """Source and target of one sequence [length] that `batch` made."""
        kept = [int(t) for t in tokens if t != PAD]
        at = kept.index(SEP)
        return " ".join(self.words[t] for t in kept[1:at]), " ".join(self.words[t] for t in kept[at + 1 : -1])

    @cached_property
    def _encoded(self) -> Batch:
        """The training pairs, kept in few bytes."""
        whole = encoded(self.train, self.known)
        return Batch(whole.tokens.astype(np.int16 if self.vocab < 1 << 15 else np.int32), whole.answer)

    def _trained(self, rows: NDArray[np.integer]) -> Batch:
        """Some training pairs, as wide as the longest of them."""
        tokens = self._encoded.tokens[rows]
        width = int((tokens != PAD).sum(1).max())
        return Batch(tokens[:, :width].astype(np.int64), self._encoded.answer[rows, :width])

    def _some(self, split: str, n: int, rng: np.random.Generator) -> NDArray[np.integer]:
        """n different rows of a split; all, in their order, where it has no more."""
        size = self.size(split)
        return np.arange(size) if size <= n else rng.choice(size, n, replace=False)

    def _shares(self, done: float) -> NDArray[np.floating]:
        """The cumulative shares [pair] of draws at a point of training."""
        weights = np.ones(len(self.train)) if self.weights is None else np.asarray(self.weights, float)
        if self.enters is not None:
            weights = np.where(self.enters <= done, weights, 0.0)
        total = np.cumsum(weights)
        return total / total[-1]

    def _tested(self, name: str) -> Asked:
        for tested in self.tests:
            if tested.split.name == name:
                return tested
        raise no_split(self.name, name, (t.split.name for t in self.tests))

    def _split(self, name: str) -> Split:
        return Split("train") if name == "train" else self._tested(name).split


def encoded(pairs: Sequence[Pair], known: Mapping[str, int]) -> Batch:
    """Pairs as tokens `sos source > target eos` [pair length] and the mask of their targets. Raises Invalid for a word
    that is not known."""
    try:
        sides = [[[known[w] for w in text.split()] for text in side] for side in zip(*pairs, strict=True)]
    except KeyError as error:
        raise Invalid(f"the word {error} stands in a pair and not in the vocabulary.") from None
    return assembled(Drawn(*map(filled, sides)))


def vocabulary(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """The marks, the words of the sources, and those of the targets that are not among them, each in sorted order.

    Raises Invalid where a word of a pair is one of the marks.
    """
    sources = sorted({w for source, _ in pairs for w in source.split()})
    targets = sorted({w for _, target in pairs for w in target.split()} - set(sources))
    if taken := set(SPECIAL) & {*sources, *targets}:
        raise Invalid(f"the word {sorted(taken)[0]!r} is a mark of ours; write it in another way.")
    return words_of(sources, targets)
