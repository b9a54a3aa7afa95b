"""How is a column of plain values held? As whole-number codes into its sorted levels.

Coded.of(["b", "a", "b"])  ->  Coded(codes=[1, 0, 1], levels=("a", "b"))
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .row import Value

FEW = 512  # values that are told one by one: for polars, a column is a query
MARK = "\x1f"  # before the JSON text of a value that is no text, in a column of texts


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column: codes [row] into levels, which are sorted and distinct. A tuple is kept as compact JSON text."""

    codes: NDArray[np.int32]
    levels: tuple[Value, ...]

    @staticmethod
    def of(values: Sequence[Value]) -> Coded:
        """Code a column of plain values; whole numbers among fractions become fractions."""
        seen: dict[tuple[type, Value], int] = {}
        raw = [seen.setdefault((type(v), v), len(seen)) for v in map(flat, values)]
        return Coded.sorted(np.array(raw, np.int32), [v.item() if isinstance(v, np.generic) else v for _, v in seen])

    @staticmethod
    def all(value: Value, n: int) -> Coded:
        """n times the same value."""
        return Coded(np.zeros(n, np.int32), (value,))

    @staticmethod
    def sorted(raw: NDArray[np.int32], levels: Sequence[Value]) -> Coded:
        """Codes into levels in any order, perhaps some of them equal, as a column."""
        if any(isinstance(v, float) for v in levels):
            levels = [float(v) if type(v) is int and abs(v) < 2**53 else v for v in levels]
        ordered = sorted({(type(v), v) for v in levels}, key=lambda kind: _order(kind[1]))
        place = {kind: i for i, kind in enumerate(ordered)}
        moved = np.array([place[type(v), v] for v in levels], np.int32)
        return Coded(moved[raw] if len(levels) else raw, tuple(v for _, v in ordered))

    def matches(self, wanted: Value | frozenset[Value]) -> NDArray[np.bool_]:
        """Which rows hold `wanted`, or one of a frozenset of values."""
        among = {(isinstance(w, bool), flat(w)) for w in (wanted if isinstance(wanted, frozenset) else (wanted,))}
        hits = [i for i, level in enumerate(self.levels) if (isinstance(level, bool), level) in among]
        if len(hits) <= 1:
            return self.codes == (hits[0] if hits else -1)
        hit = np.zeros(len(self.levels), bool)
        hit[hits] = True
        return hit[self.codes]

    def take(self, index: NDArray[Any]) -> Coded:
        """The rows at `index` (a mask or positions); levels no longer used stay."""
        return Coded(self.codes[index], self.levels)

    def present(self) -> list[Value]:
        """The levels that occur, sorted."""
        return [self.levels[i] for i in np.flatnonzero(np.bincount(self.codes, minlength=len(self.levels)))]

    def values(self) -> NDArray[np.object_]:
        """The column as an object array [row]."""
        levels = np.empty(len(self.levels), object)
        levels[:] = self.levels
        return levels[self.codes]


def flat(value: Value) -> Value:
    """A value as columns hold it: tuples as compact JSON text."""
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


def joined(parts: Sequence[Coded]) -> Coded:
    """One column of several, one after the other."""
    if len({p.levels for p in parts}) == 1 and len({tuple(map(type, p.levels)) for p in parts}) == 1:
        return Coded(np.concatenate([p.codes for p in parts]), parts[0].levels)
    starts = np.cumsum([0, *(len(p.levels) for p in parts)])
    codes = np.concatenate([p.codes + np.int32(at) for p, at in zip(parts, starts, strict=False)])
    return Coded.sorted(codes, [v for p in parts for v in p.levels])


def series(column: Coded, name: str = "") -> Any:
    """The column as a polars Series: truth values, whole numbers, fractions, or texts. In a column of several kinds, what
    is no text stands as JSON behind a mark, so that reading gives every value back."""
    import polars as pl

    kinds = {type(v) for v in column.levels if v is not None}
    whole = all(not isinstance(v, int) or -(2**63) <= v < 2**63 for v in column.levels)
    dtypes: list[tuple[type, Any]] = [(bool, pl.Boolean), (int, pl.Int64), (float, pl.Float64)]
    dtype = next((d for kind, d in dtypes if kinds <= {kind} and whole), pl.String)
    levels = list(column.levels)
    if dtype is pl.String:
        levels = [v if v is None or _plain(v) else MARK + json.dumps(v) for v in levels]
    if not levels:
        return pl.Series(name, [], dtype=dtype)
    if len(column.codes) <= FEW:
        return pl.Series(name, [levels[i] for i in column.codes.tolist()], dtype=dtype)
    return pl.Series(name, levels, dtype=dtype).gather(pl.Series(column.codes.astype(np.uint32)))


def of_series(told: Any) -> Coded:
    """The column of a polars Series that `series` made."""
    import polars as pl

    levels = told.unique(maintain_order=True)
    if len(levels) <= 1:
        return Coded.all(_back(levels[0]) if len(levels) else None, len(told))
    if len(levels) > FEW and _ordered(levels):
        return Coded(told.rank("dense").to_numpy().astype(np.int32) - 1, tuple(levels.sort().to_list()))
    places = pl.Series(range(len(levels)), dtype=pl.Int32)
    codes = told.replace_strict(levels, places, return_dtype=pl.Int32).to_numpy()
    return Coded.sorted(codes.astype(np.int32), [_back(v) for v in levels.to_list()])


def _ordered(levels: Any) -> bool:
    """Whether polars puts these distinct values into the order that a column's levels have: texts, or whole numbers."""
    import polars as pl

    if levels.null_count() or levels.dtype not in (pl.String, pl.Int64):
        return False
    return levels.dtype == pl.Int64 or not levels.str.starts_with(MARK).any()


def _plain(value: Value) -> bool:
    return isinstance(value, str) and not value.startswith(MARK)


def _back(value: Value) -> Value:
    return json.loads(value[1:]) if isinstance(value, str) and value.startswith(MARK) else value
