"""What was measured, in bulk: rows as columns, sorted by identity, selected by name.

    records.where(measure="exact", shifted=True, width=64).final.mean("exact")  ->  0.81

Every column but the numbers is coded: whole-number codes into its sorted levels, so that selecting from a million rows
compares integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import notebook
from .coded import Coded, flat, joined, of_series, series
from .errors import Invalid, Unknown, nearest
from .row import Item, Row, Scored, Split, Value, drawn_of

__all__ = ["Coded", "Item", "Records", "Row", "Scored", "Split", "Value", "drawn_of"]

Index = NDArray[np.intp]
Want = Value | frozenset[Value]
NAMED = ("measure", "split", "axis", "shifted", "step", "seed", "setting")
FIXED = ("measure", "split", "axis", "shifted", "step", "seed", "drawn", "evidence", "trial")
RESERVED = {*NAMED, "value", "n", "id", "drawn", "evidence", "trial"}


@dataclass(frozen=True, eq=False)
class Records:
    """Rows as columns, and the items behind them (`.items`, with a column `id`), sorted by identity."""

    columns: Mapping[str, Coded]
    value: NDArray[np.float64]
    n: NDArray[np.int64]
    held: Records | None = None

    @staticmethod
    def of(
        told: Iterable[tuple[Mapping[str, Value], int, Row | Item]], evidence: str = "twin", trial: str = ""
    ) -> Records:
        """Records of (setting as a mapping, seed, Row or Item). A mapping's "setting" names its class.

        Items are kept, and their mean per cell and seed added as a row. Raises Invalid where a key stands in two
        places, or a row was yielded beside items of the same identity. A million rows take seconds.
        """
        rows, items = _Table(), _Table(("id",))
        for setting, seed, one in told:
            seed = seed if one.seed is None else one.seed
            if isinstance(one, Item):
                for measure, score in one.scores.items():
                    items.add(setting, one, (measure, one.step, seed, "", one.id), float(score), 1)
            else:
                rows.add(setting, one, (one.measure, one.step, seed, one.drawn), float(one.value), one.n)
        made = rows.records(evidence, trial)
        if not len(items):
            _check_places({*made.columns})
            return made
        held = items.records(evidence, trial)
        _check_places({*made.columns, *held.columns})
        means = means_of(held)
        both = Records.concat([made, means])
        if len(both.places(both.identity)[1]) < len(both) and (beside := _beside(made, means)):
            raise Invalid(f"a row was yielded beside items of the same identity ({beside}); yield one or the other.")
        return replace(both, held=held)

    @staticmethod
    def of_scores(
        setting: Mapping[str, Value],
        split: Split,
        ids: Sequence[str],
        scores: Mapping[str, NDArray[np.float64]],
        seed: int = 0,
    ) -> Records:
        """Records of many items of one split, asked once: ids [item], scores [item] of each measure (NaN: not scored).

        The same as `of`, a column at a time. Raises Invalid where an id stands twice.
        """
        levels, codes = np.unique(np.asarray(ids, np.str_), return_inverse=True)
        names = tuple(str(level) for level in levels)
        parts: list[Records] = []
        for measure, values in scores.items():
            there = np.flatnonzero(~np.isnan(values))
            spot = _head(setting) | _spot(split, {})
            told = {"measure": measure, "step": None, "seed": seed, "drawn": "", "evidence": "twin", "trial": ""} | spot
            columns = {name: Coded.all(told.get(name), len(there)) for name in dict.fromkeys((*FIXED, *told))}
            columns["id"] = Coded(codes[there].astype(np.int32), names)
            parts.append(Records(columns, values[there], np.ones(len(there), np.int64)))
        if not any(len(p) for p in parts):
            return _Table().records("twin", "")
        held = Records.concat(parts)
        return replace(means_of(held), held=held)

    @staticmethod
    def of_frames(rows: Any, items: Any = None) -> Records:
        """Records of polars frames that `.frame()` and `.items_frame()` made."""
        columns = {name: of_series(rows[name]) for name in rows.columns if name not in ("value", "n")}
        value, n = rows["value"].to_numpy().astype(np.float64), rows["n"].to_numpy().astype(np.int64)
        return Records(columns, value, n, None if items is None else Records.of_frames(items)).sorted()

    @staticmethod
    def concat(parts: Sequence[Records]) -> Records:
        """All rows of several Records, sorted by identity."""
        if not parts:
            return _Table().records("twin", "")
        names = dict.fromkeys(name for part in parts for name in part.columns)
        columns = {name: joined([p.columns.get(name) or Coded.all(None, len(p)) for p in parts]) for name in names}
        held = [p.held for p in parts if p.held is not None]
        value, n = np.concatenate([p.value for p in parts]), np.concatenate([p.n for p in parts])
        return Records(columns, value, n, Records.concat(held) if held else None).sorted()

    def sorted(self) -> Records:
        """The same rows in the order of their identity: setting, measure, split, coordinates, item, step, seed."""
        key = self._key(self.identity)
        return self if np.all(key[1:] >= key[:-1]) else self.take(np.argsort(key, kind="stable"))

    @property
    def settings(self) -> list[str]:
        """The columns of settings."""
        return sorted(n for n in self.columns if n.startswith("setting"))

    @property
    def coordinates(self) -> list[str]:
        """The columns of coordinates."""
        return sorted(n for n in self.columns if n.startswith("at."))

    @property
    def identity(self) -> list[str]:
        """The columns that tell one row from every other."""
        return [*self.settings, "measure", "split", *self.coordinates, *(["id"] if "id" in self.columns else []), "step", "seed"]  # fmt: skip

    @property
    def items(self) -> Records:
        """The items as Records of their own (empty where none were kept): one row for each item and measure."""
        return self.held if self.held is not None else _Table(("id",)).records("twin", "")

    @property
    def final(self) -> Records:
        """Only the largest step of every cell and seed."""
        held = None if self.held is None else self.held.final
        step = self.columns["step"]
        if len(step.present()) <= 1:
            return replace(self, held=held)
        place, first = self.places([n for n in self.identity if n not in ("step", "id")])
        most = np.zeros(len(first), np.int64)
        np.maximum.at(most, place, step.codes)
        return replace(self.take(np.flatnonzero(step.codes == most[place])), held=held)

    def places(self, names: Sequence[str]) -> tuple[Index, Index]:
        """A number [row] for each combination of these columns, counted in their order, and the first row of each."""
        key = self._key(names)
        if not len(key):
            return np.zeros(0, np.intp), np.zeros(0, np.intp)
        if (top := int(key.max())) < 8 * len(key) + 1024:
            there = np.zeros(top + 1, bool)
            there[key] = True
            place = (np.cumsum(there) - 1)[key]
        else:
            place = np.unique(key, return_inverse=True)[1]
        first = np.empty(int(place.max()) + 1, np.intp)
        first[place[::-1]] = np.arange(len(place) - 1, -1, -1)
        return place, first

    def varying(self, *starts: str) -> dict[str, Coded]:
        """The columns whose name starts so and which hold more than one value."""
        named = {n: c for n, c in self.columns.items() if n.startswith(starts) and len(c.levels) > 1}
        return {n: c for n, c in named.items() if len(c.present()) > 1}

    def where(self, **want: Want) -> Records:
        """The rows (and items) where every named column holds the wanted value, or one of a frozenset of values.

        A name is looked up in measure, split, axis, shifted, step, seed, setting, then the settings' fields, then the
        coordinates. Raises Unknown where no row has it.
        """
        for name in want:
            self.column_of(name)
        held = None if self.held is None else self.held.take(self.held._matching(want))
        return replace(self.take(self._matching(want)), held=held)

    def by(self, name: str) -> dict[Value, Records]:
        """The rows grouped by a column, in the order of its values."""
        return {level: self.where(**{name: level}) for level in self.column_of(name).present()}

    def apart(self, names: Sequence[str]) -> Iterator[tuple[dict[str, Value], Records]]:
        """The rows (and items) of each combination of values of these columns, also of those that have none, in order:
        what `where` would find, in one pass over all rows. Raises Unknown."""
        if not names:
            yield {}, self
            return
        levels = [list({(isinstance(v, bool), v): v for v in self.column_of(n).present()}.values()) for n in names]
        rows = self._dealt(names, levels)
        held = repeat(None) if self.held is None else map(self.held.take, self.held._dealt(names, levels))
        for one, at, items in zip(product(*levels), rows, held, strict=False):
            yield dict(zip(names, one, strict=True)), replace(self.take(at), held=items)

    def mean(self, measure: str, **want: Want) -> float:
        """The mean over all rows of a measure that match. Raises Unknown where there are none."""
        found = self.where(measure=measure, **want)
        if not len(found):
            raise Unknown(f"no row of {measure!r} matches {want}; `records.names()` lists the columns.")
        return float(np.mean(found.value))

    def names(self) -> list[str]:
        """The columns, value and n left out."""
        return list(self.columns)

    def resolve(self, name: str) -> str | None:
        """The column a name stands for, or None."""
        among = (name,) if name in RESERVED else (name, f"setting.{name}", f"at.{name}")
        return next((c for c in among if c in self.columns), None)

    def column_of(self, name: str) -> Coded:
        """The coded column a name stands for. Raises Unknown with the nearest names."""
        found = self.resolve(name)
        if found is None:
            short = sorted({c.split(".", 1)[-1] for c in self.columns})
            raise Unknown(f"no record has {name!r}{nearest(name, short)}. Names there are: {', '.join(short)}.")
        return self.columns[found]

    def column(self, name: str) -> NDArray[Any]:
        """A column as an array [row]: float64 for "value", int64 for "n", objects for all others."""
        if name in ("value", "n"):
            return self.value if name == "value" else self.n
        return self.column_of(name).values()

    def frame(self) -> Any:
        """A polars DataFrame, one line a row, columns flat and sorted; tuples as compact JSON text."""
        import polars as pl

        told = [series(column, name) for name, column in self.columns.items()]
        return pl.DataFrame([*told, pl.Series("value", self.value), pl.Series("n", self.n)])

    def items_frame(self) -> Any:
        """The items as a polars DataFrame, one line for each item and measure; None where no items were kept."""
        return None if self.held is None or not len(self.held) else self.held.frame()

    def take(self, index: Index) -> Records:
        """The rows at these positions; the items stay."""
        return Records({k: c.take(index) for k, c in self.columns.items()}, self.value[index], self.n[index], self.held)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield from self.frame().iter_rows(named=True)

    def __str__(self) -> str:
        return f"{len(self)} rows of {', '.join(map(str, self.columns['measure'].present())) or 'nothing'}, {len(self.items)} item scores"

    def _repr_html_(self) -> str:
        return notebook.html(self)

    def _matching(self, want: Mapping[str, Want]) -> Index:
        """The rows that match; one without a column matches None there."""
        mask = np.ones(len(self), bool)
        for name, wanted in want.items():
            column = self.resolve(name)
            mask &= (self.columns[column] if column else Coded.all(None, len(self))).matches(wanted)
        return np.flatnonzero(mask)

    def _dealt(self, names: Sequence[str], levels: Sequence[Sequence[Value]]) -> list[Index]:
        """The places of the rows of each combination of these columns' levels."""
        place, size = np.zeros(len(self), np.intp), 1
        lost = np.zeros(len(self), bool)
        for name, known in zip(names, levels, strict=True):
            found = self.resolve(name)
            column = self.columns[found] if found else Coded.all(None, len(self))
            number = {(isinstance(v, bool), v): i for i, v in enumerate(known)}
            at = np.array([number.get((isinstance(v, bool), v), -1) for v in column.levels], np.intp)[column.codes]
            place, size, lost = place * len(known) + at, size * len(known), lost | (at < 0)
        place[lost] = size
        order = np.argsort(place, kind="stable")
        return np.split(order, np.searchsorted(place[order], np.arange(1, size + 1)))[:size]

    def _key(self, names: Sequence[str]) -> NDArray[np.int64]:
        """One number [row], ordered as the rows are by these columns."""
        key, size = np.zeros(len(self), np.int64), 1
        for column in (self.columns[name] for name in names):
            if size > 2**62 // max(1, len(column.levels)):
                key = np.unique(key, return_inverse=True)[1].astype(np.int64)
                size = int(key.max(initial=0)) + 1
            if len(column.levels) > 1:
                key, size = key * len(column.levels) + column.codes, size * len(column.levels)
        return key


def means_of(items: Records) -> Records:
    """One row for each identity among items: their mean, n and the digest of their ids. Raises Invalid where an item
    stands twice in one."""
    place, first = items.places([n for n in items.identity if n != "id"])
    if len(items.places(items.identity)[1]) < len(items):
        seen, at = items.places(items.identity)
        twice = items.take(at[np.flatnonzero(np.bincount(seen) > 1)[:1]])
        raise Invalid(
            f"item {twice.column('id')[0]} stands twice in {twice.column('split')[0]!r}; ids are distinct within a split, setting and seed."
        )
    order = np.argsort(place, kind="stable")
    cuts = np.cumsum(np.bincount(place))[:-1] if len(items) else np.zeros(0, np.intp)
    values, ids = np.split(items.value[order], cuts), np.split(items.columns["id"].values()[order], cuts)
    made = items.take(first)
    columns = {k: c for k, c in made.columns.items() if k != "id"}
    columns["drawn"] = Coded.of([drawn_of(part.tolist()) for part in ids[: len(first)]])
    value = np.array([math.fsum(part.tolist()) / len(part) for part in values[: len(first)]], np.float64)
    return Records(columns, value, np.bincount(place).astype(np.int64)).sorted()


def _beside(rows: Records, means: Records) -> str:
    """The identity that rows and the means of items share; empty where rows merely repeat one another."""
    names = sorted({*rows.identity, *means.identity})

    def keys(of: Records) -> set[tuple[Value, ...]]:
        nothing = np.full(len(of), None, object)
        return set(zip(*(of.columns[n].values() if n in of.columns else nothing for n in names), strict=True))

    shared = sorted(keys(rows) & keys(means), key=str)
    return ", ".join(f"{n}={v!r}" for n, v in zip(names, shared[0], strict=True) if v is not None) if shared else ""


def _check_places(columns: set[str]) -> None:
    fields = {k.removeprefix("setting.") for k in columns if k.startswith("setting.")}
    at = {k.removeprefix("at.") for k in columns if k.startswith("at.")}
    if both := sorted(fields & at):
        raise Invalid(
            f"{', '.join(both)} is both a field of the setting and a coordinate of rows; rename one, for effects select by name."
        )
    if taken := sorted((fields | at) & RESERVED):
        raise Invalid(f"{', '.join(taken)} cannot name a field or coordinate: records have a column of that name.")


class _Table:
    """Rows on their way into columns: what many rows share, their setting and their place, is held once."""

    def __init__(self, more: Sequence[str] = ()) -> None:
        self._heads: dict[int, tuple[int, Any]] = {}  # id -> (number, the setting itself, so that its id stays its own)
        self._spots: dict[tuple[Any, ...], tuple[int, Any, dict[str, Value]]] = {}
        self._head: list[int] = []
        self._spot: list[int] = []
        self._names = ("measure", "step", "seed", "drawn", *more)
        self._told: list[tuple[Value, ...]] = []
        self._value: list[float] = []
        self._n: list[int] = []

    def add(self, setting: Mapping[str, Value], one: Row | Item, told: tuple[Value, ...], value: float, n: int) -> None:
        """Add a row: its setting, where it was measured (split and coordinates), and its own values."""
        self._head.append(self._heads.setdefault(id(setting), (len(self._heads), setting))[0])
        key = (id(one.split), *((k, type(v), v) for k, v in one.at.items()))
        spot = self._spots.get(key)
        if spot is None:
            spot = self._spots[key] = (len(self._spots), one.split, _spot(one.split, one.at))
        self._spot.append(spot[0])
        self._told.append(told)
        self._value.append(value)
        self._n.append(n)

    def __len__(self) -> int:
        return len(self._told)

    def records(self, evidence: str, trial: str) -> Records:
        """The rows as Records, without items."""
        size = len(self._told)
        heads = [_head(setting) for _, setting in self._heads.values()]
        spots = [spot for _, _, spot in self._spots.values()]
        own = dict(zip(self._names, zip(*self._told, strict=True), strict=True)) if size else {}
        columns = {name: Coded.of(own.get(name, ())) for name in self._names}
        columns |= {"evidence": Coded.all(evidence, size), "trial": Coded.all(trial, size)}
        for shared, index in ((heads, np.array(self._head, np.intp)), (spots, np.array(self._spot, np.intp))):
            for name in dict.fromkeys(k for one in shared for k in one):
                columns[name] = Coded.of([one.get(name) for one in shared]).take(index)
        nothing = Coded.all(None, size)
        inner = sorted(n for n in columns if n.startswith(("setting", "at.")))
        ordered = {name: columns.get(name, nothing) for name in (*FIXED, *inner, *self._names[4:])}
        value, n = np.array(self._value, np.float64), np.array(self._n, np.int64)
        return Records(ordered, value, n).sorted()


def _head(setting: Mapping[str, Value]) -> dict[str, Value]:
    return {"setting": setting.get("setting", "Setting")} | {f"setting.{k}": v for k, v in setting.items() if k != "setting"}  # fmt: skip


def _spot(split: Split | None, at: Mapping[str, Value]) -> dict[str, Value]:
    """Split and coordinates as columns; a key told by both is an error."""
    own = split.at if split else {}
    if both := sorted(own.keys() & at.keys()):
        raise Invalid(
            f"the coordinate {both[0]!r} is told by the split {split.name if split else ''!r} ({own[both[0]]!r}) and by its row ({at[both[0]]!r}); use two names."
        )
    told: dict[str, Value] = {f"at.{k}": flat(v) for k, v in {**own, **at}.items()}
    place = (split.name, split.axis, split.shifted) if split else ("", "", False)
    return {**told, **dict(zip(("split", "axis", "shifted"), place, strict=True))}
