"""Where are the ships? Two hidden fleets on a square sea, shot at in turn.

    sea = Sea(5, (fleet_a, fleet_b))        # fleets are lists of ships, a ship a tuple of cells
    sea.shoot(7)                            # the first player's shot at cell 7, row 1 column 2 of five columns

The released program tries ships of 2, 1, 5, 4, 3, 2 and 1 cells, each at five random places, no two touching even at
corners; a ship that finds no place is left out, so that fleets differ in size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

Ship = tuple[int, ...]
Fleet = tuple[Ship, ...]
TRIES = 5
REDRAWN = 2_000  # fleets drawn until one matches another


@dataclass
class Sea:
    """A game: the size of the sea, both fleets, and each player's shots in order as (cell, whether it hit)."""

    size: int
    fleets: tuple[Fleet, Fleet]
    shots: tuple[dict[int, bool], dict[int, bool]] = field(default_factory=lambda: ({}, {}))
    turn: int = 0

    @property
    def cells(self) -> int:
        """The number of cells."""
        return self.size * self.size

    def legal(self) -> list[int]:
        """The cells that the player to move has not shot at."""
        return [cell for cell in range(self.cells) if cell not in self.shots[self.turn]]

    def shoot(self, cell: int) -> None:
        """A legal shot of the player to move."""
        self.shots[self.turn][cell] = cell in occupied(self.fleets[1 - self.turn])
        self.turn = 1 - self.turn

    @property
    def result(self) -> int | None:
        """The player who has hit every cell of the other's fleet, None where nobody has."""
        for who in (0, 1):
            if sum(self.shots[who].values()) == len(occupied(self.fleets[1 - who])):
                return who
        return None


def occupied(fleet: Fleet) -> set[int]:
    """The cells of a fleet."""
    return {cell for ship in fleet for cell in ship}


def fleet(size: int, rng: np.random.Generator) -> Fleet:
    """A fleet as the released program places it."""
    placed: list[Ship] = []
    barred: set[int] = set()
    for length in (2, 1, *range(size, 0, -1)):
        for _ in range(TRIES):
            ship = _drawn(size, length, rng)
            if not barred & set(ship):
                placed.append(ship)
                barred |= _around(size, ship)
                break
    return tuple(placed)


def equal_fleets(size: int, rng: np.random.Generator) -> tuple[Fleet, Fleet]:
    """Two fleets with ships of the same sizes."""
    while True:
        first = fleet(size, rng)
        for _ in range(REDRAWN):
            second = fleet(size, rng)
            if sorted(map(len, first)) == sorted(map(len, second)):
                return first, second


def aimed(size: int, seen: dict[int, bool], rng: np.random.Generator) -> int:
    """A shot beside a hit, in line with two where there are, else anywhere free: a sane hunter's, by what it has seen."""
    free = [c for c in range(size * size) if c not in seen]
    hits = [c for c, hit in seen.items() if hit]
    beside: list[int] = []
    for cell in hits:
        for step in _steps(size, cell):
            if cell + step not in seen:
                behind = cell - step
                weight = 3 if behind in hits and -step in _steps(size, cell) else 1
                beside += [cell + step] * weight
    among: Sequence[int] = beside or free
    return int(among[rng.integers(len(among))])


def _steps(size: int, cell: int) -> list[int]:
    """What to add to a cell to reach its neighbours."""
    row, col = divmod(cell, size)
    return [s for s, there in ((-size, row > 0), (size, row < size - 1), (-1, col > 0), (1, col < size - 1)) if there]


def _drawn(size: int, length: int, rng: np.random.Generator) -> Ship:
    """A ship somewhere on the sea, level or upright."""
    along, across = int(rng.integers(size - length + 1)), int(rng.integers(size))
    if rng.random() < 0.5:
        return tuple(across * size + along + i for i in range(length))
    return tuple((along + i) * size + across for i in range(length))


def _around(size: int, ship: Ship) -> set[int]:
    """A ship's cells and all that touch them."""
    found: set[int] = set()
    for cell in ship:
        row, col = divmod(cell, size)
        rows, cols = range(max(0, row - 1), min(size, row + 2)), range(max(0, col - 1), min(size, col + 2))
        found |= {r * size + c for r in rows for c in cols}
    return found
