"""Pieces of texts against plain Python: the same runs, the same frame, the same rows without it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.tasks.shingles import Laid, frame, laid, plain, runs, shingles, without, word_runs, words

texts = st.lists(st.text("ab é\U0001f600", max_size=12).map(lambda t: " ".join(t.split())), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The cat, it SAT!", "the cat it sat"),
        ("Don’t  stop\n(now)", "dont stop (now)"),
        ("12.5 - 3 = 9.5.", "12.5 - 3 = 9.5"),
        ("1,000 + 2: what?", "1,000 + 2 what"),
        ("cafe\u0301 \ufb01ne", "café fine"),
        ("?!", "?!"),
        ("  ", ""),
    ],
)
def test_plain_texts(text: str, told: str) -> None:
    assert plain(text) == told == plain(told)


def rows_of(values: np.ndarray, begins: np.ndarray) -> list[list[int]]:
    assert begins[0] == 0 and begins[-1] == len(values)
    return [values[a:b].tolist() for a, b in pairwise(begins)]


def named(hashed: list[list[int]], pieces: list[list[object]]) -> None:
    """Equal pieces have equal hashes, different ones different, and there is one hash for each piece, in order."""
    known: dict[object, int] = {}
    for found, wanted in zip(hashed, pieces, strict=True):
        assert len(found) == len(wanted)
        for value, piece in zip(found, wanted, strict=True):
            assert known.setdefault(piece, value) == value
    assert len(set(known.values())) == len(known)


@given(texts)
def test_shingles_words_and_their_runs(given: list[str]) -> None:
    rows = laid(given)
    framed = [f" {t} " if t else " " for t in given]
    named(rows_of(*shingles(rows)), [[t[i : i + 4] for i in range(len(t) - 3)] for t in framed])
    named(rows_of(*words(rows)), [list(t.split()) for t in given])
    split = [t.split() for t in given]
    named(rows_of(*word_runs(rows, 2)), [[tuple(w[i : i + 2]) for i in range(len(w) - 1)] for w in split])


def test_nothing_has_no_pieces() -> None:
    for empty in (laid([]), laid([""]), Laid(np.zeros(0, np.uint32), np.zeros(1, np.int64))):
        assert rows_of(*words(empty)) in ([], [[]])
        assert rows_of(*word_runs(empty, 3)) in ([], [[]])
    assert [v.tolist() for v in runs(np.arange(3), np.array([0, 3]), 5)] == [[], [0, 0]]


def slowly_without(given: list[str], of: list[str]) -> list[str]:
    """Rows of words less those that many of the rows of `of` share, by plain loops."""
    common = set[tuple[str, ...]]()
    for length, share in ((4, 0.05), (1, 0.5)):
        pieces = [{tuple(w[i : i + length]) for i in range(len(w) - length + 1)} for w in (t.split() for t in of)]
        counts = Counter(piece for row in pieces for piece in row)
        common |= {piece for piece, n in counts.items() if n > share * len(of) and len(of) >= 20}
    found: list[str] = []
    for text in given:
        w = text.split()
        gone = {i + j for i in range(len(w)) if tuple(w[i : i + 4]) in common for j in range(4)}
        found.append(" ".join(word for i, word in enumerate(w) if i not in gone and (word,) not in common))
    return found


def test_a_frame_is_what_many_rows_share() -> None:
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"w{i}" for i in range(30)])
    bodies = [" ".join(rng.choice(vocabulary, rng.integers(0, 9))) for _ in range(60)]
    frames = ["which intent has this {} it", "{}", "please do read all of {} and tell me what it is"]
    given = [plain(frames[i % 3].format(body)) for i, body in enumerate(bodies)]
    for n in (60, 19):
        rows = laid(given[:n])
        told = slowly_without(given[:n], given[:n])
        found = without(rows, frame(rows))
        letters = found.letters.tobytes().decode("utf-32-le")
        assert [letters[a:b] for a, b in pairwise(found.begins)] == [f" {t} " if t else " " for t in told]
        assert (told == given[:n]) is (n == 19)
        assert rows_of(*shingles(found)) == rows_of(*shingles(laid(told)))


def test_hashes_are_the_same_in_every_process() -> None:
    code = "from unseen.tasks.shingles import laid, shingles; print(shingles(laid(['a cat']))[0].tolist())"
    here = shingles(laid(["a cat"]))[0].tolist()
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
        assert told.stdout.strip() == str(here)
