"""How far is a test row from what was trained on, and which training rows are nearest to it?

    far = distances(train, test, vectors="minilm")
    far.words[7], far.meaning[7], far.beyond[7], far.rarity[7]   ->  0.83, 0.41, 12, 11.2
    [train[i].prompt for i in far.by_words.rows[7]]              ->  the training prompts nearest to test row 7

words     1 - BM25 of the nearest training row / BM25 of a copy of the row itself (Robertson and Zaragoza 2009)
meaning   1 - cosine with the nearest training row's sentence embedding
beyond    words by which the row is longer than every training row
rarity    mean surprise of its words under the training rows' frequencies (bits a word)

100,000 training rows beside 10,000 test rows of 45 words take 40 seconds on one core; an embedding of that many takes a
core half an hour (sentences.py), of ten words each eight minutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, missing_extra
from unseen.models import sentences
from unseen.tasks.owned import Pair
from unseen.tasks.shingles import plain

K1, B = 1.5, 0.75  # of BM25: how soon more of a word says no more, how far long rows are discounted
KEPT = 5  # nearest rows
AT_ONCE = 256  # test rows whose likeness to all training rows is held at a time

Ids = list[list[int]]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest training rows of each test row, best first: their numbers [test k], and how like they are [test k].

    Where fewer than k training rows are like it at all, the rest are -1, with a likeness of 0.
    """

    rows: NDArray[np.int64]
    likeness: NDArray[np.float64]  # 0..1

    @property
    def distance(self) -> NDArray[np.float64]:
        """1 less the likeness of the nearest [test]."""
        return 1 - self.likeness[:, 0]


@dataclass(frozen=True, eq=False)
class Distances:
    """How far each test row is from the training rows, in several ways [test]; `by_meaning` is None without an embedding."""

    by_words: Nearest
    by_meaning: Nearest | None
    length: NDArray[np.int64]  # words
    beyond: NDArray[np.int64]  # words
    rarity: NDArray[np.float64]  # bits a word
    unknown: NDArray[np.float64]  # share of its words that no training row has (0..1)

    @property
    def words(self) -> NDArray[np.float64]:
        """The distance by words (0..1)."""
        return self.by_words.distance

    @property
    def meaning(self) -> NDArray[np.float64] | None:
        """The distance by meaning, or None."""
        return None if self.by_meaning is None else self.by_meaning.distance


def distances(train: Sequence[Pair], test: Sequence[Pair], *, vectors: str | None = None, k: int = KEPT) -> Distances:
    """How far the prompts of the test rows are from those of the training rows. `vectors` names an embedding (sentences.open).

    Raises Invalid where either side is empty; Missing without the extra nearest, or, with `vectors`, the extra hub.
    """
    told, asked = ([pair.told() for pair in side] for side in (train, test))
    known, given = ([plain(text).split() for text in side] for side in (told, asked))
    if not known or not given:
        raise Invalid(f"there are no {'test' if known else 'training'} rows, so nothing is near; give some.")
    length = np.array([len(row) for row in given])
    rarity, unknown = surprise(known, given)
    return Distances(
        bm25(known, given, k),
        None if vectors is None else by_vectors(told, asked, sentences.open(vectors), k),
        length,
        np.maximum(0, length - max(len(row) for row in known)),
        rarity,
        unknown,
    )


def bm25(train: Sequence[Sequence[str]], test: Sequence[Sequence[str]], k: int = KEPT) -> Nearest:
    """The k training rows with the highest BM25 for each test row, rows being words.

    Their likeness is that score as a share of what a copy of the test row would get, at most 1. A word no training row
    has counts for the copy alone. Raises Missing without the extra nearest.
    """
    try:
        import bm25s
    except ModuleNotFoundError as error:
        raise missing_extra("the distance from training rows by their words", error, "nearest") from None
    number: dict[str, int] = {}
    known = [[number.setdefault(word, len(number)) for word in row] for row in train]
    asked = [[number[word] for word in row if word in number] for row in test]
    rows, scores = np.full((len(test), k), -1), np.zeros((len(test), k))
    some = [i for i, row in enumerate(asked) if row]
    if some:
        model: Any = bm25s.BM25(k1=K1, b=B, method="lucene")
        model.index((known, number), show_progress=False)
        most = min(k, len(known))
        found: Any = model.retrieve(
            [asked[i] for i in some], k=most, show_progress=False, backend_selection="numpy", sorted=True
        )
        rows[some, :most], scores[some, :most] = found.documents, found.scores
    own = _own(known, number, test)
    rows[scores <= 0] = -1
    return Nearest(rows, np.clip(scores / np.maximum(own, 1e-12)[:, None], 0, 1))


def _own(known: Ids, number: Mapping[str, int], test: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """The BM25 that each test row has for a copy of itself [test], with the training rows' frequencies and mean length."""
    holders = np.bincount([i for row in known for i in set(row)], minlength=len(number))
    rarity = np.log1p((len(known) - holders + 0.5) / (holders + 0.5))
    unheard = float(np.log1p((len(known) + 0.5) / 0.5))
    mean = max(1e-12, sum(map(len, known)) / len(known))
    found = np.zeros(len(test))
    for i, row in enumerate(test):
        worn = K1 * (1 - B + B * len(row) / mean)
        for word, n in Counter(row).items():
            weight = rarity[number[word]] if word in number else unheard
            found[i] += n * weight * n / (n + worn)
    return found


def by_vectors(train: Sequence[str], test: Sequence[str], model: sentences.Sentences, k: int = KEPT) -> Nearest:
    """The k training texts whose embeddings have the highest cosine with each test text's; one below 0 counts as 0."""
    known, asked = model.vectors(train), model.vectors(test)
    rows, likeness = np.full((len(asked), k), -1), np.zeros((len(asked), k))
    most = min(k, len(known))
    for at in range(0, len(asked), AT_ONCE):
        near = asked[at : at + AT_ONCE] @ known.T
        best = np.argpartition(-near, most - 1, axis=1)[:, :most]
        scores = np.take_along_axis(near, best, 1)
        order = np.lexsort((best, -scores), axis=1)
        rows[at : at + len(near), :most] = np.take_along_axis(best, order, 1)
        likeness[at : at + len(near), :most] = np.take_along_axis(scores, order, 1)
    rows[likeness <= 0] = -1
    return Nearest(rows, np.clip(likeness, 0, 1))


def surprise(
    train: Sequence[Sequence[str]], test: Sequence[Sequence[str]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean surprise of each test row's words (bits a word) and the share that no training row has (0..1) [test].

    A word's chance is its count in the training rows plus one, all unknown words together counting as one word; a row
    without words has no surprise.
    """
    counts = Counter(word for row in train for word in row)
    total = sum(counts.values()) + len(counts) + 1
    bits = {word: -np.log2((n + 1) / total) for word, n in counts.items()}
    most = -np.log2(1 / total)
    rarity = [np.mean([bits.get(word, most) for word in row]) if row else 0.0 for row in test]
    unknown = [np.mean([word not in bits for word in row]) if row else 0.0 for row in test]
    return np.array(rarity, float), np.array(unknown, float)
