"""Does what is traced cause the answer? Decoders trained anew without the top documents of some questions, and without others.

Row("rise", 0.8, at={"type": "factual", "left": "top"})     nats by which these questions' answers became less likely
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Value
from unseen.measures import influence
from unseen.models import decoder
from unseen.models.decoder import Decoder
from unseen.models.exporting import pretrained

from . import learned, rankings
from .arms import Learned
from .tasks import Reading, reading

PER_QUERY = 0.01  # of the documents: so many of the best are left out for each question
TYPES = ("factual", "reasoning")


def rows(
    setting: Learned, worlds: Sequence[Reading], scores: Sequence[NDArray[np.floating]], models: Decoder, lab: Lab
) -> Iterator[Row]:
    """Yield for each type the `rise` of its questions' loss without their top documents, and without as many of all others.

    A training anew begins with the same weights and reads the same documents at the same steps otherwise. `left_out` counts
    documents; those at random are as many as the more of both types' top documents.
    """
    asked = {name: [_asked(w, name, setting.left_out) for w in worlds] for name in TYPES}
    before = {name: _losses(models, worlds, its) for name, its in asked.items()}
    gone = {name: [_top(w, s, q) for w, s, q in zip(worlds, scores, its, strict=True)] for name, its in asked.items()}
    tops = zip(*gone.values(), strict=True)
    others = [_others(both, lab.rng("left out", seed=s)) for both, s in zip(tops, lab.seeds, strict=True)]
    for left, masks in {**gone, "random": others}.items():
        fewer = [reading(w.corpus, mask) for w, mask in zip(worlds, masks, strict=True)]
        anew = learned.trained(setting, fewer, lab, f"without {left}")
        for name in TYPES if left == "random" else (left,):
            at: dict[str, Value] = {"type": name, "left": "random" if left == "random" else "top"}
            rise = _losses(anew, worlds, asked[name]) - before[name]
            for seed, value, mask in zip(lab.seeds, rise, masks, strict=True):
                yield Row("rise", float(value), at=at, seed=seed)
                yield Row("left_out", float(mask.sum()), at=at, seed=seed)


def _asked(world: Reading, name: str, n: int) -> list[int]:
    """n questions of a type, from all its kinds."""
    found = [i for i, q in enumerate(world.corpus.queries) if q.type == name]
    return found[:: max(1, len(found) // n)][:n]


def _top(world: Reading, scores: NDArray[np.floating], asked: Sequence[int]) -> NDArray[np.bool_]:
    """The best documents of each question, together [document]."""
    n = len(world.corpus.documents)
    found = np.zeros(n, bool)
    found[rankings.top(scores[list(asked)], max(1, round(PER_QUERY * n))).ravel()] = True
    return found


def _others(tops: Sequence[NDArray[np.bool_]], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Documents at random that are in none of these, as many as the most of them hold [document]."""
    found = np.zeros_like(tops[0])
    able = np.flatnonzero(~np.logical_or.reduce(tops))
    found[rng.choice(able, min(len(able), max(int(t.sum()) for t in tops)), replace=False)] = True
    return found


def _losses(models: Decoder, worlds: Sequence[Reading], asked: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """The mean loss of each member's questions [seed] (nats)."""
    found: list[float] = []
    for world, its, one in zip(worlds, asked, decoder.members(models), strict=True):
        queries = [world.corpus.queries[i] for i in its]
        told = influence.batches(
            [world.tokens((*q.prompt, *q.answer)) for q in queries],
            size=len(queries),
            answers=[len(q.answer) for q in queries],
        )
        found.append(float(learned.nats(pretrained(one), told).mean()))
    return np.array(found)
