"""Is there a text that shows all of these skills, and if so, which? A complete search, one query at a time.

found([(STARTS, 2, 0), (BIGRAM, 3, 6), (TOPIC, 1, 9)], 1, rng)   ->   [2, 3, 6, 1, 9, 14]
found([(ABSENT, 2, 0), (STARTS, 2, 0)], 1, rng)                  ->   None

Each skill has witnesses: letters that stand at places, and letters that must not stand at some. One is chosen for each,
the skill with the fewest left first. A letter that no skill names breaks none, so the places left over can be filled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from .skilltext import (
    ABSENT,
    BEFORE,
    BIGRAM,
    COUNT,
    ENDS,
    LETTERS,
    PALINDROME,
    REPEAT,
    SENTENCE,
    STARTS,
    TOPIC,
)

Skill = tuple[int, int, int]
Cells = Sequence[tuple[int, int]]  # (place, letter) of each
Witness = tuple[int, int]  # what stands and what must not, a bit for each letter at each place
ROOM = 32  # bits of a place; bit 0 is no letter


def found(skills: Sequence[Skill], n_sentences: int, rng: np.random.Generator) -> list[int] | None:
    """Letters [sentence·letter] of a text that shows all skills, the topic among them, or None: there is none."""
    if _circular([(x, y) for kind, x, y in skills if kind == BEFORE]):
        return None
    places = n_sentences * SENTENCE
    named = {letter for _, x, y in skills for letter in (x, y) if letter}
    free = [letter for letter in range(1, LETTERS + 1) if letter not in named]
    ways = [_witnesses(one, places, [*sorted(named), free[0]]) for one in skills]
    for each in ways:
        rng.shuffle(each)  # type: ignore[arg-type]
    stands = _chosen(ways, (0, 0))
    if stands is None:
        return None
    cells = [(stands >> place * ROOM) & (2**ROOM - 1) for place in range(places)]
    return [cell.bit_length() - 1 if cell else int(rng.choice(free)) for cell in cells]


def _chosen(ways: Sequence[list[Witness]], so_far: Witness) -> int | None:
    """What stands where one witness of each skill is chosen so that they agree with each other, or None."""
    if not ways:
        return so_far[0]
    stands, barred = so_far
    left = [[(s, b) for s, b in each if not (s & barred or b & stands)] for each in ways]
    at = min(range(len(left)), key=lambda i: len(left[i]))
    rest = [*left[:at], *left[at + 1 :]]
    for s, b in left[at]:
        if (whole := _chosen(rest, (stands | s, barred | b))) is not None:
            return whole
    return None


def _circular(pairs: Sequence[tuple[int, int]]) -> bool:
    """Whether letters, each of which must come before another, form a circle; the search alone is slow to see it."""
    left = set(pairs)
    while left:
        later = {y for _, y in left}
        if not (kept := {(x, y) for x, y in left if x in later}) < left:
            return True
        left = kept
    return False


def _witnesses(skill: Skill, places: int, beside: Sequence[int]) -> list[Witness]:
    """All ways in which a text of so many places can show a skill."""
    kind, x, y = skill
    if kind == ABSENT:
        return [(0, _bits((place, x) for place in range(places)))]
    if kind == BEFORE:  # at the first x, so that no y stands before it
        pairs = combinations(range(places), 2)
        return [_witness([(p, x), (q, y)], [(before, y) for before in range(p)]) for p, q in pairs]
    return [_witness(cells) for cells in _standing(kind, x, y, places, beside)]


def _standing(kind: int, x: int, y: int, places: int, beside: Sequence[int]) -> Iterator[Cells]:
    """The letters that show a skill, at all their places; `beside` may stand around the middle of a palindrome."""
    if kind == BIGRAM:
        yield from ([(at, x), (at + 1, y)] for at in _runs(places, 2))
    elif kind == REPEAT:
        yield from ([(at, x), (at + 1, x)] for at in _runs(places, 2))
    elif kind == PALINDROME:
        yield from ([(at, z), (at + 1, x), (at + 2, z)] for at in _runs(places, 3) for z in beside)
    elif kind == STARTS:
        yield from ([(at, x)] for at in range(0, places, SENTENCE))
    elif kind == ENDS:
        yield from ([(at, x)] for at in range(SENTENCE - 1, places, SENTENCE))
    else:
        assert kind in (COUNT, TOPIC)
        yield from ([(p, x), (q, x if kind == COUNT else y)] for p, q in combinations(range(places), 2))


def _runs(places: int, length: int) -> Iterator[int]:
    """The places at which so many letters in a row begin within a sentence."""
    return (at for at in range(places) if at % SENTENCE <= SENTENCE - length)


def _witness(cells: Cells, barred: Cells = ()) -> Witness:
    """Bits of the letters that stand, and of those barred: every other letter at these places, and some more."""
    stands = _bits(cells)
    taken = sum((2**ROOM - 1) << place * ROOM for place, _ in dict(cells).items())
    return stands, (taken & ~stands) | _bits(barred)


def _bits(cells: Sequence[tuple[int, int]] | Iterator[tuple[int, int]]) -> int:
    bits = 0
    for place, letter in cells:
        bits |= 1 << (place * ROOM + letter)
    return bits
