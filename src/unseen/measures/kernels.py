"""Which functions does a Gaussian process think likely? Covariances by name, those of infinitely wide networks included.

    k = named("ntk", scale=1.0)
    k(x, x).shape, k(x, others).shape  ->  (n, n), (n, m)      of inputs x [n feature]

RBF and Matérn are scikit-learn's. Sources: Cho and Saul (2009) for arc-cosine kernels; Jacot et al. (2018) and Arora et
al. (2019) for the tangent kernel of networks of rectified linear units.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, missing_extra

Floats = NDArray[np.float64]
Covariance = Callable[[Floats, Floats], Floats]
Name = Literal["rbf", "matern", "arccosine", "ntk"]
NAMES: tuple[Name, ...] = get_args(Name)
PAIRED = 1000  # inputs among which the median distance is taken


def named(name: str, *, scale: float = 1.0, smoothness: float = 2.5, layers: int = 1) -> Covariance:
    """The covariance of that name: inputs are divided by `scale` first.

    "rbf" exp(−d²/2), "matern" of this smoothness, "arccosine" that of networks with so many hidden layers of rectified
    linear units of random weights, "ntk" that of such networks trained by gradient descent. Raises Invalid for an
    unknown name and values that are not above 0, Missing where scikit-learn is not installed.
    """
    if name not in NAMES:
        raise Invalid(f"kernel={name!r} is none of {', '.join(NAMES)}.")
    if not (scale > 0 and smoothness > 0 and layers >= 1):
        raise Invalid(f"scale={scale}, smoothness={smoothness}, layers={layers}: all are above 0.")
    if name == "arccosine":
        return lambda a, b: wide(a / scale, b / scale, layers)[0]
    if name == "ntk":
        return lambda a, b: wide(a / scale, b / scale, layers)[1]
    try:
        from sklearn.gaussian_process.kernels import RBF, Matern
    except ModuleNotFoundError as error:
        raise missing_extra(f"the kernel {name}", error, "data") from error
    made: Any = RBF(scale) if name == "rbf" else Matern(scale, nu=smoothness)
    return made


def wide(a: Floats, b: Floats, layers: int) -> tuple[Floats, Floats]:
    """The covariances [n m] of the outputs of infinitely wide networks at inputs [n feature] and [m feature]: with random
    weights, and the tangent kernel.

    Weights have variance 2 over the inputs of their layer; the first layer has a bias, an input that is always 1. With ρ
    the correlation a layer before, ρ' = (ρ(π − arccos ρ) + √(1 − ρ²))/π; the tangent kernel is multiplied by
    (π − arccos ρ)/π, and the covariance added to it.
    """
    norms = np.sqrt(np.outer(1 + (a**2).sum(1), 1 + (b**2).sum(1)))
    correlation = (1 + a @ b.T) / norms
    tangent = norms * correlation
    for _ in range(layers):
        correlation = np.clip(correlation, -1, 1)
        open_share = (pi - np.arccos(correlation)) / pi
        correlation = correlation * open_share + np.sqrt(1 - correlation**2) / pi
        tangent = tangent * open_share + norms * correlation
    return norms * correlation, tangent


def median_distance(x: Floats, rng: np.random.Generator) -> float:
    """The median distance between inputs [n feature], among at most a thousand of them: a scale for `named`.

    Raises Invalid where all inputs are the same.
    """
    from scipy.spatial.distance import pdist

    chosen = x if len(x) <= PAIRED else x[rng.permutation(len(x))[:PAIRED]]
    apart = pdist(chosen)
    if not len(apart) or not apart.max() > 0:
        raise Invalid("all inputs are the same, so that no distance between them is a scale; name one.")
    return float(np.median(apart[apart > 0]))
