"""What would the simplest polynomial say? The interpolator of least degree profile, on unseen strings of bits.

    known = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])       the last bit is 1 in all of them
    fitted = fit(known, labels=[-1, -1, -1, 1])
    fitted(np.array([[1, 1, 0]]))  ->  [1.0]                             so it is ignored

Over ±1 inputs, every function is a sum of products of coordinates; its degree profile is the weight (sum of squared
coefficients) at each degree. Of all functions that agree with the data, the interpolator makes the weight at the
highest degree least, then that at the next, and so on (Abbe et al. 2023, "Generalization on the unseen", definition of
the min-degree-profile bias). Zhou et al. 2023 hold it against transformers: their claim is that it is the wrong model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

MOST = 20_000  # monomials; beyond it use `conjunction`


@dataclass(frozen=True, eq=False)
class Polynomial:
    """A sum of products of ±1 coordinates: coefficients [monomial] of the sets of coordinates listed."""

    sets: tuple[tuple[int, ...], ...]
    coefficients: NDArray[np.float64]

    def __call__(self, bits: NDArray[np.integer]) -> NDArray[np.float64]:
        """Its value at strings of bits 0 or 1 [item bit]."""
        return monomials(bits, self.sets) @ self.coefficients

    def profile(self) -> NDArray[np.float64]:
        """Its weight at each degree, from 0."""
        weight = np.zeros(max(map(len, self.sets)) + 1)
        np.add.at(weight, [len(s) for s in self.sets], self.coefficients**2)
        return weight


def fit(
    bits: NDArray[np.integer], labels: Sequence[float] | NDArray[np.floating], *, tolerance: float = 1e-9
) -> Polynomial:
    """The interpolator of least degree profile of labels [item] at strings of bits 0 or 1 [item bit].

    First the least degree at which the data can be met, then from that degree down the coefficients of least norm that
    lower degrees can complete: each a least-squares problem on what the lower degrees do not span. Raises Invalid where
    equal strings have different labels, or there are too many monomials.
    """
    x = np.unique(np.asarray(bits), axis=0)
    y = np.array([_label(row, bits, labels) for row in x])
    degree, sets = _least(x, y, tolerance)
    coefficients = np.zeros(len(sets))
    size = np.array([len(s) for s in sets])
    left = y.copy()
    whole = monomials(x, sets)
    for d in range(degree, -1, -1):
        lower, here = whole[:, size < d], whole[:, size == d]
        off = _outside(lower, len(x))
        found = np.linalg.lstsq(off @ here, off @ left, rcond=tolerance)[0]
        coefficients[size == d] = found
        left = left - here @ found
    return Polynomial(sets, np.where(np.abs(coefficients) < tolerance, 0.0, coefficients))


def conjunction(varying: Sequence[int], n: int) -> Polynomial:
    """The closed form for a conjunction of n bits whose training strings take all values at `varying` and 1 elsewhere:
    the conjunction of the varying bits alone, as ±1 (true +1), with the coordinates that never vary ignored."""
    k = len(varying)
    if k > 14 or max(varying, default=0) >= n:
        raise Invalid(
            f"conjunction over {k} of {n} coordinates has 2^{k} products; at most 14 coordinates below {n} are written out."
        )
    sets = tuple(s for d in range(k + 1) for s in combinations(varying, d))
    coefficients = np.full(len(sets), 2.0 / 2**k)
    coefficients[0] -= 1.0
    return Polynomial(sets, coefficients)


def monomials(bits: NDArray[np.integer], sets: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
    """The products of ±1 coordinates [item monomial] of each set, for bits 0 or 1 (1 is +1)."""
    signs = 2.0 * np.asarray(bits) - 1
    return np.stack([np.prod(signs[:, list(s)], axis=1) for s in sets], axis=1)


def _label(
    row: NDArray[np.floating], bits: NDArray[np.integer], labels: Sequence[float] | NDArray[np.floating]
) -> float:
    told = np.unique(np.asarray(labels, float)[np.all(np.asarray(bits) == row, axis=1)])
    if len(told) != 1:
        raise Invalid(
            f"the string {''.join(str(int(b)) for b in row)} has {len(told)} different labels, so nothing interpolates them."
        )
    return float(told[0])


def _least(
    x: NDArray[np.floating], y: NDArray[np.float64], tolerance: float
) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """The least degree whose products can meet the labels, and all sets of up to that many coordinates."""
    n = x.shape[1]
    for degree in range(n + 1):
        if (count := sum(comb(n, d) for d in range(degree + 1))) > MOST:
            raise Invalid(
                f"degree {degree} of {n} bits has {count} products, more than {MOST}; give fewer bits, or use the closed form."
            )
        sets = tuple(s for d in range(degree + 1) for s in combinations(range(n), d))
        whole = monomials(x, sets)
        met = whole @ np.linalg.lstsq(whole, y, rcond=tolerance)[0]
        if np.allclose(met, y, atol=1e-7):
            return degree, sets
    raise Invalid("the labels cannot be met, though all products were tried; equal strings must have equal labels.")


def _outside(lower: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """The projection [item item] onto what the columns of `lower` do not span."""
    if not lower.shape[1]:
        return np.eye(n)
    u, s, _ = np.linalg.svd(lower, full_matrices=False)
    span = u[:, s > 1e-9 * s[0]]
    return np.eye(n) - span @ span.T
