"""Near texts against plain Python: every similarity exact, next to no pair missed, MinHash as its theory says."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.tasks.near import HASHES, index, jaccard, minhashes, near
from unseen.tasks.shingles import laid, plain


@lru_cache
def pieces(text: str) -> set[str]:
    told = f" {text} "
    return {told[i : i + 4] for i in range(len(told) - 3)}


def slowly(one: str, other: str) -> float:
    """The Jaccard similarity of the shingles of two texts, by sets of texts."""
    a, b = pieces(one), pieces(other)
    return len(a & b) / len(a | b) if min(len(a), len(b)) >= 8 else 0.0


def pairs(known: list[str], given: list[str], least: float) -> dict[tuple[int, int], float]:
    found = near(index(laid(known)), laid(given), least, most=10_000)
    keys = list(zip(found.known.tolist(), found.given.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, found.jaccard.tolist(), strict=True))


def sentences(n: int, rng: np.random.Generator) -> list[str]:
    """Texts of which many are alike: some words of a few stems are others."""
    vocabulary = ["".join(rng.choice(list("aeioulnrst"), rng.integers(2, 8))) for _ in range(300)]
    stems = [rng.choice(vocabulary, rng.integers(3, 30)) for _ in range(n // 10)]
    found: list[str] = []
    for _ in range(n):
        stem = stems[rng.integers(len(stems))]
        changed = rng.random(len(stem)) < rng.random() * 0.4
        found.append(" ".join(np.where(changed, rng.choice(vocabulary, len(stem)), stem)))
    return found


@pytest.mark.parametrize("least", [0.5, 0.7])
def test_pairs_are_those_of_plain_loops(least: float) -> None:
    texts = sentences(300, np.random.default_rng(1))
    known, given = texts[:150], texts[150:]
    found = pairs(known, given, least)
    told = {(i, j): slowly(a, b) for i, a in enumerate(known) for j, b in enumerate(given)}
    wanted = {pair: value for pair, value in told.items() if value >= least}
    assert all(value == pytest.approx(told[pair]) for pair, value in found.items())
    assert len(wanted) > 60 and len(found) >= 0.997 * len(wanted)


def test_the_closest_are_decided_of_many_and_parts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = sentences(300, np.random.default_rng(4))
    every = pairs(texts[:60], texts[60:], 0.5)
    monkeypatch.setattr("unseen.tasks.near.CANDIDATES", 50)
    assert pairs(texts[:60], texts[60:], 0.5) == every
    few = near(index(laid(texts[:60])), laid(texts[60:]), 0.5, most=1_000)
    assert len(few.known) == len(every)
    monkeypatch.setattr("unseen.tasks.near.CANDIDATES", 1 << 23)
    few = near(index(laid(texts[:60])), laid(texts[60:]), 0.5, most=3)
    kept = dict(zip(zip(few.known.tolist(), few.given.tolist(), strict=True), few.jaccard.tolist(), strict=True))
    assert kept.items() <= every.items() and max(np.bincount(few.known)) == 3
    best = {i: max(v for (k, _), v in every.items() if k == i) for i, _ in every}
    closest = [max(v for (k, _), v in kept.items() if k == i) for i in best]
    assert np.mean(np.array(list(best.values())) - closest) < 0.01


def test_short_and_empty_texts_are_near_none() -> None:
    assert pairs(["", "yes", "the cat sat"], ["", "yes", "the cat sat"], 0.5) == {(2, 2): 1.0}
    assert pairs([], ["the cat sat"], 0.5) == pairs(["the cat sat"], [], 0.5) == {}


def test_a_signature_estimates_the_similarity() -> None:
    """Each of 126 hashes agrees with the chance of the similarity: the estimates spread as a binomial's do."""
    rng, errors = np.random.default_rng(2), list[float]()
    for _ in range(200):
        both = rng.integers(0, 2**64, rng.integers(5, 200), np.uint64)
        own = [rng.integers(0, 2**64, rng.integers(5, 60), np.uint64) for _ in range(2)]
        rows = [np.concatenate([both, one]) for one in own]
        found = minhashes(np.concatenate(rows), np.array([0, len(rows[0]), len(rows[0]) + len(rows[1])]))
        true = jaccard(*map(np.unique, rows))
        errors.append(((found[:, 0] == found[:, 1]).mean() - true) / np.sqrt(true * (1 - true) / HASHES))
    assert abs(np.mean(errors)) < 0.25 and 0.85 < np.std(errors) < 1.15


def test_signatures_do_not_depend_on_what_is_hashed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    values, begins = rng.integers(0, 2**64, 500, np.uint64), np.array([0, 0, 90, 91, 91, 400, 500, 500])
    whole = minhashes(values, begins)
    monkeypatch.setattr("unseen.tasks.near.AT_ONCE", 64)
    assert np.array_equal(minhashes(values, begins), whole)
    assert (whole[:, [0, 3, 6]] == np.iinfo(np.uint32).max).all()


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 50)))
def test_jaccard_is_that_of_sets(one: set[int], other: set[int]) -> None:
    found = jaccard(*(np.array(sorted(s), np.uint64) for s in (one, other)))
    assert found == pytest.approx(len(one & other) / max(1, len(one | other)))


@pytest.mark.realdata
def test_near_pairs_of_released_texts_are_those_of_a_product_of_all_with_all() -> None:
    if not (root := os.environ.get("UNSEEN_DATA")):
        pytest.skip("UNSEEN_DATA is not set; it holds clinc150/")
    told = json.loads((Path(root) / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    known, given = ([plain(text) for text, _ in told[part][::5]] for part in ("test", "train"))
    assert pairs(known, given, 0.5).keys() <= (wanted := _product(known, given, 0.5))
    assert len(wanted) > 200 and len(pairs(known, given, 0.5)) >= 0.99 * len(wanted)


def _product(known: list[str], given: list[str], least: float) -> set[tuple[int, int]]:
    """Near pairs by a sparse product of all rows with all."""
    from scipy import sparse

    number: dict[str, int] = {}
    rows = [
        sorted({number.setdefault(t[i : i + 4], len(number)) for t in (f" {text} ",) for i in range(len(t) - 3)})
        for text in [*known, *given]
    ]
    sizes = np.array([len(row) for row in rows])
    shape, columns = (len(rows), len(number)), np.concatenate(rows)
    table = sparse.csr_matrix((np.ones(len(columns)), columns, np.concatenate([[0], sizes.cumsum()])), shape=shape)
    both = (table[: len(known)] @ table[len(known) :].T).toarray()
    share = both / (sizes[: len(known), None] + sizes[None, len(known) :] - both)
    short = sizes < 8
    share[short[: len(known)]], share[:, short[len(known) :]] = 0, 0
    return {(int(i), int(j)) for i, j in np.argwhere(share >= least)}
