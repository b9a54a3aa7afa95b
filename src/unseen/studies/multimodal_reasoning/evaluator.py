"""What is the answer, worked out forward? Questions and scenes as plain objects, evaluated by the rules as they are told.

answer(If(Leaf("exist", (Object("a", "red"),)), Leaf("go", …), Leaf("getcolor", …)), [Thing("a", "red", x=3, y=2), …])

Nothing here knows how scenes are drawn: it is the second opinion on every item, and the oracle among the models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unseen.core.errors import Invalid

from .scenes import Items
from .trees import first, levels
from .world import COLOURS, LETTERS, OPERATORS


@dataclass(frozen=True, slots=True)
class Thing:
    """A coloured letter in column x of row y, both counted from 0."""

    letter: str
    colour: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Object:
    """What a question says of an object; None where it does not."""

    letter: str | None
    colour: str | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One operator with the objects it speaks of."""

    operator: str
    objects: tuple[Object, ...]


@dataclass(frozen=True, slots=True)
class If:
    """If a condition holds, one question; else another."""

    condition: Leaf
    then: Leaf | If
    other: Leaf | If


Question = Leaf | If


def answer(question: Question, scene: Sequence[Thing]) -> str:
    """The answer's words: `true`, `false`, `(x, y)`, a letter or a colour.

    Raises Invalid where the scene does not decide it: an object that is not there, or more than one.
    """
    if isinstance(question, If):
        holds = answer(question.condition, scene) == "true"
        return answer(question.then if holds else question.other, scene)
    if question.operator == "exist":
        return _truth(bool(_matching(question.objects[0], scene)))
    found = [_only(o, scene) for o in question.objects]
    if question.operator == "go":
        return f"({found[0].x}, {found[0].y})"
    if question.operator == "getcolor":
        return found[0].colour
    if question.operator == "getshape":
        return found[0].letter
    places = [v for thing in found for v in (thing.x, thing.y)]
    value = sum(places) if question.operator.startswith("sum") else math.prod(places)
    return _truth(value % 2 == (1 if question.operator.endswith("odd") else 0))


def complete(question: Question, scene: Sequence[Thing]) -> bool:
    """Whether every part of a question has an answer in the scene, those that do not count included."""
    if isinstance(question, If):
        return all(complete(q, scene) for q in (question.condition, question.then, question.other))
    return question.operator == "exist" or all(len(_matching(o, scene)) == 1 for o in question.objects)


def question_of(items: Items, i: int) -> Question:
    """The i-th question as objects."""
    trees = items.trees

    def leaf(place: int) -> Leaf:
        told = zip(trees.said_shape[i, place], trees.said_colour[i, place], trees.used[i, place], strict=True)
        named = tuple(Object(_name(LETTERS, s), _name(COLOURS, c)) for s, c, used in told if used)
        return Leaf(OPERATORS[trees.op[i, place]], named)

    def node(level: int, branch: int) -> Question:
        place = first(level) + branch
        if level == levels(trees.depth):
            return leaf(place)
        return If(leaf(place), node(level + 1, 2 * branch), node(level + 1, 2 * branch + 1))

    return node(0, 0)


def scene_of(items: Items, i: int) -> list[Thing]:
    """The i-th scene as objects, row by row."""
    side = items.world.side
    return [
        Thing(LETTERS[s], COLOURS[c], cell % side, cell // side)
        for cell, (s, c) in enumerate(zip(items.shape[i].tolist(), items.colour[i].tolist(), strict=True))
        if s >= 0
    ]


def _name(among: Sequence[str], code: int) -> str | None:
    return among[code] if code >= 0 else None


def _matching(what: Object, scene: Sequence[Thing]) -> list[Thing]:
    return [t for t in scene if what.letter in (None, t.letter) and what.colour in (None, t.colour)]


def _only(what: Object, scene: Sequence[Thing]) -> Thing:
    found = _matching(what, scene)
    if len(found) != 1:
        raise Invalid(f"{len(found)} things of the scene are {what}, so the question has no one answer.")
    return found[0]


def _truth(holds: bool) -> str:
    return "true" if holds else "false"
