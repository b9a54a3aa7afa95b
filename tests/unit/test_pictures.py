"""Pictures of somebody else's data set, here made with `datasets` in a folder: what is read, and what is refused."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core.errors import Invalid, Missing
from unseen.tasks.pictures import _square, gray, released, training

RNG = np.random.default_rng(0)
COLOURED = RNG.integers(0, 256, (12, 4, 4, 3)).astype(np.uint8)


def saved(folder: Path, *, held: str = "test", column: str = "img", label: Any = None) -> Path:
    from datasets import Array3D, ClassLabel, Dataset, DatasetDict, Features

    features = Features({column: Array3D((4, 4, 3), "uint8"), "label": label or ClassLabel(num_classes=3)})
    rows = {column: list(COLOURED), "label": [i % 3 for i in range(12)]}
    whole = Dataset.from_dict(rows, features=features)
    DatasetDict({"train": whole, held: whole.select(range(5))}).save_to_disk(str(folder))
    return folder


def test_a_folder_is_read_as_it_was_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path / "mine")
    monkeypatch.setenv("UNSEEN_DATA", str(tmp_path))
    train, test = released("mine", side=4)
    assert (len(train), len(test), train.classes) == (12, 5, 3)
    assert train.labels.tolist() == [i % 3 for i in range(12)]
    found = train.pixels(np.array([7, 2]))
    np.testing.assert_allclose(found, COLOURED[[7, 2]].transpose(0, 3, 1, 2) / 255, rtol=1e-6)
    ink = gray(train, 6)
    assert ink.pixels.shape == (6, 1, 4, 4) and ink.classes == 3
    np.testing.assert_allclose(ink.pixels[5, 0], COLOURED[5].mean(-1) / 255, rtol=1e-5)
    with pytest.raises(Invalid, match="4 × 4, not 8 × 8"):
        released("mine", side=8)[0].pixels(np.array([0]))


def test_a_training_part_needs_no_other(tmp_path: Path) -> None:
    from datasets import load_from_disk

    whole = load_from_disk(str(saved(tmp_path / "whole")))
    whole["train"].save_to_disk(str(tmp_path / "alone"))
    for place in ("whole", "alone"):
        found = training(str(tmp_path / place))
        assert (len(found), found.side, found.classes) == (12, 4, 3)
        np.testing.assert_allclose(found.pixels(np.array([3]))[0], COLOURED[3].transpose(2, 0, 1) / 255, rtol=1e-6)
    whole["a"], whole["b"] = whole.pop("train"), whole.pop("test")
    whole.save_to_disk(str(tmp_path / "untold"))
    with pytest.raises(Invalid, match="splits a, b; needed is train"):
        training(str(tmp_path / "untold"))


def test_labels_without_names_are_counted(tmp_path: Path) -> None:
    from datasets import Value

    train, _ = released(str(saved(tmp_path / "plain", held="validation", label=Value("int64"))), side=4)
    assert train.classes == 3


def test_what_is_no_labelled_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Invalid, match="columns sound, label; needed are an image"):
        released(str(saved(tmp_path / "a", column="sound")), side=4)
    with pytest.raises(Invalid, match="needed are train, test"):
        released(str(saved(tmp_path / "b", held="other")), side=4, held_out=("test",))
    (tmp_path / "c").mkdir()
    with pytest.raises(Missing, match="cannot be had"):
        released(str(tmp_path / "c"), side=4)


def test_a_picture_is_cut_to_its_middle_and_scaled() -> None:
    """With a stand-in for Pillow's class that notes what is asked of it."""

    class Picture:
        size = (8, 6)

        def convert(self, mode: str) -> Picture:
            assert mode == "RGB"
            return self

        def resize(self, size: tuple[int, int], box: tuple[int, ...]) -> np.ndarray:
            assert size == (4, 4) and box == (1, 0, 7, 6)
            return COLOURED[0]

    np.testing.assert_allclose(_square(Picture(), 4), COLOURED[0].transpose(2, 0, 1) / 255, rtol=1e-6)
    grayscale = _square(COLOURED[1, ..., 0], 4)
    assert grayscale.shape == (3, 4, 4) and np.array_equal(grayscale[0], grayscale[2])


def test_pillow_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.tasks import pictures

    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Missing, match="pip install pillow"):
        pictures._need_pillow("mine")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: types.SimpleNamespace())
    pictures._need_pillow("mine")
