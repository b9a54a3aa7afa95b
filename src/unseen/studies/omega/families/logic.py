"""Which puzzles on boards are asked, and what is their exact answer?

blocked_grid  'How many paths … from (0, 0) to (6, 4) … avoiding (1, 2), (3, 3)?'         7 5:1,2 3,3
grid_rook     'What is the smallest number of moves … any number of cells right or up?'   7 5:1,2 3,3
grid_knight   'What is the smallest number of moves of a piece that moves 1 and 2 …?'     8 8 1 2:7,6
grid_chip     'What is the largest number of black chips …?'                              4 max w:0,1 2,3

DEPARTS: the official chip question of the first kind asks for chips of one colour and answers with those of both; its
knight may have its target off the board; its blocked cells grow fewer from item to item. Here none of these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from ..problem import Family, Problem, parameters
from ..solvers import chips, grids
from ..solvers.grids import Cell

SIDES = {1: (5, 9), 2: (10, 19), 3: (20, 29), 4: (30, 39), 5: (40, 49)}
BOARDS = {1: 4, 2: 5, 3: 6, 4: 7, 5: 8}
MOST_PATHS = 10**6
COLOURS = ("black", "white")


def blocked_grid(level: int, rng: np.random.Generator) -> Problem:
    """The number of paths right and up on a grid with blocked cells: more than 0, at most a million.

    From 8 (or 1.5 times the width, where that is fewer) to 1.5 times the width cells are blocked, then more of them in
    a random order until the paths are few enough.

    DEPARTS: a cell that would cut the last path is passed over; officially all cells are drawn anew, for large grids
    dozens of times.
    """
    low, high = parameters("blocked_grid", level, SIDES)
    while True:
        width, height = (int(side) for side in rng.integers(low, high + 1, 2))
        most = int(1.5 * width)
        fewest = int(rng.integers(min(8, most), most + 1))
        cells = grids.thinned(width, height, _inner(rng, width, height), fewest, MOST_PATHS)
        answer = grids.paths(width, height, cells)
        if 0 < answer <= MOST_PATHS:
            break
    asked = (
        f"A grid has {width} columns and {height} rows; a cell is written (column, row), both counted from 0, and "
        f"(0, 0) is at the bottom left. How many paths lead from (0, 0) to the top right cell ({width - 1}, "
        f"{height - 1}), if every step goes to the next cell on the right or the next cell above and these cells "
        f"cannot be entered: {_cells(cells)}? Answer with one integer."
    )
    at = {"width": width, "height": height, "blocked": len(cells)}
    return Problem(asked, f"{width} {height}:{_short(cells)}", str(answer), "integer", at=at)


def grid_rook(level: int, rng: np.random.Generator) -> Problem:
    """The fewest slides right or up to the opposite corner of a grid of which 10 to 20 % is blocked."""
    low, high = parameters("grid_rook", level, SIDES)
    while True:
        width, height = (int(side) for side in rng.integers(low, high + 1, 2))
        area = width * height
        n = int(rng.integers(int(0.1 * area), int(0.2 * area) + 1))
        cells = _inner(rng, width, height, n)
        answer = grids.slides(width, height, cells)
        if answer is not None:
            break
    asked = (
        f"A grid has {width} columns and {height} rows; a cell is written (column, row), both counted from 0, and "
        f"(0, 0) is at the bottom left. A piece moves right or up by any number of cells in one move, like a chess "
        f"rook, but neither onto nor across a blocked cell. The blocked cells are {_cells(cells)}. What is the "
        f"smallest number of moves from (0, 0) to the top right cell ({width - 1}, {height - 1})? "
        "Answer with one integer."
    )
    at = {"width": width, "height": height, "blocked": n}
    return Problem(asked, f"{width} {height}:{_short(cells)}", str(answer), "integer", at=at)


def grid_knight(level: int, rng: np.random.Generator) -> Problem:
    """The fewest moves of an (a, b)-leaper, a != b and a + b <= 7, to a cell of the corner of 4 by 4 opposite."""
    low, high = parameters("grid_knight", level, SIDES)
    while True:
        width, height = (int(side) for side in rng.integers(low, high + 1, 2))
        a, b = (int(step) for step in rng.integers(1, 7, 2))
        if a == b or a + b > 7 or (a, b) in ((2, 4), (4, 2)):
            continue
        target = (width - int(rng.integers(1, 5)), height - int(rng.integers(1, 5)))
        answer = grids.leaps(width, height, (a, b), target)
        if answer:
            break
    asked = (
        f"A board has {width} columns and {height} rows; a cell is written (column, row), both counted from 0, and "
        f"(0, 0) is at the bottom left. In one move a piece jumps {a} cells in one direction and {b} cells in a "
        f"perpendicular direction at once, staying on the board. What is the smallest number of moves from (0, 0) to "
        f"({target[0]}, {target[1]})? Answer with one integer."
    )
    at = {"width": width, "height": height, "leap": (a, b)}
    return Problem(asked, f"{width} {height} {a} {b}:{target[0]},{target[1]}", str(answer), "integer", at=at)


def grid_chip(level: int, rng: np.random.Generator) -> Problem:
    """Chips on a board whose rows and columns have one colour each: the most of a colour, or all of a full board."""
    size = parameters("grid_chip", level, BOARDS)
    return _most_chips(size, rng) if rng.random() < 0.5 else _full_board(size, rng)


def _most_chips(size: int, rng: np.random.Generator) -> Problem:
    """The most chips of one colour where some cells have chips of the other."""
    colour, other = COLOURS if rng.random() < 0.5 else COLOURS[::-1]
    while True:
        n = int(rng.integers(size - 2, size + 4))
        drawn = rng.integers(0, size * size, n).tolist()
        cells = chips.needed(
            sorted({divmod(cell, size) for cell in drawn}, key=lambda cell: drawn.index(cell[0] * size + cell[1]))
        )
        if answer := chips.most(cells, size):
            break
    given = ", ".join(f"cell ({row}, {column}) has a {other} chip" for row, column in cells)
    asked = (
        f"{_rules(size)} Furthermore, {given}. What is the largest number of {colour} chips that the board can have? "
        "Answer with one integer."
    )
    compact = f"{size} max {other[0]}:{_short(cells)}"
    return Problem(asked, compact, str(answer), "integer", at={"asked": "most", "given": len(cells)})


def _full_board(size: int, rng: np.random.Generator) -> Problem:
    """The number of chips on a board to which none can be added, given chips in every row and column."""
    while True:
        rows, columns = rng.integers(0, 2, (2, size)).tolist()
        if 0 < sum(rows) < size and 0 < sum(columns) < size:
            break
    filled = [(row, column) for row in range(size) for column in range(size) if rows[row] == columns[column]]
    cells: list[Cell] = []
    for index in rng.permutation(len(filled)).tolist():
        cells.append(filled[index])
        if len({row for row, _ in cells}) == size == len({column for _, column in cells}):
            break
    cells = chips.needed(cells)
    given = [(row, column, COLOURS[rows[row]]) for row, column in cells]
    answer = chips.saturated(given, size)
    told = ", ".join(f"cell ({row}, {column}) has a {colour} chip" for row, column, colour in given)
    asked = (
        f"{_rules(size)} No chip can be added to the board without breaking one of these rules. Furthermore, {told}. "
        "How many chips are on the board? Answer with one integer."
    )
    compact = f"{size} full:" + " ".join(f"{row},{column}{colour[0]}" for row, column, colour in given)
    return Problem(asked, compact, str(answer), "integer", at={"asked": "full", "given": len(cells)})


def _rules(size: int) -> str:
    return (
        f"Chips, each black or white, lie on a board of {size} rows and {size} columns; a cell is written (row, column), "
        "both counted from 0. A cell has at most one chip; all chips in the same row have the same colour, and all "
        "chips in the same column have the same colour."
    )


def _inner(rng: np.random.Generator, width: int, height: int, n: int | None = None) -> list[Cell]:
    """All cells (or n of them) but the first and the last corner, in a random order."""
    order = rng.permutation(width * height - 2)[:n] + 1
    return [(index % width, index // width) for index in order.tolist()]


def _cells(cells: Iterable[Cell]) -> str:
    return ", ".join(f"({x}, {y})" for x, y in cells)


def _short(cells: Collection[Cell]) -> str:
    return " ".join(f"{x},{y}" for x, y in cells)


FAMILIES: tuple[Family, ...] = (
    Family("blocked_grid", "logic", tuple(SIDES), blocked_grid),
    Family("grid_rook", "logic", tuple(SIDES), grid_rook),
    Family("grid_knight", "logic", tuple(SIDES), grid_knight),
    Family("grid_chip", "logic", tuple(BOARDS), grid_chip),
)
