"""How many bits do processes and networks need for the same test error on pictures?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.record import Row, Split, Value
from unseen.measures import bias
from unseen.measures.bias import Bits
from unseen.measures.kernels import median_distance, named
from unseen.measures.posterior import law
from unseen.measures.squares import Squares
from unseen.tasks import pictures
from unseen.tasks.labelled_images import Images, digits, relabelled

from .arms import DEEP, FAR, Ensemble
from .nets import NAMES, Pairs, Scores, trained

TRAIN = Split("train")
TEST = Split("test", axis="example", shifted=True)
FRAME = 10  # height and width that moved digits have
KERNELS = ("rbf", "median", "matern", "arccosine", "ntk")
PAIRED = (("mlp", "cnn"), ("mlp", "narrow"), ("mlp", "deep"))
Space = Squares | Scores


@dataclass(frozen=True, eq=False)
class Data:
    """Pictures and one-hot targets, trained on and tested."""

    train: Pairs
    test: Pairs


def run(setting: Ensemble, lab: Lab) -> Iterator[Row]:
    """Rows of every space: its test error and the bits of equal ones: a grid, the median network's, and for two
    architectures the median of both together."""
    if odd := [s for s in setting.spaces if s not in (*KERNELS, *NAMES)]:
        raise Invalid(f"spaces={','.join(odd)}: a space is a kernel ({', '.join(KERNELS)}) or networks ({', '.join(NAMES)}).")  # fmt: skip
    data = prepared(setting, lab)
    spaces: dict[str, Space] = {}
    for name in setting.spaces:
        spaces[name] = _process(name, data, lab) if name in KERNELS else trained(name, setting, data.train, data.test, lab)  # fmt: skip
        yield from _scores(name, spaces[name], setting)
    for target, eps in targets({k: v.tested for k, v in spaces.items() if isinstance(v, Scores)}).items():
        yield Row("target", eps, at={"target": target})
        for name, space in spaces.items():
            yield from _told(_bits(space, eps, lab), {"space": name, "target": target})


def targets(tested: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """The test errors that spaces are compared at, by name: of the grid, of the median network of each architecture, of
    the median of two architectures together (neither chooses it), and one that none has."""
    found = {f"{e:g}": e for e in DEEP} | {"far": FAR}
    found |= {name: float(np.median(losses)) for name, losses in tested.items()}
    both = ((a, b) for a, b in PAIRED if a in tested and b in tested)
    return found | {f"{a} and {b}": float(np.median(np.concatenate([tested[a], tested[b]]))) for a, b in both}


def prepared(setting: Ensemble, lab: Lab) -> Data:
    """The seed's pictures: `train` trained on and `tested` new ones. Raises Invalid where the data set holds fewer."""
    rng = lab.rng("pictures")
    train, test = _images(setting, rng)
    labels = train.labels
    if setting.labels == "random":
        labels = relabelled(labels, 1.0, train.classes, lab.rng("labels"))[0]
    eye = np.eye(train.classes, dtype=np.float32)
    return Data((train.pixels, eye[labels]), (test.pixels, eye[test.labels]))


def _images(setting: Ensemble, rng: np.random.Generator) -> tuple[Images, Images]:
    if setting.data in ("digits", "moved"):
        whole = digits()
        _enough(setting.train + setting.tested, len(whole), setting.data)
        chosen = rng.permutation(len(whole))[: setting.train + setting.tested]
        if setting.data == "moved":
            whole = moved(whole, rng)
        return whole.take(chosen[: setting.train]), whole.take(chosen[setting.train :])
    held = pictures.released(setting.data, side=setting.side)
    found: list[Images] = []
    for part, n in zip(held, (setting.train, setting.tested), strict=True):
        _enough(n, len(part), setting.data)
        which = np.sort(rng.permutation(len(part))[:n])
        found.append(Images(part.pixels(which), part.labels[which], part.classes))
    return found[0], found[1]


def moved(images: Images, rng: np.random.Generator) -> Images:
    """Digits each put somewhere in a frame of 10 × 10: what is learned in one place is asked in another."""
    n, _, side, _ = images.pixels.shape
    frames = np.zeros((n, 1, FRAME, FRAME), np.float32)
    for i, (top, left) in enumerate(rng.integers(0, FRAME - side + 1, (n, 2))):
        frames[i, 0, top : top + side, left : left + side] = images.pixels[i, 0]
    return Images(frames, images.labels, images.classes)


def _enough(asked: int, there: int, name: str) -> None:
    if asked > there:
        raise Invalid(f"{asked} pictures are asked for, {name} has {there}; lower train or tested.")


def _process(name: str, data: Data, lab: Lab) -> Squares:
    """The law of the test error of a Gaussian process on the pixels as they are, one output for each class."""
    (x, y), (tested, truth) = ((p[0].reshape(len(p[0]), -1).astype(float), p[1].astype(float)) for p in (data.train, data.test))  # fmt: skip
    scale = 1.0 if name == "rbf" else median_distance(x, lab.rng("distances"))
    kernel = named("rbf" if name == "median" else name, scale=scale)
    return law(kernel, (x, y), (tested, truth))


def _scores(name: str, space: Space, setting: Ensemble) -> Iterator[Row]:
    """Rows of what a space does by itself."""
    at: dict[str, Value] = {"space": name}
    if isinstance(space, Squares):
        yield Row("loss", space.mean, TEST, at=at)
        return
    yield Row("loss", float(space.taught.mean()), TRAIN, at=at)
    yield Row("loss", float(space.tested.mean()), TEST, at=at)
    yield Row("accuracy", float(space.right.mean()), TEST, n=setting.members * setting.tested, at=at)
    yield Row("own_bits", bias.bits(space.tested, float(np.median(space.tested)), resamples=1).bits, at=at)
    yield Row("tail_off", bias.quality(space.tested).tail, at=at)


def _bits(space: Space, eps: float, lab: Lab) -> Bits:
    if isinstance(space, Squares):
        return bias.exact(space, eps)
    return bias.bits(space.tested, eps, seed=lab.stream("resampled") % 2**32)


def _told(found: Bits, at: dict[str, Value]) -> Iterator[Row]:
    """Rows of bits with their limits over hypotheses, left out where infinite, and of whether the target is out of
    reach."""
    yield Row("unreachable", float(found.state == "unreachable"), at=at)
    if at["target"] == "far":
        return
    for measure, value in (("bits", found.bits), ("bits_low", found.low), ("bits_high", found.high)):
        if np.isfinite(value):
            yield Row(measure, value, at=at)
