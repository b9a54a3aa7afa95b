"""What does the paper say, as inequalities that runs can refute?

C1b: the bits that a test error of 0.1 needs on S^8, minus those on S^4, lie above 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unseen.core.claim import Claim, Effect, Region, above, below, between, gap, level, minus, one_of, rank, slope

from .arms import EPS, FAR

Given = tuple[tuple[Effect, Region], ...]
Arm = dict[str, Any]
RISING = tuple(range(5, 13))  # dimensions that ranks compare: of six even perfect ranks could not be told from 0.9
ESTIMATED = (6, 8, 12)  # those of the sheet's check, where functions are sampled too
MEASURED = (1, 2, 3, 4, *RISING, 16)
RBF: Arm = {"setting": "Sphere", "kernel": "rbf", "labels": "real"}
NTK: Arm = {**RBF, "kernel": "ntk"}
DIGITS: Arm = {"setting": "Ensemble", "data": "digits", "labels": "real"}
GUESSED: Arm = {**DIGITS, "labels": "random"}
MOVED: Arm = {**DIGITS, "data": "moved"}
MNIST, CIFAR = "ylecun/mnist", "uoft-cs/cifar10"
CONSTANT = 0.09  # the mean squared error of always answering a tenth for each of ten classes
FITTED = below(0.01)  # training error of networks that count as fitting the data
SAMPLING = ("sampled",)  # arms differ in whether functions are sampled, which changes nothing of the exact bits
SPACES = ("spaces",)


def _fitted(space: str, arm: Arm) -> Given:
    """The precondition that networks fit the training data."""
    return ((level("loss", **arm, space=space, split="train"), FITTED),)


def _dimension() -> Iterator[Claim]:
    learned: Given = ((level("mean_loss", **RBF, m=2), below(EPS)),)
    told = "higher-dimensional tasks need more inductive bias"
    yield Claim(
        "C1a", "The bits that a test error of 0.1 needs rise with the dimension of the sphere (5 to 12).",
        reported=told, source="paper",
        effect=rank("bits", "m", **RBF, eps=EPS, m=one_of(*RISING)), expect=above(0.9), over=SAMPLING, given=learned,
    )  # fmt: skip
    yield Claim(
        "C1b", "On S^8 it needs more than ten bits more than on S^4.",
        reported=told, source="paper",
        effect=gap("bits", {"m": 8}, {"m": 4}, **RBF, eps=EPS), expect=above(10), over=SAMPLING, given=learned,
    )  # fmt: skip
    yield Claim(
        "C1c", "Functions of infinitely wide networks, too, need more bits on spheres of higher dimension.",
        reported=told, source="paper",
        effect=rank("bits", "m", **NTK, eps=EPS, m=one_of(*RISING)), expect=above(0.9), over=SAMPLING,
        given=((level("mean_loss", **NTK, m=2), below(EPS)),),
    )  # fmt: skip


def _classes() -> Iterator[Claim]:
    told = "neural networks encode much inductive bias relative to other expressive model classes"
    for letter, kernel, name in (
        ("a", "rbf", "a Gaussian process (RBF of scale 1, the paper's)"),
        ("b", "median", "one whose scale is the median distance"),
        ("c", "ntk", "one of the tangent kernel of wide networks"),
    ):
        yield Claim(
            f"C2{letter}", f"Digits: for the median network's test error, {name} needs over 10 bits more than networks do.",
            reported=told, source="paper", where="MNIST, CIFAR-10, ImageNet",
            effect=gap("bits", {"space": kernel}, {"space": "mlp"}, **DIGITS, target="mlp"), expect=above(10), over=SPACES,
            given=_fitted("mlp", DIGITS),
        )  # fmt: skip
    yield Claim(
        "C2d", "At every error of a grid from 0.08 to 0.02 that the process of median distance needs more on average.",
        reported=told, source="paper", where="MNIST, CIFAR-10, ImageNet",
        effect=gap("bits", {"space": "median"}, {"space": "mlp"}, **DIGITS, target=one_of("0.08", "0.06", "0.04", "0.02")),
        expect=above(0), over=(*SPACES, "target"), given=_fitted("mlp", DIGITS),
    )  # fmt: skip


def _architectures() -> Iterator[Claim]:
    told = "the measure separates architectures"
    both: Given = (*_fitted("mlp", MOVED), *_fitted("cnn", MOVED))
    at: Arm = {**MOVED, "target": "mlp and cnn"}
    yield Claim(
        "C3a", "Digits moved about: convolutional networks need fewer bits than multilayer perceptrons for equal test error.",
        reported=told, source="paper",
        effect=gap("bits", {"space": "cnn"}, {"space": "mlp"}, **at), expect=below(0), over=SPACES, given=both,
    )  # fmt: skip
    yield Claim(
        "C3b", "They do even with both bootstrap intervals taken against it.",
        reported=told, source="paper",
        effect=minus(level("bits_high", **at, space="cnn"), level("bits_low", **at, space="mlp")), expect=below(0),
        over=SPACES, given=both,
    )  # fmt: skip
    for letter, other, says in (("c", "narrow", "half as wide"), ("d", "deep", "twice as deep")):
        yield Claim(
            f"C3{letter}", f"Digits: multilayer perceptrons {says} need more bits than the usual ones for equal test error.",
            reported="width and depth change it", source="paper",
            effect=gap("bits", {"space": other}, {"space": "mlp"}, **DIGITS, target=f"mlp and {other}"), expect=above(0),
            over=SPACES, given=(*_fitted("mlp", DIGITS), *_fitted(other, DIGITS)),
        )  # fmt: skip


def _estimator() -> Iterator[Claim]:
    where = "a bound on the estimator's error; the rate is ours"
    for letter, fit, name in (("a", "cumulants", "three cumulants (chi-square or F)"), ("b", "ncx2", "the non-central chi-square alone")):  # fmt: skip
        yield Claim(
            f"C4{letter}", f"S^8: with {name}, the error of the estimated bits falls with the number of functions, by more than 0.3 in log-log.",
            reported="the error shrinks with the number of sampled hypotheses", source="paper", where=where,
            effect=slope("log2_error", "log2_samples", **RBF, m=8, fit=fit), expect=below(-0.3),
        )  # fmt: skip
    for letter, fit, name in (
        ("a", "mle", "the most likely non-central chi-square, the paper's fit"),
        ("b", "ncx2", "the non-central chi-square of three cumulants"),
        ("c", "cumulants", "three cumulants, an F law where no chi-square has them"),
        ("d", "gamma", "a gamma law"),
        ("e", "lognormal", "a log-normal law"),
        ("f", "whole", "the law of the three exact cumulants, nothing sampled"),
    ):
        yield Claim(
            f"C5{letter}", f"S^6, S^8, S^12: {name} is within 20% of the exact bits, where those are 1 to 100.",
            reported="the chi-square family is adequate (18.4, 40.1, 51.6 for 19.5, 47.3, 50.4 bits in a check of ours)",
            source="paper", where="figure of test losses and fits",
            effect=level("relative_error", **RBF, m=one_of(*ESTIMATED), fit=fit), expect=below(0.2), over=("m",),
        )  # fmt: skip


def _paper() -> Iterator[Claim]:
    over = ("spaces", "data", "side", "channels")
    arm: Arm = {"setting": "Ensemble", "labels": "real", "data": one_of(MNIST, CIFAR)}
    for id, kernel in (("P1a", "rbf"), ("P1b", "ntk")):
        yield Claim(
            id, f"MNIST and CIFAR-10: for the median network's error the process ({kernel}) needs over 1000 bits more.",
            reported="much more (tables by data set, not known to us)", source="recalled", where="tables", tiers=("paper",),
            effect=gap("bits", {"space": kernel}, {"space": "mlp"}, **arm, target="mlp"), expect=above(1000), over=over,
            given=_fitted("mlp", arm),
        )  # fmt: skip
    yield Claim(
        "P2", "MNIST and CIFAR-10: convolutional networks need fewer bits than multilayer perceptrons.",
        reported="the measure separates architectures", source="paper", tiers=("paper",),
        effect=gap("bits", {"space": "cnn"}, {"space": "mlp"}, **arm, target="mlp and cnn"), expect=below(0), over=over,
        given=(*_fitted("mlp", arm), *_fitted("cnn", arm)),
    )  # fmt: skip


def _controls() -> Iterator[Claim]:
    test = {"split": "test"}
    made: tuple[tuple[str, str, Effect, Region, tuple[str, ...]], ...] = (
        ("K1", "Where the law of the error is a chi-square, the exact bits are its closed form.", level("oracle_error", setting="Sphere"), below(0.02), ("m", "kernel", "labels", "sampled")),
        ("K2", "S^6: with training targets in random order the same error needs over ten bits more.", gap("bits", {"labels": "random"}, {"labels": "real"}, setting="Sphere", kernel="rbf", m=6, eps=EPS), above(10), SAMPLING),
        ("K3", "S^12: an error of a trillionth is told to be out of reach.", level("unreachable", **RBF, m=12, eps=FAR), above(0.9), ()),
        ("K4", "The exact bits lie within the interval of the estimate (1000 functions).", level("covered", **RBF, m=one_of(*ESTIMATED), fit="cumulants"), above(0.85), ("m",)),
        ("K5", "Networks that learned random labels do no better on new digits than a constant.", level("loss", **GUESSED, space="mlp", **test), above(CONSTANT), ()),
        ("K6", "For their own median error networks need about one bit.", level("own_bits", **DIGITS, space="mlp"), between(0.7, 1.3), ()),
        ("K7", "Digits: after random labels, an error of 0.08 needs over ten bits more than after real ones.", gap("bits", {"labels": "random"}, {"labels": "real"}, setting="Ensemble", data="digits", space="mlp", target="0.08"), above(10), SPACES),
        ("K8", "Digits: an error of a trillionth is out of reach of networks, too.", level("unreachable", **DIGITS, space="mlp", target="far"), above(0.9), ()),
    )  # fmt: skip
    for id, says, effect, expect, over in made:
        unit = "exact" if id == "K1" else "seed"  # two ways to work out one number: nothing is drawn
        yield Claim(
            id, says, "not reported: a control", "recalled", effect, expect, unit=unit, over=over, kind="control"
        )


CLAIMS = (
    *_dimension(),
    *_classes(),
    *_architectures(),
    *_estimator(),
    *_paper(),
    *_controls(),
)
