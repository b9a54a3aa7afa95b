"""Labelled sets: their scale and parts, against hand-worked cases, scikit-learn's PCA and plain loops."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.tasks import labelled
from unseen.tasks.labelled import INK, POINTS, digits, gaussian, glyphs, grey, hub, inked, made


def test_parts_share_nothing_and_are_scaled_by_the_training_part() -> None:
    x = np.array([[1.0, 10.0], [3.0, 10.0], [1.0, 30.0], [3.0, 30.0], [9.0, 9.0], [9.0, 9.0]])
    y = np.array([0, 1, 0, 1, 0, 1])
    found = made("mine", x, y, np.arange(6) >= 4)
    # by hand: the training part's means are 2 and 20, its deviations 1 and 10, its mean square (1 + 100) / 2
    scale = np.sqrt(101 / 2)
    assert found.train.x == pytest.approx(np.array([[-1, -10], [1, -10], [-1, 10], [1, 10]]) / scale)
    assert found.test.x == pytest.approx(np.array([[7, -11], [7, -11]]) / scale)
    assert found.classes == found.features == 2 and found.test.y.tolist() == [0, 1]
    assert found.train.order.tolist() == [0, 2, 1, 3]
    assert found.train.sizes.tolist() == [*found.train.begins.tolist()[1:], 2] == [2, 2]


def test_principal_components_are_those_of_scikit_learn() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6)) @ rng.standard_normal((6, 6))
    y = np.arange(300) % 3
    test = np.arange(300) % 5 == 4
    found = made("mine", x, y, test, features=3)
    pca = decomposition.PCA(3, svd_solver="full").fit(x[~test])
    for part, raw in ((found.train, x[~test]), (found.test, x[test])):
        theirs = pca.transform(raw)
        ratio = part.x / theirs
        assert np.abs(ratio) == pytest.approx(np.full_like(ratio, np.abs(ratio[0, 0])), rel=1e-3)
        assert np.all(np.sign(ratio) == np.sign(ratio[0]))
    assert np.mean(found.train.x**2) == pytest.approx(1.0, rel=1e-5)


def test_mistakes_name_what_is_wrong() -> None:
    x, y = np.zeros((4, 2)), np.array([0, 1, 0, 0])
    with pytest.raises(Invalid, match="no example of class 1"):
        made("mine", x, y, np.arange(4) >= 2)
    with pytest.raises(Invalid, match="features=3 cannot be kept"):
        made("mine", x, np.array([0, 1, 0, 1]), np.arange(4) >= 2, features=3)
    with pytest.raises(Unknown, match="fashion"):
        hub("fashoin", 8, Lab.alone())


def test_the_digits_are_scikit_learns() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    found = digits(64)
    x, y = datasets.load_digits(return_X_y=True)
    assert len(found.train.y) + len(found.test.y) == len(y) == 1797
    assert found.test.sizes.tolist() == [int(np.sum(y == c)) // 5 for c in range(10)]
    # distances between examples survive centring and turning, up to one scale
    kept = np.flatnonzero(~labelled._fifth(y))[:40]
    theirs = np.linalg.norm(x[kept][:, None] - x[kept][None], axis=-1)
    mine = np.linalg.norm(found.train.x[:40][:, None] - found.train.x[:40][None], axis=-1)
    off = ~np.eye(40, dtype=bool)
    assert (mine[off] / theirs[off]).std() < 1e-4
    assert digits(16).features == 16
    few = digits(16, classes=4)
    assert few.classes == 4 and few.test.sizes.tolist() == found.test.sizes[:4].tolist()


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(Missing, match=r"unseen\[data\]"):
        digits()


def test_gaussians_lie_around_their_centres() -> None:
    found = gaussian(8, 4, np.random.default_rng(1), noise=0.1, each=500)
    centres = np.stack([found.train.x[found.train.y == c].mean(0) for c in range(4)])
    for part in (found.train, found.test):
        nearest = np.argmin(np.linalg.norm(part.x[:, None] - centres, axis=-1), axis=1)
        assert np.mean(nearest == part.y) > 0.999
        spread = np.std(part.x - centres[part.y], axis=0)
        assert spread.max() / spread.min() < 1.2
    again = gaussian(8, 4, np.random.default_rng(1), noise=0.1, each=500)
    assert np.array_equal(again.train.x, found.train.x)
    other = gaussian(8, 4, np.random.default_rng(2), noise=0.1, each=500)
    assert not np.allclose(other.train.x, found.train.x)


def test_ink_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    control, side = rng.random((2, 2, 3, 2)), 5
    for image, strokes in zip(inked(control, side).reshape(2, side, side), control, strict=True):
        for row in range(side):
            for column in range(side):
                ink = 0.0
                for a, b, c in strokes:
                    for t in np.linspace(0, 1, POINTS):
                        at = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c) * (side - 1)
                        ink += np.exp(-((at[0] - row) ** 2 + (at[1] - column) ** 2) / (2 * INK**2))
                assert image[row, column] == pytest.approx(min(1.0, 4 * ink / POINTS), rel=1e-5)


def test_glyphs_of_a_class_are_alike() -> None:
    neighbors = pytest.importorskip("sklearn.neighbors")
    found = glyphs(8, 10, np.random.default_rng(4), each=100)
    knn = neighbors.KNeighborsClassifier(1).fit(found.train.x, found.train.y)
    assert knn.score(found.test.x, found.test.y) > 0.9
    assert glyphs(8, 10, np.random.default_rng(4), features=16, each=40).features == 16


class Image:
    """A picture as Pillow would give it: 4 × 4, all of one grey."""

    def __init__(self, value: int) -> None:
        self.value = value

    def convert(self, mode: str) -> Image:
        assert mode == "L"
        return self

    def resize(self, size: tuple[int, int]) -> Any:
        return np.full(size, self.value, np.uint8)


class Held(list[dict[str, Any]]):
    """A data set of the hub: rows, and columns by name."""

    def __getitem__(self, key: Any) -> Any:
        return [row[key] for row in self] if isinstance(key, str) else super().__getitem__(key)


def test_images_of_the_hub_are_fetched_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Any, ...]] = []

    def load_dataset(repo: str, name: str | None, *, split: str, revision: str) -> Held:
        asked.append((repo, name, split))
        return Held({"img": Image(20 * i), "label": i % 2} for i in range(4 if split == "train" else 2))

    fake = ModuleType("datasets")
    fake.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", fake)
    lab = Lab((0,), tmp_path / "files", tmp_path / "cache")
    for _ in range(2):
        found = hub("cifar10", 2, lab)
    assert asked == [("uoft-cs/cifar10", None, "train"), ("uoft-cs/cifar10", None, "test")]
    assert len(found.train.y) == 4 and found.test.y.tolist() == [0, 1] and found.features == 4
    # greys 0, 20, 40, 60 have mean 30 and mean square 500 around it
    assert found.train.x[:, 0] == pytest.approx((np.array([0, 20, 40, 60]) - 30) / np.sqrt(500))


def test_images_that_cannot_be_fetched_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def load_dataset(*args: Any, **kwargs: Any) -> Held:
        raise ConnectionError("no route")

    fake = ModuleType("datasets")
    fake.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", fake)
    with pytest.raises(Missing, match="no route"):
        hub("mnist", 8, Lab((0,), tmp_path / "files", tmp_path / "cache"))


def test_pillows_images_become_grey_rows() -> None:
    pillow = pytest.importorskip("PIL.Image")
    red = pillow.new("RGB", (8, 8), (255, 0, 0))
    assert grey(red, 2).tolist() == [76] * 4  # Pillow's luma: 299/1000 of red
