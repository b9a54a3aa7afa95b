"""Which rule applies to a new word? The Minimal Generalization Learner (Albright and Hayes 2003) for suffixes.

    model = MGL(sounds).fit([("æktɪv", "ity"), ("nejtɪv", "ity"), ("bæʃfəl", "ness")])
    model.share(["daktɪv"])   ->  [1.0]

Each pair gives a rule for its word alone, `∅ -> ity / # æktɪv __ #`. Two rules of one suffix give the most specific rule
that covers both: the sounds at their right edges that are the same, then the features that the first different sounds
share, then a free variable X; and so on among all rules until nothing new comes. A rule's scope are the words that it
matches, its hits those that take its suffix, and a word takes the suffix of the most reliable rule that matches it.

Bases of a class share their end and a rule is a context S of sounds with a set of features before it, so all rules with
the context S follow from what stands before S in the words that end in S: nothing needs to be paired with anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from .gcm import SUFFIXES, Floats, Pair, Weighting, chosen, shared, tabled
from .sounds import Sounds, intersections

Weight = tuple[float, float]  # of each suffix
NONE: Weight = (0.0, 0.0)
EDGE = ""  # what stands before a word that is the whole context


class Rule(NamedTuple):
    """`∅ -> suffix / X [features] context __ #`. `features` None: no features; `whole`: no X but the word's beginning."""

    suffix: str
    context: str
    features: int | None
    whole: bool


@dataclass(frozen=True)
class Node:
    """The words that end in one context: the summed weight [suffix] by the sound before it, of all words and of those
    that begin with that sound (under EDGE: of the word that is the context itself)."""

    before: Mapping[str, Weight]
    begins: Mapping[str, Weight]


@dataclass(frozen=True)
class MGL:
    """The learner with its parameters and the words it was fitted to."""

    sounds: Sounds
    weighting: Weighting = "type"
    alpha: float = 0.75  # of the lower limit of a rule's reliability
    bases: tuple[str, ...] = ()
    weights: Floats | None = None  # [suffix base]

    def fit(self, pairs: Sequence[Pair]) -> MGL:
        """The learner with the rules of these pairs. Raises Invalid for none, or for a suffix that is neither -ity nor -ness."""
        bases, weights = tabled(pairs, self.weighting)
        return replace(self, bases=bases, weights=weights)

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Every context that a word ends in."""
        if self.weights is None:
            raise Invalid("this MGL has no rules; call fit(pairs) and use what it returns.")
        before: dict[str, dict[str, Weight]] = {}
        begins: dict[str, dict[str, Weight]] = {}
        for base, (ity, ness) in zip(self.bases, self.weights.T.tolist(), strict=True):
            weight = (ity, ness)
            for at in range(len(base) + 1):
                context, sound = base[at:], base[at - 1] if at else EDGE
                held = before.setdefault(context, {})
                more = held.get(sound, NONE)
                held[sound] = (more[0] + ity, more[1] + ness)
                if at <= 1:
                    begins.setdefault(context, {})[sound] = weight
        return {context: Node(held, begins.get(context, {})) for context, held in before.items()}

    def rules_at(self, context: str, suffix: str) -> dict[Rule, tuple[float, float]]:
        """Every rule of a suffix with that context, words alone included, as rule -> (scope, hits)."""
        node = self.nodes.get(context)
        if node is None:
            return {}
        at = SUFFIXES.index(suffix)
        found: dict[Rule, tuple[float, float]] = {}
        for whole, held in ((False, node.before), (True, node.begins)):
            taking = {self.sounds.bits[s]: s for s, w in held.items() if w[at] > 0 and s != EDGE}
            longer = [b for b, s in taking.items() if whole or held[s][at] > _of(node.begins, s, at) + 1e-9]
            for features in intersections(taking, least=2):
                if features and any(b & features == features for b in longer):
                    found[Rule(suffix, context, features, whole)] = self._counted(held, at, features)
        ends = EDGE in node.before and node.before[EDGE][at] > 0
        if ends:
            found[Rule(suffix, context, None, True)] = self._counted({EDGE: node.before[EDGE]}, at, None)
        if _open([self.sounds.bits[s] for s, w in node.before.items() if w[at] > 0 and s != EDGE], ends):
            found[Rule(suffix, context, None, False)] = self._counted(node.before, at, None)
        return found

    def rules(self) -> Iterator[tuple[Rule, float, float]]:
        """All rules with scope and hits. There are very many: of a thousand words some tens of thousands."""
        for context in self.nodes:
            for suffix in SUFFIXES:
                yield from ((rule, *told) for rule, told in self.rules_at(context, suffix).items())

    def scores(self, bases: Sequence[str]) -> Floats:
        """The confidence [base suffix] of the best rule that matches each base; 0 where none does."""
        kept: dict[tuple[str, str], _Told] = {}
        made = np.zeros((len(bases), len(SUFFIXES)))
        for row, base in enumerate(bases):
            self.sounds.encoded([base])
            for at in range(len(base) + 1):
                for column, suffix in enumerate(SUFFIXES):
                    key = (base[at:], suffix)
                    if key not in kept:
                        kept[key] = self._told(*key)
                    made[row, column] = max(made[row, column], kept[key].best(self._bits(base, at), at))
        return made

    def best(self, base: str, suffix: str) -> tuple[Rule, float, float] | None:
        """The rule that decides a suffix's score for a base, with scope and hits; None where none matches."""
        every = [
            (self.confidence(*told), rule, *told)
            for at in range(len(base) + 1)
            for rule, told in self.rules_at(base[at:], suffix).items()
            if _matches(rule, base, self.sounds)
        ]
        return max(every, key=lambda one: one[0])[1:] if every else None

    def share(self, bases: Sequence[str]) -> Floats:
        """The share (0 … 1) of -ity in the confidences of the best rules [base]; a half where none matches."""
        return shared(self.scores(bases))

    def predict(self, bases: Sequence[str]) -> list[str]:
        """The suffix of the most reliable rule [base]."""
        return chosen(self.share(bases))

    def confidence(self, scope: float, hits: float) -> float:
        """The reliability of a rule, lowered to what so many words can show (0 … 1)."""
        return float(lower_limit(np.array([scope]), np.array([hits]), self.alpha)[0])

    def _bits(self, base: str, at: int) -> int:
        return self.sounds.bits[base[at - 1]] if at else 0

    def _counted(self, held: Mapping[str, Weight], at: int, features: int | None) -> tuple[float, float]:
        """(scope, hits) of the sounds before a context that have these features."""
        wanted = 0 if features is None else features
        match = [
            w for s, w in held.items() if features is None or (s != EDGE and self.sounds.bits[s] & wanted == wanted)
        ]
        return sum(w[0] + w[1] for w in match), sum(w[at] for w in match)

    def _told(self, context: str, suffix: str) -> _Told:
        rules = self.rules_at(context, suffix)
        counted = np.array(list(rules.values()), float).reshape(-1, 2)
        sure = lower_limit(counted[:, 0], counted[:, 1], self.alpha)
        wanted = np.array([r.features or 0 for r in rules], np.int64)
        bare = np.array([r.features is None for r in rules], bool)
        return _Told(wanted, bare, np.array([r.whole for r in rules], bool), sure)


@dataclass(frozen=True)
class _Told:
    """The rules of one context and suffix: features, whether there are none, whether the word begins there, confidence."""

    wanted: NDArray[np.int64]
    bare: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    sure: Floats

    def best(self, bits: int, at: int) -> float:
        """The highest confidence of a rule that matches where `at` sounds stand before the context, the last with `bits`."""
        fits = np.where(self.bare, at == 0, (at == 1) & ((self.wanted & bits) == self.wanted))  # of whole words
        open_ = self.bare | ((at > 0) & ((self.wanted & bits) == self.wanted))
        return float(self.sure[np.where(self.whole, fits, open_)].max(initial=0.0))


def lower_limit(scope: Floats, hits: Floats, alpha: float) -> Floats:
    """The lower limit of each rule's reliability hits / scope, at least 0 (Albright and Hayes 2003, after Mikheev 1997).

    p = (hits + 0.5) / (scope + 1);  p - t(alpha; scope - 1) · sqrt(p · (1 - p) / scope). Of one word, or of less than two
    in log counts, t has one degree of freedom. 5 of 5 gives 0.825, 1000 of 1000 gives 0.999, as printed there.
    """
    from scipy.special import stdtrit

    p = (hits + 0.5) / (scope + 1.0)
    spread = np.sqrt(p * (1.0 - p) / scope)
    return np.maximum(0.0, p - stdtrit(np.maximum(1.0, scope - 1.0), alpha) * spread)


def _of(held: Mapping[str, Weight], sound: str, at: int) -> float:
    return held.get(sound, NONE)[at]


def _open(bits: Sequence[int], ends: bool) -> bool:
    """Whether words that differ before a context have nothing in common there, so that only X is left."""
    if ends and bits:
        return True
    every = -1
    for one in bits:
        every &= one
    return len(set(bits)) > 1 and every == 0


def _matches(rule: Rule, base: str, sounds: Sounds) -> bool:
    """Whether a rule applies to a base."""
    if not base.endswith(rule.context):
        return False
    before = base[: len(base) - len(rule.context)]
    if rule.features is None:
        return not (rule.whole and before)
    if not before or (rule.whole and len(before) > 1):
        return False
    return sounds.bits[before[-1]] & rule.features == rule.features
