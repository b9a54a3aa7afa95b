"""Images of which some carry a wrong label: what is learned from the right ones, and what is only memorised?

    relabelled(digits().labels, 0.5, 10, rng)  ->  given labels, and which of them are the right ones
    DigitImages(0.5).draw("corrupted", 1, rng)[0]  ->  the ink of an 8 × 8 digit 3, its given label '7', familiar '3'

The 1,797 digits of scikit-learn come with it; data sets of the hub or of a folder are read by `pictures`. A label is
drawn anew from all classes, so that one in ten drawn among ten is the right one: its example counts as pristine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, missing_extra
from unseen.core.record import Split, Value
from unseen.core.task import Example, example_id

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]

PRISTINE = Split("pristine")
CORRUPTED = Split("corrupted")
TEST = Split("test", axis="example", shifted=True)
TESTED = 597  # of the 1,797 digits: the rest are trained on


@dataclass(frozen=True, eq=False)
class Images:
    """Images in memory: pixels float32[n channel height width] in 0..1, labels [n]."""

    pixels: Floats
    labels: Labels
    classes: int

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, which: NDArray[np.integer]) -> Images:
        """Some of the images, by their places."""
        return Images(self.pixels[which], self.labels[which], self.classes)


def digits() -> Images:
    """The 1,797 handwritten digits of scikit-learn, [n 1 8 8]. Raises Missing where it is not installed."""
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise missing_extra("the images of digits", error, "data") from error
    found: Any = load_digits()
    return Images((found.images / 16).astype(np.float32)[:, None], found.target.astype(np.int64), 10)


def relabelled(labels: Labels, fraction: float, classes: int, rng: np.random.Generator) -> tuple[Labels, Flags]:
    """Labels of which a fraction (0..1, rounded to whole examples) were drawn anew from all classes, and which are right."""
    if not 0 <= fraction <= 1:
        raise Invalid(f"noise={fraction}: the fraction of labels drawn anew lies in 0..1.")
    chosen = rng.permutation(len(labels))[: round(fraction * len(labels))]
    given = labels.copy()
    given[chosen] = rng.integers(0, classes, len(chosen))
    return given, given == labels


def random_pixels(pixels: Floats, rng: np.random.Generator) -> Floats:
    """Images of independent Gaussian pixels with the mean and deviation that all these pixels have."""
    return rng.normal(pixels.mean(), pixels.std(), pixels.shape).astype(np.float32)


def scaled(train: Floats, *others: Floats) -> tuple[Floats, ...]:
    """Pixels with mean 0 and deviation 1 in each channel, as measured on the first."""
    mean = train.mean((0, 2, 3), keepdims=True)
    deviation = np.maximum(train.std((0, 2, 3), keepdims=True), 1e-6)
    return tuple((x - mean) / deviation for x in (train, *others))


@dataclass(frozen=True)
class DigitImages:
    """The digits as a task: examples trained on, with the labels they are given, and new ones.

    The prompt is the ink of an image, 0 to 16, row by row. On `corrupted` the truth is the label that was given, which
    only memory tells, and `familiar` the right one. Which digits are trained on, and their labels, are fixed by `seed`.
    """

    noise: float
    seed: int = 0

    @property
    def name(self) -> str:
        return f"digits, {self.noise:.0%} of labels random"

    @property
    def splits(self) -> tuple[Split, ...]:
        return (PRISTINE, CORRUPTED, TEST) if self.noise else (PRISTINE, TEST)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n different examples of a split; "train" holds the pristine and the corrupted. Raises Invalid for more than
        there are."""
        images, given, right = self._parts()
        among = {"test": np.arange(TESTED), "train": np.arange(TESTED, len(images))}
        among |= {"pristine": among["train"][right], "corrupted": among["train"][~right]}
        if n > len(among[split]):
            raise Invalid(f"--n {n}: {self.name} has {len(among[split])} examples in the split {split!r}.")
        known = {s.name: s for s in (PRISTINE, CORRUPTED, TEST)} | {"train": Split("train")}
        return [self._example(images, given, int(i), known[split]) for i in rng.permutation(among[split])[:n]]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: whether the answer is the label (0 or 1)."""
        return {"exact": float(answer.strip() == example.truth)}

    def _parts(self) -> tuple[Images, Labels, Flags]:
        """All digits in a fixed order, the test ones first; and of the others, given labels and which are right."""
        rng = np.random.default_rng(self.seed)
        whole = digits()
        images = whole.take(rng.permutation(len(whole)))
        return images, *relabelled(images.labels[TESTED:], self.noise, images.classes, rng)

    def _example(self, images: Images, given: Labels, i: int, split: Split) -> Example:
        ink = (images.pixels[i, 0] * 16).round().astype(int)
        prompt = "\n".join(" ".join(map(str, row)) for row in ink.tolist())
        right = str(images.labels[i])
        label = right if i < TESTED else str(given[i - TESTED])
        at: dict[str, Value] = {"image": i, "right": right}
        return Example(example_id(self.name, split.name, f"{i} {prompt}"), prompt, label, split, right if label != right else None, at)  # fmt: skip
