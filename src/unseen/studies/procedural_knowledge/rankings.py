"""What do rankings of documents say? Numbers of a table of scores [query document], the sheet's five findings.

likeness(scores, labels)["reasoning"]  ->  0.41, the mean correlation of two questions about one kind of problem
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PERMUTED = 1000  # orders of labels that a difference is compared with
TAIL = 500  # documents at most, of which the power law is read, as in the paper
TINY = 1e-12


def correlations(scores: NDArray[np.floating]) -> Floats:
    """Pearson's correlation of the score vectors of queries [query query]; 0 for a query without any spread."""
    held = scores - scores.mean(1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(held, axis=1)
    unit = held / np.maximum(norm, TINY)[:, None]
    return unit @ unit.T


def mean_over_pairs(
    table: Floats, first: NDArray[np.bool_], second: NDArray[np.bool_], same: NDArray[np.bool_]
) -> float:
    """The mean of a table [query query] over pairs of two different queries, one of each sort, that are alike by `same`."""
    chosen = first[:, None] & second[None, :] & same & ~np.eye(len(table), dtype=bool)
    return float(table[chosen].mean()) if chosen.any() else float("nan")


def likeness(table: Floats, types: Sequence[str], about: Sequence[str]) -> dict[str, float]:
    """Mean correlations of pairs: of problems of one kind, of different kinds, of facts, of controls, and of problems with the
    controls that look like them."""
    sort, kind = np.array(types), np.array(about)
    alike = kind[:, None] == kind[None, :]
    reasoned, factual = sort == "reasoning", sort == "factual"
    said = sort == "reasoning control"
    return {
        "reasoning": mean_over_pairs(table, reasoned, reasoned, alike),
        "other kinds": mean_over_pairs(table, reasoned, reasoned, ~alike),
        "factual": mean_over_pairs(table, factual, factual, alike | True),
        "control": mean_over_pairs(table, said, said, alike),
        "reasoning and its control": mean_over_pairs(table, reasoned, said, alike),
    }


def chance_of_gap(table: Floats, types: Sequence[str], about: Sequence[str], rng: np.random.Generator) -> float:
    """The share of orders of the queries' labels with as large a gap between problems of one kind and facts (0..1)."""
    sort, kind = np.array(types), np.array(about)
    chosen = np.isin(sort, ("reasoning", "factual"))
    small, sort, kind = table[np.ix_(chosen, chosen)], sort[chosen], kind[chosen]

    def gap(order: NDArray[np.intp]) -> float:
        s, k = sort[order], kind[order]
        alike = k[:, None] == k[None, :]
        inner = mean_over_pairs(small, s == "reasoning", s == "reasoning", alike)
        return inner - mean_over_pairs(small, s == "factual", s == "factual", alike)

    found = gap(np.arange(len(sort)))
    others = [gap(rng.permutation(len(sort))) for _ in range(PERMUTED)]
    return (1 + sum(o >= found for o in others)) / (1 + PERMUTED)


def top(scores: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    """The k documents with the highest scores for each query [query k], best first."""
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def reliance(scores: NDArray[np.floating], nats: Floats, k: int) -> Floats:
    """The positive influence of the top k documents for each nat of the completion [query]."""
    held = np.take_along_axis(scores, top(scores, k), 1).astype(np.float64)
    return np.maximum(held, 0).sum(1) / np.maximum(nats, TINY)


def share_of_top(scores: NDArray[np.floating], k: int) -> Floats:
    """The share of all positive influence that the top k documents have [query] (0..1)."""
    positive = np.maximum(scores.astype(np.float64), 0)
    held = np.take_along_axis(positive, top(scores, k), 1)
    return held.sum(1) / np.maximum(positive.sum(1), TINY)


def steepness(scores: NDArray[np.floating], most: int = TAIL) -> Floats:
    """Minus the slope of log score over log rank of the best documents that help [query]; NaN with fewer than three."""
    ordered = -np.sort(-scores.astype(np.float64), axis=1)[:, :most]
    found = np.full(len(scores), np.nan)
    for i, row in enumerate(ordered):
        held = row[row > 0]
        if len(held) > 2:
            found[i] = -np.polyfit(np.log(np.arange(1, len(held) + 1)), np.log(held), 1)[0]
    return found


def found(
    ranked: NDArray[np.intp], needs: Sequence[frozenset[str]], states: Sequence[frozenset[str]]
) -> NDArray[np.bool_]:
    """Whether the top documents [query k] state all that a completion needs, together [query]."""
    return np.array([n <= frozenset().union(*(states[d] for d in row)) for n, row in zip(needs, ranked, strict=True)])


def shares(ranked: NDArray[np.intp], tags: Sequence[str]) -> Mapping[str, Floats]:
    """By tag its share of each query's top documents, divided by its share of all [query]."""
    held = np.array(tags)
    return {str(tag): (held[ranked] == tag).mean(1) / (held == tag).mean() for tag in np.unique(held)}
