"""What is a text worth that no learner wrote? An oracle's, random letters, and what stands in the training set.

Row("full", 0.04, Split("k=4 trained", …), n=100, seed=2)     the text of the nearest training prompt
Row("bound", 0.21, Split("k=4 trained", …), n=100, seed=2)    queries for which some text of the training set has full marks

The second bounds what any parrot of the training set can do. The paper estimates it by the frequencies of skills and
topics in a corpus (p_s^k · p_t · L); here the corpus is ours, and every text of it is marked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.tasks.layout import item_ids

from . import marked
from .arms import Baseline
from .corpus import Corpus, corpus_of
from .gold import spaced
from .skilltext import LETTERS, SENTENCE, Ints
from .tasks import twin_of
from .twin import Twin, k_of


def run(setting: Baseline, lab: Lab) -> Iterator[Row]:
    """Yield the scores on every split, and with retrieval `bound` (fraction 0..1 of queries)."""
    for done, seed in enumerate(lab.seeds, 1):
        task = twin_of(setting, seed=seed)
        corpus = corpus_of(task.training()) if setting.writer == "retrieval" else None
        for split in task.splits:
            yield from _marked(setting, task, corpus, split, lab)
        lab.progress(done, len(lab.seeds))


def _marked(setting: Baseline, task: Twin, corpus: Corpus | None, split: Split, lab: Lab) -> Iterator[Row]:
    """Rows of one split and seed."""
    rng = lab.rng("test", split.name, seed=task.seed)
    asked, gold = task.queries(split.name, setting.items, rng)
    ids = item_ids(task.sequences(asked, gold, rng))
    limit, ended = task.limit(k_of(split)), np.ones(len(asked), bool)
    if corpus is not None:
        texts = corpus.texts[corpus.nearest(asked)]
        bound = corpus.held(asked, limit)
        yield from Row.each("bound", Scored([task.seed], [ids], bound[None].astype(float)), split)
    else:
        texts = gold if setting.writer == "oracle" else _random(len(asked), limit, lab.rng("random", split.name, seed=task.seed))  # fmt: skip
    skills, others = marked.points(asked, texts, ended, limit=limit)
    yield from marked.rows(split, [task.seed], [ids], [(skills[:, None], others[:, None])])


def _random(n: int, n_sentences: int, rng: np.random.Generator) -> Ints:
    """n texts of uniform letters [n place]."""
    letters: NDArray[np.int64] = rng.integers(1, LETTERS + 1, (n, n_sentences * SENTENCE))
    return spaced(letters)
