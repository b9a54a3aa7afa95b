"""The interpolator of least degree profile against a weighted limit, an optimiser over its null space, and closed forms."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid
from unseen.measures.least_degree import conjunction, fit, monomials


def cube(n: int) -> np.ndarray:
    return np.array(list(product((0, 1), repeat=n)))


def limit(bits: np.ndarray, y: np.ndarray, heavy: float) -> np.ndarray:
    """Coefficients over all products that meet the data with the least sum of heavy^(2·degree)·c²: as `heavy` grows,
    weight at a higher degree costs ever more than any at lower ones."""
    n = bits.shape[1]
    sets = [s for d in range(n + 1) for s in combinations(range(n), d)]
    scale = np.array([heavy ** -len(s) for s in sets])
    return scale * np.linalg.lstsq(monomials(bits, sets) * scale, y, rcond=1e-13)[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 4), st.integers(0, 2**32))
def test_it_is_the_limit_of_weighted_least_squares(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = cube(n)[rng.permutation(2**n)[: rng.integers(1, 2**n + 1)]]
    y = rng.choice([-1.0, 1.0], len(known))
    found = fit(known, y)
    assert np.allclose(found(known), y, atol=1e-7)
    whole = np.zeros(2**n)
    whole[: len(found.sets)] = found.coefficients
    assert np.allclose(whole, limit(known, y, 300.0), atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(0, 2**32))
def test_no_other_interpolator_has_a_smaller_profile(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = cube(n)[rng.permutation(2**n)[: rng.integers(1, 2**n)]]
    y = rng.choice([-1.0, 1.0], len(known))
    found = fit(known, y)
    sets = [s for d in range(n + 1) for s in combinations(range(n), d)]
    whole = monomials(known, sets)
    _, s, vt = np.linalg.svd(whole)
    null = vt[np.sum(s > 1e-9) :]
    mine = np.zeros(len(sets))
    mine[: len(found.sets)] = found.coefficients
    for _ in range(20):
        other = mine + null.T @ rng.normal(0, 0.3, len(null))
        assert np.allclose(whole @ other, y, atol=1e-6)
        assert profile(mine, sets) <= profile(other, sets)


def profile(c: np.ndarray, sets: list[tuple[int, ...]]) -> list[float]:
    weight = np.zeros(len(sets[-1]) + 1)
    np.add.at(weight, [len(s) for s in sets], c**2)
    return np.round(weight[::-1], 9).tolist()


@pytest.mark.parametrize(("n", "frozen"), [(4, 1), (5, 2), (6, 2)])
def test_the_closed_form_of_a_conjunction(n: int, frozen: int) -> None:
    """Strings whose last bits are 1 and whose others take all values: the general method finds the closed form."""
    known = np.concatenate([cube(n - frozen), np.ones((2 ** (n - frozen), frozen), int)], axis=1)
    y = np.where(known.all(1), 1.0, -1.0)
    general, closed = fit(known, y), conjunction(range(n - frozen), n)
    everything = cube(n)
    assert np.allclose(general(everything), closed(everything), atol=1e-8)
    assert np.allclose(closed(everything), np.where(everything[:, : n - frozen].all(1), 1, -1))


def test_a_coordinate_that_never_varied_is_ignored() -> None:
    """The claim of the paper, at its size: 20 bits, the last five always 1, one zero at most."""
    known = np.ones((16, 20), int)
    known[np.arange(15), np.arange(15)] = 0
    y = np.where(known.all(1), 1.0, -1.0)
    found = fit(known, y)
    assert np.allclose(found.profile()[2:], 0)
    late = np.ones((6, 20), int)
    late[np.arange(5), np.arange(15, 20)] = 0
    assert np.allclose(found(late), 1.0)


def test_mistakes_are_told() -> None:
    with pytest.raises(Invalid, match="011 has 2 different labels"):
        fit(np.array([[0, 1, 1], [0, 1, 1]]), [1.0, -1.0])
    parity_of_three = np.concatenate([cube(3), np.ones((8, 57), int)], axis=1)  # degree 3 of 60 bits: 36,051 products
    with pytest.raises(Invalid, match="use the closed form"):
        fit(parity_of_three, np.prod(2.0 * cube(3) - 1, axis=1))
    with pytest.raises(Invalid, match="at most 14"):
        conjunction(range(15), 20)
