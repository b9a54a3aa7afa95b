"""What can stand in a scene, and what can be asked of it? The alphabet of generic COG: letters, colours, cells, operators.

World(side=10, shapes=26, colours=10, queried=10).classes  ->  138: true, false, 100 cells, 26 letters, 10 colours
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "white", "pink", "cyan", "brown")
OPERATORS = ("exist", "go", "getcolor", "getshape", "sumeven", "sumodd", "producteven", "productodd")
EXIST, GO, GETCOLOR, GETSHAPE, SUMEVEN, SUMODD, PRODUCTEVEN, PRODUCTODD = range(8)
SWITCH = len(OPERATORS)  # the connector: if its condition holds, its first branch is worked out, else its second
PARITIES = (SUMEVEN, SUMODD, PRODUCTEVEN, PRODUCTODD)
CONDITIONS = (EXIST, *PARITIES)  # operators with a truth value

Index = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class World:
    """Square grids of coloured letters, one letter a cell; questions speak of the first `queried` letters and colours."""

    side: int = 10
    shapes: int = 26
    colours: int = 10
    queried: int = 10

    def __post_init__(self) -> None:
        if not 2 <= self.side <= 100:
            raise Invalid(f"a grid of side={self.side}: it has 2 to 100 cells a side.")
        if not 1 <= self.shapes <= len(LETTERS) or not 1 <= self.colours <= len(COLOURS):
            raise Invalid(f"shapes={self.shapes}, colours={self.colours}: there are 26 letters and 10 colours at most.")
        if not 1 <= self.queried <= min(self.shapes, self.colours):
            raise Invalid(
                f"queried={self.queried}: questions speak of 1 to {min(self.shapes, self.colours)} letters and colours."
            )

    @property
    def cells(self) -> int:
        """Cells of a grid; the cell in column x of row y has the number y·side + x."""
        return self.side**2

    @property
    def classes(self) -> int:
        """Possible answers: true, false, every cell, every letter, every colour."""
        return 2 + self.cells + self.shapes + self.colours

    def kinds(self) -> Index:
        """The parity class [cell] of each cell, 2·(y odd) + (x odd)."""
        y, x = np.divmod(np.arange(self.cells), self.side)
        return 2 * (y % 2) + x % 2

    def answer(self, number: int) -> str:
        """An answer's words, such as `true`, `(3, 2)` (column, row), `a` or `red`."""
        if number < 2:
            return ("true", "false")[number]
        cell = number - 2
        if cell < self.cells:
            return f"({cell % self.side}, {cell // self.side})"
        shape = cell - self.cells
        return LETTERS[shape] if shape < self.shapes else COLOURS[shape - self.shapes]

    def number(self, answer: str) -> int:
        """The class of an answer's words. Raises Invalid for words that answer nothing here."""
        known = {self.answer(i): i for i in range(self.classes)}
        if answer not in known:
            raise Invalid(f"{answer!r} is no answer here: true, false, (column, row), a letter, or a colour.")
        return known[answer]

    def guess(self) -> NDArray[np.float64]:
        """The share [operator] of its most frequent answer, which is what guessing gives."""
        found = np.full(len(OPERATORS), 0.5)
        found[GO], found[GETCOLOR], found[GETSHAPE] = 1 / self.cells, 1 / self.queried, 1 / self.queried
        return found
