"""What are texts of letters worth? The points of each, by program, and the three scores as rows.

points(asked, texts, ended, limit=3)   ->   skills [text k], others [text 3]: on topic, well formed, short enough
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unseen.core.record import Row, Scored, Split

from .scores import best, mean, scores
from .skilltext import Bools, Ints, formed, sentences, shown

AGGREGATED = {
    "": mean,
    "best_": best,
}  # DEPARTS: the published scores are the best of three texts; the mean stands beside


def points(asked: Ints, texts: Ints, ended: Bools, *, limit: int) -> tuple[Bools, Bools]:
    """The points of texts [text place] for queries [text k+1 3]: of the skills [text k], and of the topic, the form (which
    a text that never came to its end lacks) and the number of sentences [text 3]."""
    found = shown(texts, asked)
    others = np.stack([found[:, 0], formed(texts) & ended, sentences(texts) <= limit], 1)
    return found[:, 1:], others


def rows(
    split: Split,
    seeds: Sequence[int],
    ids: Sequence[Sequence[str]],
    earned: Sequence[tuple[Bools, Bools]],
    *,
    step: int | None = None,
) -> Iterator[Row]:
    """Rows `full`, `all_skills` and `fraction`, and with `best_` before them the best of a query's texts.

    earned: of each seed the points of its texts, skills [query generation k] and others [query generation 3].
    """
    found = [scores(*one) for one in earned]
    for before, over_texts in AGGREGATED.items():
        for name in ("full", "all_skills", "fraction"):
            values = np.stack([over_texts(getattr(one, name)) for one in found])
            yield from Row.each(before + name, Scored(seeds, ids, values), split, step=step)
