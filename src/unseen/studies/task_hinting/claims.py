"""What does the paper say, as inequalities that runs can refute?

C1a: exact match on sorting three times as many symbols as were trained on, with the successor hint minus without,
lies above 0.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from unseen.core.claim import Claim, Effect, Linear, Region, above, below, between, gap, level, minus
from unseen.core.record import Value

from .arms import FAR, FARTHEST, LONGEST

Where = Mapping[str, Value]
Given = tuple[tuple[Effect, Region], ...]
PLAIN: dict[str, Value] = {
    "setting": "Learned", "family": "sort", "hint": "none", "repeat": True, "pace": "joint", "temper": "none",
    "size": "one", "positions": "none", "labels": "true",
}  # fmt: skip
SUCCESSOR = {**PLAIN, "hint": "successor"}
INCREMENT = {**PLAIN, "family": "increment"}
LEARNED = above(0.9)  # of the longest trained length, lest an under-trained model make every length look far


def arm(hint: str = "none", **other: Value) -> dict[str, Value]:
    """The conditions of the sorting arm with this hint that differs from the plain one in nothing else."""
    return {**PLAIN, "hint": hint, **other}


def learned(*arms: Where) -> Given:
    """The preconditions that each of these arms learned the longest trained length."""
    return tuple((level("exact", **{**one, "shifted": False}), LEARNED) for one in arms)


def far(first: Where, second: Where) -> Linear:
    """Exact match at three times the longest trained length, one arm minus another."""
    return gap("exact", first, second, shifted=True, times=FAR)


def _headline() -> Iterator[Claim]:
    yield Claim(
        "C1a",
        "Trained together with the successor hint, a transformer sorts inputs three times as long far better than without.",
        reported="92.6% against less than 1%, at five times",
        source="paper",
        effect=far(SUCCESSOR, PLAIN),
        expect=above(0.3),
        where="abstract",
        given=learned(SUCCESSOR, PLAIN),
    )
    told = (
        ("C1b", "Trained on lengths up to 20 without a hint, it sorts less than 1% of inputs of 100 symbols.",
         "less than 1%", PLAIN, below(0.01)),
        ("C1c", "With the successor hint it sorts more than 92% of them.", "92.6%", SUCCESSOR, above(0.92)),
    )  # fmt: skip
    for id, says, reported, one, expect in told:
        effect = level("exact", shifted=True, times=FARTHEST, **one)
        yield Claim(id, says, reported, "paper", effect, expect, ("paper",), where="abstract", given=learned(one))


def _scaled() -> Iterator[Claim]:
    for id, size, what in (("C2a", "4 x data", "Four times the data"), ("C2b", "2 x width", "Twice the width")):
        more = arm(size=size)
        yield Claim(
            id,
            f"{what} changes little for training without a hint, three times as long.",
            reported="barely helps (numbers not known to us)",
            source="recalled",
            effect=far(more, PLAIN),
            expect=between(-0.2, 0.2),
            where="standard training, scaled",
            given=learned(more, PLAIN),
        )


def _hints() -> Iterator[Claim]:
    for id, other in (("C3a", "count"), ("C3b", "fill"), ("C3c", "parity")):
        yield Claim(
            id,
            f"The successor hint does more for longer inputs than the {other} hint.",
            reported="far more",
            source="recalled",
            effect=far(SUCCESSOR, arm(other)),
            expect=above(0.2),
            where="which hint",
            given=learned(SUCCESSOR, arm(other)),
        )


def _tempered() -> Iterator[Claim]:
    told = (
        ("C4a", "Attention that sharpens with the logarithm of the length sorts longer inputs better, without a hint.",
         PLAIN, arm(temper="log")),
        ("C4b", "So it does with the successor hint.", SUCCESSOR, arm("successor", temper="log")),
        ("C4c", "So does attention with one learned sharpness for each length, without a hint.",
         PLAIN, arm(temper="table")),
    )  # fmt: skip
    for id, says, without, tempered in told:
        given, reported, where = learned(tempered, without), "improves", "tempered softmax"
        yield Claim(id, says, reported, "recalled", far(tempered, without), above(0.1), where=where, given=given)
    yield Claim(
        "C4d",
        "At the longest trained length sharpening changes nothing.",
        reported="not reported",
        source="recalled",
        effect=gap("exact", arm(temper="log"), PLAIN, shifted=False),
        expect=between(-0.03, 0.03),
        where="tempered softmax",
        given=learned(PLAIN),
    )


def _mechanism() -> Iterator[Claim]:
    for id, one, what in (("C5a", PLAIN, "without a hint"), ("C5b", SUCCESSOR, "with the successor hint")):
        yield Claim(
            id,
            f"Trained {what}, a head reads the current symbol and the next larger one.",
            reported="an attention head does identity and successor (a figure)",
            source="recalled",
            effect=level("mass", shifted=False, **one),
            expect=above(0.6),
            where="attention maps",
            given=learned(one),
        )

    def lost(one: Where) -> Linear:
        return gap("mass", {"shifted": False}, {"shifted": True, "times": FAR}, **one)

    yield Claim(
        "C5c",
        "That head loses more of this attention on longer inputs than one whose attention sharpens with the length.",
        reported="attention spreads out with length; sharpening counters it",
        source="recalled",
        effect=minus(lost(PLAIN), lost(arm(temper="log"))),
        expect=above(0),
        where="tempered softmax",
        given=learned(PLAIN, arm(temper="log")),
    )


def _beyond_sorting() -> Iterator[Claim]:
    hinted = {**INCREMENT, "hint": "carry"}
    yield Claim(
        "C6",
        "A hint on the carry helps to add one to numbers longer than any trained on, too.",
        reported="improves (numbers not known to us)",
        source="recalled",
        effect=gap("exact", hinted, INCREMENT, shifted=True),
        expect=above(0.15),
        where="increment",
        given=learned(hinted, INCREMENT),
    )


SAME = (*PLAIN, "share", "train", "test", "alphabet", "width", "layers", "heads", "steps", "batch", "lr", "warmup")
LOG, FIXED = ({"setting": "Built", "sharpness": how} for how in ("log", "fixed"))
CONTROLS: tuple[tuple[str, str, Linear, Region, Given], ...] = (
    ("K1", "A two-layer transformer with weights written by hand, its attention sharpening with the logarithm of the "
     "length, sorts inputs of every length up to 100 with no training.",
     level("built_exact", **LOG), above(0.99), ()),
    ("K2", "With a fixed sharpness that suffices at length 10 it does not sort 100 symbols.",
     level("built_exact", length=LONGEST, **FIXED), below(0.5),
     ((level("built_exact", shifted=False, **FIXED), LEARNED),)),
    ("K3", "Its head that reads on puts its attention on the next larger symbol.",
     level("built_mass", **LOG), above(0.9), ()),
    ("K4", "Untrained models sort nothing.", level("exact_untrained", setting="Learned", shifted=False), below(0.05), ()),
    ("K5", "No head of an untrained model reads so much of the two.", level("mass_untrained", **PLAIN), below(0.6), ()),
    ("K6", "Trained on the answers of other questions, a model sorts nothing.",
     level("exact", shifted=False, **{**PLAIN, "labels": "shuffled"}), below(0.05), ()),
)  # fmt: skip


def _controls() -> Iterator[Claim]:
    told = "not reported: a control"
    for id, says, effect, expect, given in CONTROLS:
        yield Claim(id, says, told, "recalled", effect, expect, over=SAME, given=given, kind="control")


CLAIMS = (*_headline(), *_scaled(), *_hints(), *_tempered(), *_mechanism(), *_beyond_sorting(), *_controls())
