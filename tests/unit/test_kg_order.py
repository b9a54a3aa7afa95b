"""What follows from comparisons: reachability against every way the numbers could be."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.tasks.kg_order import EQUAL, LESS, MORE, OPEN, decided, edges, reached

ALL = np.array(list(product(range(5), repeat=5)))  # every order of five things is among these


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 9))
def test_what_is_decided_is_what_holds_in_every_world(seed: int, n: int) -> None:
    """Five unknown numbers and n true comparisons of them: all 3,125 assignments are tried."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 5)
    one, other = rng.integers(0, 5, (2, n))
    sign = np.sign(truth[one] - truth[other]) + EQUAL
    found = decided(*edges(5, one, other, sign), np.arange(5))
    fits = (np.sign(ALL[:, one] - ALL[:, other]) + EQUAL == sign).all(1)
    assert fits.any()
    signs = np.sign(ALL[fits][:, :, None] - ALL[fits][:, None, :]) + EQUAL  # [world node node]
    for x, y in product(range(5), repeat=2):
        seen = set(signs[:, x, y].tolist())
        assert found[x, y] == (seen.pop() if len(seen) == 1 else OPEN), (one, other, sign, x, y)


def test_a_case_worked_by_hand() -> None:
    """0 > 1, 1 = 2, 3 < 2: so 0 > 3; nothing is known of 4."""
    least, more = edges(5, np.array([0, 1, 3]), np.array([1, 2, 2]), np.array([MORE, EQUAL, LESS]))
    found = decided(least, more, np.array([0, 3, 4, 1]))
    assert found.tolist() == [
        [EQUAL, MORE, OPEN, MORE],
        [LESS, EQUAL, OPEN, LESS],
        [OPEN, OPEN, EQUAL, OPEN],
        [LESS, MORE, OPEN, EQUAL],
    ]
    there, surely = reached(least, more, np.array([1]))
    assert there[0].tolist() == [False, True, True, True, False]
    assert surely[0].tolist() == [False, False, False, True, False]
