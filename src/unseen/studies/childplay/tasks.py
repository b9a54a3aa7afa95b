"""Which questions are asked? Puzzles, positions of the board games, and boards as tokens; none needs a model.

tasks(Scripted("oracle", "tictactoe"))[0].draw("reference", 1, rng)[0].truth  ->  "1 1", a best move
"""

from __future__ import annotations

from collections.abc import Sequence

from unseen.core.task import Task

from . import lego, molecules, shapes
from .arms import BOARDS, Asked, Scripted
from .learned import Learned
from .positions import Positions
from .puzzle import Puzzles
from .tokens import Coded, lego_tokens, shape_tokens, tictactoe_tokens

MADE = {
    "shapes": shapes.shapes,
    "lego_validity": lego.validity,
    "lego_construction": lego.construction,
    "molecules": molecules.molecules,
}
FIRST_AXIS = {"shapes": "size", "lego_validity": "pieces", "lego_construction": "pieces", "molecules": "atoms"}


def tasks(setting: Asked | Scripted | Learned) -> Sequence[Task]:
    """The task of a setting: a puzzle's, a board game's positions, or what decoders are trained on."""
    if isinstance(setting, Learned):
        return (coded(setting),)
    if setting.game in BOARDS:
        return (Positions(setting.game, setting.shift, setting.harness, setting.opponent),)
    return (puzzles_of(setting),)


def puzzles_of(setting: Asked | Scripted) -> Puzzles:
    """The puzzles of a setting; with the axis "none" its reference alone. Raises Missing without RDKit for molecules."""
    axis = FIRST_AXIS[setting.game] if setting.shift == "none" else setting.shift
    made = MADE[setting.game](axis, setting.harness)
    return Puzzles(made.name, made.splits[:1], made.make, made.grade) if setting.shift == "none" else made


def coded(setting: Learned) -> Coded:
    """What the decoders of a setting are asked, its answers shuffled where they are a control."""
    shuffled = setting.learner == "shuffled"
    if setting.task == "tictactoe":
        return tictactoe_tokens(shuffled, setting.frame)
    return (shape_tokens if setting.task == "shapes" else lego_tokens)(shuffled)
