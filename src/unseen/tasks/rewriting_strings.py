"""Which strings have a shape, and what becomes of a string when a rule is applied to it once?

drawn("mirror", [4, 4], 12, 2, rng)                ->  [[1 2 2 1], [5 3 3 5]]      letters count from 1; 0 pads
rewritten([[1 2]], [[3 4]], [[5 1 2 6 1 2]])       ->  [[5 3 4 6 1 2]], place 1, 2 occurrences
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

Letters = NDArray[np.int64]  # [string place], counted from 1 and padded with 0 on the right
Domain = Literal["free", "repeat", "periodic", "mirror"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
SHAPES: tuple[Domain, ...] = DOMAINS[1:]
TRIES = 1000  # draws in which a string without a given part is looked for


def drawn(domain: Domain, lengths: Letters, alphabet: int, copies: int, rng: np.random.Generator) -> Letters:
    """Random strings of a domain [string longest], of these lengths [string].

    A shape is made from a seed of different letters: `repeat` writes each of them `copies` times (aabb), `periodic` the
    whole seed (abab), `mirror` the seed and its reverse in turn (abba). `free` strings have none of the three shapes.
    Raises Invalid where a length is no multiple of `copies`, or gives a seed of one letter or more than the alphabet has.
    """
    if domain == "free":
        return _free(lengths, alphabet, copies, rng)
    longest = int(lengths.max(initial=0))
    found = np.zeros((len(lengths), longest), np.int64)
    for n in np.unique(lengths):
        if n % copies or not 2 <= n // copies <= alphabet:
            raise Invalid(
                f"a {domain} string of {n} letters cannot be made with copies={copies} and alphabet={alphabet}: "
                f"its seed must have 2 to {alphabet} different letters; take a multiple of {copies} from {2 * copies}."
            )
        at = np.flatnonzero(lengths == n)
        seed = 1 + np.argsort(rng.random((len(at), alphabet)), axis=1)[:, : n // copies]
        found[at, :n] = _shaped(domain, seed, copies)
    return found


def has(domain: Domain, strings: Letters, copies: int) -> NDArray[np.bool_]:
    """Which strings [string] belong to a domain; free ones are those that have no shape."""
    if domain == "free":
        return ~np.any([has(shape, strings, copies) for shape in SHAPES], axis=0)
    lengths = (strings > 0).sum(1)
    found = np.zeros(len(strings), bool)
    for n in np.unique(lengths):
        if n % copies or n // copies < 2:
            continue
        at = np.flatnonzero(lengths == n)
        whole = strings[at, :n]
        seed = whole[:, ::copies] if domain == "repeat" else whole[:, : n // copies]
        ordered = np.sort(seed, axis=1)
        found[at] = np.all(whole == _shaped(domain, seed, copies), axis=1) & np.all(ordered[:, 1:] > ordered[:, :-1], 1)
    return found


def _shaped(domain: Domain, seed: Letters, copies: int) -> Letters:
    """The strings of a shape that are made from these seeds [string letter]."""
    if domain == "repeat":
        return np.repeat(seed, copies, axis=1)
    if domain == "periodic":
        return np.tile(seed, (1, copies))
    return np.concatenate([seed[:, ::-1] if i % 2 else seed for i in range(copies)], axis=1)


def _free(lengths: Letters, alphabet: int, copies: int, rng: np.random.Generator) -> Letters:
    """Uniform strings, drawn again where they have a shape."""
    longest = int(lengths.max(initial=0))
    found = np.zeros((len(lengths), longest), np.int64)
    at = np.arange(len(lengths))
    for _ in range(TRIES):
        found[at] = np.where(
            np.arange(longest) < lengths[at, None], rng.integers(1, alphabet + 1, (len(at), longest)), 0
        )
        at = at[~has("free", found[at], copies)]
        if not len(at):
            return found
    raise Invalid(
        f"no free string of {lengths[at[0]]} letters was found in {TRIES} draws from {alphabet} letters; take a larger alphabet."
    )


@dataclass(frozen=True, eq=False)
class Rewritten:
    """What one application makes of strings: the result [string place], where the rule was applied [string] (−1: it does
    not apply, and the string stays), and how often the left side occurs [string], overlapping occurrences counted."""

    out: Letters
    place: Letters
    occurrences: Letters


def rewritten(left: Letters, right: Letters, strings: Letters) -> Rewritten:
    """Each string with the leftmost occurrence of its own left side replaced by its own right side.

    left [string letter], right [string letter] and strings [string place] are padded with 0; left sides are not empty.
    """
    found = matches(left, strings)
    applies = found.any(1)
    place = np.where(applies, found.argmax(1), -1)
    cut, put = ((side > 0).sum(1) * applies for side in (left, right))
    at, first = np.arange(strings.shape[1] + right.shape[1]), np.maximum(place, 0)[:, None]
    inside = (at >= first) & (at < first + put[:, None])
    source = np.where(at < first, at, at + (cut - put)[:, None])  # where the letter of the string comes from
    padded = np.pad(strings, ((0, 0), (0, right.shape[1] + left.shape[1])))
    kept = np.take_along_axis(padded, np.clip(source, 0, padded.shape[1] - 1), 1)
    new = np.take_along_axis(right, np.clip(at - first, 0, right.shape[1] - 1), 1)
    out = np.where(inside, new, kept)
    return Rewritten(out[:, : int((out > 0).sum(1).max(initial=1))], place, found.sum(1))


def matches(left: Letters, strings: Letters) -> NDArray[np.bool_]:
    """Where each left side begins in its string [string place]."""
    n = strings.shape[1]
    padded = np.pad(strings, ((0, 0), (0, left.shape[1])))
    found = np.ones(strings.shape, bool)
    for j in range(left.shape[1]):
        found &= (padded[:, j : j + n] == left[:, j : j + 1]) | (left[:, j : j + 1] == 0)
    return found


def planted(left: Letters, lengths: Letters, alphabet: int, rng: np.random.Generator) -> Letters:
    """Uniform strings [string longest] of these lengths with each one's left side written into it at a uniform place.

    It may occur a second time, and before that place. Raises Invalid where a left side is longer than its string.
    """
    cut = (left > 0).sum(1)
    if np.any(cut > lengths):
        raise Invalid(
            f"a left side of {int(cut.max())} letters does not fit into a string of {int(lengths[cut > lengths][0])}; make strings longer."
        )
    longest = int(lengths.max())
    at = np.arange(longest)
    found = np.where(at < lengths[:, None], rng.integers(1, alphabet + 1, (len(left), longest)), 0)
    first = rng.integers(0, lengths - cut + 1)[:, None]
    inside = (at >= first) & (at < first + cut[:, None])
    return np.where(inside, np.take_along_axis(left, np.clip(at - first, 0, left.shape[1] - 1), 1), found)


def without(left: Letters, lengths: Letters, alphabet: int, rng: np.random.Generator) -> Letters:
    """Uniform strings [string longest] of these lengths in which each one's left side does not occur.

    Raises Invalid where none is found, which takes a tiny alphabet.
    """
    longest = int(lengths.max())
    found, at = np.zeros((len(left), longest), np.int64), np.arange(len(left))
    for _ in range(TRIES):
        drawn = rng.integers(1, alphabet + 1, (len(at), longest))
        found[at] = np.where(np.arange(longest) < lengths[at, None], drawn, 0)
        at = at[matches(left[at], found[at]).any(1)]
        if not len(at):
            return found
    raise Invalid(
        f"no string of {int(lengths[at[0]])} letters without {left[at[0]].tolist()} was found in {TRIES} draws from an alphabet of {alphabet}; make it larger."
    )
