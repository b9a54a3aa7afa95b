"""What would a program answer that reads the facts told in training, and one that guesses by the last relation alone?

Row("walked", 1.0, Split("composed apart", …)) ; Row("guessed", 0.08, Split("composed apart", …))
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.tasks.kg import Facts, Knowledge, batch_of
from unseen.tasks.layout import item_ids

Reader = Callable[[list[int]], int]  # the tokens asked -> the token answered, 0 for none


def rows(known: Sequence[Knowledge], split: Split, n: int, lab: Lab) -> Iterator[Row]:
    """`walked` and `guessed` (fraction 0..1) on the items that decoders are tested on."""
    for task, seed in zip(known, lab.seeds, strict=True):
        facts = task.facts(split.name, n, lab.rng("test", split.name, seed=seed))
        ids = item_ids(batch_of(facts))
        for measure, reader in (("walked", walker(task)), ("guessed", guesser(task))):
            yield from Row.each(measure, Scored([seed], [ids], right(reader, facts)[None]), split)


def right(reader: Reader, facts: Facts) -> np.ndarray:
    """Whether a program answers each fact right [fact] (0 or 1)."""
    asked = (row[:n].tolist() for row, n in zip(facts.tokens, facts.asked, strict=True))
    return np.array([float(reader(one) == truth) for one, truth in zip(asked, facts.truth.tolist(), strict=True)])


def walker(task: Knowledge) -> Reader:
    """A program that knows the atoms told in training and nothing else: it walks two steps, or compares two values."""
    train = task.tables["train"]
    atoms = {tuple(row[:2].tolist()): int(row[2]) for row in train.tokens[~train.composed]}
    if task.name == "composition":
        return lambda asked: _walk(atoms, asked)
    world = task.world

    def compare(asked: list[int]) -> int:
        if len(asked) == 2:
            return atoms.get((asked[0], asked[1]), 0)
        a, one, other = asked[0], atoms.get((asked[2], asked[0])), atoms.get((asked[4], asked[0]))
        if one is None or other is None:
            return 0
        return int(world.label(a - world.attribute(0), 1 + (one > other) - (one < other)))

    return compare


def _walk(atoms: dict[tuple[int, ...], int], asked: list[int]) -> int:
    at = asked[0]
    for relation in asked[1:]:
        at = atoms.get((at, relation), 0)
    return at


def guesser(task: Knowledge) -> Reader:
    """A program that answers with what training most often answered to prompts ending in the same relation, or, of
    comparisons, beginning with the same attribute."""
    place = -1 if task.name == "composition" else 0
    told: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
    train = task.tables["train"]
    for row, n, truth in zip(train.tokens, train.asked, train.truth.tolist(), strict=True):
        asked = row[:n]
        told[int(asked[place]), int(n)][truth] += 1
    best = {key: counts.most_common(1)[0][0] for key, counts in told.items()}
    return lambda asked: best.get((asked[place], len(asked)), 0)
