"""Which texts are nearly the same? Pairs whose shingles have a Jaccard similarity of at least some share.

    near(index(laid(["the cat sat on the mat"])), laid(["a cat sat on the mat"]))
    ->  Pairs(known=[0], given=[0], jaccard=[0.76])

Candidates share a band of MinHash values (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
section 3.4); each is then decided by the exact similarity, so that no pair is named wrongly. A pair of similarity s is
missed with a chance of (1 - s³)⁴²: 0.4% at 0.5, 0.004% at 0.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .shingles import Laid, Numbers, Places, mixed, shingles

BANDS, WIDTH = 42, 3  # of the signature: so many bands of so many MinHash values
HASHES = BANDS * WIDTH
LEAST = 8  # shingles: of fewer, one letter's change is too much to call two texts near
AT_ONCE = 1 << 16  # shingles hashed in one go, which fit the processor's cache
CANDIDATES = 1 << 23  # pairs held at a time, those of all bands counted
MOST = 16  # pairs of one row of the index that are decided
SLACK = 0.2  # 4.5 standard errors of a similarity estimated from a signature


@dataclass(frozen=True, eq=False)
class Index:
    """Texts to look others up in: their shingles, signatures [row hash] and, for each band, its keys in order and whose they are."""

    values: Numbers
    begins: Places
    signatures: NDArray[np.uint8]
    bands: tuple[tuple[Numbers, Places], ...]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Near pairs: the row of the index, the row of the texts looked up, and their similarity (0..1) [pair]."""

    known: Places
    given: Places
    jaccard: NDArray[np.float64]


def index(rows: Laid) -> Index:
    """The rows, ready to be looked up; those of fewer than LEAST shingles are near none."""
    values, begins = shingles(rows)
    keys, signatures = _hashed(values, begins)
    long = np.flatnonzero(np.diff(begins) >= LEAST)
    bands: list[tuple[Numbers, Places]] = []
    for band in keys[:, long]:
        order = np.argsort(band, kind="stable")
        bands.append((band[order], long[order]))
    return Index(values, begins, signatures, tuple(bands))


def near(known: Index, rows: Laid, least: float = 0.5, *, most: int = MOST) -> Pairs:
    """Pairs of a row of the index and one of `rows` that are at least so similar (0..1), but for the chance above.

    Of a row of the index with more than `most` candidates, those are decided whose signatures agree best.
    """
    values, begins = shingles(rows)
    keys, signatures = _hashed(values, begins)
    none = np.zeros(0, np.int64)
    parts = [(none, none)] + [
        _likely(known, part, signatures, least - SLACK, most)
        for part in _parted(known, keys, np.flatnonzero(np.diff(begins) >= LEAST))
    ]
    first, second = (np.concatenate(side) for side in zip(*parts, strict=True))
    found = np.zeros(len(first))
    sets: dict[int, Numbers] = {}
    for i, (a, b) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        if a not in sets:
            sets[a] = np.unique(known.values[known.begins[a] : known.begins[a + 1]])
        if ~b not in sets:
            sets[~b] = np.unique(values[begins[b] : begins[b + 1]])
        found[i] = jaccard(sets[a], sets[~b])
    return Pairs(first[found >= least], second[found >= least], found[found >= least])


def jaccard(one: Numbers, other: Numbers) -> float:
    """What share of the numbers of two sorted sets both have (0..1); 0 where both are empty."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(1, len(one) + len(other) - both)


def minhashes(values: Numbers, begins: Places) -> NDArray[np.uint32]:
    """The least of each row's shingles under each of HASHES orders [hash row]; the greatest number for an empty row."""
    rows = len(begins) - 1
    found = np.full((HASHES, rows), np.iinfo(np.uint32).max, np.uint32)
    orders = mixed(np.arange(1, HASHES + 1, dtype=np.uint64)) | np.uint64(1)
    full = np.flatnonzero(np.diff(begins))
    starts = begins[full]
    cuts = np.unique(np.searchsorted(starts, np.arange(0, len(values) + AT_ONCE, AT_ONCE)))
    for a, b in pairwise(cuts.tolist()):
        end = starts[b] if b < len(starts) else len(values)
        block, inner = values[starts[a] : end], starts[a:b] - starts[a]
        for k, order in enumerate(orders):
            turned = (block * order >> np.uint64(32)).astype(np.uint32)
            found[k, full[a:b]] = np.minimum.reduceat(turned, inner)
    return found


def _hashed(values: Numbers, begins: Places) -> tuple[Numbers, NDArray[np.uint8]]:
    """The key of every band [band row], and each signature's lowest bytes [row hash]."""
    least = minhashes(values, begins)
    keys = np.zeros((BANDS, least.shape[1]), np.uint64)
    for i in range(WIDTH):
        keys = mixed(keys + least[i::WIDTH])
    return keys, np.ascontiguousarray(least.astype(np.uint8).T)


def _parted(known: Index, keys: Numbers, given: Places) -> Iterator[tuple[Places, Places]]:
    """Candidates: pairs, each once, of a row of the index and a given one that share the key of a band, in parts that
    fit the memory."""
    spans = [
        (np.searchsorted(band, wanted, "left"), np.searchsorted(band, wanted, "right"), owner)
        for (band, owner), wanted in zip(known.bands, keys[:, given], strict=True)
    ]
    total = np.cumsum(sum((high - low for low, high, _ in spans), np.zeros(len(given), np.int64)))
    cuts = np.unique(np.searchsorted(total, np.arange(0, total.max(initial=0) + CANDIDATES, CANDIDATES)))
    for a, b in pairwise([*cuts[cuts < len(given)].tolist(), len(given)]):
        found: list[Places] = []
        for low, high, owner in spans:
            counts = high[a:b] - low[a:b]
            place = np.repeat(low[a:b] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            found.append(owner[place] * len(keys[0]) + np.repeat(given[a:b], counts))
        pairs = np.unique(np.concatenate(found))
        yield np.divmod(pairs, len(keys[0]))


def _likely(
    known: Index, pairs: tuple[Places, Places], signatures: NDArray[np.uint8], least: float, most: int
) -> tuple[Places, Places]:
    """Those pairs whose signatures agree in at least that share, and of one row's the `most` that agree best."""
    first, second = pairs
    share = np.zeros(len(first))
    for at in range(0, len(first), AT_ONCE):
        some = slice(at, at + AT_ONCE)
        share[some] = (known.signatures[first[some]] == signatures[second[some]]).mean(1)
    kept = np.flatnonzero(share >= least)
    kept = kept[np.lexsort((-share[kept], first[kept]))]
    rank = np.arange(len(kept)) - np.searchsorted(first[kept], first[kept], "left")
    kept = np.sort(kept[rank < most])
    return first[kept], second[kept]
