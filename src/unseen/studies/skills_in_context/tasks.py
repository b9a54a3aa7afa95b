"""Which questions are asked? Every task of the study, as data that need no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.core.task import Task
from unseen.tasks import commaqa, digits, dp, gsm8k, last_letter, written
from unseen.tasks.commaqa import Twin
from unseen.tasks.episodes import FORMS, Episodes
from unseen.tasks.episodes import Prompted as EpisodeForm
from unseen.tasks.worked import Sized, Stored
from unseen.tasks.written import Written

from .asked import Control, Prompted
from .learned import Episodic, Learned, Traced

# DEPARTS: words are made of syllables (the paper's are from a list of 10,000 English ones of unclear licence), and
# exemplars of CommaQA-E are over worlds made here: the released files hold test questions alone.
MADE = {
    "last_letter": last_letter.last_letter,
    "addition": digits.addition,
    "multiplication": digits.multiplication,
    "dp": dp.dp,
    "gsm8k": gsm8k.twin,
}
KINDS = {"last_letter": written.last_letters, "addition": written.sums, "dp": written.subsequences}
MOVIES, PEOPLE, HOPS = 2, 2, 3  # of the twin of commaqa


def prompted_task(setting: Prompted | Control, lab: Lab | None = None) -> Sized | Stored | Twin:
    """The task of a setting. Released files are read when the first problem is drawn; Missing where they are not there."""
    released = isinstance(setting, Prompted) and setting.data == "released"
    if setting.task == "commaqa":
        return commaqa.released(_file(commaqa, lab)) if released else Twin(MOVIES, PEOPLE, HOPS)
    if setting.task == "gsm8k" and released:
        return gsm8k.released(_file(gsm8k, lab), setting.shown, setting.beyond)
    if released:
        raise Invalid(f"data=released: {setting.task} is made here and has no released files; use twin.")
    return MADE[setting.task](setting.shown, setting.beyond)


def written_task(setting: Traced) -> Written:
    """The problems of a decoder's setting, spelled in its form."""
    kind = KINDS[setting.task](setting.trained, setting.beyond)
    shuffled = setting.learner == "shuffled"
    return Written(kind, setting.form, hinted=setting.hinted, problems=setting.problems, shuffled=shuffled)


def episodes_task(setting: Episodic, form: EpisodeForm | None) -> Episodes:
    """The episodes of a decoder's setting in one form, or in all of them."""
    shuffled = setting.learner == "shuffled"
    of = (setting.skills, setting.alphabet, setting.examples, setting.shown, setting.trained, setting.beyond)
    return Episodes(form, *of, shuffled)


def tasks(setting: Prompted | Control | Learned) -> Sequence[Task]:
    """The tasks of a setting; episodes are one for each form of their prompts."""
    if isinstance(setting, Prompted | Control):
        return (prompted_task(setting),)
    if isinstance(setting, Traced):
        return (written_task(setting),)
    return tuple(episodes_task(setting, form) for form in FORMS)


def _file(family: ModuleType, lab: Lab | None) -> Callable[[str], Path]:
    """Where a part of a released set is, by its name; fetched where it is not there."""
    home = Lab.alone() if lab is None else lab

    def path(part: str) -> Path:
        name, sha256 = family.FILES[part]
        return home.data(f"{family.FOLDER}/{name}", family.SOURCE + name, sha256)

    return path
