"""Does a router that gives samples more different pathways also give a richer kernel? One layer, random frozen routers.

Row("kernel_r", 0.9, seed=0) ; Row("kernel_rank", 0.9, seed=0)
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row
from unseen.measures import pathways

from .arms import Kernel

Floats = NDArray[np.float64]
WIDEST = 4.0  # the largest factor of a router's spread, and one over the smallest


def run(setting: Kernel, lab: Lab) -> Iterator[Row]:
    """Yield the correlation of effective dimension with mean pathway distance over routers, plain and of ranks, `kernel_own`
    of a router that sends all alike (its distance, which is 0), and for each router both numbers."""
    for seed in lab.seeds:
        x = clusters(setting, lab.rng("samples", seed=seed))
        kernels = tangents(setting, x, lab.rng("experts", seed=seed))
        rng = lab.rng("routers", seed=seed)
        found: list[tuple[float, float]] = []
        for i, scale in enumerate(scales(setting)):
            router = scale * rng.normal(size=(setting.experts, setting.features)) / setting.features**0.5
            found.append(both(setting, x, router, kernels))
            lab.progress(i + 1, setting.routers)
        dimension, distance = np.array(found).T
        yield Row("kernel_r", pathways.correlation(dimension, distance), seed=seed)
        yield Row("kernel_rank", pathways.correlation(dimension, distance, ranks=True), seed=seed)
        flat = both(setting, x, np.zeros((setting.experts, setting.features)), kernels)
        yield Row("flat_distance", flat[1], seed=seed)
        yield Row("dimension", float(dimension.mean()), seed=seed)
        yield Row("kernel_distance", float(distance.mean()), seed=seed)


def scales(setting: Kernel) -> Floats:
    """How wide every router is drawn [router]."""
    # DEPARTS: the text does not say by what random routers differ; both readings are measured
    if setting.scales == "one":
        return np.full(setting.routers, 2.0)
    return 2.0 * np.geomspace(1 / WIDEST, WIDEST, setting.routers)


def clusters(setting: Kernel, rng: np.random.Generator) -> Floats:
    """Samples of Gaussian clusters [sample feature], each feature of variance 1."""
    centres = rng.normal(size=(setting.clusters, setting.features))
    mine = rng.integers(0, setting.clusters, setting.samples)
    return (centres[mine] + rng.normal(size=(setting.samples, setting.features))) / 2**0.5


def tangents(setting: Kernel, x: Floats, rng: np.random.Generator) -> Floats:
    """The tangent kernels of the experts f(x) = aᵀ relu(W x/√d)/√h at their random weights [expert sample sample]: of a the
    features' products, of W those of their slopes times xᵀx'/d."""
    k, h, d = setting.experts, setting.hidden, setting.features
    inner = np.einsum("nd,khd->knh", x / d**0.5, rng.normal(size=(k, h, d)))
    outer = rng.normal(size=(k, h))
    active = np.maximum(inner, 0)
    slopes = (inner > 0) * outer[:, None]
    return (active @ active.transpose(0, 2, 1) + (slopes @ slopes.transpose(0, 2, 1)) * (x @ x.T / d)) / h


def shares(x: Floats, router: Floats) -> Floats:
    """The router's softmax [sample expert]."""
    scores = x @ router.T
    wide = np.exp(scores - scores.max(1, keepdims=True))
    return wide / wide.sum(1, keepdims=True)


def both(setting: Kernel, x: Floats, router: Floats, kernels: Floats) -> tuple[float, float]:
    """The effective dimension of a router's kernel, and the mean distance of its pathways over pairs."""
    g = shares(x, router)
    h = pathways.routing_kernel(g, kernels)
    d = pathways.distances(pathways.pathways(g[:, None]))
    return pathways.effective_dimension(h, setting.ridge), float(pathways.means(d[None])[0])
