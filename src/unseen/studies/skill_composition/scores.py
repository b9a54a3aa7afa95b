"""What is a graded text worth? Points of k skills and three others become Skill-Mix's three scores of a text.

scores([[1, 1, 0]], [[1, 1, 1]])  ->  Scores(full=[0.], all_skills=[0.], fraction=[0.667])

A grading gives k + 3 points: one for each skill, and one each for being on the topic, for making sense and for keeping to
the number of sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unseen.core.errors import Invalid

OTHERS = ("on_topic", "sensible", "short")  # the points beside the skills', in this order


@dataclass(frozen=True, slots=True)
class Scores:
    """Three scores of texts, each [...] (0..1).

    full: all k + 3 points are earned; all_skills: all k of the skills, and at least two of the others; fraction: the
    share of the skills, where all three others are earned, else 0.
    """

    full: NDArray[np.float64]
    all_skills: NDArray[np.float64]
    fraction: NDArray[np.float64]


def most_sentences(k: int) -> int:
    """How many sentences a text of k skills may have."""
    return max(1, k - 1)


def majority(points: ArrayLike) -> NDArray[np.bool_]:
    """Whether more than half of the gradings give a point: bool[... grading point] -> bool[... point]."""
    given = np.asarray(points, dtype=bool)
    if given.ndim < 2 or not given.shape[-2]:
        raise Invalid(f"points of shape {given.shape}: a majority is taken over at least one grading; give [… grading point].")  # fmt: skip
    return 2 * given.sum(axis=-2) > given.shape[-2]


def scores(skills: ArrayLike, others: ArrayLike) -> Scores:
    """The scores of texts by the points of their skills bool[... k] and the others bool[... 3] (aggregate_metrics.py)."""
    won, beside = np.asarray(skills, dtype=bool), np.asarray(others, dtype=bool)
    if not won.ndim or not won.shape[-1] or beside.shape != (*won.shape[:-1], len(OTHERS)):
        raise Invalid(f"points of skills {won.shape} and others {beside.shape}: for skills [… k], others are [… 3].")
    every, sound = won.all(axis=-1), beside.all(axis=-1)
    return Scores(
        full=(every & sound).astype(float),
        all_skills=(every & (beside.sum(axis=-1) >= len(OTHERS) - 1)).astype(float),
        fraction=won.mean(axis=-1) * sound,
    )


def best(values: ArrayLike) -> NDArray[np.float64]:
    """The best of a prompt's generations, as Skill-Mix aggregates them: [... generation] -> [...].

    It rises with the number of generations; their mean does not.
    """
    return np.asarray(values, dtype=float).max(axis=-1)


def mean(values: ArrayLike) -> NDArray[np.float64]:
    """The mean of a prompt's generations, an unbiased estimate of what one is worth: [... generation] -> [...]."""
    return np.asarray(values, dtype=float).mean(axis=-1)
