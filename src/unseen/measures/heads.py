"""Where do heads look while a sorted list is written? The attention that falls on a symbol and on the next larger one.

queries, keys = identity_and_successor(batch)      # at 's2' of '… > s2 s2 s7': every s2 and s7 that stands before
mass(weights, queries, keys)                       # [head], the mean over queries of the attention on those keys
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.task import Batch
from unseen.tasks.layout import FIRST

FAR = np.iinfo(np.int64).max
Marks = NDArray[np.bool_]


def identity_and_successor(batch: Batch) -> tuple[Marks, Marks]:
    """Queries [item place]: symbols of a sorted answer with a larger one to come. Keys [item query key]: places up to the
    query, itself among them, that hold its symbol or the smallest larger one of the answer."""
    tokens = batch.tokens.astype(np.int64)
    told = batch.answer & (tokens >= FIRST)
    larger = told[:, None, :] & (tokens[:, None, :] > tokens[:, :, None])
    following = np.where(larger, tokens[:, None, :], FAR).min(2)
    queries = told & (following < FAR)
    same = (tokens[:, None, :] == tokens[:, :, None]) | (tokens[:, None, :] == following[:, :, None])
    before = np.tri(tokens.shape[1], dtype=bool)
    return queries, same & before & queries[:, :, None]


def mass(weights: NDArray[np.floating], queries: Marks, keys: Marks) -> NDArray[np.float64]:
    """The attention of each head [head] (fraction 0..1) that falls on the keys, as a mean over all queries.

    weights [item head query key] may lack the last places of the marks, which are then not queried.
    """
    length = weights.shape[2]
    queries, keys = queries[:, :length], keys[:, :length, :length]
    found = np.einsum("ihqk,iqk->ihq", weights.astype(np.float64), keys.astype(np.float64))
    return np.einsum("ihq,iq->h", found, queries.astype(np.float64)) / queries.sum()
