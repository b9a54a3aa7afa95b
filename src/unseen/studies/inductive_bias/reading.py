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
from unseen.tasks import tables

Floats = NDArray[np.float64]
Kind = Literal["auto", "classes", "values"]
MANY = 1000  # classes above which targets are taken for values that were not meant as classes


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs x [row feature] and targets y [row output]; of classes, which are told by name, one output each, 0 or 1."""

    x: Floats
    y: Floats
    classes: tuple[str, ...] = ()


def dataset(path: Path, target: str, *, kind: Kind = "auto") -> Table:
    """The inputs and targets of an npz (arrays x and y), csv or parquet file (all columns but the target's).

    Targets that are words, or `kind="classes"`, become one output for each class. Raises what `tables.table` does, and
    Invalid for targets all alike.
    """
    return _targets(*tables.table(path, target, flag="--target"), kind, path)


def losses(path: Path, column: str) -> Floats:
    """The test losses of hypotheses [hypothesis]: a column of a csv or parquet file, an array of an npz file, or the
    numbers of a text file. Raises what `tables.columns` and `tables.numbers` do."""
    if path.suffix in (".txt", ""):
        if not path.is_file():
            raise Missing(f"there is no file {path}; give a text, npz, csv or parquet file.")
        try:
            return np.array([float(word) for word in path.read_text(encoding="utf-8").split()])
        except ValueError as error:
            raise Invalid(f"{path} holds what is no number ({error}); one loss stands on each line.") from None
    columns = tables.columns(path)
    if column not in columns:
        raise Unknown(f"{path} has no column {column!r}{nearest(column, columns)}; name the losses' with --column.")
    return tables.numbers(columns[column], f"the column {column!r}", path).reshape(-1)


def _targets(x: Floats, y: NDArray[Any], kind: Kind, path: Path) -> Table:
    words = y.dtype.kind not in "iufb"
    if kind == "classes" or (kind == "auto" and words):
        if y.ndim != 1:
            raise Invalid(f"{path}: targets of shape {y.shape} are no classes, of which each row has one.")
        names, codes = np.unique(y.astype(str) if words else y, return_inverse=True)
        if len(names) > MANY:
            raise Invalid(f"{path} has {len(names)} classes; at most {MANY} are taken. Are its targets values?")
        table = Table(x, np.eye(len(names))[codes], tuple(map(str, names)))
    else:
        numbers = tables.numbers(y, "the targets", path)
        table = Table(x, numbers.reshape(len(numbers), -1))
    if not np.ptp(table.y, axis=0).any() or table.y.shape[1] == 0:
        raise Invalid(f"{path}: all rows have the same target, so that every hypothesis is right; give targets that differ.")  # fmt: skip
    return table
