"""What was measured? Rows (one number per measure, split, step, seed) and items (one question, one answer, its scores).

Row("exact", 0.93, Split("6 digits", axis="length", at={"digits": 6}, shifted=True), n=512, step=1000, seed=2)
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .errors import Invalid

Value = str | int | float | bool | None | tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Split:
    """A named part of the data: reference (like the training data) or shifted, with its coordinates on the axis."""

    name: str
    axis: str = ""
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])
    shifted: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number.

    `n` counts the items behind it, `step` the optimizer steps before it, `at` its coordinates beside the split's, and
    `drawn` is a digest of its items' ids: it tells whether two seeds were scored on the same items.
    """

    measure: str
    value: float
    split: Split | None = None
    n: int = 1
    step: int | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])
    seed: int | None = None
    drawn: str = ""

    def __post_init__(self) -> None:
        if not self.measure:
            raise Invalid("a Row needs the name of its measure; the one given is empty.")
        if self.n < 1:
            raise Invalid(f"Row {self.measure}: n={self.n}; n counts the items behind the value and is at least 1.")

    @staticmethod
    def each(
        measure: str,
        scored: Scored,
        split: Split,
        *,
        step: int | None = None,
        at: Mapping[str, Value] | None = None,
    ) -> Iterator[Row]:
        """One row per seed of `scored`: the mean over its items, with n and the digest of the items' ids."""
        for seed, ids, values in zip(scored.seeds, scored.ids, scored.values, strict=True):
            mean = math.fsum(float(v) for v in values) / len(values)
            yield Row(measure, mean, split, len(values), step, dict(at or {}), int(seed), drawn_of(ids))


@dataclass(frozen=True, slots=True)
class Item:
    """One question put to a model, what it said, and what that was worth."""

    id: str
    split: Split
    prompt: str
    answer: str
    truth: str
    scores: Mapping[str, float]
    familiar: str | None = None
    finish: str = ""
    tokens: int = 0
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])
    step: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """A measure over items: seeds [seed], ids [seed item], values [seed item]."""

    seeds: Sequence[int]
    ids: Sequence[Sequence[str]]
    values: NDArray[np.floating] | Sequence[Sequence[float]]


def drawn_of(ids: Sequence[str]) -> str:
    """8 hex digits that name a set of items, whatever its order."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:8]
