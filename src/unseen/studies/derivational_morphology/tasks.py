"""Which adjectives are turned into nouns? Seen ones, whose commoner derivative is right, and ones that do not exist.

Adjective: pepulative\\nNominalization:        ->  pepulativeness, for most people of the survey say so
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unseen.core.errors import Unknown, nearest
from unseen.core.record import Split
from unseen.core.task import Example, Task, example_id

from .arms import Cognitive, Data, Probed, Setting, Taught
from .learners import split_of
from .lexicon import ENDINGS, Lexicon, derivative, opened
from .prompting import PROMPTS
from .seen import GROUPS, Seen, sampled

FORM = PROMPTS["instruction"][0]


@dataclass(frozen=True)
class Nominalization:
    """Adjectives with the noun that is to be made of them: of seen ones that which was met most, of new ones that which
    most people choose. `familiar` is the noun with the other suffix."""

    data: Data = "twin"
    name: str = "nominalization"

    @property
    def splits(self) -> tuple[Split, ...]:
        """Seen adjectives by group, which are the reference, and new ones by ending."""
        seen = tuple(Seen(None, group, "high", 0).split for group in GROUPS)  # type: ignore[arg-type]
        return (*seen, *(split_of(ending) for ending in ENDINGS))

    @cached_property
    def lexicon(self) -> Lexicon:
        """What is drawn from. Raises Missing where the released files cannot be had."""
        return opened(self.data)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n different adjectives of a split, or all there are. "train" are seen adjectives of all groups. Raises Unknown."""
        where, held = self._held(split)
        chosen = held if len(held) <= n else [held[i] for i in rng.choice(len(held), n, replace=False)]
        return [
            Example(example_id(self.name, split, FORM.format(base)), FORM.format(base), derivative(base, e, suffix), where,
                    derivative(base, e, "ness" if suffix == "ity" else "ity"), {"ends": e})
            for base, e, suffix in chosen
        ]  # fmt: skip

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: the first word of the answer is the noun, whatever its case; `suffix`: it ends as the noun does."""
        said = (answer.strip().split() or [""])[0].strip(".,;:!\"'`*").lower()
        same = said == example.truth.lower()
        suffix = "ness" if example.truth.endswith("ness") else "ity"
        return {"exact": float(same), "suffix": float(same or said.endswith(suffix))}

    def _held(self, split: str) -> tuple[Split, list[tuple[str, str, str]]]:
        """The split, and (base, ending, suffix) of everything it holds."""
        known = {s.name: s for s in self.splits}
        if split != "train" and split not in known:
            raise Unknown(f"{self.name} has no split {split!r}{nearest(split, ['train', *known])}.")
        if split == "train" or not known[split].shifted:
            every = {(s.entry.base, s.entry.ending): s for s in sampled(self.lexicon, 0)}.values()
            mine = [s for s in every if split in ("train", s.split.name)]
            told = [(s.entry.base, s.entry.ending, s.entry.suffix) for s in mine]
            return known.get(split, Split("train", "novelty")), told
        votes = self.lexicon.votes
        new = [w for w in self.lexicon.nonce if split_of(w.ending).name == split and w.base in votes]
        return known[split], [(w.base, w.ending, "ity" if votes[w.base][0] > votes[w.base][1] else "ness") for w in new]


def tasks(setting: Setting) -> Sequence[Task]:
    """The task of a setting."""
    assert isinstance(setting, Cognitive | Probed | Taught)
    return (Nominalization(setting.data),)
