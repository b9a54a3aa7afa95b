"""Which shape do the ones draw? Squares, triangles and crosses on a square of zeros, with four names to choose from.

000000
001000
011100        0: cross  1: triangle  2: circle  3: square      ->  "1"
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Example

from . import wording
from .puzzle import Asked, Puzzles

Grid = NDArray[np.int8]
KINDS: tuple[str, ...] = ("square", "triangle", "cross")
OPTIONS: tuple[str, ...] = (*KINDS, "circle")
SIZE, LARGE = 15, 25
NOISE = 0.03
SHIFTS: Mapping[str, tuple[Split, ...]] = {
    "size": (Split("board 25", "size", {"side": LARGE}, True),),
    "noise": (Split("flipped cells", "noise", {"side": SIZE, "flipped": NOISE}, True),),
    "shapes": (Split("circle or L", "shapes", {"side": SIZE}, True),),
    "rendering": (Split("cells listed", "rendering", {"side": SIZE}, True),),
}


def shapes(axis: str = "size", harness: str = "as_intended") -> Puzzles:
    """The task, its reference the released boards. As intended the circle is an option that can be right, too.

    Raises Invalid for an axis that shapes have not.
    """
    if axis not in SHIFTS:
        raise Invalid(f"axis={axis}: shapes are shifted along {', '.join(SHIFTS)}.")
    drawn = KINDS if harness == "as_released" else OPTIONS
    splits = (Split("board 15", axis, {"side": SIZE}), *SHIFTS[axis])
    return Puzzles("shapes", splits, lambda split, i, rng: _asked(split, drawn[i % len(drawn)], rng), graded)


def graded(example: Example, answer: str) -> dict[str, float]:
    """Whether the first whole number of an answer is the right option; `legal` if it is one at all."""
    # DEPARTS: replies without a number count as wrong; the released program leaves them out of both counts
    found = re.search(r"\b\d+\b", answer)
    legal = found is not None and int(found[0]) < len(OPTIONS)
    return {"exact": float(legal and found is not None and int(found[0]) == int(example.truth)), "legal": float(legal)}


def drawn(kind: str, n: int, rng: np.random.Generator, *, least: bool = False) -> Grid:
    """A shape as the released program draws it on n × n cells; with `least`, larger than it draws any on a board of 15."""
    half = SIZE // 2
    if kind == "square":
        side = int(rng.integers(half + 1 if least else 2, n // 2 + 1))
        return square(n, int(rng.integers(n - side + 1)), int(rng.integers(n - side + 1)), side)
    if kind == "triangle":
        side = int(rng.integers(half + 1 if least else 4, n // 2 + 1))
        return triangle(n, int(rng.integers(n - 2 * side + 1)), int(rng.integers(side, n - side + 1)), side)
    arm = int(rng.integers(SIZE // 4 + 1 if least else 2, n // 4 + 1))
    row, col = (int(rng.integers(arm, n - arm)) for _ in range(2))
    return {"cross": cross, "circle": circle, "L": ell}[kind](n, row, col, arm)


def square(n: int, row: int, col: int, side: int) -> Grid:
    """A full square whose upper left cell is (row, col)."""
    grid = np.zeros((n, n), np.int8)
    grid[row : row + side, col : col + side] = 1
    return grid


def triangle(n: int, row: int, col: int, side: int) -> Grid:
    """Rows of 1, 3, 5, … cells below the top (row, col), int(side · √3/2) of them."""
    grid = np.zeros((n, n), np.int8)
    for y in range(int(side * math.sqrt(3) / 2)):
        grid[row + y, max(0, col - y) : col + y + 1] = 1
    return grid


def cross(n: int, row: int, col: int, arm: int) -> Grid:
    """Two lines of 2·arm + 1 cells that cross at (row, col)."""
    grid = np.zeros((n, n), np.int8)
    grid[row, col - arm : col + arm + 1] = grid[row - arm : row + arm + 1, col] = 1
    return grid


def circle(n: int, row: int, col: int, arm: int) -> Grid:
    """A ring of that radius around (row, col)."""
    y, x = np.mgrid[:n, :n]
    return (np.abs(np.hypot(y - row, x - col) - arm) < 0.5).astype(np.int8)


def ell(n: int, row: int, col: int, arm: int) -> Grid:
    """The upper and the right arm of a cross."""
    grid = np.zeros((n, n), np.int8)
    grid[row, col : col + arm + 1] = grid[row - arm : row + 1, col] = 1
    return grid


def named(grid: Grid) -> str:
    """The kind of the shape that differs from a grid in the fewest cells; the oracle, a search of all shapes there are."""
    found = min(_all(len(grid)), key=lambda one: int(np.sum(one[1] != grid)))
    return found[0]


def solved(prompt: str) -> str:
    """The right option of a prompt."""
    return str(choices(prompt).index(named(pictured(prompt))))


def choices(prompt: str) -> list[str]:
    """The names a prompt offers, in order."""
    return re.findall(r"^\d+: (\w+)$", prompt, re.MULTILINE)


def pictured(prompt: str) -> Grid:
    """The grid a prompt shows, whether as rows or as a list of cells."""
    n = int(re.findall(r"receive an (\d+) by", prompt)[0])
    if rows := re.findall(rf"^[01]{{{n}}}$", prompt, re.MULTILINE):
        return np.array([list(map(int, row)) for row in rows], np.int8)
    grid = np.zeros((n, n), np.int8)
    for row, col in re.findall(r"\((\d+), (\d+)\)", prompt):
        grid[int(row), int(col)] = 1
    return grid


def _all(n: int) -> Iterator[tuple[str, Grid]]:
    """Every shape on n × n cells, with its kind."""
    for side in range(2, n // 2 + 1):
        for r in range(n - side + 1):
            yield from (("square", square(n, r, c, side)) for c in range(n - side + 1))
    for side in range(4, n // 2 + 1):
        for r in range(n - 2 * side + 1):
            yield from (("triangle", triangle(n, r, c, side)) for c in range(side, n - side + 1))
    for arm in range(2, n // 4 + 1):
        for kind, made in (("cross", cross), ("circle", circle), ("L", ell)):
            for r in range(arm, n - arm):
                yield from ((kind, made(n, r, c, arm)) for c in range(arm, n - arm))


def _asked(split: Split, kind: str, rng: np.random.Generator) -> Asked:
    n, options = int(str(split.at["side"])), [str(name) for name in OPTIONS]
    if split.name == "circle or L":
        kind = ("circle", "L")[int(rng.integers(2))]
        options[-1] = kind
    grid = drawn(kind, n, rng, least=n > SIZE)
    if "flipped" in split.at:
        grid = grid ^ (rng.random(grid.shape) < NOISE).astype(np.int8)
    shuffled = [options[i] for i in rng.permutation(len(options))]
    picture = "\n".join("".join(map(str, row)) for row in grid.tolist())
    if split.axis == "rendering" and split.shifted:
        picture = "Cells that hold 1, as (row, column): " + ", ".join(
            f"({r}, {c})" for r, c in np.argwhere(grid).tolist()
        )
    told = f"{picture}\n\nAnswers:\n" + "\n".join(f"{i}: {name}" for i, name in enumerate(shuffled))
    system = wording.SHAPES_SYSTEM.replace("{n}", str(n))
    user = wording.SHAPES_USER.replace("{state}", told)
    return Asked(system, user, str(shuffled.index(kind)), {} if split.name == "circle or L" else {"shape": kind})
