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


def sampled(words: Sequence[str], n: int, rng: np.random.Generator) -> Pairs:
    """n different commands of `scan.pairs(words)`, each as likely as any other; all of them where there are no more.

    They are found by their number, so that the 5.8 million commands of 80 primitives are never listed.
    """
    parts = scan.clauses(words)
    every = len(parts) + 2 * len(parts) ** 2
    if every <= n:
        return list(scan.pairs(words))
    found: dict[int, None] = {}
    while len(found) < n:
        found.update(dict.fromkeys(rng.integers(0, every, n - len(found)).tolist()))
    return [_numbered(parts, i) for i in found]


def _numbered(parts: Pairs, i: int) -> Pair:
    """The command that stands at place i of `scan.pairs`."""
    if i < len(parts):
        return parts[i]
    at, after = divmod(i - len(parts), 2)
    (first, one), (second, other) = parts[at // len(parts)], parts[at % len(parts)]
    return (f"{first} after {second}", f"{other} {one}") if after else (f"{first} and {second}", f"{one} {other}")


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
    """The clauses of a primitive and of `turn`, sorted by their actions, and how many have at most so many actions."""

    def __init__(self, words: Sequence[str], limits: Limits) -> None:
        self.words, self.limits = tuple(words), limits
        turns = {command for command, _ in scan.clauses(())}
        self.turn = self._sorted(scan.clauses(()))
        self.of = {w: self._sorted([c for c in scan.clauses((w,)) if c[0] not in turns]) for w in words}

    def _sorted(self, clauses: Pairs) -> tuple[Pairs, list[int]]:
        ordered = sorted((c for c in clauses if scan.actions(c) <= self.limits.most_in_clause), key=scan.actions)
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
        """A clause of at most so many actions, uniform among those of the words and of `turn`; all words have as many."""
        each = self.of[words[0]][1][most]
        at = int(rng.integers(len(words) * each + self.turn[1][most]))
        word, place = divmod(at, each)
        return self.of[words[word]][0][place] if word < len(words) else self.turn[0][at - len(words) * each]
