"""How are several answers to one context scored in one pass? As a tree: what they share is a trunk, read once.

grown([5, 6, 7], [[8, 9, 1], [8, 2]])     tokens 5 6 7 8 9, of which 8 and 9 grow on 7: both answers begin with 8

The last token of an answer is only asked for, never read. A mask lets every token see its own ancestors alone, and
positions count along a branch, so that a branch is computed as if the others were not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tree:
    """Tokens, each with the index of the one before it; a context is the trunk, the first `trunk` of them.

    asked[answer] are pairs (index, token): the token's log-probability is that after the index.
    """

    tokens: tuple[int, ...]
    parents: tuple[int, ...]
    trunk: int
    asked: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def heads(self) -> int:
        """How many tokens at the end have to be given logits: the branches and the trunk's last."""
        return len(self.tokens) - self.trunk + 1


@dataclass(frozen=True, slots=True)
class Laid:
    """Trees padded on the left: tokens and places int[row width], sees bool[row width shared + width].

    kept is how many columns at the end need logits; row, column and goal name every (tree, place, token) asked for, in
    the order of trees and answers, and answer says to which answer it belongs.
    """

    tokens: NDArray[np.int64]
    places: NDArray[np.int64]
    sees: NDArray[np.bool_]
    kept: int
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    goal: NDArray[np.int64]
    answer: NDArray[np.int64]


def grown(context: Sequence[int], answers: Sequence[Sequence[int]]) -> Tree:
    """The tree of a context and its answers; neither may be empty."""
    tokens, parents = list(context), list(range(-1, len(context) - 1))
    known: dict[tuple[int, int], int] = {}
    asked: list[tuple[tuple[int, int], ...]] = []
    for answer in answers:
        at, pairs = len(context) - 1, []
        for i, token in enumerate(answer):
            pairs.append((at, token))
            if i == len(answer) - 1:
                break
            if (at, token) not in known:
                known[at, token] = len(tokens)
                tokens.append(token)
                parents.append(at)
            at = known[at, token]
        asked.append(tuple(pairs))
    return Tree(tuple(tokens), tuple(parents), len(context), tuple(asked))


def laid(trees: Sequence[Tree], shared: int = 0) -> Laid:
    """Trees side by side, after `shared` tokens that all of them see and that are cached already."""
    width = max(len(t.tokens) for t in trees)
    tokens, places = np.zeros((2, len(trees), width), np.int64)
    sees = np.zeros((len(trees), width, shared + width), bool)
    sees[:, :, :shared] = True
    sees[:, np.arange(width), shared + np.arange(width)] = True  # padding sees itself: a row of nothing is not a number
    kept = max(t.heads for t in trees)
    found: list[tuple[int, int, int, int]] = []
    n = 0
    for row, tree in enumerate(trees):
        start = width - len(tree.tokens)
        tokens[row, start:] = tree.tokens
        own = sees[row, start:, shared + start :]
        own[: tree.trunk, : tree.trunk] = np.tri(tree.trunk, dtype=bool)
        places[row, start : start + tree.trunk] = np.arange(shared, shared + tree.trunk)
        for at in range(tree.trunk, len(tree.tokens)):
            own[at] |= own[tree.parents[at]]
            places[row, start + at] = places[row, start + tree.parents[at]] + 1
        for pairs in tree.asked:
            found += [(row, start + at - (width - kept), token, n) for at, token in pairs]
            n += 1
    row_, column, goal, answer = np.array(found, np.int64).T
    return Laid(tokens, places, sees, kept, row_, column, goal, answer)
