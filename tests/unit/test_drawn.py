"""Splits by name, and items that are a seed's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from unseen.core.errors import Unknown
from unseen.core.record import Split
from unseen.tasks.drawn import no_split, own, split_named


@dataclass(frozen=True)
class Numbers:
    """Numbers below a hundred, drawn without repeats; a hundred are all there are."""

    name: str = "numbers"
    splits: tuple[Split, ...] = (Split("small", "size"), Split("large", "size", {}, True))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[int]:
        return rng.permutation(100)[:n].tolist()


def test_a_split_is_found_by_its_name() -> None:
    task = Numbers()
    assert split_named(task, "large") is task.splits[1]
    assert split_named(task, "train") == Split("train")
    assert split_named(task, "train", Split("train", "size")).axis == "size"
    with pytest.raises(
        Unknown, match=r"numbers has no split 'larg'.*the nearest is large.*Splits: train, small, large\."
    ):
        split_named(task, "larg")
    assert str(no_split("scan", "x", ["y"])).endswith("Splits: train, y.")


def test_no_item_is_two_seeds() -> None:
    found = [own(Numbers(), "small", 30, seed=s, rng=np.random.default_rng(5)) for s in range(4)]
    assert [len(f) for f in found] == [30, 30, 30, 10]  # the last seed gets what is left
    assert sorted(i for f in found for i in f) == list(range(100))
    assert own(Numbers(), "small", 30, seed=0, rng=np.random.default_rng(5)) == found[0]
