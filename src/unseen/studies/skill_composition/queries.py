"""Which skills are asked together, of which topic? Queries drawn uniformly, from skills trained on or held out.

World.of(seed=0)                                   which skills and topics of a seed are trained on
drawn(world.pool("instances"), 2, n=3, …)          asked [3 3 3]: the topic and two skills of each query; texts [3 place]

Skills are held out in two ways: a quarter of the letters (or pairs of letters) of every kind, and two whole kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.core.errors import Invalid, Unknown, nearest

from .gold import composed
from .skilltext import ENDS, KINDS, LETTERS, PAIRED, PALINDROME, TOPIC, Bools, Ints

HELD_KINDS = (ENDS, PALINDROME)  # which random texts seldom show
TOPICS, HELD_TOPICS = 20, 5
HELD = 0.25  # of the skills of each kind
ROUNDS = 200  # draws of the missing queries before giving up


@dataclass(frozen=True, eq=False)
class Pool:
    """What queries are drawn from: skills bool[kind x y] (y = 0 where a kind has one letter) and topics [topic 2]."""

    skills: Bools
    topics: Ints


@dataclass(frozen=True, eq=False)
class World:
    """Which skills there are, bool[kind x y], which of them are trained on, and the topics [topic 2], held out ones last."""

    skills: Bools
    trained: Bools
    topics: Ints

    @staticmethod
    def of(seed: int) -> World:
        """The world of a seed: all have the same skills and held-out kinds; held-out instances and topics are its own."""
        rng = np.random.default_rng([seed, 2_409])
        pairs = ~np.eye(LETTERS, dtype=bool)
        skills = np.zeros((KINDS, LETTERS + 1, LETTERS + 1), bool)
        skills[:, 1:, 0] = True
        skills[PAIRED[:-1], 1:, 0] = False
        skills[PAIRED[:-1], 1:, 1:] = pairs
        trained = skills.copy()
        trained[HELD_KINDS, :, :] = False
        for kind in range(KINDS):
            one = rng.permutation(np.argwhere(skills[kind]))
            x, y = one[: round(HELD * len(one))].T
            trained[kind, x, y] = False
        return World(skills, trained, rng.permutation(np.argwhere(pairs) + 1)[:TOPICS])

    def pool(self, name: str) -> Pool:
        """The skills and topics of a pool: "trained", "instances" or "categories" held out, or "topics" held out.

        Raises Unknown for another name.
        """
        known = np.isin(np.arange(KINDS), HELD_KINDS, invert=True)[:, None, None]
        trained, held = self.topics[:-HELD_TOPICS], self.topics[-HELD_TOPICS:]
        pools = {
            "trained": Pool(self.trained, trained),
            "instances": Pool(self.skills & known & ~self.trained, trained),
            "categories": Pool(self.skills & ~known, trained),
            "topics": Pool(self.trained, held),
        }
        if name not in pools:
            raise Unknown(f"there is no pool {name!r}{nearest(name, pools)}. Pools: {', '.join(pools)}.")
        return pools[name]


def drawn(pool: Pool, k: int, n: int, n_sentences: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """n queries [n k+1 3] of k different skills and a topic, which comes first, and a text that shows each [n place].

    Uniform kinds, then uniform skills of a kind and topics, of those that some text shows all of. Raises Invalid where
    hardly any query has a text.
    """
    parts: list[tuple[Ints, Ints]] = []
    missing = n
    for _ in range(ROUNDS):
        asked = _asked(pool, k, missing + missing // 8 + 8, rng)
        texts, possible = composed(asked, n_sentences, rng)
        parts.append((asked[possible][:missing], texts[possible][:missing]))
        missing -= len(parts[-1][0])
        if not missing:
            return np.concatenate([a for a, _ in parts]), np.concatenate([t for _, t in parts])
    raise Invalid(f"k={k}: of queries for texts of {n_sentences} sentences, too few have a text at all; allow more sentences, or ask fewer skills.")  # fmt: skip


def _asked(pool: Pool, k: int, n: int, rng: np.random.Generator) -> Ints:
    """n queries of k different skills and a topic, whether a text shows them or not."""
    listed = [np.argwhere(kind) for kind in pool.skills]
    kinds = [kind for kind, skills in enumerate(listed) if len(skills)]
    if sum(map(len, listed)) < k:
        raise Invalid(f"k={k}: there are no more than {sum(map(len, listed))} skills to ask for; lower k.")
    chosen = _skills(listed, kinds, n * k, rng).reshape(n, k, 3)
    while len(same := np.flatnonzero(_repeats(chosen))):
        chosen[same] = _skills(listed, kinds, len(same) * k, rng).reshape(-1, k, 3)
    topic = pool.topics[rng.integers(len(pool.topics), size=n)]
    return np.concatenate([np.insert(topic, 0, TOPIC, axis=1)[:, None], chosen], 1)


# DEPARTS: skills are uniform within a kind, and kinds among themselves, lest those of two letters fill nearly all queries.
def _skills(listed: list[Ints], kinds: list[int], n: int, rng: np.random.Generator) -> Ints:
    """n skills [n 3], with replacement."""
    out = np.empty((n, 3), np.int64)
    out[:, 0] = rng.choice(kinds, n)
    for kind in kinds:
        rows = np.flatnonzero(out[:, 0] == kind)
        out[rows, 1:] = listed[kind][rng.integers(len(listed[kind]), size=len(rows))]
    return out


def _repeats(asked: Ints) -> Bools:
    """Which queries [query k 3] ask for a skill twice."""
    code = np.sort((asked[..., 0] * (LETTERS + 1) + asked[..., 1]) * (LETTERS + 1) + asked[..., 2], 1)
    return (np.diff(code, axis=1) == 0).any(1)
