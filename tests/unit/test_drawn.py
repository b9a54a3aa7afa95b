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
    found = [own(Numbers(), "small", 10, seed=s, rng=np.random.default_rng(5)) for s in range(10)]
    assert [len(f) for f in found] == [10] * 10 and sorted(i for f in found for i in f) == list(range(100))
    assert own(Numbers(), "small", 10, seed=0, rng=np.random.default_rng(5)) == found[0]


@pytest.mark.parametrize("n", [11, 30, 100, 1000])
def test_a_split_with_too_few_items_is_shared_by_all_seeds(n: int) -> None:
    found = [own(Numbers(), "small", n, seed=s, rng=np.random.default_rng(5)) for s in range(4)]
    assert all(f == found[0] for f in found) and len(found[0]) == min(n, 100)
