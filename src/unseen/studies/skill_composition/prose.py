"""What are a text's sentences, clauses and words, and does it read as prose?

sentences('Dr. Lee waits. "Why?" Nobody knows.')   ->  3
clauses("We sew by day, we sew by night.")         ->  ["We sew by day", "we sew by night"]
"""

from __future__ import annotations

import re
from itertools import pairwise

TITLES = re.compile(r"\b(Mr|Mrs|Ms|Dr|Prof)\.")
QUOTES = "\"'“”‘’"
# DEPARTS: the released rule knows straight quotes and plain spaces only, so that sentences on lines of their own, or behind
# curly quotes, count as one; `as_released` is that rule.
BREAK = re.compile(rf"[.!?][{QUOTES}]*\s+[{QUOTES}]*(?=[A-Z])")
RELEASED = re.compile(r"[.!?]['\"]* ['\"]*[A-Z]")
CLAUSE = re.compile(r"[.!?;:,—–()\n]+|\s-\s")
WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
FUNCTION = frozenset(["a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "if", "in", "is", "it", "its", "more", "no", "not", "of", "on", "or", "so", "than", "that", "the", "their", "they", "this", "to", "was", "we", "who", "will", "with", "you"])  # fmt: skip
PAIRS = (("(", ")"), ("“", "”"))
FEWEST, MOST = 3, 60  # words of a sentence
FREE = 8  # words that need no function word


def sentences(text: str, *, as_released: bool = False) -> int:
    """How many sentences a text has: at marks that are followed by a space and a capital; titles end none."""
    masked = TITLES.sub(r"\1", text.strip())
    return len((RELEASED if as_released else BREAK).split(masked)) if masked else 0


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, without titles' points."""
    masked = TITLES.sub(r"\1", text.strip())
    starts = [0, *(found.end() for found in BREAK.finditer(masked)), len(masked)]
    return [masked[a:b].strip() for a, b in pairwise(starts) if masked[a:b].strip()]


def clauses(text: str) -> list[str]:
    """What stands between marks, where it holds a word."""
    return [part.strip() for part in CLAUSE.split(TITLES.sub(r"\1", text)) if WORD.search(part)]


def words(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return WORD.findall(text.replace("’", "'").lower())


def sensible(text: str) -> bool:
    """Whether a text is well formed, the most that a program can tell of sense.

    It begins with a capital and ends with a mark; brackets and quotes are closed; a sentence has 3 to 60 words, two in
    five of them different; and beyond eight words, one in twelve is such as English sentences are built with.
    """
    # DEPARTS: a judge is asked whether a text makes sense; the program only sees that it is no heap of words
    told = text.strip()
    if not re.match(rf"[{QUOTES}(]*[A-Z0-9]", told) or not re.search(rf"[.!?][{QUOTES})]*$", told):
        return False
    if told.count('"') % 2 or any(told.count(a) != told.count(b) for a, b in PAIRS):
        return False
    return all(_built(words(one)) for one in split_sentences(told))


def _built(said: list[str]) -> bool:
    """Whether words may be those of a sentence."""
    of_use = sum(w in FUNCTION for w in said)
    return FEWEST <= len(said) <= MOST and 5 * len(set(said)) >= 2 * len(said) and 12 * of_use >= len(said) - FREE
