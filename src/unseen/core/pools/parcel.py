"""How does a trial travel to another process, and what it measured back? In plain words and bytes, never as a pickle.

packed(trial)  ->  {"study": "task_hinting", "version": 1, "class": "Setting", "values": {…}, "seeds": (0, 1), "pins": {}}

Whoever unpacks a trial finds its study by its slug, so that studies outside the package travel, too.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import find
from ..disk import inside
from ..errors import Damaged, UnseenError
from ..inert import label
from ..plan import Trial
from ..study import TIERS, Study, values_of

if TYPE_CHECKING:
    from ..execute import Tell, Work

Said = tuple[Any, str, float, int]  # what an Outcome says beside its trial: status, error, minutes, code
LAST = "trial.json"  # the file without which a folder does not exist
PIECE = 8 << 20  # bytes of a file that travel at once


def packed(trial: Trial) -> dict[str, Any]:
    """A trial in plain words."""
    return {
        "study": trial.study,
        "version": trial.version,
        "class": type(trial.setting).__name__,
        "values": values_of(trial.setting),
        "seeds": trial.seeds,
        "pins": dict(trial.pins),
    }


def unpacked(told: Mapping[str, Any]) -> Trial:
    """The trial of these words. Raises what finding its study raises."""
    study = find.study(told["study"])
    setting = _kind(study, told["class"])(**{k: _tuple(v) for k, v in told["values"].items()})
    seeds = tuple(int(s) for s in told["seeds"])
    return Trial(told["study"], int(told["version"]), setting, seeds, study.needs(setting), dict(told["pins"]))


def said_of(work: Work, told: Mapping[str, Any], tell: Tell) -> Said:
    """What came of the work on a packed trial; whatever is raised on the way to it is said, too."""
    try:
        outcome = work(unpacked(told), tell)
        return outcome.status, outcome.error, outcome.minutes, outcome.code
    except UnseenError as failure:
        return "failed", str(failure), 0.0, failure.code
    except Exception as error:  # code of a study, met on the way to its trial
        return "failed", f"{type(error).__name__}: {error} (before {told['study']}'s trial began).", 0.0, 1


def pieces(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a finished folder as (name, bytes), a long one in several pieces that follow one another."""
    for path in sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: (p == folder / LAST, p)):
        with path.open("rb") as file:
            name, first = path.relative_to(folder).as_posix(), True
            while (content := file.read(PIECE)) or first:
                first = False
                yield name, content


def unfolded(parts: Iterable[tuple[str, Callable[[], bytes]]], to: Path) -> None:
    """Write the pieces of a folder to `to`, the file that makes it one last. Raises Damaged for a name that leads outside.

    What stood there goes first, so that a folder is never made of two.
    """
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name, content in parts:
        if not inside(name):
            raise Damaged(
                f"a finished trial came back with a file called {label(name)}, which lies outside its folder."
            )
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(content())


def _kind(study: Study, name: str) -> type:
    """The class of a study's settings of that name. Raises KeyError where it has none."""
    for tier in TIERS:
        for setting in study.settings(tier):
            if type(setting).__name__ == name:
                return type(setting)
    raise KeyError(name)


def _tuple(value: Any) -> Any:
    """Lists as tuples: JSON knows no others."""
    return tuple(_tuple(v) for v in value) if isinstance(value, list | tuple) else value
