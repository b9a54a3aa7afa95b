"""How far apart are routing pathways? unseen's distances of all pairs beside the textbook's table for all pairs at once.

    small   '3,1,12-0,5-…'   4 layers of 16 experts, some 75 characters     the mixtures trained here
    OLMoE   '31,7,60,2-…'    16 layers of 64 experts, some 400 or 750       as in the paper, by how sharply routers choose

The other side is dynamic programming in numpy, cell by cell, each cell for all pairs. What is required of the small case is
100,000 pairs a CPU second; the others are shown. Pairs are counted once, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.measures import pathways

from .timing import Result, spent, take_turns

PAIRS = 100_000  # a CPU second
CASES = (
    ("4 x 16 experts", 300, 4, 16, 1.0, PAIRS),
    ("16 x 64, sharp", 40, 16, 64, 0.1, 0),
    ("16 x 64", 24, 16, 64, 0.3, 0),
)
ALIKE = 0.7  # the share of the routing weights that all samples of a group have in common


def compare(rounds: int) -> Iterator[Result]:
    """Three results. Needs rapidfuzz; some five minutes."""
    for case, n, layers, experts, spread, least in CASES:
        ways = drawn(n, layers, experts, spread, np.random.default_rng(0))
        first, second = np.triu_indices(n, 1)
        ours, theirs = pathways.distances(ways), by_table(ways, first, second)
        difference = float(np.abs(ours[first, second] - theirs).max())
        turns = take_turns(
            lambda ways=ways: spent(lambda: pathways.distances(ways)),
            lambda ways=ways, pairs=(first, second): spent(lambda: by_table(ways, *pairs)),
            rounds,
        )
        notes: dict[str, object] = {
            "characters": float(np.mean([len(w) for w in ways])),
            "distance": float(theirs.mean()),
        }
        yield Result("pathways", case, "the table in numpy", difference, 0.0, turns, 5.0, len(first), "pairs", {}, notes, least=least)  # fmt: skip


def drawn(n: int, layers: int, experts: int, spread: float, rng: np.random.Generator) -> list[str]:
    """The pathways of n samples of a group: Dirichlet weights with a part in common; the smaller `spread`, the sharper."""
    shared = rng.dirichlet(np.full(experts, spread), layers)
    own = rng.dirichlet(np.full(experts, spread), (n, layers))
    return pathways.pathways(ALIKE * shared + (1 - ALIKE) * own)


def by_table(ways: Sequence[str], first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.int64]:
    """Levenshtein's distances of these pairs [pair], by the table of the textbook."""
    longest = max(map(len, ways))
    codes = np.array([[*map(ord, w), *[0] * (longest - len(w))] for w in ways], np.int16).T  # [place way]
    lengths = np.array([len(w) for w in ways])
    a, b = codes[:, first], codes[:, second]
    row = np.repeat(np.arange(longest + 1, dtype=np.int16)[:, None], len(first), 1)
    found = np.zeros(len(first), np.int64)
    for i in range(longest):
        differ = (a[i] != b).astype(np.int16)
        new = np.empty_like(row)
        new[0] = i + 1
        np.minimum(row[1:] + np.int16(1), row[:-1] + differ, out=new[1:])
        for j in range(longest):
            np.minimum(new[j + 1], new[j] + np.int16(1), out=new[j + 1])
        row = new
        ended = np.flatnonzero(lengths[first] == i + 1)
        found[ended] = row[lengths[second][ended], ended]
    return found
