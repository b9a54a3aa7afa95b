"""Which pieces is a text made of? Its runs of letters and of words as numbers, for many texts at once.

    shingles(laid([plain("The cat sat.")]))  ->  hashes of " the", "the ", "he c", …, "sat ", and [0, 10]

A number is a hash of its run that is the same in every process; two different runs share one with a chance of 2⁻⁶⁴.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LETTERS = 4  # of a shingle
COMMON_WORDS = 4  # of a run that many rows share
RUN_SHARE = 0.05  # of the rows: a run that more than these share is of a prompt's frame, and says nothing about one row
WORD_SHARE = 0.5  # of the rows: so is a single word of more than these
COMMON_ROWS = 20  # fewer rows than these have no frame that can be told from their content
QUOTES = re.compile("['’‘`\"“”«»]")
MARKS = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)|[;!?…¿¡—]")  # not the point in 3.5

Numbers = NDArray[np.uint64]
Places = NDArray[np.int64]
SPACE = 32
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no letter's weight is lost


@dataclass(frozen=True, eq=False)
class Laid:
    """Texts laid end to end, each as ` word word `: letters [letter], and where each row begins [row + 1]."""

    letters: NDArray[np.uint32]
    begins: Places


@dataclass(frozen=True, eq=False)
class Frame:
    """What rows share: hashes of words, and of runs of COMMON_WORDS words, each in order."""

    words: Numbers
    runs: Numbers

    def __or__(self, other: Frame) -> Frame:
        """What either has."""
        return Frame(np.union1d(self.words, other.words), np.union1d(self.runs, other.runs))


def plain(text: str) -> str:
    """A text in lower case without marks of prose and quotes, one space between words; signs of sums and code stay."""
    told = QUOTES.sub("", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(MARKS.sub(" ", told).split()) or text.strip()


def laid(texts: Sequence[str]) -> Laid:
    """Plain texts end to end, each with a space before every word and one at its end."""
    framed = [f" {text} " if text else " " for text in texts]
    letters = np.frombuffer("".join(framed).encode("utf-32-le"), np.uint32)
    return Laid(letters, np.concatenate([[0], np.cumsum([len(text) for text in framed], dtype=np.int64)]))


def words(rows: Laid) -> tuple[Numbers, Places]:
    """The hash of every word, and where each row's words begin [row + 1]."""
    starts = np.flatnonzero(rows.letters == SPACE)  # one ahead of every word and one at the end of every row
    lengths = np.diff(starts, append=len(rows.letters))
    powers = np.full(int(lengths.max(initial=0)) + 1, BASE)
    powers[0] = 1
    powers = powers.cumprod(dtype=np.uint64)
    weighed = rows.letters.astype(np.uint64) * powers[np.arange(len(rows.letters)) - np.repeat(starts, lengths)]
    ends = np.searchsorted(starts, rows.begins)
    hashed = mixed(np.add.reduceat(weighed, starts, dtype=np.uint64)) if len(starts) else weighed
    return np.delete(hashed, ends[1:] - 1), ends - np.arange(len(ends))


def runs(values: NDArray[np.integer], begins: Places, length: int) -> tuple[Numbers, Places]:
    """The hash of every run of so many values within a row, and where each row's runs begin [row + 1].

    Row i holds the values from begins[i] to before begins[i + 1].
    """
    n = max(0, len(values) - length + 1)
    total, weight = np.zeros(n, np.uint64), 1
    for i in range(length if n else 0):
        total += values[i : n + i].astype(np.uint64, copy=False) * np.uint64(weight)
        weight = weight * int(BASE) % 2**64
    whole = np.ones(n, bool)
    for ahead in range(1, length):  # a run that begins so far ahead of another row would reach into it
        cut = begins[1:-1] - ahead
        whole[cut[(cut >= 0) & (cut < n)]] = False
    before = np.concatenate([[0], np.cumsum(whole)])
    return mixed(total[whole]), before[np.minimum(begins, n)]


def shingles(rows: Laid) -> tuple[Numbers, Places]:
    """The hash of every run of LETTERS letters, spaces included, and where each row's begin [row + 1]."""
    return runs(rows.letters, rows.begins, LETTERS)


def word_runs(rows: Laid, length: int) -> tuple[Numbers, Places]:
    """The hash of every run of so many words, and where each row's begin [row + 1]."""
    return runs(*words(rows), length)


def frame(rows: Laid) -> Frame:
    """What many of the different rows share: words of more than WORD_SHARE of them, runs of words of more than RUN_SHARE.

    Few rows (below COMMON_ROWS) have none.
    """
    return Frame(_shared(rows, 1, WORD_SHARE), _shared(rows, COMMON_WORDS, RUN_SHARE))


def _shared(rows: Laid, length: int, share: float) -> Numbers:
    """The runs of so many words that stand in more than that share of the rows, in order."""
    n = len(rows.begins) - 1
    values, begins = word_runs(rows, length)
    if n < COMMON_ROWS:
        return values[:0]
    owner = np.repeat(np.arange(n), np.diff(begins))
    order = np.lexsort((owner, values))
    values, owner = values[order], owner[order]
    first = np.ones(len(values), bool)
    first[1:] = (values[1:] != values[:-1]) | (owner[1:] != owner[:-1])
    found, counts = np.unique(values[first], return_counts=True)
    return found[counts > share * n]


def without(rows: Laid, common: Frame) -> Laid:
    """The rows without the words of a frame: those that are common, and those in a common run."""
    values, begins = words(rows)
    kept = ~np.isin(runs(values, begins, 1)[0], common.words)
    found, firsts = runs(values, begins, COMMON_WORDS)
    at = np.flatnonzero(np.isin(found, common.runs))
    row = np.searchsorted(firsts, at, side="right") - 1
    at += begins[row] - firsts[row]
    for i in range(COMMON_WORDS):
        kept[at + i] = False
    kept = np.insert(kept, begins[1:], True)  # the space at the end of each row
    letters = kept[np.cumsum(rows.letters == SPACE) - 1]
    return Laid(rows.letters[letters], np.concatenate([[0], np.cumsum(letters)])[rows.begins])


def mixed(values: Numbers) -> Numbers:
    """Numbers whose every bit depends on every bit of the given ones (the finalizer of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
