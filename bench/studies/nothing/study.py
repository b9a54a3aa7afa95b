"""What does a trial cost that does nothing? One row, at once."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.study import Evidence, Needs, Paper, Study, Tier


@dataclass(frozen=True, slots=True)
class Setting:
    """Nothing, and so often."""

    number: int


def settings(tier: Tier) -> list[Setting]:
    """The only place that knows tiers."""
    return [Setting(0)]


def needs(setting: Setting) -> Needs:
    """Next to nothing."""
    return Needs(minutes=0.001, memory_gb=0.1)


def evidence(setting: Setting) -> Evidence:
    """A twin."""
    return "twin"


STUDY = Study(
    paper=Paper("Nothing", None, 2026),
    axes=("length",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 1, "paper": 1},
    needs=needs,
    evidence=evidence,
    claims=(),
)
