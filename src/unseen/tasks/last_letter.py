"""Last letters: which letters do the words end in, one after the other?

    "Take the last letters of the words in "apple dog" and concatenate them."  ->  "eg"

Words are made of syllables here (a twin of English ones), or are the 10,000 most frequent English words of the package
wordfreq (extra `text`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from unseen.core.errors import missing_extra

from .traces import Skill, Trace, use
from .worked import Problem, Sized

Source = Literal["made", "wordfreq"]
ONSETS = (
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "br",
    "cl",
    "dr",
    "fl",
    "gr",
    "pl",
    "pr",
    "st",
    "tr",
)
VOWELS = ("a", "e", "i", "o", "u")
CODAS = ("", "", "b", "d", "g", "k", "l", "m", "n", "p", "r", "s", "t", "x", "y")

WORDS_TO_LIST = Skill(
    "words_to_list",
    "Put the words that are separated by spaces into a list.",
    'the words of "{text}" are {result}',
    lambda text: ", ".join(text.split()),
    {"text": "big yellow taxi"},
)
LAST_LETTER = Skill(
    "last_letter",
    "Find the last letter of a word.",
    'the last letter of "{word}" is "{result}"',
    lambda word: word[-1],
    {"word": "taxi"},
    "L",
    "{word}:{result}",
)
SKILLS = (WORDS_TO_LIST, LAST_LETTER)


def problem(words: Sequence[str]) -> Problem:
    """The problem of these words, its worked solution, and the parts that take one word more each time."""
    text = " ".join(words)
    ends = [word[-1] for word in words]
    so_far = ["".join(ends[: i + 1]) for i in range(len(words))]
    steps = [
        use(WORDS_TO_LIST, text=text),
        *(use(LAST_LETTER, state, word=word) for word, state in zip(words, so_far, strict=True)),
    ]
    parts = tuple((f'"{" ".join(words[: i + 1])}"', so_far[i]) for i in range(len(words)))
    return Problem(
        f'Take the last letters of the words in "{text}" and concatenate them.',
        Trace(tuple(steps), so_far[-1]),
        parts,
        f"{' '.join(words)}>",
    )


def last_letter(train: tuple[int, ...], beyond: tuple[int, ...], *, source: Source = "made", longest: int = 9) -> Sized:
    """The task of these numbers of words. `longest` is the most letters of a word."""

    def make(n: int, rng: np.random.Generator) -> Problem:
        pool = vocabulary(source, longest)
        return problem([pool[i] for i in rng.integers(0, len(pool), n)])

    return Sized("last_letter", "length", "words", train, beyond, make, SKILLS)


@lru_cache(maxsize=8)
def vocabulary(source: Source, longest: int) -> tuple[str, ...]:
    """The words there are. Raises Missing where wordfreq is asked for and not installed."""
    if source == "made":
        syllables = [o + v + c for o in ONSETS for v in VOWELS for c in dict.fromkeys(CODAS)]
        rng = np.random.default_rng(0)
        longer = ["".join(syllables[i] for i in rng.integers(0, len(syllables), 2)) for _ in range(8_000)]
        return tuple(dict.fromkeys(w for w in (*syllables, *longer) if 3 <= len(w) <= longest))
    try:
        import wordfreq
    except ModuleNotFoundError as error:
        raise missing_extra("the word list of last_letter", error, "text") from error
    return tuple(w for w in wordfreq.top_n_list("en", 10_000) if w.isascii() and w.isalpha() and 3 <= len(w) <= longest)
