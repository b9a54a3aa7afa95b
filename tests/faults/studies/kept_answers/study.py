"""What is said of a model that cannot be had? A study that takes one."""

from __future__ import annotations

from dataclasses import dataclass

from unseen.core.study import Evidence, Headline, Model, Needs, Paper, Study, Tier


@dataclass(frozen=True, slots=True)
class Setting:
    """One model, asked two things."""

    model: Model


def settings(tier: Tier) -> list[Setting]:
    """The only place that knows tiers."""
    return [Setting(Model("py:answers:yes"))]


def needs(setting: Setting) -> Needs:
    """What one trial asks of a machine."""
    return Needs(minutes=0.01)


def evidence(setting: Setting) -> Evidence:
    """A twin."""
    return "twin"


STUDY = Study(
    paper=Paper("Kept Answers", None, 2026),
    axes=("words",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 1, "paper": 1},
    needs=needs,
    evidence=evidence,
    headlines=(Headline("words", "right", 0.0),),
    claims=(),
)
