"""From records to weighted cells: selection, the check that nothing unlike is pooled, and one value a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .effect import Cell, Table, Term, Units, Untested, Where
from .errors import Unknown
from .record import Records, Value
from .stats import Floats

Index = NDArray[np.int64]
BY_RUN = ("seed", "item")


@dataclass(frozen=True)
class Matrix:
    """One term's cells by its units: values and counts [cell unit], weights [cell], and each cell's name."""

    weights: Floats
    values: Floats
    n: Floats
    drawn: NDArray[np.object_]
    keys: tuple[tuple[Value, ...], ...]
    units: tuple[Value, ...]


def chosen(records: Records, measure: str, where: Where, named: Sequence[str], *, final: bool = True) -> Records:
    """The rows an effect reads (their last step, unless it names one). Raises Untested where there are none, or where
    rows differ in something that neither the effect nor `over` names."""
    want = dict(where)
    try:
        found = records.where(measure=measure, **want)
    except Unknown as error:
        raise Untested(str(error)) from None
    if final and "step" not in want:
        found = found.final
    if not len(found):
        told = ", ".join(f"{k}={v}" for k, v in want.items())
        raise Untested(f"no row of {measure} matches {told or 'it'}.")
    _unlike(found, {records.resolve(name) for name in (*want, *named) if name})
    return found


def _unlike(found: Records, named: set[str | None]) -> None:
    """Raise Untested naming a field or coordinate that differs among rows which would be averaged."""
    for name, column in found.columns.items():
        if name in named or not name.startswith(("setting", "at.")) or len(column.levels) < 2:
            continue
        present = column.present()
        if len(present) < 2:
            continue
        if name.startswith("at.") and _follows(found, column.codes):
            continue
        shown = ", ".join(str(v) for v in present[:4])
        raise Untested(
            f"rows differ in {name.split('.', 1)[-1]} ({shown}), which the effect neither names nor lists in `over`, so they are not pooled."
        )


def _follows(found: Records, codes: NDArray[np.int32]) -> bool:
    """Whether a coordinate is the splits' own: one value for each split."""
    both = found.columns["split"].codes.astype(np.int64) * (int(codes.max()) + 1) + codes
    return len(np.unique(both)) == len(found.columns["split"].present())


def linear(terms: Sequence[Term], records: Records, unit: str, over: tuple[str, ...]) -> Units:
    """The units of a weighted sum of levels. Raises Untested where a value is missing."""
    picked = [chosen(records, t.measure, t.where, (*over, t.along, unit if unit not in BY_RUN else "")) for t in terms]
    made = [_matrix(t, rows, unit) for t, rows in zip(terms, picked, strict=True)]
    evidence = tuple(str(v) for rows in picked for v in rows.columns["evidence"].present())
    counts = all(_counts(rows.value, rows.n) for rows in picked)
    weights = np.concatenate([m.weights for m in made])
    ends = (float(weights[weights < 0].sum()), float(weights[weights > 0].sum())) if counts else None
    paired = all(m.units == made[0].units for m in made)
    groups = [made] if paired else [[m] for m in made]
    parts = tuple(np.sum([m.weights @ m.values for m in group], axis=0) for group in groups)
    units = Units("mean", parts, made[0].units, ends, evidence=evidence)
    if unit not in BY_RUN:
        return (
            units
            if not counts
            else replace(units, cells=tuple(_cell(m, i, True, False) for m in made for i in range(len(m.weights))))
        )
    return _with_items(units, terms, made, picked, paired=paired, counts=counts, unit=unit)


def _counts(value: Floats, n: Floats) -> bool:
    """Whether all values are fractions of whole counts."""
    if not (np.all(value >= 0) and np.all(value <= 1)):
        return False
    hits = value * n
    return bool(np.all(np.abs(hits - np.round(hits)) <= 1e-6 * n))


def _matrix(term: Term, rows: Records, unit: str) -> Matrix:
    """A term's rows as cells by units; every unit must have every cell."""
    column = rows.columns["seed"] if unit in BY_RUN else rows.column_of(unit)
    names = _cell_names(rows, unit)
    cell, unit_of = rows.groups(names), np.unique(column.codes, return_inverse=True)[1]
    shape = int(cell.max()) + 1, int(unit_of.max()) + 1
    flat = cell * shape[1] + unit_of
    held = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    present = tuple(column.present())
    _complete(held, present, unit, term.measure, rows)
    if unit in BY_RUN and np.any(held > 1):
        raise Untested(
            f"{term.measure} stands twice for one cell and seed; the records hold the same measurement twice."
        )
    total = np.bincount(flat, rows.value, minlength=held.size).reshape(shape)
    n = np.bincount(flat, rows.n.astype(float), minlength=held.size).reshape(shape)
    first = np.zeros(shape[0], np.int64)
    first[cell[::-1]] = np.arange(len(rows))[::-1]
    keys = tuple(zip(*(rows.columns[c].take(first).values() for c in names), strict=True)) if names else ((),)
    drawn = np.full(shape, "", object)
    drawn[cell, unit_of] = rows.columns["drawn"].values()
    return Matrix(_weights(term, rows, first), total / held, n, drawn, keys, present)


def _cell_names(rows: Records, unit: str) -> list[str]:
    """The columns that make a cell; over a coordinate as the unit, everything but the settings is averaged."""
    taken = rows.resolve(unit) if unit not in BY_RUN else None
    kinds = ("setting", "at.") if unit in BY_RUN else ("setting",)
    names = [c for c in rows.columns if c.startswith(kinds) and c != taken]
    return [*names, "split"] if unit in BY_RUN else names


def _complete(held: NDArray[np.intp], units: Sequence[Value], unit: str, measure: str, rows: Records) -> None:
    lacking = np.flatnonzero(np.any(held == 0, axis=0))
    word = "seeds" if unit in BY_RUN else f"values of {unit}"
    if len(lacking):
        named = ", ".join(str(units[i]) for i in lacking[:5])
        raise Untested(
            f"{len(lacking)} of {len(units)} {word} have no value, because {measure} is missing in some cell of {named}."
        )
    if np.any(np.isnan(rows.value)):
        bad = rows.columns["seed"].take(np.isnan(rows.value)).present()
        raise Untested(
            f"{len(bad)} of {len(rows.columns['seed'].present())} seeds have no value, because {measure} is NaN in seeds {', '.join(map(str, bad[:5]))}."
        )


def _weights(term: Term, rows: Records, first: Index) -> Floats:
    """Equal weights, or those of a least-squares slope over the term's coordinate."""
    if not term.along:
        return np.full(len(first), term.coefficient / len(first))
    try:
        column = rows.column_of(term.along)
    except Unknown as error:
        raise Untested(str(error)) from None
    x = numbers(column.take(first).values(), term.along)
    d = x - x.mean()
    if not np.any(d):
        raise Untested(f"a slope needs two values of {term.along}; there is one.")
    return term.coefficient * d / float(np.sum(d**2))


def numbers(values: NDArray[np.object_], name: str) -> Floats:
    """A coordinate's values as floats. Raises Untested where one is no number."""
    for v in values:
        if isinstance(v, bool) or not isinstance(v, int | float):
            raise Untested(f"{name}={v!r} is no number, so nothing can be ordered along it.")
    return values.astype(float)


def _with_items(
    units: Units,
    terms: Sequence[Term],
    made: Sequence[Matrix],
    picked: Sequence[Records],
    *,
    paired: bool,
    counts: bool,
    unit: str,
) -> Units:
    """Add cells and tables of shared items; where items are the unit, they become the parts."""
    cells: list[Cell] = []
    tables: dict[tuple[object, ...], Table] = {}
    own_parts: list[Floats] = []
    for number, (term, matrix, rows) in enumerate(zip(terms, made, picked, strict=True)):
        kept = _items_by_cell(term, matrix, rows)
        for i, key in enumerate(matrix.keys):
            w = float(matrix.weights[i])
            scores = kept.get(key)
            if scores is None:
                marks = matrix.drawn[i].tolist()
                own = len(marks) == 1 or ("" not in marks and len(set(marks)) == len(marks))
                cells.append(_cell(matrix, i, own, not own))
                continue
            ids, x, own = scores
            cells.append(_cell(matrix, i, own, not own and bool(np.all(x == x[:1]))))
            if own:
                own_parts.append(w * x.ravel())
            else:
                at = (0 if paired else number, key[-1], ids)
                before = tables.get(at)
                x = w * x if before is None else before.x + w * x
                weights = (w,) if before is None else (*before.weights, w)
                tables[at] = Table(str(key[-1]), ids, x, weights)
    found = replace(units, cells=tuple(cells) if counts else (), tables=tuple(tables.values()))
    if unit != "item":
        return found
    parts = (*(t.x.mean(axis=0) for t in tables.values()), *own_parts)
    whole = sum(len(t.weights) for t in tables.values()) + len(own_parts) == len(cells)
    return replace(found, parts=parts, of_items=True) if whole else found


def _cell(matrix: Matrix, i: int, own: bool, alike: bool) -> Cell:
    return Cell(float(matrix.weights[i]), matrix.values[i], matrix.n[i], own, alike)


def _items_by_cell(
    term: Term, matrix: Matrix, rows: Records
) -> dict[tuple[Value, ...], tuple[tuple[str, ...], Floats, bool]]:
    """cell -> (ids, scores [unit item], whether each unit has items of its own). Raises Untested for a gap in shared items."""
    items = rows.items
    if rows.held is None or not len(items):
        return {}
    items = items.where(measure=term.measure, **dict(term.where))
    if not len(items):
        return {}
    items = items if "step" in dict(term.where) else items.final
    names = [c for c in _cell_names(rows, "seed")]
    known = [c for c in names if c in items.columns]
    group = items.groups(known)
    found: dict[tuple[Value, ...], tuple[tuple[str, ...], Floats, bool]] = {}
    wanted = set(matrix.keys)
    for g in range(int(group.max()) + 1):
        part = items._taken(np.flatnonzero(group == g))  # pyright: ignore[reportPrivateUsage]
        key = tuple(part.columns[c].values()[0] if c in part.columns else None for c in names)
        if key in wanted:
            found[key] = _scores(part, term.measure)
    return found


def _scores(part: Records, measure: str) -> tuple[tuple[str, ...], Floats, bool]:
    """The ids and the scores [unit item] of one cell."""
    seeds = np.unique(part.columns["seed"].codes, return_inverse=True)[1]
    n_units = int(seeds.max()) + 1
    ids = part.columns["id"].values().astype(str)
    order = np.lexsort((ids, seeds))
    sizes = np.bincount(seeds, minlength=n_units)
    split_ids = np.split(ids[order], np.cumsum(sizes)[:-1])
    split_values = np.split(part.value[order], np.cumsum(sizes)[:-1])
    if n_units == 1 or all(np.array_equal(split_ids[0], other) for other in split_ids[1:]):
        return tuple(split_ids[0].tolist()), np.stack(split_values), False
    every = set(split_ids[0].tolist()).union(*(s.tolist() for s in split_ids[1:]))
    if len(every) == len(ids) and len(set(sizes.tolist())) == 1:
        return (), np.stack(split_values), True
    if len(every) == len(ids):
        raise Untested(
            f"{measure}: the units have their own items, but not equally many ({sizes.min()} to {sizes.max()})."
        )
    gone = next((i, u) for u, held in enumerate(split_ids) for i in sorted(every - set(held.tolist())))
    raise Untested(
        f"{measure}: of items shared between units every unit needs every one; unit {gone[1]} lacks item {gone[0]}."
    )


def along(
    measure: str, coordinate: str, where: Where, records: Records, unit: str, over: tuple[str, ...]
) -> tuple[tuple[Value, ...], Floats, Floats, tuple[str, ...]]:
    """The units' names, the coordinate's values [level], and the measure [unit level], averaged over all else.

    Over a coordinate as the unit, there is one level for each of its values and the units are the seeds.
    """
    by = coordinate if unit in BY_RUN else unit
    rows = chosen(records, measure, where, (*over, coordinate, by))
    try:
        column, against = rows.column_of(by), rows.column_of(coordinate)
    except Unknown as error:
        raise Untested(str(error)) from None
    level, seed = (np.unique(c.codes, return_inverse=True)[1] for c in (column, rows.columns["seed"]))
    shape = int(seed.max()) + 1, int(level.max()) + 1
    held = np.bincount(seed * shape[1] + level, minlength=shape[0] * shape[1]).reshape(shape)
    seeds = tuple(rows.columns["seed"].present())
    _complete(held.T, seeds, "seed", measure, rows)
    values = np.bincount(seed * shape[1] + level, rows.value, minlength=held.size).reshape(shape) / held
    first = np.zeros(shape[1], np.int64)
    first[level[::-1]] = np.arange(len(rows))[::-1]
    x = numbers(against.take(first).values(), coordinate)
    if by != coordinate and np.any(x[level] != numbers(against.values(), coordinate)):
        raise Untested(f"{coordinate} has several values for one {unit}; a rank needs one each.")
    return seeds, x, values, tuple(str(v) for v in rows.columns["evidence"].present())
