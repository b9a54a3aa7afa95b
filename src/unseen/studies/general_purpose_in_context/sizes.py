"""How large is each arm at each tier? Rates and steps were chosen by what one seed learns on seen tasks, on these alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unseen.core.study import Tier

from .arms import Kind, Learned, Size

GAUSSIAN = Learned(
    "map", "most", "wide", "gaussian", ("gaussian",), 0, "transformer", "pair", features=8, classes=4, length=20, noise=0.2,
    width=64, layers=2, heads=2, steps=800, batch=64, lr=1e-3, warmup=50, spread=4.0, items=500,
)  # fmt: skip
TINY = replace(GAUSSIAN, width=16, steps=12, batch=8, warmup=2, items=20, length=6)
# DEPARTS: the paper reads images of 28 x 28; here their first 64 principal components, so that a task is 64 x 64 numbers.
MNIST = replace(
    GAUSSIAN, base="mnist", others=("fashion", "kmnist", "cifar10", "svhn"), tasks=2**25, form="shift", features=64, classes=10,
    length=100, noise=0.0, width=256, layers=4, heads=8, steps=50_000, batch=512, lr=2e-4, warmup=500, spread=1.0, items=1000,
)  # fmt: skip
# DEPARTS: digits 0 to 3; of all ten classes the loss had not left its plateau after 200 steps.
DIGITS = replace(GAUSSIAN, part="images", base="digits", others=("glyphs", "gaussian"), noise=0.5, steps=1500, lr=3e-3)

# DEPARTS: pairs at the laptop tier, whose loss leaves its plateau after some 300 steps; shifted labels had not after 1,200.
MAIN: Mapping[Tier, Learned] = {"smoke": TINY, "laptop": GAUSSIAN, "paper": MNIST}
COUNTS: Mapping[Tier, tuple[int, ...]] = {  # of tasks; 0: without end
    "smoke": (4, 0),
    "laptop": (4, 64, 256, 1024, 0),
    "paper": (1, 8, 64, 512, 2**12, 2**14, 2**17, 2**21, 2**25),
}
NARROW: Mapping[Tier, tuple[int, int]] = {"smoke": (8, 2), "laptop": (16, 2), "paper": (32, 4)}  # width and heads
States = tuple[tuple[Size, Kind, int, int], ...]
SMALL: States = (
    ("wide", "transformer", 16, 2), ("wide", "lstm", 20, 1), ("wide", "fast", 20, 2),
    ("narrow", "transformer", 8, 2), ("narrow", "lstm", 10, 1), ("narrow", "fast", 10, 2),
)  # fmt: skip
STATES: Mapping[Tier, States] = {  # the wide ones have about as many parameters each
    "smoke": SMALL,
    "laptop": tuple((size, kind, 2 * width, heads) for size, kind, width, heads in SMALL),
    "paper": (
        ("wide", "transformer", 256, 8), ("wide", "lstm", 440, 1), ("wide", "fast", 440, 8),
        ("narrow", "transformer", 128, 4), ("narrow", "lstm", 220, 1), ("narrow", "fast", 220, 4),
    ),
}  # fmt: skip
IMAGES: Mapping[Tier, Learned] = {
    "smoke": replace(DIGITS, width=16, steps=12, batch=8, warmup=2, items=20, length=6),
    "laptop": DIGITS,
    "paper": replace(MNIST, part="images", steps=100_000),
}
RATE: Mapping[Tier, tuple[float, int]] = {  # learning rate and steps of the networks told apart by state
    "smoke": (3e-3, 12),
    "laptop": (3e-3, 600),
    "paper": (2e-4, 50_000),
}
SHUFFLED: Mapping[Tier, int] = {"smoke": 12, "laptop": 300, "paper": 5_000}  # steps
EMBEDDED: Mapping[Tier, tuple[Learned, ...]] = {
    "smoke": (
        replace(TINY, part="embedded", base="digits", others=("glyphs",), embed="random", features=8, classes=10),
    ),
    "laptop": (),
    "paper": (replace(MNIST, part="embedded", base="cifar10", others=("svhn",), embed="microsoft/resnet-18"),),
}
