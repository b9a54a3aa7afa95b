"""Sequences of labelled examples through random tasks, against plain loops and hand-worked cases."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.core.task import Task
from unseen.tasks import worlds
from unseen.tasks.labelled import Labelled, Part, gaussian, made
from unseen.tasks.worlds import SPLITS, Worlds, Written, distinct, drawn_views, repeated


@pytest.fixture(scope="module")
def base() -> Labelled:
    return gaussian(6, 4, np.random.default_rng(0), each=100)


@pytest.fixture(scope="module")
def other() -> Labelled:
    return gaussian(6, 4, np.random.default_rng(1), each=100)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def origin(world: Worlds, part: Part, task: int, x: np.ndarray, y: int) -> list[int]:
    """The examples of a part that a task shows as x with label y, by trying all."""
    (lens,), (rho,) = world.views([task])
    near = np.abs(part.x @ lens.T - x).max(1) < 1e-4
    return [i for i in np.flatnonzero(near) if rho[part.y[i]] == y]


def test_seen_tasks_show_training_examples_through_their_own_view(base: Labelled) -> None:
    world = Worlds(base, 3, 10, stream=5)
    drawn = world.sample("seen tasks", 12, rng())
    assert set(drawn.task) == {0, 1, 2}
    for x, y, task in zip(drawn.x, drawn.y, drawn.task, strict=True):
        found = [origin(world, base.train, task, a, b) for a, b in zip(x, y, strict=True)]
        assert all(len(one) == 1 for one in found)
        assert len({one[0] for one in found}) == 10  # no example twice


def test_new_splits_show_what_they_say(base: Labelled, other: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the view held still, every example is found in the part that the split names, and in no other."""
    still = np.eye(6, dtype=np.float32)[None].repeat(8, 0), np.tile(np.arange(4), (8, 1))
    monkeypatch.setattr(worlds, "drawn_views", lambda *a: still)
    world = Worlds(base, 0, 12, stream=5, others=(other,))
    parts = {
        "new tasks": base.train,
        "new examples": base.test,
        "new data set: gaussian": other.test,
        "train": base.train,
    }
    for split, part in parts.items():
        drawn = world.sample(split, 8, rng(1))
        lines = {(*np.round(x, 4), y) for x, y in zip(part.x.tolist(), part.y.tolist(), strict=True)}
        told = {
            (*np.round(x, 4), y) for x, y in zip(drawn.x.reshape(-1, 6).tolist(), drawn.y.ravel().tolist(), strict=True)
        }
        assert told <= lines
    assert [s.name for s in world.splits if not s.shifted] == ["seen tasks"]
    assert [s.name for s in replace(world, others=()).splits] == [s.name for s in SPLITS]


def test_tasks_are_functions_of_stream_and_number(base: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Worlds(base, 50, 10, stream=5)
    held = world.views([7, 49, 7])
    monkeypatch.setattr(worlds, "HELD", 0)
    again = Worlds(base, 50, 10, stream=5).views([7, 49, 7])
    for a, b in zip(held, again, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a[0], a[2]) and not np.array_equal(a[0], a[1])
    assert not np.array_equal(Worlds(base, 50, 10, stream=6).views([7])[0], held[0][:1])


def test_matrices_are_held_only_while_they_are_small(base: Labelled) -> None:
    many = Worlds(base, 1 << 30, 10, stream=5)
    drawn = many.sample("train", 20, rng())
    assert "_held" not in many.__dict__ and len(set(drawn.task)) == 20
    few = Worlds(base, 4, 10, stream=5)
    few.sample("train", 20, rng())
    assert "_held" in few.__dict__


def test_projections_keep_lengths_on_average() -> None:
    lens, rho = drawn_views(4000, 6, 4, rng())
    assert lens.mean() == pytest.approx(0, abs=0.005) and lens.var() == pytest.approx(1 / 6, rel=0.02)
    x = np.arange(6.0) - 2
    assert np.mean(np.sum((lens @ x) ** 2, 1)) == pytest.approx(np.sum(x**2), rel=0.05)
    counts = Counter(map(tuple, rho.tolist()))
    assert len(counts) == 24 and max(counts.values()) < 2 * min(counts.values())


def test_labels_are_uniform_and_counting_tells_nothing(base: Labelled) -> None:
    """A set in which class 0 is nine times as common as the others; the label least used so far is no better than chance."""
    keep = np.concatenate(
        [np.flatnonzero(base.train.y == 0), *(np.flatnonzero(base.train.y == c)[:30] for c in (1, 2, 3))]
    )
    part = Part(base.train.x[keep], base.train.y[keep], 4)
    world = Worlds(Labelled("mine", part, base.test), 0, 9, stream=1)
    y = world.sample("train", 4000, rng()).y
    assert np.bincount(y[:, 0]) / 4000 == pytest.approx(np.full(4, 0.25), abs=0.03)
    counts = (y[:, :-1, None] == np.arange(4)).sum(1)
    for said in (counts.argmin(1), counts.argmax(1)):
        assert np.mean(said == y[:, -1]) == pytest.approx(0.25, abs=0.03)


def test_distinct_examples_are_drawn_as_one_after_the_other() -> None:
    """Two classes of three examples, four places: the chances of all rows, against an enumeration."""
    part = Part(np.zeros((7, 1), np.float32), np.array([0, 0, 1, 1, 0, 1, 1]), 2)
    n = 60_000
    drawn = np.stack([distinct(part, 1, 2, rng(s))[0] for s in range(2000)])
    assert not repeated(drawn).any()
    drawn = distinct(part, n, 3, rng())
    assert not repeated(drawn).any()
    by_class = [np.flatnonzero(part.y == c).tolist() for c in (0, 1)]
    wanted: dict[tuple[int, ...], float] = {}
    for kinds in np.ndindex(2, 2, 2):
        rows: dict[tuple[int, ...], float] = {(): 1 / 8}
        for c in kinds:
            rows = {
                (*row, i): chance / len(free)
                for row, chance in rows.items()
                for free in [[i for i in by_class[c] if i not in row]]
                for i in free
            }
        wanted.update(rows)
    found = Counter(map(tuple, drawn.tolist()))
    assert set(found) == set(wanted)
    chi = sum((found[row] - n * p) ** 2 / (n * p) for row, p in wanted.items())
    assert chi < len(wanted) + 5 * np.sqrt(2 * len(wanted))


def test_repeated_marks_the_later_ones() -> None:
    at = np.array([[3, 1, 3, 3], [2, 2, 1, 0], [0, 1, 2, 3]])
    assert repeated(at).tolist() == [[False, False, True, True], [False, True, False, False], [False] * 4]


def test_a_share_of_sequences_keeps_its_labels(base: Labelled) -> None:
    world = Worlds(base, 40, 10, stream=2)
    for share, alike in ((1.0, 1.0), (0.0, 1 / 24), (0.5, 0.5 + 0.5 / 24)):
        drawn = world.sample("train", 400, rng(), fixed=share)
        kept = 0
        for x, y, task in zip(drawn.x, drawn.y, drawn.task, strict=True):
            (lens,), _ = world.views([task])
            near = [int(np.argmin(np.abs(base.train.x @ lens.T - one).max(1))) for one in x]
            kept += np.array_equal(base.train.y[near], y)
        assert kept / 400 == pytest.approx(alike, abs=0.08)


def test_shuffled_labels_say_nothing(base: Labelled) -> None:
    drawn = Worlds(base, 0, 10, stream=2, labels="shuffled").sample("train", 2000, rng())
    true = Worlds(base, 0, 10, stream=2).sample("train", 2000, rng())
    assert np.array_equal(drawn.x, true.x)
    assert np.mean(drawn.y == true.y) == pytest.approx(0.25, abs=0.02)


def test_mistakes_name_what_is_wrong(base: Labelled) -> None:
    with pytest.raises(Unknown, match="seen tasks"):
        Worlds(base, 4, 10, stream=1).sample("seen task", 1, rng())
    with pytest.raises(Unknown):
        Worlds(base, 4, 10, stream=1).sample("new data set: gaussian", 1, rng())
    with pytest.raises(Invalid, match="must agree"):
        Worlds(base, 4, 10, stream=1, others=(gaussian(5, 4, rng(), each=20),))
    with pytest.raises(Invalid, match="tasks=-1"):
        Worlds(base, -1, 10, stream=1)
    with pytest.raises(Invalid, match="true or shuffled"):
        Worlds(base, 1, 10, stream=1, labels="false")
    few = made("few", np.eye(6), np.array([0, 0, 0, 1, 1, 1]), np.arange(6) % 3 == 2)
    with pytest.raises(Invalid, match="too few"):
        Worlds(few, 1, 9, stream=1).sample("train", 4, rng())


def test_worlds_as_text(base: Labelled) -> None:
    task = Written(Worlds(base, 4, 3, stream=1), "gaussian")
    assert isinstance(task, Task)
    (one,) = task.draw("new tasks", 1, rng())
    lines = one.prompt.split("\n")
    assert len(lines) == 3 and lines[-1].endswith("->") and lines[0][-2] == " " and lines[0][-1] in "ABCD"
    assert len(lines[-1].split()) == 7 and one.split.shifted
    assert task.score(one, f" {one.truth}\n") == {"exact": 1.0} and task.score(one, "Z") == {"exact": 0.0}
    assert task.draw("new tasks", 1, rng()) == [one]
    assert worlds.letter(0) == "A" and worlds.letter(30) == "30"
