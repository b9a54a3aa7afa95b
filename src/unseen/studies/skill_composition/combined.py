"""Which texts are asked for? Combinations of k skills and a topic, drawn uniformly and without repetition.

drawn(own(), k=3, n=2, rng)  ->  [Combination((Skill("voice", "quotation", …), …), Topic("bread", …)), …]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import comb

import numpy as np

from unseen.core.errors import Invalid

from .scores import most_sentences
from .skills import Skill, Stock, Topic

LISTED = 100_000  # so many combinations are shuffled; of more, places are drawn until they differ


@dataclass(frozen=True, slots=True)
class Combination:
    """What one text is to show, and on what."""

    skills: tuple[Skill, ...]
    topic: Topic

    @property
    def k(self) -> int:
        """How many skills it joins."""
        return len(self.skills)

    @property
    def sentences(self) -> int:
        """How many sentences the text may have."""
        return most_sentences(self.k)


def count(stock: Stock, k: int) -> int:
    """How many combinations of k skills and a topic there are."""
    return comb(len(stock.skills), k) * len(stock.topics)


def shuffled(stock: Stock, k: int, rng: np.random.Generator) -> Iterator[Combination]:
    """Every combination once, in an order by chance. Raises Invalid where there are not k skills, or no topic."""
    total = count(stock, k)
    if k < 1 or not total:
        raise Invalid(f"k={k}: no text can be asked for, as there are {len(stock.skills)} skills and {len(stock.topics)} topics; choose k from 1 to {len(stock.skills)}.")  # fmt: skip
    places = rng.permutation(total).tolist() if total <= LISTED else _places(total, rng)
    return (_at(stock, k, place) for place in places)


def drawn(stock: Stock, k: int, n: int, rng: np.random.Generator) -> list[Combination]:
    """n combinations, each once; all there are where these are fewer. More of them from an equal generator begin alike."""
    return list(islice(shuffled(stock, k, rng), n))


def _places(total: int, rng: np.random.Generator) -> Iterator[int]:
    """Every whole number below total once, in an order by chance; the last ones take long."""
    found: set[int] = set()
    while len(found) < total:
        if (place := _below(total, rng)) not in found:
            found.add(place)
            yield place


def _below(total: int, rng: np.random.Generator) -> int:
    """A whole number from 0 to total - 1, each equally likely, however large total is."""
    bits = total.bit_length()
    while True:
        number = int.from_bytes(rng.bytes((bits + 7) // 8), "big") >> (-bits % 8)
        if number < total:
            return number


def _at(stock: Stock, k: int, place: int) -> Combination:
    """The combination at a place of the list of all, its skills in lexicographic order of theirs."""
    place, topic = divmod(place, len(stock.topics))
    chosen: list[int] = []
    for i in range(len(stock.skills)):
        with_i = comb(len(stock.skills) - i - 1, k - len(chosen) - 1) if len(chosen) < k else 0
        if place < with_i:
            chosen.append(i)
        else:
            place -= with_i
    return Combination(tuple(stock.skills[i] for i in chosen), stock.topics[topic])
