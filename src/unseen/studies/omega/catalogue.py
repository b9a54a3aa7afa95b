"""Which templates are there, and on what are they asked?

FAMILIES['gcd']             Family('gcd', 'algebra', levels=(1, 2, 3, 4, 5), …)
parts('gcd')                levels 1 and 2 as reference, 3 to 5 beyond them
parts('polynomial_gcd')     levels 1 and 2 of polynomial_roots and of gcd as reference, polynomial_gcd beyond them
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from unseen.core.errors import Unknown, nearest
from unseen.core.record import Split
from unseen.tasks.drawn import no_split

from . import composed, transformed, twin
from .families import algebra, counting, functions, geometry, logic, matrices, numbers, polygons, zebra
from .problem import Family, Problem

Axis = Literal["complexity", "composition", "transformation"]
Role = Literal["trained", "beyond", "first", "second", "composed", "transformed"]
MODULES = (
    algebra, functions, matrices, counting, geometry, polygons, logic, zebra, numbers, composed, transformed, twin,
)  # fmt: skip
FAMILIES: Mapping[str, Family] = {f.name: f for module in MODULES for f in module.FAMILIES}
TEMPLATES = tuple(f.name for f in FAMILIES.values() if f.domain not in ("composed", "transformed", "twin"))
PAIRS = {pair.composed: pair for pair in (*composed.PAIRS, *twin.TWINS)}
SHIFTS = {shift.transformed: shift for shift in transformed.SHIFTS}
TRAINED = (1, 2)  # the levels that are trained on: the paper's, for a model of 7 billion weights
HELD = 4  # one problem in four is never drawn for training


@dataclass(frozen=True, slots=True)
class Part:
    """One level of one family, and what it is to the task it is a part of."""

    role: Role
    family: str
    level: int

    @property
    def name(self) -> str:
        """The name of its split."""
        return f"{self.family} level {self.level}"

    def split(self, axis: Axis) -> Split:
        """The split that this part is asked on."""
        return Split(self.name, axis, {"family": self.family, "level": self.level, "role": self.role}, self.shifted)

    @property
    def shifted(self) -> bool:
        """Whether it lies beyond what is trained on."""
        return self.role in ("beyond", "composed", "transformed")


def family(name: str) -> Family:
    """The family of that name. Raises Unknown with the nearest ones."""
    if name not in FAMILIES:
        raise Unknown(f"no family is called {name!r}{nearest(name, FAMILIES)}. Families: {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def axis_of(name: str) -> Axis:
    """Along what the task of a family leaves what is trained on."""
    return "composition" if name in PAIRS else "transformation" if name in SHIFTS else "complexity"


def parts(name: str) -> tuple[Part, ...]:
    """What a family's task asks: the levels trained on, of the family or of those it joins, and what lies beyond."""
    levels = family(name).levels
    if name in PAIRS:
        pair = PAIRS[name]
        known = [Part("first", pair.first, n) for n in TRAINED] + [Part("second", pair.second, n) for n in TRAINED]
        return (*known, *(Part("composed", name, n) for n in levels))
    if name in SHIFTS:
        known = [Part("trained", SHIFTS[name].trained, n) for n in TRAINED]
        return (*known, *(Part("transformed", name, n) for n in levels))
    return tuple(Part("trained" if n in TRAINED else "beyond", name, n) for n in levels)


def held(problem: Problem) -> bool:
    """Whether a problem is kept from training: by a digest of its content, whatever task draws it."""
    return hashlib.sha256(problem.compact.encode()).digest()[0] % HELD == 0


def known(names: Sequence[str]) -> tuple[str, ...]:
    """The names, checked."""
    return tuple(family(name).name for name in names)


def part_named(task: str, among: Sequence[Part], split: str) -> Part:
    """The part that is asked on a task's split of that name. Raises Unknown."""
    found = {part.name: part for part in among}
    if split not in found:
        raise no_split(task, split, found)
    return found[split]
