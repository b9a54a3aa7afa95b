"""Left tails against sums of many digits (mpmath), far below where probabilities underflow."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from unseen.measures import tails


def at(x: float) -> np.ndarray:
    return np.array([x])


@pytest.mark.parametrize("x", [1e-9, 1e-3, 0.2, 0.4, 0.9])
def test_gamma(x: float) -> None:
    wanted = mp.log(mp.gammainc(40, 0, mp.mpf(x) / mp.mpf("0.01"), regularized=True))
    assert tails.gamma(at(x), shape=at(40.0), scale=at(0.01))[0] == pytest.approx(float(wanted), rel=1e-10)


@pytest.mark.parametrize("x", [1e-6, 1e-3, 0.1, 0.3, 0.9])
def test_f(x: float) -> None:
    x = x / 2
    wanted = mp.log(mp.betainc(150, 500, 0, mp.mpf(x) / (mp.mpf(x) + 1), regularized=True))
    found = tails.f(at(3 * x), a=at(150.0), b=at(500.0), scale=at(3.0))[0]
    assert found == pytest.approx(float(wanted), rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(
    ("x", "df", "nc"), [(20.0, 90.0, 14.0), (1e-3, 90.0, 14.0), (1e-8, 90.0, 14.0), (0.05, 3.0, 60.0), (130.0, 90.0, 14.0)]
)  # fmt: skip
def test_ncx2_is_a_poisson_mixture_of_chi_squares(x: float, df: float, nc: float) -> None:
    with mp.workdps(40):
        half = mp.mpf(nc) / 2
        mixed = sum(
            mp.exp(-half) * half**j / mp.factorial(j) * mp.gammainc(mp.mpf(df) / 2 + j, 0, mp.mpf(x) / 2, regularized=True)
            for j in range(int(3 * nc + 150))
        )  # fmt: skip
        wanted = float(mp.log(mixed))
    told = {"df": at(df), "nc": at(nc), "scale": at(0.5)}
    found = tails.ncx2(at(x / 2), **told)[0]
    assert found == pytest.approx(wanted, abs=1e-8 if wanted > -600 else 0.01)
    if wanted < -1:
        assert tails._ncx2_saddlepoint(at(x), at(df), at(nc))[0] == pytest.approx(wanted, abs=0.02)


def test_sankaran_is_near_in_the_middle_and_far_off_in_the_tail() -> None:
    told = {"df": at(90.0), "nc": at(14.0), "scale": at(1.0)}
    near = tails.sankaran(at(60.0), **told)[0], tails.ncx2(at(60.0), **told)[0]
    assert near[0] == pytest.approx(near[1], rel=0.3)  # z²/2 leaves out the normal tail's own factor
    assert tails.sankaran(at(1e-8), **told)[0] > 0.3 * tails.ncx2(at(1e-8), **told)[0]


def test_lognormal_far_out() -> None:
    found = tails.lognormal(at(np.exp(-50.0)), mean=at(0.0), deviation=at(1.0))[0]
    assert found == pytest.approx(float(mp.log(mp.ncdf(-50))), rel=1e-12)


def test_arguments_are_vectors() -> None:
    x = np.array([[1e-9, 0.3]])
    shape = np.array([[20.0], [40.0]])
    found = tails.gamma(x, shape=shape, scale=np.full((2, 1), 0.01))
    assert found.shape == (2, 2)
    assert found[1, 1] == tails.gamma(at(0.3), shape=at(40.0), scale=at(0.01))[0]
