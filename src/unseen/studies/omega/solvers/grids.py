"""What are the exact answers of walks on grids with blocked cells?

paths(3, 3, {(1, 1)})  ->  2          slides(3, 3, {(1, 1)})  ->  2          leaps(8, 8, (1, 2), (7, 7))  ->  6

A grid has `width` columns and `height` rows; a cell is (column, row), both from 0; walks begin at (0, 0).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

Cell = tuple[int, int]


def paths(width: int, height: int, blocked: Collection[Cell]) -> int:
    """The number of paths of steps right and up from (0, 0) to the opposite corner that avoid the blocked cells."""
    return counts(width, height, blocked)[-1][-1]


def counts(width: int, height: int, blocked: Collection[Cell]) -> list[list[int]]:
    """The number of such paths to each cell [row column]."""
    shut = [[False] * width for _ in range(height)]
    for column, row in blocked:
        shut[row][column] = True
    below = [1] + [0] * (width - 1)
    table: list[list[int]] = []
    for closed in shut:
        left = 0
        below = [left := 0 if barred else left + under for barred, under in zip(closed, below, strict=True)]
        table.append(below)
    return table


def passing(width: int, height: int, blocked: Collection[Cell]) -> list[list[int]]:
    """The number of such paths that pass each cell [row column]: those to it times those from it on."""
    turned = [(width - 1 - column, height - 1 - row) for column, row in blocked]
    on = counts(width, height, turned)
    return [
        [a * b for a, b in zip(to, reversed(on[height - 1 - row]), strict=True)]
        for row, to in enumerate(counts(width, height, blocked))
    ]


def thinned(width: int, height: int, order: Sequence[Cell], fewest: int, most: int) -> list[Cell]:
    """The first `fewest` cells of `order` and then as many as it takes to leave at most `most` paths, cells that would
    cut the last of them being passed over; where the first ones leave no path, these."""
    few, enough = fewest, len(order)
    if paths(width, height, order[:few]) <= most:
        return list(order[:few])
    while few + 1 < enough:  # blocking more cells never adds a path
        middle = (few + enough) // 2
        few, enough = (few, middle) if paths(width, height, order[:middle]) <= most else (middle, enough)
    blocked = list(order[:few])
    through = passing(width, height, blocked)
    for column, row in order[few:]:
        if 0 < through[row][column] < through[0][0]:
            blocked.append((column, row))
            through = passing(width, height, blocked)
            if through[0][0] <= most:
                break
    return blocked


def slides(width: int, height: int, blocked: Collection[Cell]) -> int | None:
    """The fewest slides right or up, each over any number of open cells, to the opposite corner; None if it is cut off.

    A slide may go on as far as the path keeps its direction, so that slides are the straight pieces of a path: two
    numbers for a cell, the fewest pieces of a path that ends in it going right and going up.
    """
    closed = [[False] * width for _ in range(height)]
    for column, row in blocked:
        closed[row][column] = True
    far = width * height + 1
    rights, ups = [far] * width, [far] * width
    for y, row in enumerate(closed):
        right = up = far  # of the cell on the left
        for x, shut in enumerate(row):
            if shut:
                right = up = far
            elif x == y == 0:
                right = up = 1
            else:
                right, up = min(right, up + 1), min(ups[x], rights[x] + 1)
            rights[x], ups[x] = right, up
    fewest = min(rights[-1], ups[-1])
    return fewest if fewest < far else None


def leaps(width: int, height: int, leap: tuple[int, int], target: Cell) -> int | None:
    """The fewest leaps from (0, 0) to `target` of a piece that moves by ±a, ±b or ±b, ±a; None if it cannot get there.

    Breadth first with the whole board as one number: a bit for a cell, rows padded by the longest leap so that a leap
    over the side falls into the padding.
    """
    pad = max(leap)
    line = width + pad
    row = (1 << width) - 1
    board = 0
    for y in range(height):
        board |= row << (y * line)
    a, b = leap
    shifts = tuple({dy * line + dx for dx, dy in ((a, b), (b, a), (-a, b), (-b, a))})
    goal = 1 << (target[1] * line + target[0])
    front, unseen, steps = 1, board & ~1, 0
    while front:
        if front & goal:
            return steps
        reached = 0
        for shift in shifts:  # a leap and its opposite
            reached |= front << shift | front >> shift
        front = reached & unseen
        unseen &= ~front
        steps += 1
    return None
