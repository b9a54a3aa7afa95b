"""Which labelled pictures does somebody else's data set hold? The hub's, or a folder's, decoded as they are asked for.

train, test = released("uoft-cs/cifar10", side=32)
train.pixels(np.array([0, 7])).shape  ->  (2, 3, 32, 32)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing, missing_extra

from .labelled_images import Floats, Images, Labels


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images that are read as they are asked for: a data set's column of pictures, or of arrays [height width channel].

    `labels` [n] are all in memory; `pixels(which)` decodes, some at a time.
    """

    column: Any
    labels: Labels
    classes: int
    side: int  # pictures are cut to their middle square and scaled to this height and width
    threads: int = 8

    def __len__(self) -> int:
        return len(self.labels)

    def pixels(self, which: NDArray[np.integer]) -> Floats:
        """The pictures at these places as float32 [n 3 side side] in 0..1."""
        from concurrent.futures import ThreadPoolExecutor

        def one(i: int) -> Floats:
            return _square(self.column[i], self.side)

        with ThreadPoolExecutor(self.threads) as pool:  # decoding runs outside Python's lock
            return np.stack(list(pool.map(one, map(int, which))))


def released(name: str, *, revision: str | None = None, side: int, held_out: Sequence[str] = ("test", "validation")) -> tuple[Pictures, Pictures]:  # fmt: skip
    """The pictures to train on and those held out of a data set: a folder's ($UNSEEN_DATA/name or a path), or the hub's.

    The first split named in `held_out` that is there is taken. Raises Missing where the data set cannot be had, Invalid
    where it has no pictures or labels.
    """
    found = _held(name, revision)
    kept = next((s for s in held_out if s in found), None)
    if kept is None or "train" not in found:
        raise Invalid(f"{name} has the splits {', '.join(found)}; needed are train, {' or '.join(held_out)}.")
    train, held = (_pictures(name, found, s, side) for s in ("train", kept))
    return train, held


def training(name: str, *, revision: str | None = None, side: int | None = None) -> Pictures:
    """The pictures of a data set's split "train", or of the only one it has, by default as large as the first is high or
    wide, whichever is less. Raises what `released` does."""
    found = _held(name, revision)
    if "train" not in found and len(found) > 1:
        raise Invalid(f"{name} has the splits {', '.join(found)}; needed is train, or one alone.")
    return _pictures(name, found, "train" if "train" in found else next(iter(found)), side)


def _held(name: str, revision: str | None) -> dict[str, Any]:
    """The splits of a folder, or of the hub's data set of that name."""
    try:
        from datasets import Dataset, load_dataset, load_from_disk
    except ModuleNotFoundError as error:
        raise missing_extra(f"the pictures of {name}", error, "data") from error
    folders = [Path(name).expanduser(), *([Path(root) / name] if (root := os.environ.get("UNSEEN_DATA")) else [])]
    folder = next((f for f in folders if f.is_dir()), None)
    try:
        saved = folder is not None and any((folder / f).is_file() for f in ("dataset_dict.json", "state.json"))
        held = load_from_disk(str(folder)) if saved else load_dataset(str(folder or name), revision=revision)
    except Exception as error:  # the hub and its formats fail in many ways
        raise Missing(
            f"the pictures of {name} cannot be had ({' '.join(str(error).split())[:200]}); put a folder that `datasets` reads at $UNSEEN_DATA/{name}, or let it be fetched from the hub."
        ) from error
    return {"train": held} if isinstance(held, Dataset) else cast("dict[str, Any]", held)


def _pictures(name: str, found: dict[str, Any], split: str, side: int | None) -> Pictures:
    """One split. The number of classes is what its feature says, or one more than the largest label of them all."""
    from datasets import ClassLabel, Image

    features: dict[str, Any] = found[split].features
    label = next((k for k in ("label", "fine_label", "labels") if k in features), None)
    picture = next((k for k in ("image", "img", "pixels") if k in features), None)
    if label is None or picture is None:
        raise Invalid(
            f"{name}, {split} has the columns {', '.join(features)}; needed are an image (image, img or pixels) and a label."
        )
    if isinstance(features[picture], Image):
        _need_pillow(name)
    kind = features[label]
    first = found.get("train", found[split])[label]
    classes = int(cast(Any, kind).num_classes) if isinstance(kind, ClassLabel) else int(max(first)) + 1
    column = found[split][picture]
    if side is None:
        one = column[0]
        side = int(min(one.size if hasattr(one, "convert") else np.shape(one)[:2]))
    return Pictures(column, np.asarray(found[split][label], np.int64), classes, side)


def gray(pictures: Pictures, most: int) -> Images:
    """The first `most` pictures in memory, as the mean of their colours [n 1 side side]."""
    which = np.arange(min(most, len(pictures)))
    return Images(pictures.pixels(which).mean(1, keepdims=True), pictures.labels[which], pictures.classes)


def _need_pillow(name: str) -> None:
    from importlib.util import find_spec

    if find_spec("PIL") is None:
        raise Missing(
            f"the pictures of {name} are decoded by Pillow, which is not installed. Install it: pip install pillow"
        )


def _square(picture: Any, side: int) -> Floats:
    """The middle square of a picture, scaled: [3 side side] in 0..1."""
    if hasattr(picture, "convert"):
        picture = picture.convert("RGB")
        if picture.size != (side, side):
            edge = min(picture.size)
            left, top = (picture.size[0] - edge) // 2, (picture.size[1] - edge) // 2
            picture = picture.resize((side, side), box=(left, top, left + edge, top + edge))
    values = np.asarray(picture, np.float32)
    values = values[..., None] if values.ndim == 2 else values
    if values.shape[:2] != (side, side):
        raise Invalid(f"an array of pixels is {values.shape[0]} × {values.shape[1]}, not {side} × {side}.")
    return np.broadcast_to(values, (side, side, 3)).transpose(2, 0, 1) / np.float32(255)
