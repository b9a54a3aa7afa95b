"""Which labelled data are there to estimate from? scikit-learn's sets, pictures that `datasets` reads, and files of yours.

read(Path("mine.csv"), label="class")  ->  x [row feature], y [row]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import missing_extra
from unseen.core.lab import Lab
from unseen.measures.clouds import Rows
from unseen.tasks import tables
from unseen.tasks.pictures import Pictures, training

SKLEARN = ("digits", "wine", "iris", "breast_cancer")
IN_MEMORY = 2**28  # pixels: beyond it pictures are decoded every time that they are asked for
TWIN = "twin"  # the digits as a folder of pictures, made here


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
    rows = Flat(found, bool(np.all(some == some[:, :1])))
    whole = np.arange(len(rows)) if len(rows) * rows[np.array([0])].size <= IN_MEMORY else None
    return (rows if whole is None else rows[whole]), found.labels


def read(path: Path, *, label: str = "label", side: int = 0) -> tuple[Rows, NDArray[Any]]:
    """A user's rows and labels: an npz file (x and y), a csv or parquet file with a column of labels, or a folder of
    pictures that `datasets` reads.

    Raises what `tables.table` and `pictures` do.
    """
    if path.is_dir():
        return pictures(str(path), side, Lab.alone())
    return tables.table(path, label, flag="--label")


def _write_twin(to: Path) -> None:
    """The digits as pictures of 8 × 8 in a folder that `datasets` saved."""
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Image
    from PIL import Image as Picture

    x, y = bundled("digits")
    images = [Picture.fromarray((row.reshape(8, 8) * 255).astype(np.uint8)) for row in x]
    told = Features({"image": Image(), "label": ClassLabel(num_classes=10)})
    parts = {"train": slice(None), "test": slice(0, None, 5)}
    held: Any = {s: Dataset.from_dict({"image": images[p], "label": y[p].tolist()}, told) for s, p in parts.items()}
    DatasetDict(held).save_to_disk(str(to))
