"""Surfaces of known dimension: their geometry, laws and functions against closed forms, scipy and brute force."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.tasks.manifolds import (
    Manifold,
    band,
    draw,
    embedded,
    gegenbauer,
    harmonic,
    harmonics,
    highest,
    ridge,
    sign,
    uniform,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("made", [Manifold("sphere", 3), Manifold("torus", 3), Manifold("sphere", 1, ambient=2)])
def test_the_map_keeps_distances_and_is_the_manifolds_own(made: Manifold) -> None:
    inside = uniform(made, 40, rng())
    x = embedded(made, inside)
    assert x.shape == (40, made.ambient)
    assert np.linalg.norm(x, axis=1) == pytest.approx(np.full(40, made.radius))
    apart = np.linalg.norm(inside[:, None] - inside[None], axis=2)
    assert np.linalg.norm(x[:, None] - x[None], axis=2) == pytest.approx(apart)
    assert np.array_equal(embedded(made, inside), x)


def test_a_warp_bends_without_folding() -> None:
    flat, bent = (Manifold("sphere", 2, ambient=8, warp=w) for w in (0.0, 0.9))
    inside = uniform(flat, 300, rng())
    a, b = embedded(flat, inside), embedded(bent, inside)
    assert np.linalg.matrix_rank(a, 1e-9) == 3 < np.linalg.matrix_rank(b, 1e-9)
    there = np.triu_indices(300, 1)
    before, after = (np.linalg.norm(v[:, None] - v[None], axis=2)[there] for v in (a, b))
    assert np.all(after >= 0.1 * before - 1e-9) and np.all(after <= 1.9 * before + 1e-9)


@pytest.mark.parametrize("m", [1, 2, 5])
def test_points_are_uniform_on_a_sphere(m: int) -> None:
    """All coordinates have one law: the last, which is drawn otherwise than the rest, against Gaussian directions."""
    from scipy.stats import ks_2samp

    found = uniform(Manifold("sphere", m), 4000, rng())
    plain = rng(1).standard_normal((4000, m + 1))
    plain /= np.linalg.norm(plain, axis=1)[:, None]
    for c in range(m + 1):
        assert ks_2samp(found[:, c], plain[:, c]).pvalue > 1e-3
    assert found.T @ found / 4000 == pytest.approx(np.eye(m + 1) / (m + 1), abs=0.03)


@pytest.mark.parametrize("kind", ["sphere", "torus"])
def test_a_held_region_is_so_large_and_never_trained_on(kind: str) -> None:
    part, whole = Manifold(kind, 3, held=0.25), Manifold(kind, 3)  # type: ignore[arg-type]
    train, beyond, all_ = (
        uniform(made, 4000, rng(s), beyond=b) for s, made, b in ((0, part, False), (1, part, True), (2, whole, False))
    )
    where = [v[:, -1] if kind == "sphere" else np.arctan2(v[:, -1], v[:, -2]) % (2 * np.pi) for v in (train, beyond)]
    assert where[0].max() <= where[1].min()
    edge = (where[0].max() + where[1].min()) / 2
    of_all = all_[:, -1] if kind == "sphere" else np.arctan2(all_[:, -1], all_[:, -2]) % (2 * np.pi)
    assert np.mean(of_all > edge) == pytest.approx(0.25, abs=0.03)


def test_zonal_polynomials_are_those_of_scipy() -> None:
    from scipy.special import eval_chebyt, eval_gegenbauer, eval_legendre

    t = np.linspace(-1, 1, 21)
    for k in range(6):
        assert gegenbauer(1, 5, t)[k] == pytest.approx(eval_chebyt(k, t))
        assert gegenbauer(2, 5, t)[k] == pytest.approx(eval_legendre(k, t))
        assert gegenbauer(7, 5, t)[k] == pytest.approx(eval_gegenbauer(k, 3, t) / eval_gegenbauer(k, 3, 1.0))


def test_harmonics_are_counted() -> None:
    assert [harmonics(1, k) for k in range(4)] == [1, 2, 2, 2]
    assert [harmonics(2, k) for k in range(5)] == [1, 3, 5, 7, 9]
    assert harmonics(3, 4) == 25  # (k + 1)² on the three-sphere
    assert highest(2, np.sqrt(6)) == pytest.approx(2)  # 2 · 3 = 6


@pytest.mark.parametrize("kind", ["sphere", "torus"])
def test_targets_have_mean_zero_and_mean_square_one(kind: str) -> None:
    for m in (1, 4):
        made = Manifold(kind, m)  # type: ignore[arg-type]
        inside = uniform(made, 6_000, rng())
        assert np.mean(harmonic(made, 2)(inside) ** 2) == pytest.approx(1, abs=0.1)
        squares = [np.mean(band(made, 5.0, rng(s))(inside) ** 2) for s in range(60)]
        assert np.mean(squares) == pytest.approx(1, abs=0.25)
        assert abs(np.mean([np.mean(band(made, 5.0, rng(s))(inside)) for s in range(30)])) < 0.05
        assert set(sign(ridge(made))(inside)) == {0.0, 1.0}
    assert ridge(Manifold("sphere", 3))(np.array([[0.1, 0, 0, 0]])) == pytest.approx(np.tanh(3 * 2 * 0.1))


@pytest.mark.parametrize("kind", ["sphere", "torus"])
def test_a_band_limited_function_lies_in_the_span_of_low_frequencies(kind: str) -> None:
    """By least squares on all low functions (polynomials of degree ≤ K; waves of length ≤ M), which leave nothing over."""
    made = Manifold(kind, 2)  # type: ignore[arg-type]
    inside = uniform(made, 400, rng())
    values = band(made, 3.5, rng(3))(inside)
    if kind == "sphere":
        powers = [(a, b, c) for a in range(4) for b in range(4) for c in range(4) if a + b + c <= 3]  # 3 · 4 < 3.5²
        basis = np.stack([np.prod(inside ** np.array(p), axis=1) for p in powers], 1)
    else:
        angle = np.arctan2(inside[:, 1::2], inside[:, ::2])
        waves = [(a, b) for a in range(-3, 4) for b in range(-3, 4) if a * a + b * b <= 3.5**2]
        phase = angle @ np.array(waves).T
        basis = np.concatenate([np.cos(phase), np.sin(phase)], 1)
    left = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    assert np.abs(left).max() < 1e-8 < np.std(values)


def test_splits_differ_as_they_say() -> None:
    made = Manifold("sphere", 2, ambient=10, held=0.3, noise=3, always=1, loud=0.5)
    assert [(s.name, s.shifted) for s in made.splits] == [("test", False), ("region", True), ("noise", True)]
    target = ridge(made)
    drawn = {name: draw(made, target, name, 500, rng()) for name in ("train", "test", "region", "noise")}
    assert {name: np.linalg.matrix_rank(p.x, 1e-9) for name, p in drawn.items()} == {
        "train": 4,
        "test": 4,
        "region": 4,
        "noise": 7,
    }
    assert drawn["noise"].y == pytest.approx(target(drawn["noise"].inside))
    assert np.array_equal(drawn["train"].x, drawn["test"].x)  # one law: the generator makes the difference
    with pytest.raises(Unknown, match="no split 'nois'; the nearest"):
        draw(made, target, "nois", 5, rng())
    assert Manifold("torus", 2).splits[0].shifted is False and len(Manifold("torus", 2).splits) == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kind": "cube"}, "sphere or a torus"),
        ({"m": 0}, "at least 1"),
        ({"m": 70}, "needs 71 dimensions"),
        ({"warp": 1.0}, "below 1"),
        ({"held": 1.0}, "below 1"),
    ],
)
def test_what_does_not_fit_is_told(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        Manifold(**{"kind": "sphere", "m": 2, **wrong})  # type: ignore[arg-type]


def test_too_low_a_frequency_is_told() -> None:
    with pytest.raises(Invalid, match="the lowest of a sphere of dimension 16 is 4"):
        band(Manifold("sphere", 16), 3.9, rng())
    with pytest.raises(Invalid, match="degree 0"):
        harmonic(Manifold("sphere", 2), 0)
    values = band(Manifold("torus", 20), 1.0, rng())(uniform(Manifold("torus", 20), 50, rng()))
    assert np.all(np.isfinite(values)) and np.std(values) > 0
