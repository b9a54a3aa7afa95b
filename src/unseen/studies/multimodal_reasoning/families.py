"""Which items are trained on, and along what does the test leave them? Families of splits over one world.

Family("opsys", World()).draw("new pairs", 128, rng)  ->  [128 items of depth 1 whose (operator, object) was never trained on]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from unseen.core.errors import Invalid, Unknown, nearest
from unseen.core.record import Split

from . import scenes
from .scenes import Items
from .trees import Pairing, Trees, grown, levels, operators, single
from .world import (
    CONDITIONS,
    EXIST,
    GETCOLOR,
    GETSHAPE,
    GO,
    OPERATORS,
    PRODUCTEVEN,
    PRODUCTODD,
    SUMEVEN,
    SUMODD,
    Index,
    World,
)

Part = Literal["iid", "distractor", "opsys", "optree", "productive"]
Fidelity = Literal["as_intended", "as_released"]
PARTS: tuple[Part, ...] = ("iid", "distractor", "opsys", "optree", "productive")
ALL = tuple(range(len(OPERATORS)))
FIRST, SECOND = (EXIST, SUMEVEN, PRODUCTEVEN, GETSHAPE), (SUMODD, PRODUCTODD, GO, GETCOLOR)
IFS = (EXIST, SUMEVEN, PRODUCTEVEN), (SUMODD, PRODUCTODD)
THENS = (SUMEVEN, PRODUCTEVEN, GETCOLOR, GETSHAPE), (EXIST, SUMODD, PRODUCTODD, GO)
TREES: tuple[Pairing, ...] = ((CONDITIONS, ALL),)
KNOWN: tuple[Pairing, ...] = ((IFS[0], THENS[0]), (IFS[1], THENS[1]))
UNKNOWN: tuple[Pairing, ...] = ((IFS[0], THENS[1]), (IFS[1], THENS[0]))
SEEN, NEW = "trained pairs", "new pairs"
TRIES = 1000


@dataclass(frozen=True)
class Family:
    """A reference split that is like the training data, and splits that leave it; everything is drawn anew each time.

    iid: one operator, any object. distractor: more distractors. opsys: each operator with the other half of the objects.
    optree: conditions with leaves they never stood beside. productive: deeper trees.
    """

    part: Part
    world: World
    fidelity: Fidelity = "as_intended"
    most: int = 5  # distractors of a training scene, 0 to so many
    tests: tuple[int, ...] = (10, 20, 30, 40)  # distractors, or depths of productive, tested on
    allowed: tuple[int, ...] = ALL  # operators that are asked at all

    def __post_init__(self) -> None:
        many = max((self.most, *self.tests)) if self.part == "distractor" else self.most
        if many >= self.world.cells:
            raise Invalid(
                f"{many} distractors and what is asked about have no room in {self.world.cells} cells; take fewer, or a larger grid."
            )
        for pairing in self._pairings(False) + self._pairings(True):
            if not pairing[1] or (max(self.trained) > 1 and not pairing[0]):
                told = ", ".join(OPERATORS[op] for op in self.allowed)
                raise Invalid(
                    f"{self.part} with the operators {told or 'none'} alone: trees lack conditions or leaves."
                )

    @property
    def trained(self) -> tuple[int, ...]:
        """The depths trained on."""
        if self.part == "productive":
            return (3,) if self.fidelity == "as_released" else (1, 3)
        return (3,) if self.part == "optree" else (1,)

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """The reference split, then the shifted ones."""
        if self.part == "iid":
            return (Split("new scenes", "distractors", {"distractors": self.most}),)
        if self.part == "distractor":
            far = (Split(f"{k} distractors", "distractors", {"distractors": k, "far": self._far(k)}, True) for k in self.tests)  # fmt: skip
            return (Split(f"0 to {self.most} distractors", "distractors", {"distractors": self.most}), *far)
        if self.part == "productive":
            near = Split("trained depths", "depth", {"depth": max(self.trained)})
            return (near, *(Split(f"depth {d}", "depth", {"depth": d, "far": self._far(d)}, True) for d in self.tests))
        return Split(SEEN, "composition"), Split(NEW, "composition", shifted=True)

    def _far(self, test: int) -> str:
        """Whether a test is the farthest from training."""
        return "most" if test == max(self.tests) else "some"

    def half_of(self, op: int, shifted: bool = False) -> int:
        """Which half of the objects (0 or 1) an operator is asked about on the reference split of opsys, or on the other."""
        return int((op in SECOND) ^ shifted)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> list[Items]:
        """n items of a split (or of "train", which is like the reference), by depth. Raises Unknown for another name."""
        names = [s.name for s in self.splits]
        if split not in ("train", *names):
            raise Unknown(f"{self.part} has no split {split!r}{nearest(split, names)}. Its splits: {', '.join(names)}.")
        shifted = split in names[1:]
        depths = self.trained
        if shifted and self.part == "productive":
            depths = (int(str(self.splits[names.index(split)].at["depth"])),)
        counts = np.bincount(rng.integers(0, len(depths), n), minlength=len(depths)) if len(depths) > 1 else [n]
        fixed = (
            int(str(self.splits[names.index(split)].at["distractors"]))
            if shifted and self.part == "distractor"
            else None
        )
        return [self._of(d, int(k), shifted, fixed, rng) for d, k in zip(depths, counts, strict=True) if k]

    def _of(self, depth: int, n: int, shifted: bool, fixed: int | None, rng: np.random.Generator) -> Items:
        """n items of one depth; those whose scene had no room for its objects are drawn again."""
        found: list[Items] = []
        lacking = n
        for _ in range(TRIES):
            trees, fine = self._trees(depth, lacking, shifted, rng)
            counts = rng.integers(0, self.most + 1, len(trees)) if fixed is None else np.full(len(trees), fixed)
            items, room = scenes.of(trees, self.world, counts, rng)
            fine = fine & room
            found.append(items if fine.all() else items.take(np.flatnonzero(fine)))
            lacking -= len(found[-1])
            if not lacking:
                return Items.concat(found)
        raise Invalid(
            f"questions of depth {depth} find no room in {self.world}; take a larger grid, more letters and colours, or fewer distractors."
        )

    def _trees(self, depth: int, n: int, shifted: bool, rng: np.random.Generator) -> tuple[Trees, np.ndarray]:
        op = operators(depth, n, self._pairings(shifted), rng)
        if levels(depth):
            return grown(op, depth, self.world, rng)
        return single(op[:, 0], self._objects(shifted), rng), np.ones(n, bool)

    def _pairings(self, shifted: bool) -> list[Pairing]:
        """Which conditions may stand with which leaves, of the operators that are allowed."""
        whole = (UNKNOWN if shifted else KNOWN) if self.part == "optree" else TREES
        return [tuple(tuple(op for op in ops if op in self.allowed) for ops in pairing) for pairing in whole]  # type: ignore[misc]

    def _objects(self, shifted: bool) -> list[Index]:
        if self.part != "opsys":
            return [every(self.world)] * len(OPERATORS)
        split = halves(self.world, self.fidelity)
        return [split[self.half_of(op, shifted)] for op in ALL]


def every(world: World) -> Index:
    """All objects that are asked about [k 2], as (shape, colour)."""
    return np.stack(np.divmod(np.arange(world.queried**2), world.queried), 1)


def halves(world: World, fidelity: Fidelity) -> tuple[Index, Index]:
    """The two halves of the objects [k 2].

    As intended they share none, and each holds every letter and every colour: the squares of a chessboard. As released
    the first holds the first half of the colours with all letters, the second all colours with the last half of the
    letters (IBM/gcog 80de678, gcog/task/dataset_generator.py, generate_select_subsets), so that they share a quarter
    of all objects and another quarter stands in neither.
    """
    objects = every(world)
    shape, colour = objects.T
    if fidelity == "as_intended":
        return objects[(shape + colour) % 2 == 0], objects[(shape + colour) % 2 == 1]
    half = round(world.queried / 2)
    return objects[colour < half], objects[shape >= half]
