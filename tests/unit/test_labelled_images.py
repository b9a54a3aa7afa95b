"""Labelled images: the digits, wrong labels and random pixels against what they are said to be, and the task of them."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.core.task import Task
from unseen.tasks.labelled_images import DigitImages, digits, random_pixels, relabelled, scaled


def test_the_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    found, wanted = digits(), load_digits()
    assert found.pixels.shape == (1797, 1, 8, 8) and found.classes == 10
    assert np.array_equal(found.pixels.reshape(1797, 64) * 16, wanted.data)
    assert np.array_equal(found.labels, wanted.target)
    assert found.take(np.array([3, 1])).labels.tolist() == [3, 1] and len(found) == 1797


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 1.0])
def test_so_many_labels_are_drawn_anew(fraction: float) -> None:
    labels = np.arange(20_000) % 10
    given, right = relabelled(labels, fraction, 10, np.random.default_rng(1))
    assert np.array_equal(right, given == labels)
    assert np.mean(~right) == pytest.approx(0.9 * fraction, abs=0.01)  # one in ten hits the right one
    wrong = given[~right]
    assert not fraction or np.bincount(wrong, minlength=10).std() / np.bincount(wrong, minlength=10).mean() < 0.1
    assert labels.tolist() == (np.arange(20_000) % 10).tolist()
    with pytest.raises(Invalid, match=r"noise=1\.5"):
        relabelled(labels, 1.5, 10, np.random.default_rng(1))


def test_random_pixels_keep_mean_and_deviation_alone() -> None:
    pixels = digits().pixels
    noise = random_pixels(pixels, np.random.default_rng(0))
    assert noise.shape == pixels.shape and noise.dtype == np.float32
    assert noise.mean() == pytest.approx(pixels.mean(), abs=0.01)
    assert noise.std() == pytest.approx(pixels.std(), abs=0.01)
    centred = noise - noise.mean()
    assert abs(np.mean(centred[:, 0, 3, 3] * centred[:, 0, 3, 4])) < 0.1 * noise.var()  # neighbours do not go together


def test_scaling_is_measured_on_the_first() -> None:
    rng = np.random.default_rng(0)
    train, other = rng.normal([[[[3.0]], [[-1.0]]]], 2.0, (50, 2, 4, 4)), rng.random((5, 2, 4, 4))
    a, b = scaled(train.astype(np.float32), other.astype(np.float32))
    np.testing.assert_allclose(a.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(a.std((0, 2, 3)), 1, atol=1e-5)
    wanted = (other - train.mean((0, 2, 3))[:, None, None]) / train.std((0, 2, 3))[:, None, None]
    np.testing.assert_allclose(b, wanted, rtol=1e-4)


def test_as_a_task() -> None:
    task = DigitImages(0.5)
    assert isinstance(task, Task)
    assert [s.name for s in task.splits] == ["pristine", "corrupted", "test"]
    assert [s.name for s in DigitImages(0.0).splits] == ["pristine", "test"]
    whole = {name: task.draw(name, n, np.random.default_rng(0)) for name, n in (("train", 1200), ("test", 597))}
    assert not {e.prompt for e in whole["train"]} & {e.prompt for e in whole["test"]}
    assert len({e.id for e in whole["train"]}) == 1200
    assert 0.4 < np.mean([e.familiar is not None for e in whole["train"]]) < 0.5
    wrong, right, new = (
        task.draw(s.name, 20, np.random.default_rng(2)) for s in (task.splits[1], task.splits[0], task.splits[2])
    )
    assert all(e.familiar == e.at["right"] != e.truth for e in wrong)
    assert all(e.familiar is None and e.truth == e.at["right"] for e in (*right, *new))
    assert wrong == task.draw("corrupted", 20, np.random.default_rng(2))
    assert task.score(wrong[0], f" {wrong[0].truth}\n") == {"exact": 1.0}
    assert task.score(wrong[0], str(wrong[0].familiar)) == {"exact": 0.0}
    assert [len(row.split()) for row in wrong[0].prompt.split("\n")] == [8] * 8
    with pytest.raises(Invalid, match="has 597 examples in the split 'test'"):
        task.draw("test", 598, np.random.default_rng(0))
