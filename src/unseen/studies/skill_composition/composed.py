"""Who writes texts that earn every point, some, or none? Writers by rule, one clause for each skill.

written("oracle", Combination((numeral, quotation), bread), rng)
->  'Bread has seven lives, as they say; "there is always bread," the old people say.'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from unseen.core.errors import Invalid

from .combined import Combination
from .skills import Skill

PLAIN = "{t} is a part of our lives"
HEAP = [
    "stone",
    "river",
    "under",
    "glass",
    "walking",
    "amber",
    "seldom",
    "window",
    "lift",
    "carry",
    "noon",
    "paper",
    "bright",
    "seven",
    "garden",
    "though",
    "wheel",
]


def written(who: str, one: Combination, rng: np.random.Generator) -> str:
    """What a writer gives for a combination: every skill, half of them, their names, or words by chance."""
    return WRITERS[who](one, rng)


def _oracle(one: Combination, rng: np.random.Generator) -> str:
    """A text with full marks, the skills in an order by chance."""
    return _joined([one.skills[i] for i in rng.permutation(one.k)], one)


def _half(one: Combination, rng: np.random.Generator) -> str:
    """A text that shows half of the skills, rounded down."""
    return _joined([one.skills[i] for i in rng.permutation(one.k)[: one.k // 2]], one)


def _namer(one: Combination, rng: np.random.Generator) -> str:
    """A text that names the skills and shows none."""
    names = [one.skills[i].name for i in rng.permutation(one.k)]
    return _capital(f"here is a text on {one.topic.name} with {' and with '.join(names)}.")


def _words(one: Combination, rng: np.random.Generator) -> str:
    """Words by chance."""
    return " ".join(HEAP[i] for i in rng.integers(len(HEAP), size=6 * one.sentences))


def _joined(skills: list[Skill], one: Combination) -> str:
    """A clause for each skill, shared out over the sentences that are allowed."""
    if bare := [s.name for s in skills if not s.fragment]:
        raise Invalid(f"the skill {bare[0]!r} has no fragment, so that no rule writes a text that shows it; take skills of our own.")  # fmt: skip
    parts = [s.fragment.format(t=one.topic.name) for s in skills] or [PLAIN.format(t=one.topic.name)]
    groups = [[str(p) for p in group] for group in np.array_split(np.array(parts, dtype=object), one.sentences) if len(group)]  # fmt: skip
    return " ".join(_capital(_ended("; ".join(group))) for group in groups)


def _ended(sentence: str) -> str:
    return sentence if sentence[-1] in "!?" else f"{sentence}."


def _capital(sentence: str) -> str:
    """The sentence with its first letter large."""
    at = next(i for i, letter in enumerate(sentence) if letter.isalpha())
    return sentence[:at] + sentence[at].upper() + sentence[at + 1 :]


WRITERS: Mapping[str, Callable[[Combination, np.random.Generator], str]] = {
    "oracle": _oracle, "half": _half, "namer": _namer, "words": _words,
}  # fmt: skip
