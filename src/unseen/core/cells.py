"""How do records become weighted cells? Selection, the check that nothing unlike is pooled, and one value a unit.

level("exact", shifted=True) over 2 settings × 3 splits × 5 seeds  ->  6 cells of weight 1/6, one part of 5 values
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .effect import Cells, Pairs, Table, Term, Units, Untested, Where
from .errors import Unknown
from .record import Records, Value
from .stats import Floats, spearman

BY_RUN = ("seed", "item")


@dataclass(frozen=True)
class Matrix:
    """One term's cells by its units: values [cell unit], and for each cell its weight, its coordinate (where the term has
    one) and the number of scores it stands on. `names` are the columns that make a cell, `first` a row of each."""

    values: Floats
    weights: Floats
    x: Floats
    n: Floats
    units: tuple[Value, ...]
    names: tuple[str, ...]
    first: NDArray[np.intp]
    rows: Records


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
    _unlike(found, {records.resolve(name) for name in (*want, *named)})
    return found


def _unlike(found: Records, named: set[str | None]) -> None:
    """Raise Untested naming a field or coordinate that differs among rows which would be averaged. The coordinates that
    the splits themselves carry may: they follow from setting and split."""
    differing = {n: c for n, c in found.varying("setting", "at.").items() if n not in named}
    place, first = found.places([*found.settings, "split"]) if differing else (np.empty(0, np.intp),) * 2
    for name, column in differing.items():
        if name.startswith("at.") and np.array_equal(column.codes[first][place], column.codes):
            continue
        shown = ", ".join(str(v) for v in column.present()[:4])
        raise Untested(
            f"rows differ in {name.split('.', 1)[-1]} ({shown}), which the effect neither names nor lists in `over`, so they are not pooled."
        )


def counts(rows: Records) -> bool:
    """Whether all values are fractions of whole counts: 0 ≤ value ≤ 1 and value·n whole within 1e-6·n."""
    hits = rows.value * rows.n
    return bool(np.all((rows.value >= 0) & (rows.value <= 1) & (np.abs(hits - np.round(hits)) <= 1e-6 * rows.n)))


def matrix(term: Term, records: Records, unit: str, over: Sequence[str], *, levels: int = 2) -> Matrix:
    """A term's rows as cells by units. Raises Untested where a unit lacks a cell, or its coordinate has too few levels."""
    extra = [n for n in (term.along, "" if unit in BY_RUN else unit) if n]
    rows = chosen(records, term.measure, term.where, (*over, *extra))
    names = _cell_names(rows, term.along, unit, over)
    cell, first = rows.places(names)
    column = _column(rows, "seed" if unit in BY_RUN else unit)
    of_unit, unit_first = rows.places([column])
    units = tuple(rows.columns[column].take(unit_first).values().tolist())
    shape = len(first), len(units)
    flat = cell * shape[1] + of_unit
    held = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    _complete(rows, flat, held, units, unit if unit not in BY_RUN else "seed")
    values = np.bincount(flat, rows.value, minlength=held.size).reshape(shape) / held
    x = numbers(rows, term.along, first) if term.along else np.zeros(shape[0])
    if term.along and len(np.unique(x)) < levels:
        raise Untested(f"{levels} values of {term.along} are needed; there are {len(np.unique(x))}.")
    d = x - x.mean()
    weights = d / np.sum(d**2) if term.along else np.full(shape[0], 1 / shape[0])
    return Matrix(values, term.coefficient * weights, x, _scores_behind(rows, cell), units, tuple(names), first, rows)


def _cell_names(rows: Records, along: str, unit: str, over: Sequence[str]) -> list[str]:
    """The columns that make a cell. Over a coordinate as the unit, only what the effect tells apart does."""
    if unit in BY_RUN:
        return [*rows.settings, "split", *rows.coordinates]
    averaged = {rows.resolve(name) for name in (unit, *over)} - {rows.resolve(along)}
    return [*(c for c in rows.settings if c not in averaged), *([_column(rows, along)] if along else [])]


def _column(rows: Records, name: str) -> str:
    found = rows.resolve(name)
    if found is None:
        raise Untested(f"no record has {name!r}.")
    return found


def _complete(rows: Records, flat: NDArray[np.intp], held: NDArray[np.intp], units: Sequence[Value], unit: str) -> None:
    """Raise Untested unless every unit has every cell once (over a coordinate: from every seed), and no value is NaN."""
    measure = rows.columns["measure"].present()[0]
    seed, seeds = rows.places(["seed"])
    if unit == "seed":
        lacking, why = np.flatnonzero((held == 0).any(0)), "is missing in some cell"
        if np.any(held > 1):
            raise Untested(
                f"{measure} stands twice for one cell and seed; the records hold the same measurement twice."
            )
    else:
        each = np.bincount(np.unique(flat * len(seeds) + seed) // len(seeds), minlength=held.size).reshape(held.shape)
        lacking, why = np.flatnonzero((each < len(seeds)).any(0)), "is missing for some cell or seed"
    if np.any(bad := np.isnan(rows.value)):
        lacking, why = np.unique(flat[bad] % len(units)), "is NaN"
    if len(lacking):
        named = ", ".join(str(units[i]) for i in lacking[:5])
        raise Untested(
            f"{len(lacking)} of {len(units)} {word_of(unit)} have no value, because {measure} {why} ({named})."
        )


def _scores_behind(rows: Records, cell: NDArray[np.intp]) -> Floats:
    """The scores [cell] that a cell's fraction stands on: all if its rows' marks differ (own items), else one run's."""
    marks, size = rows.columns["drawn"], int(cell.max()) + 1
    held = np.bincount(cell, minlength=size)
    kinds = np.unique(cell * len(marks.levels) + marks.codes) // len(marks.levels)
    unmarked = np.bincount(cell, marks.matches(""), minlength=size) > 0
    own = (held == 1) | ((np.bincount(kinds, minlength=size) == held) & ~unmarked)
    seeds = len(rows.columns["seed"].present())
    return np.bincount(cell, rows.n.astype(float), minlength=size) / np.where(own, 1, seeds)


def word_of(unit: str) -> str:
    """What several units are called."""
    return f"{unit}s" if unit in BY_RUN else f"values of {unit}"


def numbers(rows: Records, name: str, at: NDArray[np.intp]) -> Floats:
    """A coordinate's values as floats, in some rows. Raises Untested where one is no number."""
    values = rows.columns[_column(rows, name)].take(at)
    for v in values.present():
        if isinstance(v, bool) or not isinstance(v, int | float):
            raise Untested(f"{name}={v!r} is no number, so nothing can be ordered along it.")
    return values.values().astype(float)


def linear(columns: Sequence[Sequence[Term]], records: Records, unit: str, over: tuple[str, ...]) -> Units:
    """The units of a weighted sum of levels, or of two of them (a ratio). Raises Untested where a value is missing."""
    made = [(k, matrix(t, records, unit, over)) for k, terms in enumerate(columns) for t in terms]
    arms: dict[tuple[Value, ...], Floats] = {}
    for k, m in made:
        arms.setdefault(m.units, np.zeros((len(m.units), len(columns))))[:, k] += m.weights @ m.values
    plain = "mean" if len(columns) == 1 else "ratio"
    counted = all(counts(m.rows) for _, m in made)
    shared, own, cells = _items(made, unit, len(columns))
    pairs = [s for s in shared if plain == "mean" and len(s.arms) == 2 and abs(s.arms[0][1] + s.arms[1][1]) < 1e-12]
    once = all(len(m.units) == 1 for _, m in made) and all(len(s.arms) == 1 or s in pairs for s in shared)
    known = sum(len(s.arms) for s in shared) + len(own)
    of_items = unit == "item" and known == len(cells.w) and not (counted and once)
    parts = (*(s.x.mean(0) for s in shared), *own) if of_items else tuple(arms.values())
    runs = next(iter(arms.values())) if len(arms) == 1 else np.empty((0, len(columns)))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_run = runs[:, 0] if plain == "mean" else runs[:, 0] / runs[:, 1]
    return Units(
        plain,
        tuple(v[..., 0] if plain == "mean" else v for v in parts),
        made[0][1].units,
        (float(np.minimum(cells.w, 0).sum()), float(np.maximum(cells.w, 0).sum())) if counted else None,
        cells=_without(cells, pairs) if counted else None,
        pairs=_pairs(pairs) if counted and pairs else None,
        tables=tuple(Table(s.split, s.x[..., 0] if plain == "mean" else s.x) for s in shared),
        runs=by_run,
        items=_in_hand(shared, own) if known == len(cells.w) else int(cells.n.sum()) if counted else 0,
        of_items=of_items,
        evidence=evidence(*(m.rows for _, m in made)),
    )


@dataclass(frozen=True, eq=False)
class Shared:
    """One split's items that all its runs answered: x [unit item column], weighted and summed over (cell, weight) arms."""

    split: str
    x: Floats
    arms: tuple[tuple[int, float], ...]


def _items(made: Sequence[tuple[int, Matrix]], unit: str, k: int) -> tuple[list[Shared], list[Floats], Cells]:
    """The shared items, weighted scores [item column] of cells whose runs have their own, and all cells."""
    shared: dict[tuple[tuple[Value, ...], str, bytes], Shared] = {}
    own: list[Floats] = []
    n, start = np.concatenate([m.n for _, m in made]), 0
    for column, m in made:
        for cell, split, ids, x in _by_cell(m) if unit in BY_RUN else ():
            weighted = np.zeros((*x.shape, k))
            weighted[..., column] = m.weights[cell] * x
            n[start + cell] = x.size
            if ids is None:
                own.append(weighted.reshape(-1, k))
                continue
            if np.all(x == x[:1]):
                n[start + cell] = x.shape[1]
            at = (m.units if unit == "seed" else (), split, ids)
            before = shared.get(at, Shared(split, np.zeros_like(weighted), ()))
            arms = (*before.arms, (start + cell, float(m.weights[cell])))
            shared[at] = Shared(split, _sum(before.x, weighted), arms)
        start += len(m.weights)
    column = np.concatenate([np.full(len(m.weights), column) for column, m in made])
    p, w = np.concatenate([m.values.mean(1) for _, m in made]), np.concatenate([m.weights for _, m in made])
    return list(shared.values()), own, Cells(w, p, n, column)


def _in_hand(shared: Sequence[Shared], own: Sequence[Floats]) -> int:
    return sum(s.x.shape[1] for s in shared) + sum(len(x) for x in own)


def _sum(a: Floats, b: Floats) -> Floats:
    """The sum of two arms' scores on the same items; of unlike runs (items as units) their means are added."""
    return a + b if a.shape == b.shape else a.mean(0, keepdims=True) + b.mean(0, keepdims=True)


def _without(cells: Cells, pairs: Sequence[Shared]) -> Cells:
    """The cells that are no arm of a pair."""
    kept = np.ones(len(cells.w), bool)
    kept[[i for s in pairs for i, _ in s.arms]] = False
    return Cells(cells.w[kept], cells.p[kept], cells.n[kept], cells.column[kept])


def _pairs(pairs: Sequence[Shared]) -> Pairs:
    """Sums of the differences on each split; runs that never differ count once."""
    w = np.array([abs(s.arms[0][1]) for s in pairs])
    d = [s.x[..., 0] / v for s, v in zip(pairs, w, strict=True)]
    once = [x[:1] if np.all(x == x[:1]) else x for x in d]
    total, square = np.array([x.sum() for x in once]), np.array([np.sum(x * x) for x in once])
    return Pairs(w, total, square, np.array([float(x.size) for x in once]))


def _by_cell(m: Matrix) -> Iterator[tuple[int, str, bytes | None, Floats]]:
    """For each cell whose items were kept: its number, split, ids (None: each run has its own) and scores [unit item].

    Own items are one line [1 item]. Raises Untested where runs share some items and not all.
    """
    items = m.rows.items
    if not len(items):
        return
    names = [n for n in m.names if n in items.columns]
    cell_of = {key: i for i, key in enumerate(_keys(m.rows, m.names, m.first))}
    group, first = items.places(names)
    seed, ids = items.columns["seed"].codes, items.columns["id"].codes
    order = np.lexsort((ids, seed, group))
    parts = np.split(order, np.cumsum(np.bincount(group))[:-1])
    keys = _keys(items.take(first), m.names, np.arange(len(first)))
    for key, split, part in zip(keys, items.columns["split"].take(first).values(), parts, strict=True):
        number = cell_of.get(key)
        sizes = np.unique(seed[part], return_counts=True)[1]
        if number is None or len(sizes) != len(m.units):
            continue
        table = ids[part].reshape(len(sizes), -1) if len(set(sizes.tolist())) == 1 else None
        if table is not None and np.all(table == table[:1]):
            yield number, str(split), table[0].tobytes(), items.value[part].reshape(table.shape)
        elif len(np.unique(ids[part])) == len(part):
            yield number, str(split), None, items.value[part][None]
        else:
            raise Untested(_lacking(items, part))


def _keys(rows: Records, names: Sequence[str], at: NDArray[np.intp]) -> list[tuple[Value, ...]]:
    nothing = np.full(len(at), None, object)
    return list(zip(*(rows.columns[n].take(at).values() if n in rows.columns else nothing for n in names), strict=True))


def _lacking(items: Records, part: NDArray[np.intp]) -> str:
    """Which run lacks which of the items that others share, the first one."""
    seed, ids, measure = (items.columns[n].take(part).values() for n in ("seed", "id", "measure"))
    held = {s: set(ids[seed == s]) for s in dict.fromkeys(seed)}
    one, gone = next((s, i) for i in sorted(set(ids)) for s in held if i not in held[s])
    return f"{measure[0]}: of items shared between seeds every seed needs every one; seed {one} lacks item {gone}."


def evidence(*rows: Records) -> tuple[str, ...]:
    """The kinds of evidence these rows carry."""
    return tuple(dict.fromkeys(str(v) for part in rows for v in part.columns["evidence"].present()))


def ranked(measure: str, coordinate: str, where: Where, records: Records, unit: str, over: tuple[str, ...]) -> Units:
    """Spearman's ρ of each run over a coordinate's levels, or the points (coordinate, mean) of a coordinate's values."""
    if unit in BY_RUN:
        m = matrix(Term(1.0, measure, where, coordinate), records, unit, over, levels=4)
        levels, place = np.unique(m.x, return_inverse=True)
        at_level = np.zeros((len(m.units), len(levels)))
        np.add.at(at_level.T, place, m.values / np.bincount(place)[place][:, None])
        step = 12 / (len(levels) ** 3 - len(levels))
        rho = spearman(levels, at_level)
        return Units("rank", (rho,), m.units, (-1 - step, 1 + step), step, runs=rho, evidence=evidence(m.rows))
    m = matrix(Term(1.0, measure, where), records, unit, (*over, coordinate))
    first = m.rows.places([_column(m.rows, unit)])
    x = numbers(m.rows, coordinate, first[1])
    if np.any(x[first[0]] != numbers(m.rows, coordinate, np.arange(len(m.rows)))):
        raise Untested(f"{coordinate} has several values for one {unit}; a rank needs one each.")
    points = np.stack([x, m.weights @ m.values], 1)
    return Units("rank", (points,), m.units, (-1.0, 1.0), least=8, evidence=evidence(m.rows))
