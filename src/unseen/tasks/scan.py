"""What does `jump` mean in `jump around left twice`, if it was only ever met alone? The commands of SCAN and its splits.

    command  'run opposite left and walk twice'
    actions  'I_TURN_LEFT I_TURN_LEFT I_RUN I_WALK I_WALK'

SCAN (Lake and Baroni 2018) is a grammar: C = S | S and S | S after S; S = V | V twice | V thrice; V = u | D |
u opposite d | turn opposite d | u around d | turn around d; D = u d | turn d; u is a primitive, d left or right. Its
20,910 commands and its splits are made here; the splits that were drawn at random have the published sizes, not rows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from unseen.core.errors import Invalid, Unknown, nearest

Pair = tuple[str, str]  # a command and its actions, words between spaces
Pairs = list[Pair]

PRIMITIVES = ("walk", "look", "run", "jump")
TURNS: Mapping[str, str] = {"left": "I_TURN_LEFT", "right": "I_TURN_RIGHT"}
TIMES: Mapping[str, int] = {"": 1, "twice": 2, "thrice": 3}
LONGEST_TRAINED = 22  # actions, of the split by length
# lines of a lone command in the published training files
ALONE: Mapping[str, int] = {"jump": 1_467, "turn left": 2_189}
SIMPLE_TEST = 4_182  # commands of the random split's test set


def action(primitive: str) -> str:
    """The action of a primitive or of one of its copies: `walk` gives I_WALK, `walk7` I_WALK7. Raises Invalid."""
    found = re.fullmatch(r"([a-z]+)(\d*)", primitive)
    if found is None or found[1] not in PRIMITIVES:
        raise Invalid(f"{primitive!r} is no primitive; there are {', '.join(PRIMITIVES)}, and copies such as walk1.")
    return f"I_{primitive.upper()}"


def interpret(command: str, *, clauses: int = 2) -> str:
    """The actions of a command, separated by spaces.

    Commands of more than SCAN's two clauses are read from the right: `A after B and C` is `A after (B and C)`. Raises
    Invalid for what the grammar does not make, and for more than so many clauses.
    """
    words = command.split()
    at = [i for i, word in enumerate(words) if word in ("and", "after")]
    if len(at) >= clauses:
        raise Invalid(f"{command!r} has {len(at) + 1} clauses; at most {clauses} are read.")
    edges = [-1, *at, len(words)]
    parts = [_clause(words[a + 1 : b], command) for a, b in itertools.pairwise(edges)]
    said = parts.pop()
    for i, part in zip(reversed(at), reversed(parts), strict=True):
        said = [*part, *said] if words[i] == "and" else [*said, *part]
    return " ".join(said)


def pairs(primitives: Sequence[str] = PRIMITIVES) -> Iterator[Pair]:
    """All commands with their actions, clauses first: 20,910 for SCAN's primitives, S + 2·S² with S = 21·P + 18 for P."""
    made = clauses(primitives)
    yield from made
    for first, one in made:
        for second, other in made:
            yield f"{first} and {second}", f"{one} {other}"
            yield f"{first} after {second}", f"{other} {one}"


def clauses(primitives: Sequence[str] = PRIMITIVES) -> Pairs:
    """The commands of one clause: 21·P + 18 for P primitives."""
    return [
        (f"{form} {often}".strip(), " ".join([said] * n))
        for form, said in forms(primitives)
        for often, n in TIMES.items()
    ]


def forms(primitives: Sequence[str] = PRIMITIVES) -> Pairs:
    """The commands of one clause without `twice` and `thrice`: 7·P + 6 for P primitives."""
    found: Pairs = []
    for word in (*primitives, "turn"):
        said = [] if word == "turn" else [action(word)]
        found += [(word, said[0])] if said else []
        for way, turn in TURNS.items():
            found += [
                (f"{word} {way}", " ".join([turn, *said])),
                (f"{word} opposite {way}", " ".join([turn, turn, *said])),
                (f"{word} around {way}", " ".join([turn, *said] * 4)),
            ]
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """A split by form: commands with one of `tested` are the test set, those with one of `left_out` stand nowhere.

    Commands with one of `untrained` stand in the test set only beside a tested form. A command in `again` is trained on
    so many times, although it is a form that is tested.
    """

    tested: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    untrained: tuple[str, ...] = ()
    again: Mapping[str, int] | None = None


def _template(way: str, trained: tuple[str, ...] = (), tested: tuple[str, ...] = PRIMITIVES) -> Held:
    """`u WAY` is tested for the primitives of `tested`, trained on for those of `trained`; `turn WAY` stands nowhere."""
    absent = [u for u in PRIMITIVES if u not in (*trained, *tested)]
    return Held(tuple(f"{u} {way}" for u in tested), (f"turn {way}",), tuple(f"{u} {way}" for u in absent))


# What each published split holds out. Templates leave out `turn` with the held words altogether; the filler splits
# train on no, one, two or three of the primitives `around right` and test `jump around right`.
HELD: Mapping[str, Held] = {
    "addprim_jump": Held(
        tuple(form for form, _ in forms(("jump",)) if form.startswith("jump")), again={"jump": ALONE["jump"]}
    ),
    "addprim_turn_left": Held(("turn left",), again={"turn left": ALONE["turn left"]}),
    "template_around_right": _template("around right"),
    "template_opposite_right": _template("opposite right"),
    "template_right": _template("right"),
    "template_jump_around_right": _template("around right", PRIMITIVES[:3], ("jump",)),
    "filler_num0": _template("around right", (), ("jump",)),
    "filler_num1": _template("around right", ("look",), ("jump",)),
    "filler_num2": _template("around right", ("look", "walk"), ("jump",)),
    "filler_num3": _template("around right", PRIMITIVES[:3], ("jump",)),
}
SPLITS = ("simple", "length", *HELD)


def split(name: str) -> tuple[Pairs, Pairs]:
    """The training and the test pairs of a published split, in the grammar's order. Raises Unknown.

    A lone `jump` (`turn left`) is repeated as often as in the published file, a tenth of it. `simple` is drawn at
    random with a fixed seed: it has the published file's size, not its rows.
    """
    if name not in SPLITS:
        raise Unknown(f"SCAN has no split {name!r}{nearest(name, SPLITS)}. Its splits: {', '.join(SPLITS)}.")
    every = list(_every())
    if name == "simple":
        order = np.random.default_rng(0).permutation(len(every))
        test = set(order[:SIMPLE_TEST].tolist())
        return _parted(every, lambda i: i in test)
    if name == "length":
        return _parted(every, lambda i: actions(every[i]) > LONGEST_TRAINED)
    train, test = parted(every, name)
    for command, n in (HELD[name].again or {}).items():
        train += [(command, interpret(command))] * (n - 1)
    return train, test


def parted(made: Sequence[Pair], name: str) -> tuple[Pairs, Pairs]:
    """Any pairs by the rule of a published split that holds out forms; no pair is repeated. Raises Unknown."""
    if name not in HELD:
        raise Unknown(f"no split called {name!r} holds out forms{nearest(name, HELD)}. There are {', '.join(HELD)}.")
    rule = HELD[name]
    tested, untrained, left_out = set(rule.tested), set(rule.untrained), set(rule.left_out)
    parts: tuple[Pairs, Pairs] = ([], [])
    for pair in made:
        found = forms_of(pair[0])
        if not left_out.isdisjoint(found):
            continue
        held = pair[0] not in (rule.again or ()) and not tested.isdisjoint(found)
        if held or untrained.isdisjoint(found):
            parts[held].append(pair)
    return parts


def actions(pair: Pair) -> int:
    """How many actions a pair has: its difficulty by length."""
    return pair[1].count(" ") + 1


def primitives_of(command: str) -> list[str]:
    """The different primitives of a command, in order: its difficulty by their number."""
    return list(dict.fromkeys(w for w in command.split() if re.sub(r"\d+$", "", w) in PRIMITIVES))


def within(made: Sequence[Pair], *, most_actions: int | None = None, most_primitives: int | None = None) -> Pairs:
    """The pairs of at most so many actions and different primitives. Raises Invalid where none is left."""
    found = [
        p
        for p in made
        if (most_actions is None or actions(p) <= most_actions)
        and (most_primitives is None or len(primitives_of(p[0])) <= most_primitives)
    ]
    if not found:
        raise Invalid(f"most_actions={most_actions}, most_primitives={most_primitives}: no command is so easy.")
    return found


def forms_of(command: str) -> list[str]:
    """The forms of a command's clauses, without `twice` and `thrice`."""
    return [re.sub(r" (twice|thrice)$", "", part) for part in re.split(r" and | after ", command)]


@lru_cache(maxsize=1)
def _every() -> tuple[Pair, ...]:
    return tuple(pairs())


def _parted(every: Sequence[Pair], tested: Callable[[int], bool]) -> tuple[Pairs, Pairs]:
    parts: tuple[Pairs, Pairs] = ([], [])
    for i, pair in enumerate(every):
        parts[tested(i)].append(pair)
    return parts


def _clause(words: Sequence[str], command: str) -> list[str]:
    """The actions of one clause."""
    left = list(words)
    often = TIMES[left.pop()] if left and left[-1] in ("twice", "thrice") else 1
    turn = [TURNS[left.pop()]] if left and left[-1] in TURNS else []
    way = left.pop() if turn and left and left[-1] in ("opposite", "around") else ""
    if len(left) != 1 or (left[0] == "turn" and not turn):
        raise Invalid(f"{' '.join(words)!r} in {command!r} is no clause of SCAN, such as `walk around left twice`.")
    said = [] if left[0] == "turn" else [action(left[0])]
    return {"": [*turn, *said], "opposite": [*turn * 2, *said], "around": [*turn, *said] * 4}[way] * often
