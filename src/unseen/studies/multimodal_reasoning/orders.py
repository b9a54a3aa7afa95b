"""In which random order come many short lists? One sort of random whole numbers that carry their places.

first(3, 36, 5, rng)  ->  for each of 3 rows, the first 5 of a random order of 0 … 35
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GROUPS = 3  # bits for groups, of which there may be 8


def first(
    n: int, size: int, most: int, rng: np.random.Generator, group: NDArray[Any] | None = None
) -> NDArray[np.intp]:
    """The first `most` places [n most] of random orders of 0 … size − 1, all of a lower group [size] or [n size] first.

    A key is a group, random bits and the place itself, so that sorting whole numbers, which is fast, orders places.
    """
    bits = (size - 1).bit_length()
    kind, width = (np.uint32, 32) if bits <= 10 else (np.uint64, 64)
    keys = np.frombuffer(bytearray(rng.bytes(n * size * width // 8)), kind).reshape(n, size)
    keys >>= kind(GROUPS)
    keys &= ~kind(2**bits - 1)
    keys |= np.arange(size, dtype=kind)
    if group is not None:
        keys |= np.left_shift(group, kind(width - GROUPS), dtype=kind, casting="unsafe")
    most = min(most, size)
    if 0 < most < size // 2:
        keys.partition(most - 1, axis=1)
        keys = keys[:, :most]
    keys.sort(axis=1)
    return (keys[:, :most] & kind(2**bits - 1)).astype(np.intp)
