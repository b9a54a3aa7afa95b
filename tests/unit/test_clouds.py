"""Dimension, separation and radius of points: against brute force, scikit-learn, scikit-dimension and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.measures import clouds
from unseen.measures.clouds import Taken, between, checked, dimension, extreme, nearest, radius_of, separation, tail
from unseen.tasks.manifolds import Manifold, embedded, uniform


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def points(kind: str, m: int, n: int = 2000, **more: int) -> np.ndarray:
    made = Manifold(kind, m, **more)  # type: ignore[arg-type]
    return embedded(made, uniform(made, n, rng(m)))


def slowly(x: np.ndarray, k: int) -> np.ndarray:
    """Distances to the k nearest other rows, row by row."""
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return np.sort(apart, axis=1)[:, :k]


def test_neighbours_are_those_of_plain_loops_and_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    x = 5 + rng().standard_normal((90, 7))
    places = np.arange(0, 90, 3)
    for at_once in (clouds.AT_ONCE, 200):  # all at once, and few rows at a time
        monkeypatch.setattr(clouds, "AT_ONCE", at_once)
        found = nearest(x, places, 4)
        assert found == pytest.approx(slowly(x, 4)[places])
        assert found == pytest.approx(neighbors.NearestNeighbors(n_neighbors=5).fit(x).kneighbors(x[places])[0][:, 1:])


def test_neighbours_of_other_classes_and_copies() -> None:
    x = np.array([[0.0], [0.0], [1.0], [3.0], [3.5]])
    y = np.array([0, 0, 0, 1, 1])
    assert nearest(x, np.arange(5), 1)[:, 0].tolist() == [1.0, 1.0, 1.0, 0.5, 0.5]  # a copy is no neighbour
    assert nearest(x, np.arange(5), 1, labels=y)[:, 0].tolist() == [3.0, 3.0, 2.0, 2.0, 2.5]
    assert nearest(x, np.arange(5), 1, labels=y, min_distance=2.2)[:, 0].tolist() == [3.0, 3.0, 2.5, 3.0, 2.5]
    assert np.isinf(nearest(x, np.arange(5), 5)).any()


@pytest.mark.parametrize(("kind", "m"), [("sphere", 2), ("sphere", 5), ("torus", 2), ("torus", 4)])
def test_a_known_dimension_is_found(kind: str, m: int) -> None:
    found = dimension(points(kind, m), rng=rng())
    assert abs(found.value - m) < 0.7
    assert found.low < found.value < found.high < found.low + 0.5


def test_the_estimate_is_the_formula_and_its_interval_the_standard_error() -> None:
    x = points("sphere", 3, 400)
    near = slowly(x, 5)
    each = np.log(near[:, 4:] / near[:, :4])
    found = dimension(x, rng=rng())
    assert found.value == pytest.approx(1 / each.mean())
    error = each.mean(1).std() / 20 / each.mean() ** 2  # of 1/mean, by the delta method, for 400 anchors
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.15)
    part = dimension(x, rng=rng(), anchors=100)
    assert part.value != found.value and part.high - part.low > 1.5 * (found.high - found.low)


def test_the_estimate_is_that_of_scikit_dimension() -> None:
    skdim = pytest.importorskip("skdim", reason="scikit-dimension is a cross-check that is not installed with us")
    for m in (2, 5, 9):
        x = points("sphere", m)
        told = skdim.id.MLE().fit(x, n_neighbors=5, comb="mle").dimension_
        assert dimension(x, rng=rng()).value == pytest.approx(told, rel=1e-6)


def test_noise_raises_the_dimension() -> None:
    x = points("sphere", 4)
    noisy = np.concatenate([x, 0.3 * rng().standard_normal((len(x), 8))], axis=1)
    assert dimension(noisy, rng=rng()).value > dimension(x, rng=rng()).value + 1


def test_the_separation_is_the_least_distance_between_classes() -> None:
    x = rng().standard_normal((300, 4))
    y = rng(1).integers(0, 3, 300)
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    apart[y[:, None] == y[None]] = np.inf
    found = separation(x, y, rng=rng())
    assert found.value == pytest.approx(apart.min()) and found.low == pytest.approx(apart.min())
    far = np.sort(apart[np.isfinite(apart)])[11]
    assert separation(x, y, rng=rng(), min_distance=float(far)).value > far
    small = [separation(x, y, rng=rng(s), sample=50).value for s in range(20)]
    assert min(small) >= found.value and np.mean(small) > found.value


def test_its_bootstrap_is_that_of_resampled_anchors() -> None:
    x = rng().standard_normal((40, 2))
    y = np.arange(40) % 2
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    apart[y[:, None] == y[None]] = np.inf
    least = apart.min(1)
    plain = [least[rng(s).integers(0, 40, 40)].min() for s in range(4000)]
    found = separation(x, y, rng=rng()).replicates
    assert np.mean(found == found.min()) == pytest.approx(np.mean(np.isclose(plain, least.min())), abs=0.06)
    assert found.mean() == pytest.approx(np.mean(plain), rel=0.05)


@pytest.mark.parametrize("gamma", [0.5, -0.5])
def test_a_tail_is_told_beyond_the_sample(gamma: float) -> None:
    """Against the quantiles of Pareto's law (heavy) and of one with an end (1 − (1 − x)² near 1, exponent −½)."""
    u = rng().random((40, 20_000))
    values = u**-gamma if gamma > 0 else 2 - np.sqrt(u)
    largest = -np.sort(-values, axis=1)[:, :1001]
    told = tail(largest, 0.05)
    rare = 0.05 / 20_000
    truth = rare**-gamma if gamma > 0 else 2 - np.sqrt(rare)
    assert np.median(told) == pytest.approx(truth, rel=0.25 if gamma > 0 else 0.02)
    assert np.all(told >= largest[:, -1])


def test_extremes_come_nearer_to_all_pairs_than_the_sample() -> None:
    x = points("sphere", 4, 6000)
    y = (x[:, 0] > 0).astype(np.int64)
    truth = separation(x, y, rng=rng()).value
    few = separation(x, y, rng=rng(), sample=600)
    found = extreme(x, y, few, rng=rng(), pairs=400_000)
    assert abs(np.log(found.value / truth)) < abs(np.log(few.value / truth))
    assert found.value <= few.value and np.all(found.replicates <= few.replicates)


def test_random_pairs_are_of_two_classes() -> None:
    x, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 1, 1, 1])
    found = between(x, y, 6000, rng())
    values, counts = np.unique(found, return_counts=True)
    assert values.tolist() == [1, 2, 3, 4, 5]
    assert counts / counts.sum() == pytest.approx(np.array([1, 2, 3, 2, 1]) / 9, abs=0.02)
    assert between(x, y, 6000, rng(), min_distance=3.0).min() == 4


def test_the_radius_is_the_largest_norm() -> None:
    x = rng().standard_normal((500, 3))
    found = radius_of(x, rng=rng())
    assert found.value == pytest.approx(np.linalg.norm(x, axis=1).max()) == found.high


def test_rows_that_are_read_as_they_are_asked_for_give_the_same() -> None:
    x = points("sphere", 3, 500)
    part = Taken(x, np.arange(0, 500, 2))
    assert len(part) == 250
    assert dimension(part, rng=rng()).value == pytest.approx(dimension(x[::2], rng=rng()).value)


def test_torch_measures_the_same_distances() -> None:
    torch = pytest.importorskip("torch")
    x = 3 + rng().standard_normal((80, 6))
    x[5] = x[9]
    found = nearest(x, np.arange(80), 3, device=str(torch.device("cpu", 0)))  # by name not "cpu", so by torch
    assert found == pytest.approx(nearest(x, np.arange(80), 3), rel=1e-3)


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (np.ones((9, 2)), np.zeros(9), "two classes are needed"),
        (np.ones((9, 2)), np.zeros(8), "9 rows, but labels of shape"),
        (np.ones((4, 2)), np.arange(4), "4 rows have no 5 neighbours"),
        (np.full((9, 2), np.nan), np.arange(9), "row 0 has a value that is no finite number"),
        (np.ones((9, 0)), np.arange(9), "the 9 rows have no features"),
        (np.ones((9, 2)), np.full(9, np.nan), "9 labels are NaN"),
        (np.ones((9, 2)), np.array(["a", None, "b"] * 3, object), "3 labels are NaN or None"),
    ],
)
def test_what_cannot_be_measured_is_told(x: np.ndarray, y: np.ndarray, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        checked(x, y)


def test_data_without_neighbours_or_distances_are_told() -> None:
    copies = np.repeat(rng().standard_normal((2, 2)), 4, axis=0)
    with pytest.raises(Invalid, match="8 of 8 rows have no 5 neighbours farther than 0"):
        dimension(copies, rng=rng())
    with pytest.raises(Invalid, match="equally far"):
        dimension(np.eye(8), rng=rng())
    with pytest.raises(Invalid, match="k=1 neighbours"):
        dimension(np.eye(8), rng=rng(), k=1)
    y = np.arange(8) % 2
    with pytest.raises(Invalid, match="8 rows stand under two labels"):
        separation(copies, y, rng=rng())
    with pytest.raises(Invalid, match="farther apart than min_distance=100"):
        separation(copies, y, rng=rng(), min_distance=100.0)
    found = separation(np.arange(12.0)[:, None], np.arange(12) % 2, rng=rng())
    with pytest.raises(Invalid, match="too few to tell how near"):
        extreme(np.arange(12.0)[:, None], np.arange(12) % 2, found, rng=rng())
