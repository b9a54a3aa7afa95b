"""Problems with their worked solutions, on splits by difficulty: what prompts, training traces and graders are made of.

    Worked(id="6f1c…", prompt="What is 345 + 678?", truth="1023", trace=Trace(…), short="345+678>", …)

A problem that could be trained on is never tested on: one in eight of every size is held back, by a digest of its text.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split, Value
from unseen.core.task import example_id

from .drawn import split_named
from .said import same_letters
from .traces import Skill, Trace

HELD = 8  # one problem in so many is kept for testing
TRIES = 200  # draws for each item wanted, before a split is called too small


@dataclass(frozen=True, slots=True)
class Problem:
    """A question, its worked solution, and its easier parts in order, each with its answer.

    `short` is the question in the few characters that small models read.
    """

    question: str
    trace: Trace
    parts: tuple[tuple[str, str], ...] = ()
    short: str = ""


@dataclass(frozen=True, slots=True)
class Worked:
    """An example (see `core.task.Example`) with its worked solution."""

    id: str
    prompt: str
    truth: str
    split: Split
    trace: Trace
    parts: tuple[tuple[str, str], ...] = ()
    short: str = ""
    familiar: str | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True)
class Sized:
    """A task whose difficulty is a number: words, digits, numbers, calculations.

    `make(size, rng)` makes a problem; sizes in `train` can be drawn as "train" and are the reference splits, those in
    `beyond` are the shifted ones.
    """

    name: str
    axis: str
    unit: str  # the coordinate: "words"
    train: tuple[int, ...]
    beyond: tuple[int, ...]
    make: Callable[[int, np.random.Generator], Problem]
    skills: tuple[Skill, ...]
    same: Callable[[str, str], bool] = same_letters  # whether a text (the first) gives the true answer

    @property
    def splits(self) -> tuple[Split, ...]:
        """One split for each size."""
        sizes = [(n, False) for n in self.train] + [(n, True) for n in self.beyond]
        return tuple(Split(f"{n} {self.unit}", self.axis, {self.unit: n}, shifted) for n, shifted in sizes)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Worked]:
        """n different problems of a split; those of "train" are never drawn for another split."""
        return self.drawn(split, n, rng)

    def drawn(self, split: str, n: int, rng: np.random.Generator, *, repeats: bool = False) -> list[Worked]:
        """n problems of a split, different unless they may repeat. Raises Invalid where it has not so many."""
        at = split_named(self, split)

        def make(rng: np.random.Generator) -> Problem:
            size = int(rng.choice(self.train)) if at.name == "train" else int(str(at.at[self.unit]))
            return self.make(size, rng)

        return [worked(self.name, at, p) for p in distinct(self.name, at, make, n, rng, repeats=repeats)]

    def shown(self, n: int, rng: np.random.Generator) -> list[Worked]:
        """n problems of "train" for a prompt, their sizes in turn."""
        at, sizes = Split("train"), self.train[: max(n, 1)]
        each = -(-n // len(sizes))
        made = [distinct(self.name, at, lambda r, k=size: self.make(k, r), each, rng) for size in sizes]
        return [worked(self.name, at, made[i % len(sizes)][i // len(sizes)]) for i in range(n)]

    def score(self, example: Worked, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the final answer is right, else 0."""
        return score(self.same, example, answer)


@dataclass(frozen=True)
class Stored:
    """A task whose problems are a given set, such as a released file: `load(split)` has all of a split, in a fixed order.

    Nothing is read before the first draw, so that a plan can be made where the file is not there.
    """

    name: str
    splits: tuple[Split, ...]
    load: Callable[[str], Sequence[Worked]]
    skills: tuple[Skill, ...]
    same: Callable[[str, str], bool]

    def every(self, split: str) -> Sequence[Worked]:
        """All problems of a split, in a fixed order."""
        return self.load(split_named(self, split).name)

    def shown(self, n: int, rng: np.random.Generator) -> Sequence[Worked]:
        """n problems of "train" for a prompt."""
        return self.draw("train", n, rng)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Worked]:
        """n different problems of a split. Raises Invalid where it has fewer."""
        pool = self.every(split)
        if len(pool) < n:
            raise Invalid(f"{self.name} has {len(pool)} problems on {split!r}, not {n}; ask for fewer.")
        return [pool[i] for i in rng.permutation(len(pool))[:n]]

    def score(self, example: Worked, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the final answer is right, else 0."""
        return score(self.same, example, answer)


def distinct(
    name: str,
    at: Split,
    make: Callable[[np.random.Generator], Problem],
    n: int,
    rng: np.random.Generator,
    *,
    repeats: bool = False,
) -> list[Problem]:
    """n different problems for a split: held back ones for a reference split, others for "train".

    The first k of n are those drawn for k. Raises Invalid where there are not so many within reach.
    """
    kept: list[Problem] = []
    seen: set[str] = set()
    for _ in range(n * TRIES):
        if len(kept) == n:
            return kept
        problem = make(rng)
        wrong_side = not at.shifted and held_back(problem.question) == (at.name == "train")
        if wrong_side or (problem.question in seen and not repeats):
            continue
        seen.add(problem.question)
        kept.append(problem)
    if len(kept) < n:
        raise Invalid(
            f"{name} has only {len(kept)} different problems on {at.name!r} within reach, not {n}; ask for fewer."
        )
    return kept


def score(same: Callable[[str, str], bool], example: Worked, answer: str) -> Mapping[str, float]:
    """`exact`: 1 if the final answer of a text is right, else 0."""
    return {"exact": float(same(answer, example.truth))}


def worked(task: str, split: Split, problem: Problem) -> Worked:
    """The example of a problem on a split."""
    name = example_id(task, split.name, problem.question)
    return Worked(name, problem.question, problem.trace.answer, split, problem.trace, problem.parts, problem.short)


def held_back(question: str) -> bool:
    """Whether a problem is kept for testing."""
    return zlib.crc32(question.encode()) % HELD == 0
