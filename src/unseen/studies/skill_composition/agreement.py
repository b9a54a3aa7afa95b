"""How far do graders agree? Raw agreement, Cohen's and Fleiss' kappa of points, Kendall's tau of the order of writers.

kappa([1, 1, 0, 0], [1, 0, 0, 0])  ->  0.5
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import Invalid


def raw(first: ArrayLike, second: ArrayLike) -> float:
    """The share of points [point] on which two graders agree (0..1)."""
    a, b = _pair(first, second)
    return float(np.mean(a == b))


def kappa(first: ArrayLike, second: ArrayLike) -> float:
    """Cohen's kappa of two graders' points bool[point]: agreement beyond what their rates give by chance.

    1 where both give every point alike and the same, though chance agreement is then complete, too.
    """
    a, b = _pair(first, second)
    agreed, p, q = float(np.mean(a == b)), float(a.mean()), float(b.mean())
    chance = p * q + (1 - p) * (1 - q)
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def fleiss(points: ArrayLike) -> float:
    """Fleiss' kappa of bool[grading point] for two gradings or more; 1 where all give the same on every point."""
    given = np.asarray(points, dtype=bool)
    if given.ndim != 2 or given.shape[0] < 2 or not given.shape[1]:
        raise Invalid(f"points of shape {given.shape}: agreement needs at least two gradings of at least one point.")
    m = given.shape[0]
    won = given.sum(axis=0)
    agreed = float(np.mean((won * (won - 1) + (m - won) * (m - won - 1)) / (m * (m - 1))))
    p = float(won.sum()) / given.size
    chance = p**2 + (1 - p) ** 2
    return 1.0 if chance == 1 else (agreed - chance) / (1 - chance)


def tau(first: Sequence[float], second: Sequence[float]) -> float:
    """Kendall's tau-b of two scores of the same writers (-1..1); 0 where either ties them all."""
    pairs = _signs(first, second)
    untied = [sum(1 for pair in pairs if pair[side]) for side in (0, 1)]
    return float(sum(a * b for a, b in pairs)) / math.sqrt(untied[0] * untied[1]) if all(untied) else 0.0


def ordered(first: Sequence[float], second: Sequence[float]) -> float:
    """The share of pairs of writers that two scores order alike, ties included (0..1); without ties, (tau + 1) / 2."""
    signs = _signs(first, second)
    return sum(a == b for a, b in signs) / len(signs)


def informed(truth: ArrayLike, told: ArrayLike) -> float:
    """How much a grader's points tell of the true ones: true positives' rate less false ones' (Youden; -1..1).

    0 where all true points are alike, as they then tell nothing of the grader.
    """
    a, b = _pair(truth, told)
    return float(b[a].mean() - b[~a].mean()) if a.any() and not a.all() else 0.0


def _signs(first: Sequence[float], second: Sequence[float]) -> list[tuple[int, int]]:
    """For every pair of writers, which one either score puts first: 1, -1, or 0 for a tie."""
    if len(first) != len(second) or len(first) < 2:
        raise Invalid(f"{len(first)} and {len(second)} scores: an order is compared of the same writers, two or more.")
    pairs = combinations(range(len(first)), 2)
    return [(int(np.sign(first[i] - first[j])), int(np.sign(second[i] - second[j]))) for i, j in pairs]


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape or a.ndim != 1 or not a.size:
        raise Invalid(f"points of shapes {a.shape} and {b.shape}: two graders are compared on the same points, in one row.")  # fmt: skip
    return a, b
