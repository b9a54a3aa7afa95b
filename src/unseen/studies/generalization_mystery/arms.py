"""What can be measured? Gradients watched through training, training with weak directions suppressed, easy and hard
examples apart, and the pictures and networks of the paper.

Watched(noise=1.0, …)    networks trained on digits with random labels, coherence measured all the while
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["winsorised", "medians", "rolling"]


@dataclass(frozen=True, slots=True)
class Watched:
    """Small networks trained by gradient descent, the coherence of their gradients measured through training."""

    noise: float  # fraction of the training labels drawn anew
    pixels: Literal["real", "random"] = "real"
    data: str = "digits"  # of scikit-learn, or a data set that `datasets` reads
    train: int = 1200  # examples
    held: int = 597  # examples held out: a third choose the step to stop at, the others are tested on
    width: int = 128
    layers: int = 2  # hidden ones
    steps: int = 5000
    batch: int = 60
    lr: float = 0.1
    sample: int = 256  # examples of a coherence sample
    samples: int = 4  # averaged over
    points: int = 40  # times that coherence is measured


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Small networks trained with the directions suppressed that few examples pull in. Winsorised at level 0 is plain
    gradient descent."""

    noise: float
    method: Method
    level: float = 0.0  # percent cut off at each end, where winsorised
    data: str = "digits"
    train: int = 600
    held: int = 1197
    width: int = 48
    layers: int = 2
    steps: int = 2400
    batch: int = 60
    lr: float = 0.15
    points: int = 16


@dataclass(frozen=True, slots=True)
class Strata:
    """Networks trained on the examples that others learned first, on those they learned last, and on any."""

    data: str = "digits"
    train: int = 300  # examples of a stratum trained on
    held: int = 150  # examples of a stratum tested on
    judges: int = 3  # networks trained on all examples, whose order of learning makes the strata
    width: int = 128
    layers: int = 2
    steps: int = 1500
    batch: int = 60
    lr: float = 0.1
    sample: int = 256
    points: int = 30


@dataclass(frozen=True, slots=True)
class Pictured:
    """A residual network of transformers, trained from scratch on pictures with labels of which some are random."""

    noise: float
    method: Method
    level: float = 0.0
    data: str = "uoft-cs/cifar10"  # "twin": the digits, enlarged and coloured
    depths: tuple[int, ...] = (2, 2, 2, 2)  # blocks of each stage
    widths: tuple[int, ...] = (64, 128, 256, 512)
    block: Literal["basic", "bottleneck"] = "basic"
    side: int = 32  # height and width of a picture
    train: int = 0  # examples; 0: all
    held: int = 0
    steps: int = 40_000
    batch: int = 126
    lr: float = 0.1
    momentum: float = 0.9
    sample: int = 10_000
    points: int = 40
    scored: int = 10_000  # training examples that accuracy is measured on


Small = Watched | Suppressed | Strata
Setting = Watched | Suppressed | Strata | Pictured
