"""Which move is best? Exhaustive search of small boards, search to a depth of large ones.

best(tictactoe(), (1, 1, 0, 2, 2, 0, 0, 0, 0))  ->  [2], which wins at once

A position's value is that of the player to move: n + 1 for a win that leaves n cells free, −(n + 1) for such a loss, 0
for a tie; so that a quicker win, and a slower loss, are better. Beyond the depth a position counts 0.
"""

from __future__ import annotations

from functools import cache

from .rules import Board, Rules, completes, landing, legal, mover, played, through

EXHAUSTED = 9  # cells; larger boards are searched to a depth
DEPTH = 4  # plies


@cache
def masks(rules: Rules) -> tuple[tuple[int, ...], ...]:
    """For each cell the winning sets that hold it, as bits."""
    return tuple(tuple(sum(1 << i for i in line) for line in held) for held in through(rules))


@cache
def values(rules: Rules, board: Board, depth: int = 0) -> tuple[tuple[int, int], ...]:
    """(move, value of it for the player to move) of every legal move of an undecided position; depth 0: to the end."""
    if not depth and rules.cells <= EXHAUSTED:
        return tuple((m, _whole(rules, board, m)) for m in legal(rules, board))
    me = mover(board)
    mine, theirs = (sum(1 << i for i, v in enumerate(board) if v == who) for who in (me, 3 - me))
    known: dict[tuple[int, int, int], int] = {}
    found: list[tuple[int, int]] = []
    for move in legal(rules, board):
        cell, free = landing(rules, board, move), board.count(0) - 1
        after = mine | 1 << cell
        if _wins(rules, after, cell):
            found.append((move, free + 1))
        else:
            left = depth - 1 if depth else -1
            found.append((move, -_search(rules, theirs, after, free, left, (-rules.cells - 1, rules.cells + 1), known)))
    return tuple(found)


def reach(rules: Rules) -> int:
    """How deep positions of these rules are searched: 0, to the end, of small boards."""
    return 0 if rules.cells <= EXHAUSTED else DEPTH


def best(rules: Rules, board: Board, depth: int | None = None) -> list[int]:
    """The moves of the highest value: the quickest wins, else ties, else the slowest losses."""
    told = values(rules, board, reach(rules) if depth is None else depth)
    top = max(v for _, v in told)
    return [m for m, v in told if v == top]


def sound(rules: Rules, board: Board) -> list[int]:
    """The moves after which the game is as won, tied or lost as before; a position searched to its end."""
    told = values(rules, board)
    top = max((v > 0) - (v < 0) for _, v in told)
    return [m for m, v in told if (v > 0) - (v < 0) == top]


def reachable(rules: Rules) -> dict[Board, bool]:
    """Every position that play can reach, and whether the game goes on from there. Tic-tac-toe has 5,478."""
    found: dict[Board, bool] = {}
    wave = {rules.empty: True}
    while wave:
        found |= wave
        after: dict[Board, bool] = {}
        for board in (b for b, on in wave.items() if on):
            for move in legal(rules, board):
                made = played(rules, board, move)
                mine = sum(1 << i for i, v in enumerate(made) if v == mover(board))
                after[made] = 0 in made and not _wins(rules, mine, landing(rules, board, move))
        wave = after
    return found


@cache
def _whole(rules: Rules, board: Board, move: int) -> int:
    """The value of a move, by the whole tree below it; every position is searched once."""
    after = played(rules, board, move)
    free = after.count(0)
    if completes(rules, after, landing(rules, board, move)):
        return free + 1
    return -max((_whole(rules, after, m) for m in legal(rules, after)), default=0)


def _search(
    rules: Rules,
    mine: int,
    theirs: int,
    free: int,
    left: int,
    window: tuple[int, int],
    known: dict[tuple[int, int, int], int],
) -> int:
    """The value for the player of `mine`, to move, with `left` plies to look ahead (below 0: all), by alpha and beta."""
    if free == 0 or left == 0:
        return 0
    key = (mine, theirs, left)
    full = window == (-rules.cells - 1, rules.cells + 1)
    if key in known:
        return known[key]
    low, high = window
    top = -rules.cells - 1
    exact = True
    for cell in _cells(rules, mine | theirs):
        after = mine | 1 << cell
        if _wins(rules, after, cell):
            value = free
        else:
            value = -_search(rules, theirs, after, free - 1, left - 1, (-high, -max(low, top)), known)
        top = max(top, value)
        if top >= high:
            exact = False
            break
    if full or (exact and top > low):
        known[key] = top
    return top


def _cells(rules: Rules, taken: int) -> list[int]:
    """The cells where a mark can be set, those in the middle first where marks fall."""
    if not rules.drops:
        return [i for i in range(rules.cells) if not taken >> i & 1]
    found: list[int] = []
    for col in sorted(range(rules.cols), key=lambda c: abs(2 * c - rules.cols + 1)):
        for row in range(rules.rows - 1, -1, -1):
            if not taken >> (row * rules.cols + col) & 1:
                found.append(row * rules.cols + col)
                break
    return found


def _wins(rules: Rules, marks: int, cell: int) -> bool:
    return any(marks & mask == mask for mask in masks(rules)[cell])
