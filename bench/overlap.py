"""Which test rows were trained on? unseen's overlap of two files beside the same audit of prompts written with rensa.

    train   'The minister said on which this been, a …'      100,000 rows of 10 to 80 English words, drawn by frequency
    test    'the minsiter said on WHICH this been a …'       10,000 rows: 5% are duplicates, 5% nearly so, the rest new

rensa (MinHash in Rust) is given the same shingles, the same bands and as many hashes, and its candidates are decided by
the exact similarity. It looks prompts up, ours prompts, answers and contained runs. What is required is that both files
take no more than a minute, and that what was planted is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unseen.tasks import near
from unseen.tasks.overlap import NEAR, Overlap, overlap
from unseen.tasks.owned import Pair
from unseen.tasks.shingles import LETTERS, plain

from .timing import Result, spent, take_turns

TRAIN, TEST = 100_000, 10_000
SHARE = 0.05  # of the test rows: duplicates, and as many near ones
SECONDS = 60
WORDS = 20_000  # of English, by frequency
SAME, NEARLY, FALSE = 0.99, 0.90, 0.01  # least share found of what was planted, most of the rest


@dataclass(frozen=True)
class Planted:
    """Test rows, and the ids of those that were planted: duplicates, and near ones."""

    test: tuple[Pair, ...]
    same: frozenset[str]
    near: frozenset[str]


def compare(rounds: int) -> Iterator[Result]:
    """One result. Needs wordfreq and rensa; some ten minutes."""
    rng = np.random.default_rng(0)
    train, made = drawn(TRAIN, "train", rng), drawn(TEST, "test", rng)
    planted = plant(train, made, rng)
    shares = found(planted, overlap(train, planted.test))
    missed = max(SAME - shares["same"], NEARLY - shares["near"], shares["false"] - FALSE, 0.0)
    turns = take_turns(
        lambda: spent(lambda: overlap(train, planted.test)),
        lambda: spent(lambda: by_rensa(train, planted.test)),
        rounds,
    )
    rows = TRAIN + TEST
    case = f"{TRAIN:,} x {TEST:,} rows"
    notes: dict[str, object] = {**shares, "rensa": by_rensa_shares(train, planted)}
    yield Result("overlap", case, "rensa, prompts only", missed, 0.0, turns, 0.0, rows, "rows", {}, notes, least=rows / SECONDS)  # fmt: skip


def drawn(n: int, side: str, rng: np.random.Generator) -> list[Pair]:
    """n rows of English words drawn by their frequency, 10 to 80 in a prompt and up to 40 in an answer, as sentences."""
    from wordfreq import top_n_list, word_frequency

    words = np.array(top_n_list("en", WORDS), dtype=object)
    weights = np.array([word_frequency(word, "en") for word in words])
    lengths = np.stack([rng.integers(10, 81, n), rng.integers(3, 41, n)])
    picked = words[rng.choice(WORDS, int(lengths.sum()), p=weights / weights.sum())]
    cuts = np.concatenate([[0], np.cumsum(lengths.T.ravel())])
    texts = [_sentences(picked[a:b].tolist()) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]  # noqa: RUF007
    return [Pair(f"{side} {i}", texts[2 * i], texts[2 * i + 1]) for i in range(n)]


def plant(train: Sequence[Pair], test: Sequence[Pair], rng: np.random.Generator, share: float = SHARE) -> Planted:
    """The test rows with a share of them replaced by copies of training rows, and another by copies with changes."""
    n = round(share * len(test))
    places = rng.choice(len(test), 2 * n, replace=False)
    sources = rng.choice(len(train), 2 * n, replace=False)
    words = [
        word for i in rng.choice(len(train), min(500, len(train)), replace=False) for word in train[i].prompt.split()
    ]
    rows = list(test)
    for k, (at, source) in enumerate(zip(places.tolist(), sources.tolist(), strict=True)):
        copy = train[source].prompt if k < n else changed(train[source].prompt, words, rng)
        rows[at] = replace(train[source], id=test[at].id, prompt=copy)
    ids = [test[at].id for at in places.tolist()]
    return Planted(tuple(rows), frozenset(ids[:n]), frozenset(ids[n:]))


def changed(text: str, words: Sequence[str], rng: np.random.Generator) -> str:
    """A text with a tenth of its words, at least one, replaced (two times in three), or else misspelt; half of the texts
    also get other capitals, and half other marks."""
    told = text.split()
    replaced = rng.random() < 2 / 3
    for at in rng.choice(len(told), max(1, round(0.1 * len(told))), replace=False).tolist():
        told[at] = words[rng.integers(len(words))] if replaced else misspelt(told[at], rng)
    copy = " ".join(told)
    if rng.random() < 0.5:
        copy = copy.upper() if rng.random() < 0.5 else copy.lower()
    return re.sub(r"[,.?!]", "", copy) + "!" if rng.random() < 0.5 else copy


def misspelt(word: str, rng: np.random.Generator) -> str:
    """A word with two letters in its inside exchanged, or the last doubled where there are none to exchange."""
    i = int(rng.integers(1, max(2, len(word) - 2)))
    if len(word) < 4 or word[i].casefold() == word[i + 1].casefold():
        return word + word[-1]
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def found(planted: Planted, told: Overlap) -> Mapping[str, float]:
    """The share found of the planted duplicates and near ones, and the share named of all other rows (0..1)."""
    kinds = {i: match.kind for i, match in zip(told.ids, told.prompts, strict=True) if match is not None}
    others = {p.id for p in planted.test} - planted.same - planted.near
    return {
        "same": sum(kinds.get(i) == "same" for i in planted.same) / max(1, len(planted.same)),
        "near": sum(i in kinds for i in planted.near) / max(1, len(planted.near)),
        "false": sum(i in kinds for i in others) / max(1, len(others)),
    }


def by_rensa(train: Sequence[Pair], test: Sequence[Pair]) -> set[str]:
    """The ids of the test rows whose prompt is near that of a training row."""
    from rensa import RMinHash, RMinHashLSH

    def pieces(text: str) -> set[str]:
        told = f" {plain(text)} "
        return {told[i : i + LETTERS] for i in range(len(told) - LETTERS + 1)}

    def hashed(own: set[str]) -> RMinHash:
        made = RMinHash(near.HASHES, 0)
        made.update(list(own))
        return made

    known = [pieces(p.prompt) for p in test]
    lookup = RMinHashLSH(NEAR, near.HASHES, near.BANDS)
    lookup.insert_many([hashed(own) for own in known])
    hits = set[str]()
    for row in train:
        own = pieces(row.prompt)
        for i in lookup.query(hashed(own)):
            if test[i].id not in hits and len(own & known[i]) >= NEAR * len(own | known[i]):
                hits.add(test[i].id)
    return hits


def by_rensa_shares(train: Sequence[Pair], planted: Planted) -> Mapping[str, float]:
    """The shares that rensa finds of the same rows."""
    hits = by_rensa(train, planted.test)
    others = {p.id for p in planted.test} - planted.same - planted.near
    sides = {"same": planted.same, "near": planted.near, "false": others}
    return {name: len(hits & ids) / max(1, len(ids)) for name, ids in sides.items()}


def _sentences(words: list[str]) -> str:
    """Words as sentences of about twelve."""
    told = [" ".join(words[i : i + 12]).capitalize() for i in range(0, len(words), 12)]
    return ". ".join(told) + "."
