"""Which items are asked? Scenes with questions in words, of every family of splits, drawn with numpy alone.

Scenes(family).draw("10 distractors", 1, rng)[0].prompt  ->  "Every cell of a grid … Grid of 6 columns and 6 rows: …"
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Example, Task, example_id

from . import said
from .arms import Asked, Audited, Control, Designed, Drawn, Learned
from .families import ALL, Family
from .scenes import Items
from .world import COLOURS, LETTERS, OPERATORS, World

TRIES = 100
TRUTHS = {"true": "true", "yes": "true", "false": "false", "no": "false"}
PLACE = re.compile(r"\(?\s*(\d+)\s*,\s*(\d+)\s*\)?")
WORDS = re.compile(rf"\b({'|'.join((*TRUTHS, *COLOURS))})\b(?!-[a-z]\b)")  # red-a names a thing, not its colour
LETTER = re.compile(r"(?:\b(?:letter|is|answer)\s*:?\s*|[\"'`*(]\s*)([a-z])\b(?!\s+[a-z])")


@dataclass(frozen=True)
class Scenes:
    """Items of a family as text: the rules, a scene as a grid, a question."""

    family: Family

    @property
    def name(self) -> str:
        """The family's name, and whether its splits are the released ones."""
        return self.family.part + ("_as_released" if self.family.fidelity == "as_released" else "")

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits tested on."""
        return self.family.splits

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n items, no two alike. Raises Invalid where a small world has not so many."""
        known = {s.name: s for s in self.splits}
        where = known.get(split, Split("train"))
        found: dict[str, Example] = {}
        for _ in range(TRIES):
            for items in self.family.draw(split, n - len(found), rng):
                for i in range(len(items)):
                    example = self._example(items, i, where)
                    found.setdefault(example.id, example)
            if len(found) == n:
                return list(found.values())
        raise Invalid(
            f"{n} different items of {self.name}, {split}, were not found: its world is too small for so many."
        )

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: the answer is right (0 or 1)."""
        return {"exact": float(heard(answer) == example.truth)}

    def _example(self, items: Items, i: int, split: Split) -> Example:
        prompt = said.prompt(items, i)
        operator = OPERATORS[items.operator[i]]
        truth = items.world.answer(int(items.answer[i]))
        return Example(example_id(self.name, split.name, prompt), prompt, truth, split, at={"operator": operator})


def heard(answer: str) -> str | None:
    """What an answer comes to: `true`, `false`, `(column, row)`, a letter or a colour; None where it says none of them,
    or several.

    The last line that begins with `answer` counts, else the first line that is not empty.
    """
    lines = [line.strip() for line in answer.lower().splitlines() if line.strip()]
    marked = [m[1] for line in lines if (m := re.match(r"\W*(?:the )?(?:final )?answer\W*(?:is\b)?\s*:?(.+)", line))]
    text = (marked[-1] if marked else lines[0] if lines else "").strip()
    bare = text.strip(" .,;:!?\"'`*[]")
    if bare in TRUTHS or bare in COLOURS or bare in LETTERS:
        return TRUTHS.get(bare, bare)
    places = {f"({int(x)}, {int(y)})" for x, y in PLACE.findall(text)}
    if places:
        return places.pop() if len(places) == 1 else None
    if found := re.fullmatch(r"column (\d+)\W+(?:and )?row (\d+)", bare):
        return f"({int(found[1])}, {int(found[2])})"
    words = {TRUTHS.get(w, w) for w in WORDS.findall(text)} or set(LETTER.findall(text))
    return words.pop() if len(words) == 1 else None


def world_of(setting: Drawn) -> World:
    """The world of a setting."""
    return World(setting.side, setting.shapes, setting.colours, setting.queried)


def family_of(setting: Drawn) -> Family:
    """The family of splits of a setting."""
    allowed = tuple(OPERATORS.index(name) for name in setting.operators) or ALL
    return Family(setting.part, world_of(setting), setting.fidelity, setting.most, setting.tests, allowed)


def tasks(setting: Learned | Designed | Audited | Asked | Control) -> Sequence[Task]:
    """The items of a setting as text; an audit has none, and an arm with few operators none of its own."""
    return () if isinstance(setting, Audited) or setting.operators else (Scenes(family_of(setting)),)
