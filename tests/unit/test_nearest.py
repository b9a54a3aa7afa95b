"""Distances from training rows, against plain loops over the formulas."""

from __future__ import annotations

import math
import sys
from collections import Counter

import numpy as np
import pytest

from unseen.core.errors import Invalid, Missing
from unseen.measures.nearest import bm25, by_vectors, distances, surprise
from unseen.models.sentences import Sentences
from unseen.tasks.owned import Pair

pytest.importorskip("bm25s", reason="BM25 comes with the extra nearest")


def slowly(query: list[str], row: list[str], train: list[list[str]]) -> float:
    """BM25 as Lucene has it, k1 = 1.5, b = 0.75, term by term."""
    mean = sum(map(len, train)) / len(train)
    score = 0.0
    for word in query:
        holders = sum(word in other for other in train)
        idf = math.log(1 + (len(train) - holders + 0.5) / (holders + 0.5))
        n = row.count(word)
        score += idf * n / (n + 1.5 * (1 - 0.75 + 0.75 * len(row) / mean))
    return score


def drawn(n: int, rng: np.random.Generator, words: int = 40) -> list[list[str]]:
    return [[f"w{i}" for i in rng.integers(words, size=rng.integers(1, 12))] for _ in range(n)]


def test_bm25_is_that_of_plain_loops() -> None:
    rng = np.random.default_rng(0)
    train, test = drawn(60, rng), drawn(25, rng, 50)
    found = bm25(train, test, 4)
    for i, query in enumerate(test):
        scores = np.array([slowly(query, row, train) for row in train])
        own = slowly(query, query, train)
        best = np.sort(scores)[::-1][:4]
        assert found.likeness[i] == pytest.approx(np.clip(best / own, 0, 1), rel=1e-4, abs=1e-6)
        named = found.rows[i][found.rows[i] >= 0]
        assert scores[named] == pytest.approx(best[: len(named)], rel=1e-4)
        assert len(set(named)) == len(named)
    assert found.distance == pytest.approx(1 - found.likeness[:, 0])


def test_a_copy_is_at_no_distance_and_new_words_are_far() -> None:
    train = [["a", "b", "c"], ["a", "d", "e"], ["f", "g"]]
    found = bm25(train, [["a", "d", "e"], ["x", "y"], [], ["a", "x"]], 5)
    assert found.rows[0][0] == 1 and found.distance[0] == pytest.approx(0, abs=1e-6)
    assert found.rows[1:3].tolist() == [[-1] * 5] * 2 and found.distance[1:3].tolist() == [1, 1]
    assert 0.5 < found.distance[3] < 1 and set(found.rows[3]) == {0, 1, -1}


def test_surprise_by_hand() -> None:
    # counts 2, 1, and the unknown word: (2 + 1 + 1) / (3 + 2 + 1) of 6
    rarity, unknown = surprise([["a", "a", "b"]], [["a"], ["b", "x"], []])
    assert rarity == pytest.approx([1.0, (math.log2(3) + math.log2(6)) / 2, 0.0])
    assert unknown.tolist() == [0, 0.5, 0]
    chances = [2.0 ** -surprise([["a", "a", "b"]], [[w]])[0][0] for w in ("a", "b", "x")]
    assert sum(chances) == pytest.approx(1)


class Placed(Sentences):
    """Embeddings that are read off the text."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def vectors(self, texts: object, *, batch_size: int = 32) -> np.ndarray:
        found = np.array([[float(x) for x in str(text).split()] for text in texts], np.float32)  # type: ignore[attr-defined]
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_nearest_by_meaning_is_that_of_plain_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unseen.measures.nearest.AT_ONCE", 7)
    rng = np.random.default_rng(1)
    train, test = rng.standard_normal((40, 5)), rng.standard_normal((20, 5))
    texts = [[" ".join(map(str, row)) for row in side] for side in (train, test)]
    found = by_vectors(*texts, Placed(), 3)
    for i, row in enumerate(test):
        cosines = np.array([row @ other / np.linalg.norm(row) / np.linalg.norm(other) for other in train])
        best = np.argsort(-cosines)[:3]
        assert found.rows[i].tolist() == best.tolist()
        assert found.likeness[i] == pytest.approx(cosines[best], abs=1e-5)
    few = by_vectors(["1 0", "-1 0"], ["1 1"], Placed(), 3)
    assert few.rows.tolist() == [[0, -1, -1]] and few.likeness[0] == pytest.approx([0.5**0.5, 0, 0])


def pair(prompt: str) -> Pair:
    return Pair(prompt, prompt, "a")


def test_all_distances_of_rows() -> None:
    train = [pair("Is it warm today?"), pair("Play a song."), pair("Set an alarm for six.")]
    far = distances(train, [pair("is it WARM today"), pair("what on earth is the meaning of life"), pair("?")], k=2)
    assert far.words[0] == pytest.approx(0, abs=1e-6) and far.by_words.rows[0].tolist() == [0, -1]
    assert far.length.tolist() == [4, 8, 1] and far.beyond.tolist() == [0, 3, 0]
    assert far.unknown.tolist() == [0, 7 / 8, 1] and far.rarity[0] < far.rarity[1] < far.rarity[2]
    assert far.meaning is None
    for one, other, says in (([], train, "no training rows"), (train, [], "no test rows")):
        with pytest.raises(Invalid, match=says):
            distances(one, other)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(Missing, match=r"needs bm25s. Install it: pip install 'unseen\[nearest\]'"):
        bm25([["a"]], [["a"]])


def test_frequent_words_say_little() -> None:
    train = [["the", f"x{i}"] for i in range(50)]
    found = bm25(train, [["the", "x7"]], 1)
    assert found.rows[0][0] == 7 and Counter(found.rows[:, 0].tolist()) == {7: 1}
