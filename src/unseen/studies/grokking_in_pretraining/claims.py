"""What does the paper say, as inequalities that runs can refute?

C2a: once samples are memorised, their pathways come nearer to each other: the relative slope of their mean distance is below 0.

Claims whose ids begin with P read the released checkpoints at the paper tier, the others the mixtures trained here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from unseen.core.claim import Claim, Effect, Region, above, below, between, gap, level, minus, one_of

from .arms import GENERAL, ROTE

Given = tuple[tuple[Effect, Region], ...]
Arm = dict[str, Any]
MAIN: Arm = {"setting": "Pretrained", "arm": "main"}
FROZEN: Arm = {**MAIN, "arm": "frozen"}
OURS: Arm = {**MAIN, "domain": one_of(*GENERAL)}
GRAPHS: Arm = {**MAIN, "domain": one_of("rich", "poor")}
OLMOE: Arm = {"setting": "Released", "domain": one_of("math", "code", "commonsense", "chemistry")}
ASKED: Arm = {"setting": "Released", "domain": one_of("commonsense", "chemistry")}
TABLE = "table 1 (OLMoE, four domains)"
OWN = "not reported: a comparison of our own"


def _memorised(where: Arm) -> tuple[Effect, Region]:
    """The precondition that there are groups of memorised samples to be followed."""
    return level("followed", **where), above(4)


def _learned(where: Arm) -> Given:
    """The preconditions that facts in documents are known at the end, and that those held out came to be answered."""
    return (level("exact", **where, trained=True), above(0.8)), (level("gain", **where), above(0.15))


def _told(where: Arm, letter: str) -> Given:
    return (_memorised(where), *(_learned(where) if letter == "C" else ()))


def _delays(where: Arm, whole: Arm, letter: str) -> Iterator[Claim]:
    given = _told(where, letter)
    told = "math: 5k to 125k steps, 125k to 490k, 245k to 615k, 370k to 855k"
    yield Claim(
        f"{letter}1a", "Samples are memorised at different times: the middle half of those memorised spans more than a doubling of the steps.",
        reported=told, source="paper", effect=level("memorised_spread", **where), expect=above(1), given=given,
    )  # fmt: skip
    yield Claim(
        f"{letter}1b", "The test items most like a group of training samples come to be answered after it is memorised.",
        reported=told, source="paper", effect=level("lag", **whole), expect=above(0), given=given,
    )  # fmt: skip
    yield Claim(
        f"{letter}1c", "Groups memorised later wait longer (rank correlation of the delay with the step of memorising).",
        reported="delays of 120k, 365k, 370k, 485k steps", source="paper", effect=level("lag_rank", **whole), expect=above(0), given=given,
    )  # fmt: skip


def _after(where: Arm, letter: str) -> Iterator[Claim]:
    given = _told(where, letter)
    told = "code about 530 to 505, commonsense about 580 to 480 (read off axes)"
    for k, measure, says in (
        ("a", "distance_slope", "Once memorised, the pathways of samples come nearer to each other."),
        ("b", "distance_slope_high", "So they do for each model by itself: the upper end of a bootstrap over samples is below 0."),
        ("c", "expert_distance_slope", "So they do if experts are counted instead of characters."),
    ):  # fmt: skip
        yield Claim(
            f"{letter}2{k}", says, reported=told if k == "a" else OWN, source="paper" if k == "a" else "recalled",
            effect=level(measure, **where), expect=below(0), given=given,
        )  # fmt: skip
    yield Claim(
        f"{letter}3a", "Once memorised, the pathway of a sample becomes smoother: its inconsistency falls.",
        reported="0.44 to 0.32", source="paper", effect=level("inconsistency_slope", **where), expect=below(0), given=given,
    )  # fmt: skip
    for k, threshold in (("a", 0.5), ("b", 0.6), ("c", 0.8)):
        yield Claim(
            f"{letter}8{k}", f"Distances fall, too, where pathways carry {threshold:g} of the weight.",
            reported="robust from 0.5 to 0.8", source="paper",
            effect=level(f"distance_slope_{threshold:g}", **where), expect=below(0), given=given,
        )  # fmt: skip


def _correlated(where: Arm, letter: str) -> Iterator[Claim]:
    given = _told(where, letter) if letter == "C" else (*_told(where, letter), (level("gain", **where), above(0.05)))
    told = {"distance": "-.925 to -.982", "consistency": "+.925 to +.992"}
    for k, name, region in (("a", "distance", below(0)), ("b", "consistency", above(0))):
        yield Claim(
            f"{letter}4{k}", f"From where accuracy on new items begins to rise, {name} goes {'against' if k == 'a' else 'with'} it over checkpoints.",
            reported=told[name], source="paper", where=TABLE, effect=level(f"r_{name}", **where), expect=region, given=given,
        )  # fmt: skip
    others = (
        ("training", "training loss"),
        ("validation", "validation loss"),
        ("log_step", "log(step), which knows no model"),
    )
    for k, (name, (other, word)) in zip("cdefgh", ((n, o) for n in told for o in others), strict=True):
        paper = other != "log_step"
        yield Claim(
            f"{letter}4{k}", f"{name.capitalize()} goes with accuracy more closely than {word}: |r| is higher.",
            reported="|r| of the losses .04 to .95" if paper else OWN, source="paper" if paper else "recalled", where=TABLE if paper else "",
            effect=level(f"{name}_over_{other}", **where), expect=above(0), given=given,
        )  # fmt: skip
    for k, name, region in (("i", "distance", below(0)), ("j", "consistency", above(0))):
        yield Claim(
            f"{letter}4{k}", f"{name.capitalize()} goes with accuracy beyond what log(step) says: the partial correlation has its sign.",
            reported=OWN, source="recalled", effect=level(f"partial_{name}", **where), expect=region, given=given,
        )  # fmt: skip


def _shape(where: Arm, pairs: Arm, letter: str) -> Iterator[Claim]:
    given = _told(where, letter)
    yield Claim(
        f"{letter}5a", "The first layer's pathways come nearer to each other more than the last layer's.",
        reported="shallow layers drop most (a figure)", source="paper", effect=_less("first_layer_slope", "last_layer_slope", where), expect=below(0), given=given,
    )  # fmt: skip
    yield Claim(
        f"{letter}5b", "The last layer's pathways even part.",
        reported="may increase (a figure)", source="paper", effect=level("last_layer_slope", **where), expect=above(0), given=given,
    )  # fmt: skip
    yield Claim(
        f"{letter}6a", "The pathways of samples of two domains do not come nearer to each other: by less than 1% a doubling.",
        reported="no downward trend (math with code)", source="paper", effect=level("cross_slope", **pairs), expect=above(-0.01),
        over=("domains",), given=given,
    )  # fmt: skip
    yield Claim(
        f"{letter}7a", "Routing entropy explains less than a quarter of the distances of pairs.",
        reported="r = 0.24 over 141,530 pairs: 6%", source="paper", effect=level("entropy_r2", **where), expect=below(0.25), given=given,
    )  # fmt: skip


def _small() -> Iterator[Claim]:
    given = _told(OURS, "C")
    where = "nanoMoE on OpenWebText"
    yield Claim(
        "C9a", "In a small mixture of experts distance goes against accuracy as closely as in nanoMoE.",
        reported="r of -.81 to -1.0", source="paper", where=where, effect=level("r_distance", **OURS), expect=below(-0.8), given=given,
    )  # fmt: skip
    yield Claim(
        "C9b", "In a small mixture of experts consistency goes with accuracy as closely as in nanoMoE.",
        reported="r of +.88 to +1.0", source="paper", where=where, effect=level("r_consistency", **OURS), expect=above(0.8), given=given,
    )  # fmt: skip
    for k, scales, says in (
        ("a", "many", "drawn more and less wide"),
        ("b", "one", "that differ only in how they were drawn"),
    ):
        yield Claim(
            f"C10{k}", f"Over random frozen routers {says}, the effective dimension of the routing kernel goes with mean pathway distance.",
            reported="strongly positive", source="paper", effect=level("kernel_r", setting="Kernel", scales=scales), expect=above(0.5),
        )  # fmt: skip


def _own() -> Iterator[Claim]:
    """What the paper does not test: is it generalizing that goes with pathways, and do routers make it?"""
    rote = {"domain": ROTE}
    given = (_memorised({**MAIN, **rote}), *_told(GRAPHS, "C"))
    yield Claim(
        "N1", "Pathways come nearer to each other more where there is something to generalise than where facts follow from nothing.",
        reported=OWN, source="recalled", effect=gap("distance_slope", {"domain": one_of(*GENERAL)}, rote, **MAIN), expect=below(0), given=given,
    )  # fmt: skip
    yield Claim(
        "N2", "With routers frozen as they were drawn, fewer new facts come to be answered.",
        reported=OWN, source="recalled",
        effect=gap("exact", MAIN, FROZEN, domain=one_of(*GENERAL), trained=False), expect=above(0), given=_learned(OURS),
    )  # fmt: skip
    yield Claim(
        "N3", "With routers frozen, the pathways of memorised samples come nearer to each other less.",
        reported=OWN, source="recalled",
        effect=gap("distance_slope", MAIN, FROZEN, domain=one_of(*GENERAL)), expect=below(0), given=(_memorised(OURS), _memorised({**OURS, **FROZEN})),
    )  # fmt: skip
    yield Claim(
        "N4", "Routers drawn at random, put in the places of those learned, bring the pathways less near to each other.",
        reported=OWN, source="recalled",
        effect=_less("distance_slope", "random_slope", OURS), expect=below(0), given=_told(OURS, "C"),
    )  # fmt: skip


def _less(first: str, second: str, where: Arm) -> Effect:
    """One measure minus another of the same runs."""
    return minus(level(first, **where), level(second, **where))


def _controls() -> Iterator[Claim]:
    chance = 0.15  # of 13 numbers or 20 entities 0.05 to 0.08
    yield Claim(
        "K1", "Untrained models answer facts held out by chance.",
        reported="a control", source="recalled", effect=level("exact_untrained", **OURS, trained=False), expect=below(chance), kind="control",
    )  # fmt: skip
    yield Claim(
        "K2", "Facts that follow from nothing are not answered where they were held out, at the end either.",
        reported="a control", source="recalled", effect=level("exact", **MAIN, domain=ROTE, trained=False), expect=below(chance), kind="control",
    )  # fmt: skip
    yield Claim(
        "K3", "By how memorised samples are defined, their loss stays as it was: it moves by less than 0.05 nats in a doubling.",
        reported="flat (a figure)", source="paper", effect=level("loss_slope", **OURS), expect=between(-0.05, 0.05), kind="control", given=(_memorised(OURS),),
    )  # fmt: skip
    yield Claim(
        "K4", "A router that sends all samples alike leaves their pathways at no distance.",
        reported="a control", source="recalled", effect=level("flat_distance", setting="Kernel"), expect=below(1e-6), kind="control", unit="exact",
        over=("scales",), given=((level("kernel_distance", setting="Kernel"), above(0)),),
    )  # fmt: skip


def _all() -> Iterator[Claim]:
    yield from _delays(OURS, MAIN, "C")
    yield from _after(OURS, "C")
    yield from _correlated(OURS, "C")
    yield from _shape(OURS, MAIN, "C")
    yield from _small()
    yield from _own()
    yield from _controls()


def _paper() -> Iterator[Claim]:
    yield from _delays(ASKED, {"setting": "Released"}, "P")
    yield from _after(OLMOE, "P")
    yield from _correlated(ASKED, "P")
    yield from _shape(OLMOE, {"setting": "Released"}, "P")


CLAIMS = (*_all(), *(replace(claim, tiers=("paper",)) for claim in _paper()))
