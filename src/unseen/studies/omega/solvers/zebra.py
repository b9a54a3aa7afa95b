"""Which puzzle of houses in a row has exactly one solution?

A puzzle has `houses` houses and `kinds` kinds of things (names, drinks, …), each thing in one house. A thing is a
number: kind * houses + index. A clue relates one thing to a house or two things to each other:

    Clue("at", 0, 2)      thing 0 is in house 2          Clue("left", 0, 5)    thing 0 is somewhere left of thing 5
    Clue("not", 0, 2)     thing 0 is not in house 2      Clue("next", 0, 5)    thing 0 is directly left of thing 5
    Clue("same", 0, 5)    they share a house             Clue("beside", 0, 5)  they are in neighbouring houses
    Clue("apart1", 0, 5)  one house is between them      Clue("apart2", 0, 5)  two houses are between them

The kinds of clue are those of ZebraLogic (Lin et al. 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

Relation = Literal["at", "not", "same", "left", "next", "beside", "apart1", "apart2"]
PAIRED: tuple[Relation, ...] = ("same", "left", "next", "beside", "apart1", "apart2")


@dataclass(frozen=True, slots=True)
class Clue:
    """A relation of thing `one` to `other`: a house where the relation is `at` or `not`, else a thing."""

    relation: Relation
    one: int
    other: int


def holds(relation: Relation, one: int, other: int) -> bool:
    """Whether houses `one` and `other` stand in the relation."""
    match relation:
        case "at" | "same":
            return one == other
        case "not":
            return one != other
        case "left":
            return one < other
        case "next":
            return one + 1 == other
        case "beside":
            return abs(one - other) == 1
        case "apart1":
            return abs(one - other) == 2
        case "apart2":
            return abs(one - other) == 3


def true_clues(places: Sequence[int], houses: int) -> list[Clue]:
    """Every clue that holds where thing t is in house places[t]; pairs of one kind are told of by other relations."""
    clues = [
        Clue("at" if places[thing] == house else "not", thing, house)
        for thing in range(len(places))
        for house in range(houses)
    ]
    told: dict[int, tuple[Relation, ...]] = {
        gap: tuple(name for name in PAIRED if holds(name, 0, gap)) for gap in range(1 - houses, houses)
    }
    for one in range(len(places)):
        for other in range(len(places)):
            if one != other:
                for relation in told[places[other] - places[one]]:
                    if one < other or relation in ("left", "next"):
                        clues.append(Clue(relation, one, other))
    return clues


@cache
def _supports(houses: int) -> dict[tuple[Relation, bool], tuple[tuple[int, ...], tuple[int, ...]]]:
    """For a relation and for its opposite, two tables: the houses that the other may have by the set of the one's, and
    the reverse."""
    tables: dict[tuple[Relation, bool], tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for relation in PAIRED:
        for kept in (True, False):
            there = [sum(1 << b for b in range(houses) if holds(relation, a, b) == kept) for a in range(houses)]
            back = [sum(1 << a for a in range(houses) if holds(relation, a, b) == kept) for b in range(houses)]
            tables[relation, kept] = (_unions(there, houses), _unions(back, houses))
    return tables


def _unions(masks: Sequence[int], houses: int) -> tuple[int, ...]:
    """The union of masks[h] over the houses h of a set, for every set of houses."""
    table = [0] * (1 << houses)
    for group in range(1, 1 << houses):
        low = group & -group
        table[group] = table[group ^ low] | masks[low.bit_length() - 1]
    return tuple(table)


Pair = tuple[int, int, tuple[int, ...], tuple[int, ...]]


def solutions(
    clues: Sequence[Clue], houses: int, kinds: int, *, most: int = 2, against: Clue | None = None
) -> list[tuple[int, ...]]:
    """Up to `most` different solutions, each the house of every thing [kinds * houses], in which the clue `against`
    does not hold: by search with propagation."""
    domains = [(1 << houses) - 1] * (houses * kinds)
    tables = _supports(houses)
    pairs: list[Pair] = []
    for clue in (*clues, against) if against else clues:
        kept = clue is not against
        if clue.relation in ("at", "not"):
            domains[clue.one] &= 1 << clue.other if (clue.relation == "at") == kept else ~(1 << clue.other)
        else:
            pairs.append((clue.one, clue.other, *tables[clue.relation, kept]))
    found: list[tuple[int, ...]] = []
    _search(domains, pairs, houses, most, found)
    return found


def _search(domains: list[int], pairs: list[Pair], houses: int, most: int, found: list[tuple[int, ...]]) -> None:
    """Adds the solutions within `domains` to `found` until it has `most`."""
    if not _propagated(domains, pairs, houses):
        return
    narrowest, width = -1, houses + 1
    for thing, domain in enumerate(domains):
        if 1 < (size := domain.bit_count()) < width:
            narrowest, width = thing, size
    if narrowest < 0:
        found.append(tuple(domain.bit_length() - 1 for domain in domains))
        return
    left = domains[narrowest]
    while left and len(found) < most:
        low = left & -left
        left ^= low
        _search([*domains[:narrowest], low, *domains[narrowest + 1 :]], pairs, houses, most, found)


def _propagated(domains: list[int], pairs: list[Pair], houses: int) -> bool:
    """Narrows the domains until nothing follows any more; False where a thing has no house left."""
    before: list[int] = [0] * len(domains)
    while before != domains:
        for one, other, there, back in pairs:
            domains[other] &= there[domains[one]]
            domains[one] &= back[domains[other]]
        for first in range(0, len(domains), houses):
            last = first + houses
            if before[first:last] == domains[first:last]:
                continue
            before[first:last] = domains[first:last]
            if not _apart(domains, first, houses):
                return False
    return True


def _apart(domains: list[int], first: int, houses: int) -> bool:
    """Narrows one kind: a placed thing's house is nobody else's, and a house open to one thing only is its own."""
    once = twice = placed = 0
    for domain in domains[first : first + houses]:
        if not domain:
            return False
        twice |= once & domain
        once |= domain
        if not domain & (domain - 1):
            if placed & domain:
                return False
            placed |= domain
    if once != (1 << houses) - 1:
        return False
    single = once & ~twice
    for thing in range(first, first + houses):
        domain = domains[thing]
        if domain & (domain - 1):
            own = domain & single
            if own & (own - 1):
                return False
            domains[thing] = own or domain & ~placed
    return True


def shortened(clues: Sequence[Clue], houses: int, kinds: int) -> list[Clue]:
    """The clues without those that the solution does not need: first the shortest beginning that has one solution only,
    then one pass that drops each clue the others make up for. The whole list must have one solution only."""
    few, enough = 0, houses * kinds
    while enough < len(clues) and len(solutions(clues[:enough], houses, kinds)) > 1:
        few, enough = enough, 2 * enough
    enough = min(enough, len(clues))
    while few + 1 < enough:
        middle = (few + enough) // 2
        if len(solutions(clues[:middle], houses, kinds)) == 1:
            enough = middle
        else:
            few = middle
    kept = list(clues[:enough])
    for clue in kept[:-1]:  # the last one is needed: the beginning without it has several solutions
        fewer = [other for other in kept if other is not clue]
        if not solutions(fewer, houses, kinds, most=1, against=clue):
            kept = fewer
    return kept
