"""What can be measured? Figures worked out from published constants, networks on surfaces of known dimension, and the
constants of data sets.

Learned(m=8, …)    networks that learn the sign of a random function on S^8
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Published:
    """The paper's figures, worked out anew from the constants of its code: they are not estimated again.

    With a spread, each seed draws m and δ of the four image sets around the published ones, as if their logarithms were
    known to that standard deviation.
    """

    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Learned:
    """Perceptrons that learn a random function's sign on a manifold of known dimension."""

    m: int
    labels: Literal["true", "shuffled"] = "true"
    kind: Literal["sphere", "torus"] = "sphere"
    frequency: float = 12.0  # the highest of the function
    points: int = 2000  # points trained on
    tested: int = 2000
    ambient: int = 64
    added: int = 8  # coordinates of noise that the shifted split adds
    width: int = 256
    layers: int = 2  # hidden ones
    steps: int = 1500
    batch: int = 128
    lr: float = 1e-3


@dataclass(frozen=True, slots=True)
class Known:
    """Points whose dimension is known, to see whether it is found."""

    kind: Literal["sphere", "torus"]
    m: int
    always: int = 0  # coordinates of noise
    warp: float = 0.0
    points: int = 2000
    ambient: int = 64


@dataclass(frozen=True, slots=True)
class Estimated:
    """A data set whose constants are estimated. Each seed looks at its own random part of the rows."""

    data: str  # of scikit-learn (digits, wine, iris, breast_cancer), or pictures that `datasets` reads
    target: float = 0.01  # the error asked for
    share: float = 0.8  # of the rows, for each seed
    side: int = 0  # height and width of a picture
    anchors: int = 10_000
    sample: int = 30_000  # rows among which δ is sought
    extremes: bool = False  # whether δ is told for all pairs
    ablated: bool = True  # whether k, the number of rows, noise, scale and labels are varied, too


Setting = Published | Learned | Known | Estimated
