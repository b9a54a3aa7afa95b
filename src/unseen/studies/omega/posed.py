"""How are problems asked of language models? One task for each family, with questions in English.

asked('gcd').draw('gcd level 3', 1, rng)[0]
->  Posed(prompt='What is the greatest common divisor of … \\\\boxed{}.', truth='342852', kind='integer', …)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseen.core.record import Split, Value
from unseen.core.task import example_id

from .answers import right
from .catalogue import Axis, Part, axis_of, family, held, part_named, parts
from .problem import Kind, Problem

BOXED = " Put the final answer in \\boxed{}."
TRIES = 40  # draws, for each problem wanted, in which new ones are looked for


@dataclass(frozen=True, slots=True)
class Posed:
    """An example (see `core.task.Example`) with the kind of its answer and its question alone."""

    id: str
    prompt: str
    truth: str
    split: Split
    kind: Kind
    question: str
    familiar: str | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True)
class Asked:
    """The Task of a family: what it trains on is the reference, what lies beyond it is shifted."""

    name: str
    axis: Axis
    parts: tuple[Part, ...]

    @property
    def splits(self) -> tuple[Split, ...]:
        """One split for each part."""
        return tuple(part.split(self.axis) for part in self.parts)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Posed]:
        """n problems with different questions; fewer where the split holds fewer. None of "train" is on a reference split."""
        if split == "train":
            where, drawn = Split("train", self.axis), training(self.parts, n, rng)
        else:
            part = part_named(self.name, self.parts, split)
            where = part.split(self.axis)
            drawn = problems(part, n, rng, wanted=None if part.shifted else True)
        return [self._posed(where, role, problem) for role, problem in drawn]

    def score(self, example: Posed, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the answer that a text gives is right (decimals: to 0.01), else 0."""
        return {"exact": float(right(answer, example.truth, example.kind))}

    def _posed(self, where: Split, part: Part, problem: Problem) -> Posed:
        at = (
            {**problem.at}
            if where.at
            else {**problem.at, "family": part.family, "level": part.level, "role": part.role}
        )
        prompt = problem.question + BOXED
        identity = example_id(self.name, where.name, prompt)
        return Posed(identity, prompt, problem.answer, where, problem.kind, problem.question, problem.familiar, at)


def asked(name: str) -> Asked:
    """The task of a family. Raises Unknown."""
    return Asked(family(name).name, axis_of(name), parts(name))


def problems(
    part: Part, n: int, rng: np.random.Generator, *, wanted: bool | None, repeated: bool = False
) -> list[tuple[Part, Problem]]:
    """n problems of a part: those held from training (`wanted`), those that are not (False), or any (None).

    They are different, and fewer where there are no more; unless they may be `repeated`, as they come.
    """
    return list(_drawn(lambda: part, n, rng, wanted, repeated=repeated))


def training(chosen: Sequence[Part], n: int, rng: np.random.Generator) -> list[tuple[Part, Problem]]:
    """n different problems to train on, of every part that is not shifted as likely, none of them held."""
    known = [part for part in chosen if not part.shifted]
    return list(_drawn(lambda: known[int(rng.integers(len(known)))], n, rng, False, repeated=False))


def _drawn(
    choose: Callable[[], Part], n: int, rng: np.random.Generator, wanted: bool | None, *, repeated: bool
) -> Iterator[tuple[Part, Problem]]:
    seen: set[str] = set()
    found = 0
    for _ in range(TRIES * n):
        if found == n:
            return
        part = choose()
        problem = family(part.family).draw(part.level, rng)
        if (wanted is None or held(problem) == wanted) and (repeated or problem.question not in seen):
            seen.add(problem.question)
            found += 1
            yield part, problem
