"""Which inputs and targets does a file hold? Tables and arrays of your own, and lists of losses.

dataset(Path("mine.csv"), "price", kind="auto")  ->  Table(x [row feature], y [row output], classes ())
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, Unknown, nearest

Floats = NDArray[np.float64]
Kind = Literal["auto", "classes", "values"]
INPUTS = ("x", "X", "features", "data", "images")
TARGETS = ("y", "target", "targets", "label", "labels")
MANY = 1000  # classes above which targets are taken for values that were not meant as classes


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs x [row feature] and targets y [row output]; of classes, which are told by name, one output each, 0 or 1."""

    x: Floats
    y: Floats
    classes: tuple[str, ...] = ()


def dataset(path: Path, target: str, *, kind: Kind = "auto") -> Table:
    """The inputs and targets of an npz (arrays x and y), csv or parquet file (all columns but the target's).

    Targets that are words, or `kind="classes"`, become one output for each class. Raises Missing where there is no file,
    Unknown for a column it has not, Invalid for what is no number, is lacking or infinite, or targets all alike.
    """
    columns = _columns(path)
    if path.suffix == ".npz":
        x, y = _named(columns, INPUTS, path), _named(columns, (target, *TARGETS), path)
    else:
        if target not in columns:
            raise Unknown(f"{path} has no column {target!r}{nearest(target, columns)}; name the target's with --target.")  # fmt: skip
        y = columns.pop(target)
        if not columns:
            raise Invalid(f"{path} has no column but {target!r}; inputs are needed to tell targets from.")
        x = np.stack([_numbers(v, f"column {k!r}", path) for k, v in columns.items()], 1)
    x = _numbers(x, "inputs", path)
    x = x.reshape(len(x), -1)
    if len(x) != len(y):
        raise Invalid(f"{path} has inputs of {len(x)} rows and targets of {len(y)}; they are to be as many.")
    return _targets(x, y, kind, path)


def losses(path: Path, column: str) -> Floats:
    """The test losses of hypotheses [hypothesis]: a column of a csv or parquet file, an array of an npz file, or the
    numbers of a text file. Errors as `dataset`."""
    if path.suffix in (".txt", ""):
        _there(path)
        try:
            return np.array([float(word) for word in path.read_text(encoding="utf-8").split()])
        except ValueError as error:
            raise Invalid(f"{path} holds what is no number ({error}); one loss stands on each line.") from None
    columns = _columns(path)
    if column not in columns:
        raise Unknown(f"{path} has no column {column!r}{nearest(column, columns)}; name the losses' with --column.")
    return _numbers(columns[column], f"column {column!r}", path).reshape(-1)


def _targets(x: Floats, y: NDArray[Any], kind: Kind, path: Path) -> Table:
    words = y.dtype.kind not in "iufb"
    if kind == "classes" or (kind == "auto" and words):
        if words and any(v is None for v in y.tolist()):
            raise Invalid(f"{path}: some rows have no target; leave those rows out.")
        if y.ndim != 1:
            raise Invalid(f"{path}: targets of shape {y.shape} are no classes, of which each row has one.")
        names, codes = np.unique(y.astype(str) if words else y, return_inverse=True)
        if len(names) > MANY:
            raise Invalid(f"{path} has {len(names)} classes; at most {MANY} are taken. Are its targets values?")
        table = Table(x, np.eye(len(names))[codes], tuple(map(str, names)))
    else:
        numbers = _numbers(y, "targets", path)
        table = Table(x, numbers.reshape(len(numbers), -1))
    if not np.ptp(table.y, axis=0).any() or table.y.shape[1] == 0:
        raise Invalid(f"{path}: all rows have the same target, so that every hypothesis is right; give targets that differ.")  # fmt: skip
    return table


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    _there(path)
    if path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as held:
                return {k: held[k] for k in held.files}
        except (ValueError, OSError) as error:
            raise Invalid(f"{path} cannot be read as npz ({error}); write it with numpy.savez(path, x=…, y=…).") from None  # fmt: skip
    if path.suffix not in (".csv", ".parquet"):
        raise Invalid(f"{path} ends in {path.suffix!r}; npz, csv and parquet files are read.")
    import polars as pl

    try:
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Invalid(f"{path} cannot be read ({' '.join(str(error).split())[:200]}).") from None
    return {k: frame[k].to_numpy() for k in frame.columns}


def _named(columns: dict[str, NDArray[Any]], names: tuple[str, ...], path: Path) -> NDArray[Any]:
    found = next((columns[k] for k in names if k in columns), None)
    if found is None or found.ndim == 0:
        raise Invalid(f"{path} holds {', '.join(columns) or 'nothing'}; needed is an array {names[0]} [row …].")
    return found


def _numbers(values: NDArray[Any], what: str, path: Path) -> Floats:
    """Values as finite numbers. Raises Invalid, naming the first row of what is none."""
    if values.dtype.kind not in "iufb":
        raise Invalid(f"{path}: the {what} are no numbers; drop them, or turn them into numbers.")
    found = values.astype(np.float64)
    if not len(found):
        raise Invalid(f"{path}: the {what} have no rows.")
    if not (fine := np.isfinite(found.reshape(len(found), -1)).all(1)).all():
        raise Invalid(f"{path}: row {int(np.flatnonzero(~fine)[0])} of the {what} is lacking, or no finite number; leave it out or fill it in.")  # fmt: skip
    return found


def _there(path: Path) -> None:
    if not path.is_file():
        raise Missing(f"there is no file {path}; give an npz, csv or parquet file.")
