"""What does the paper say, as inequalities that runs can refute?

C1a: the mean coherence over losses of 0.9 to 0.3 of the initial one, real labels divided by random ones, lies above 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unseen.core.claim import (
    Claim,
    Effect,
    Region,
    above,
    at_matched,
    below,
    between,
    gap,
    level,
    minus,
    rank,
    ratio,
    steps_to,
)  # fmt: skip

Given = tuple[tuple[Effect, Region], ...]
Arm = dict[str, Any]
NOISES = (0.0, 0.25, 0.5, 0.75, 1.0)
FINE = (0.0, 0.125, 0.25, 0.5, 0.75, 0.875, 1.0)  # of five levels even perfect ranks could not be told from -0.8
LEVELS = (0.0, 1.0, 2.0, 4.0, 8.0)  # percent cut off at each end, those of the original
CUT = LEVELS[-1]
EARLY, LATE = 0.9, 0.3  # of the initial loss
REAL: Arm = {"setting": "Watched", "noise": 0.0, "pixels": "real"}
RANDOM: Arm = {**REAL, "noise": 1.0}
HALF: Arm = {**REAL, "noise": 0.5}
BLURRED: Arm = {**REAL, "pixels": "random"}
SGD: Arm = {"setting": "Suppressed", "noise": 0.5, "method": "winsorised", "level": 0.0}
CLIPPED: Arm = {**SGD, "level": CUT}
MEDIAN: Arm = {**SGD, "method": "medians"}
ROLLING: Arm = {**SGD, "method": "rolling"}
WRONG = {"split": "corrupted"}
LEARNED, MEMORISED = above(0.9), above(0.5)


def _learned(arm: Arm) -> tuple[Effect, Region]:
    """The precondition that the examples with right labels were learned."""
    return level("accuracy", **arm, split="pristine"), LEARNED


def _down(arm: Arm) -> tuple[Effect, Region]:
    """The precondition that the training loss came down as far as coherence is compared."""
    return level("loss_share", **arm), below(LATE)


def _real_or_random() -> Iterator[Claim]:
    told = "peaks near 40 and stays near 20, against mostly below 5 (ResNet-50, ImageNet, m = 50,000)"
    where = "ResNet-50 on ImageNet with real and random labels"
    compared = ratio(level("band_coherence", **REAL), level("band_coherence", **RANDOM))
    yield Claim(
        "C1a", "While the loss falls from 0.9 to 0.3 of its first value, gradients of real labels are more than twice as coherent as those of random ones.",
        reported=told, source="paper", where=where,
        effect=compared, expect=above(2), given=(_down(REAL), _down(RANDOM)),
    )  # fmt: skip
    yield Claim(
        "C1b", "They are more than twice as coherent (1 in log2) early on, where the loss is first 0.9 of its first value.",
        reported=told, source="paper", where=where,
        effect=at_matched("log2_m_coherence", "loss_share", EARLY, **REAL, against={"noise": 1.0}), expect=above(1),
    )  # fmt: skip
    yield Claim(
        "C1c", "With real labels coherence falls to less than half its peak once everything is learned.",
        reported="peaks near 40, ends near 1", source="paper", where=where,
        effect=ratio(level("end_coherence", **REAL), level("peak_coherence", **REAL)), expect=below(0.5), given=(_down(REAL), _learned(REAL)),
    )  # fmt: skip
    yield Claim(
        "C1d", "Images of random pixels, their labels kept, have less than half the coherence early on, too.",
        reported="not reported to our knowledge: random pixels carry as little in common as random labels", source="recalled",
        effect=at_matched("log2_m_coherence", "loss_share", EARLY, **REAL, against={"pixels": "random"}), expect=above(1),
    )  # fmt: skip


def _out_of_nothing() -> Iterator[Claim]:
    half: Arm = {"loss": "train_accuracy", "value": 0.5}
    yield Claim(
        "C2a", "Even with random labels, gradients help others when half of the labels are memorised: m-coherence is above 1.5.",
        reported="up to hundreds (variants of ImageNet)", source="paper", where="Making Coherence Out of Nothing At All",
        effect=at_matched("m_coherence", **half, **RANDOM), expect=above(1.5),
    )  # fmt: skip
    yield Claim(
        "C2b", "That is more than before the first step: coherence emerges while labels are memorised.",
        reported="from about 1 to hundreds", source="paper", where="Making Coherence Out of Nothing At All",
        effect=at_matched("coherence_gain", **half, **RANDOM), expect=above(0),
    )  # fmt: skip


def _noise() -> Iterator[Claim]:
    yield Claim(
        "C3a", "In the first three epochs coherence falls with the fraction of random labels.",
        reported="the more noise, the less coherence (a figure)", source="paper",
        effect=rank("early_coherence", "noise", setting="Watched", pixels="real"), expect=below(-0.8),
    )  # fmt: skip
    yield Claim(
        "C3b", "After half of the steps, far more of the right labels are answered than of the wrong ones, with half of the labels random.",
        reported="right ones are learned first (a figure)", source="paper",
        effect=level("mid_gap", **HALF), expect=above(0.3), given=(_learned(HALF),),
    )  # fmt: skip
    yield Claim(
        "C3c", "Half of the right labels are learned in fewer steps than half of the wrong ones.",
        reported="right ones are learned first (a figure)", source="paper",
        effect=steps_to("accuracy", 0.5, **HALF, split="pristine", against=WRONG), expect=below(1), given=(_learned(HALF),),
    )  # fmt: skip


def _suppressed() -> Iterator[Claim]:
    fitted: Given = (
        (level("accuracy", **SGD, **WRONG), MEMORISED),
        (level("accuracy", **CLIPPED, split="pristine"), above(0.7)),
    )
    where = "Coherent Gradients: winsorised gradient descent on MNIST"
    yield Claim(
        "C4a", "Clipping 8% of each coordinate's gradients at each end, 0.3 fewer of the wrong labels are memorised in as many steps.",
        reported="memorisation of wrong labels all but disappears (a figure)", source="paper", where=where,
        effect=gap("accuracy", SGD, CLIPPED, **WRONG), expect=above(0.3), given=fitted,
    )  # fmt: skip
    yield Claim(
        "C4b", "New examples are answered better for it at the end.",
        reported="test accuracy no longer falls (a figure)", source="paper", where=where,
        effect=gap("accuracy", CLIPPED, SGD, split="test"), expect=above(0), given=fitted,
    )  # fmt: skip
    clipped = {k: v for k, v in SGD.items() if k != "level"}
    yield Claim(
        "C4c", "The more is clipped (0 to 8%), the fewer wrong labels are memorised.",
        reported="in order of c (a figure)", source="paper", where=where,
        effect=rank("accuracy", "level", **clipped, **WRONG), expect=below(0), given=fitted[:1],
    )  # fmt: skip
    for letter, name, arm in (
        ("d", "medians of three groups (M3)", MEDIAN),
        ("e", "rolling medians of three steps (RM3)", ROLLING),
    ):
        yield Claim(
            f"C4{letter}", f"With {name}, fewer wrong labels are memorised after half of the steps.",
            reported="memorisation is reduced", source="paper", where="Weak and Strong Gradient Directions",
            effect=gap("halfway_accuracy", SGD, arm, **WRONG), expect=above(0), given=fitted[:1],
        )  # fmt: skip


def _strata() -> Iterator[Claim]:
    easy, hard = ({"setting": "Strata", "stratum": name} for name in ("easy", "hard"))
    old, new = {"shifted": False}, {"shifted": True}
    learned: Given = tuple((level("accuracy", **arm, **old), LEARNED) for arm in (easy, hard))
    yield Claim(
        "C5a", "Trained and tested within the examples learned first, the gap is smaller than within those learned last.",
        reported="easy examples generalize far better among themselves (a figure)", source="paper",
        effect=minus(gap("accuracy", old, new, **hard), gap("accuracy", old, new, **easy)), expect=above(0), given=learned,
    )  # fmt: skip
    yield Claim(
        "C5b", "Early on, their gradients are the more coherent ones.",
        reported="argued: easy examples have more in common", source="paper",
        effect=at_matched("log2_m_coherence", "loss_share", EARLY, **easy, against={"stratum": "hard"}), expect=above(0),
    )  # fmt: skip


def _stopping() -> Iterator[Claim]:
    peak = level("log2_peak_step", **HALF)
    fitted: Given = (_learned(HALF), (level("accuracy", **HALF, **WRONG), MEMORISED))
    yield Claim(
        "C6a", "With half of the labels random, stopping where held out examples are answered best beats training on.",
        reported="strong directions are learned first, hence early stopping", source="paper",
        effect=level("stopping_gain", **HALF), expect=above(0), given=fitted,
    )  # fmt: skip
    yield Claim(
        "C6b", "That moment comes before half of the wrong labels are memorised.",
        reported="argued", source="paper",
        effect=minus(peak, level("log2_rise_step", **HALF)), expect=below(0), given=fitted,
    )  # fmt: skip
    yield Claim(
        "C6c", "It comes before coherence has fallen to half its peak.",
        reported="argued", source="paper",
        effect=minus(peak, level("log2_fall_step", **HALF)), expect=below(0), given=fitted,
    )  # fmt: skip


def _layers() -> Iterator[Claim]:
    yield Claim(
        "C7a", "Layers differ in coherence in the first three epochs (log2 of the most over the least coherent one, named by other samples).",
        reported="layers differ (a figure)", source="recalled",
        effect=level("layer_spread", **REAL), expect=above(0), given=(_learned(REAL),),
    )  # fmt: skip
    yield Claim(
        "C7b", "Until the loss is 0.3 of its first value, the bound on the gap adds up to more with random labels than with real ones (log2).",
        reported="follows from the bound, which sums √(2(1 − α)) over the steps", source="paper", where="the theorem on stability",
        effect=gap("log2_bound", RANDOM, REAL), expect=above(0), given=(_down(REAL), _down(RANDOM)),
    )  # fmt: skip


def _pictures() -> Iterator[Claim]:
    real: Arm = {"setting": "Pictured", "noise": 0.0, "method": "winsorised", "level": 0.0}
    random, half = {**real, "noise": 1.0}, {**real, "noise": 0.5}
    over = (
        "data",
        "depths",
        "widths",
        "block",
        "side",
        "steps",
        "batch",
        "train",
        "held",
        "sample",
        "points",
        "scored",
    )
    where = "ResNet-50 on ImageNet"
    yield Claim(
        "P1a", "Residual networks: with real labels coherence is more than twice that with random ones while the loss falls.",
        reported="near 20 against below 5 (ResNet-50, ImageNet, m = 50,000)", source="paper", where=where, tiers=("paper",),
        effect=ratio(level("band_coherence", **real), level("band_coherence", **random)), expect=above(2), over=over, given=(_down(real), _down(random)),
    )  # fmt: skip
    yield Claim(
        "P1b", "Residual networks: with random labels each example helps few others, m-coherence staying below 5.",
        reported="mostly below 5", source="paper", where=where, tiers=("paper",),
        effect=level("band_coherence", **random), expect=below(5), over=over, given=(_down(random),),
    )  # fmt: skip
    for name, method in (("a", "medians"), ("b", "rolling")):
        arm = {**half, "method": method}
        told = {"a": "M3", "b": "RM3"}[name]
        known: Given = (
            (level("accuracy", **half, **WRONG), MEMORISED),
            (level("accuracy", **arm, split="pristine"), above(0.5)),
        )
        yield Claim(
            f"P2{name}", f"Residual networks: with {told}, 0.3 fewer of the wrong labels are memorised.",
            reported="memorisation is much reduced (abstract)", source="paper", where="Weak and Strong Gradient Directions", tiers=("paper",),
            effect=gap("accuracy", half, arm, **WRONG), expect=above(0.3), over=over, given=known,
        )  # fmt: skip
        yield Claim(
            f"P3{name}", f"Residual networks: with {told}, new examples are answered better at the end.",
            reported="better test accuracy under label noise", source="recalled", where="Weak and Strong Gradient Directions", tiers=("paper",),
            effect=gap("accuracy", arm, half, split="test"), expect=above(0), over=over, given=known,
        )  # fmt: skip


def _controls() -> Iterator[Claim]:
    told = "not reported: a control"
    new = {"shifted": True}
    made: tuple[tuple[str, str, Effect, Region, tuple[str, ...]], ...] = (
        ("K1", "Untrained networks answer new digits by chance.", level("accuracy", **REAL, **new, step=0), below(0.25), ()),
        ("K2", "Trained on random labels, they still do.", level("accuracy", **RANDOM, **new), below(0.2), ()),
        ("K3", "Trained on random pixels, too.", level("accuracy", **BLURRED, **new), below(0.2), ()),
        ("K4", "Coherence is the sum of the Gram matrix of gradients over its trace.", level("gram_error", setting="Watched"), below(1e-3), ("noise", "pixels")),
        ("K5", "Two random parts of the examples generalize alike.", minus(gap("accuracy", {"shifted": False}, new, setting="Strata", stratum="random 1"), gap("accuracy", {"shifted": False}, new, setting="Strata", stratum="random 2")), between(-0.06, 0.06), ()),
    )  # fmt: skip
    for id, says, effect, expect, over in made:
        yield Claim(id, says, told, "recalled", effect, expect, over=over, kind="control")


CLAIMS = (
    *_real_or_random(),
    *_out_of_nothing(),
    *_noise(),
    *_suppressed(),
    *_strata(),
    *_stopping(),
    *_layers(),
    *_pictures(),
    *_controls(),
)
