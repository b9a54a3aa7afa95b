"""In which words are games and puzzles explained? Those of the paper's repository (MIT), and ours.

RELEASED["connectfour"]  ->  "Connect-Four is a two-player game. The pieces fall straight down, …"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .harness import Look, Match

RELEASED: Mapping[str, str] = {
    "tictactoe": "Tic-Tac-Toe is a two-player game played on a 3x3 grid. Players take turns placing their mark, X or O, in an empty square. The first player to place three of their marks in a horizontal, vertical, or diagonal row wins the game. You will play as player 1, therefore you play with X while your adversary plays with the symbol O. Your input is then a number (from 0 to 2) for the row followed by a space and another number (from 0 to 2) for the column, nothing else. Do not output anything else but the row col values else you lose.",
    "connectfour": "Connect-Four is a two-player game. The pieces fall straight down, occupying the next available space within a column. The objective of the game is to be the first to form a horizontal, vertical, or diagonal line of four of one's own discs. In a board, player 1, you, plays with symbol X, while player 2, your opponent, plays with symbol O. Your input is just a number from 0 to 6, nothing else.  Do not output anything else but the col value else you lose.",
    "battleship": "Battleship is a two-player guessing game where each player has a fleet of ships on a secret grid and then takes turns guessing the locations of the opponent's ships. The objective is to sink all of the opponent's ships by correctly guessing their locations. O's in a board mean that the player selected a square to attack and there was no ship there - it's a miss. Had there been a ship there, instead of a O you would see an X. In your board, an <S> signifies a ship position, and a <~> signifies sea. Your input is just two numbers with a space in between, one for the row (from 0 to {last}) and one for the column (from 0 to {last}), like: 0 0, nothing else. Do not output anything else but the row col values.",
}
SHAPES_SYSTEM = "You are playing the Shapes game. Shapes is a game where you receive an {n} by {n} square matrix of 0 and in it you will find a shape denoted by 1. You will have multiple choices and you have to choose the correct option. Only output a number for the option. Output nothing else but the number."
SHAPES_USER = "Here is the current game state:\n{state}\nPlease provide only the number corresponding to your choice, and nothing else.\nMy move is: "
LEGO = "A Lego piece is connected through interlocking pegs, not by merely touching sides. Two Lego pieces overlap when they share the same y-coordinate and any part of their length has the same x-coordinate. "
VALIDITY = (
    "You will receive a description of a Lego structure, for instance, [(x1, y1, 'color1'), (x2, y2, 'color2')], which lists the coordinates and colors of two pieces. A construct is valid if all Lego pieces are connected but not overlapping. "
    + LEGO
    + "If the following structure is valid then reply with valid, otherwise reply with invalid (do not write anything else): {pieces}"
)
CONSTRUCTION = (
    "A description of a Lego structure consists of a list of tuples, [(x1, y1, 'color1'), (x2, y2, 'color2')], where each tuple shows the coordinates and colors of a piece. Such a structure is valid if all Lego pieces are connected but not overlapping. "
    + LEGO
    + "Produce a description of a valid structure using {n} Lego pieces. Reply only with the Lego structure description following the format [(x1, y1, 'color1'), (x2, y2, 'color2'), ...], write nothing else but the structure."
)
# The released words never say how long a piece is, though every answer depends on it.
PIECE = "A Lego piece at (x, y) covers the four studs x, x+1, x+2 and x+3 of layer y. Two pieces are connected where their layers differ by one and they share a stud; all pieces must be connected, directly or through others. "
MOLECULE_SYSTEM = "You are a SMILES interpreter."
MOLECULE_USER = "The following is a depiction of a molecule that uses ASCII characters. The depiction uses element symbols for the corresponding atoms and * characters for single bonds between the atoms. Hence, the * characters are placed between two atoms that are connected by a single bond. Based on this depiction, write the SMILES string of the depicted molecule. Make sure that the SMILES string is correct and does not include the * characters:\n{drawing}\nPlease provide the corresponding SMILES string, write nothing else but the SMILES string."


def rules_of(look: Look, match: Match, seat: int) -> str:
    """The rules for a seat, as intended: true of any size, marks and notation."""
    from .harness import Line

    if not isinstance(match, Line):
        return _battleship(look, match.sea.size)
    rules, own, other = match.rules, look.symbols[seat], look.symbols[1 - seat]
    if rules.drops:
        what = f"Connect four is a two-player game on a board of {rules.rows} rows and {rules.cols} columns. Discs fall straight down to the next free place of a column."
        aim = f"The first to have {rules.line} of one's own discs in a horizontal, vertical or diagonal line wins."
        last = rules.cols - 1
        way = (
            f"one number from 0 to {last}, the column"
            if look.notation == "row col"
            else f"one letter from a to {chr(ord('a') + last)}, the column"
        )
    else:
        what = f"Tic-tac-toe is a two-player game on a board of {rules.rows} rows and {rules.cols} columns. Players in turn place their mark in a free square."
        aim = f"The first to have {rules.line} of their marks in a horizontal, vertical or diagonal line wins."
        way = _square(look, rules.cols)
    marks = f"You play with {own}, your opponent with {other}; {look.symbols[0]} moves first."
    return f"You are a player in a game. {what} {aim} {marks} Answer with {way}, and nothing else. A move that is not legal loses the game."


def _battleship(look: Look, size: int) -> str:
    what = f"Battleship is a two-player game. Each player has a fleet of ships on a sea of {size} rows and {size} columns that the other cannot see, and in turn they shoot at a square of the other's sea. Who first hits every square of the other's ships wins; no two ships touch."
    signs = "Of your own ships S is a square with a ship and X one that was hit; of your opponent's sea X is a hit, O a miss and ~ a square you have not shot at."
    return f"You are a player in a game. {what} {signs} Answer with {_square(look, size)}, and nothing else. Shooting at a square twice loses the game."


def _square(look: Look, size: int) -> str:
    if look.notation == "row col":
        return f"two numbers with a space between them, the row and the column, each from 0 to {size - 1}"
    return f"one letter from a to {chr(ord('a') + size - 1)} for the column and one number from 1 to {size} for the row, such as a1"
