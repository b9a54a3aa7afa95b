"""How is an item said in words? A question in English and its scene as a grid of words; and the way back.

Grid of 4 columns and 4 rows:
row 0: . . red-a .
…
Question: if there is a red a, then what is the colour of the b? else where is the blue c?
Answer:
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from unseen.core.errors import Invalid

from .evaluator import If, Leaf, Object, Question, Thing, question_of, scene_of
from .scenes import Items
from .trees import Trees, first, levels, nodes
from .world import COLOURS, LETTERS, OPERATORS, SWITCH, World

RULES = (
    "Every cell of a grid is empty (.) or holds one coloured letter. Columns are counted from left to right and rows from "
    "top to bottom, both from 0; a place is (column, row). Answer with true or false, a place such as (2, 0), a letter, or a "
    "colour, and nothing else."
)
PARITY = re.compile(r"the (sum|product) of the coordinates of (.+) is (even|odd)")
THING = re.compile(r"the (\w+) ([a-z])")


def text(items: Items, i: int) -> str:
    """The i-th scene and question, without the rules."""
    return f"{grid(items.world.side, scene_of(items, i))}\nQuestion: {asked(question_of(items, i))}\nAnswer:"


def prompt(items: Items, i: int) -> str:
    """The same after the rules: all that is needed to answer."""
    return f"{RULES}\n\n{text(items, i)}"


def grid(side: int, scene: Sequence[Thing]) -> str:
    """A scene, a line a row."""
    cells = [["."] * side for _ in range(side)]
    for thing in scene:
        cells[thing.y][thing.x] = f"{thing.colour}-{thing.letter}"
    lines = (f"row {y}: {' '.join(row)}" for y, row in enumerate(cells))
    return f"Grid of {side} columns and {side} rows:\n" + "\n".join(lines)


def asked(question: Question) -> str:
    """A question in English; parts that are themselves conditional stand in brackets."""
    if isinstance(question, If):
        return f"if {held(question.condition)}, then {_inner(question.then)} else {_inner(question.other)}"
    if question.operator == "go":
        return f"where is {_the(question.objects[0])}?"
    if question.operator == "getcolor":
        return f"what is the colour of the {question.objects[0].letter}?"
    if question.operator == "getshape":
        return f"which letter is {question.objects[0].colour}?"
    return f"is it true that {held(question)}?"


def held(condition: Leaf) -> str:
    """A condition as a clause, such as `there is a red a`."""
    if condition.operator == "exist":
        return f"there is a {condition.objects[0].colour} {condition.objects[0].letter}"
    kind, way = re.fullmatch(r"(sum|product)(even|odd)", condition.operator).groups()  # type: ignore[union-attr]
    return f"the {kind} of the coordinates of {' and '.join(map(_the, condition.objects))} is {way}"


def read(prompt: str) -> tuple[int, Question, list[Thing]]:
    """The side, question and scene of a prompt's last item. Raises Invalid where it holds none."""
    body = prompt.rpartition("Grid of ")[2]
    found = re.match(r"(\d+) columns and \d+ rows:\n((?:row \d+: .*\n)+)Question: (.*)\nAnswer:", body)
    if found is None:
        raise Invalid(f"{prompt[-80:]!r} holds no grid with a question; it is to be as `unseen data` wrote it.")
    scene: list[Thing] = []
    for y, line in enumerate(found[2].splitlines()):
        for x, cell in enumerate(line.partition(": ")[2].split()):
            if cell != ".":
                colour, _, letter = cell.partition("-")
                scene.append(Thing(letter, colour, x, y))
    return int(found[1]), parsed(found[3]), scene


def parsed(text: str) -> Question:
    """The question that `asked` said so. Raises Invalid for other words."""
    if text.startswith("if "):
        condition, _, rest = text.removeprefix("if ").partition(", then ")
        then, other = _halves(rest)
        return If(_condition(condition), parsed(then), parsed(other))
    if found := re.fullmatch(r"where is the (\w+) ([a-z])\?", text):
        return Leaf("go", (Object(found[2], found[1]),))
    if found := re.fullmatch(r"what is the colour of the ([a-z])\?", text):
        return Leaf("getcolor", (Object(found[1], None),))
    if found := re.fullmatch(r"which letter is (\w+)\?", text):
        return Leaf("getshape", (Object(None, found[1]),))
    if found := re.fullmatch(r"is it true that (.+)\?", text):
        return _condition(found[1])
    raise Invalid(f"{text!r} is no question of this kind.")


def items_of(prompts: Sequence[str], world: World) -> list[Items]:
    """Items that were said so, as arrays, one after the other. Raises Invalid for a grid of another size."""
    return [_item(*read(p), world) for p in prompts]


def _item(side: int, question: Question, scene: Sequence[Thing], world: World) -> Items:
    """One item as arrays; what is only known to who drew it (which objects are distractors) is left open."""
    from .evaluator import answer

    if side != world.side:
        raise Invalid(f"a grid of {side} columns; the world has {world.side}.")
    trees = _flat(question, scene)
    shape, colour = (np.full((1, world.cells), -1, np.int8) for _ in range(2))
    for thing in scene:
        cell = thing.y * side + thing.x
        shape[0, cell], colour[0, cell] = LETTERS.index(thing.letter), COLOURS.index(thing.colour)
    cell = np.full(trees.shape.shape, -1, np.int16)
    for place, slot in np.argwhere(trees.used[0]):
        code = trees.shape[0, place, slot], trees.colour[0, place, slot]
        if len(at := np.flatnonzero((shape[0] == code[0]) & (colour[0] == code[1]))):
            cell[0, place, slot] = at[0]
    told = np.array([world.number(answer(question, scene))], np.int16)
    rest = np.array([int((shape >= 0).sum() - (cell >= 0).sum())])
    return Items(world, trees, shape, colour, told, np.array([_leaf(question, scene, trees.depth)]), cell, rest)


def _flat(question: Question, scene: Sequence[Thing]) -> Trees:
    depth, inner = 1, question
    while isinstance(inner, If):
        depth, inner = depth + 2, inner.then
    op = np.full((1, nodes(depth)), SWITCH, np.int8)
    shape, colour = (np.full((1, nodes(depth), 2), -1, np.int8) for _ in range(2))

    def lay(part: Question, level: int, branch: int) -> None:
        place, leaf = first(level) + branch, part.condition if isinstance(part, If) else part
        op[0, place] = OPERATORS.index(leaf.operator)
        for slot, what in enumerate(leaf.objects):
            whole = what
            if what.letter is None or what.colour is None:
                whole = next(t for t in scene if what.letter in (None, t.letter) and what.colour in (None, t.colour))
            shape[0, place, slot] = LETTERS.index(str(whole.letter))
            colour[0, place, slot] = COLOURS.index(str(whole.colour))
        if isinstance(part, If):
            lay(part.then, level + 1, 2 * branch)
            lay(part.other, level + 1, 2 * branch + 1)

    lay(question, 0, 0)
    return Trees(depth, op, shape, colour)


def _leaf(question: Question, scene: Sequence[Thing], depth: int) -> int:
    from .evaluator import answer

    branch, part = 0, question
    while isinstance(part, If):
        holds = answer(part.condition, scene) == "true"
        branch, part = 2 * branch + (not holds), part.then if holds else part.other
    return first(levels(depth)) + branch


def _the(what: Object) -> str:
    return f"the {what.colour} {what.letter}"


def _inner(question: Question) -> str:
    return f"[{asked(question)}]" if isinstance(question, If) else asked(question)


def _condition(text: str) -> Leaf:
    if found := re.fullmatch(r"there is a (\w+) ([a-z])", text):
        return Leaf("exist", (Object(found[2], found[1]),))
    if found := PARITY.fullmatch(text):
        objects = [THING.fullmatch(part) for part in found[2].split(" and ")]
        if all(objects):
            return Leaf(found[1] + found[3], tuple(Object(o[2], o[1]) for o in objects if o))
    raise Invalid(f"{text!r} is no condition of this kind.")


def _halves(text: str) -> tuple[str, str]:
    """Both branches of `… else …`, brackets taken off."""
    if not text.startswith("["):
        then, _, other = text.partition(" else ")
        return then, other.removeprefix("[").removesuffix("]") if other.startswith("[") else other
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if not depth:
            return text[1:i], text[i + len("] else [") : -1]
    raise Invalid(f"{text!r} has a bracket that is not closed.")
