"""What of two logs can be laid side by side? Tasks that both hold, and what is not the same in them.

paired("out/one", "out/two").sides["gsm8k"]   ->   (records of A, records of B), for `core.compare`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unseen.core.errors import Invalid, Missing, Unknown, nearest
from unseen.core.inert import label
from unseen.core.record import Records
from unseen.models.names import KINDS as MODELS

from . import inspect, lm_eval, own
from .log import Log, Logged

KINDS = {"unseen": own.is_one, "inspect": inspect.is_one, "lm-eval": lm_eval.is_one}
WHAT = "a folder that `unseen run --output-path` or `lm_eval --log_samples --output_path` wrote, a samples_*.jsonl of lm-eval, or an .eval or .json log of inspect"


@dataclass(frozen=True)
class Paired:
    """Two logs' names, the records of both for each task (or study) they share, and notes on what they do not."""

    first: str
    second: str
    sides: Mapping[str, tuple[Records, Records]]
    notes: Sequence[str] = ()


def paired(first: str, second: str, only: Sequence[str] | None = None) -> Paired | None:
    """Two logs side by side, `only` these tasks; None where both names are models'.

    Raises Missing for a path that is no log, Invalid for logs of two kinds and for logs that share no task or item,
    Unknown for a task of `only` that they do not share.
    """
    kinds = [_kind(name) for name in (first, second)]
    if "model" in kinds and set(kinds) <= {"model", "nothing"}:
        return None
    if "nothing" in kinds:
        lost = (first, second)[kinds.index("nothing")]
        raise Missing(f"there is no file or folder {lost}, and no model is named so. A log is {WHAT}; the names of models begin with {', '.join(MODELS)}.")  # fmt: skip
    if kinds[0] != kinds[1]:
        told = (f"{name} is {'a model' if kind == 'model' else f'a log of {kind}'}" for name, kind in zip((first, second), kinds, strict=True))  # fmt: skip
        raise Invalid(f"{' and '.join(told)}; two logs of one kind, or two models, can be compared.")
    if kinds[0] == "unseen":
        return _chosen(_studies(first, second), only)
    read = inspect.read if kinds[0] == "inspect" else lm_eval.read
    return _chosen(_tasks(read(Path(first)), read(Path(second))), only)


def _chosen(found: Paired, only: Sequence[str] | None) -> Paired:
    if strange := [name for name in only or () if name not in found.sides]:
        raise Unknown(f"--study {strange[0]}: the logs share no such task{nearest(strange[0], found.sides)}. They share {_listed(found.sides)}.")  # fmt: skip
    return replace(found, sides={name: found.sides[name] for name in only or found.sides})


def _kind(name: str) -> str:
    """The kind of log that a name stands for, "model", or "nothing"."""
    path = Path(name)
    found = next((kind for kind, is_one in KINDS.items() if path.exists() and is_one(path)), None)
    if found is not None or name.partition(":")[0] in MODELS:
        return found or "model"
    if path.exists():
        raise Missing(f"{name} is no log that can be compared. A log is {WHAT}.")
    return "nothing"


def _studies(first: str, second: str) -> Paired:
    (slug, a), (other, b) = own.read(Path(first)), own.read(Path(second))
    if slug != other:
        raise Invalid(f"{first} holds {slug} and {second} holds {other}; two runs of one study can be compared.")
    return Paired(first, second, {slug: (a, b)})


def _tasks(a: Log, b: Log) -> Paired:
    """The tasks of two logs of one harness."""
    notes = [*a.notes, *b.notes]
    names = [(t, t) for t in a.tasks if t in b.tasks]
    if not names and len(a.tasks) == len(b.tasks) == 1:
        names = [(next(iter(a.tasks)), next(iter(b.tasks)))]
        notes.append(f"A is of the task {names[0][0]} and B of {names[0][1]}; they are paired by what was asked.")
    if not names:
        raise Invalid(f"{a.where} and {b.where} share no task: A holds {_listed(a.tasks)}, B holds {_listed(b.tasks)}.")
    for side, log, other in (("A", a, b), ("B", b, a)):
        if lone := [t for t in log.tasks if t not in other.tasks and len(names) + len(log.tasks) > 2]:
            notes.append(f"{_listed(lone)}: only {side} holds {'them' if len(lone) > 1 else 'it'}, so nothing is compared.")  # fmt: skip
    sides: dict[str, tuple[Records, Records]] = {}
    for one, two in names:
        x, y = a.tasks[one], b.tasks[two]
        notes += [f"{one}: {note}" for note in _unlike(x, y)]
        sides[one if one == two else f"{one} | {two}"] = (x.records(a.kind), y.records(b.kind))
    if not any(set(a.tasks[one].items.ids) & set(b.tasks[two].items.ids) for one, two in names):
        raise Invalid(f"{a.where} and {b.where} share no item: not one question of A was asked of B, so nothing can be paired. {' '.join(notes)}")  # fmt: skip
    return Paired(a.name, b.name, sides, notes)


def _unlike(a: Logged, b: Logged) -> list[str]:
    """What is not the same in two logs of a task."""
    notes = [f"in {side}, {note}" for side, part in (("A", a), ("B", b)) for note in part.notes]
    for name in dict.fromkeys((*a.told, *b.told)):
        told = [part.told.get(name, "not told") for part in (a, b)]
        if told[0] != told[1] and a.told and b.told:
            notes.append(f"not asked alike: {name} {told[0]} in A, {told[1]} in B.")
    if lacking := [side for side, part in (("A", a), ("B", b)) if not part.told]:
        notes.append(f"no results file that can be read lies beside {' and '.join(lacking)}, so versions and shots could not be checked.")  # fmt: skip
    at = {name: i for i, name in enumerate(b.items.ids)}
    shared = [(i, at[name]) for i, name in enumerate(a.items.ids) if name in at]
    for word, x, y in (("prompts", a.items.prompts, b.items.prompts), ("right answers", a.items.truths, b.items.truths)):  # fmt: skip
        if n := sum(1 for i, j in shared if x[i] and y[j] and x[i] != y[j]):
            notes.append(f"the {word} of {n} of {len(shared)} shared items are not the same in A and B.")
    return notes


def _listed(names: Mapping[str, object] | Sequence[str]) -> str:
    shown = [label(n) for n in names]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "")
