"""What is a player shown, and how is its reply read? Prompts of the board games, as released and as intended.

    turns(Look(), Line(tictactoe()), seat=0)[1]["content"]
    ->  "Player 1 (LLM), it's your turn. Here's the current game state:\\n    0   1   2\\n  +---+---+---+\\n0 |   |   | …"

As released: the wording and boards of the paper's repository at commit 1a25f41 (MIT), with its colour codes around the
marks of connect four, its one and only seat, and the other player's view of the sea in battleship. As intended: the
same games with the player's own view, either seat, and any size, marks, notation, rendering, history and list of moves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from . import wording
from .battleship import Sea, occupied
from .rules import Board, Rules, completes, landing, legal, mover, played

Harness = Literal["as_intended", "as_released"]
Notation = Literal["row col", "a1"]
Rendering = Literal["grid", "list", "rows", "json"]
Turns = list[dict[str, str]]
TIE = 2


@dataclass(frozen=True, slots=True)
class Look:
    """How a game is shown and moves are told."""

    harness: Harness = "as_intended"
    symbols: tuple[str, str] = ("X", "O")
    notation: Notation = "row col"
    rendering: Rendering = "grid"
    history: bool = False
    moves: bool = False  # whether the legal moves are listed


@dataclass
class Line:
    """A game of lines under way: its board, the moves so far, and who won (0, 1; 2: a tie; None: it goes on)."""

    rules: Rules
    board: Board = ()
    past: list[int] = field(default_factory=list[int])
    result: int | None = None

    def __post_init__(self) -> None:
        self.board = self.board or self.rules.empty

    @property
    def turn(self) -> int:
        """The player to move: 0 or 1."""
        return mover(self.board) - 1

    def legal(self) -> list[int]:
        """The moves there are."""
        return legal(self.rules, self.board)

    def move(self, move: int) -> None:
        """Play a legal move."""
        cell, who = landing(self.rules, self.board, move), self.turn
        self.board = played(self.rules, self.board, move)
        self.past.append(move)
        if completes(self.rules, self.board, cell):
            self.result = who
        elif 0 not in self.board:
            self.result = TIE


@dataclass
class Battle:
    """A game of battleship under way."""

    sea: Sea
    past: list[int] = field(default_factory=list[int])

    @property
    def turn(self) -> int:
        """The player to move: 0 or 1."""
        return self.sea.turn

    @property
    def result(self) -> int | None:
        """The winner, None while the game goes on."""
        return self.sea.result

    def legal(self) -> list[int]:
        """The cells not yet shot at."""
        return self.sea.legal()

    def move(self, move: int) -> None:
        """Shoot at a cell that was not shot at."""
        self.sea.shoot(move)
        self.past.append(move)


Match = Line | Battle


def turns(look: Look, match: Match, seat: int) -> Turns:
    """What the player of a seat is told before its move: a system turn with the rules, a user turn with the state."""
    if look.harness == "as_released":
        told = released_rules(match)
        name = match.rules.name if isinstance(match, Line) else "battleship"
        lead = f"Player {seat + 1} (LLM), it's your turn. Here's the current game state:\n"
        system = f"You are a player in a game of {name}. {told}."
        return _turns(system, f"{lead}{released_state(match)}\nMy move is: ")
    lead = f"It is your turn. You are player {seat + 1}. This is the current state of the game:\n"
    parts = [f"{lead}{state(look, match, seat)}"]
    if look.history:
        parts.append(f"Moves so far: {', '.join(told_move(look, match, m) for m in match.past) or 'none'}.")
    if look.moves:
        parts.append(f"Legal moves: {', '.join(told_move(look, match, m) for m in match.legal())}.")
    return _turns(wording.rules_of(look, match, seat), "\n".join([*parts, "My move is: "]))


def released_rules(match: Match) -> str:
    """The rules as the repository words them."""
    if isinstance(match, Line):
        return wording.RELEASED[match.rules.name]
    return wording.RELEASED["battleship"].replace("{last}", str(match.sea.size - 1))


def released_state(match: Match) -> str:
    """The state as the repository draws it. `get_text_state(None)` of its battleship is the second player's view."""
    if isinstance(match, Battle):
        return sea_view(match.sea, 1)
    if match.rules.drops:
        return _columns(match, ("\033[91mX\033[0m", "\033[32mO\033[0m"))
    return _boxes(match, ("X", "O"))


def state(look: Look, match: Match, seat: int) -> str:
    """The state as a look shows it to a seat."""
    if isinstance(match, Battle):
        return sea_view(match.sea, seat) if look.rendering == "grid" else _sea_otherwise(look, match, seat)
    if look.rendering == "grid":
        draw = _columns if match.rules.drops else _boxes
        return draw(match, look.symbols)
    marks = {0: ".", 1: look.symbols[0], 2: look.symbols[1]}
    rows = [
        [marks[v] for v in match.board[r : r + match.rules.cols]] for r in _starts(match.rules.cells, match.rules.cols)
    ]
    if look.rendering == "json":
        return json.dumps({"board": rows})
    if look.rendering == "rows":
        return "/".join("".join(row) for row in rows)
    held = [[cell_name(look, i, match.rules.cols) for i, v in enumerate(match.board) if v == who] for who in (1, 2)]
    return "\n".join(f"{s}: {', '.join(cells) or 'none'}" for s, cells in zip(look.symbols, held, strict=True))


def sea_view(sea: Sea, seat: int) -> str:
    """Both boards of battleship, as the repository draws them for a player: own fleet, and own shots."""
    numbers = " ".join(str(i) for i in range(sea.size))
    title = "Your Ships:" + " " * (sea.size - 2) + "Opponent's Board:"
    left, right = sea_cells(sea, seat)
    rows = [
        f"{r} {' '.join(left[i : i + sea.size])} | {r} {' '.join(right[i : i + sea.size])}"
        for r, i in enumerate(_starts(sea.cells, sea.size))
    ]
    return "\n".join([title, f"  {numbers}     {numbers}", *rows]) + "\n"


def sea_cells(sea: Sea, seat: int) -> tuple[list[str], list[str]]:
    """A player's own board (S ship, X ship that was hit, ~ sea) and shots (X hit, O miss, ~ nothing), cell by cell."""
    ships, against, own = occupied(sea.fleets[seat]), sea.shots[1 - seat], sea.shots[seat]
    left = ["~" if c not in ships else "X" if c in against else "S" for c in range(sea.cells)]
    return left, ["~" if c not in own else "X" if own[c] else "O" for c in range(sea.cells)]


def told_move(look: Look, match: Match, move: int) -> str:
    """A move in the look's notation."""
    if isinstance(match, Line) and match.rules.drops:
        return str(move) if look.notation == "row col" else chr(ord("a") + move)
    return cell_name(look, move, match.rules.cols if isinstance(match, Line) else match.sea.size)


def cell_name(look: Look, cell: int, cols: int) -> str:
    """A cell in the look's notation: "1 2", or "c2" (a letter for the column, the row counted from 1 at the top)."""
    row, col = divmod(cell, cols)
    return f"{row} {col}" if look.notation == "row col" else f"{chr(ord('a') + col)}{row + 1}"


@dataclass(frozen=True, slots=True)
class Read:
    """What a reply says: the move, whether one could be read, and whether it is legal."""

    move: int | None
    legible: bool
    legal: bool


def read(look: Look, match: Match, reply: str) -> Read:
    """The move a reply states. As released the whole reply must be the numbers and nothing else; as intended the first
    move that stands in it counts."""
    cols = match.rules.cols if isinstance(match, Line) else match.sea.size
    drops = isinstance(match, Line) and match.rules.drops
    numbers = _strict(reply, drops) if look.harness == "as_released" else _first(look, reply, drops)
    if numbers is None:
        return Read(None, False, False)
    move = numbers[0] if drops else numbers[0] * cols + numbers[1]
    inside = 0 <= numbers[-1] < cols and numbers[0] >= 0
    fits = inside and move in match.legal()
    return Read(move if fits else None, True, fits)


def _strict(reply: str, drops: bool) -> tuple[int, ...] | None:
    """As Python's int() and split() read it: `int(reply)`, or two of them parted by white space."""
    words = [reply] if drops else reply.split()
    try:
        found = tuple(int(w) for w in words)
    except ValueError:
        return None
    return found if len(found) == (1 if drops else 2) else None


def _first(look: Look, reply: str, drops: bool) -> tuple[int, ...] | None:
    """The first column, or row and column, that stands in a reply."""
    if look.notation == "a1":
        found = re.search(r"\b([a-zA-Z])\b" if drops else r"\b([a-zA-Z])\s?(\d+)\b", reply)
        if found is None:
            return None
        col = ord(found[1].lower()) - ord("a")
        return (col,) if drops else (int(found[2]) - 1, col)
    number = r"(?<![\d.])(-?\d{1,4})(?!\.?\d)"
    found = re.search(number if drops else rf"{number}\D{{1,12}}?{number}", reply)
    return None if found is None else tuple(int(g) for g in found.groups())


def _boxes(match: Line, symbols: Sequence[str]) -> str:
    """A board of tic-tac-toe in boxes, with numbered rows and columns."""
    n, marks = match.rules.cols, (" ", *symbols)
    divider = "  +" + "---+" * n + "\n"
    rows = [
        f"{r} | " + " | ".join(marks[v] for v in match.board[i : i + n]) + " |\n"
        for r, i in enumerate(_starts(match.rules.cells, n))
    ]
    return "    " + "   ".join(map(str, range(n))) + "\n" + divider + "".join(row + divider for row in rows)


def _columns(match: Line, symbols: Sequence[str]) -> str:
    """A board of connect four between bars, with numbered columns."""
    n, marks = match.rules.cols, (".", *symbols)
    rows = ["|" + "".join(f"{marks[v]}|" for v in match.board[i : i + n]) for i in _starts(match.rules.cells, n)]
    return "\n".join([" " + " ".join(map(str, range(n))), *rows])


def _sea_otherwise(look: Look, match: Battle, seat: int) -> str:
    left, right = sea_cells(match.sea, seat)
    rows = [
        ["".join(board[i : i + match.sea.size]) for i in _starts(match.sea.cells, match.sea.size)]
        for board in (left, right)
    ]
    if look.rendering == "json":
        return json.dumps({"your_ships": rows[0], "opponent": rows[1]})
    if look.rendering == "rows":
        return f"Your ships: {'/'.join(rows[0])}\nOpponent: {'/'.join(rows[1])}"
    kinds = (("Your ships afloat", left, "S"), ("Your hits", right, "X"), ("Your misses", right, "O"))
    told = [
        (name, [cell_name(look, c, match.sea.size) for c, v in enumerate(board) if v == kind])
        for name, board, kind in kinds
    ]
    return "\n".join(f"{name}: {', '.join(cells) or 'none'}" for name, cells in told)


def _starts(cells: int, cols: int) -> range:
    return range(0, cells, cols)


def _turns(system: str, user: str) -> Turns:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
