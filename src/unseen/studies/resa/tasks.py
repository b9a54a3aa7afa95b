"""Which questions are asked? Sums of the two corpora, or word problems by their number of calculations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unseen.core.errors import Missing
from unseen.core.task import Task
from unseen.tasks import gsm8k
from unseen.tasks.worked import Sized, Stored

from .arms import Checkpoints, Reasoner, Setting
from .chains import Chains


def tasks(setting: Setting) -> Sequence[Task]:
    """The one task that a setting is about."""
    return [of(setting) if isinstance(setting, Reasoner) else problems(setting)]  # type: ignore[list-item]  # richer examples


def of(setting: Reasoner) -> Chains:
    """The sums of a reasoner."""
    return Chains(setting.trained, setting.longer, setting.base, setting.slips)


def problems(setting: Checkpoints, folder: Path | None = None) -> Sized | Stored:
    """The word problems of language models; released ones are read from a folder of the released files.

    Raises Missing where these are asked for and no folder is given.
    """
    if setting.corpus == "twin":
        return gsm8k.twin(setting.trained, setting.longer)
    if folder is None:
        raise Missing("the released GSM8K is read within a trial; draw from the twin with --set corpus=twin.")
    return gsm8k.released(lambda part: folder / gsm8k.FILES[part][0], setting.trained, setting.longer)
