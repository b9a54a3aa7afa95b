"""Which labelled data are there to estimate from? scikit-learn's sets, pictures that `datasets` reads, and files of yours.

read(Path("mine.csv"), label="class")  ->  x [row feature], y [row]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, Unknown, missing_extra, nearest
from unseen.core.lab import Lab
from unseen.measures.clouds import Rows
from unseen.tasks.pictures import Pictures, training

SKLEARN = ("digits", "wine", "iris", "breast_cancer")
TWIN = "twin"  # the digits as a folder of pictures, made here
FEATURES = ("x", "X", "features", "data", "images")
LABELS = ("y", "label", "labels", "target", "targets")


@dataclass(frozen=True, eq=False)
class Flat:
    """Pictures as rows [place pixel] in 0..1, decoded as they are asked for; of gray ones a single channel."""

    pictures: Pictures
    gray: bool

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, which: Any, /) -> NDArray[np.float32]:
        pixels = self.pictures.pixels(np.atleast_1d(which))
        return (pixels[:, :1] if self.gray else pixels).reshape(len(pixels), -1)


def bundled(name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A set of scikit-learn: rows that are not copies of earlier ones, and their labels. Raises Missing without it."""
    try:
        from sklearn import datasets
    except ModuleNotFoundError as error:
        raise missing_extra(f"the data set {name}", error, "data") from error
    found: Any = getattr(datasets, f"load_{name}")(return_X_y=True)
    x, y = np.asarray(found[0], np.float64), np.asarray(found[1], np.int64)
    _, first = np.unique(x, axis=0, return_index=True)
    first.sort()
    return (x[first] / 16 if name == "digits" else x[first]), y[first]


def pictures(name: str, side: int, lab: Lab) -> tuple[Rows, NDArray[np.int64]]:
    """The training pictures of a data set as rows; `side` 0 keeps the size of the first. Raises what `training` does."""
    place = str(lab.once("twin-pictures", _write_twin)) if name == TWIN else name
    found = training(place, side=side or None)
    some = found.pixels(np.arange(min(16, len(found))))
    return Flat(found, bool(np.all(some == some[:, :1]))), found.labels


def read(path: Path, *, label: str = "label", side: int = 0) -> tuple[Rows, NDArray[Any]]:
    """A user's rows and labels: an npz file (x and y), a csv or parquet file with a column of labels, or a folder of
    pictures that `datasets` reads.

    Raises Missing where there is none, Invalid for one that lacks rows or labels, or has features that are no numbers.
    """
    if path.is_dir():
        return pictures(str(path), side, Lab.alone())
    if not path.is_file():
        raise Missing(f"there is no {path}; give an npz, csv or parquet file, or a folder of pictures.")
    if path.suffix == ".npz":
        return _arrays(path)
    if path.suffix in (".csv", ".parquet"):
        return _table(path, label)
    raise Invalid(f"{path} is no npz, csv or parquet file, nor a folder of pictures.")


def _arrays(path: Path) -> tuple[NDArray[np.float64], NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as held:
            found = {k: held[k] for k in held.files}
    except (ValueError, OSError) as error:
        raise Invalid(f"{path} cannot be read as npz ({error}); write it with numpy.savez(path, x=…, y=…).") from None
    x, y = (next((found[k] for k in names if k in found), None) for names in (FEATURES, LABELS))
    if x is None or y is None:
        raise Invalid(f"{path} holds {', '.join(found) or 'nothing'}; needed are x [row …] and y [row].")
    if x.ndim < 2 or x.dtype.kind not in "biuf":
        raise Invalid(f"{path}: x is {x.dtype} of shape {x.shape}; it is to be numbers [row …].")
    return x.reshape(len(x), -1).astype(np.float64), y


def _table(path: Path, label: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    import polars as pl

    try:
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Invalid(f"{path} cannot be read ({' '.join(str(error).split())[:200]}).") from None
    if label not in frame.columns:
        raise Unknown(f"{path} has no column {label!r}{nearest(label, frame.columns)}; name the labels with --label.")
    rest = frame.drop(label)
    if words := [c for c in rest.columns if not (rest[c].dtype.is_numeric() or rest[c].dtype == pl.Boolean)]:
        raise Invalid(
            f"{path}: the columns {', '.join(words[:5])} are no numbers; drop them, or turn them into numbers."
        )
    if not rest.width:
        raise Invalid(f"{path} has no columns beside {label!r}; features are needed.")
    if nulls := int(frame[label].null_count()):
        raise Invalid(f"{path}: {nulls} rows have no label; leave those rows out.")
    x = rest.select(pl.all().cast(pl.Float64).fill_null(float("nan"))).to_numpy()
    return x, frame[label].to_numpy()


def _write_twin(to: Path) -> None:
    """The digits as pictures of 8 × 8 in a folder that `datasets` saved."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Image
    from PIL import Image as Picture

    x, y = bundled("digits")
    images = [Picture.fromarray((row.reshape(8, 8) * 255).astype(np.uint8)) for row in x]
    told = Features({"image": Image(), "label": ClassLabel(num_classes=10)})
    parts = {"train": slice(None), "test": slice(0, None, 5)}
    held = {s: Dataset.from_dict({"image": images[p], "label": y[p].tolist()}, told) for s, p in parts.items()}
    DatasetDict(held).save_to_disk(str(to))
