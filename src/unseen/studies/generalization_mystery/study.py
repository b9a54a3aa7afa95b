"""Why does gradient descent generalize on real data, though it can memorise random labels?

Answer: gradients of real examples agree, so that what moves the weights is common to many of them; coherence measures
it. What only few examples ask for is learned late, and suppressing it keeps a network from memorising wrong labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from .arms import Pictured, Setting, Strata, Suppressed, Watched
from .claims import CLAIMS, CUT, FINE, LEVELS, NOISES, REAL

HUB = "uoft-cs/cifar10"
BIG = "ILSVRC/imagenet-1k"
MNIST = "ylecun/mnist"


def settings(tier: Tier) -> list[Setting]:
    """Networks watched at every noise and on random pixels, networks with suppressed gradients, strata, and pictures."""
    watched, suppressed, strata = _small(tier)
    found: list[Setting] = [replace(watched, noise=p) for p in FINE]
    found += [replace(watched, pixels="random")]
    noises = (0.5,) if tier == "smoke" else NOISES
    found += [replace(suppressed, noise=p, level=c) for p in noises for c in (LEVELS if p == 0.5 else (0.0, CUT))]
    found += [replace(suppressed, noise=p, method=m) for p in noises for m in ("medians", "rolling")]
    return [*found, strata, *(_pictured() if tier == "paper" else ())]


def _small(tier: Tier) -> tuple[Watched, Suppressed, Strata]:
    """One setting of each kind of small network, at a tier's sizes."""
    laptop = Watched(0.0), Suppressed(0.0, "winsorised"), Strata()
    if tier == "laptop":
        return laptop
    if tier == "smoke":
        return (
            replace(
                laptop[0], train=120, held=90, width=16, steps=60, batch=24, lr=0.5, sample=24, samples=2, points=6
            ),
            replace(laptop[1], train=120, held=90, width=16, steps=60, batch=24, points=4),
            replace(laptop[2], train=60, held=30, judges=1, width=16, steps=40, batch=24, sample=24, points=4),
        )
    # DEPARTS: the layers and rates are those of the original on MNIST as we recall them; its number of steps, and
    # which images were held out, are not known to us. Batches of 102 instead of 100 fall into three equal groups.
    mnist = {"data": MNIST, "width": 256, "layers": 3, "batch": 102, "lr": 0.1}
    return (
        replace(laptop[0], **mnist, train=50_000, held=10_000, steps=60_000, sample=2048),
        replace(laptop[1], **mnist, train=50_000, held=10_000, steps=60_000),
        replace(laptop[2], **mnist, train=5_000, held=2_500, steps=20_000, sample=2048),
    )


def _pictured() -> Sequence[Pictured]:
    """ResNet-18 on CIFAR-10 and ResNet-50 on ImageNet: real, random and half-random labels, M3 and RM3 on the last."""
    small = Pictured(0.0, "winsorised", data=HUB)
    # DEPARTS: 90 epochs in batches of 258 pictures that are cut to their middle and not changed at random, so that what
    # is memorised is one image each; the papers' augmentation and schedule are not known to us.
    large = Pictured(
        0.0, "winsorised", data=BIG, depths=(3, 4, 6, 3), widths=(256, 512, 1024, 2048), block="bottleneck", side=224,
        steps=447_000, batch=258, sample=50_000, points=30, scored=50_000,
    )  # fmt: skip
    return [
        *(replace(s, noise=p) for s in (small, large) for p in (0.0, 0.5, 1.0)),
        *(replace(s, noise=0.5, method=m) for s in (small, large) for m in ("medians", "rolling")),
    ]


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine, by its steps and points; measured on one core at laptop sizes."""
    extras = ("torch", "data")
    if isinstance(setting, Pictured):
        large = setting.side > 32
        days = 5 * setting.steps * setting.batch * (1 / 900 if large else 1 / 6000) / 86_400
        return Needs(60 + 1440 * days, cpus=16, gpus=1, memory_gb=64, extras=("torch", "hub", "data"))
    if setting.data != "digits":
        return Needs(60, gpus=1, memory_gb=16, extras=extras)
    if isinstance(setting, Watched):
        return Needs(0.02 + setting.steps / 30_000 + setting.points * setting.samples / 600, extras=extras)
    if isinstance(setting, Strata):
        return Needs(0.02 + (setting.judges + 4) * setting.steps / 12_000, extras=extras)
    return Needs(0.02 + setting.steps / (5_000 if setting.level else 25_000), extras=extras)


def evidence(setting: Setting) -> Evidence:
    """The papers' public data sets where they are trained on; scikit-learn's digits are a twin of MNIST."""
    return "twin" if setting.data in ("digits", "twin") else "released data"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered, on images that are always here."""
    if isinstance(setting, Pictured):
        small = replace(setting, data="twin", depths=(1, 1), widths=(8, 16), side=16, train=60, held=30, steps=24)
        return replace(small, batch=12, lr=0.02, sample=12, points=3, scored=40)
    if isinstance(setting, Watched):
        return replace(setting, data="digits", train=120, held=90, width=16, steps=24, batch=24, sample=24, points=3)
    if isinstance(setting, Strata):
        small = replace(setting, data="digits", train=60, held=30, judges=1, width=16, steps=24)
        return replace(small, batch=24, sample=24, points=3)
    return replace(setting, data="digits", train=120, held=90, width=16, steps=24, batch=24, points=3)


STUDY = Study(
    paper=Paper("On the Generalization Mystery in Deep Learning", "2203.10036", 2022),
    axes=("example",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("example", "accuracy", 0.1, REAL),),
    marks=(
        Mark("peak_coherence", 40, {"setting": "Pictured", "noise": 0.0, "data": BIG}, "paper: ResNet-50, ImageNet"),
        Mark("band_coherence", 20, {"setting": "Pictured", "noise": 0.0, "data": BIG}, "paper: ResNet-50, ImageNet"),
        Mark("band_coherence", 5, {"setting": "Pictured", "noise": 1.0, "data": BIG}, "paper: random labels, at most"),
    ),
)
