"""Counting: letters into boxes, expected matches in a random word, and letters that stay where they were.

    'A bag holds the letters a, a, b, c. Two letters are drawn ...'      -> '23'      (m + n of the probability m/n)

Every number is exact: boxes are counted by their contents, expectations by exchangeability, and words without fixed
letters by rook polynomials (a class of k equal letters contributes the polynomial of k x k boards).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import comb, factorial, perm

import numpy as np

from unseen.core.errors import Invalid

from ..problem import Family, Problem, decimal, dice, parameters

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Boxes:
    """Kinds of letters, which is also the number of boxes, and the range of the number of letters."""

    kinds: int
    letters: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Bag:
    """Ranges of the length of the word that is drawn and of the number of letters in the bag."""

    word: tuple[int, int]
    letters: tuple[int, int]


BOXES = {
    1: Boxes(2, (4, 6)),
    2: Boxes(3, (6, 8)),
    3: Boxes(4, (8, 10)),
    4: Boxes(4, (11, 11)),
    5: Boxes(4, (12, 12)),
    6: Boxes(5, (13, 13)),
}
PATTERN = {
    1: Bag((2, 2), (4, 6)),
    2: Bag((3, 3), (6, 8)),
    3: Bag((4, 4), (9, 10)),
    4: Bag((5, 5), (10, 12)),
    5: Bag((6, 6), (12, 14)),
}
SHUFFLED = {
    1: Bag((2, 3), (4, 6)),
    2: Bag((3, 4), (6, 8)),
    3: Bag((4, 5), (8, 9)),
    4: Bag((4, 5), (10, 11)),
    5: Bag((5, 6), (11, 12)),
}


def parted(total: int, n: int, die: random.Random) -> list[int]:
    """`total` as n positive parts, all such lists being equally likely."""
    cuts = sorted(die.sample(range(1, total), n - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]


def spelled(bag: Mapping[str, int] | Sequence[str]) -> str:
    """'a, a, b' of {'a': 2, 'b': 1}."""
    letters = bag if not isinstance(bag, Mapping) else [c for c, k in bag.items() for _ in range(k)]
    return ", ".join(letters)


def draw_distribution(level: int, rng: np.random.Generator) -> Problem:
    """The number of ways to put letters, of which equal ones are alike, into boxes of given sizes."""
    size, die = parameters("distribution", level, BOXES), dice(rng)
    total = die.randint(*size.letters)
    counts, boxes = parted(total, size.kinds, die), parted(total, size.kinds, die)
    labelled = die.random() < 0.5
    letters = "".join(c * k for c, k in zip(LETTERS, counts, strict=False))
    way = (
        "The boxes are labelled, so that boxes of the same size are different"
        if labelled
        else "Boxes of the same size cannot be told apart"
    )
    question = (
        f"The letters {', '.join(letters)} are put into {len(boxes)} boxes that hold exactly {_and(boxes)} letters. Equal "
        f"letters are alike and the order inside a box does not matter. {way}. In how many ways can this be done?"
    )
    answer = distributions(counts, boxes, labelled=labelled)
    compact = f"{letters};{','.join(map(str, boxes))};{'=' if labelled else '~'}"
    return Problem(question, compact, str(answer), "integer", at={"labelled": labelled})


def distributions(counts: Sequence[int], boxes: Sequence[int], *, labelled: bool) -> int:
    """Ways to put counts[i] letters of kind i into boxes of these sizes, which together hold all letters.

    Contents are vectors of the counts in one box. Labelled boxes take any contents; of boxes of one size that are alike
    a multiset of contents is counted, one kind of contents after another.
    """
    runs = [(1, b) for b in boxes] if labelled else [(len(list(g)), b) for b, g in groupby(sorted(boxes))]
    left = {tuple(counts): 1}
    for n, capacity in runs:
        states = {(n, v): ways for v, ways in left.items()}
        for contents in _contents(counts, capacity):
            states = _more(states, contents)
        left = {v: ways for (open_boxes, v), ways in states.items() if not open_boxes}
    return left.get((0,) * len(counts), 0)


def _more(states: dict[tuple[int, tuple[int, ...]], int], contents: tuple[int, ...]) -> dict[tuple[int, tuple[int, ...]], int]:  # fmt: skip
    """The states after 0, 1, 2, … of the open boxes were given these contents."""
    found = dict(states)
    for (n, v), ways in states.items():
        while n and all(a >= b for a, b in zip(v, contents, strict=True)):
            n, v = n - 1, tuple(a - b for a, b in zip(v, contents, strict=True))
            found[n, v] = found.get((n, v), 0) + ways
    return found


def _contents(counts: Sequence[int], capacity: int) -> list[tuple[int, ...]]:
    """All vectors up to the counts with this sum."""
    if not counts:
        return [()] if capacity == 0 else []
    return [(k, *rest) for k in range(min(counts[0], capacity) + 1) for rest in _contents(counts[1:], capacity - k)]


PATTERNS = {  # regular expression: in words
    "a.*b": "start with {a} and end with {b}",
    "a.*a": "start and end with {a}, at two different positions",
    "b.*b": "start and end with {b}, at two different positions",
    "ab+": "are one {a} followed by one or more {b}",
    "a+b": "are one or more {a} followed by one {b}",
    "ab*": "are one {a} followed by any number of {b} (perhaps none)",
    "a*b": "are any number of {a} (perhaps none) followed by one {b}",
}


def draw_pattern(level: int, rng: np.random.Generator) -> Problem:
    """The expected number of substrings of a random word that match a pattern, to 2 decimals."""
    size, die = parameters("pattern_matching", level, PATTERN), dice(rng)
    total, length = die.randint(*size.letters), die.randint(*size.word)
    bag = _bag(total, die.randint(2, max(2, total // 2)), die)
    a, b = die.sample(sorted(bag), 2)
    pattern = die.choice(tuple(PATTERNS))
    value = expected_matches(pattern, bag[a], bag[b], total, length)
    told = pattern.replace("a", "A").replace("b", "B").replace("A", a).replace("B", b)
    question = (
        f"A bag holds the letters {spelled(bag)}. {length} letters are drawn at random without replacement and written "
        f"down in the order in which they are drawn. What is the expected number of substrings (pairs of a first and a "
        f"last position) that match the regular expression {told}, that is, that "
        f"{PATTERNS[pattern].format(a=a, b=b)}? Give it as a decimal rounded to 2 places."
    )
    compact = f"{''.join(c * k for c, k in bag.items())};{length};{told}"
    return Problem(question, compact, decimal(value, 2), "decimal", at={"pattern": pattern})


def expected_matches(pattern: str, a: int, b: int, total: int, length: int) -> Fraction:
    """The expected number of matches of a pattern in `length` letters drawn from `total`, of which a and b are its two.

    Every run of positions is as likely as the first to hold any letters, so that a sum over the lengths of runs is all
    that is needed.
    """
    return sum(((length - run + 1) * _matching(pattern, a, b, total, run) for run in range(1, length + 1)), Fraction(0))


def _matching(pattern: str, a: int, b: int, total: int, run: int) -> Fraction:
    """The probability that the first `run` letters match."""
    ends = Fraction(1, total * (total - 1)) if total > 1 else Fraction(0)
    if pattern == "a.*b":
        return a * b * ends if run > 1 else Fraction(0)
    if pattern in ("a.*a", "b.*b"):
        k = a if pattern[0] == "a" else b
        return k * (k - 1) * ends if run > 1 else Fraction(0)
    if "+" in pattern and run == 1:
        return Fraction(0)
    one, many = (a, b) if pattern in ("ab+", "ab*") else (b, a)
    return Fraction(one * perm(many, run - 1), perm(total, run))


def draw_no_fixed(level: int, rng: np.random.Generator) -> Problem:
    """The probability that no position of a shuffled random word holds the same letter as before."""
    while True:
        bag, length, _ = _word("probability_no_fixed", level, rng)
        p = no_fixed(list(bag.values()), length)
        if 0 < p < 1:
            return _shuffled(bag, length, "no position holds the same letter as before", "0", p)


def draw_no_specific(level: int, rng: np.random.Generator) -> Problem:
    """The probability that no position holds one given letter both before and after the shuffle."""
    while True:
        bag, length, die = _word("probability_no_specific", level, rng)
        letter = die.choice(sorted(bag))
        p = fixed_letters(bag[letter], sum(bag.values()), length)[0]
        if 0 < p < 1:
            event = f"no position holds the letter {letter} both before and after the shuffle"
            return _shuffled(bag, length, event, f"{letter}=0", p)


def draw_exactly(level: int, rng: np.random.Generator) -> Problem:
    """The probability that exactly n positions hold one given letter both before and after the shuffle."""
    while True:
        bag, length, die = _word("probability_exactly", level, rng)
        letter = die.choice(sorted(bag))
        fixed = fixed_letters(bag[letter], sum(bag.values()), length)
        n = die.randint(1, max(1, len(fixed) - 1))
        p = fixed[n] if n < len(fixed) else Fraction(0)
        if 0 < p < 1:
            event = f"exactly {n} {_positions(n)} the letter {letter} both before and after the shuffle"
            return _shuffled(bag, length, event, f"{letter}={n}", p)


def draw_at_least(level: int, rng: np.random.Generator) -> Problem:
    """The probability that at least n positions hold one given letter both before and after the shuffle."""
    while True:
        bag, length, die = _word("probability_at_least", level, rng)
        letter = die.choice(sorted(bag))
        fixed = fixed_letters(bag[letter], sum(bag.values()), length)
        n = die.randint(1, max(1, len(fixed) - 1))
        p = sum(fixed[n:], Fraction(0))
        if 0 < p < 1:
            event = f"at least {n} {_positions(n)} the letter {letter} both before and after the shuffle"
            return _shuffled(bag, length, event, f"{letter}>{n - 1}", p)


def no_fixed(counts: Sequence[int], length: int) -> Fraction:
    """The probability that a word of `length` letters drawn from a bag keeps no letter in place when it is shuffled.

    Letters i that k_i times stand in the word contribute C(m_i, k_i) words and the rook polynomial of a k_i x k_i board,
    and j rooks placed anywhere leave (length - j)! arrangements of the rest, with sign (-1)^j.
    """
    if not 1 <= length <= sum(counts):
        raise Invalid(f"a word of {length} letters cannot be drawn from {sum(counts)} letters")
    found = {(0, 0): 1}  # (letters in the word, rooks): weight
    for m in counts:
        after: dict[tuple[int, int], int] = {}
        for (used, rooks), weight in found.items():
            for k in range(min(m, length - used) + 1):
                for j in range(k + 1):
                    here = weight * comb(m, k) * comb(k, j) ** 2 * factorial(j)
                    key = used + k, rooks + j
                    after[key] = after.get(key, 0) + here
        found = after
    total = sum((-1) ** j * factorial(length - j) * found.get((length, j), 0) for j in range(length + 1))
    return Fraction(total, factorial(length) * comb(sum(counts), length))


def fixed_letters(m: int, total: int, length: int) -> list[Fraction]:
    """The probabilities that 0, 1, 2, … positions hold a letter of which there are m of `total`, before and after.

    The word holds k of them with the hypergeometric law, and so are the k places after the shuffle to those before.
    """
    most = min(m, length)
    ways = [0] * (most + 1)
    shared = 1
    for k in range(most + 1):
        shared *= comb(length, k)
    for k in range(most + 1):
        words = comb(m, k) * comb(total - m, length - k) * (shared // comb(length, k))
        for t in range(k + 1):
            ways[t] += words * comb(k, t) * comb(length - k, k - t)
    return [Fraction(w, comb(total, length) * shared) for w in ways]


def _word(name: str, level: int, rng: np.random.Generator) -> tuple[dict[str, int], int, random.Random]:
    """A bag of at least max(3, level) kinds of letters, the length of the word, and the dice."""
    size, die = parameters(name, level, SHUFFLED), dice(rng)
    total, length = die.randint(*size.letters), die.randint(*size.word)
    kinds = die.randint(max(3, level), max(3, level, total - 2))
    return _bag(total, min(kinds, total), die), length, die


def _bag(total: int, kinds: int, die: random.Random) -> dict[str, int]:
    """`total` letters of so many kinds, in alphabetic order."""
    letters = sorted(die.sample(LETTERS[: kinds + 3], kinds))
    return dict(zip(letters, parted(total, kinds, die), strict=True))


def _shuffled(bag: Mapping[str, int], length: int, event: str, name: str, p: Fraction) -> Problem:
    question = (
        f"A bag holds the letters {spelled(bag)}. {length} letters are drawn at random without replacement and laid in a "
        f"row, which is then shuffled uniformly at random. The probability that {event} is m/n in lowest terms. What is "
        "m + n?"
    )
    compact = f"{''.join(c * k for c, k in bag.items())};{length};{name}"
    return Problem(question, compact, str(p.numerator + p.denominator), "integer")


def _positions(n: int) -> str:
    return "position holds" if n == 1 else "positions hold"


def _and(values: Sequence[int]) -> str:
    told = [str(v) for v in values]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"


def counted(letters: str) -> dict[str, int]:
    """The bag of a text of letters: {'a': 2, 'b': 1} of 'aab'."""
    return dict(sorted(Counter(letters).items()))


FAMILIES = (
    Family("distribution", "combinatorics", tuple(BOXES), draw_distribution),
    Family("pattern_matching", "combinatorics", tuple(PATTERN), draw_pattern),
    Family("probability_no_fixed", "combinatorics", tuple(SHUFFLED), draw_no_fixed),
    Family("probability_no_specific", "combinatorics", tuple(SHUFFLED), draw_no_specific),
    Family("probability_exactly", "combinatorics", tuple(SHUFFLED), draw_exactly),
    Family("probability_at_least", "combinatorics", tuple(SHUFFLED), draw_at_least),
)
