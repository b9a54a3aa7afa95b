"""How much must one know beforehand to generalize, in bits? Of the hypotheses that fit the data, few have a small error.

Answer: the bits are the improbability of that error. They grow with the dimension of a task, and are far more for Gaussian
processes than for networks, which have most of what pictures need built in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unseen.core.study import Evidence, Needs, Paper, Study, Tier

from .arms import Ensemble, Setting, Sphere
from .claims import CIFAR, CLAIMS, ESTIMATED, MEASURED, MNIST, RISING

KERNELS = ("rbf", "median", "matern", "ntk")
SAMPLED = 10_000


def settings(tier: Tier) -> Sequence[Setting]:
    """Processes on spheres of rising dimension with two kernels and random labels; networks and processes on pictures."""
    if tier == "smoke":
        few = replace(
            _ensembles()[0], train=200, tested=100, members=16, together=16, width=32, channels=(4, 8), epochs=12
        )
        small = [replace(s, draws=2, sampled=1000 if s.m == 8 else 0) for s in _spheres(("rbf",)) if s.m in (2, 4, 6, 8, 12)]  # fmt: skip
        return [
            *small,
            replace(_spheres(("ntk",))[0], draws=2, m=6),
            replace(few, spaces=("median", "mlp")),
            replace(few, spaces=("mlp",), labels="random"),
            replace(few, spaces=("mlp", "cnn"), data="moved", members=8, lr=5e-3),
        ]
    return [*_spheres(("rbf", "ntk")), *_ensembles(), *(_pictured() if tier == "paper" else ())]


def _spheres(kernels: Sequence[str]) -> list[Sphere]:
    """Each dimension with each kernel; functions are sampled in three of them with the first; one with random labels."""
    found = [Sphere(m, sampled=SAMPLED if m in ESTIMATED else 0) for m in MEASURED] if "rbf" in kernels else []
    found += [Sphere(6, labels="random")] if "rbf" in kernels else []
    return [*found, *(Sphere(m, kernel="ntk") for m in (2, *RISING) if "ntk" in kernels)]


def _ensembles() -> list[Ensemble]:
    """Digits with all kernels and three kinds of perceptrons, random labels, and digits moved about for convolutions."""
    return [
        Ensemble((*KERNELS, "mlp", "narrow", "deep")),
        Ensemble(("median", "ntk", "mlp"), labels="random"),
        # DEPARTS: the original's rate is 1e-3, at which convolutions do not fit these digits in so many epochs.
        Ensemble(("ntk", "mlp", "cnn"), data="moved", members=32, together=32, channels=(32, 64), lr=5e-3),
    ]


def _pictured() -> list[Ensemble]:
    """MNIST and CIFAR-10 whole: kernels of 50,000 points, a thousand networks of each architecture."""
    # DEPARTS: width, channels and epochs are ours; in the original's code they are arguments whose values we do not know.
    whole = Ensemble(
        (*KERNELS, "mlp", "narrow", "deep", "cnn"), MNIST, train=50_000, tested=10_000, members=1000, together=100,
        width=512, channels=(32, 64), epochs=100, batch=100,
    )  # fmt: skip
    return [whole, replace(whole, data=CIFAR, side=32)]


def needs(setting: Setting) -> Needs:
    """What one trial of one seed asks of a machine; measured on one core at laptop sizes."""
    if isinstance(setting, Sphere):
        return Needs(0.02 + setting.draws * setting.sampled / 600_000, extras=("data",))
    extras = ("torch", "data")
    steps = setting.epochs * (setting.train // setting.batch) * setting.members
    if setting.train > 5000:
        return Needs(120 + steps / 20_000, cpus=16, gpus=1, memory_gb=200, extras=extras)
    nets = sum({"mlp": 1.0, "narrow": 0.7, "deep": 2.0, "cnn": 8.0}.get(s, 0.0) for s in setting.spaces)
    return Needs(0.1 + nets * steps / 170_000, extras=extras)


def evidence(setting: Setting) -> Evidence:
    """The paper's public data sets where they are learned; spheres and scikit-learn's digits are twins."""
    return "released data" if isinstance(setting, Ensemble) and setting.data in (MNIST, CIFAR) else "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered, on pictures that are always here."""
    if isinstance(setting, Sphere):
        return replace(setting, train=60, tested=30, draws=1, sampled=min(setting.sampled, 300))
    return replace(
        setting,
        data="digits",
        train=100,
        tested=60,
        members=8,
        together=4,
        width=16,
        channels=(2, 4),
        epochs=10,
        batch=25,
    )


STUDY = Study(
    paper=Paper("Towards Exact Computation of Inductive Bias", "2406.15941", 2024, "https://github.com/FieteLab/Exact-Inductive-Bias"),
    axes=("example",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
)  # fmt: skip
