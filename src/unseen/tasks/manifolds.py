"""What is there to learn on a surface whose dimension is known? Points of spheres and tori, embedded, and functions of them.

    sphere = Manifold("sphere", m=4, ambient=64)
    draw(sphere, band(sphere, 6.0, rng), "train", 2000, rng)   ->  Points(x [2000 64], y [2000], inside [2000 5])

A sphere S^m has radius 1; a torus T^m is m circles of radius 1, so that its points have norm √m. Both are put into the
ambient space by a random map that keeps distances, and may be bent there (`warp`). Splits: "train", "test" of the same
law, "region" (the part of the surface that training left out, where `held` > 0) and "noise" (coordinates added that
carry nothing, where `noise` > 0).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split

from .drawn import split_named

Floats = NDArray[np.float64]
Target = Callable[[Floats], Floats]  # inside [point coordinate] -> values [point]
ZONAL = 64  # zonal functions of each degree in a random function, waves in one on the torus
STEEP = 3.0  # how many of its standard deviations a ridge takes to saturate


@dataclass(frozen=True)
class Manifold:
    """S^m or T^m in R^ambient, the map being a function of `seed`.

    `held` is the fraction of the surface that training leaves out. `noise` is how many coordinates of N(0, loud²) the
    split "noise" adds across the surface, `always` how many every split has. `warp` (0 to below 1) bends the ambient
    space smoothly and without folding it. Raises Invalid where they do not fit together.
    """

    kind: Literal["sphere", "torus"]
    m: int
    ambient: int = 64
    held: float = 0.0
    noise: int = 0
    always: int = 0
    loud: float = 0.3
    warp: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("sphere", "torus"):
            raise Invalid(f"a manifold is a sphere or a torus, not {self.kind!r}.")
        if self.m < 1 or self.noise < 0 or self.always < 0:
            raise Invalid(
                f"m={self.m}, noise={self.noise}, always={self.always}: m is at least 1, the others at least 0."
            )
        if not 0 <= self.held < 1 or not 0 <= self.warp < 1:
            raise Invalid(f"held={self.held}, warp={self.warp}: both lie from 0 to below 1, where warp folds nothing.")
        if (need := self.inside + self.noise + self.always) > self.ambient:
            raise Invalid(
                f"{self.name} needs {need} dimensions with its noise, but ambient={self.ambient}; take {need} or more."
            )

    @property
    def name(self) -> str:
        return f"{self.kind} of dimension {self.m}"

    @property
    def inside(self) -> int:
        """How many coordinates a point has before it is embedded."""
        return self.m + 1 if self.kind == "sphere" else 2 * self.m

    @property
    def radius(self) -> float:
        """The norm of every point (without noise and warp)."""
        return 1.0 if self.kind == "sphere" else float(np.sqrt(self.m))

    @property
    def splits(self) -> tuple[Split, ...]:
        found = [Split("test")]
        found += [Split("region", "novelty", {"held": self.held}, shifted=True)] if self.held else []
        found += [Split("noise", "dimension", {"noise": self.noise}, shifted=True)] if self.noise else []
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Points:
    """Points x [point ambient], their targets y [point], and their coordinates on the surface, inside [point coordinate]."""

    x: Floats
    y: Floats
    inside: Floats


def draw(manifold: Manifold, target: Target, split: str, n: int, rng: np.random.Generator) -> Points:
    """n points of a split, uniform on its part of the surface, with their targets. Raises Unknown for another split."""
    named = split_named(manifold, split).name
    inside = uniform(manifold, n, rng, beyond=named == "region")
    extra = manifold.loud * rng.standard_normal((n, manifold.always + manifold.noise))
    extra[:, manifold.always :] *= named == "noise"
    return Points(embedded(manifold, np.concatenate([inside, extra], 1)), target(inside), inside)


def uniform(manifold: Manifold, n: int, rng: np.random.Generator, *, beyond: bool = False) -> Floats:
    """n points [n inside], uniform where training is, or `beyond` it, in the part held out.

    The part held out is a cap about the last coordinate of a sphere, an arc of the last circle of a torus.
    """
    share = rng.random(n)
    share = 1 - manifold.held * (1 - share) if beyond else share * (1 - manifold.held)
    if manifold.kind == "torus":
        angle = 2 * np.pi * rng.random((n, manifold.m))
        angle[:, -1] = 2 * np.pi * share
        return np.stack([np.cos(angle), np.sin(angle)], 2).reshape(n, -1)
    from scipy.special import betaincinv

    height = 2 * betaincinv(manifold.m / 2, manifold.m / 2, share) - 1  # the law of one coordinate of S^m
    rest = rng.standard_normal((n, manifold.m))
    rest *= np.sqrt(np.maximum(1 - height**2, 0) / np.sum(rest**2, axis=1))[:, None]
    return np.concatenate([rest, height[:, None]], 1)


def embedded(manifold: Manifold, points: Floats) -> Floats:
    """Points [point ambient] of coordinates [point coordinate], by the manifold's orthonormal map and its warp.

    The warp adds w sin(A z), A orthogonal: as its slope is at most w < 1, no two points come together.
    """
    rng = np.random.default_rng((manifold.seed, manifold.ambient))
    d = manifold.ambient
    first, second = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
    x = points @ first[: points.shape[1]]
    return x + manifold.warp * np.sin(x @ second) if manifold.warp else x


def sign(target: Target) -> Target:
    """The classes (0 or 1) that the sign of a function makes."""
    return lambda inside: (target(inside) > 0).astype(np.float64)


def ridge(manifold: Manifold) -> Target:
    """tanh(3 x₁/sd(x₁)): on S^m, tanh(3 √(m+1) x₁)."""
    spread = np.sqrt(manifold.m + 1) if manifold.kind == "sphere" else np.sqrt(2)
    return lambda inside: np.tanh(STEEP * spread * inside[:, 0])


def harmonic(manifold: Manifold, degree: int) -> Target:
    """The zonal harmonic of a degree about x₁ (on a torus, cos(degree θ₁)), of mean square 1. Raises Invalid below 1."""
    if degree < 1:
        raise Invalid(f"a harmonic of degree {degree} does not vary; take 1 or more.")
    if manifold.kind == "torus":
        return lambda inside: np.sqrt(2) * np.cos(degree * np.arctan2(inside[:, 1], inside[:, 0]))
    scale = np.sqrt(harmonics(manifold.m, degree))
    return lambda inside: scale * gegenbauer(manifold.m, degree, inside[:, 0])[degree]


def highest(m: float, frequency: float) -> float:
    """The degree K of harmonics of S^m of eigenvalue K (K + m − 1) = frequency²: a real number."""
    return float((np.sqrt((m - 1) ** 2 + 4 * frequency**2) - (m - 1)) / 2)


def band(manifold: Manifold, frequency: float, rng: np.random.Generator) -> Target:
    """A random function of mean 0 and mean square about 1, whose Laplacian's eigenvalues are at most frequency².

    On a sphere it has as much power in every degree from 1 to the highest; on a torus its waves are drawn likewise over
    lengths. Raises Invalid where no function but a constant has so low a frequency.
    """
    lowest = np.sqrt(manifold.m) if manifold.kind == "sphere" else 1.0
    if not frequency >= lowest:
        raise Invalid(
            f"frequency={frequency}: the lowest of a {manifold.name} is {lowest:.4g}; take that or a higher one."
        )
    return (_zonal if manifold.kind == "sphere" else _waves)(manifold.m, frequency, rng)


def _zonal(m: int, frequency: float, rng: np.random.Generator) -> Target:
    """Σ_k √(N_k / (J K)) Σ_j a_kj P_k(w_j · x) over the degrees k = 1 … K and J directions w_j."""
    top = int(highest(m, frequency) + 1e-9)
    weight = rng.standard_normal((top, ZONAL))
    weight *= np.sqrt([[harmonics(m, k) / (ZONAL * top)] for k in range(1, top + 1)])
    toward = rng.standard_normal((m + 1, ZONAL))
    toward /= np.linalg.norm(toward, axis=0)
    return lambda inside: np.einsum("kpj,kj->p", gegenbauer(m, top, inside @ toward)[1:], weight)


def _waves(m: int, frequency: float, rng: np.random.Generator) -> Target:
    """√(2/J) Σ_j a_j cos(v_j · θ + φ_j), v_j whole numbers of length at most the frequency."""
    many = rng.standard_normal((64 * ZONAL, m))
    many *= (frequency * rng.random(len(many)) / np.linalg.norm(many, axis=1))[:, None]
    many = np.round(many)
    length = np.sum(many**2, axis=1)
    kept = many[(length > 0) & (length <= frequency**2)][:ZONAL]
    single = np.eye(m)[rng.integers(0, m, ZONAL - len(kept))]  # the wave that every frequency allows
    v = np.concatenate([kept, single])
    weight, phase = rng.standard_normal(ZONAL) * np.sqrt(2 / ZONAL), 2 * np.pi * rng.random(ZONAL)

    def values(inside: Floats) -> Floats:
        angle = np.arctan2(inside[:, 1::2], inside[:, ::2])
        return np.cos(angle @ v.T + phase) @ weight

    return values


def harmonics(m: int, degree: int) -> float:
    """How many independent harmonics of a degree S^m has: the number whose sum of squares is 1 with P_k(1) = 1."""
    from math import comb

    return float((2 * degree + m - 1) * comb(degree + m - 2, degree - 1) / degree) if degree else 1.0


def gegenbauer(m: int, top: int, t: Floats) -> Floats:
    """The zonal polynomials of S^m with P_k(1) = 1 (Chebyshev for m=1, Legendre for m=2), [degree 0…top, *t]."""
    found = [np.ones_like(t), t]
    for k in range(1, top):
        found.append(((2 * k + m - 1) * t * found[k] - k * found[k - 1]) / (k + m - 1))
    return np.stack(found[: top + 1])
