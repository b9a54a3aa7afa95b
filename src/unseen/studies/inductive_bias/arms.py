"""What can be measured? Functions of a Gaussian process on spheres, whose errors have a known law, and trained networks
beside processes on pictures.

Sphere(m=8, …)                              200 points of S^8, and the bits that a test error of 0.1 needs
Ensemble(spaces=("rbf", "mlp"), …)          64 networks and a process, all asked for the same test error
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Labels = Literal["real", "random"]
EPS = 0.1  # of spheres, that of the claims
GRID = (0.4, 0.2, EPS, 0.05, 0.02)  # of spheres
FAR = 1e-12  # a test error that no space here has
DEEP = (0.08, 0.06, 0.04, 0.02, 0.01)  # mean squared errors of pictures with ten classes: a constant has 0.09


@dataclass(frozen=True, slots=True)
class Sphere:
    """A Gaussian process on S^m, fitted to points of tanh(3 √(m+1) x₁): the exact law of its test error, and estimates
    from sampled functions."""

    m: int
    kernel: str = "rbf"
    scale: float = 1.0  # inputs are divided by it
    labels: Labels = "real"  # random: the training targets in random order
    train: int = 200  # points
    tested: int = 100
    draws: int = 9  # of the data, by each seed
    sampled: int = 0  # the most functions an estimate has; 0: none is made


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Gaussian processes and ensembles of networks that learned the same pictures, and the bits of equal test errors."""

    spaces: tuple[str, ...]  # kernels (rbf, median: rbf of the median distance, matern, ntk) and networks of `nets`
    data: str = "digits"  # of scikit-learn; "moved": each somewhere in a larger frame; or what `datasets` reads
    labels: Labels = "real"  # random: training labels drawn anew
    train: int = 1000  # pictures
    tested: int = 500
    members: int = 64  # networks of each architecture
    together: int = 64  # of them trained at a time
    width: int = 128
    channels: tuple[int, int] = (16, 32)
    epochs: int = 30
    batch: int = 50
    lr: float = 1e-3
    side: int = 28  # height and width of pictures that `datasets` reads


Setting = Sphere | Ensemble
