"""What does a network read? Questions and scenes as arrays of tokens, one-hot or as the released code's whole numbers.

coded(items, "onehot", nodes=1)  ->  rule [n 2 token], stim [n 101 token], last [n] (where each question ends)

A question is a token a node and one that ends it; a scene is a token a cell, empty ones included, and one that ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .scenes import Items
from .trees import nodes
from .world import OPERATORS, World

Encoding = Literal["onehot", "scalar"]
Floats = NDArray[np.float32]
KINDS = len(OPERATORS) + 1  # operators and the switch
SCALARS = 8  # operator, (shape, colour, time) twice, end


@dataclass(frozen=True, eq=False)
class Coded:
    """Tokens of questions [n token feature] and scenes [n cell+1 feature], the token [n] at which each question ends, and
    the answers' classes [n]."""

    rule: Floats
    stim: Floats
    last: NDArray[np.int64]
    answer: NDArray[np.int64]


def sizes(world: World, encoding: Encoding) -> tuple[int, int]:
    """Features of a question's token and of a scene's."""
    if encoding == "scalar":
        return SCALARS, 3
    each = world.shapes + world.colours
    return KINDS + 2 * each + 1, each + 1


def coded(items: Sequence[Items], encoding: Encoding, *, nodes: int) -> Coded:
    """Items of any depths as arrays, questions filled up with zeros to `nodes` nodes and an end."""
    told = [_coded(part, encoding, nodes) for part in items]
    if len(told) == 1:
        return told[0]
    return Coded(*(np.concatenate([getattr(t, k) for t in told]) for k in ("rule", "stim", "last", "answer")))


def longest(items: Sequence[Items]) -> int:
    """The nodes of the deepest question."""
    return max(nodes(part.trees.depth) for part in items)


def _coded(items: Items, encoding: Encoding, most: int) -> Coded:
    tokens = items.trees.op.shape[1]
    rule = np.zeros((len(items), most + 1, sizes(items.world, encoding)[0]), np.float32)
    (_scalars if encoding == "scalar" else _onehot)(items, rule[:, :tokens])
    rule[:, tokens, -1] = 1
    return Coded(rule, _scene(items, encoding), np.full(len(items), tokens), items.answer.astype(np.int64))


def _onehot(items: Items, to: Floats) -> None:
    """Operators, then letter and colour of both slots as far as they are said."""
    world, trees = items.world, items.trees
    n, nodes = trees.op.shape
    to[np.arange(n)[:, None], np.arange(nodes), trees.op] = 1
    at = KINDS
    for slot in (0, 1):
        for said, size in ((trees.said_shape, world.shapes), (trees.said_colour, world.colours)):
            row, place = np.nonzero(said[:, :, slot] >= 0)
            to[row, place, at + said[row, place, slot]] = 1
            at += size


def _scalars(items: Items, to: Floats) -> None:
    """The released code's numbers: an operator counted from 1; of a slot, letter, colour and time counted from 1, where 1
    also stands for what is not said, and 0 for a slot that is not used."""
    trees = items.trees
    to[:, :, 0] = trees.op + 1
    for slot in (0, 1):
        at, used = 1 + 3 * slot, trees.used[:, :, slot]
        for k, said in enumerate((trees.said_shape, trees.said_colour)):
            to[:, :, at + k] = np.where(used, np.maximum(said[:, :, slot], 0) + 1, 0)
        to[:, :, at + 2] = used


def _scene(items: Items, encoding: Encoding) -> Floats:
    world, n = items.world, len(items)
    stim = np.zeros((n, world.cells + 1, sizes(world, encoding)[1]), np.float32)
    stim[:, -1, -1] = 1
    if encoding == "scalar":
        stim[:, :-1, 0], stim[:, :-1, 1] = items.colour + 1, items.shape + 1
        return stim
    row, cell = np.nonzero(items.shape >= 0)
    stim[row, cell, items.colour[row, cell]] = 1
    stim[row, cell, world.colours + items.shape[row, cell].astype(np.intp)] = 1
    return stim
