"""Of what dimension is a cloud of points, how far apart are its classes, and how far does it reach?

    dimension(x, rng=rng)        ->  Estimate(5.02 [4.96, 5.09])      of points on S^5 in R^64
    separation(x, y, rng=rng)    ->  Estimate(1.31 [1.31, 1.54])      the least distance between classes, in a sample
    extreme(x, y, found, rng=rng)                                     the same, told for all pairs from the nearest ones

Rows are an array, or anything that has a length and gives rows [which feature] for places [which]: pictures are decoded
as they are asked for. Intervals are the bootstrap's, over the points that distances are taken from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

Floats = NDArray[np.float64]
Places = NDArray[np.integer]
AT_ONCE = 2**23  # distances, or features, in memory at a time
DRAWS = 400  # of the bootstrap
SAMPLE = 30_000  # rows among which the least distance is sought
PAIRS = 4_000_000  # of two classes, drawn for the extremes
TOP = 2_000  # nearest of those pairs
SAME, SAME_SINGLE = 1e-11, 1e-5  # of the squared norms: what rounding leaves of the squared distance of equal rows


class Rows(Protocol):
    """Points that are read as they are asked for; an array is one."""

    def __len__(self) -> int: ...
    def __getitem__(self, which: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Estimate:
    """A number, its 95% interval, and the bootstrap's values [draw] that the interval is of."""

    value: float
    replicates: Floats = field(repr=False)

    @property
    def low(self) -> float:
        return float(np.quantile(self.replicates, 0.025))

    @property
    def high(self) -> float:
        return float(np.quantile(self.replicates, 0.975))

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def checked(x: Rows, y: NDArray[Any], k: int = 5) -> NDArray[np.int64]:
    """The labels as whole numbers from 0 [row]. Raises Invalid where rows and labels do not go together, there is one
    class, there are fewer rows than neighbours, or a value is no finite number."""
    y = np.asarray(y)
    if y.ndim != 1 or len(y) != len(x):
        raise Invalid(f"there are {len(x)} rows, but labels of shape {y.shape}; give one label a row.")
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise Invalid(f"{int(np.isnan(y).sum())} labels are NaN; leave those rows out.")
    names, codes = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise Invalid(f"all {len(y)} rows have the label {names[0] if len(names) else 'none'}; two classes are needed.")
    if len(x) <= k:
        raise Invalid(f"{len(x)} rows have no {k} neighbours each; give more than {k}, or lower k.")
    for places in _blocks(len(x), AT_ONCE // max(1, _row(x, 0).size)):
        if not (good := np.isfinite(_rows(x, places)).all(1)).all():
            raise Invalid(
                f"row {int(places[np.argmin(good)])} has a value that is no finite number; leave such rows out, or fill them in."
            )
    return codes.astype(np.int64)


def dimension(x: Rows, *, rng: np.random.Generator, k: int = 5, anchors: int = 10_000, min_distance: float = 0.0, device: str = "cpu") -> Estimate:  # fmt: skip
    """The intrinsic dimension by nearest neighbours (Levina and Bickel 2004), inverses averaged (MacKay and Ghahramani).

    1/m is the mean of ln(T_k/T_j) over anchors and j = 1 … k − 1, T_j being the distance to the j-th neighbour. Neighbours
    no farther than `min_distance` (at 0: copies) are not counted. Raises Invalid for k below 2, too few rows, or where
    anchors have not k neighbours at different distances.
    """
    if k < 2 or len(x) <= k:
        raise Invalid(f"k={k} neighbours of {len(x)} rows: k is at least 2, and there are to be more rows than k.")
    places = np.sort(rng.permutation(len(x))[: min(anchors, len(x))])
    near = nearest(x, places, k, min_distance=min_distance, device=device)
    if lacking := int(np.isinf(near).any(1).sum()):
        raise Invalid(
            f"{lacking} of {len(places)} rows have no {k} neighbours farther than {min_distance:g}: copies are not counted; drop them, or lower k."
        )
    each = np.mean(np.log(near[:, -1:] / near[:, :-1]), axis=1)
    if not each.any():
        raise Invalid("all neighbours lie equally far, as on a grid: no dimension can be told.")
    weights = rng.multinomial(len(each), np.full(len(each), 1 / len(each)), DRAWS)
    return Estimate(1 / float(each.mean()), 1 / np.maximum(weights @ each / len(each), 1e-12))


def separation(x: Rows, y: NDArray[np.int64], *, rng: np.random.Generator, sample: int = SAMPLE, min_distance: float = 0.0, device: str = "cpu") -> Estimate:  # fmt: skip
    """The least distance between rows of different classes among at most `sample` rows.

    Pairs no farther apart than `min_distance` are left out (above 0: a filter of copies). It is never less than the truth,
    and no bootstrap value is less than the estimate. Raises Invalid where it is 0: rows of two classes are the same.
    """
    places = np.sort(rng.permutation(len(x))[: min(sample, len(x))])
    held, labels = Taken(x, places), y[places]
    least = nearest(held, np.arange(len(places)), 1, labels=labels, min_distance=min_distance, device=device)[:, 0]
    if not np.isfinite(least).any():
        raise Invalid(f"no two rows of different classes are farther apart than min_distance={min_distance:g}.")
    if (value := float(least.min())) == 0:
        raise Invalid(
            f"{int(np.sum(least == 0))} rows stand under two labels each, so the classes are 0 apart and no number of bits would do; drop them, or set min_distance above 0 to pass them over."
        )
    order = np.sort(least)
    # the least of a resample of n is the j-th of all with probability (1 − j/n)^n − (1 − (j+1)/n)^n
    first = (len(order) * (1 - rng.random(DRAWS) ** (1 / len(order)))).astype(int)
    return Estimate(value, order[first])


def extreme(x: Rows, y: NDArray[np.int64], found: Estimate, *, rng: np.random.Generator, pairs: int = PAIRS, min_distance: float = 0.0) -> Estimate:  # fmt: skip
    """The least distance among all pairs of two classes, from the tail of those of random pairs, and at most `found`.

    The pairs' inverse distances are extrapolated to the n² (1 − Σ share²) that there are (Dekkers, Einmahl and de Haan
    1989), the bootstrap drawing the pairs anew. Raises Invalid where too few pairs of two classes are farther apart than
    `min_distance`.
    """
    pairs = min(pairs, len(y) ** 2 // 8)  # few pairs are then drawn twice
    inverse = np.sort(1 / between(x, y, pairs, rng, min_distance=min_distance))[::-1]
    top = min(TOP, len(inverse) // 2 - 1)
    if top < 10:
        raise Invalid(f"{len(inverse)} pairs of two classes are too few to tell how near the nearest come.")
    share = np.bincount(y) / len(y)
    beyond = len(inverse) / (float(len(y)) ** 2 * (1 - float(np.sum(share**2))))
    held = inverse[: 2 * top]
    counts = rng.poisson(1.0, (DRAWS, len(held)))
    again = np.stack([np.repeat(held, c)[: top + 1] for c in counts])
    told = 1 / tail(np.concatenate([held[None, : top + 1], again]), beyond)
    return Estimate(min(float(told[0]), found.value), np.minimum(told[1:], found.replicates))


def tail(largest: Floats, beyond: float) -> Floats:
    """The value that is passed `beyond` times among as many draws as these are the largest of [... k+1], falling.

    Moments M1 and M2 of the log excesses over the smallest give γ = M1 + 1 − ½/(1 − M1²/M2); the value is
    x_k + x_k M1 (1 − γ₋) ((k/beyond)^γ − 1)/γ, γ₋ being γ less M1.
    """
    base, k = largest[..., -1], largest.shape[-1] - 1
    excess = np.log(largest[..., :-1] / base[..., None])
    first, second = excess.mean(-1), np.mean(excess**2, axis=-1)
    lower = 1 - 0.5 / (1 - np.minimum(first**2 / np.maximum(second, 1e-300), 1 - 1e-12))
    gamma = first + lower
    times = np.log(k / beyond)
    grown = np.where(np.abs(gamma) < 1e-9, times, np.expm1(gamma * times) / np.where(gamma == 0, 1, gamma))
    return base * (1 + first * (1 - lower) * np.maximum(grown, 0))


def radius_of(x: Rows, *, rng: np.random.Generator) -> Estimate:
    """The largest norm of a row; the bootstrap is over rows, so none of its values is larger."""
    norms = np.concatenate([np.linalg.norm(_rows(x, p), axis=1) for p in _blocks(len(x), AT_ONCE // _row(x, 0).size)])
    order = np.sort(norms)[::-1]
    first = (len(order) * (1 - rng.random(DRAWS) ** (1 / len(order)))).astype(int)
    return Estimate(float(order[0]), order[first])


def between(x: Rows, y: NDArray[np.int64], pairs: int, rng: np.random.Generator, *, min_distance: float = 0.0) -> Floats:  # fmt: skip
    """The distances [pair] of random pairs of two classes, those no farther than `min_distance` left out."""
    first, second = rng.integers(0, len(y), (2, pairs))
    apart = y[first] != y[second]
    first, second = first[apart], second[apart]
    found = [
        np.linalg.norm(_rows(x, first[p]) - _rows(x, second[p]), axis=1)
        for p in _blocks(len(first), AT_ONCE // (4 * _row(x, 0).size))
    ]
    told = np.concatenate([np.empty(0), *found])
    return told[told > min_distance]


def nearest(x: Rows, anchors: Places, k: int, *, labels: NDArray[np.int64] | None = None, min_distance: float = 0.0, device: str = "cpu") -> Floats:  # fmt: skip
    """The distances [anchor k] from rows to their k nearest others, rising; with `labels`, to those of other classes.

    Those no farther than `min_distance` are left out (with labels, at 0 none is), and inf stands for those that lack.
    On another device than the CPU, distances are taken in single precision by torch.
    """
    a = _rows(x, anchors)
    middle = a.mean(0)
    a = a - middle  # what all rows have in common only costs precision
    of, best = _metric(a, device), np.full((len(a), k), np.inf)
    same = SAME if device == "cpu" else SAME_SINGLE
    size = max(1, min(AT_ONCE // max(1, len(a)), AT_ONCE // max(1, a.shape[1])))
    for places in _blocks(len(x), size):
        b = _rows(x, places) - middle
        square = of(b)
        scale = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)[None]
        square[square <= same * scale] = 0.0
        if labels is None:
            square[anchors[:, None] == places[None]] = np.inf
            square[square <= min_distance**2] = np.inf
        else:
            square[labels[anchors][:, None] == labels[places][None]] = np.inf
            if min_distance:
                square[square <= min_distance**2] = np.inf
        both = np.concatenate([best, square], axis=1)
        best = np.partition(both, k - 1, axis=1)[:, :k]
    return np.sqrt(np.sort(best, axis=1))


def _metric(a: Floats, device: str) -> Any:
    """A function from rows [row feature] to squared distances [anchor row] by one product of matrices."""
    if device == "cpu":
        own = np.sum(a**2, axis=1)[:, None]
        return lambda b: np.maximum(own + np.sum(b**2, axis=1)[None] - 2 * (a @ b.T), 0)
    import torch

    held = torch.from_numpy(a).to(device, torch.float32)
    norms = (held**2).sum(1)[:, None]

    def of(b: Floats) -> Floats:
        other = torch.from_numpy(b).to(device, torch.float32)
        square = norms + (other**2).sum(1)[None] - 2 * held @ other.T
        return square.clamp_min(0).double().cpu().numpy()

    return of


@dataclass(frozen=True, eq=False)
class Taken:
    """Some of the rows, by their places."""

    x: Rows
    places: Places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, which: Any, /) -> Any:
        return self.x[self.places[which]]


def _blocks(n: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Places 0 … n − 1, so many at a time."""
    for i in range(0, n, max(1, size)):
        yield np.arange(i, min(i + max(1, size), n))


def _rows(x: Rows, places: Places) -> Floats:
    """Rows [place feature] as flat float64."""
    return np.asarray(x[places], np.float64).reshape(len(places), -1)


def _row(x: Rows, place: int) -> Floats:
    return _rows(x, np.array([place]))
