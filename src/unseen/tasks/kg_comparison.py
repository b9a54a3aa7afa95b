"""Can two facts be compared that were only ever learned alone? Entities with attributes whose values are numbers.

comparison            e4 a3 v5 | e9 a3 v8       ->  prompt 'a3 <q> e4 <mask> e9', truth 'a3<'
complex reasoning     the values of apart entities are never told, only comparisons of theirs with used entities:
                      v(e4) = 5, v(e9) = 8, x < e4, e9 < y   ->  prompt 'a3 <q> x <mask> y </q> <a>', truth 'a3<'

Which entities are apart is drawn for each attribute by itself. Both orders of a pair are on the same split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.core.errors import Invalid

from .kg import (
    APART,
    ASK,
    ASKED,
    ATOMIC,
    ATOMIC_APART,
    MARKS,
    MASK,
    NEW,
    SAY,
    SIGNS,
    SPLITS,
    TRAINED,
    Bools,
    Facts,
    Ints,
    Knowledge,
    facts_of,
    joined,
    split_of,
)
from .kg_order import EQUAL, OPEN, decided, edges

MIXED, HARD = "composed mixed", "composed hard"


@dataclass(frozen=True, eq=False)
class Values:
    """What is compared: values [entity attribute] from 0 on, `kinds` different ones, and which are apart [entity attribute]."""

    value: Ints
    kinds: int
    apart: Bools

    def entity(self, i: Any) -> Any:
        """The token of an entity."""
        return len(MARKS) + i

    def attribute(self, a: Any) -> Any:
        """The token of an attribute."""
        return len(MARKS) + self.value.shape[0] + a

    def number(self, v: Any) -> Any:
        """The token of a value."""
        return len(MARKS) + sum(self.value.shape) + v

    def label(self, a: Any, sign: Any) -> Any:
        """The token of an answer: each attribute has three of its own."""
        return len(MARKS) + sum(self.value.shape) + self.kinds + 3 * a + sign

    def words(self) -> tuple[str, ...]:
        """The texts of all tokens."""
        entities, attributes = self.value.shape
        counted = (("e", entities), ("a", attributes), ("v", self.kinds))
        signs = (f"a{a}{sign}" for a in range(attributes) for sign in SIGNS)
        return (*MARKS, *(f"{letter}{i}" for letter, n in counted for i in range(n)), *signs)

    def signs(self, compared: Ints) -> Ints:
        """How entities compare: LESS, EQUAL or MORE [fact], of comparisons (one, other, attribute) [3 fact]."""
        one, other, attribute = compared
        return np.sign(self.value[one, attribute] - self.value[other, attribute]) + EQUAL


@dataclass(frozen=True, eq=False)
class Reasoned(Values):
    """Values of complex reasoning with the comparisons trained on [3 fact]."""

    taught: Ints


@dataclass(frozen=True, eq=False)
class _Pairs:
    """All pairs of entities in every attribute, counted through pairs [pair] and attributes; `count` [pair attribute] is
    how many of a pair's two atoms are apart."""

    one: Ints
    other: Ints
    count: Ints

    def with_apart(self, n: int) -> Ints:
        """The numbers of all pairs of which n atoms are apart."""
        return np.flatnonzero(self.count == n)

    def ordered(self, pairs: Ints, turned: Ints) -> Ints:
        """Comparisons (one, other, attribute) [3 fact] of pairs by their numbers; those with `turned` 1 the other way round."""
        pair, attribute = np.divmod(pairs, self.count.shape[1])
        ends = np.stack([self.one[pair], self.other[pair]])
        return np.stack([np.where(turned, ends[1], ends[0]), np.where(turned, ends[0], ends[1]), attribute])

    def both(self, pairs: Ints, most: int) -> Ints:
        """Comparisons of the first pairs both ways round, at most so many."""
        return self.ordered(np.repeat(pairs[: max(1, most // 2)], 2), np.tile([0, 1], len(pairs[: max(1, most // 2)])))

    def some(self, pairs: Ints, n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """n of the comparisons of these pairs, drawn without replacement [3 fact], and the pairs they are of [fact]."""
        drawn = rng.choice(2 * len(pairs), n, replace=False)
        return self.ordered(pairs[drawn // 2], drawn % 2), pairs[drawn // 2]


def _drawn(
    entities: int, attributes: int, values: int, apart: float, rng: np.random.Generator
) -> tuple[Values, _Pairs]:
    """Values drawn uniformly and a share of entities apart in every attribute, with their pairs."""
    if entities < 4 or attributes < 1 or values < 2:
        raise Invalid(f"entities={entities}, attributes={attributes}, values={values}: at least 4, 1 and 2 are needed.")
    loose = np.argsort(rng.random((entities, attributes)), 0) < round(apart * entities)
    one, other = np.triu_indices(entities, 1)
    count = loose[one].astype(np.int8) + loose[other]
    return Values(rng.integers(0, values, (entities, attributes)), values, loose), _Pairs(one, other, count)


def _parted(pairs: Ints, held: float, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs in random order: a share held out, and the rest."""
    mixed = rng.permutation(pairs)
    return mixed[: round(held * len(pairs))], mixed[round(held * len(pairs)) :]


def comparison(
    entities: int,
    attributes: int,
    values: int,
    phi: float,
    rng: np.random.Generator,
    *,
    apart: float = 0.1,
    held: float = 0.1,
    tested: int = 3000,
    closed: bool = True,
) -> Knowledge:
    """Comparison of entities by attributes with so many different values. Of the pairs of used entities a share `held` is
    tested on, and `phi` comparisons for each used atom are trained on; pairs of a used and an apart one are left out.

    `tested` and `closed` as in `kg.composition`. 1,000 entities with 20 attributes take about a second. Raises Invalid
    where there are fewer comparisons than `phi` asks for.
    """
    world, pairs = _drawn(entities, attributes, values, apart, rng)
    tests, pool = _parted(pairs.with_apart(0), held, rng)
    atoms = int((~world.apart).sum())
    if round(phi * atoms) > 2 * len(pool):
        raise Invalid(
            f"phi={phi:g} asks for {round(phi * atoms)} comparisons; there are {2 * len(pool)}: at most {2 * len(pool) / atoms:.1f}."
        )
    trained, _ = pairs.some(pool, round(phi * atoms), rng)
    alone = rng.permutation(pairs.with_apart(2))
    asked = {
        TRAINED: trained[:, :tested],
        NEW: pairs.both(tests, tested),
        APART: pairs.both(alone, tested),
    }
    atomic = {ATOMIC: _atoms(~world.apart, rng), ATOMIC_APART: _atoms(world.apart, rng)}
    tables = {
        "train": joined(*(_told(world, rows, closed) for rows in atomic.values()), _asked(world, trained, closed)),
        **{name: _told(world, rows[:, :tested], closed) for name, rows in atomic.items()},
        **{name: _asked(world, rows, closed) for name, rows in asked.items()},
    }
    return Knowledge("comparison", world.words(), SPLITS, tables, world)


def complex_reasoning(
    entities: int,
    attributes: int,
    values: int,
    rng: np.random.Generator,
    *,
    kept: float = 0.03,
    apart: float = 0.1,
    held: float = 0.1,
    hard: int = 50,
    tested: int = 3000,
) -> Knowledge:
    """Comparisons of apart entities whose values are never told. Trained on: the atoms of used entities, a share `kept`
    of the comparisons of two used ones (after `held` pairs are taken out) and of those of a used and an apart one.

    The shifted split holds `hard` comparisons of each label between apart entities that follow from all that is trained
    on, and not without the atoms. 1,000 entities with 20 attributes take about six seconds.
    """
    world, pairs = _drawn(entities, attributes, values, apart, rng)
    tests, pool = _parted(pairs.with_apart(0), held, rng)
    among, mixed = (
        pairs.some(rows, round(kept * 2 * len(rows)), rng) for rows in (pool, rng.permutation(pairs.with_apart(1)))
    )
    left = rng.permutation(np.setdiff1d(pairs.with_apart(1), mixed[1]))
    trained = np.concatenate([among[0], mixed[0]], 1)
    asked = {
        TRAINED: trained[:, rng.permutation(trained.shape[1])[:tested]],
        NEW: pairs.both(tests, tested),
        MIXED: pairs.both(left, tested),
        HARD: _hard(world, trained, hard, rng),
    }
    atoms = _atoms(~world.apart, rng)
    tables = {
        "train": joined(_told_marked(world, atoms), _asked_marked(world, trained)),
        ATOMIC: _told_marked(world, atoms[:, :tested]),
        **{name: _asked_marked(world, rows) for name, rows in asked.items()},
    }
    splits = (
        split_of(ATOMIC, "component", trained=True),
        split_of(TRAINED, "composed", trained=True),
        split_of(NEW, "composed"),
        split_of(MIXED, "composed"),
        split_of(HARD, "composed", shifted=True),
    )
    told = Reasoned(world.value, world.kinds, world.apart, trained)
    return Knowledge("complex_reasoning", world.words(), splits, tables, told)


def _hard(world: Values, trained: Ints, n: int, rng: np.random.Generator) -> Ints:
    """n comparisons [3 fact] of each label that follow with the atoms and not without them; fewer where there are fewer."""
    needing = np.stack([needing_atoms(world, trained, a) for a in range(world.value.shape[1])], 2)
    rows = np.stack(np.nonzero(needing))
    rows = rows[:, rng.permutation(rows.shape[1])]
    signs = world.signs(rows)
    return np.concatenate([rows[:, np.flatnonzero(signs == sign)[:n]] for sign in range(len(SIGNS))], 1)


def needing_atoms(world: Values, trained: Ints, attribute: int) -> Bools:
    """Which comparisons [entity entity] of two apart entities follow from the trained ones [3 fact] together with the
    values of the used entities, and not from the trained ones alone."""
    rows = trained[:, trained[2] == attribute]
    n = len(world.value)
    least, more = edges(n, rows[0], rows[1], world.signs(rows))
    alone = np.flatnonzero(world.apart[:, attribute])
    value, used = world.value[:, attribute], ~world.apart[:, attribute]
    known = used[:, None] & used
    with_atoms = decided(least | (known & (value[:, None] >= value)), more | (known & (value[:, None] > value)), alone)
    found = np.zeros((n, n), bool)
    found[np.ix_(alone, alone)] = (with_atoms != OPEN) & (decided(least, more, alone) == OPEN)
    np.fill_diagonal(found, False)
    return found


def _atoms(mask: Bools, rng: np.random.Generator) -> Ints:
    """Atoms (entity, attribute) [2 fact] where the mask [entity attribute] is true, in random order."""
    found = np.stack(np.nonzero(mask))
    return found[:, rng.permutation(found.shape[1])]


def _told(world: Values, atoms: Ints, closed: bool) -> Facts:
    """`e a v` of each atom."""
    entity, attribute = atoms
    parts = (world.entity(entity), world.attribute(attribute), world.number(world.value[entity, attribute]))
    return facts_of(parts, False, _atomic(world, atoms), closed)


def _asked(world: Values, compared: Ints, closed: bool) -> Facts:
    """`a <q> e <mask> e label` of each comparison."""
    one, other, a = compared
    parts = (
        world.attribute(a),
        ASK,
        world.entity(one),
        MASK,
        world.entity(other),
        world.label(a, world.signs(compared)),
    )
    return facts_of(parts, True, _composed(world, compared), closed)


def _told_marked(world: Values, atoms: Ints) -> Facts:
    """`<q> e a <mask> </q> <a> v </a>` of each atom."""
    entity, a = atoms
    said = world.number(world.value[entity, a])
    return facts_of(
        (ASK, world.entity(entity), world.attribute(a), MASK, ASKED, SAY, said), False, _atomic(world, atoms), True
    )


def _asked_marked(world: Values, compared: Ints) -> Facts:
    """`a <q> e <mask> e </q> <a> label </a>` of each comparison."""
    one, other, a = compared
    said = world.label(a, world.signs(compared))
    parts = (world.attribute(a), ASK, world.entity(one), MASK, world.entity(other), ASKED, SAY, said)
    return facts_of(parts, True, _composed(world, compared), True)


def _atomic(world: Values, atoms: Ints) -> dict[str, Any]:
    entity, attribute = atoms
    value = world.value[entity, attribute]
    nothing = np.full(len(value), "")
    return {"apart": world.apart[entity, attribute].astype(int), "value": value, "label": nothing}


def _composed(world: Values, compared: Ints) -> dict[str, Any]:
    """Factors of comparisons: how many of their atoms are apart, the value of the first, and the label."""
    one, other, a = compared
    return {
        "apart": world.apart[one, a].astype(int) + world.apart[other, a],
        "value": world.value[one, a],
        "label": np.array(SIGNS)[world.signs(compared)],
    }
