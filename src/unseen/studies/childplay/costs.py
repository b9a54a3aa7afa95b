"""What does a trial cost? Minutes of one core, as measured; no trial depends on them.

MINUTES["shapes", "size"]  ->  1.7, for five seeds of smollm2
"""

from __future__ import annotations

from collections.abc import Mapping

from unseen.core.study import Model, Needs

from .arms import BOARDS, Asked, Scripted
from .claims import LADDER
from .learned import Learned, needs_learned

UNTRAINED = Model("tiny:decoder")
MINUTES: Mapping[tuple[str, str], float] = {  # five seeds of smollm2 at the laptop tier
    ("tictactoe", "none"): 1.0, ("connectfour", "none"): 0.3, ("battleship", "none"): 0.8, ("shapes", "none"): 0.5,
    ("lego_validity", "none"): 0.2, ("lego_construction", "none"): 2.0, ("molecules", "none"): 0.5,
    ("tictactoe", "size"): 1.3, ("tictactoe", "rendering"): 0.9, ("shapes", "size"): 1.7, ("shapes", "noise"): 0.9,
    ("lego_construction", "pieces"): 4.0, ("molecules", "atoms"): 1.2,
}  # fmt: skip


def needs(setting: Asked | Scripted | Learned) -> Needs:
    """What one trial asks of a machine."""
    if isinstance(setting, Learned):
        return needs_learned(setting)
    chemistry = ("chemistry",) if setting.game == "molecules" else ()
    if isinstance(setting, Scripted):
        return Needs(0.1 if setting.games >= 100 else 0.03, extras=chemistry)
    if setting.model == UNTRAINED:
        return Needs(0.1, extras=("torch", *chemistry))
    if setting.model in LADDER:
        return Needs(20, gpus=1, memory_gb=40, extras=("hub", *chemistry))
    kind = setting.model.partition(":")[0]
    extra: Mapping[str, tuple[str, ...]] = {"api": ("server",), "py": (), "replay": ()}
    minutes = MINUTES.get((setting.game, setting.shift), 0.7 if setting.game in BOARDS else 1.0)
    return Needs(minutes, memory_gb=3, extras=(*extra.get(kind, ("hub",)), *chemistry))
