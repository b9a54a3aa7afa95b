"""What does the paper say, as inequalities that runs, or exact figures, can refute?

C1b: the log10 bits of SVHN less those of MNIST, both from the constants of the paper's code, lie above 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from unseen.core.claim import Claim, Effect, Region, above, below, between, gap, level, minus, rank, slope

Arm = dict[str, Any]
SPREAD = 0.1  # of m and δ: the standard deviation of their logarithms
DIMENSIONS = (1, 2, 3, 4, 6, 8, 12, 16)  # of five, even perfect ranks could not be told from 0.9
SHUFFLED_AT = 4
FIXED: Arm = {"setting": "Published", "spread": 0.0}
LOOSE: Arm = {"setting": "Published", "spread": SPREAD}
NETS: Arm = {"setting": "Learned", "labels": "true"}
DIGITS: Arm = {"setting": "Estimated", "data": "digits"}
IMAGES = ("MNIST", "SVHN", "CIFAR10", "ImageNet")
ONLINE = {"MNIST": "ylecun/mnist", "SVHN": "ufldl-stanford/svhn", "CIFAR10": "uoft-cs/cifar10", "ImageNet": "ILSVRC/imagenet-1k"}  # fmt: skip
CODE = "FieteLab/inductive-bias-complexity, task_difficulty.py"
CONSTANTS = "constants, not re-estimated: "
SIZES = ("anchors", "sample", "side", "target", "share", "extremes", "ablated")


def _exact(id: str, says: str, reported: str, effect: Effect, expect: Region) -> Claim:
    """A claim about figures that follow from the paper's constants, which leave nothing to draw anew."""
    return Claim(id, says, CONSTANTS + reported, "code", effect, expect, unit="exact", where=CODE)


def _images() -> Iterator[Claim]:
    told = {"MNIST": "1.48e16", "SVHN": "1.21e31", "CIFAR10": "3.44e32", "ImageNet": "3.58e41"}
    yield _exact(
        "C1a", "The bits of four image sets come out to three digits (no figure is off by more than 0.5%).", ", ".join(f"{k} {v}" for k, v in told.items()),
        level("off", group="images", **FIXED), below(0.005),
    )  # fmt: skip
    for letter, (easier, harder) in zip("bcd", pairwise(IMAGES), strict=True):
        effect = gap("log10_bits", {"task": harder}, {"task": easier}, **FIXED)
        yield _exact(f"C1{letter}", f"{harder} asks for more bits than {easier} (log10).", f"{told[harder]} and {told[easier]}", effect, above(0))  # fmt: skip
    for letter, (easier, harder) in zip("efg", pairwise(IMAGES), strict=True):
        yield Claim(
            f"C1{letter}", f"That {harder} asks for more than {easier} holds on average when m and δ are each off by a tenth.",
            CONSTANTS + "no intervals are given", "code", gap("log10_bits", {"task": harder}, {"task": easier}, **LOOSE), above(0), where=CODE,
        )  # fmt: skip
    yield Claim(
        "C1h", "The digits of scikit-learn, their constants estimated here, ask for fewer bits than MNIST with its published ones (log10).",
        "not reported: ours; MNIST 1.48e16", "recalled",
        minus(level("log10_bits", **DIGITS), level("log10_bits", task="MNIST", **FIXED)), below(0), over=SIZES,
    )  # fmt: skip


def _others() -> Iterator[Claim]:
    yield _exact("C2a", "Omniglot's bits come out (to two digits: within 3%).", "about 1.8e145", level("off", group="few examples", **FIXED), below(0.03))  # fmt: skip
    yield _exact(
        "C2b", "Learning to learn from few simple images asks for more than 1e60 times the bits of ImageNet (log10).", "1.8e145 against 3.6e41",
        gap("log10_bits", {"task": "Omniglot"}, {"task": "ImageNet"}, **FIXED), above(60),
    )  # fmt: skip
    cartpole = "4.41e9, 3.33e17, 1.46e25, 4.69e32, 1.19e40 for 1 to 5 observations"
    yield _exact("C3a", "The cartpole's bits come out to three digits.", cartpole, level("off", group="cartpole", **FIXED), below(0.005))  # fmt: skip
    yield _exact("C3b", "They grow exponentially with the observations needed: 7.3 to 7.9 in log10 for each.", cartpole, slope("log10_cartpole", "observations", **FIXED), between(7.3, 7.9))  # fmt: skip
    yield _exact("C3c", "A straight line of log10 bits over observations explains more than 0.999 of the variance.", cartpole, level("straightness", **FIXED), above(0.999))  # fmt: skip
    mujoco = "Reacher 2.91e25, Hopper 7.61e58, Half-Cheetah 1.72e66"
    yield _exact("C4a", "The bits of three MuJoCo tasks come out to three digits.", mujoco, level("off", group="MuJoCo", **FIXED), below(0.005))  # fmt: skip
    for letter, easier, harder in (("b", "Reacher", "Hopper"), ("c", "Hopper", "Half-Cheetah")):
        yield _exact(f"C4{letter}", f"{harder} asks for more bits than {easier} (log10).", mujoco, gap("log10_bits", {"task": harder}, {"task": easier}, **FIXED), above(0))  # fmt: skip
    yield _exact(
        "C4d", "From a target error of 0.1 to one of 1e-8 Reacher's bits grow less than threefold (log10 3 = 0.477).", "2.07e25 to 5.03e25",
        gap("log10_by_error", {"error": 1e-8}, {"error": 0.1}, task="Reacher", **FIXED), below(0.477),
    )  # fmt: skip


def _along() -> Iterator[Claim]:
    told = "with ImageNet's other constants, "
    yield _exact("C5a", "The bits grow with the dimension throughout (log10 a dimension, m from 20 to 99).", told + "3.58e41 at m = 48, 1.09e50 at 99", level("least_slope", along="m", **FIXED), above(0))  # fmt: skip
    yield _exact("C5b", "They hardly depend on the number of examples (|slope| of log10 bits over log10 n, from 100 to 1e19).", told + "3.62e41 at 1e2, 3.46e41 at 1e19", level("steepest_slope", along="n", **FIXED), below(0.01))  # fmt: skip
    yield _exact("C5c", "They grow about as the square of the number of classes (log10 over log10, 10 to 1000).", told + "1.90e37 at 10, 3.58e41 at 999", level("whole_slope", along="classes", **FIXED), between(1.8, 2.4))  # fmt: skip
    yield _exact("C5d", "They are polynomial in 1/δ: no steeper than the power of the dimension, 48 (log10 over log10, δ from 30 to 119).", told + "1.90e57 at 30, 1.0e30 at 119", level("steepest_slope", along="delta", **FIXED), below(48))  # fmt: skip
    errors = gap("log10_by_error", {"error": 0.09}, {"error": 0.97}, task="ImageNet", **FIXED)
    yield _exact("C6a", "What good models of ImageNet ask for beyond poor ones is small: less than a quarter more bits (log10 1.25 = 0.097).", "3.11e41, 3.31e41, 3.60e41 at errors of 0.97, 0.375, 0.09", errors, below(0.097))  # fmt: skip
    yield _exact("C6b", "A single dimension more asks for more than that (log10, mean over m from 20 to 99).", "the dimension says more than the last of the error", minus(level("whole_slope", along="m", **FIXED), errors), above(0))  # fmt: skip


def _networks() -> Iterator[Claim]:
    fitted = ((level("train_error", **NETS), below(0.05)), (level("error", split="test", m=1, **NETS), below(0.45)))
    over = ("m", "frequency", "points")
    yield Claim(
        "C7a", "On spheres of known dimension the test error of perceptrons rises with the bits (Spearman, over eight dimensions).",
        "not reported: ours", "recalled", rank("error", "log10_known", split="test", **NETS), above(0.9), over=over, given=fitted,
    )  # fmt: skip
    yield Claim(
        "C7b", "So do the bits that are estimated from the points trained on, with the dimension.",
        "not reported: ours", "recalled", rank("measured_log10", "m", **NETS), above(0.9),
    )  # fmt: skip
    yield Claim(
        "C7c", "Coordinates of noise that training never saw raise the error.", "not reported: ours", "recalled",
        gap("error", {"split": "noise"}, {"split": "test"}, m=8, **NETS), above(0), over=("log10_known",), given=((level("train_error", m=8, **NETS), below(0.05)),),
    )  # fmt: skip




def _estimates() -> Iterator[Claim]:
    ours = "not reported: ours"
    yield Claim("C8a", "Whether 3 or 25 neighbours are asked, the dimension of the digits stays within a quarter of that of 5.", ours, "recalled", level("dimension_range", **DIGITS), below(0.25), over=SIZES)  # fmt: skip
    yield Claim(
        "C8b", "From a tenth of the rows δ comes out so much larger that the bits of the digits halve at least (log10).", ours, "recalled",
        gap("log10_by_part", {"part": 1.0}, {"part": 0.1}, **DIGITS), above(0.301), over=SIZES,
    )  # fmt: skip
    noisy = {"setting": "Known", "kind": "sphere", "m": 5, "warp": 0.0}
    yield Claim("C8c", "Noise beside a sphere of five dimensions adds more than one to the dimension that is found.", ours, "recalled", gap("dimension", {"always": 8}, {"always": 0}, **noisy), above(1))  # fmt: skip
    yield Claim("C8d", "Noise beside the digits adds more than one, too.", ours, "recalled", minus(level("dimension_padded", **DIGITS), level("dimension", **DIGITS)), above(1), over=SIZES)  # fmt: skip


def _paper() -> Iterator[Claim]:
    def of(name: str) -> Arm:
        return {"setting": "Estimated", "data": ONLINE[name]}

    facts = {"MNIST": (14, 2.39871), "SVHN": (19, 1.57670), "CIFAR10": (27, 2.75064)}
    for letter, (easier, harder) in zip("abc", pairwise(IMAGES), strict=True):
        yield Claim(f"P1{letter}", f"With constants estimated here, {harder} asks for more bits than {easier} (log10).", "the same order", "paper", gap("log10_bits", of(harder), of(easier)), above(0), ("paper",), over=SIZES)  # fmt: skip
    for letter, (name, (m, delta)) in zip("abc", facts.items(), strict=True):
        yield Claim(f"P2{letter}", f"The dimension of {name} is within a tenth of the published one.", f"{m}", "code", level("dimension", **of(name)), between(0.9 * m, 1.1 * m), ("paper",), over=SIZES, where=CODE)  # fmt: skip
        yield Claim(f"P3{letter}", "Its δ is within a tenth of the published one.", f"{delta:.4g}", "code", level("delta", **of(name)), between(0.9 * delta, 1.1 * delta), ("paper",), over=SIZES, where=CODE)  # fmt: skip


def _controls() -> Iterator[Claim]:
    clean = {"setting": "Known", "always": 0, "warp": 0.0}
    told: tuple[tuple[str, str, Effect, Region], ...] = (
        ("K1", "Untrained networks err in half of the cases.", level("untrained", **NETS), between(0.4, 0.6)),
        ("K2", "So do those that learned shuffled labels.", level("error", split="test", setting="Learned", labels="shuffled"), between(0.47, 0.53)),
        ("K3", "The dimension of a sphere of two is found to 0.7.", level("off_dimension", kind="sphere", m=2, **clean), below(0.7)),
        ("K4", "That of a sphere of five, too.", level("off_dimension", kind="sphere", m=5, **clean), below(0.7)),
        ("K5", "That of a torus of three, too.", level("off_dimension", kind="torus", m=3, **clean), below(0.7)),
        ("K6", "A sphere of five that is bent has the same dimension.", level("off_dimension", kind="sphere", m=5, setting="Known", always=0, warp=0.5), below(0.7)),
        ("K7", "At three times the scale data ask for the same bits.", level("scaled_off", **DIGITS), below(1e-6)),
        ("K8", "Shuffled labels ask for more bits than true ones (log10).", minus(level("log10_shuffled", **DIGITS), level("log10_bits", **DIGITS)), above(0)),
    )  # fmt: skip
    over = (*SIZES, "m", "log10_known", "frequency", "points")
    for id, says, effect, expect in told:
        unit = "exact" if id == "K7" else "seed"
        yield Claim(id, says, "not reported: a control", "recalled", effect, expect, unit=unit, over=over, kind="control")


CLAIMS = (*_images(), *_others(), *_along(), *_networks(), *_estimates(), *_paper(), *_controls())
