"""Which scene makes a question's answer come out so? Truths are drawn first, scenes backward from them.

items = scenes.of(trees, world, counts, rng)     ->  items.shape [n cell], items.answer [n]

Every condition, and every leaf with a truth value, is true with probability 1/2 whatever the grid; both branches of a
switch can be worked out in the scene, so that nothing but the condition tells which one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import orders
from .trees import Trees, first, levels
from .world import EXIST, GETCOLOR, GETSHAPE, GO, PARITIES, PRODUCTEVEN, SUMODD, Index, World

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Items:
    """n questions with their scenes: letters and colours of cells [n cell] (−1: empty), the class of the answer [n], the
    leaf [n] that answers, the cells [n node 2] of the objects asked about (−1: not there), and the distractors [n]."""

    world: World
    trees: Trees
    shape: Index
    colour: Index
    answer: Index
    leaf: Index
    cell: Index
    distractors: Index

    def __len__(self) -> int:
        return len(self.answer)

    @property
    def operator(self) -> Index:
        """The operator [n] that gives the answer."""
        return self.trees.op[np.arange(len(self)), self.leaf]

    def take(self, which: Any) -> Items:
        """The items at these places."""
        told = (self.shape, self.colour, self.answer, self.leaf, self.cell, self.distractors)
        return Items(self.world, self.trees.take(which), *(x[which] for x in told))

    @staticmethod
    def concat(parts: Sequence[Items]) -> Items:
        """Items of one depth, one after the other."""
        if len(parts) == 1:
            return parts[0]
        trees = [p.trees for p in parts]
        joined = Trees(trees[0].depth, *(np.concatenate([getattr(t, k) for t in trees]) for k in ("op", "shape", "colour")))  # fmt: skip
        names = ("shape", "colour", "answer", "leaf", "cell", "distractors")
        return Items(parts[0].world, joined, *(np.concatenate([getattr(p, k) for p in parts]) for k in names))


def of(trees: Trees, world: World, counts: Index, rng: np.random.Generator) -> tuple[Items, Flags]:
    """Scenes for these questions with so many distractors [n], and which of them [n] had room for all objects."""
    n = len(trees)
    truth = rng.random(trees.op.shape) < 0.5
    there = trees.used & ~((trees.op == EXIST) & ~truth)[:, :, None]
    cell, fine = _placed(trees, truth, there, world, rng)
    shape, colour = (np.full((n, world.cells), -1, np.int8) for _ in range(2))
    rows, places, slots = np.nonzero(there & fine[:, None, None])
    for scene, told in ((shape, trees.shape), (colour, trees.colour)):
        scene[rows, cell[rows, places, slots]] = told[rows, places, slots]
    banned = _banned(trees, world)
    fine &= (there.sum((1, 2)) + counts <= world.cells) & ((counts == 0) | ~banned.all(1))
    _distract(banned, np.where(fine, counts, 0), (shape, colour), world, rng)
    leaf = _leaf(trees, truth)
    return Items(world, trees, shape, colour, _answer(trees, truth, cell, leaf, world), leaf, cell, counts), fine


def _leaf(trees: Trees, truth: Flags) -> Index:
    """The leaf [n] at the end of the path that the conditions take."""
    row, branch = np.arange(len(trees)), np.zeros(len(trees), np.intp)
    for level in range(levels(trees.depth)):
        branch = 2 * branch + ~truth[row, first(level) + branch]
    return first(levels(trees.depth)) + branch


def _answer(trees: Trees, truth: Flags, cell: Index, leaf: Index, world: World) -> Index:
    """The class of the answer [n]: what the leaf's operator says."""
    row = np.arange(len(trees))
    op, at = trees.op[row, leaf], 2 + cell[row, leaf, 0]
    shape = 2 + world.cells + trees.shape[row, leaf, 0].astype(np.int16)
    colour = 2 + world.cells + world.shapes + trees.colour[row, leaf, 0].astype(np.int16)
    told = [op == GO, op == GETSHAPE, op == GETCOLOR]
    return np.select(told, [at, shape, colour], np.where(truth[row, leaf], 0, 1)).astype(np.int16)


def _placed(trees: Trees, truth: Flags, there: Flags, world: World, rng: np.random.Generator) -> tuple[Index, Flags]:
    """The cells [n node 2] of all objects that are there, no two alike, and which scenes [n] had cells of every kind."""
    n, kind = len(trees), world.kinds()
    size = np.bincount(kind, minlength=4)
    wanted = _kinds(trees, truth, size, rng)  # [n node 2], −1: any
    cell, fine = np.full(wanted.shape, -1, np.int16), np.ones(n, bool)
    used = np.zeros((n, world.cells), bool)
    if (wanted >= 0).any():
        grouped = orders.first(n, world.cells, world.cells, rng, kind)
        start = np.cumsum(size) - size
        flat = wanted.reshape(n, -1)
        for k in range(4):
            mine = flat == k
            rank = np.cumsum(mine, 1) - 1
            fine &= rank[:, -1] < size[k]
            rows, slots = np.nonzero(mine & fine[:, None])
            cell.reshape(n, -1)[rows, slots] = grouped[rows, start[k] + rank[rows, slots]]
        rows, places, slots = np.nonzero(cell >= 0)
        used[rows, cell[rows, places, slots]] = True
    free = (there & (wanted < 0)).reshape(n, -1)
    fine &= there.sum((1, 2)) <= world.cells
    if free.any():
        order = orders.first(n, world.cells, int(free.sum(1).max()), rng, used)
        rows, slots = np.nonzero(free & fine[:, None])
        cell.reshape(n, -1)[rows, slots] = order[rows, np.cumsum(free, 1)[rows, slots] - 1]
    return cell, fine


def _kinds(trees: Trees, truth: Flags, size: Index, rng: np.random.Generator) -> Index:
    """The parity class [n node 2] of the cell in which each object of a parity stands, −1 for all other objects.

    Of the cells, or ordered pairs of cells, that make a parity come out as its truth says, all are alike likely.
    """
    wanted = np.full(trees.shape.shape, -1, np.int8)
    two = trees.used[:, :, 1]
    for op in PARITIES:
        for pair in (False, True):
            for true in (False, True):
                rows, places = np.nonzero((trees.op == op) & (two == pair) & (truth == true))
                if len(rows):
                    edges = np.cumsum(_weights(op, pair, true, size))
                    drawn = np.searchsorted(edges, rng.random(len(rows)) * edges[-1], side="right")
                    wanted[rows, places, 0] = drawn // 4 if pair else drawn
                    if pair:
                        wanted[rows, places, 1] = drawn % 4
    return wanted


def _weights(op: int, pair: bool, true: bool, size: Index) -> Floats:
    """How many cells of each class [4], or pairs of different cells of each pair of classes [16], make this parity so."""
    odd = np.array([[k // 2, k % 2] for k in range(4)])  # whether y and x are odd
    told = np.array([[*a, *b] for a in odd for b in odd]) if pair else odd
    held = (np.outer(size, size) - np.diag(size)).ravel() if pair else size
    value = told.sum(1) % 2 if op <= SUMODD else told.prod(1)
    wanted = true == (op in (SUMODD, PRODUCTEVEN + 1))  # whether the value must be odd
    return held * (value == wanted).astype(float)


def _distract(banned: Flags, counts: Index, scene: tuple[Index, Index], world: World, rng: np.random.Generator) -> None:
    """Fill empty cells with so many distractors [n], each any object [shape·colour] that is not banned, alike likely."""
    n, most = len(counts), int(counts.max(initial=0))
    if not most:
        return
    order = orders.first(n, world.cells, most, rng, scene[0] >= 0)
    row, place = np.nonzero(np.arange(most) < counts[:, None])
    code = rng.integers(0, banned.shape[1], len(row))
    again = np.flatnonzero(banned[row, code])
    while len(again):
        code[again] = rng.integers(0, banned.shape[1], len(again))
        again = again[banned[row[again], code[again]]]
    at = order[row, place]
    scene[0][row, at], scene[1][row, at] = np.divmod(code, world.colours)


def _banned(trees: Trees, world: World) -> Flags:
    """Which objects [n shape·colour] no distractor may be: those asked about, those with the letter of a `getcolor`, and
    those with the colour of a `getshape`, for else a question would have two answers."""
    n = len(trees)
    table = np.zeros((n, world.shapes, world.colours), bool)
    rows, places, slots = np.nonzero(trees.used)
    shape, colour, op = trees.shape[rows, places, slots], trees.colour[rows, places, slots], trees.op[rows, places]
    table[rows, shape, colour] = True
    get = op == GETCOLOR
    table[rows[get], shape[get]] = True
    get = op == GETSHAPE
    table[rows[get], :, colour[get]] = True
    return table.reshape(n, -1)
