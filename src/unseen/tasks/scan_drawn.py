"""What if SCAN had more primitives, and commands of more clauses? Its grammar with copies, listed or drawn at random.

    primitives(6)                            ('walk', 'look', 'run', 'jump', 'walk1', 'look1')
    Limits(clauses=3, most_actions=12)       'look1 left twice after run and walk opposite right'

Commands of three clauses and more are read from the right, as `scan.interpret` reads them: `A after B and C` is
`A after (B and C)`. Sets of them are too large to list, so they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.core.errors import Invalid

from . import scan
from .scan import Pair, Pairs

COPIED = ("walk", "look", "run")  # `jump` is held out, so it is the one that has no copies
TRIES = 20  # draws of n commands each in which n different ones are looked for


def primitives(n: int) -> tuple[str, ...]:
    """SCAN's four primitives and n − 4 copies of the first three, in turns. Raises Invalid for fewer than four."""
    least = len(scan.PRIMITIVES)
    if n < least:
        raise Invalid(f"primitives={n}: SCAN has {least}; copies can only be added to them.")
    added = range(n - least)
    return (*scan.PRIMITIVES, *(f"{COPIED[i % len(COPIED)]}{i // len(COPIED) + 1}" for i in added))


@dataclass(frozen=True, slots=True)
class Limits:
    """How complex a command may be: its clauses, its actions, its different primitives, and the actions of one clause."""

    clauses: int = 1
    most_actions: int = 24
    most_primitives: int | None = None  # in one command; None: as many as there are clauses
    least_actions: int = 1
    most_in_clause: int = 24


def listed(words: Sequence[str], limits: Limits) -> Pairs:
    """All commands of one clause over these primitives within limits, in the grammar's order. Raises Invalid where none is."""
    most = min(limits.most_actions, limits.most_in_clause)
    return [p for p in scan.within(scan.clauses(words), most_actions=most) if scan.actions(p) >= limits.least_actions]


def drawn(words: Sequence[str], limits: Limits, n: int, rng: np.random.Generator) -> Pairs:
    """n different commands of 1 to `limits.clauses` clauses, or fewer where hardly more are to be found.

    The number of clauses is uniform, connectives too; each clause is uniform among those that leave one action for every
    clause to come. With `most_primitives`, so many are drawn first, and the command keeps to them (and to `turn`).
    """
    parts = _Parts(words, limits)
    found: dict[str, str] = {}
    for _ in range(TRIES * n):
        command, said = parts.drawn(rng)
        if scan.actions((command, said)) >= limits.least_actions:
            found.setdefault(command, said)
        if len(found) == n:
            break
    if not found:
        raise Invalid(f"{limits}: no command was found within these limits; widen them.")
    return list(found.items())


class _Parts:
    """The clauses of each primitive, sorted by their actions, and where those of at most so many actions end."""

    def __init__(self, words: Sequence[str], limits: Limits) -> None:
        self.words, self.limits = tuple(words), limits
        turn = [c for c in scan.clauses(()) if scan.actions(c) <= limits.most_in_clause]
        self.of = {"turn": self._sorted(turn)}
        for word in words:
            own = [c for c in scan.clauses((word,)) if c[0].split()[0] == word]
            self.of[word] = self._sorted([c for c in own if scan.actions(c) <= limits.most_in_clause])

    def _sorted(self, clauses: Pairs) -> tuple[Pairs, list[int]]:
        ordered = sorted(clauses, key=scan.actions)
        lengths = [scan.actions(c) for c in ordered]
        ends = np.searchsorted(lengths, range(self.limits.most_actions + 1), side="right")
        return ordered, ends.tolist()

    def drawn(self, rng: np.random.Generator) -> Pair:
        """One command; its meaning is put together from the right."""
        count = int(rng.integers(1, min(self.limits.clauses, self.limits.most_actions) + 1))
        most = self.limits.most_primitives
        words = self.words if most is None else self._some(min(most, len(self.words)), rng)
        left = self.limits.most_actions
        clauses: Pairs = []
        for more in reversed(range(count)):
            chosen = self._clause(words, left - more, rng)
            left -= scan.actions(chosen)
            clauses.append(chosen)
        rng.shuffle(clauses)  # else the first clauses would be the longest
        command, said = clauses.pop()
        for first, its in reversed(clauses):
            link = "and" if rng.random() < 0.5 else "after"
            command = f"{first} {link} {command}"
            said = f"{its} {said}" if link == "and" else f"{said} {its}"
        return command, said

    def _some(self, n: int, rng: np.random.Generator) -> tuple[str, ...]:
        return tuple(self.words[i] for i in rng.choice(len(self.words), n, replace=False))

    def _clause(self, words: Sequence[str], most: int, rng: np.random.Generator) -> Pair:
        """A clause of at most so many actions, uniform among those of the words and of `turn`."""
        ends = [self.of[w][1][most] for w in (*words, "turn")]
        at = int(rng.integers(sum(ends)))
        for word, end in zip((*words, "turn"), ends, strict=True):
            if at < end:
                return self.of[word][0][at]
            at -= end
        raise AssertionError("the clauses were miscounted")
