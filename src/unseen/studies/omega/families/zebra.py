"""Which puzzles of houses in a row are asked, and which choice is right?

'There are 3 houses in a row, … 1. The artist lives somewhere to the left of Eric. … Who lives in house 2? A) Eric …'
compact: '3 3:b1<a2 c0@1 a0-c2?a1|a2 a0 a1', kind a thing by letter and number, answer 'B' of the choices in order

Every puzzle has one solution only, which a search proves, and no clue that the others make up for.

DEPARTS: the official family takes published puzzles of ZebraLogic; these are drawn anew with the same kinds of clue.
"""

from __future__ import annotations

import numpy as np

from ..problem import Family, Problem, parameters
from ..solvers.zebra import Clue, shortened, true_clues

DIMENSIONS = {1: 2, 2: 3, 3: 4, 4: 5, 5: 6}
NAMES = ("Arnold", "Eric", "Peter", "Alice", "Bob", "Carol")
# A kind of thing: how it is announced, its things, a person who has the thing, and a question about a house.
KINDS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    ("drinks something different", ("tea", "water", "milk", "coffee", "cocoa", "juice"),
     "the person who drinks {}", "What does the person in house {} drink?"),
    ("keeps a different pet", ("cat", "dog", "fish", "bird", "horse", "hamster"),
     "the person who keeps the {}", "Which pet does the person in house {} keep?"),
    ("has a different job", ("artist", "doctor", "engineer", "teacher", "lawyer", "nurse"),
     "the {}", "What is the job of the person in house {}?"),
    ("loves a different colour", ("red", "green", "blue", "yellow", "white", "purple"),
     "the person who loves {}", "Which colour does the person in house {} love?"),
    ("plays a different sport", ("tennis", "golf", "soccer", "hockey", "chess", "rugby"),
     "the person who plays {}", "What does the person in house {} play?"),
    ("likes a different flower", ("roses", "lilies", "tulips", "orchids", "daisies", "irises"),
     "the person who likes {}", "Which flowers does the person in house {} like?"),
)  # fmt: skip
LIKELY = {"at": 1.0, "not": 1.0, "same": 3.0, "left": 1.0, "next": 3.0, "beside": 3.0, "apart1": 3.0, "apart2": 3.0}
SIGNS = {"at": "@", "not": "!", "same": "=", "left": "<", "next": "-", "beside": "~", "apart1": ":", "apart2": ";"}
BETWEEN = {
    "apart1": "There is one house between {one} and {other}.",
    "apart2": "There are two houses between {one} and {other}.",
}


def zebralogic(level: int, rng: np.random.Generator) -> Problem:
    """Which thing a house has, of the choices A, B, …: a puzzle whose houses or kinds of thing are as many as the level
    allows, and the other of them at least two."""
    size = parameters("zebralogic", level, DIMENSIONS)
    houses, kinds = size, int(rng.integers(2, size + 1))
    if rng.random() < 0.5:
        houses, kinds = kinds, houses
    places = np.concatenate([rng.permutation(houses) for _ in range(kinds)]).tolist()
    pool = true_clues(places, houses)
    weights = np.array([LIKELY[clue.relation] for clue in pool])
    order = np.argsort(rng.exponential(size=len(pool)) / weights)
    clues = shortened([pool[index] for index in order.tolist()], houses, kinds)
    house, kind = int(rng.integers(houses)), int(rng.integers(kinds))
    right = places.index(house, kind * houses)
    choices = [kind * houses + int(index) for index in rng.permutation(houses)]
    answer = "ABCDEF"[choices.index(right)]
    asked = rng.permutation(len(KINDS))[: kinds - 1].tolist()
    question = _question(houses, asked, clues, house, kind, choices)
    compact = f"{houses} {kinds}:{' '.join(_sign(clue, houses) for clue in clues)}?{'abcdef'[kind]}{house + 1}|"
    compact += " ".join(_code(thing, houses) for thing in choices)
    at = {"houses": houses, "kinds": kinds, "clues": len(clues)}
    return Problem(question, compact, answer, "text", at=at)


def _question(houses: int, asked: list[int], clues: list[Clue], house: int, kind: int, choices: list[int]) -> str:
    """The whole puzzle in English, with its choices."""
    said = [f"Each person has a different name: {', '.join(NAMES[:houses])}."]
    for index in asked:
        announced, things, _, _ = KINDS[index]
        said.append(f"Each person {announced}: {', '.join(things[:houses])}.")
    numbered = " ".join(f"{n}. {_told(clue, houses, asked)}" for n, clue in enumerate(clues, 1))
    what = "Who lives in house {}?" if kind == 0 else KINDS[asked[kind - 1]][3]
    listed = " ".join(f"{'ABCDEF'[n]}) {_thing(thing, houses, asked)}" for n, thing in enumerate(choices))
    return (
        f"There are {houses} houses in a row, numbered 1 to {houses} from left to right, with one person in each. "
        f"{' '.join(said)} Clues: {numbered} {what.format(house + 1)} {listed}. Answer with the letter of the right "
        "choice."
    )


def _thing(thing: int, houses: int, asked: list[int]) -> str:
    """The word for a thing: 'Eric', 'tea'."""
    kind, index = divmod(thing, houses)
    return NAMES[index] if kind == 0 else KINDS[asked[kind - 1]][1][index]


def _person(thing: int, houses: int, asked: list[int]) -> str:
    """The person who has a thing: 'Eric', 'the person who drinks tea'."""
    kind = thing // houses
    word = _thing(thing, houses, asked)
    return word if kind == 0 else KINDS[asked[kind - 1]][2].format(word)


def _told(clue: Clue, houses: int, asked: list[int]) -> str:
    """A clue in English."""
    one = _person(clue.one, houses, asked)
    if clue.relation in ("at", "not"):
        said = f"{one} {'lives' if clue.relation == 'at' else 'does not live'} in house {clue.other + 1}."
    else:
        other = _person(clue.other, houses, asked)
        match clue.relation:
            case "same":
                said = f"{one} is {other}."
            case "left":
                said = f"{one} lives somewhere to the left of {other}."
            case "next":
                said = f"{one} lives directly to the left of {other}."
            case "beside":
                said = f"{one} and {other} live next to each other."
            case _:
                return BETWEEN[clue.relation].format(one=one, other=other)
    return said[0].upper() + said[1:]


def _code(thing: int, houses: int) -> str:
    kind, index = divmod(thing, houses)
    return f"{'abcdef'[kind]}{index}"


def _sign(clue: Clue, houses: int) -> str:
    """A clue in symbols: 'a0@1' (house 1), 'a0<b2'."""
    other = str(clue.other + 1) if clue.relation in ("at", "not") else _code(clue.other, houses)
    return f"{_code(clue.one, houses)}{SIGNS[clue.relation]}{other}"


FAMILIES: tuple[Family, ...] = (Family("zebralogic", "logic", tuple(DIMENSIONS), zebralogic),)
