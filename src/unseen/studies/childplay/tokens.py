"""How do boards, shapes and structures become tokens? `sos prompt > answer`, the answer being one word.

tictactoe   O-moves # # # # # X . O # . X . # . . .  >  c11      a 3 × 3 board anywhere in a 4 × 4 frame
shapes      0 0 0 1 0 …  >  cross                                 15 × 15 cells
lego        x3 y4 x5 y5 …  >  valid                               pieces in any order, without colours
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id
from unseen.tasks.drawn import split_named
from unseen.tasks.layout import FIRST, SEP, SOS, SPECIAL

from . import lego, shapes
from .rules import Board, Rules, completes, legal, played, tictactoe
from .solver import best, reachable, sound

Tokens = NDArray[np.int64]
Marks = NDArray[np.bool_]
LARGE = 4  # cells a side of the frame, and of the larger boards of tic-tac-toe
HELD_OUT = 10  # one in so many positions, and classes of equal ones, is not trained on
FREE_AT_MOST = 7  # cells of a 4 × 4 board, so that its value is found in no time
WIDTHS, WIDER = (3, 5, 7), (9, 11)  # of shapes: trained on, and larger
TRAINED, MORE = (2, 3, 4), (5, 6, 7, 8)  # pieces
STUDS, LAYERS = 24, 12
POOL = 20_000  # structures trained on


@dataclass(frozen=True)
class Posed:
    """Questions: prompt tokens [item length], padded with 0; the answer trained on [item]; which tokens are right and
    which are legal [item vocab]."""

    prompt: Tokens
    answer: Tokens
    right: Marks
    legal: Marks


@dataclass(frozen=True, slots=True)
class Question(Example):
    """An example with every answer that is right."""

    right: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Coded:
    """A TokenTask whose answers are one word: `pose(split, n, rng)` draws questions."""

    name: str
    words: tuple[str, ...]
    splits: tuple[Split, ...]
    pose: Callable[[str, int, np.random.Generator], Posed]
    room: int  # tokens of the longest prompt
    shuffled: bool = False  # trained on the answers of other questions, a control

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    def longest(self, split: str) -> int:
        """The most tokens of a sequence."""
        return self.room + 3

    def posed(self, split: str, n: int, rng: np.random.Generator) -> Posed:
        """n questions of a split. Raises Unknown for one that is not there."""
        return self.pose(split_named(self, split).name, n, rng)

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split with the place of their answers."""
        made = self.posed(split, n, rng)
        answer = rng.permutation(made.answer) if self.shuffled and split == "train" else made.answer
        return laid(made.prompt, answer)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Question]:
        """n questions with distinct prompts, fewer where there are fewer."""
        where = split_named(self, split)
        found: dict[str, Question] = {}
        for _ in range(20):
            made = self.posed(split, n, rng)
            for prompt, answer, right in zip(made.prompt, made.answer, made.right, strict=True):
                text = " ".join(self.words[t] for t in prompt if t) + f" {SPECIAL[SEP]}"
                truths = tuple(self.words[int(i)] for i in np.flatnonzero(right))
                if len(found) < n:
                    name = example_id(self.name, split, text)
                    found.setdefault(text, Question(name, text, self.words[int(answer)], where, None, {}, truths))
            if len(found) == n:
                break
        return list(found.values())

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: whether the word is one of the right ones."""
        right = example.right if isinstance(example, Question) else (example.truth,)
        return {"exact": float(answer.strip() in right)}


def laid(prompt: Tokens, answer: Tokens) -> Batch:
    """`sos prompt > answer` of each question [item length], and where the answer stands."""
    asked = (prompt != 0).sum(1)
    rows = np.arange(len(asked))
    tokens = np.zeros((len(asked), int(asked.max()) + 3), np.int64)
    tokens[:, 0] = SOS
    tokens[:, 1 : 1 + prompt.shape[1]] = prompt[:, : tokens.shape[1] - 1]
    tokens[rows, asked + 1], tokens[rows, asked + 2] = SEP, answer
    return Batch(tokens, np.arange(tokens.shape[1]) == (asked + 2)[:, None])


MARKS = (".", "X", "O", "#")
MOVERS = ("X-moves", "O-moves")
BOARD_WORDS = (*SPECIAL, *MARKS, *MOVERS, *(f"c{i}" for i in range(LARGE * LARGE)))
MARK, MOVER, CELL = FIRST, FIRST + len(MARKS), FIRST + len(MARKS) + len(MOVERS)


def tictactoe_tokens(shuffled: bool = False, frame: int = 3) -> Coded:
    """Positions of tic-tac-toe and a best move: trained on games that X began, some positions and classes held out.

    Reference: positions held out, whose mirror images may be trained on. Shifted: classes of positions held out with
    all their images; the marks exchanged, as if O had begun; with a frame of 4, boards of 4 × 4 with four in a line.
    """
    splits = (
        Split("unseen positions"),
        Split("unseen classes", "position", {}, True),
        Split("marks exchanged", "symbols", {}, True),
        *((Split("4 by 4", "size", {"side": LARGE}, True),) if frame == LARGE else ()),
    )
    name = "tictactoe_tokens" if frame == 3 else "framed_tictactoe_tokens"
    return Coded(name, BOARD_WORDS, splits, partial(_positions, frame), frame**2 + 1, shuffled)


def canonical(board: Board, n: int = 3) -> Board:
    """The least of the eight boards that turning and mirroring make of a board."""
    grid = np.array(board).reshape(n, n)
    turned = [np.rot90(g, k) for g in (grid, grid.T) for k in range(4)]
    return min(tuple(int(v) for v in g.ravel()) for g in turned)


@dataclass(frozen=True, eq=False)
class Boards:
    """Positions as arrays [position cell]: marks, and which moves are best, sound and legal."""

    marks: Tokens
    best: Marks
    sound: Marks
    legal: Marks


def boards_of(rules: Rules, boards: Sequence[Board]) -> Boards:
    """Positions with their moves, searched to the end."""
    found = [np.zeros((len(boards), rules.cells), bool) for _ in range(3)]
    for i, board in enumerate(boards):
        for moves, mask in zip((best(rules, board, 0), sound(rules, board), legal(rules, board)), found, strict=True):
            mask[i, moves] = True
    return Boards(np.array(boards, np.int64), *found)


@cache
def small_boards() -> Mapping[str, Boards]:
    """The undecided positions of 3 × 3: those trained on, those held out, and the classes held out."""
    rules = tictactoe()
    held: dict[str, list[Board]] = {"train": [], "unseen positions": [], "unseen classes": []}
    for board in sorted(b for b, on in reachable(rules).items() if on):
        alone, kind = (_tenth(b) for b in (board, canonical(board)))
        held["unseen classes" if kind else "unseen positions" if alone else "train"].append(board)
    return {name: boards_of(rules, boards) for name, boards in held.items()}


def _tenth(board: Board) -> bool:
    """Whether a board is one of the tenth held out, by its digest."""
    return hashlib.sha256(bytes(board)).digest()[0] < 256 // HELD_OUT


def _positions(frame: int, split: str, n: int, rng: np.random.Generator) -> Posed:
    if split == "4 by 4":
        rules = tictactoe(LARGE)
        return _framed(frame, boards_of(rules, [_late(rules, rng) for _ in range(n)]), np.arange(n), rng)
    among = small_boards()["unseen positions" if split == "marks exchanged" else split]
    chosen = rng.integers(len(among.marks), size=n)
    return _framed(frame, among, chosen, rng, exchanged=split == "marks exchanged")


def _late(rules: Rules, rng: np.random.Generator) -> Board:
    """An undecided position of random play with few cells left."""
    while True:
        board, marks = rules.empty, rules.cells - int(rng.integers(2, FREE_AT_MOST + 1))
        for _ in range(marks):
            among = legal(rules, board)
            move = among[int(rng.integers(len(among)))]
            board = played(rules, board, move)
            if completes(rules, board, move):
                break
        else:
            return board


def _framed(frame: int, of: Boards, chosen: Tokens, rng: np.random.Generator, *, exchanged: bool = False) -> Posed:
    """Chosen boards somewhere in the frame, with one of their best moves."""
    n, cells = len(chosen), of.marks.shape[1]
    side, items = int(cells**0.5), np.arange(len(chosen))[:, None]
    corner = rng.integers(frame - side + 1, size=(2, n, 1))
    cell = np.arange(cells)
    at = (corner[0] + cell // side) * frame + corner[1] + cell % side  # [item cell] places in the frame
    marks = of.marks[chosen]
    prompt = np.full((n, 1 + frame**2), MARK + 3, np.int64)
    prompt[:, 0] = MOVER + ((marks > 0).sum(1) % 2 ^ int(exchanged))
    prompt[items, 1 + at] = MARK + np.where(exchanged & (marks > 0), 3 - marks, marks)
    picked = np.argmax(of.best[chosen] * rng.random((n, cells)), 1)
    right, allowed = (np.zeros((n, len(BOARD_WORDS)), bool) for _ in range(2))
    right[items, CELL + at], allowed[items, CELL + at] = of.sound[chosen], of.legal[chosen]
    return Posed(prompt, CELL + at[items[:, 0], picked], right, allowed)


TOGETHER = 3  # cells of a token, as tokenizers take digits together
SHAPE_WORDS = (*SPECIAL, *(f"{i:03b}" for i in range(2**TOGETHER)), *shapes.KINDS)
KIND = len(SHAPE_WORDS) - len(shapes.KINDS)


def shape_tokens(shuffled: bool = False) -> Coded:
    """Squares, triangles and crosses on 15 × 15 cells: trained on those 3 to 7 cells wide, tested on wider ones."""
    splits = (
        Split("widths 3 to 7", "size", {"wide": max(WIDTHS)}),
        *(Split(f"width {w}", "size", {"wide": w}, True) for w in WIDER),
    )
    return Coded("shapes_tokens", SHAPE_WORDS, splits, _pictures, shapes.SIZE**2 // TOGETHER, shuffled)


def _pictures(split: str, n: int, rng: np.random.Generator) -> Posed:
    widths = rng.choice(WIDTHS, n) if split in ("train", "widths 3 to 7") else np.full(n, int(split.split()[1]))
    kinds = rng.integers(len(shapes.KINDS), size=n)
    cells = np.zeros((n, shapes.SIZE**2 // TOGETHER, TOGETHER), np.int64)
    for i, (kind, wide) in enumerate(zip(kinds, widths, strict=True)):
        cells[i] = _shape(shapes.KINDS[int(kind)], int(wide), rng).reshape(cells.shape[1:])
    prompt, answer = FIRST + cells @ (4, 2, 1), KIND + kinds
    right = np.arange(len(SHAPE_WORDS)) == answer[:, None]
    allowed = np.broadcast_to(np.arange(len(SHAPE_WORDS)) >= KIND, right.shape)
    return Posed(prompt, answer, right, allowed)


def _shape(kind: str, wide: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """A shape of a width, anywhere: a square, a triangle half as high, or a cross."""
    size, half = shapes.SIZE, wide // 2
    high = half + 1 if kind == "triangle" else wide
    grid = np.zeros((size, size), np.int8)
    row, col = int(rng.integers(size - high + 1)), int(rng.integers(size - wide + 1))
    if kind == "square":
        return shapes.square(size, row, col, wide)
    if kind == "cross":
        return shapes.cross(size, row + half, col + half, half)
    for y in range(high):
        grid[row + y, col + half - y : col + half + y + 1] = 1
    return grid


LEGO_WORDS = (*SPECIAL, *(f"x{i}" for i in range(STUDS)), *(f"y{i}" for i in range(LAYERS)), "valid", "invalid")


def lego_tokens(shuffled: bool = False) -> Coded:
    """Structures and whether they are valid, half of them near misses: trained on 2 to 4 pieces, tested on 5 to 8."""
    splits = (
        Split("2 to 4 pieces", "pieces", {"pieces": max(TRAINED)}),
        *(Split(f"{n} pieces", "pieces", {"pieces": n}, True) for n in MORE),
    )
    return Coded("lego_tokens", LEGO_WORDS, splits, _structures, 2 * max(MORE), shuffled)


@cache
def pool() -> tuple[tuple[lego.Piece, ...], ...]:
    """The structures trained on, of 2 to 4 pieces, valid and invalid in turn."""
    rng = np.random.default_rng(0)
    return tuple(tuple(_structure(int(rng.choice(TRAINED)), i % 2 == 0, rng)) for i in range(POOL))


def _structures(split: str, n: int, rng: np.random.Generator) -> Posed:
    if split == "train":
        among = pool()
        made = [among[int(i)] for i in rng.integers(len(among), size=n)]
    else:
        counts = rng.choice(TRAINED, n) if split == "2 to 4 pieces" else [int(split.split()[0])] * n
        made = [_structure(int(c), i % 2 == 0, rng) for i, c in enumerate(counts)]
    prompt = np.zeros((n, 2 * max(map(len, made))), np.int64)
    answer = np.zeros(n, np.int64)
    for i, pieces in enumerate(made):
        placed = np.array([p[:2] for p in pieces]) - np.min([p[:2] for p in pieces], 0)
        spare = [STUDS - int(placed[:, 0].max()), LAYERS - int(placed[:, 1].max())]
        placed = placed[rng.permutation(len(placed))] + [int(rng.integers(s)) for s in spare]
        prompt[i, 0 : 2 * len(placed) : 2] = FIRST + placed[:, 0]
        prompt[i, 1 : 2 * len(placed) : 2] = FIRST + STUDS + placed[:, 1]
        answer[i] = len(LEGO_WORDS) - 2 + (not lego.valid(pieces))
    right = np.arange(len(LEGO_WORDS)) == answer[:, None]
    allowed = np.broadcast_to(np.arange(len(LEGO_WORDS)) >= len(LEGO_WORDS) - 2, right.shape)
    return Posed(prompt, answer, right, allowed)


def _structure(n: int, good: bool, rng: np.random.Generator) -> list[lego.Piece]:
    """A structure that fits the studs and layers there are."""
    while True:
        pieces = lego.grown(n, rng) if good else lego.broken(n, rng)
        spread = np.ptp([p[:2] for p in pieces], axis=0)
        if spread[0] < STUDS and spread[1] < LAYERS:
            return pieces
