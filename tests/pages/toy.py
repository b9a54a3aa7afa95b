"""A study that takes milliseconds: coins that fall heads up as often as its code says."""

from __future__ import annotations

from pathlib import Path

STUDY = '''"""Do coins fall heads up?"""

from dataclasses import dataclass

from unseen.core.claim import Claim, above, level
from unseen.core.study import Needs, Paper, Study


@dataclass(frozen=True, slots=True)
class Setting:
    flips: int = 100


STUDY = Study(
    paper=Paper("Coins", None, 2024),
    axes=("coin",),
    settings=lambda tier: [Setting()],
    seeds={"smoke": 5, "laptop": 5, "paper": 5},
    needs=lambda setting: Needs(minutes=0.01),
    evidence=lambda setting: "twin",
    claims=(
        Claim("C1", "Most coins fall heads up.", reported="most", source="paper", effect=level("heads"),
              expect=above(0.5), tiers=("smoke",)),
        Claim("K1", "Coins are counted.", reported="a control", source="code", effect=level("heads"),
              expect=above(0.4), tiers=("smoke",), kind="control"),
    ),
)
'''
TRIAL = '''"""Coins, counted."""

from unseen.core.record import Row, Split


def run(setting, lab):
    """Yield `heads`, the fraction (0..1) of coins that fall heads up."""
    heads = lab.rng("coins").binomial(setting.flips, {level}) / setting.flips
    yield Row("heads", heads, Split("coins", "coin", {{}}, True), n=setting.flips, drawn=str(lab.seed))
'''


def coins(level: float, root: Path = Path()) -> None:
    """Write the study `coins` into ./studies, its coins falling heads up that often."""
    folder = root / "studies" / "coins"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.py").write_text(STUDY)
    (folder / "trial.py").write_text(TRIAL.format(level=level))
    (folder / "sheet.md").write_text("Coins.\n")
