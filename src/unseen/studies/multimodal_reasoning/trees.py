"""Which question is asked? Task trees as flat whole-number arrays, every question of one depth laid out alike.

depth 3:  [condition, switch, first leaf, second leaf]      depths 1, 3, 5, 7 have 1, 4, 10, 22 nodes

Nodes stand level by level: a level's conditions, then their switches; the leaves come last. So the place of a node tells
its parent, and a tree is its operators and the objects they speak of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from . import orders
from .world import GETCOLOR, GETSHAPE, PARITIES, SWITCH, Index, World

Pairing = tuple[tuple[int, ...], tuple[int, ...]]  # operators of conditions, and of leaves


@dataclass(frozen=True, eq=False)
class Trees:
    """n questions of one depth: op [n node] (8: the switch), the objects that its nodes speak of as shape and colour
    [n node 2] (−1: none), of which `getcolor` tells the shape alone and `getshape` the colour alone."""

    depth: int
    op: Index
    shape: Index
    colour: Index

    def __len__(self) -> int:
        return len(self.op)

    def take(self, which: Any) -> Trees:
        """The questions at these places."""
        return Trees(self.depth, self.op[which], self.shape[which], self.colour[which])

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which slots [n node 2] speak of an object."""
        return self.shape >= 0

    @property
    def said_shape(self) -> Index:
        """The letters as the question says them: −1 where it does not."""
        return np.where((self.op == GETSHAPE)[:, :, None], -1, self.shape)

    @property
    def said_colour(self) -> Index:
        """The colours as the question says them: −1 where it does not."""
        return np.where((self.op == GETCOLOR)[:, :, None], -1, self.colour)


def levels(depth: int) -> int:
    """The switches on a path from root to leaf. Raises Invalid for an even depth."""
    if depth < 1 or depth % 2 == 0 or depth > 9:
        raise Invalid(f"depth={depth}: a task tree has 1, 3, 5, 7 or 9 nodes on its longest path.")
    return depth // 2


def nodes(depth: int) -> int:
    """The nodes of a full tree: 1, 4, 10, 22, …"""
    return 3 * 2 ** levels(depth) - 2


def first(level: int) -> int:
    """The place of a level's first node: its conditions (or the leaves) begin there, its switches 2^level later."""
    return 2 * (2**level - 1)


def conditions(depth: int) -> list[int]:
    """The places of all conditions."""
    return [first(j) + i for j in range(levels(depth)) for i in range(2**j)]


def leaves(depth: int) -> list[int]:
    """The places of all leaves."""
    return list(range(first(levels(depth)), nodes(depth)))


def operators(depth: int, n: int, pairings: Sequence[Pairing], rng: np.random.Generator) -> Index:
    """The operators [n node] of n trees, each with the conditions and leaves of one pairing, all alike likely."""
    op = np.full((n, nodes(depth)), SWITCH, np.int8)
    chosen = rng.integers(0, len(pairings), n) if len(pairings) > 1 else np.zeros(n, np.int8)
    for k, pairing in enumerate(pairings):
        rows = np.flatnonzero(chosen == k)
        for places, among in zip((conditions(depth), leaves(depth)), pairing, strict=True):
            if places:
                picked = np.array(among, np.int8)[rng.integers(0, len(among), (len(rows), len(places)))]
                op[rows[:, None], places] = picked
    return op


def single(op: Index, objects: Sequence[Index], rng: np.random.Generator) -> Trees:
    """Questions of one node [n], each about an object of its own list: objects[operator] are shape·colours + colour codes
    given as [k 2] pairs of (shape, colour)."""
    shape, colour = (np.full((len(op), 1, 2), -1, np.int8) for _ in range(2))
    drawn = rng.random(len(op))
    for operator, among in enumerate(objects):
        rows = np.flatnonzero(op == operator)
        picked = among[(drawn[rows] * len(among)).astype(np.intp)]
        shape[rows, 0, 0], colour[rows, 0, 0] = picked[:, 0], picked[:, 1]
    return Trees(1, op[:, None], shape, colour)


def grown(op: Index, depth: int, world: World, rng: np.random.Generator) -> tuple[Trees, NDArray[np.bool_]]:
    """Trees of these operators [n node] about objects drawn anew, and which of them [n] could be drawn.

    No two slots speak of one object. What a `getcolor` asks has a letter that no other object has, what a `getshape`
    asks a colour of its own, so that each question has one answer. Parities are of one object or two.
    """
    n, q = len(op), world.queried
    shape, colour = (np.full((*op.shape, 2), -1, np.int8) for _ in range(2))
    letters, colours = (orders.first(n, q, q, rng) for _ in range(2))
    gets = [op == GETCOLOR, op == GETSHAPE]
    counts = [g.sum(1) for g in gets]
    fine = (counts[0] < q) & (counts[1] < q)
    tables = ((shape, letters), (colour, colours))
    for mine, ((own, order), (other, spare)) in enumerate((tables, tables[::-1])):
        rows, places = np.nonzero(gets[mine] & fine[:, None])
        rank = np.cumsum(gets[mine], 1)[rows, places] - 1
        taken = counts[1 - mine][rows]
        own[rows, places, 0] = order[rows, rank]
        other[rows, places, 0] = spare[rows, taken + (rng.random(len(rows)) * (q - taken)).astype(np.intp)]
    plain = np.stack([(op != SWITCH) & ~gets[0] & ~gets[1], np.isin(op, PARITIES) & (rng.random(op.shape) < 0.5)], 2)
    asked = plain.reshape(n, -1)
    fine &= asked.sum(1) <= (q - counts[0]) * (q - counts[1])
    row, rest = np.divmod(np.arange(q * q), q)
    open_ = (row >= counts[0][:, None]) & (rest >= counts[1][:, None])
    order = orders.first(n, q * q, max(1, int(asked.sum(1).max())), rng, ~open_)
    rows, slots = np.nonzero(asked & fine[:, None])
    picked = order[rows, np.cumsum(asked, 1)[rows, slots] - 1]
    shape.reshape(n, -1)[rows, slots] = letters[rows, picked // q]
    colour.reshape(n, -1)[rows, slots] = colours[rows, picked % q]
    return Trees(depth, op, shape, colour), fine
