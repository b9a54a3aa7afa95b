"""Do these pieces hold together? The LEGO connect language: is a structure valid, and can one be written?

[(0, 0, 'blue'), (2, 1, 'red')]     valid: the second piece covers studs 2..5 of layer 1, two of them above the first

A piece covers four studs of one layer. A structure is valid where no two pieces share a stud of a layer, and all hang
together through pieces whose layers differ by one and that share a stud. There is no ground, and no gravity.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Example

from . import wording
from .puzzle import Asked, Puzzles

Piece = tuple[int, int, str]
LENGTH = 4
COLOURS = ("blue", "yellow", "red")
PIECES: Mapping[str, tuple[int, tuple[int, ...]]] = {"validity": (5, (3, 7, 10)), "construction": (3, (5, 8, 10))}


def overlapping(pieces: Sequence[Piece]) -> bool:
    """Whether two pieces share a stud of a layer."""
    return any(a[1] == b[1] and abs(a[0] - b[0]) < LENGTH for i, a in enumerate(pieces) for b in pieces[:i])


def joined(a: Piece, b: Piece) -> bool:
    """Whether two pieces are pegged together."""
    return abs(a[1] - b[1]) == 1 and abs(a[0] - b[0]) < LENGTH


def valid(pieces: Sequence[Piece]) -> bool:
    """Whether there are pieces, none overlap, and all hang together."""
    if not pieces or overlapping(pieces):
        return False
    reached, wave = {0}, [0]
    while wave:
        at = pieces[wave.pop()]
        new = [i for i, p in enumerate(pieces) if i not in reached and joined(at, p)]
        reached.update(new)
        wave += new
    return len(reached) == len(pieces)


def grown(n: int, rng: np.random.Generator) -> list[Piece]:
    """A valid structure as the released program grows it: from (0, 0), a place at a time, each upon a piece below."""
    pieces: list[Piece] = [(0, 0, _colour(rng))]
    while len(pieces) < n:
        places = sorted({p for x, y, _ in pieces for p in _near(x, y) if _fits(p, pieces)})
        x, y = places[int(rng.integers(len(places)))]
        pieces.append((x, y, _colour(rng)))
    return pieces


def scattered(n: int, rng: np.random.Generator) -> list[Piece]:
    """An invalid structure as the released program draws it: pieces anywhere, drawn again while they are valid."""
    while True:
        pieces = [(int(rng.integers(11)) * 4, int(rng.integers(11)), _colour(rng)) for _ in range(n)]
        if not valid(pieces):
            return pieces


def broken(n: int, rng: np.random.Generator) -> list[Piece]:
    """A valid structure with one piece moved a little, so that it no longer is."""
    pieces = grown(n, rng)
    while True:
        i = int(rng.integers(n))
        x, y, colour = pieces[i]
        moved = (x + int(rng.integers(-6, 7)), y + int(rng.integers(-2, 3)), colour)
        made = [*pieces[:i], moved, *pieces[i + 1 :]]
        if not valid(made):
            return made


def set_anywhere(pieces: Sequence[Piece], rng: np.random.Generator) -> list[Piece]:
    """The same structure moved to another place, its pieces in another order, so that neither tells anything."""
    dx, dy = int(rng.integers(0, 21)) - min(p[0] for p in pieces), int(rng.integers(0, 8)) - min(p[1] for p in pieces)
    return [(pieces[i][0] + dx, pieces[i][1] + dy, pieces[i][2]) for i in rng.permutation(len(pieces))]


def validity(axis: str = "pieces", harness: str = "as_intended") -> Puzzles:
    """The task of telling valid structures from invalid ones, half of each.

    As intended invalid ones are near misses, and the words say how long a piece is. Raises Invalid for another axis.
    """
    return Puzzles("lego_validity", _splits("validity", axis), lambda s, i, rng: _judged(s, i, harness, rng), _verdict)


def construction(axis: str = "pieces", harness: str = "as_intended") -> Puzzles:
    """The task of writing a valid structure of n pieces; as intended its first piece is given, so that prompts differ."""
    return Puzzles(
        "lego_construction", _splits("construction", axis), lambda s, i, rng: _built(s, harness, rng), _written
    )


def read(text: str) -> list[Piece]:
    """The pieces of the first list that a text holds. Raises Invalid where it holds none, or something else."""
    found = re.search(r"\[\s*(.*?)\s*\]", text, re.DOTALL)
    if found is None:
        raise Invalid(f"no list of pieces stands in {text[:60]!r}.")
    try:
        told = ast.literal_eval(found[0])
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise Invalid(f"{found[0][:60]!r} is no list of pieces.") from None
    if len(told) == 1 and isinstance(told[0], tuple) and told[0] and all(isinstance(p, tuple) for p in told[0]):
        told = list(told[0])
    for piece in told:
        if not (
            isinstance(piece, tuple)
            and len(piece) == 3
            and type(piece[0]) is type(piece[1]) is int
            and isinstance(piece[2], str)
        ):
            raise Invalid(f"{piece!r} is no piece: a piece is (x, y, 'colour').")
    return told


def solved(prompt: str) -> str:
    """The right answer to a prompt of either task."""
    if "structure using" not in prompt:
        return "valid" if valid(read(prompt.rpartition("anything else): ")[2])) else "invalid"
    n = int(re.findall(r"structure using (\d+) Lego", prompt)[0])
    first = re.findall(r"first piece is \((-?\d+), (-?\d+), '(\w+)'\)", prompt)
    x, y, colour = (int(first[0][0]), int(first[0][1]), first[0][2]) if first else (0, 0, "blue")
    return str([(x, y + i, colour) for i in range(n)])


def glanced(prompt: str) -> str:
    """What somebody answers who looks at the first piece alone: valid if it lies at (0, 0)."""
    return "valid" if read(prompt.rpartition("anything else): ")[2])[0][:2] == (0, 0) else "invalid"


def _splits(kind: str, axis: str) -> tuple[Split, ...]:
    if axis != "pieces":
        raise Invalid(f"axis={axis}: LEGO structures are shifted along pieces alone.")
    first, more = PIECES[kind]
    return tuple(Split(f"{n} pieces", "pieces", {"pieces": n}, n != first) for n in (first, *more))


def _judged(split: Split, i: int, harness: str, rng: np.random.Generator) -> Asked:
    n, good = int(str(split.at["pieces"])), i % 2 == 0
    if harness == "as_released":
        pieces, lead = grown(n, rng) if good else scattered(n, rng), ""
    else:
        pieces, lead = set_anywhere(grown(n, rng) if good else broken(n, rng), rng), wording.PIECE
    return Asked("", lead + wording.VALIDITY.replace("{pieces}", str(pieces)), "valid" if good else "invalid")


def _verdict(example: Example, answer: str) -> dict[str, float]:
    """As released: anything but the two words counts as invalid; `legal` tells whether it was one of them."""
    said = answer.strip().lower().rstrip(".")
    legal = said in ("valid", "invalid")
    return {"exact": float((said if legal else "invalid") == example.truth), "legal": float(legal)}


def _built(split: Split, harness: str, rng: np.random.Generator) -> Asked:
    n = int(str(split.at["pieces"]))
    user = wording.CONSTRUCTION.replace("{n}", str(n))
    first = (0, 0, "blue")
    if harness == "as_intended":
        first = (int(rng.integers(0, 21)), int(rng.integers(0, 11)), _colour(rng))
        user = f"{wording.PIECE}{user} The first piece is {first}."
    return Asked("", user, str([(first[0], first[1] + i, first[2]) for i in range(n)]))


def _written(example: Example, answer: str) -> dict[str, float]:
    """`exact`: a valid structure of the number of pieces asked for; `legal`: a list of pieces at all."""
    try:
        pieces = read(answer)
    except Invalid:
        return {"exact": 0.0, "legal": 0.0}
    # DEPARTS: the released program takes a valid structure of any number of pieces, one piece among them, for right
    asked = int(str(example.split.at["pieces"]))
    return {"exact": float(valid(pieces) and len(pieces) == asked), "legal": 1.0}


def _near(x: int, y: int) -> list[tuple[int, int]]:
    return [(x - 4, y), (x + 4, y), (x, y + 1), (x - 2, y), (x + 2, y), (x - 2, y + 1), (x + 2, y + 1)]


def _fits(place: tuple[int, int], pieces: Sequence[Piece]) -> bool:
    """Whether the released program sets a piece there: free, and upon a piece one layer below."""
    x, y = place
    if any(py == y and abs(px - x) < LENGTH for px, py, _ in pieces):
        return False
    if y == 0:  # it never sets two pieces side by side on the ground
        return not any(py == 0 and abs(px - x) == LENGTH for px, py, _ in pieces)
    return any(py == y - 1 and abs(px - x) < LENGTH for px, py, _ in pieces)


def _colour(rng: np.random.Generator) -> str:
    return COLOURS[int(rng.integers(len(COLOURS)))]
