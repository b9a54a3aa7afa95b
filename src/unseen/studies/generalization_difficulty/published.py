"""What do the paper's figures come to, worked out anew from the constants of its code? Nothing is estimated here.

figures()["SVHN"]  ->  Figure("images", Bits(1.21e31), 1.21e31)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from unseen.core.record import Row, Value
from unseen.measures import difficulty
from unseen.measures.difficulty import Bits, Constants

IMAGES: Mapping[str, Constants] = {
    "MNIST": Constants(60_000, 14, 2.39871, 17.179, 10, 1e-3),
    "SVHN": Constants(73_257, 19, 1.57670, 53.869, 10, 1e-2),
    "CIFAR10": Constants(50_000, 27, 2.75064, 54.916, 10, 1e-2),
    "ImageNet": Constants(1_280_901, 48, 65.0, 943.592, 1000, 0.1),
}
IMAGENET = IMAGES["ImageNet"]
OMNIGLOT, ACROSS = Constants(30 * 20.0**20, 22, 5.4772, 49.406, 20, 0.01), 29  # within an alphabet; over all of them
MUJOCO = {"Reacher": (6, 2), "Hopper": (15, 4), "Half-Cheetah": (17, 6)}  # dimensions, actions
OBSERVATIONS = (1, 2, 3, 4, 5)
ERRORS = {"Reacher": (0.1, 1e-3, 1e-8), "ImageNet": (0.97, 0.375, 0.1, 0.09)}
TOLD = {
    "MNIST": 1.48e16, "SVHN": 1.21e31, "CIFAR10": 3.44e32, "ImageNet": 3.58e41, "Omniglot": 1.8e145,
    "Reacher": 2.91e25, "Hopper": 7.61e58, "Half-Cheetah": 1.72e66, "cartpole 1": 4.41e9, "cartpole 2": 3.33e17,
    "cartpole 3": 1.46e25, "cartpole 4": 4.69e32, "cartpole 5": 1.19e40,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A task's bits, and what they were told to be."""

    group: str
    bits: Bits
    told: float

    @property
    def off(self) -> float:
        """How far the figure told is off (a fraction of it)."""
        return abs(10 ** (self.bits.log10 - float(np.log10(self.told))) - 1)


def figures() -> dict[str, Figure]:
    """The figure of every task, by its name."""
    made = {name: ("images", difficulty.of_task(c)) for name, c in IMAGES.items()}
    made["Omniglot"] = "few examples", difficulty.meta(OMNIGLOT, ACROSS)
    made |= {name: ("MuJoCo", difficulty.control(m, actions)) for name, (m, actions) in MUJOCO.items()}
    made |= {f"cartpole {t}": ("cartpole", difficulty.partial(t)) for t in OBSERVATIONS}
    return {name: Figure(group, bits, TOLD[name]) for name, (group, bits) in made.items()}


def exact() -> Iterator[tuple[str, float, dict[str, Value]]]:
    """(measure, value, coordinates) of all that follows from the constants."""
    found = figures()
    for name, figure in found.items():
        yield "log10_bits", figure.bits.log10, {"task": name}
    for group in dict.fromkeys(f.group for f in found.values()):
        yield "off", max(f.off for f in found.values() if f.group == group), {"group": group}
    for t in OBSERVATIONS:
        yield "log10_cartpole", found[f"cartpole {t}"].bits.log10, {"observations": t}
    told = [found[f"cartpole {t}"].bits.log10 for t in OBSERVATIONS]
    yield "straightness", float(np.corrcoef(OBSERVATIONS, told)[0, 1] ** 2), {}
    for error in ERRORS["Reacher"]:
        yield "log10_by_error", difficulty.control(*MUJOCO["Reacher"], error=error).log10, {"task": "Reacher", "error": error}  # fmt: skip
    for error in ERRORS["ImageNet"]:
        yield "log10_by_error", _imagenet(error=error), {"task": "ImageNet", "error": error}
    yield from _along()


def _along() -> Iterator[tuple[str, float, dict[str, Value]]]:
    """How ImageNet's bits change with each constant by itself: the curve, and its least and steepest slope.

    Slopes are of log10 bits over m itself, and over log10 of the others.
    """
    grids = {
        "m": np.arange(20.0, 100.0),
        "n": np.logspace(2, 19, 35),
        "classes": np.unique(np.logspace(1, 3, 21).round()),
        "delta": np.logspace(np.log10(30), np.log10(119), 21),
    }
    for name, grid in grids.items():
        curve = np.array([_imagenet(**{name: int(x) if name == "classes" else float(x)}) for x in grid])
        slopes = np.diff(curve) / np.diff(grid if name == "m" else np.log10(grid))
        whole = float((curve[-1] - curve[0]) / (grid[-1] - grid[0] if name == "m" else np.log10(grid[-1] / grid[0])))
        yield "least_slope", float(slopes.min()), {"along": name}
        yield "steepest_slope", float(np.abs(slopes).max()), {"along": name}
        yield "whole_slope", whole, {"along": name}
        for x, value in zip(grid[:: max(1, len(grid) // 8)], curve[:: max(1, len(grid) // 8)], strict=True):
            yield "log10_along", float(value), {"along": name, "to": float(x)}


def _imagenet(**changed: float) -> float:
    """The log10 of ImageNet's bits with some constants changed."""
    return difficulty.of_task(replace(IMAGENET, **changed)).log10  # type: ignore[arg-type]


def scattered(spread: float, rng: np.random.Generator) -> Iterator[tuple[str, float, dict[str, Value]]]:
    """The image sets' log10 bits with m and δ drawn around the published ones."""
    for name, c in IMAGES.items():
        m, delta = np.exp(spread * rng.standard_normal(2)) * (c.m, c.delta)
        yield "log10_bits", difficulty.of_task(replace(c, m=max(1.0, m), delta=delta)).log10, {"task": name}


def rows(spread: float, seeds: dict[int, np.random.Generator]) -> Iterator[Row]:
    """The rows of each seed; without a spread they are the same for all."""
    for seed, rng in seeds.items():
        for measure, value, at in scattered(spread, rng) if spread else exact():
            yield Row(measure, value, at=at, seed=seed)
