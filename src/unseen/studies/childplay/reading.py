"""What does a prompt of a board game show? It is read back into a board or a sea, by nothing but its text.

    seen = read(turns)      # Seen(look, rules, board, seat=0, …) of a game of lines; of battleship, own shots by cell

Players that read prompts are models like any other: what they win shows that the prompt holds what a player needs, and
what they lose in the released battleship shows that it does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from unseen.core.errors import Invalid

from .harness import Harness, Look, Notation, Rendering, Turns
from .rules import Board, Rules, mover

COLOURED = re.compile("\033\\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Seen:
    """A prompt's game: its rules and board, or the size of the sea and the shots at it (cell -> whether it hit)."""

    look: Look
    seat: int
    rules: Rules | None = None
    board: Board = ()
    size: int = 0
    shots: dict[int, bool] = field(default_factory=dict[int, bool])

    @property
    def cols(self) -> int:
        """Columns of the board or sea."""
        return self.rules.cols if self.rules else self.size


def read(turns: Turns) -> Seen:
    """The game of a prompt. Raises Invalid for a prompt that shows none."""
    system, user = turns[0]["content"], turns[-1]["content"]
    released = system.startswith("You are a player in a game of ")
    lower = system.lower()
    seat = int((re.findall(r"[Pp]layer (\d)", user) or ["1"])[0]) - 1
    rendering: Rendering = "grid"
    if not released:
        rendering = _rendering(user)
    look = Look(_harness(released), _symbols(system), _notation(system), rendering)
    if "battleship" in lower:
        size = int((re.findall(r"sea of (\d+) rows", system) or [0])[0]) or 1 + int(
            re.findall(r"from 0 to (\d+)", system)[0]
        )
        return Seen(look, seat, size=size, shots=_shots(look, user, size))
    drops = "connect-four" in lower or "connect four" in lower
    if not drops and "tic-tac-toe" not in lower:
        raise Invalid(f"no game is told of in {system[:80]!r}.")
    sizes = [int(n) for n in re.findall(r"board of (\d+) rows and (\d+) columns", system)[0]] if not released else None
    rows, cols = sizes or ((7, 7) if drops else (3, 3))
    line = int((re.findall(r"to have (\d+) of", system) or [4 if drops else 3])[0])
    rules = Rules("connectfour" if drops else "tictactoe", rows, cols, line, drops)
    board = _board(look, rules, user)
    return Seen(look, mover(board) - 1, rules, board)


def cell_of(look: Look, name: str, cols: int) -> int:
    """The cell that a name stands for: "1 2", or "c2"."""
    if look.notation == "a1":
        return (int(name[1:]) - 1) * cols + ord(name[0]) - ord("a")
    row, col = map(int, name.split())
    return row * cols + col


def _harness(released: bool) -> Harness:
    return "as_released" if released else "as_intended"


def _notation(system: str) -> Notation:
    return "a1" if "one letter from a" in system else "row col"


def _symbols(system: str) -> tuple[str, str]:
    found = re.findall(r"You play with (\S+), your opponent with (\S+); (\S+) moves first", system)
    if not found:
        return ("X", "O")
    mine, theirs, first = found[0]
    return (first, theirs if first == mine else mine)


def _rendering(user: str) -> Rendering:
    if re.search(r"^\{\"", user, re.MULTILINE):
        return "json"
    if re.search(r"^(?:Your ships: )?[^\s/]+(?:/[^\s/]+)+$", user, re.MULTILINE):
        return "rows"
    return "grid" if re.search(r"^ +0 +1", user, re.MULTILINE) or "Your Ships:" in user else "list"


def _board(look: Look, rules: Rules, user: str) -> Board:
    """The marks on a board, however it is drawn."""
    marks = {look.symbols[0]: 1, look.symbols[1]: 2}
    if look.rendering == "list":
        board = [0] * rules.cells
        for symbol, who in marks.items():
            for cell in _listed(look, user, symbol, rules.cols):
                board[cell] = who
        return tuple(board)
    if look.rendering == "json":
        rows: Sequence[Sequence[str]] = json.loads(re.findall(r"^\{.*\}$", user, re.MULTILINE)[0])["board"]
    elif look.rendering == "rows":
        rows = re.findall(r"^[^\s/]+(?:/[^\s/]+)+$", user, re.MULTILINE)[0].split("/")
    else:
        plain = COLOURED.sub("", user)
        pattern = r"^\|(.*)\|$" if rules.drops else r"^\d+ \|(.*)\|$"
        rows = [[c.strip() for c in row.split("|")] for row in re.findall(pattern, plain, re.MULTILINE)]
    return tuple(marks.get(cell, 0) for row in rows for cell in row)


def _shots(look: Look, user: str, size: int) -> dict[int, bool]:
    """The shots on the board that a prompt calls the opponent's."""
    if look.rendering == "list":
        named = (("Your hits", True), ("Your misses", False))
        return {cell: hit for name, hit in named for cell in _listed(look, user, name, size)}
    if look.rendering == "json":
        rows = json.loads(re.findall(r"^\{.*\}$", user, re.MULTILINE)[0])["opponent"]
    elif look.rendering == "rows":
        rows = re.findall(r"^Opponent: (\S+)$", user, re.MULTILINE)[0].split("/")
    else:
        rows = [row.replace(" ", "") for row in re.findall(r"^\d+ .* \| \d+ (.*)$", user, re.MULTILINE)]
    flat = "".join(rows)
    return {cell: mark == "X" for cell, mark in enumerate(flat) if mark in "XO"}


def _listed(look: Look, user: str, name: str, cols: int) -> list[int]:
    """The cells that a line lists after a name."""
    told = re.findall(rf"^{re.escape(name)}: (.*)$", user, re.MULTILINE)[0]
    return [] if told == "none" else [cell_of(look, cell, cols) for cell in told.split(", ")]
