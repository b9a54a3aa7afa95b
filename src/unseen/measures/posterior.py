"""What does a Gaussian process that fits the training data say of the test data, and how large is its error there?

    law(named("rbf"), (x, y), (tested, truth)).mean   ->  0.33    the expected mean squared error of a sampled function

A function drawn from the posterior is f = μ + C^½ z at the test inputs, so that its mean squared error is a sum of
squares whose law is known (`squares`). One Cholesky factor and one eigendecomposition serve all outputs, all targets and
any number of samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Failed, Invalid

from .kernels import Covariance
from .squares import Squares

Floats = NDArray[np.float64]
Points = tuple[Floats, Floats]  # inputs [n feature] and targets [n output]


def law(kernel: Covariance, train: Points, test: Points, *, jitter: float = 1e-8) -> Squares:
    """The law of the test error of functions that fit the training data: squares averaged over points and outputs.

    μ = K*ᵀ K⁻¹ y and C = K** − K*ᵀ K⁻¹ K*, with `jitter` times its mean added to the diagonal of K. Directions in which
    the posterior varies by less than the jitter tell of rounding only: they count as fixed. Costs n³/3 + t³ operations
    and 8(n² + 2t²) bytes or more of n training and t test points. Raises Invalid for points that do not fit together,
    are lacking or infinite, Failed where the kernel's matrix has no Cholesky factor.
    """
    (x, y), (tested, truth) = checked(*train), checked(*test)
    if x.shape[1] != tested.shape[1] or y.shape[1] != truth.shape[1]:
        raise Invalid(f"trained on inputs {x.shape} and targets {y.shape}, tested on {tested.shape} and {truth.shape}: features and outputs are to be the same.")  # fmt: skip
    if not jitter > 0:
        raise Invalid(f"jitter={jitter}: it is a number above 0, such as 1e-8.")
    mean, covariance = conditioned(kernel, (x, y), tested, jitter)
    weights, directions = np.linalg.eigh(covariance)
    prior = float(np.mean(np.diag(kernel(tested, tested))))
    offsets = directions.T @ (mean - truth)
    n = truth.size
    return Squares(np.where(weights > jitter * prior, weights, 0.0) / n, (offsets**2).sum(1) / n, truth.shape[1])


def conditioned(kernel: Covariance, train: Points, tested: Floats, jitter: float) -> tuple[Floats, Floats]:
    """The posterior's mean [test output] and covariance [test test] at the tested inputs."""
    from scipy.linalg import LinAlgError, cho_factor, solve_triangular

    x, y = train
    k = kernel(x, x)
    k[np.diag_indices_from(k)] *= 1 + jitter
    try:
        factor = cho_factor(k, lower=True, overwrite_a=True)[0]
    except LinAlgError as error:
        raise Failed(f"the kernel's matrix of {len(x)} points is not positive definite at jitter={jitter:g}; raise the jitter, or leave out points that stand twice.") from error  # fmt: skip
    both = solve_triangular(factor, np.concatenate([y, kernel(x, tested)], 1), lower=True)
    seen, across = both[:, : y.shape[1]], both[:, y.shape[1] :]
    covariance = kernel(tested, tested) - across.T @ across
    return across.T @ seen, (covariance + covariance.T) / 2


def checked(x: Floats, y: Floats) -> Points:
    """Inputs [n feature] and targets [n output] as float64; a target [n] is one output. Raises Invalid where they are
    not two tables of as many rows, are empty, or hold what is no finite number."""
    made = [np.asarray(v, np.float64) for v in (x, y)]
    inputs, targets = (v[:, None] if v.ndim == 1 else v for v in made)
    if inputs.ndim != 2 or targets.ndim != 2 or len(inputs) != len(targets) or not inputs.size or not targets.size:
        raise Invalid(f"inputs {inputs.shape} and targets {targets.shape} are two tables with as many rows, at least one.")  # fmt: skip
    for name, table in (("inputs", inputs), ("targets", targets)):
        if not np.isfinite(table).all():
            row = int(np.flatnonzero(~np.isfinite(table).all(1))[0])
            raise Invalid(f"row {row} of the {name} holds what is no finite number; leave it out or fill it in.")
    return inputs, targets
