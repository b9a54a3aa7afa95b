"""How much must a designer know beyond the data for a learner to generalize? The paper's bound, in bits.

    bits(n=60_000, m=14, delta=2.39871, radius=17.179, classes=10, error=1e-3)   ->  Bits(1.48e16)        MNIST
    of(x, y, error=0.01, rng=rng)  ->  m, δ and R of your own data with their intervals, and the bits they lead to

Hypotheses are all functions on the data's manifold that vary no faster than the classes stand apart; the bits are minus
the logarithm of the share of those that generalize, among those that fit the training data (arXiv 2305.01034). It is an
upper bound, exponential in the dimension m and hanging much on the separation δ; numbers overflow floats, so that all is
worked out in logarithms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from math import inf, lgamma, log, log1p, pi, sqrt
from typing import Any, Literal

import numpy as np

from unseen.core.errors import Invalid
from unseen.tasks.manifolds import highest

from .clouds import SAMPLE, Estimate, Rows, checked, dimension, extreme, radius_of, separation

State = Literal["", "data suffice", "every hypothesis generalizes"]


@dataclass(frozen=True, slots=True)
class Bits:
    """A number of bits as its decimal logarithm, and why it is 0 where it is: there are no more hypotheses than data, or
    the data lie so densely that whatever fits them generalizes."""

    log10: float
    state: State = ""

    @property
    def bits(self) -> float:
        """The number itself: inf beyond what a float holds."""
        return 10**self.log10 if self.log10 < 308 else inf

    def __float__(self) -> float:
        return self.bits

    def __str__(self) -> str:
        if self.state:
            return f"0 bits ({self.state})"
        whole = math.floor(self.log10)
        return f"{10 ** (self.log10 - whole):.3g}e{whole} bits"


@dataclass(frozen=True, slots=True)
class Constants:
    """What the bound takes of a classification task: n examples on a manifold of dimension m and radius R, classes that
    stand δ apart, and the error (0..1) that is asked for."""

    n: float
    m: float
    delta: float
    radius: float
    classes: int
    error: float

    def __post_init__(self) -> None:
        if not (self.n > 0 and self.m >= 1 and self.delta > 0 and self.radius > 0 and self.error > 0):
            raise Invalid(
                f"n={self.n:g}, m={self.m:g}, delta={self.delta:g}, radius={self.radius:g}, error={self.error:g}: m is at least 1, the others are above 0."
            )
        if self.classes < 2:
            raise Invalid(f"classes={self.classes}: one class asks for nothing; give two or more.")


def bits(n: float, m: float, delta: float, radius: float, classes: int, error: float) -> Bits:
    """The bits of a classification task (formula 7 with B = 1, D = classes − 1 outputs).

    n: training examples; m: dimension; delta, radius: in the units of the inputs; error: the target (0..1). Raises
    Invalid for values outside these.
    """
    return of_task(Constants(n, m, delta, radius, classes, error))


def of_task(task: Constants) -> Bits:
    """`bits` of constants that were put together before."""
    return _bound(task, outputs=log(task.classes - 1), cells=log(task.classes), range_=0.0)


def meta(task: Constants, across: float) -> Bits:
    """The bits of learning to tell a few classes from one example each (Omniglot): `task.m` is the dimension within one
    alphabet and `across` that over all, `task.classes` the ways of an episode, `task.n` counts episodes."""
    ways = task.classes
    pairs = ways * (ways - 1)
    whole = replace(task, m=across + (ways - 1) * task.m, radius=task.radius * sqrt(ways))
    outputs = log(2 * pairs) + functions(task.m, highest(task.m, frequency(task)))
    return _bound(whole, outputs=outputs, cells=0.0, range_=log(pairs) / 2)


def union(first: Constants, second: Constants) -> Bits:
    """The bits of two tasks at once, on the product of their manifolds; δ and error are those of the first."""
    both = replace(
        first, n=first.n * second.n, m=first.m + second.m, radius=math.hypot(first.radius, second.radius)
    )  # fmt: skip
    return _bound(both, outputs=log(first.classes), cells=log(first.classes * second.classes), range_=0.0)


def control(m: int, actions: int, *, n: float = 1e6, delta: float = 1e-3, error: float = 1e-3) -> Bits:
    """The bits of a task of control with `actions` continuous ones, observed on a torus of dimension m (MuJoCo)."""
    _positive(m=m, actions=actions, n=n, delta=delta, error=error)
    each = log(4 * pi**2 / sqrt(6)) + log(actions) + log(m) / 2 - log(delta) - log(n) / m - log(error)
    return _left(log(actions) + _waves(m, delta), log(actions * n), each)


def partial(observations: int, *, n: float = 1e4, delta: float = 1e-3, error: float = 1e-3) -> Bits:
    """The bits of balancing a pole whose state shows only in so many observations of two numbers (a torus of twice as
    many dimensions)."""
    _positive(observations=observations, n=n, delta=delta, error=error)
    m = 2 * observations
    each = log(4 * pi**2 / sqrt(3)) + log(observations) / 2 - log(delta) - log(n) / m - log(error)
    return _left(_waves(m, delta), log(n), each)


def frequency(task: Constants) -> float:
    """The highest frequency M that the classes' separation asks for (formula 1), on the sphere of radius 1."""
    return 2 * pi * task.radius / task.delta


def functions(m: float, degree: float) -> float:
    """The natural logarithm of the number E of eigenfunctions on S^m up to a degree K > 0 (formula 3)."""
    first = lgamma(m + degree + 1) - lgamma(degree + 1)
    second = lgamma(m + degree) - lgamma(degree)
    return float(np.logaddexp(first, second)) - lgamma(m + 1)


def _bound(task: Constants, *, outputs: float, cells: float, range_: float) -> Bits:
    """Formulas 1 to 7 for ln D `outputs`, ln ∏d `cells` and ln B `range_`."""
    m, degree = task.m, highest(task.m, frequency(task))
    surface = (log(2) + (m + 1) / 2 * log(pi) + cells - lgamma((m + 1) / 2)) / m
    far = log(m / 6) / 2 + surface + log(task.radius) - log(task.n) / m  # ln W, from the data to their law
    steep = log(degree) + outputs / 2 - log(task.radius)  # ln L_f
    each = range_ + outputs / 2 + cells / 2 - log(task.error) + steep + far
    return _left(log(2) + outputs + cells + functions(m, degree), log(task.n) + outputs, each)


def _left(hypotheses: float, data: float, each: float) -> Bits:
    """The bits from the logarithms of dim Θ and of n D, and the nats of each dimension that is left."""
    if hypotheses <= data:
        return Bits(-inf, "data suffice")
    if each <= 0:
        return Bits(-inf, "every hypothesis generalizes")
    natural = hypotheses + log1p(-math.exp(data - hypotheses)) + log(each / log(2))
    return Bits(natural / log(10))


def _waves(m: int, delta: float) -> float:
    """The natural logarithm of the number of waves on a torus that are longer than δ."""
    return log(2) + m * log(2 * pi / delta) + m / 2 * log(pi) - lgamma(m / 2 + 1)


def _positive(**values: float) -> None:
    if wrong := [f"{k}={v:g}" for k, v in values.items() if not v > 0]:
        raise Invalid(f"{', '.join(wrong)}: it is to be above 0.")


@dataclass(frozen=True, slots=True)
class Measured:
    """A data set's constants with their intervals, and the bits at their estimates and at both ends (log10)."""

    n: int
    classes: int
    m: Estimate
    delta: Estimate
    radius: Estimate
    bits: Bits
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class How:
    """How constants are estimated: neighbours and anchors of m; the rows among which δ is sought, whether it is told for
    all pairs by their `extremes`, the distance up to which rows are passed over as copies; and torch's device."""

    k: int = 5
    anchors: int = 10_000
    sample: int = SAMPLE
    extremes: bool = False
    min_distance: float = 0.0
    device: str = "cpu"


PLAIN = How()


def of(x: Rows, y: np.ndarray, *, error: float, rng: np.random.Generator, how: How = PLAIN) -> Measured:
    """The constants of labelled data x [row feature], y [row], and their bits with a 95% interval.

    m is rounded for the bits, as in the paper, and at least 1. The interval lets m, δ and R vary as their bootstrap over
    anchors does. `extremes` matter only where there are more rows than are sought through. Raises Invalid for data that
    no such numbers can be had of. 10,000 rows of 784 features take half a minute on one core.
    """
    y = checked(x, y, how.k)
    near: dict[str, Any] = {"min_distance": how.min_distance, "device": how.device}
    m = dimension(x, rng=rng, k=how.k, anchors=how.anchors, **near)
    apart = separation(x, y, rng=rng, sample=how.sample, **near)
    if how.extremes and len(x) > how.sample:
        apart = extreme(x, y, apart, rng=rng, min_distance=how.min_distance)
    radius, classes = radius_of(x, rng=rng), len(np.unique(y))

    def at(m_: float, delta: float, radius_: float) -> Bits:
        return bits(len(x), max(1, round(m_)), delta, radius_, classes, error)

    drawn = [rng.permutation(e.replicates).tolist() for e in (m, apart, radius)]
    log10 = [at(*each).log10 for each in zip(*drawn, strict=True)]
    low, high = (float(np.quantile(log10, q, method="nearest")) for q in (0.025, 0.975))
    return Measured(len(x), classes, m, apart, radius, at(m.value, apart.value, radius.value), low, high)
