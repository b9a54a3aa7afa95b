"""What would a writer who has every skill write? Texts that show all that is asked, for many queries at once.

composed([[(TOPIC, 1, 9), (BIGRAM, 3, 6)]], 1, rng)  ->  texts [[1 9 3 6 2 2]] ('aicfbb'), possible [True]

The letters of one demand after another go to the first places that take them, in the order of the demands; places left
over get the first letter that none names. What fails so is tried at random places, and what still fails is decided by the
complete search: so a query is given up only if no text shows all of it.
"""

from __future__ import annotations

import numpy as np

from . import search
from .skilltext import (
    ABSENT,
    BIGRAM,
    COUNT,
    ENDS,
    LETTERS,
    PALINDROME,
    REPEAT,
    SENTENCE,
    STARTS,
    STOP,
    Bools,
    Ints,
    shown,
)

TRIES = 4  # rounds of random places before the complete search


def composed(asked: Ints, n_sentences: int, rng: np.random.Generator) -> tuple[Ints, Bools]:
    """Texts [text place] that show all that is asked [text k+1 3], and for which of the queries there is one [text].

    The text of a query that has none is without meaning. Some 10,000 texts a second of two skills, 1,000 of six.
    """
    texts = spaced(_placed(asked, n_sentences, None))
    good: Bools = np.asarray(shown(texts, asked).all(1))
    for _ in range(TRIES):
        if not len(left := np.flatnonzero(~good)):
            break
        texts[left] = spaced(_placed(asked[left], n_sentences, rng))
        good[left] = shown(texts[left], asked[left]).all(1)
    for i in np.flatnonzero(~good):
        one = search.found([(kind, x, y) for kind, x, y in asked[i].tolist()], n_sentences, rng)
        if one is not None:
            texts[i], good[i] = spaced(np.array([one]))[0], True
    return texts, good


def spaced(letters: Ints) -> Ints:
    """Letters [text sentence·letter] as texts, with a stop between two sentences."""
    whole = letters.reshape(len(letters), letters.shape[1] // SENTENCE, SENTENCE)
    stops = np.full((*whole.shape[:2], 1), STOP)
    return np.concatenate([whole, stops], 2).reshape(len(letters), -1)[:, :-1]


def neutral(asked: Ints) -> Ints:
    """The first letter [text] that nothing of the query [text k+1 3] names."""
    named = np.zeros((len(asked), LETTERS + 1), bool)
    named[np.arange(len(asked))[:, None, None], asked[:, :, 1:]] = True
    return named[:, 1:].argmin(1) + 1


def _placed(asked: Ints, n_sentences: int, rng: np.random.Generator | None) -> Ints:
    """Letters [text sentence·letter] with a witness of each demand where one fits: at the first place, or at any (`rng`)."""
    cells = np.zeros((len(asked), n_sentences * SENTENCE), np.int64)
    filler = neutral(asked)
    for skill in np.swapaxes(asked, 0, 1):
        for kind in np.unique(skill[:, 0]):
            rows = np.flatnonzero(skill[:, 0] == kind)
            part = cells[rows]
            _witness(part, skill[rows], filler[rows], rng)
            cells[rows] = part
    return np.where(cells == 0, filler[:, None], cells)


def _witness(cells: Ints, skills: Ints, beside: Ints, rng: np.random.Generator | None) -> None:
    """Write the letters that show one skill [text 3] of each text, all of one kind, into its cells."""
    at = np.arange(cells.shape[1]) % SENTENCE
    kind, x, y = int(skills[0, 0]), skills[:, 1], skills[:, 2]
    if kind == STARTS:
        _put(cells, [x], at == 0, rng)
    elif kind == ENDS:
        _put(cells, [x], at == SENTENCE - 1, rng)
    elif kind in (BIGRAM, REPEAT):
        _put(cells, [x, y if kind == BIGRAM else x], at <= SENTENCE - 2, rng)
    elif kind == PALINDROME:
        _put(cells, [beside, x, beside], at <= SENTENCE - 3, rng)
    elif kind != ABSENT:  # two letters, the second after the first
        places = np.arange(cells.shape[1])
        begun = _put(cells, [x], places >= 0, rng)
        _put(cells, [x if kind == COUNT else y], places > begun[:, None], rng)


def _put(cells: Ints, run: list[Ints], allowed: Bools, rng: np.random.Generator | None) -> Ints:
    """Write a run of letters, each [text], where it fits; return the places [text] of the first of them."""
    fits = np.broadcast_to(allowed, cells.shape).copy()
    for i, letter in enumerate(run):
        there = cells[:, i:]
        fits[:, : there.shape[1]] &= (there == 0) | (there == letter[:, None])
    place = (fits if rng is None else fits * rng.random(fits.shape)).argmax(1)
    rows = np.flatnonzero(fits.any(1))
    for i, letter in enumerate(run):
        cells[rows, place[rows] + i] = letter[rows]
    return place
