"""Which examples are hard? Those far from the prototypes of a data set: the nearest centre that k-means finds.

    hardness(["a dog slept .", "a cat slept .", "Emma gave …"])   ->  [0.02, 0.02, 0.61]   distances
    subset(distances, "mixed", rng)                               ->  a quarter of the examples, half easy, half hard

Sentences become vectors by their words and pairs of words (tf-idf), reduced to some tens of dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, missing_extra

Subset = Literal["all", "easy", "easier", "harder", "hard", "mixed", "random"]
QUARTERS: tuple[Subset, ...] = ("easy", "easier", "harder", "hard")
CENTRES, DIMENSIONS, STARTS = 20, 64, 3
Vectors = NDArray[np.float64]


def hardness(sentences: Sequence[str], *, centres: int = CENTRES, seed: int = 0) -> Vectors:
    """The distance [sentence] of each sentence to the nearest prototype; larger is harder. Seconds for 10^5 sentences.

    Raises Invalid for fewer sentences than centres.
    """
    return distances(vectors(sentences, seed=seed), centres=centres, seed=seed)


def vectors(sentences: Sequence[str], *, dimensions: int = DIMENSIONS, seed: int = 0) -> Vectors:
    """Sentences as vectors of length 1 [sentence dimension]: tf-idf of words and pairs of words, its first components."""
    try:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import normalize
    except ModuleNotFoundError as error:
        raise missing_extra("prototypes", error, "data") from error
    # DEPARTS: the paper's sentence vectors come from a language model; these need none and no download.
    found: Any = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+", sublinear_tf=True).fit_transform(sentences)
    wide = found.shape[1] > dimensions
    dense = TruncatedSVD(dimensions, random_state=seed).fit_transform(found) if wide else found.toarray()
    return np.asarray(normalize(dense), float)


def distances(points: Vectors, *, centres: int = CENTRES, seed: int = 0) -> Vectors:
    """The distance [point] of points [point dimension] to the nearest of so many k-means centres."""
    if len(points) < centres:
        raise Invalid(f"{len(points)} examples cannot have {centres} prototypes; ask for fewer centres.")
    try:
        from sklearn.cluster import KMeans
    except ModuleNotFoundError as error:
        raise missing_extra("prototypes", error, "data") from error
    found = KMeans(centres, n_init=cast(Any, STARTS), random_state=seed).fit(points)
    return found.transform(points).min(1)


def subset(hard: Vectors, which: Subset, rng: np.random.Generator) -> NDArray[np.int64]:
    """The places of a quarter of the examples, in order: one of the quarters by hardness, or a mixture, or any.

    "mixed" is a random half of the easiest and a random half of the hardest quarter; "all" is no quarter but all of
    them. Raises Invalid for fewer than 8.
    """
    if which == "all":
        return np.arange(len(hard))
    if len(hard) < 8:
        raise Invalid(f"{len(hard)} examples are too few to be quartered; 8 are the least.")
    n = len(hard) // 4
    ordered = np.argsort(hard, kind="stable")
    if which == "random":
        chosen = rng.choice(len(hard), n, replace=False)
    elif which == "mixed":
        half = n // 2
        chosen = np.concatenate([rng.choice(ordered[:n], half, False), rng.choice(ordered[-n:], n - half, False)])
    else:
        at = QUARTERS.index(which)
        chosen = ordered[at * n : (at + 1) * n] if at < 3 else ordered[-n:]
    return np.sort(chosen)
