"""Which questions about chords and colours of regular polygons are asked, and what is their exact answer?

polygon_chords  '… a regular 8-gon … How many pairs of these diagonals are perpendicular …?'    8:1-4 2-6 3-7
rotation        '… rotated by 2 vertices … How many of the regions have 4 sides?'               8 r2 s4:1-4 2-6
polygon_color   '… How many red vertices are now where blue ones were?'                         6 r2 rb:rbbrrb

DEPARTS: the official answers count perpendicular pairs that meet outside the polygon, and regions as seen in a picture
of 10,000 by 10,000 points, in which small ones are lost. Here pairs meet in the polygon, and regions are exact.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..problem import Family, Problem, parameters
from ..solvers import chords
from ..solvers.chords import Chord

CHORDS = {1: (6, 7), 2: (8, 9), 3: (10, 11), 4: (12, 13), 5: (14, 15)}
# Vertices from and to, and diagonals from and to.
ROTATED = {
    1: (6, 12, 2, 2), 2: (6, 12, 3, 3), 3: (6, 12, 4, 4), 4: (6, 12, 5, 5), 5: (6, 12, 6, 6), 6: (20, 25, 7, 12),
}  # fmt: skip
COLOURED = {1: (6, 7), 2: (8, 9), 3: (10, 11), 4: (12, 13), 5: (14, 15)}
COLOURS = ("red", "blue")
ODD = 0.05  # how often a polygon of an odd number of vertices, which has no perpendicular diagonals, is kept


def polygon_chords(level: int, rng: np.random.Generator) -> Problem:
    """The number of pairs of diagonals of a regular polygon of 6 to 15 vertices that meet at a right angle in it."""
    few, many = parameters("polygon_chords", level, CHORDS)
    d = int(rng.integers(few, many + 1))
    while True:
        n = int(rng.integers(6, 16))
        if n * (n - 3) // 2 >= d and (n % 2 == 0 or rng.random() < ODD):
            break
    drawn = _diagonals(n, d, rng)
    answer = sum(chords.perpendicular(one, other, n) for i, one in enumerate(drawn) for other in drawn[:i])
    asked = (
        f"{_polygon(n)} These diagonals are drawn: {_listed(drawn)}. How many pairs of these diagonals meet at a "
        "right angle, inside the polygon or at one of its vertices? Answer with one integer."
    )
    at = {"vertices": n, "diagonals": d}
    return Problem(asked, f"{n}:{_short(drawn)}", str(answer), "integer", at=at)


def rotation(level: int, rng: np.random.Generator) -> Problem:
    """The number of regions with s sides into which diagonals and their rotated copies cut a regular polygon."""
    low, high, few, many = parameters("rotation", level, ROTATED)
    n, d = int(rng.integers(low, high + 1)), int(rng.integers(few, many + 1))
    r = int(rng.integers(1, n))
    drawn = _diagonals(n, d, rng)
    rotated = {(min(ends), max(ends)) for ends in (((a + r) % n, (b + r) % n) for a, b in drawn)}
    regions = chords.sides(n, {*drawn, *rotated})
    kinds = sorted(set(regions))
    s = kinds[int(rng.integers(len(kinds)))]
    asked = (
        f"{_polygon(n)} These diagonals are drawn: {_listed(drawn)}. Then the polygon with its diagonals is rotated "
        f"counterclockwise by {r} {'vertex' if r == 1 else 'vertices'}, so that vertex 1 comes to where vertex "
        f"{r % n + 1} was, and laid over the original, so that the figure has both the diagonals and their rotated "
        "copies. They cut the polygon into regions, none of which has a line running through it. How many of these "
        f"regions have exactly {s} sides? Answer with one integer."
    )
    at = {"vertices": n, "diagonals": d, "rotated": r, "sides": s}
    return Problem(asked, f"{n} r{r} s{s}:{_short(drawn)}", str(regions.count(s)), "integer", at=at)


def polygon_color(level: int, rng: np.random.Generator) -> Problem:
    """A polygon of red and blue vertices is rotated: completions of it (0.4), vertices at a rotation (0.2) or the most
    over all rotations (0.4)."""
    low, high = parameters("polygon_color", level, COLOURED)
    n = int(rng.integers(low, high + 1))
    mask = int(rng.integers(1 << n))  # bit i: vertex i has the colour asked for
    colour, other = COLOURS if rng.random() < 0.5 else COLOURS[::-1]
    kind = rng.random()
    if kind < 0.4:
        return _completions(n, mask, colour, other, rng)
    if kind < 0.6:
        return _covered(n, mask, colour, other, int(rng.integers(1, n)))
    return _most_covered(n, mask, colour, other)


def completions(n: int, mask: int, blank: int) -> int:
    """How many colourings of the vertices `blank` (a bit each) let some rotation carry every vertex of `mask` onto a
    vertex that is not in it."""
    count, part = 0, 0
    while True:
        whole = mask & ~blank | part
        count += any(not moved(n, whole, r) & whole for r in range(n))
        part = (part - blank) & blank  # the next subset of the blank vertices
        if not part:
            return count


def moved(n: int, mask: int, r: int) -> int:
    """The vertices of `mask`, each rotated by r positions in the order of their numbers."""
    return (mask << r | mask >> (n - r)) & ((1 << n) - 1)


def _completions(n: int, mask: int, colour: str, other: str, rng: np.random.Generator) -> Problem:
    blank = sum(1 << int(i) for i in rng.permutation(n)[:3])
    words = _words(n, mask, colour, other, blank)
    asked = (
        f"{_coloured(n, words)} In how many ways can the three uncolored vertices be colored, each red or blue, such "
        f"that some rotation of the {n}-gon brings every {colour} vertex to a position where originally a vertex was "
        f"{other}? Answer with one integer."
    )
    compact = f"{n} ways {colour[0]}{other[0]}:{''.join(word[0] for word in words)}"
    return Problem(asked, compact, str(completions(n, mask, blank)), "integer", at={"vertices": n, "asked": "ways"})


def _covered(n: int, mask: int, colour: str, other: str, r: int) -> Problem:
    words = _words(n, mask, colour, other)
    asked = (
        f"{_coloured(n, words)} The {n}-gon is rotated clockwise by {r} position{'s' * (r > 1)}, so that vertex 0 "
        f"comes to where vertex {r} was. How many {colour} vertices are now at positions where originally a vertex "
        f"was {other}? Answer with one integer."
    )
    answer = (moved(n, mask, r) & ~mask).bit_count()
    compact = f"{n} r{r} {colour[0]}{other[0]}:{''.join(word[0] for word in words)}"
    return Problem(asked, compact, str(answer), "integer", at={"vertices": n, "asked": "covered"})


def _most_covered(n: int, mask: int, colour: str, other: str) -> Problem:
    words = _words(n, mask, colour, other)
    asked = (
        f"{_coloured(n, words)} What is the largest number of {colour} vertices that a rotation of the {n}-gon can "
        f"bring to positions where originally a vertex was {other}? Answer with one integer."
    )
    answer = max((moved(n, mask, r) & ~mask).bit_count() for r in range(n))
    compact = f"{n} most {colour[0]}{other[0]}:{''.join(word[0] for word in words)}"
    return Problem(asked, compact, str(answer), "integer", at={"vertices": n, "asked": "most"})


def _words(n: int, mask: int, colour: str, other: str, blank: int = 0) -> list[str]:
    return ["uncolored" if blank >> i & 1 else colour if mask >> i & 1 else other for i in range(n)]


def _coloured(n: int, words: list[str]) -> str:
    told = ", ".join(f"vertex {i} is {word}" for i, word in enumerate(words))
    return f"The vertices of a regular {n}-gon are numbered 0 to {n - 1} in clockwise order. They are colored: {told}."


def _polygon(n: int) -> str:
    return f"The vertices of a regular {n}-gon are numbered 1 to {n} in counterclockwise order."


def _diagonals(n: int, d: int, rng: np.random.Generator) -> list[Chord]:
    """d different diagonals of a polygon of n vertices 0 … n-1, drawn uniformly."""
    every = [(a, b) for a in range(n - 2) for b in range(a + 2, n - (a == 0))]
    return [every[index] for index in rng.permutation(len(every))[:d].tolist()]


def _listed(drawn: Iterable[Chord]) -> str:
    return ", ".join(f"from vertex {a + 1} to vertex {b + 1}" for a, b in drawn)


def _short(drawn: Iterable[Chord]) -> str:
    return " ".join(f"{a + 1}-{b + 1}" for a, b in drawn)


FAMILIES: tuple[Family, ...] = (
    Family("polygon_chords", "geometry", tuple(CHORDS), polygon_chords),
    Family("rotation", "geometry", tuple(ROTATED), rotation),
    Family("polygon_color", "geometry", tuple(COLOURED), polygon_color),
)
