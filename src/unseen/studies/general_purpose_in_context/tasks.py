"""Which sequences are asked? The labelled sets of a setting, seen through its tasks, drawn with numpy alone.

world(setting, lab, seed=0).sample("new tasks", 128, rng)   ;   as text, tasks(setting)[0].draw("new tasks", 1, rng)
"""

from __future__ import annotations

from collections.abc import Sequence

from unseen.core.errors import Unknown, nearest
from unseen.core.lab import Lab
from unseen.core.task import Task
from unseen.tasks import labelled
from unseen.tasks.labelled import HUB, Labelled
from unseen.tasks.worlds import Worlds, Written

from .arms import Designed, Learned

SIDE = {"digits": 8, "glyphs": 8}  # pixels
SIDE_OF_HUB = 28
DRAWN = ("gaussian", "digits", "glyphs")


def tasks(setting: Learned | Designed) -> Sequence[Task]:
    """The setting's sequences as text, of seed 0."""
    return [Written(world(setting, Lab.alone(), 0), setting.base)]


def world(setting: Learned | Designed, lab: Lab, seed: int) -> Worlds:
    """The sequences of one seed: its labelled sets and the stream of its tasks."""
    base = labelled_set(setting.base, setting, lab, seed, "base")
    others = tuple(labelled_set(name, setting, lab, seed, "other") for name in setting.others)
    stream = lab.stream("tasks", seed=seed)
    return Worlds(base, setting.tasks, setting.length, stream, others, setting.labels)


def labelled_set(name: str, setting: Learned | Designed, lab: Lab, seed: int, role: str) -> Labelled:
    """The labelled set of that name in the setting's sizes; one that is drawn differs by seed and role.

    Raises Unknown for another name.
    """
    if setting.embed:
        from .embedded import embedded

        return embedded(name, setting.embed, setting.features, lab)
    rng = lab.rng("set", name, role, seed=seed)
    if name == "gaussian":
        return labelled.gaussian(setting.features, setting.classes, rng, noise=setting.noise)
    if name == "digits":
        return labelled.digits(setting.features, classes=setting.classes)
    if name == "glyphs":
        return labelled.glyphs(SIDE[name], setting.classes, rng, features=setting.features)
    if name in HUB:
        return labelled.hub(name, SIDE_OF_HUB, lab, features=setting.features)
    known = (*DRAWN, *HUB)
    raise Unknown(f"no labelled set is called {name!r}{nearest(name, known)}. There are {', '.join(known)}.")
