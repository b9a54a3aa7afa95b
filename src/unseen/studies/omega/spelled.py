"""How are problems told to small decoders? In the compact language, a character a token.

    <s> [gcd] 8 4 , 3 6 > 1 2 </s>          [gcd] is the family's own token; the answer stands behind `>`

The training set of a task is drawn once, of so many problems; splits tested on are drawn anew, those of trained levels
from problems that no training set holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id
from unseen.tasks.layout import FIRST, SPECIAL, Drawn, assembled, filled

from .catalogue import FAMILIES, PAIRS, Axis, Part, axis_of, family, part_named, parts
from .posed import problems, training
from .problem import Problem

CHARACTERS = "".join(map(chr, range(32, 127)))
LETTERS = {c: FIRST + i for i, c in enumerate(CHARACTERS)}
MARKS = {name: FIRST + len(CHARACTERS) + i for i, name in enumerate(FAMILIES)}
WORDS = (*SPECIAL, *CHARACTERS, *(f"[{name}]" for name in FAMILIES))


@dataclass(frozen=True)
class Spelled:
    """A TokenTask of one or more families: trained on their trained levels, asked on the parts of its splits.

    A seed has a training set of its own. `muddled`: every problem of it has another's answer.
    """

    name: str
    axis: Axis
    parts: tuple[Part, ...]
    problems: int  # in the training set
    seed: int = 0
    muddled: bool = False
    kept: dict[str, Batch] = field(default_factory=dict[str, Batch], compare=False)

    @property
    def splits(self) -> tuple[Split, ...]:
        """One split for each part."""
        return tuple(part.split(self.axis) for part in self.parts)

    @property
    def vocab(self) -> int:
        """Marks, characters and a token for each family."""
        return len(WORDS)

    def longest(self, split: str) -> int:
        """The most tokens of a sequence of the training set; other splits are drawn anew, and as long as they are."""
        if split != "train":
            raise Invalid(f"the length of {split!r} is known for its batches only; ask for that of 'train'.")
        return self._training().tokens.shape[1]

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences [n length] of a split, those of "train" from the training set."""
        if split != "train":
            return encoded(self._drawn(split, n, rng, repeated=True))
        whole = self._training()
        rows = rng.integers(0, len(whole.tokens), n)
        tokens, answer = whole.tokens[rows], whole.answer[rows]
        most = int((tokens != 0).sum(1).max())
        return Batch(tokens[:, :most], answer[:, :most])

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n different problems as text, the family's token first."""
        drawn = training(self.parts, n, rng) if split == "train" else self._drawn(split, n, rng)
        where = (
            Split("train", self.axis) if split == "train" else part_named(self.name, self.parts, split).split(self.axis)
        )
        found: dict[str, Example] = {}
        for part, problem in drawn:
            prompt = "".join(WORDS[t] for t in asked_of(part, problem))
            found[prompt] = Example(example_id(self.name, split, prompt), prompt, problem.answer, where)
        return list(found.values())

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the answer is the right one, character by character, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}

    def _drawn(
        self, split: str, n: int, rng: np.random.Generator, *, repeated: bool = False
    ) -> list[tuple[Part, Problem]]:
        part = part_named(self.name, self.parts, split)
        found = problems(part, n, rng, wanted=None if part.shifted else True, repeated=repeated)
        if len(found) < n and (repeated or not found):
            raise Invalid(f"{split}: too few problems of it are held from training; ask a family that has more.")
        return found

    def _training(self) -> Batch:
        if "train" not in self.kept:
            rng = np.random.default_rng([self.seed, 7_919])
            chosen = [part for part in self.parts if not part.shifted]
            each = -(-self.problems // len(chosen))
            drawn = [one for part in chosen for one in problems(part, each, rng, wanted=False)]
            if self.muddled:
                order = rng.permutation(len(drawn))
                drawn = [(part, _answering(p, drawn[i][1])) for (part, p), i in zip(drawn, order, strict=True)]
            self.kept["train"] = encoded(drawn)
        return self.kept["train"]


def spelled(
    names: Sequence[str], also: str, most_level: int, size: int, seed: int, *, muddled: bool = False
) -> Spelled:
    """The task that trains on families together and asks them up to a level, and `also` another one, if any.

    Beside a composed family, its components have the roles that they have in its own task.
    """
    known = [part for part in parts(also) if not part.shifted] if also in PAIRS else []
    own = [part for name in names for part in parts(name) if part.level <= most_level]
    more = [part for part in parts(also) if part.shifted and part.level <= most_level] if also else []
    chosen = (*(known or [p for p in own if not p.shifted]), *(p for p in own if p.shifted), *more)
    axis = axis_of(also) if also else "complexity"
    return Spelled("compact_" + "+".join((*names, *([also] if also else []))), axis, chosen, size, seed, muddled)


def asked_of(part: Part, problem: Problem) -> list[int]:
    """The tokens of a problem, without marks: the family's own first, but of a twin, whose words tell what is asked."""
    mark = [] if family(part.family).domain == "twin" else [MARKS[part.family]]
    return [*mark, *(LETTERS[c] for c in problem.compact)]


def encoded(drawn: Sequence[tuple[Part, Problem]]) -> Batch:
    """Problems as `<s> asked > answer </s>` [problem length], padded with 0, and where answers and their ends stand."""
    asked = [asked_of(part, problem) for part, problem in drawn]
    told = [[LETTERS[c] for c in problem.answer] for _, problem in drawn]
    return assembled(Drawn(filled(asked), filled(told)))


def _answering(problem: Problem, other: Problem) -> Problem:
    return Problem(problem.question, problem.compact, other.answer, other.kind)
