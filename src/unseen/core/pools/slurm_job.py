"""What does one task of a Slurm array do? It measures its share of the trials, and says what came of each in a file.

said/<key>.json      ["done", "", 3.2, 0]

What it says is JSON, and what it measures is plain files: no pickle is ever read back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..disk import content, whole
from ..execute import Event, Measuring, Work
from ..store import Store
from .alone import alone
from .likeness import Told, differs, settled
from .parcel import Said, said_of, unpacked

REFUSED = "refused"  # the status of a trial that was not begun, because this node is not like the driver's machine


@dataclass(frozen=True)
class Share:
    """A part of a plan, for one task; stopped before its time and started again, it goes on where it was."""

    work: Work
    batch: tuple[tuple[str, Mapping[str, Any]], ...]  # each trial's key, and the trial in plain words
    told: Told
    place: str
    sign: str = ""  # a file that says that a task has begun

    def __call__(self) -> None:
        """Measure what is not measured yet."""
        if self.sign:
            Path(self.sign).touch()
        settled(self.told)
        other = differs(self.told, tuple(sorted({str(t["study"]) for _, t in self.batch})))
        for key, one in self.batch:
            if said_at(self.place, key) is None:
                say(
                    self.place,
                    key,
                    (REFUSED, other, 0.0, 2) if other else said_of(alone(self.work), one, partial(self._tell, one)),
                )

    def checkpoint(self) -> Any:
        """What Slurm is to start again when it takes the node away: the same share."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _tell(self, one: Mapping[str, Any], event: Event) -> None:
        """Leave the word of a trial where the driver looks for it."""
        if isinstance(self.work, Measuring):
            Store(self.work.url).live(unpacked(one), {**asdict(event), "shown": dict(event.shown)})


def say(place: str, key: str, said: Said) -> None:
    """Write what came of a trial, whole."""
    path = Path(place) / "said" / f"{key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole(path, json.dumps(said).encode())


def said_at(place: str, key: str) -> Said | None:
    """What came of a trial; None where nothing was said yet."""
    with suppress(OSError, ValueError, TypeError):
        status, error, minutes, code = json.loads(content(Path(place) / "said" / f"{key}.json"))
        return str(status), str(error), float(minutes), int(code)
    return None
