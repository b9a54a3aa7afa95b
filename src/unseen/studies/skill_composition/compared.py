"""Do two graders agree on the points of texts, and on the order of those who wrote them?

Row("kappa", 0.61, n=1, at={"point": "skills"}, seed=2)      of all points of skills, on the texts of every writer
Row("tau", 1.0, seed=2)                                      of the writers' mean fraction of skills
Row("ordered", 1.0, n=6, seed=2)                             the share of pairs of writers that both order alike
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from unseen import models
from unseen.core.lab import Lab
from unseen.core.record import Row, drawn_of

from . import agreement, composed
from .arms_mix import Compared
from .asked import by_model, by_rule, examples_of, grader_of
from .combined import Combination
from .grading import Graded, Text
from .posed import mixes
from .scores import OTHERS, majority

KINDS = ("skills", *OTHERS[:2])  # the number of sentences is counted, so that no graders differ on it


def run(setting: Compared, lab: Lab) -> Iterator[Row]:
    """Yield `agreed`, `kappa` and `informed` of each kind of point, `tau` and `ordered` of the writers, and of the second
    grader how its gradings waver (of several also their `fleiss` kappa on skills) and what could not be read."""
    (task,) = mixes(setting)
    for done, seed in enumerate(lab.seeds, 1):
        examples = examples_of(task, setting.limit, lab, seed)
        combinations = [e.combination for e in examples]
        mark = drawn_of([e.id for e in examples])
        texts = [pair for who in setting.writers for pair in _texts(who, setting, combinations, lab, seed)]
        graded = [grader_of(name, texts, setting, setting.gradings) for name in setting.graders]
        yield from of_points([points_of(g) for g in graded], seed, mark)
        order = [_means(g, len(setting.writers)) for g in graded]
        yield Row("tau", agreement.tau(*order), seed=seed)
        yield Row("ordered", agreement.ordered(*order), n=comb(len(order[0]), 2), seed=seed, drawn=mark)
        yield Row("unread", graded[1].unread, seed=seed)
        yield Row("wavering", graded[1].wavering, seed=seed)
        if len(graded[1].points[0]) > 1:
            yield Row(
                "fleiss",
                agreement.fleiss(np.concatenate([p[:, : -len(OTHERS)] for p in graded[1].points], axis=1)),
                seed=seed,
            )
        lab.progress(done, len(lab.seeds))


def of_points(points: Sequence[Mapping[str, NDArray[np.bool_]]], seed: int, mark: str) -> Iterator[Row]:
    """How far two graders' points agree, by kind; the first one's are the truth of `informed`. `mark` names the texts."""
    for kind in KINDS:
        first, second = points[0][kind], points[1][kind]
        yield Row("agreed", agreement.raw(first, second), n=len(first), at={"point": kind}, seed=seed, drawn=mark)
        yield Row("kappa", agreement.kappa(first, second), at={"point": kind}, seed=seed)
        yield Row("informed", agreement.informed(first, second), at={"point": kind}, seed=seed)


def points_of(graded: Graded) -> dict[str, NDArray[np.bool_]]:
    """The points of all texts by the majority of gradings, by kind, each [point]."""
    won = [majority(p) for p in graded.points]
    found = {"skills": np.concatenate([w[: -len(OTHERS)] for w in won])}
    return found | {name: np.array([w[j - len(OTHERS)] for w in won]) for j, name in enumerate(OTHERS)}


def _texts(who: str, setting: Compared, combinations: Sequence[Combination], lab: Lab, seed: int) -> list[Text]:
    """One writer's text of each combination."""
    if who in composed.WRITERS:
        told = by_rule(who, combinations, lab, seed)
    else:
        model = models.open(who, dtype=setting.dtype)
        told = by_model(model, setting, combinations, lab.stream("written", who, seed=seed))
    return list(zip(combinations, told, strict=True))


def _means(graded: Graded, writers: int) -> list[float]:
    """The mean fraction of skills of each writer's texts."""
    values = [float(graded.scored(i).fraction) for i in range(len(graded.points))]
    return np.reshape(values, (writers, -1)).mean(axis=1).tolist()
