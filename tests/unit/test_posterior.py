"""The error of Gaussian processes against scikit-learn's regressor, and against functions sampled one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from unseen.core.errors import Failed, Invalid
from unseen.measures.kernels import named
from unseen.measures.posterior import checked, conditioned, law


def data(n: int = 40, tested: int = 15, outputs: int = 2) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n + tested, 3))
    y = np.stack([np.sin(x[:, 0] + k) for k in range(outputs)], 1)
    return (x[:n], y[:n]), (x[n:], y[n:])


def test_the_posterior_is_scikit_learns() -> None:
    train, (tested, _) = data()
    theirs = GaussianProcessRegressor(RBF(1.0), alpha=1e-8, optimizer=None).fit(*train)
    mean, covariance = theirs.predict(tested, return_cov=True)
    ours = conditioned(named("rbf"), train, tested, 1e-8)
    assert np.allclose(ours[0], mean, atol=1e-5)
    assert np.allclose(ours[1], covariance[..., 0] if covariance.ndim == 3 else covariance, atol=1e-6)


def test_the_law_is_that_of_the_error_of_sampled_functions() -> None:
    train, (tested, truth) = data()
    mean, covariance = conditioned(named("matern"), train, tested, 1e-8)
    rng = np.random.default_rng(1)
    draws = rng.multivariate_normal(np.zeros(len(tested)), covariance, (4000, 2), method="eigh").transpose(0, 2, 1)
    errors = ((mean + draws - truth) ** 2).mean((1, 2))
    found = law(named("matern"), train, (tested, truth))
    assert found.mean == pytest.approx(errors.mean(), rel=0.03)
    assert ks_2samp(found.sample(4000, rng), errors).pvalue > 0.01
    assert np.exp(found.log_cdf(float(np.median(errors)))) == pytest.approx(0.5, abs=0.03)


def test_more_training_points_leave_less_error() -> None:
    train, test = data()
    fewer = tuple(v[:10] for v in train)
    assert law(named("rbf"), train, test).mean < law(named("rbf"), fewer, test).mean


def test_what_was_trained_on_is_known() -> None:
    train, _ = data()
    found = law(named("rbf"), train, train)
    assert found.mean < 1e-4
    assert found.log_cdf(0.01) == pytest.approx(0, abs=1e-6)


def test_one_output_may_be_a_list() -> None:
    (x, y), (tested, truth) = data(outputs=1)
    assert (
        law(named("rbf"), (x, y[:, 0]), (tested, truth[:, 0])).mean == law(named("rbf"), (x, y), (tested, truth)).mean
    )


def test_what_does_not_fit_is_an_error() -> None:
    train, test = data()
    for x, y, said in (
        (train[0][:5], train[1], "as many rows"),
        (np.zeros((0, 3)), np.zeros((0, 2)), "at least one"),
        (np.where(np.arange(3) == 1, np.nan, train[0]), train[1], "row 0 of the inputs"),
        (train[0], np.full_like(train[1], np.inf), "row 0 of the targets"),
    ):
        with pytest.raises(Invalid, match=said):
            checked(x, y)
    with pytest.raises(Invalid, match="features and outputs"):
        law(named("rbf"), train, (test[0], test[1][:, :1]))
    with pytest.raises(Invalid, match="jitter"):
        law(named("rbf"), train, test, jitter=0.0)


def test_a_matrix_that_is_not_positive_is_a_named_failure() -> None:
    train, test = data()
    with pytest.raises(Failed, match="not positive definite"):
        law(lambda a, b: -np.ones((len(a), len(b))), train, test)
