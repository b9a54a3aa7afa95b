"""Many rows at once: columnar, sorted by identity, selected by name.

    records.where(measure="exact", shifted=True, width=64).final.mean("exact")  ->  0.81

Every column but the numbers is coded: whole-number codes into its sorted levels, so that selecting from a million rows
compares integers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import Invalid, Unknown, nearest
from .row import Item, Row, Scored, Split, Value, drawn_of

__all__ = ["Coded", "Item", "Records", "Row", "Scored", "Split", "Value", "drawn_of"]

Codes = NDArray[np.int32]
FIXED = ("measure", "split", "axis", "shifted", "step", "seed", "drawn", "evidence", "trial")
NAMED = ("measure", "split", "axis", "shifted", "step", "seed", "setting")
IDENTITY_LAST = ("step", "seed")


@dataclass(frozen=True, slots=True)
class Coded:
    """A column: codes [row] into levels, which are sorted and distinct. A tuple is kept as compact JSON text."""

    codes: Codes
    levels: tuple[Value, ...]

    @staticmethod
    def of(values: Sequence[Value]) -> Coded:
        """Code a column of plain values."""
        seen: dict[tuple[str, Value], int] = {}
        raw = np.fromiter(
            (seen.setdefault((type(v).__name__, v), len(seen)) for v in map(_flat, values)), np.int32, len(values)
        )
        return Coded._sorted(raw, [v for _, v in seen])

    @staticmethod
    def _sorted(raw: Codes, levels: Sequence[Value]) -> Coded:
        order = sorted(range(len(levels)), key=lambda i: _order(levels[i]))
        place = np.empty(len(levels), np.int32)
        place[order] = np.arange(len(levels), dtype=np.int32)
        return Coded(place[raw] if len(levels) else raw, tuple(levels[i] for i in order))

    def matches(self, wanted: Value | frozenset[Value]) -> NDArray[np.bool_]:
        """Which rows hold `wanted`, or one of a frozenset of values."""
        among = wanted if isinstance(wanted, frozenset) else frozenset((wanted,))
        flat = [_flat(w) for w in among]
        hit = np.array([any(_same(level, w) for w in flat) for level in self.levels], bool)
        return hit[self.codes] if len(self.levels) else np.zeros(0, bool)

    def take(self, index: NDArray[Any]) -> Coded:
        """The rows at `index` (a mask or positions); levels no longer used stay."""
        return Coded(self.codes[index], self.levels)

    def present(self) -> list[Value]:
        """The levels that occur, sorted."""
        return [self.levels[i] for i in np.flatnonzero(np.bincount(self.codes, minlength=len(self.levels)))]

    def values(self) -> NDArray[Any]:
        """The column as an object array [row]."""
        levels = np.empty(len(self.levels), object)
        levels[:] = self.levels
        return levels[self.codes]


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
        places, or a row was yielded beside items of the same identity.
        """
        rows: list[dict[str, Value]] = []
        items: list[dict[str, Value]] = []
        for setting, seed, one in told:
            head = {
                **_setting(setting),
                "seed": seed if one.seed is None else one.seed,
                "evidence": evidence,
                "trial": trial,
            }
            if isinstance(one, Item):
                items += _item_rows(head, one)
            else:
                rows.append(_row(head, one))
        _check_places(rows + items)
        rows += _means(items, {_identity(r) for r in rows})
        return Records._built(rows, Records._built(items, None) if items else None)

    @staticmethod
    def _built(rows: Sequence[Mapping[str, Value]], held: Records | None) -> Records:
        names = [*FIXED, *sorted({k for r in rows for k in r} - {*FIXED, "value", "n"})]
        columns = {name: Coded.of([r.get(name) for r in rows]) for name in names}
        value = np.array([float(r["value"]) for r in rows], np.float64)  # type: ignore[arg-type]
        n = np.array([int(r["n"]) for r in rows], np.int64)  # type: ignore[arg-type]
        return Records(columns, value, n, held).sorted()

    @staticmethod
    def of_frames(rows: Any, items: Any = None) -> Records:
        """Records of polars frames that `.frame()` and `.items_frame()` made."""
        return _of_frame(rows, None if items is None else _of_frame(items, None))

    @staticmethod
    def concat(parts: Sequence[Records]) -> Records:
        """All rows of several Records, sorted by identity."""
        if not parts:
            return Records._built((), None)
        names = list(dict.fromkeys(name for part in parts for name in part.columns))
        columns = {name: _joined(name, parts) for name in names}
        held = [p.held for p in parts if p.held is not None]
        value, n = np.concatenate([p.value for p in parts]), np.concatenate([p.n for p in parts])
        return Records(columns, value, n, Records.concat(held) if held else None).sorted()

    def sorted(self) -> Records:
        """The same rows in the order of their identity: setting, measure, split, coordinates, item, step, seed."""
        keys = [self.columns[name].codes for name in self._identity_names()]
        order = np.lexsort(keys[::-1]) if len(self) and keys else np.arange(len(self))
        return self._taken(order)

    @property
    def items(self) -> Records:
        """The items as Records of their own (empty where none were kept): one row for each item and measure."""
        return self.held if self.held is not None else Records._built((), None)

    @property
    def final(self) -> Records:
        """Only the largest step of every cell and seed."""
        steps = self.columns["step"]
        if len(steps.present()) <= 1:
            return self
        group = self.groups([n for n in self._identity_names() if n != "step"])
        order = np.array([-1 if v is None else float(v) for v in steps.levels])[steps.codes]  # type: ignore[arg-type]
        most = np.full(int(group.max()) + 1, -np.inf)
        np.maximum.at(most, group, order)
        kept = self._taken(order == most[group])
        return Records(kept.columns, kept.value, kept.n, None if self.held is None else self.held.final)

    def groups(self, names: Sequence[str]) -> NDArray[np.int64]:
        """A number [row] that is equal where all these columns are."""
        key = np.zeros(len(self), np.int64)
        size = 1
        for name in names:
            column = self.columns[name]
            if len(column.levels) <= 1:
                continue
            if size > 2**62 // len(column.levels):
                key = np.unique(key, return_inverse=True)[1].astype(np.int64)
                size = int(key.max()) + 1
            key, size = key * len(column.levels) + column.codes, size * len(column.levels)
        return np.unique(key, return_inverse=True)[1].astype(np.int64) if len(self) else key

    def where(self, **want: Value | frozenset[Value]) -> Records:
        """The rows (and items) where every named column holds the wanted value, or one of a frozenset of values.

        A name is looked up in measure, split, axis, shifted, step, seed, setting, then the settings' fields, then the
        coordinates. Raises Unknown where no row has it.
        """
        found = self._where(want, strict=True)
        if self.held is None:
            return found
        return Records(found.columns, found.value, found.n, self.held._where(want, strict=False))

    def by(self, name: str) -> dict[Value, Records]:
        """The rows grouped by a column, in the order of its values."""
        column = self.column_of(name)
        return {level: self.where(**{name: level}) for level in column.present()}

    def mean(self, measure: str, **want: Value | frozenset[Value]) -> float:
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
        if name in NAMED or name in ("drawn", "evidence", "trial", "id"):
            return name if name in self.columns else None
        return next((c for c in (name, f"setting.{name}", f"at.{name}") if c in self.columns), None)

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
        return _frame(self)

    def items_frame(self) -> Any:
        """The items as a polars DataFrame, one line for each item and measure; None where no items were kept."""
        return None if self.held is None or not len(self.held) else _frame(self.held)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield from self.frame().iter_rows(named=True)

    def __str__(self) -> str:
        return f"{len(self)} rows of {', '.join(map(str, self.columns['measure'].present())) or 'nothing'}, {len(self.items)} item scores"

    def _repr_html_(self) -> str:
        return str(self.frame()._repr_html_())

    def _where(self, want: Mapping[str, Value | frozenset[Value]], *, strict: bool) -> Records:
        mask = np.ones(len(self), bool)
        for name, wanted in want.items():
            if not strict and self.resolve(name) is None:
                mask[:] = wanted is None
                continue
            mask &= self.column_of(name).matches(wanted)
        return self._taken(mask)

    def _taken(self, index: NDArray[Any]) -> Records:
        return Records({k: c.take(index) for k, c in self.columns.items()}, self.value[index], self.n[index], self.held)

    def _identity_names(self) -> list[str]:
        inner = sorted(n for n in self.columns if n.startswith(("setting", "at.")))
        settings, at = [n for n in inner if n.startswith("setting")], [n for n in inner if n.startswith("at.")]
        return [n for n in (*settings, "measure", "split", *at, "id", *IDENTITY_LAST) if n in self.columns]


def _flat(value: Value) -> Value:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, tuple | list) else value


def _order(value: Value) -> tuple[int, float, str]:
    """None first, then truth values, numbers, texts."""
    if value is None:
        return 0, 0.0, ""
    if isinstance(value, bool):
        return 1, float(value), ""
    if isinstance(value, int | float):
        return 2, float(value), type(value).__name__
    return 3, 0.0, str(value)


def _same(level: Value, wanted: Value) -> bool:
    return level == wanted and isinstance(level, bool) == isinstance(wanted, bool)


def _setting(setting: Mapping[str, Value]) -> dict[str, Value]:
    fields = {f"setting.{k}": v for k, v in setting.items() if k != "setting"}
    return {"setting": setting.get("setting", "Setting"), **fields}


def _row(head: Mapping[str, Value], row: Row) -> dict[str, Value]:
    split = row.split
    told: dict[str, Value] = {
        **head,
        "measure": row.measure,
        "step": row.step,
        "drawn": row.drawn,
        "value": float(row.value),
        "n": row.n,
    }
    told.update(
        split=split.name if split else "", axis=split.axis if split else "", shifted=bool(split and split.shifted)
    )
    _place(told, (split.at if split else {}), row.at)
    return told


def _item_rows(head: Mapping[str, Value], item: Item) -> list[dict[str, Value]]:
    told: dict[str, Value] = {
        **head,
        "step": item.step,
        "drawn": "",
        "n": 1,
        "id": item.id,
        "split": item.split.name,
        "axis": item.split.axis,
        "shifted": item.split.shifted,
    }
    _place(told, item.split.at, item.at)
    return [{**told, "measure": name, "value": float(score)} for name, score in item.scores.items()]


def _place(told: dict[str, Value], *coordinates: Mapping[str, Value]) -> None:
    """Put coordinates into a row; one key told differently by split and row is an error."""
    for at in coordinates:
        for key, value in at.items():
            name = f"at.{key}"
            if name in told and told[name] != value:
                raise Invalid(
                    f"the coordinate {key!r} is {told[name]!r} for the split {told['split']!r} and {value!r} for its row; use two names."
                )
            told[name] = value


def _check_places(rows: Sequence[Mapping[str, Value]]) -> None:
    keys = {k for r in rows for k in r}
    fields = {k.removeprefix("setting.") for k in keys if k.startswith("setting.")}
    at = {k.removeprefix("at.") for k in keys if k.startswith("at.")}
    if both := sorted(fields & at):
        raise Invalid(
            f"{', '.join(both)} is both a field of the setting and a coordinate of rows; rename one, for effects select by name."
        )
    if taken := sorted((fields | at) & {*NAMED, "value", "n", "id"}):
        raise Invalid(f"{', '.join(taken)} cannot name a field or coordinate: records have a column of that name.")


def _identity(row: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    skip = {"value", "n", "drawn", "id", "evidence", "trial", "axis", "shifted"}
    return tuple(
        sorted(((k, _flat(v)) for k, v in row.items() if k not in skip and v is not None), key=lambda kv: kv[0])
    )


def _means(items: Sequence[Mapping[str, Value]], rows: set[tuple[tuple[str, Value], ...]]) -> list[dict[str, Value]]:
    """One row for each identity among the items: their mean, n and the digest of their ids."""
    found: dict[tuple[tuple[str, Value], ...], list[Mapping[str, Value]]] = {}
    for item in items:
        found.setdefault(_identity(item), []).append(item)
    if beside := next((i for i in found if i in rows), None):
        raise Invalid(f"a row was yielded beside items of the same identity ({dict(beside)}); yield one or the other.")
    made: list[dict[str, Value]] = []
    for held in found.values():
        ids = [str(i["id"]) for i in held]
        if len(set(ids)) < len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise Invalid(
                f"item {twice} stands twice in {held[0]['split']!r}; ids are distinct within a split, setting and seed."
            )
        mean = math.fsum(float(i["value"]) for i in held) / len(held)  # type: ignore[arg-type]
        made.append(
            {**{k: v for k, v in held[0].items() if k != "id"}, "value": mean, "n": len(held), "drawn": drawn_of(ids)}
        )
    return made


def _joined(name: str, parts: Sequence[Records]) -> Coded:
    """One column of several Records; rows of a part that lacks it hold None."""
    levels: dict[tuple[str, Value], int] = {}
    raw: list[Codes] = []
    for part in parts:
        column = part.columns.get(name, Coded(np.zeros(len(part), np.int32), (None,)))
        place = np.array([levels.setdefault((type(v).__name__, v), len(levels)) for v in column.levels], np.int32)
        raw.append(place[column.codes] if len(place) else column.codes)
    return Coded._sorted(np.concatenate(raw), [v for _, v in levels])  # pyright: ignore[reportPrivateUsage]


def _frame(records: Records) -> Any:
    import polars as pl

    told = {name: _series(column) for name, column in records.columns.items()}
    return pl.DataFrame({**told, "value": pl.Series(records.value), "n": pl.Series(records.n)})


def _series(column: Coded) -> Any:
    import polars as pl

    kinds = {type(v) for v in column.levels if v is not None}
    if kinds <= {bool}:
        dtype: Any = pl.Boolean
    elif kinds <= {int}:
        dtype = pl.Int64
    elif kinds <= {int, float}:
        dtype = pl.Float64
    else:
        dtype = pl.String
    plain = dtype is pl.String and kinds != {str}
    levels = [v if v is None or not plain or isinstance(v, str) else json.dumps(v) for v in column.levels]
    if kinds <= {int, float} and kinds == {int, float}:
        levels = [None if v is None else float(v) for v in levels]  # type: ignore[arg-type]
    return pl.Series(levels, dtype=dtype).gather(pl.Series(column.codes)) if levels else pl.Series([], dtype=dtype)


def _of_frame(frame: Any, held: Records | None) -> Records:
    names = [c for c in frame.columns if c not in ("value", "n")]
    columns: dict[str, Coded] = {}
    for name in names:
        series = frame[name]
        levels = series.unique(maintain_order=True).to_list()
        place = {v: i for i, v in enumerate(levels)}
        raw = np.fromiter((place[v] for v in series.to_list()), np.int32, len(series))
        columns[name] = Coded._sorted(raw, levels)  # pyright: ignore[reportPrivateUsage]
    value, n = frame["value"].to_numpy().astype(np.float64), frame["n"].to_numpy().astype(np.int64)
    return Records(columns, value, n, held).sorted()
