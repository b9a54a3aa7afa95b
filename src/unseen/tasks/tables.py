"""Which inputs and targets does a table of yours hold? Arrays of an npz file, columns of a csv or parquet file.

table(Path("mine.csv"), "price", flag="--target")   ->  x float64[row feature], y [row …] as it is written
columns(Path("mine.npz"))                           ->  {"x": …, "y": …}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, Unknown, nearest

Floats = NDArray[np.float64]
INPUTS = ("x", "X", "features", "data", "images")
TARGETS = ("y", "target", "targets", "label", "labels")


def table(path: Path, target: str, *, flag: str) -> tuple[Floats, NDArray[Any]]:
    """Inputs x [row feature] and targets y [row …]: of an npz file the arrays x (or a usual name) and `target` (or a usual
    name), of a csv or parquet file the column `target` and all others.

    Raises Missing where there is no file, Unknown for a column it has not (`flag` is the option that names it), Invalid
    for inputs that are no finite numbers, a target that is lacking, or as many of one as not of the other.
    """
    held = columns(path)
    if path.suffix == ".npz":
        x, y = _named(held, INPUTS, path), _named(held, (target, *TARGETS), path)
    else:
        if target not in held:
            raise Unknown(f"{path} has no column {target!r}{nearest(target, held)}; name the right one with {flag}.")
        y = held.pop(target)
        if not held:
            raise Invalid(f"{path} has no column beside {target!r}; inputs are needed.")
        x = np.stack([numbers(v, f"the column {k!r}", path) for k, v in held.items()], 1)
    x = numbers(x, "the inputs", path)
    if len(x) != len(y):
        raise Invalid(f"{path} has inputs of {len(x)} rows and targets of {len(y)}; they are to be as many.")
    if y.dtype == object and (lacking := sum(v is None for v in y.ravel().tolist())):
        raise Invalid(f"{path}: {lacking} rows have no {target}; leave those rows out.")
    return x.reshape(len(x), -1), y


def columns(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, or the columns of a csv or parquet file, by name. Raises Missing or Invalid."""
    if not path.is_file():
        raise Missing(f"there is no file {path}; give an npz, csv or parquet file.")
    if path.suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as held:
                return {k: held[k] for k in held.files}
        except (ValueError, OSError) as error:
            raise Invalid(
                f"{path} cannot be read as npz ({error}); write it with numpy.savez(path, x=…, y=…)."
            ) from None
    if path.suffix not in (".csv", ".parquet"):
        raise Invalid(f"{path} ends in {path.suffix!r}; npz, csv and parquet files are read.")
    import polars as pl

    try:
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Invalid(f"{path} cannot be read ({' '.join(str(error).split())[:200]}).") from None
    return {k: frame[k].to_numpy() for k in frame.columns}


def numbers(values: NDArray[Any], what: str, path: Path) -> Floats:
    """Values as finite numbers. Raises Invalid for others, naming the first row."""
    if not values.size or not values.ndim:
        raise Invalid(f"{path}: there are no rows of {what}.")
    if values.dtype.kind not in "iufb":
        raise Invalid(f"{path}: values of {what} are no numbers; drop them, or turn them into numbers.")
    found = values.astype(np.float64)
    if not (fine := np.isfinite(found.reshape(len(found), -1)).all(1)).all():
        raise Invalid(
            f"{path}: row {int(np.argmin(fine))} of {what} is lacking, or no finite number; leave it out or fill it in."
        )
    return found


def _named(held: Mapping[str, NDArray[Any]], names: tuple[str, ...], path: Path) -> NDArray[Any]:
    found = next((held[k] for k in names if k in held), None)
    if found is None or found.ndim == 0:
        raise Invalid(f"{path} holds {', '.join(held) or 'nothing'}; needed is an array {names[0]} [row …].")
    return found
