"""How many chips lie on a board whose rows and columns have one colour each?

Chips lie on a square board, at most one in a cell, all chips of a row having one colour and all of a column too.

most([(0, 0), (1, 2)], 4)  ->  4              saturated([(0, 0, "black"), (1, 1, "white")], 2)  ->  2
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

Chip = tuple[int, int, str]


def most(others: Collection[tuple[int, int]], size: int) -> int:
    """The most chips of one colour where chips of the other lie at `others`: all cells of the rows and columns left."""
    rows = {row for row, _ in others}
    columns = {column for _, column in others}
    return (size - len(rows)) * (size - len(columns))


def saturated(chips: Sequence[Chip], size: int) -> int:
    """The number of chips where no more can be added and the given chips lie in every row and column.

    A row and a column of the same colour then have a chip where they cross, for it could be added; of two colours,
    none. Raises ValueError where a row or column has no given chip, for then its colour does not follow.
    """
    rows = {row: colour for row, _, colour in chips}
    columns = {column: colour for _, column, colour in chips}
    if len(rows) < size or len(columns) < size:
        raise ValueError("a row or a column has no given chip")
    return sum(row == column for row in rows.values() for column in columns.values())


def needed(cells: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The cells without each, in turn, whose row and column both have another cell that is kept."""
    kept = list(cells)
    for cell in cells:
        rest = [other for other in kept if other != cell]
        if any(other[0] == cell[0] for other in rest) and any(other[1] == cell[1] for other in rest):
            kept = rest
    return kept
