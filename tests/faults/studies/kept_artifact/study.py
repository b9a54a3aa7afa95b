"""Is what several trials need made once, whatever machines they are measured on? Sums over numbers drawn once for all."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.study import Evidence, Needs, Paper, Study, Tier


@dataclass(frozen=True, slots=True)
class Setting:
    """How many of the numbers are summed up, and how long drawing them takes."""

    count: int
    seconds: float = 0.5


def settings(tier: Tier) -> list[Setting]:
    """The only place that knows tiers."""
    return [Setting(n) for n in (1, 2, 3, 4)]


def needs(setting: Setting) -> Needs:
    """What one trial asks of a machine."""
    return Needs(minutes=0.01)


def evidence(setting: Setting) -> Evidence:
    """A twin."""
    return "twin"


STUDY = Study(
    paper=Paper("Kept Artifact", None, 2026),
    axes=("length",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 1, "paper": 1},
    needs=needs,
    evidence=evidence,
    claims=(),
)
