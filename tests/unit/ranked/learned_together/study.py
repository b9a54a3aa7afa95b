"""Does a model learn the same in one process and shared among ranks? A study of the tests."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.claim import Claim, above, level
from unseen.core.study import Evidence, Needs, Paper, Study, Tier


@dataclass(frozen=True, slots=True)
class Setting:
    """Among how many ranks the model is shared."""

    shares: int


def settings(tier: Tier) -> list[Setting]:
    """The only place that knows tiers."""
    return [Setting(1), Setting(2)]


def needs(setting: Setting) -> Needs:
    """Two threads, which two ranks share."""
    return Needs(minutes=0.2, cpus=2)


def evidence(setting: Setting) -> Evidence:
    """A twin."""
    return "twin"


STUDY = Study(
    paper=Paper("Learned Together", None, 2026),
    axes=("length",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 1, "paper": 1},
    needs=needs,
    evidence=evidence,
    claims=(
        Claim(
            "C1",
            "There is a loss.",
            reported="not reported",
            source="recalled",
            effect=level("loss"),
            expect=above(0.0),
            tiers=("smoke", "laptop", "paper"),
        ),
    ),
)
