"""What makes a data set larger without new knowledge of its language? Copies of its primitives, or of its whole vocabulary.

copied    'walk left twice'   ->  'walk7 left twice'       with I_WALK7 for I_WALK in the target
renamed   'walk left twice'   ->  'walk#3 left#3 twice#3'  every word of source and target (AugZero)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from unseen.core.errors import Invalid
from unseen.tasks.paired import Pair

MARK = "#"  # between a word and the number of the copy it belongs to


def renamed(pairs: Sequence[Pair], copy: int) -> list[Pair]:
    """Copy number `copy` of all pairs under a fresh vocabulary: every word w becomes w#copy; copy 0 is the original.

    Raises Invalid where a word has the mark already.
    """
    if any(MARK in text for pair in pairs for text in pair):
        raise Invalid(f"a word contains {MARK!r}, by which copies are told apart; write it in another way.")
    # DEPARTS: which word a copy renames how is not to be seen in the paper's repository; every word is renamed here.
    return [(_marked(source, copy), _marked(target, copy)) for source, target in pairs]


def aug_zero(pairs: Sequence[Pair], copies: int) -> list[Pair]:
    """The pairs and so many copies of them, each under a vocabulary of its own."""
    return [pair for copy in range(copies + 1) for pair in (renamed(pairs, copy) if copy else pairs)]


def aligned(pairs: Sequence[Pair], *, least: float = 1.0) -> dict[str, str]:
    """Source words and the target words that come with them: `walk` -> I_WALK.

    A source and a target word are aligned if each stands in at least a share `least` (0..1) of the pairs that hold the
    other, and no second word does so for either. Raises Invalid for a share outside 0.5..1.
    """
    if not 0.5 <= least <= 1:
        raise Invalid(f"least={least}: it is a share from 0.5 to 1.")
    sides = [(set(source.split()), set(target.split())) for source, target in pairs]
    there = Counter(w for source, _ in sides for w in source), Counter(w for _, target in sides for w in target)
    both = Counter(couple for source, target in sides for couple in product(source, target))
    found = [(s, t) for (s, t), n in both.items() if n >= least * there[0][s] and n >= least * there[1][t]]
    once = Counter(s for s, _ in found), Counter(t for _, t in found)
    return {s: t for s, t in sorted(found) if once[0][s] == once[1][t] == 1}


def copied(
    pairs: Sequence[Pair], words: Mapping[str, str], copies: int, *, each: int = 0, rng: np.random.Generator
) -> list[Pair]:
    """The pairs, and pairs in which aligned words are replaced by their copies: `walk` by walk1 … walk`copies`.

    A pair with m of the words has (copies + 1)^m forms. With `each`, so many of them besides the original are drawn at
    random; else all of them are listed, the original first. A word's copies take the same number in source and target.
    """
    found: dict[Pair, None] = {}
    for pair in pairs:
        held = sorted(words.keys() & set(pair[0].split()))
        forms = (copies + 1) ** len(held)
        chosen = range(forms) if not each else [0, *_some(forms - 1, each, rng)]
        for number in chosen:
            found.setdefault(_replaced(pair, words, held, copies, number))
    return list(found)


def _some(n: int, each: int, rng: np.random.Generator) -> list[int]:
    """`each` different numbers from 1..n, or all of them."""
    if n <= each:
        return list(range(1, n + 1))
    return sorted({int(i) + 1 for i in rng.integers(0, n, each)})


def _replaced(pair: Pair, words: Mapping[str, str], held: Sequence[str], copies: int, number: int) -> Pair:
    """The pair whose held words take the copies that the digits of `number` name, in base copies + 1; 0 is no copy."""
    new: list[dict[str, str]] = [{}, {}]
    for word in held:
        number, digit = divmod(number, copies + 1)
        if digit:
            new[0][word], new[1][words[word]] = f"{word}{digit}", f"{words[word]}{digit}"
    source, target = (" ".join(its.get(w, w) for w in text.split()) for text, its in zip(pair, new, strict=True))
    return source, target


def _marked(text: str, copy: int) -> str:
    return " ".join(f"{w}{MARK}{copy}" for w in text.split()) if copy else text
