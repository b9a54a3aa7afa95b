"""Which skills can a text of letters show? Eight kinds of checkable demands, and the topic as a ninth.

skill   (BIGRAM, 3, 6)      a text shows it where letter 3 ('c') is followed at once by letter 6 ('f')
text    [3 6 1 1 9 2 25 4 5 5 8 1 2 0 0]      'cfaaib.deehab': two sentences of six letters, padded with 0

Every rule reads whole arrays of texts. `shown` is the checker of all of them; a skill is a row (kind, x, y), with y = 0
where its kind has one letter.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rule = Callable[[Ints, Ints, Ints], Bools]  # texts [text place], x [text 1], y [text 1] -> shown [text]

LETTERS = 24
STOP = LETTERS + 1  # the mark between two sentences
STRANGE = STOP + 1  # what a model may write that is neither letter nor stop
SENTENCE = 6  # letters of a sentence
NAMES = ("BIGRAM", "STARTS", "ENDS", "REPEAT", "PALINDROME", "COUNT", "BEFORE", "ABSENT", "TOPIC")
BIGRAM, STARTS, ENDS, REPEAT, PALINDROME, COUNT, BEFORE, ABSENT, TOPIC = range(len(NAMES))
KINDS = TOPIC  # the kinds of skills: all but the topic
PAIRED = (BIGRAM, BEFORE, TOPIC)  # those of two letters


def shown(texts: Ints, skills: Ints) -> Bools:
    """Which skills each text shows [text k], of texts [text place] and skills [text k 3]."""
    found = np.zeros(skills.shape[:2], bool)
    for kind, rule in enumerate(RULES):
        text, at = np.nonzero(skills[:, :, 0] == kind)
        if len(text):
            wanted = skills[text, at]
            found[text, at] = rule(texts[text], wanted[:, 1:2], wanted[:, 2:3])
    return found


def formed(texts: Ints) -> Bools:
    """Whether each text [text place] is nothing but sentences of six letters with stops between."""
    long = texts.shape[1]
    turn = np.arange(long) % (SENTENCE + 1) == SENTENCE
    right = np.where(turn, texts == STOP, (texts >= 1) & (texts <= LETTERS))
    lengths = (texts != 0).sum(1)
    inside = np.arange(long) < lengths[:, None]
    return (right | ~inside).all(1) & ((texts != 0) == inside).all(1) & (lengths % (SENTENCE + 1) == SENTENCE)


def sentences(texts: Ints) -> Ints:
    """How many sentences each text has [text]: its stops and one more."""
    return (texts == STOP).sum(1) + 1


def _letters(texts: Ints) -> Bools:
    return (texts >= 1) & (texts <= LETTERS)


def _moved(texts: Ints, by: int) -> Ints:
    """The token `by` places further on, at every place; 0 beyond the ends."""
    out = np.zeros_like(texts)
    if by > 0:
        out[:, :-by] = texts[:, by:]
    else:
        out[:, -by:] = texts[:, :by]
    return out


def _bigram(texts: Ints, x: Ints, y: Ints) -> Bools:
    """x is followed at once by y, within a sentence."""
    return ((texts == x) & (_moved(texts, 1) == y)).any(1)


def _starts(texts: Ints, x: Ints, y: Ints) -> Bools:
    """A sentence starts with x."""
    before = _moved(texts, -1)
    before[:, 0] = STOP
    return ((texts == x) & (before == STOP)).any(1)


def _ends(texts: Ints, x: Ints, y: Ints) -> Bools:
    """A sentence ends with x."""
    after = _moved(texts, 1)
    return ((texts == x) & ((after == STOP) | (after == 0))).any(1)


def _repeat(texts: Ints, x: Ints, y: Ints) -> Bools:
    """x stands twice in a row."""
    return _bigram(texts, x, x)


def _palindrome(texts: Ints, x: Ints, y: Ints) -> Bools:
    """x stands between two equal letters."""
    before, after = _moved(texts, -1), _moved(texts, 1)
    return ((texts == x) & (before == after) & _letters(before)).any(1)


def _count(texts: Ints, x: Ints, y: Ints) -> Bools:
    """x occurs at least twice."""
    return (texts == x).sum(1) >= 2


def _before(texts: Ints, x: Ints, y: Ints) -> Bools:
    """Both occur, and x before any y."""
    one, other = texts == x, texts == y
    return one.any(1) & other.any(1) & (one.argmax(1) < other.argmax(1))


def _absent(texts: Ints, x: Ints, y: Ints) -> Bools:
    """x does not occur."""
    return ~(texts == x).any(1)


def _topic(texts: Ints, x: Ints, y: Ints) -> Bools:
    """An x is followed, at once or later, by a y."""
    one, other = texts == x, texts == y
    last = texts.shape[1] - 1 - other[:, ::-1].argmax(1)
    return one.any(1) & other.any(1) & (one.argmax(1) < last)


RULES: tuple[Rule, ...] = (_bigram, _starts, _ends, _repeat, _palindrome, _count, _before, _absent, _topic)
