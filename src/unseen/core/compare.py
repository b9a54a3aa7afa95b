"""Do two models, or two runs of one study, differ? Paired, item by item where items were kept, else seed by seed.

Difference(what="skills_in_context: exact", split="5 words", a=0.40, b=0.55, estimate=0.15, low=0.02, high=0.28, …)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from .record import Records
from .stats import holm, paired


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A on one split of one setting, with its 95% interval, its p, and p after Holm over all differences."""

    what: str
    split: str
    a: float
    b: float
    estimate: float
    low: float
    high: float
    p: float
    n: int
    unit: str
    holm: float = float("nan")


@dataclass(frozen=True)
class Comparison:
    """Every paired difference of two models or runs; `notes` say what could not be paired, and why."""

    first: str
    second: str
    differences: Sequence[Difference]
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "a": self.first,
            "b": self.second,
            "differences": [asdict(d) for d in self.differences],
            "notes": list(self.notes),
        }


def compare(first: str, second: str, pairs: Mapping[str, tuple[Records, Records]]) -> Comparison:
    """The differences between two models (or runs) on each study's records: `{slug: (records of A, of B)}`."""
    found: list[Difference] = []
    notes: list[str] = []
    for slug, (a, b) in pairs.items():
        for measure in _measures(a, b):
            told, said = _of_measure(slug, measure, a.final.where(measure=measure), b.final.where(measure=measure))
            found += told
            notes += said
    adjusted = holm(np.array([d.p for d in found])) if found else []
    return Comparison(first, second, [replace(d, holm=float(p)) for d, p in zip(found, adjusted, strict=True)], notes)


def item_scores(records: Records, measure: str) -> dict[tuple[str, ...], float]:
    """(where it was asked, item) -> score, averaged over seeds; the model's name is left out of where."""
    held = records.items.where(measure=measure)
    columns = [c for c in held.names() if c.startswith("setting") and c != "setting.model"]
    told: dict[tuple[str, ...], list[float]] = {}
    for row in zip(*(held.column(c) for c in [*columns, "split", "id"]), held.column("value"), strict=True):
        told.setdefault(tuple(str(v) for v in row[:-1]), []).append(float(row[-1]))
    return {k: float(np.mean(v)) for k, v in told.items()}


def _measures(a: Records, b: Records) -> list[str]:
    both = set(np.unique(a.column("measure")).tolist()) & set(np.unique(b.column("measure")).tolist())
    return sorted(both)


def _of_measure(slug: str, measure: str, a: Records, b: Records) -> tuple[list[Difference], list[str]]:
    """The differences of one measure, a cell (setting without its model, split) at a time."""
    mine, theirs = item_scores(a, measure), item_scores(b, measure)
    items = bool(mine and theirs)
    if not items:
        mine, theirs = _seed_scores(a), _seed_scores(b)
    found: list[Difference] = []
    notes: list[str] = []
    cells_a, cells_b = _cells(mine), _cells(theirs)
    for cell in sorted(cells_a.keys() | cells_b.keys()):
        one, two = cells_a.get(cell, {}), cells_b.get(cell, {})
        shared = sorted(one.keys() & two.keys())
        name = f"{slug}: {measure}"
        if len(shared) < 2 or len(shared) < max(len(one), len(two)):
            unit = "items" if items else "seeds"
            notes.append(
                f"{name} on {_words(cell)}: {len(shared)} {unit} are shared by A ({len(one)}) and B ({len(two)}); only shared ones are compared."
            )
        if len(shared) < 2:
            continue
        x, y = np.array([one[k] for k in shared]), np.array([two[k] for k in shared])
        told = paired(x, y)
        found.append(
            Difference(
                f"{name}{_arm(cell)}",
                cell[-1],
                float(x.mean()),
                float(y.mean()),
                told.estimate,
                told.low,
                told.high,
                told.p,
                len(shared),
                "item" if items else "seed",
            )
        )
    return found, notes


def _seed_scores(records: Records) -> dict[tuple[str, ...], float]:
    columns = [c for c in records.names() if c.startswith(("setting", "at.")) and c != "setting.model"]
    told: dict[tuple[str, ...], float] = {}
    for row in zip(*(records.column(c) for c in [*columns, "split", "seed"]), records.column("value"), strict=True):
        told[tuple(str(v) for v in row[:-1])] = float(row[-1])
    return told


def _cells(scores: Mapping[tuple[str, ...], float]) -> dict[tuple[str, ...], dict[str, float]]:
    cells: dict[tuple[str, ...], dict[str, float]] = {}
    for key, value in scores.items():
        cells.setdefault(key[:-1], {})[key[-1]] = value
    return cells


def _arm(cell: Sequence[str]) -> str:
    shown = [c for c in cell[1:-1] if c not in ("", "None", "nan")]
    return f" ({', '.join(shown)})" if shown else ""


def _words(cell: Iterable[str]) -> str:
    return ", ".join(c for c in cell if c not in ("", "None", "nan"))
