"""Is nothing lost when a process is killed? A sum of random numbers, taken in steps that can be gone on from."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.claim import Claim, above, level
from unseen.core.study import Evidence, Needs, Paper, Study, Tier


@dataclass(frozen=True, slots=True)
class Setting:
    """How long a sum is taken, and what goes wrong on the way."""

    name: str
    steps: int = 20
    every: int = 5  # steps between two checkpoints
    pause: float = 0.0  # seconds a step
    fault: str = ""  # "raise", "memory", "die", "die once", "full", "data", "extra"


def settings(tier: Tier) -> list[Setting]:
    """The only place that knows tiers."""
    pause = {"smoke": 0.0, "laptop": 0.004, "paper": 0.0}[tier]
    return [Setting("a", pause=pause), Setting("b", pause=pause), Setting("c", pause=pause)]


def needs(setting: Setting) -> Needs:
    """Two threads for "b", so that trials that differ in their threads follow one another."""
    extras = ("no_such_package",) if setting.fault == "extra" else ()
    return Needs(minutes=0.01, cpus=1.5 if setting.name == "b" else 1, extras=extras)


def evidence(setting: Setting) -> Evidence:
    """A twin."""
    return "twin"


STUDY = Study(
    paper=Paper("Kept Rows", None, 2026),
    axes=("length",),
    settings=settings,
    seeds={"smoke": 3, "laptop": 4, "paper": 2},
    needs=needs,
    evidence=evidence,
    block=2,
    claims=(
        Claim(
            "C1",
            "Sums of numbers above 0 are above 0.",
            reported="not reported",
            source="recalled",
            effect=level("sum", shifted=True, name="a"),
            expect=above(0.1),
            tiers=("smoke", "laptop", "paper"),
        ),
    ),
)
