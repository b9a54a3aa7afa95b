"""Which rewriting rules are taught, and which are held out? Rules drawn from a world, by domain and fate.

rules_of(World(alphabet=12), "free", "taught", 2)        ->  left [[3 11] [7 2]], right [[9 1] [7 5]]

A world says which rules and strings there are; what is taught is so many rules with so many examples in all. Whether a
rule may be taught is a function of the world's seed and the rule alone, so that worlds taught more or less, or other
domains, are tested on the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Unknown, nearest

from .rewriting_strings import DOMAINS, Domain, Letters, drawn

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
HELD = 8  # one left side in so many is never taught, and of the rest one rule in so many
CHUNK = 4096  # rules drawn at first; each further draw is twice as large
Fate = Literal["taught", "new rules", "new left sides"]
NEW: tuple[Fate, ...] = ("new rules", "new left sides")


@dataclass(frozen=True, slots=True)
class World:
    """Which rules and strings there are: letters, the shortest and longest side of a rule, and the same of a string.

    `copies` is how often a shape repeats its seed (larger is narrower), `seed` decides which rules are drawn and held out.
    """

    alphabet: int = 26
    sides: tuple[int, int] = (2, 2)
    length: tuple[int, int] = (12, 12)
    copies: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.alphabet <= len(ALPHABET):
            raise Invalid(f"alphabet={self.alphabet}: a world has 2 to {len(ALPHABET)} letters.")
        for name, (low, high) in (("sides", self.sides), ("length", self.length)):
            if not 1 <= low <= high:
                raise Invalid(f"{name}=({low}, {high}): the shortest must be at least 1 and at most the longest.")
        if self.sides[1] > self.length[0]:
            raise Invalid(
                f"sides={self.sides}, length={self.length}: a left side of {self.sides[1]} letters does not fit into a string of {self.length[0]}; make strings longer."
            )


@dataclass(frozen=True, slots=True)
class Taught:
    """What training shows: so many rules of some domains, and so many examples of all of them together.

    shares [domain] split the rules (equally if empty); rule r = 1, 2, … has examples in proportion to r^−alpha, at least
    one; in a share `idle` of the examples the left side does not occur.
    """

    rules: int
    total: int
    domains: tuple[Domain, ...] = ("free",)
    shares: tuple[float, ...] = ()
    alpha: float = 0.0
    idle: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.rules <= self.total:
            raise Invalid(f"rules={self.rules}, total={self.total}: every rule taught needs at least one example.")
        if not self.domains:
            raise Invalid(f"domains=(): name some of {', '.join(DOMAINS)}.")
        if strange := [d for d in self.domains if d not in DOMAINS]:
            raise Unknown(
                f"no domain is called {strange[0]!r}{nearest(strange[0], DOMAINS)}. Domains: {', '.join(DOMAINS)}."
            )
        if self.shares and (len(self.shares) != len(self.domains) or min(self.shares) <= 0):
            raise Invalid(f"shares={self.shares}: give one above 0 for each of the domains {', '.join(self.domains)}.")
        if not 0 <= self.idle < 1:
            raise Invalid(f"idle={self.idle}: a share of examples, from 0 to below 1.")


@dataclass(frozen=True, eq=False)
class Rules:
    """Distinct rules: left [rule letter] and right [rule letter], padded with 0."""

    left: Letters
    right: Letters

    def __len__(self) -> int:
        return len(self.left)


def marks(left: Letters, right: Letters | None = None, *, seed: int = 0) -> NDArray[np.uint64]:
    """64 mixed bits for each rule, or each left side alone: a function of the letters and the seed (splitmix64)."""
    begun = np.full(len(left), seed & (2**64 - 1), np.uint64)
    for part, side in enumerate((left, right)):
        for place in range(0 if side is None else side.shape[1]):
            letters = side[:, place].astype(np.uint64)  # type: ignore[index]
            unlike = np.uint64((0x9E3779B97F4A7C15 * (64 * part + place + 1)) % 2**64)
            begun = np.where(letters > 0, _mixed(begun ^ (letters * np.uint64(0xD1342543DE82EF95)) ^ unlike), begun)
    return _mixed(begun)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def fates(world: World, rules: Rules) -> NDArray[np.str_]:
    """What may become of each rule [rule]: "taught", or held out as one of "new rules" or "new left sides"."""
    side = marks(rules.left, seed=world.seed) % np.uint64(HELD) == 0
    rule = marks(rules.left, rules.right, seed=world.seed) % np.uint64(HELD) == 0
    return np.where(side, NEW[1], np.where(rule, NEW[0], "taught"))


def rules_of(world: World, domain: Domain, fate: Fate, n: int, *, fewer: bool = False) -> Rules:
    """The first n distinct rules of one endless sequence, so that fewer rules are always among more.

    Both sides are of the domain and differ. Raises Invalid where the world has not so many, unless fewer will do. A
    million rules of 26 letters take seconds.
    """
    rng = np.random.default_rng((world.seed, DOMAINS.index(domain), ("taught", *NEW).index(fate)))
    found, chunk = Rules(*(np.zeros((0, world.sides[1]), np.int64) for _ in "xy")), CHUNK
    while len(found) < n:
        more = _drawn_rules(world, domain, chunk, rng)
        kept = (fates(world, more) == fate) & np.any(more.left != more.right, axis=1)
        both = Rules(np.vstack([found.left, more.left[kept]]), np.vstack([found.right, more.right[kept]]))
        first = np.sort(np.unique(marks(both.left, both.right, seed=world.seed), return_index=True)[1])
        if len(first) == len(found):
            if fewer and len(found):
                return found
            raise Invalid(
                f"{n} {domain} rules of kind {fate!r} are asked for, but {len(found)} were found with alphabet={world.alphabet}, sides={world.sides}, copies={world.copies}; ask for fewer, or make alphabet or sides larger."
            )
        found, chunk = Rules(both.left[first], both.right[first]), 2 * chunk
    return Rules(found.left[:n], found.right[:n])


def _drawn_rules(world: World, domain: Domain, n: int, rng: np.random.Generator) -> Rules:
    low, high = world.sides
    step = 1 if domain == "free" else world.copies
    possible = [k for k in range(low, high + 1) if domain == "free" or (k % step == 0 and k >= 2 * step)]
    if not possible:
        raise Invalid(
            f"sides={world.sides} hold no length of a {domain} string with copies={world.copies}; it takes a multiple of {world.copies} from {2 * world.copies} on."
        )
    left, right = (drawn(domain, rng.choice(possible, n), world.alphabet, world.copies, rng) for _ in "xy")
    return Rules(*(np.pad(side, ((0, 0), (0, high - side.shape[1]))) for side in (left, right)))


def counts(rules: int, total: int, alpha: float) -> NDArray[np.int64]:
    """How many of `total` examples each rule has [rule]: one, and the rest in proportion to rank^−alpha, by the largest
    remainder."""
    weight = np.arange(1, rules + 1) ** -float(alpha)
    exact = weight / weight.sum() * (total - rules)
    found = np.floor(exact).astype(np.int64)
    rest = total - rules - int(found.sum())
    found[np.argsort(found - exact, kind="stable")[:rest]] += 1
    return found + 1


def mixed(world: World, taught: Taught) -> tuple[Rules, NDArray[np.int64]]:
    """The rules taught, those of all domains evenly interleaved, and each one's place among the domains [rule]."""
    shares = np.array(taught.shares or (1.0,) * len(taught.domains))
    each = np.floor(np.cumsum(shares) / shares.sum() * taught.rules + 0.5).astype(int)
    each = np.diff(each, prepend=0)
    if each.min() < 1:
        raise Invalid(f"rules={taught.rules} leave none for a domain of {', '.join(taught.domains)}; teach more rules.")
    parts = [rules_of(world, d, "taught", int(n)) for d, n in zip(taught.domains, each, strict=True)]
    order = np.argsort(np.concatenate([(np.arange(n) + 0.5) / n for n in each]), kind="stable")
    domain = np.repeat(np.arange(len(each)), each)[order]
    left, right = (np.concatenate([getattr(p, side) for p in parts])[order] for side in ("left", "right"))
    return Rules(left, right), domain
