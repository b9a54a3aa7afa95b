"""Drawing items: the vectorised generators beside plain Python that makes one item at a time.

The other sides are written here from the papers' words: they are the oracle, and what one would write by hand. What is
required is an amount a second, no ratio.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.tasks import kg, rewriting, rewriting_rules, scan

from .timing import Result, spent, take_turns

ENTITIES, RELATIONS, DEGREE, PHI = 2000, 200, 20, 7.2
ITEMS = 100_000
LETTERS = ("", *rewriting_rules.ALPHABET)


@dataclass(frozen=True)
class Case:
    """What is drawn, both ways of drawing it, how many items that makes, and how many a CPU second ours must make."""

    name: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    differing: Callable[[], float]
    items: int
    least: float


def compare(rounds: int) -> Iterator[Result]:
    """One result for each generator. About a minute."""
    for case in (scan_case(), graph_case(), rewriting_case()):
        turns = take_turns(lambda c=case: spent(c.ours), lambda c=case: spent(c.theirs), rounds)
        other = "plain Python, an item at a time"
        difference = case.differing()
        yield Result(
            "generators", case.name, other, difference, 0.0, turns, 0.0, case.items, "items", {}, {}, least=case.least
        )


def scan_case() -> Case:
    """All of SCAN's commands with their actions."""
    found = list(scan.pairs())
    return Case(
        "SCAN, all pairs",
        lambda: list(scan.pairs()),
        lambda: [plain_actions(command) for command, _ in found],
        lambda: float(sum(plain_actions(command) != said for command, said in found)),
        len(found),
        len(found),  # all within a second
    )


def plain_actions(command: str) -> str:
    """The actions of a command by SCAN's rules, read word by word."""
    for link in (" and ", " after "):
        if link in command:
            first, _, second = command.partition(link)
            parts = (first, second) if link == " and " else (second, first)
            return " ".join(map(plain_actions, parts))
    words = command.split()
    times = {"twice": 2, "thrice": 3}.get(words[-1], 1)
    words = words[: -1 if times > 1 else None]
    action = [] if words[0] == "turn" else [f"I_{words[0].upper()}"]
    turn = [f"I_TURN_{words[-1].upper()}"] if len(words) > 1 else []
    once = {1: action, 2: [*turn, *action], 3: [*turn, *turn, *action]}[len(words)]
    if "around" in words:
        once = [*turn, *action] * 4
    if "opposite" in words:
        once = [*turn, *turn, *action]
    return " ".join(once * times)


def graph_case() -> Case:
    """The two-hop facts of the paper's knowledge graph."""
    rng = np.random.default_rng(0)
    made = kg.composition(ENTITIES, RELATIONS, DEGREE, PHI, rng)
    train = made.tables["train"]

    def ours() -> object:
        return kg.composition(ENTITIES, RELATIONS, DEGREE, PHI, np.random.default_rng(0))

    def differing() -> float:
        known = plain_two_hops(made.world)
        composed = train.tokens[train.composed]
        said = [known[int(h), int(r), int(s)] for h, r, s in named(composed)]
        return float(sum(a != b for a, b in zip(said, (composed[:, 3] - kg.entity(0)).tolist(), strict=True)))

    facts = ENTITIES * DEGREE * (1 + DEGREE)
    name = f"two hops, {ENTITIES} entities"
    return Case(name, ours, lambda: plain_two_hops(made.world), differing, facts, facts / 5)


def named(composed: np.ndarray) -> np.ndarray:
    """Heads and both relations [fact 3] as numbers from 0."""
    first = kg.entity(0)
    return composed[:, :3] - np.array([first, first + ENTITIES, first + ENTITIES])


def plain_two_hops(graph: Any) -> dict[tuple[int, int, int], int]:
    """Every two-hop fact of a graph: (head, relation, relation) -> tail."""
    edges = [
        dict(zip(names, tails, strict=True))
        for names, tails in zip(graph.relations.tolist(), graph.tails.tolist(), strict=True)
    ]
    return {
        (head, one, other): tail
        for head, out in enumerate(edges)
        for one, bridge in out.items()
        for other, tail in edges[bridge].items()
    }


def rewriting_case() -> Case:
    """Strings with the leftmost left side of a rule replaced by its right side, as tokens."""
    world = rewriting_rules.World(alphabet=26, sides=(2, 3), length=(10, 20))
    task = rewriting.rewriting(world, rewriting_rules.Taught(rules=1000, total=ITEMS))
    split = task.splits[0].name
    rules = [written(part) for part in (task.rules.left, task.rules.right)]

    def differing() -> float:
        asked = task.asked(split, ITEMS, np.random.default_rng(0))
        given = zip(*(written(part) for part in (asked.left, asked.right, asked.strings)), strict=True)
        right = [z.replace(x, y, 1) for x, y, z in given]
        return float(sum(a != b for a, b in zip(written(asked.told().out), right, strict=True)))

    return Case(
        "string rewriting",
        lambda: task.batch(split, ITEMS, np.random.default_rng(0)),
        lambda: plain_rewriting(list(zip(*rules, strict=True)), world.length),
        differing,
        ITEMS,
        1e5,
    )


def written(letters: np.ndarray) -> list[str]:
    """Rows of letters counted from 1 [item place], 0 behind them, as texts."""
    return ["".join(map(LETTERS.__getitem__, row)) for row in letters.tolist()]


def plain_rewriting(rules: list[tuple[str, str]], length: tuple[int, int]) -> list[list[int]]:
    """As many items drawn and rewritten one at a time, as lists of tokens."""
    draw, found = random.Random(0), list[list[int]]()
    for _ in range(ITEMS):
        x, y = draw.choice(rules)
        letters = draw.choices(LETTERS[1:], k=draw.randint(*length))
        at = draw.randrange(len(letters) - len(x) + 1)
        letters[at : at + len(x)] = x
        z = "".join(letters)
        found.append([ord(c) for c in f"<{x}-{y}:{z}>{z.replace(x, y, 1)}."])
    return found
