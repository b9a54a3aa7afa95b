"""Who has a line? Boards on which two players set marks in turn: tic-tac-toe and connect four, of any size.

    rules = tictactoe()                     # 3 × 3, three in a line; connectfour() is 7 × 7, four in a line, marks fall
    board = played(rules, (0,) * 9, 4)      # (0, 0, 0, 0, 1, 0, 0, 0, 0): 0 free, 1 the first player's, 2 the second's

A move is a cell, counted row by row from the top, or where marks fall a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

Board = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """A board of rows × cols, won by `line` marks in a row, column or diagonal; marks fall down where it `drops`."""

    name: str
    rows: int
    cols: int
    line: int
    drops: bool = False

    @property
    def cells(self) -> int:
        """The number of cells."""
        return self.rows * self.cols

    @property
    def empty(self) -> Board:
        """The board that a game begins with."""
        return (0,) * self.cells


def tictactoe(size: int = 3) -> Rules:
    """Tic-tac-toe of that size, won by a whole row, column or long diagonal."""
    return Rules("tictactoe", size, size, size)


def connectfour(rows: int = 7, cols: int = 7) -> Rules:
    """Connect four; the released board is 7 × 7, the common one 6 × 7."""
    return Rules("connectfour", rows, cols, 4, drops=True)


@cache
def lines(rules: Rules) -> tuple[tuple[int, ...], ...]:
    """Every set of cells that wins."""
    found: list[tuple[int, ...]] = []
    for r in range(rules.rows):
        for c in range(rules.cols):
            for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
                end = r + dr * (rules.line - 1), c + dc * (rules.line - 1)
                if 0 <= end[0] < rules.rows and 0 <= end[1] < rules.cols:
                    found.append(tuple((r + dr * k) * rules.cols + c + dc * k for k in range(rules.line)))
    return tuple(found)


@cache
def through(rules: Rules) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """For each cell the winning sets that hold it."""
    return tuple(tuple(line for line in lines(rules) if cell in line) for cell in range(rules.cells))


def mover(board: Board) -> int:
    """Whose turn it is: 1 or 2, by the number of marks."""
    return 1 + (sum(v > 0 for v in board) % 2)


def legal(rules: Rules, board: Board) -> list[int]:
    """The moves there are, while nobody has won."""
    if rules.drops:
        return [c for c in range(rules.cols) if board[c] == 0]
    return [cell for cell, v in enumerate(board) if v == 0]


def landing(rules: Rules, board: Board, move: int) -> int:
    """The cell where a legal move's mark comes to lie."""
    if not rules.drops:
        return move
    return max(r for r in range(rules.rows) if board[r * rules.cols + move] == 0) * rules.cols + move


def played(rules: Rules, board: Board, move: int, who: int = 0) -> Board:
    """The board after a legal move of `who` (0: whose turn it is)."""
    cell = landing(rules, board, move)
    return (*board[:cell], who or mover(board), *board[cell + 1 :])


def completes(rules: Rules, board: Board, cell: int) -> bool:
    """Whether the mark on a cell stands in a winning set of one player."""
    who = board[cell]
    return who > 0 and any(all(board[i] == who for i in line) for line in through(rules)[cell])


def winner(rules: Rules, board: Board) -> int:
    """The player with a winning set (1 or 2), 0 where there is none."""
    return next((board[line[0]] for line in lines(rules) if board[line[0]] and _one(board, line)), 0)


def winning(rules: Rules, board: Board, who: int) -> list[int]:
    """The moves with which `who`, were it their turn, would win at once."""
    found: list[int] = []
    for move in legal(rules, board):
        cell = landing(rules, board, move)
        if any(all(board[i] == who for i in line if i != cell) for line in through(rules)[cell]):
            found.append(move)
    return found


def missed(rules: Rules, board: Board, move: int) -> tuple[bool | None, bool | None]:
    """Whether a legal move left a win unused, and a threat unblocked; None where there was none to use or to block.

    A block is due where the mover cannot win at once, the other could with the next move, and some move prevents that.
    """
    me = mover(board)
    if own := winning(rules, board, me):
        return move not in own, None
    if not winning(rules, board, 3 - me):
        return None, None
    holds = [m for m in legal(rules, board) if not winning(rules, played(rules, board, m), 3 - me)]
    return None, (move not in holds if holds else None)


def _one(board: Board, line: Sequence[int]) -> bool:
    return all(board[i] == board[line[0]] for i in line)
