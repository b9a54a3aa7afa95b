"""Which rows follow from a ranking? The findings of a world whose documents say what they are.

Row("answer_found", 0.9, n=16, at={"type": "factual", "method": "influence"})
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Value
from unseen.measures.nearest import K1, B

from . import rankings
from .arms import Learned
from .corpus import KINDS
from .tasks import Reading

TYPES = ("factual", "reasoning")


def rows(
    world: Reading,
    scores: NDArray[np.floating],
    nats: NDArray[np.float64],
    setting: Learned,
    method: str,
    lab: Lab,
    seed: int,
) -> Iterator[Row]:
    """Rows of a table of scores [query document] by one method."""
    queries, documents = world.corpus.queries, world.corpus.documents
    types, about = [q.type for q in queries], [q.about for q in queries]
    table = rankings.correlations(scores)
    at: dict[str, Value] = {"method": method}
    for pair, value in rankings.likeness(table, types, about).items():
        if not np.isnan(value):  # a world may ask too few controls of one kind
            yield Row("likeness", value, at={**at, "pair": pair}, seed=seed)
    shuffled = lab.rng("shuffled documents", seed=seed)
    alone = rankings.correlations(shuffled.permuted(scores, axis=1))
    yield Row("likeness_shuffled", rankings.likeness(alone, types, about)["reasoning"], at=at, seed=seed)
    chance = rankings.chance_of_gap(table, types, about, lab.rng("labels of queries", seed=seed))
    yield Row("likeness_chance", chance, at=at, seed=seed)
    k = max(1, round(setting.top * len(documents)))
    ranked = rankings.top(scores, k)
    held = rankings.found(ranked, [q.needs for q in queries], [d.states for d in documents])
    everywhere = frozenset[str]().union(*(d.states for d in documents))
    there = np.array([q.needs <= everywhere for q in queries])
    measured = {
        "reliance": rankings.reliance(scores, nats, k),
        "share_of_top": rankings.share_of_top(scores, k),
        "steepness": rankings.steepness(scores),
    }
    for name in TYPES:
        chosen = np.array(types) == name
        where: dict[str, Value] = {**at, "type": name}
        n = int((chosen & there).sum())
        if n:
            yield Row("answer_found", float(held[chosen & there].mean()), n=n, at=where, seed=seed)
        yield Row("answer_there", float(there[chosen].mean()), n=int(chosen.sum()), at=where, seed=seed)
        logs = np.log(np.maximum(measured["reliance"][chosen], 1e-12))
        yield Row("reliance", float(logs.mean()), n=int(chosen.sum()), at=where, seed=seed)
        spread = float(np.log(np.var(measured["reliance"][chosen], ddof=1) + 1e-24))
        yield Row("reliance_spread", spread, n=int(chosen.sum()), at=where, seed=seed)
        for measure in ("share_of_top", "steepness"):
            yield Row(measure, float(np.nanmean(measured[measure][chosen])), n=int(chosen.sum()), at=where, seed=seed)
        for source, over in rankings.shares(ranked, [d.source for d in documents]).items():
            yield Row(
                "over", float(over[chosen].mean()), n=int(chosen.sum()), at={**where, "source": source}, seed=seed
            )
    yield from _rules(world, ranked, at, seed)


def _rules(world: Reading, ranked: NDArray[np.intp], at: dict[str, Value], seed: int) -> Iterator[Row]:
    """How many times more often than by chance general statements of the right kind stand at the top of problems' rankings."""
    documents, queries = world.corpus.documents, world.corpus.queries
    found: list[float] = []
    for kind in KINDS:
        rule = np.array([d.kind == "rule" and d.about == kind for d in documents])
        asked = [i for i, q in enumerate(queries) if q.type == "reasoning" and q.about == kind]
        found += (rule[ranked[asked]].mean(1) / rule.mean()).tolist()
    yield Row("rules_over", float(np.mean(found)), n=len(found), at=at, seed=seed)
    some = [r > 0 for r in found]
    yield Row("rules_found", float(np.mean(some)), n=len(found), at=at, seed=seed)


def overlap(world: Reading) -> NDArray[np.float64]:
    """BM25 of every document for every query, prompt and completion together [query document]."""
    told = [world.tokens(d.words) for d in world.corpus.documents]
    counts = np.zeros((len(told), world.vocab))
    for row, tokens in zip(counts, told, strict=True):
        np.add.at(row, tokens, 1)
    holders = (counts > 0).sum(0)
    rarity = np.log1p((len(told) - holders + 0.5) / (holders + 0.5))
    length = counts.sum(1, keepdims=True)
    weight = rarity * counts * (K1 + 1) / (counts + K1 * (1 - B + B * length / length.mean()))
    return np.stack([weight[:, world.tokens((*q.prompt, *q.answer))].sum(1) for q in world.corpus.queries])
