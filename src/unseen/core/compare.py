"""Do two models, or two runs of one study, differ? Paired, item by item where items were kept, else seed by seed.

Difference(what="skills_in_context: exact", split="5 words", a=0.40, b=0.55, estimate=0.15, low=0.02, high=0.28, …)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from . import notebook
from .claim import gap, measured
from .record import Coded, Records, Value, means_of
from .stats import holm, mcnemar

SIDE = "side of the comparison"


@dataclass(frozen=True, slots=True)
class Difference:
    """B minus A on one split of one setting, with its 95% interval, its p, and p after Holm over all differences.

    Where each was right or wrong once on every item, `won` are the items that B alone got right, `lost` those that A
    alone did, and `mcnemar` is the exact p of these two counts; `p` is never below it, and below .05 only where the
    interval leaves 0 out.
    """

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
    won: int | None = None
    lost: int | None = None
    mcnemar: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Every paired difference of two models or runs; `notes` say what could not be paired, and why."""

    first: str
    second: str
    differences: Sequence[Difference]
    notes: Sequence[str] = ()

    def _repr_html_(self) -> str:
        return notebook.html(self)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = [asdict(d) for d in self.differences]
        return {"a": self.first, "b": self.second, "differences": told, "notes": list(self.notes)}


def compare(first: str, second: str, pairs: Mapping[str, tuple[Records, Records]]) -> Comparison:
    """The differences between two models (or runs) on each study's records: `{slug: (records of A, of B)}`."""
    found: list[Difference] = []
    notes: list[str] = []
    for slug, (a, b) in pairs.items():
        of_a, of_b = (r.columns["measure"].present() for r in (a, b))
        notes += [f"{slug}: {m} was measured of {'A' if m in of_a else 'B'} alone." for m in of_a + of_b if (m in of_a) != (m in of_b)]  # fmt: skip
        for measure in (str(m) for m in of_a if m in of_b):
            cells = _cells(beside(a, b, measure))
            notes += [] if cells else [f"{slug}: {measure}: A and B share no item, so nothing is compared."]
            for cell, part in cells:
                told = _difference(f"{slug}: {measure}", measure, cell, part)
                found += [told] if isinstance(told, Difference) else []
                notes += [told] if isinstance(told, str) else _lost(f"{slug}: {measure}", cell, part, (a, b))
    adjusted = holm(np.array([1.0 if np.isnan(d.p) else d.p for d in found]))
    return Comparison(first, second, [replace(d, holm=float(p)) for d, p in zip(found, adjusted, strict=True)], notes)


def beside(a: Records, b: Records, measure: str) -> Records:
    """The last step of a measure in two records as one, told apart by a coordinate, the model's name left out. Where
    both kept items, only those that both were asked stay, and the rows are their means."""
    rows = Records.concat([_labelled(r.final.where(measure=measure), side) for r, side in ((a, "A"), (b, "B"))])
    items = rows.items
    sides = items.columns.get(f"at.{SIDE}")
    if sides is None or len(sides.present()) < 2:
        return replace(rows, held=None)
    place, first = items.places([*_names(items), "id"])
    asked = np.zeros((len(first), len(sides.levels)), bool)
    asked[place, sides.codes] = True
    shared = items.take(np.flatnonzero(np.all(asked, axis=1)[place]))
    return replace(means_of(shared), held=shared)


def by_side(measure: str, records: Records, **where: Value) -> tuple[Any, str]:
    """The effect B minus A on such records, and its unit: items where each was run once, else seeds."""
    once = len(records.columns["seed"].present()) <= 1
    return gap(measure, {SIDE: "B"}, {SIDE: "A"}, **where), "item" if once else "seed"


def _labelled(records: Records, side: str) -> Records:
    columns = {k: c for k, c in records.columns.items() if k != "setting.model"}
    held = None if records.held is None else _labelled(records.held, side)
    return replace(records, columns={**columns, f"at.{SIDE}": Coded.all(side, len(records))}, held=held)


def _names(records: Records) -> list[str]:
    """The columns that make a cell of a comparison."""
    return [*records.settings, "split", *(c for c in records.coordinates if c != f"at.{SIDE}")]


def _cells(records: Records) -> list[tuple[dict[str, Value], Records]]:
    names = _names(records)
    first = records.take(records.places(names)[1])
    cells = [dict(zip(names, key, strict=True)) for key in zip(*(first.column(n) for n in names), strict=True)]
    return [(cell, records.where(**cell)) for cell in cells]


def _difference(what: str, measure: str, cell: Mapping[str, Value], part: Records) -> Difference | str:
    """The difference in one cell, or why there is none."""
    effect, unit = by_side(measure, part)
    told = measured(effect, part, unit=unit)
    if np.isnan(told.low):
        return f"{what} on {_words(cell)}: {told.why}"
    a, b = (float(np.mean(part.where(**{SIDE: side}).value)) for side in "AB")
    arm = _words({k: v for k, v in cell.items() if k not in ("setting", "split")})
    named = f"{what} ({arm})" if arm else what
    found = Difference(named, str(cell["split"]), a, b, told.estimate, told.low, told.high, told.p, told.units, unit)
    return found if unit != "item" or part.held is None else _counted(found, part.items)


def _counted(found: Difference, items: Records) -> Difference:
    """The difference with McNemar's counts, where every score is right or wrong."""
    if not np.all(np.isin(items.value, (0.0, 1.0))):
        return found
    place, _ = items.places(["id"])
    b = items.columns[f"at.{SIDE}"].matches("B")
    gained = np.bincount(place, np.where(b, items.value, -items.value))
    won, lost = int(np.sum(gained > 0)), int(np.sum(gained < 0))
    return replace(found, won=won, lost=lost, mcnemar=mcnemar(won, lost))


def _lost(what: str, cell: Mapping[str, Value], part: Records, both: tuple[Records, Records]) -> list[str]:
    """A note where A and B were not asked the same items."""
    if part.held is None:
        return []
    known = {k: v for k, v in cell.items() if k != f"at.{SIDE}"}
    asked = [len(set(r.items.where(**{k: v for k, v in known.items() if r.items.resolve(k)}).column("id"))) for r in both]  # fmt: skip
    kept = len(part.items.columns["id"].present())
    if kept == max(asked):
        return []
    return [f"{what} on {_words(cell)}: {kept} items are shared by A ({asked[0]}) and B ({asked[1]}); only shared ones are compared."]  # fmt: skip


def _words(cell: Mapping[str, Value]) -> str:
    return ", ".join(str(v) for v in cell.values() if v not in ("", None))
