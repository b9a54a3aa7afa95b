"""Problems with their worked solutions, on splits by difficulty: what prompts, training traces and graders are made of.

    Worked(id="6f1c…", prompt="What is 345 + 678?", truth="1023", trace=Trace(…), short="345+678>", …)

A problem that could be trained on is never tested on: one in eight of every size is held back, by a digest of its text.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseen.core.errors import Invalid, Unknown, nearest
from unseen.core.record import Split, Value
from unseen.core.task import example_id

from .traces import Skill, Trace, answer_in

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
    same: Callable[[str, str], bool] = lambda said, truth: said == truth

    @property
    def splits(self) -> tuple[Split, ...]:
        """One split for each size."""
        sizes = [(n, False) for n in self.train] + [(n, True) for n in self.beyond]
        return tuple(Split(f"{n} {self.unit}", self.axis, {self.unit: n}, shifted) for n, shifted in sizes)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Worked]:
        """n different problems of a split; those of "train" are never drawn for another split."""
        return self.drawn(split, n, rng)

    def drawn(self, split: str, n: int, rng: np.random.Generator, *, distinct: bool = True) -> list[Worked]:
        """n problems of a split. Raises Invalid where it has not so many different ones."""
        at = split_of(self, split)
        kept: list[Worked] = []
        seen: set[str] = set()
        for _ in range(n * TRIES):
            if len(kept) == n:
                break
            size = int(rng.choice(self.train)) if at.name == "train" else int(str(at.at[self.unit]))
            problem = self.make(size, rng)
            if held_back(problem.question) == (at.name == "train") and not at.shifted:
                continue
            if distinct and problem.question in seen:
                continue
            seen.add(problem.question)
            kept.append(worked(self.name, at, problem))
        if len(kept) < n:
            raise Invalid(
                f"{self.name} has only {len(kept)} different problems on {split!r} within reach, not {n}; ask for fewer."
            )
        return kept

    def score(self, example: Worked, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the final answer is right, else 0."""
        return {"exact": float(self.same(final_answer(answer), example.truth))}


def worked(task: str, split: Split, problem: Problem) -> Worked:
    """The example of a problem on a split."""
    name = example_id(task, split.name, problem.question)
    return Worked(name, problem.question, problem.trace.answer, split, problem.trace, problem.parts, problem.short)


def split_of(task: Sized, name: str) -> Split:
    """The split of that name, "train" among them. Raises Unknown."""
    known = {s.name: s for s in (*task.splits, Split("train"))}
    if name not in known:
        raise Unknown(f"{task.name} has no split {name!r}{nearest(name, known)}. Its splits: {', '.join(known)}.")
    return known[name]


def held_back(question: str) -> bool:
    """Whether a problem is kept for testing."""
    return zlib.crc32(question.encode()) % HELD == 0


def final_answer(text: str) -> str:
    """The answer that a text gives: after the first `answer is`, else the whole text, stripped."""
    given = [found for line in text.splitlines() if (found := answer_in(line)) is not None]
    return given[0] if given else text.strip().rstrip(".").strip("\"'“” ")
