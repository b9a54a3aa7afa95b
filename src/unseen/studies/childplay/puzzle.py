"""What is a puzzle? One question with a system turn and a user turn, drawn on the splits of an axis, and its scores.

Puzzle(prompt="You are playing the Shapes game. …\\n\\nHere is the current game state:\\n000…", truth="2", system="You are …", …)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unseen.core.record import Split, Value
from unseen.core.task import Example, example_id
from unseen.tasks.drawn import split_named

from .harness import Turns

TRIES = 40  # draws for each distinct puzzle that is wanted


@dataclass(frozen=True, slots=True)
class Puzzle(Example):
    """An example whose prompt is a system turn (perhaps none), a blank line, and a user turn."""

    system: str = ""

    @property
    def turns(self) -> Turns:
        """The prompt as turns of a chat."""
        return turns_of(self)


@dataclass(frozen=True, slots=True)
class Asked:
    """A puzzle before it has a name: its two turns, its right answer, and its factors."""

    system: str
    user: str
    truth: str
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


def turns_of(example: Example) -> Turns:
    """An example's prompt as turns of a chat."""
    system = example.system if isinstance(example, Puzzle) else ""
    if not system:
        return [{"role": "user", "content": example.prompt}]
    user = example.prompt[len(system) + 2 :]
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


@dataclass(frozen=True)
class Puzzles:
    """A task of puzzles: `make(split, i, rng)` draws the i-th one of a split, `grade(puzzle, answer)` scores an answer."""

    name: str
    splits: tuple[Split, ...]
    make: Callable[[Split, int, np.random.Generator], Asked]
    grade: Callable[[Example, str], Mapping[str, float]]

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Puzzle]:
        """n puzzles with distinct prompts; fewer where the split holds fewer."""
        # nothing is trained on these words: "train" is the reference, named so
        where = split_named(self, split, Split("train", self.splits[0].axis, self.splits[0].at))
        found: dict[str, Puzzle] = {}
        for _ in range(TRIES * n):
            if len(found) == n:
                break
            one = self.make(where, len(found), rng)
            prompt = f"{one.system}\n\n{one.user}" if one.system else one.user
            name = example_id(self.name, where.name, prompt)
            found.setdefault(prompt, Puzzle(name, prompt, one.truth, where, None, one.at, one.system))
        return list(found.values())

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: whether the answer is right; `legal`: whether it is one of those asked for; and what else there is."""
        return self.grade(example, answer)
