"""Which labelled sets are there to learn from in context? Digits, Gaussian mixtures, drawn glyphs, the MNIST family.

    digits(16)  ->  Labelled('digits', train=Part(x [1437 16], y [1437]), test=Part(x [360 16], y [360]), classes=10)

Features are centred and scaled by the training part, so that they have mean 0 each and mean square 1 together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, Unknown, missing_extra, nearest
from unseen.core.lab import Lab

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
POINTS = 24  # places along a stroke
INK = 0.7  # standard deviation of a stroke's ink (pixels)


@dataclass(frozen=True)
class Source:
    """Where a set of images lies on the Hugging Face hub, and the names of its columns."""

    repo: str
    revision: str = "main"
    name: str | None = None
    image: str = "image"
    label: str = "label"


HUB: Mapping[str, Source] = {
    "mnist": Source("ylecun/mnist"),
    "fashion": Source("zalando-datasets/fashion_mnist"),
    "kmnist": Source("tanganke/kmnist"),
    "cifar10": Source("uoft-cs/cifar10", image="img"),
    "svhn": Source("ufldl-stanford/svhn", name="cropped_digits"),
}


@dataclass(frozen=True, eq=False)
class Part:
    """Labelled examples: x [example feature] and y [example], the classes being 0 to `classes` − 1."""

    x: Floats
    y: Ints
    classes: int

    @cached_property
    def order(self) -> Ints:
        """The examples' numbers sorted by class [example]."""
        return np.argsort(self.y, kind="stable")

    @cached_property
    def sizes(self) -> Ints:
        """How many examples each class has [class]."""
        return np.bincount(self.y, minlength=self.classes)

    @cached_property
    def begins(self) -> Ints:
        """Where each class begins in `order` [class]."""
        return np.cumsum(self.sizes) - self.sizes


@dataclass(frozen=True, eq=False)
class Labelled:
    """A data set in two parts that share no example."""

    name: str
    train: Part
    test: Part

    @property
    def features(self) -> int:
        return self.train.x.shape[1]

    @property
    def classes(self) -> int:
        return self.train.classes


def made(
    name: str,
    x: NDArray[Any],
    y: NDArray[Any],
    test: NDArray[np.bool_],
    *,
    features: int | None = None,
    classes: int | None = None,
) -> Labelled:
    """A labelled set of raw x [example feature] and y [example], of which `test` [example] marks the test part.

    `features` keeps that many principal directions of the training part; `classes` (the largest label + 1 where it is
    not told) may exceed those present in neither part. Raises Invalid where a class has no example in one of the parts.
    """
    x, y, k = np.asarray(x, np.float64), np.asarray(y, np.int64), classes or int(np.max(y)) + 1
    for part in (~test, test):
        if lacking := sorted(set(range(k)) - set(y[part].tolist())):
            raise Invalid(
                f"{name}: one of its parts has no example of class {lacking[0]}; every class needs some in both."
            )
    x = x - x[~test].mean(0)
    if features is not None:
        x = _reduced(name, x, test, features)
    x = x / max(float(np.sqrt(np.mean(x[~test] ** 2))), 1e-12)
    parts = [Part(np.ascontiguousarray(x[p], np.float32), y[p], k) for p in (~test, test)]
    return Labelled(name, *parts)


def _reduced(name: str, x: NDArray[np.float64], test: NDArray[np.bool_], features: int) -> NDArray[np.float64]:
    """The principal components of centred x, each direction's sign set so that its largest entry is positive."""
    if not 1 <= features <= x.shape[1]:
        raise Invalid(
            f"{name} has {x.shape[1]} features, so features={features} cannot be kept; take 1 to {x.shape[1]}."
        )
    _, axes = np.linalg.eigh(x[~test].T @ x[~test])
    axes = axes[:, ::-1][:, :features]
    peak = axes[np.argmax(np.abs(axes), axis=0), np.arange(features)]
    return x @ (axes * np.sign(peak))


def digits(features: int = 64, *, classes: int = 10) -> Labelled:
    """The 1,797 handwritten digits of scikit-learn (8 × 8), or those below `classes`, as principal components; every
    fifth of a class is for testing.

    Raises Missing without the extra data.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise missing_extra("the digits of scikit-learn", error, "data") from error
    x, y = (np.asarray(v) for v in load_digits(return_X_y=True))
    x, y = x[y < classes], y[y < classes]
    return made("digits", x, y, _fifth(y), features=features)


def _fifth(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Every fifth example of each class [example]."""
    test = np.zeros(len(y), bool)
    for c in np.unique(y):
        test[np.flatnonzero(y == c)[4::5]] = True
    return test


def gaussian(features: int, classes: int, rng: np.random.Generator, *, noise: float = 0.2, each: int = 250) -> Labelled:
    """A mixture of spherical Gaussians: class centres of N(0, 1) entries, examples at standard deviation `noise` around
    them, `each` of a class, every fifth for testing."""
    y = np.repeat(np.arange(classes), each)
    centres = rng.standard_normal((classes, features))
    x = centres[y] + noise * rng.standard_normal((len(y), features))
    return made("gaussian", x, y, _fifth(y))


def glyphs(
    side: int,
    classes: int,
    rng: np.random.Generator,
    *,
    features: int | None = None,
    strokes: int = 3,
    jitter: float = 0.05,
    each: int = 250,
) -> Labelled:
    """Drawn signs: a class is so many curved strokes, an example moves their control points and the whole by `jitter`.

    Images are side × side; a stroke is a quadratic Bézier curve with three control points in the unit square. Every
    fifth example of a class is for testing.
    """
    y = np.repeat(np.arange(classes), each)
    control = rng.random((classes, strokes, 3, 2))
    moved = control[y] + jitter * rng.standard_normal((len(y), strokes, 3, 2))
    moved += jitter * rng.standard_normal((len(y), 1, 1, 2))
    return made("glyphs", inked(moved, side), y, _fifth(y), features=features)


def inked(control: NDArray[np.floating], side: int) -> Floats:
    """Images [example side·side] of strokes given by control points [example stroke 3 2] in the unit square, row first."""
    t = np.linspace(0, 1, POINTS)
    weights = np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2], 1)
    points = np.einsum("pc,nscd->nspd", weights, control).reshape(len(control), -1, 2) * (side - 1)
    at = np.arange(side)
    row, column = (np.exp(-((points[..., d, None] - at) ** 2) / (2 * INK**2)) for d in (0, 1))
    ink = np.einsum("npr,npc->nrc", row, column) / POINTS * 4
    return np.minimum(ink, 1.0).reshape(len(control), -1).astype(np.float32)


def hub(name: str, side: int, lab: Lab, *, features: int | None = None) -> Labelled:
    """A set of images of the hub (`mnist`, `fashion`, `kmnist`, `cifar10`, `svhn`), grey and side × side.

    It is fetched once, and kept by the lab as arrays. Raises Unknown for another name, Missing without the extra data
    or a network.
    """
    if name not in HUB:
        raise Unknown(f"no set of images is called {name!r}{nearest(name, HUB)}. There are {', '.join(HUB)}.")
    source = HUB[name]
    path = lab.once(
        f"{name}-{side}.npz", lambda to: _kept(name, side, to), repo=source.repo, revision=source.revision, side=side
    )
    with np.load(path) as held:
        return made(name, held["x"], held["y"], held["test"], features=features)


def _kept(name: str, side: int, to: Path) -> None:
    """Write the grey images of a set as x uint8[example side·side], y [example] and test [example]."""
    found = [fetched(HUB[name], split) for split in ("train", "test")]
    x = np.concatenate([np.stack([grey(image, side) for image in images]) for images, _ in found])
    y = np.concatenate([labels for _, labels in found])
    with to.open("wb") as file:
        np.savez(file, x=x, y=y, test=np.arange(len(y)) >= len(found[0][1]))


def fetched(source: Source, split: str) -> tuple[list[Any], Ints]:
    """The images of Pillow and the labels [example] of a split of a set of the hub.

    Raises Missing without the extra data or a network.
    """
    try:
        from datasets import load_dataset
    except ModuleNotFoundError as error:
        raise missing_extra(f"the images of {source.repo}", error, "data") from error
    try:
        held: Any = load_dataset(source.repo, source.name, split=split, revision=source.revision)
    except Exception as error:  # the network fails in many ways
        raise Missing(
            f"{source.repo} could not be had from the hub ({' '.join(str(error).split())[:200]}); fetch it where there is a network, then share the cache of datasets (HF_HOME)."
        ) from error
    return [row[source.image] for row in held], np.asarray(held[source.label], np.int64)


def grey(image: Any, side: int) -> NDArray[np.uint8]:
    """An image of Pillow in grey, side × side, as one row [side·side]."""
    return np.asarray(image.convert("L").resize((side, side)), np.uint8).reshape(-1)
