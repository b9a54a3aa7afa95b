"""What is one problem of a template, and what is a template?

Problem(question='What is the greatest common divisor of 84 and 36? ...', compact='84 36', answer='12', kind='integer')

A `Family` is one template: it draws problems of a level with their exact answers. A module of `families/` ends in
`FAMILIES: tuple[Family, ...]`. Answers are canonical texts, of five kinds:

    integer    '-12'          decimal    '3.14'         fraction   '3/7', '-2/1' never: a whole fraction is '-2'
    list       '2, 3, 7'      text       'red'
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeVar, get_args

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.row import Value

Kind = Literal["integer", "decimal", "fraction", "list", "text"]
T = TypeVar("T")
KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Problem:
    """One question with its right answer.

    `question` is complete English for a language model and says in what form the answer is wanted; `compact` has the
    same content for small models, in digits and few symbols; `answer` is the canonical text of its `kind`; `familiar`
    is what the procedure of the trained template would answer where it is wrong; `at` holds factors of the problem
    beside its family and level.
    """

    question: str
    compact: str
    answer: str
    kind: Kind
    familiar: str | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Family:
    """One template: `draw(level, rng)` returns a problem of that level and raises `Invalid` for any other.

    `domain` is one of algebra, matrices, functions, combinatorics, geometry, logic, numbers, composed, transformed.
    """

    name: str
    domain: str
    levels: tuple[int, ...]
    draw: Callable[[int, np.random.Generator], Problem]


def listed(values: Iterable[int | Fraction]) -> str:
    """The canonical text of a list: '2, 3, 7'."""
    return ", ".join(str(value) for value in values)


def decimal(value: float | Fraction, places: int) -> str:
    """`value` rounded half up to `places` decimals, exactly where it is a fraction: '2.50'."""
    scaled = Fraction(value) * 10**places
    whole = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if scaled < 0 and whole else ""
    if places == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole // 10**places}.{whole % 10**places:0{places}d}"


def parameters(family: str, level: int, table: Mapping[int, T]) -> T:
    """The parameters of `level`; raises `Invalid` naming the levels that `family` has."""
    if level not in table:
        raise Invalid(f"{family} has no level {level}; its levels are {', '.join(map(str, table))}")
    return table[level]


def dice(rng: np.random.Generator) -> random.Random:
    """Python's generator seeded from `rng`: ten times as fast where single numbers are drawn one by one."""
    return random.Random(int(rng.integers(1 << 62)))
