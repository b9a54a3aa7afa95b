"""Which suffix do similar words take? The Generalized Context Model over words as strings of sounds (Nosofsky 1986).

model = GCM(sounds, weighting="token").fit([("sɛnsɪtɪv", "ity", 49_000), ("mənɪpjəlejtɪv", "ness", 1_544)])
model.share(["pɛpjəlejtɪv"])      ->  [0.31]      the share of -ity
model.predict(["pɛpjəlejtɪv"])    ->  ["ness"]

similarity = exp(-(d / s) ** p), d the edit distance whose substitutions cost what their sounds differ
score(suffix) = sum over its exemplars of similarity (type) or of similarity · log10(count + 1) (token)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from .sounds import Sounds

Weighting = Literal["type", "token"]
SUFFIXES = ("ity", "ness")
Pair = tuple[str, str] | tuple[str, str, int]  # base, suffix, and how often it was met (1 where it is left out)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GCM:
    """The model with its parameters, those of the released code, and the exemplars it was fitted to."""

    sounds: Sounds
    weighting: Weighting = "type"
    gap_cost: float = 0.6  # of an insertion or a deletion
    s: float = 0.3
    p: float = 1.0
    bases: tuple[str, ...] = ()
    weights: Floats | None = None  # [suffix base]

    def fit(self, pairs: Sequence[Pair]) -> GCM:
        """The model that remembers these pairs. Raises Invalid for none, or for a suffix that is neither -ity nor -ness."""
        bases, weights = tabled(pairs, self.weighting)
        return replace(self, bases=bases, weights=weights)

    def scores(self, bases: Sequence[str]) -> Floats:
        """The summed similarity [base suffix] to each suffix's exemplars; an exemplar that sounds the same is left out."""
        if self.weights is None:
            raise Invalid("this GCM has no exemplars; call fit(pairs) and use what it returns.")
        d = distances(bases, self.bases, self.sounds, self.gap_cost)
        like = np.exp(
            -((d / self.s) ** self.p)
        )  # DEPARTS: the release takes (-d / s) ** p, which is no number but for whole p
        known = {base: i for i, base in enumerate(self.bases)}
        for row, base in enumerate(bases):
            if base in known:
                like[row, known[base]] = 0.0
        return like @ self.weights.T

    def share(self, bases: Sequence[str]) -> Floats:
        """The share (0 … 1) of -ity in the summed similarity [base]; a half where nothing is similar."""
        return shared(self.scores(bases))

    def predict(self, bases: Sequence[str]) -> list[str]:
        """The suffix with the larger score [base]; -ness where they are equal, as in the release."""
        return chosen(self.share(bases))


def tabled(pairs: Sequence[Pair], weighting: Weighting) -> tuple[tuple[str, ...], Floats]:
    """The different bases, and the summed weight [suffix base] of their pairs: 1, or log10(count + 1). Raises Invalid."""
    if not pairs:
        raise Invalid("there are no pairs to fit to; give (base, suffix) or (base, suffix, count).")
    place = {base: i for i, base in enumerate(dict.fromkeys(pair[0] for pair in pairs))}
    weights = np.zeros((len(SUFFIXES), len(place)))
    for base, suffix, *count in pairs:
        if suffix not in SUFFIXES:
            raise Invalid(f"{base!r} takes {suffix!r}; the suffixes are {' and '.join(SUFFIXES)}.")
        weights[SUFFIXES.index(suffix), place[base]] += (
            np.log10((count[0] if count else 1) + 1) if weighting == "token" else 1.0
        )
    return tuple(place), weights


def shared(scores: Floats) -> Floats:
    """The first suffix's share [base] of scores [base suffix]; a half where both are 0."""
    total = scores.sum(1)
    return np.where(total > 0, scores[:, 0] / np.where(total > 0, total, 1.0), 0.5)


def chosen(share: Floats) -> list[str]:
    """-ity where its share lies above a half, else -ness."""
    return [SUFFIXES[0] if one > 0.5 else SUFFIXES[1] for one in share]


def distances(bases: Sequence[str], others: Sequence[str], sounds: Sounds, gap_cost: float) -> Floats:
    """The weighted edit distance [base other] of each of `bases` to each of `others`.

    Read from their ends, words of a class are a tree with many shared branches: a node's row of the usual table follows
    from its parent's, for all nodes of a depth at once.
    """
    levels, ends = _tree(sounds.encoded(others))
    made = [_to_all(t[t >= 0][::-1], levels, sounds.distances, gap_cost) for t in sounds.encoded(bases)]
    return np.array(made).reshape(len(bases), -1)[:, ends]


Level = tuple[NDArray[np.int64], NDArray[np.int64]]  # of each node of a depth: its parent among those above, its sound


def _tree(encoded: NDArray[np.int64]) -> tuple[list[Level], NDArray[np.int64]]:
    """The levels of the tree of words read from their ends, and where each word ends, counted through all levels."""
    lengths = (encoded >= 0).sum(1)
    levels: list[Level] = []
    at, ends, before = np.zeros(len(encoded), np.int64), np.zeros(len(encoded), np.int64), 1
    for depth in range(int(lengths.max(initial=0))):
        going = np.flatnonzero(lengths > depth)
        sound = encoded[going, lengths[going] - 1 - depth]
        steps, place = np.unique(np.stack([at[going], sound], 1), axis=0, return_inverse=True)
        at[going], ends[going] = place.reshape(-1), before + place.reshape(-1)
        levels.append((steps[:, 0], steps[:, 1]))
        before += len(steps)
    return levels, ends


def _to_all(target: NDArray[np.int64], levels: Sequence[Level], costs: Floats, gap_cost: float) -> Floats:
    """The distance of one form, read from its end, to every node of a tree, the root first."""
    m = len(target)
    row = gap_cost * np.arange(m + 1)[:, None]  # [place of the target, node]
    found = [row[m]]
    for parent, sound in levels:
        above = row[:, parent]
        row = above + gap_cost
        np.minimum(row[1:], above[:-1] + costs[target][:, sound], out=row[1:])
        for place in range(1, m + 1):
            np.minimum(row[place], row[place - 1] + gap_cost, out=row[place])
        found.append(row[m])
    return np.concatenate(found)
