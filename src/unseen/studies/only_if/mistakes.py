"""What went wrong? The first of six names that fits what a model wrote in place of a rewritten string.

rule a b -> c d, string e a b f        wrote  e c d f   right
e a b f   copied (the string itself)          c d b f   place (the right letters put elsewhere)
e d d f   right side (other letters put at the right place; `trained side` where a trained rule writes them)      e e   other
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from unseen.tasks.rewriting import Asked
from unseen.tasks.rewriting_rules import Rules, marks
from unseen.tasks.rewriting_strings import Letters

KINDS = ("right", "copied", "place", "trained side", "right side", "other")


def kinds(asked: Asked, said: Letters, known: Rules) -> Mapping[str, NDArray[np.bool_]]:
    """Which kind each answer is [item], exactly one of `KINDS`; said [item place] are letters, padded with 0.

    `copied` and the two sides can only be where the rule applies; `place` is then, and where it does not apply, the
    right side written over as many letters as the left one has, at any other place. Sides are equally long in all rules.
    """
    told = asked.told()
    width = max(said.shape[1], told.out.shape[1], asked.strings.shape[1])
    said, out, strings = (_wide(part, width) for part in (said, told.out, asked.strings))
    applies = told.place >= 0
    segment = _segment(said, np.maximum(told.place, 0), asked.right.shape[1])
    around = _put(strings, segment, np.maximum(told.place, 0))
    replaced = applies & np.all(said == around, axis=1) & np.all(segment > 0, axis=1)
    trained = np.isin(marks(segment), marks(known.right))
    found = {
        "right": np.all(said == out, axis=1),
        "copied": applies & np.all(said == strings, axis=1),
        "place": _elsewhere(asked, said, strings),
        "trained side": replaced & trained,
        "right side": replaced,
        "other": np.ones(len(said), bool),
    }
    left = np.ones(len(said), bool)
    for name in KINDS:
        found[name] &= left
        left &= ~found[name]
    return found


def _elsewhere(asked: Asked, said: Letters, strings: Letters) -> NDArray[np.bool_]:
    """Which answers are the string with the right side written at any place over as many letters."""
    found = np.zeros(len(said), bool)
    lengths, side = (strings > 0).sum(1), asked.right.shape[1]
    for place in range(int(lengths.max(initial=0)) - side + 1):
        at = np.full(len(said), place)
        found |= (place + side <= lengths) & np.all(said == _put(strings, asked.right, at), axis=1)
    return found


def _put(strings: Letters, side: Letters, place: NDArray[np.int64]) -> Letters:
    """Strings with a side written over the letters from a place on."""
    out = strings.copy()
    rows = np.arange(len(out))[:, None]
    out[rows, place[:, None] + np.arange(side.shape[1])] = side
    return out


def _segment(said: Letters, place: NDArray[np.int64], n: int) -> Letters:
    return said[np.arange(len(said))[:, None], place[:, None] + np.arange(n)]


def _wide(part: Letters, width: int) -> Letters:
    return np.pad(part, ((0, 0), (0, width - part.shape[1])))
