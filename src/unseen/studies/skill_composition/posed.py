"""Which texts are asked for on which split? Combinations as examples, with a text that earns every point.

Posed("6f1c…", prompt="Request: Write one short …", truth="Bread has seven lives, as they say.", split=Split("1 skill"), …)

A split is a number of skills `k` and a pool. What may be trained on (up to three skills of the train pool, three
combinations in four by their digest) is asked on no split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, zip_longest

import numpy as np

from unseen.core.record import Split, Value
from unseen.core.task import example_id
from unseen.tasks.drawn import split_named

from .arms_mix import MixSetting, Speaker, Taught
from .combined import Combination, shuffled
from .composed import written
from .grading import checked
from .scores import OTHERS, scores
from .skills import Stock, stock
from .wording import asked, read_text

MOST_TRAINED = 3  # skills of a text that may be trained on
KEPT = 4  # one combination in so many is kept from training
AXES = {"all": "composition", "train": "composition", "held out": "skills"}


@dataclass(frozen=True, slots=True)
class Posed:
    """A combination that is asked for. `truth` is a text by rule with full marks; empty where no rule writes one."""

    id: str
    prompt: str
    truth: str
    split: Split
    combination: Combination
    familiar: str | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True)
class Mix:
    """Texts of k skills from one source, on splits by k and pool; answers are scored by the program.

    k up to `reference` in the pools "all" and "train" are reference splits, all others are shifted.
    """

    source: str = "own"
    sizes: tuple[int, ...] = (1, 2, 3, 4, 5)
    pools: tuple[str, ...] = ("all",)
    reference: int = 1
    mixture: tuple[int, ...] = (1, 2, 3)  # skills of the texts of "train"

    @property
    def name(self) -> str:
        """mix_own or mix_published."""
        return f"mix_{self.source}"

    @cached_property
    def stock(self) -> Stock:
        """The skills and topics it draws from."""
        return stock(self.source)

    @property
    def splits(self) -> tuple[Split, ...]:
        """Every pool and size."""
        return tuple(self._split(pool, k) for pool in self.pools for k in self.sizes)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> list[Posed]:
        """n examples, each combination once; fewer where the split holds fewer. "train" mixes its sizes in turn."""
        one = split_named(self, split)
        if one.name == "train":
            return self._trained(n, rng)
        k, pool = int(str(one.at["k"])), str(one.at["among"])
        return list(islice((self._posed(c, one) for c in shuffled(self.stock.pool(pool), k, rng) if not self.trainable(c)), n))  # fmt: skip

    def score(self, example: Posed, answer: str) -> dict[str, float]:
        """Skill-Mix's three scores of the text in an answer, by the program. Raises Invalid for skills it cannot check."""
        points = checked(example.combination, read_text(answer))
        found = scores(points[: -len(OTHERS)], points[-len(OTHERS) :])
        return {"full": float(found.full), "all_skills": float(found.all_skills), "fraction": float(found.fraction)}

    def trainable(self, one: Combination) -> bool:
        """Whether a combination may be trained on."""
        skills, topics = self._trained_names
        if one.k > MOST_TRAINED or one.topic.name not in topics or not skills.issuperset(s.name for s in one.skills):
            return False
        told = "\x1f".join((one.topic.name, *sorted(s.name for s in one.skills)))
        return int(example_id(self.name, "", told), 16) % KEPT != 0

    @cached_property
    def _trained_names(self) -> tuple[frozenset[str], frozenset[str]]:
        part = self.stock.pool("train")
        return frozenset(s.name for s in part.skills), frozenset(t.name for t in part.topics)

    def _trained(self, n: int, rng: np.random.Generator) -> list[Posed]:
        """Examples to train on, a size after the other as long as each has any; they differ in their combinations."""
        part, rngs = self.stock.pool("train"), rng.spawn(len(self.mixture))
        streams = [filter(self.trainable, shuffled(part, k, r)) for k, r in zip(self.mixture, rngs, strict=True)]
        in_turn = (c for group in zip_longest(*streams) for c in group if c is not None)
        return [self._posed(c, Split("train", AXES["train"], {"k": c.k, "among": "train"})) for c in islice(in_turn, n)]

    def _posed(self, one: Combination, split: Split) -> Posed:
        prompt = str(asked(one, chat=False))
        identity = example_id(self.name, split.name, prompt)
        written_by_rule = all(s.fragment for s in one.skills)
        truth = written("oracle", one, np.random.default_rng(int(identity, 16))) if written_by_rule else ""
        return Posed(identity, prompt, truth, split, one)

    def _split(self, pool: str, k: int) -> Split:
        of = "" if pool == "all" else f"{pool} "
        shifted = pool == "held out" or k > self.reference
        return Split(f"{k} {of}skill{'s' if k > 1 else ''}", AXES[pool], {"k": k, "among": pool}, shifted)


def mixes(setting: MixSetting) -> tuple[Mix]:
    """The one task of a setting that asks language models."""
    if isinstance(setting, Taught):
        return (Mix("own", setting.sizes, ("train", "held out"), max(setting.mixture), setting.mixture),)
    return (Mix("own" if isinstance(setting, Speaker) else setting.skills, setting.sizes),)


def by_split(examples: Sequence[Posed]) -> dict[str, list[int]]:
    """The places of the examples of each split."""
    found: dict[str, list[int]] = {}
    for i, e in enumerate(examples):
        found.setdefault(e.split.name, []).append(i)
    return found
