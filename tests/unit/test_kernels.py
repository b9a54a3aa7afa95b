"""Covariances against scikit-learn, random networks and their gradients, and integrals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, Matern

from unseen.core.errors import Invalid
from unseen.measures.kernels import NAMES, median_distance, named, wide

X = np.random.default_rng(0).normal(size=(6, 3))


def test_rbf_and_matern_divide_by_the_scale() -> None:
    other = X[:2] + 0.3
    assert np.allclose(named("rbf", scale=2.0)(X, other), RBF(1.0)(X / 2, other / 2))
    assert np.allclose(named("matern", scale=2.0, smoothness=1.5)(X, other), Matern(1.0, nu=1.5)(X / 2, other / 2))


def test_wide_networks_have_the_covariance_of_finite_ones() -> None:
    """Random networks of two hidden layers, whose outputs' covariance is averaged over networks."""
    rng, n, width = np.random.default_rng(1), 4000, 64
    inputs = np.concatenate([X, np.ones((6, 1))], 1)
    outputs = np.empty((n, 6))
    for i in range(n):
        h = np.maximum(inputs @ rng.normal(size=(4, width)), 0) * np.sqrt(2 / width)
        h = np.maximum(h @ rng.normal(size=(width, width)), 0) * np.sqrt(2 / width)
        outputs[i] = h @ rng.normal(size=width)
    found, wanted = outputs.T @ outputs / n, wide(X, X, 2)[0]
    assert np.abs(found - wanted).max() < 0.12 * wanted.max()
    assert np.allclose(np.diag(wanted), 1 + (X**2).sum(1))


def test_one_hidden_layer_is_the_arc_cosine_kernel() -> None:
    """E[relu(w·x) relu(w·y)]·2 by quadrature over the plane of x and y."""
    a, b = X[0], X[1]
    x, y = np.append(a, 1), np.append(b, 1)
    angle = np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    grid = np.linspace(-np.pi, np.pi, 200_001)
    values = np.maximum(np.cos(grid), 0) * np.maximum(np.cos(grid - angle), 0)
    wanted = 2 * np.linalg.norm(x) * np.linalg.norm(y) * 2 * np.trapezoid(values, grid) / (2 * np.pi)
    assert named("arccosine")(a[None], b[None])[0, 0] == pytest.approx(wanted, rel=1e-6)


def test_the_tangent_kernel_is_the_product_of_gradients() -> None:
    torch = pytest.importorskip("torch")
    rng, width = np.random.default_rng(2), 3000
    inputs = torch.tensor(np.concatenate([X, np.ones((6, 1))], 1))
    weights = [torch.tensor(rng.normal(size=s), requires_grad=True) for s in ((4, width), (width, width), (width, 1))]
    rows = []
    for x in inputs:
        h = x
        for i, w in enumerate(weights):
            h = h @ w * (1.0 if i == 0 else (2 / width) ** 0.5)
            h = torch.relu(h) if i < 2 else h
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(h.sum(), weights)]))
    g = torch.stack(rows)
    wanted = wide(X, X, 2)[1]
    assert np.abs((g @ g.T).numpy() - wanted).max() < 0.12 * wanted.max()


@pytest.mark.parametrize("name", NAMES)
def test_every_kernel_is_a_covariance(name: str) -> None:
    k = named(name, scale=1.3)(X, X)
    assert np.allclose(k, k.T)
    assert np.linalg.eigvalsh(k).min() > -1e-10
    assert np.allclose(k[:2], named(name, scale=1.3)(X[:2], X))


def test_median_distance() -> None:
    x = np.array([[0.0], [1.0], [3.0]])
    assert median_distance(x, np.random.default_rng(0)) == 2.0
    with pytest.raises(Invalid, match="all inputs are the same"):
        median_distance(np.ones((4, 2)), np.random.default_rng(0))


def test_what_is_no_kernel_is_an_error() -> None:
    with pytest.raises(Invalid, match="rbf, matern, arccosine, ntk"):
        named("rbd")
    with pytest.raises(Invalid, match="above 0"):
        named("rbf", scale=0.0)
