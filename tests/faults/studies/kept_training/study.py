"""Is nothing lost when a training is killed? Two stacked decoders that learn to copy, for a moment."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.study import Evidence, Needs, Paper, Study, Tier


@dataclass(frozen=True, slots=True)
class Setting:
    """One training."""

    width: int
    steps: int = 60


def settings(tier: Tier) -> list[Setting]:
    """The only place that knows tiers."""
    return [Setting(16), Setting(24)]


def needs(setting: Setting) -> Needs:
    """What one trial asks of a machine."""
    return Needs(minutes=0.1, extras=("torch",))


def evidence(setting: Setting) -> Evidence:
    """A twin."""
    return "twin"


STUDY = Study(
    paper=Paper("Kept Training", None, 2026),
    axes=("length",),
    settings=settings,
    seeds={"smoke": 2, "laptop": 2, "paper": 2},
    block=2,
    needs=needs,
    evidence=evidence,
    claims=(),
)
