"""Number theory: least primes whose powers divide a value, tuples with a sum of powers divisible, digits and divisibility.

'Let p be the least prime for which there is a positive integer n such that n^4 + 1 is divisible by p^2. Find the
 least positive integer m such that m^4 + 1 is divisible by p^2.'                                       -> '110'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

from ..problem import Family, Problem, dice, parameters

MOST_PRIME = 400  # no prime up to it: the parameters are drawn again
PRIMES = tuple(p for p in range(2, MOST_PRIME) if all(p % q for q in range(2, int(p**0.5) + 1)))


@dataclass(frozen=True, slots=True)
class Power:
    """Ranges of a, c and k in `p^k divides n^a + c`, and of the answer."""

    a: tuple[int, int]
    c: tuple[int, int]
    k: tuple[int, int]
    answer: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tuples:
    """Bases b, ranges of e and f (numbers up to b^e, sums divisible by b^f), of the tuple's length, and of the answer."""

    bases: tuple[int, ...]
    e: tuple[int, int]
    f: tuple[int, int]
    n: tuple[int, int]
    answer: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Digits:
    """Ranges of the number of digits, of the divisor, and of the answer; `parts`: by how many digits Q and R are split."""

    n: tuple[int, int]
    divisor: tuple[int, int]
    answer: tuple[int, int]
    parts: tuple[int, int]


PRIME_MOD = {
    1: Power((2, 4), (1, 30), (2, 2), (1, 10)),
    2: Power((2, 6), (1, 60), (2, 3), (1, 100)),
    3: Power((2, 8), (1, 100), (2, 3), (10, 100)),
    4: Power((2, 10), (1, 200), (2, 4), (100, 1_000)),
    5: Power((2, 12), (1, 400), (2, 5), (1_000, 10_000_000)),
}
TRIPLES = {
    1: Tuples((2, 3), (1, 2), (1, 2), (2, 3), (1, 10)),
    2: Tuples((2, 3), (1, 3), (1, 3), (2, 3), (1, 100)),
    3: Tuples((2, 3), (2, 4), (2, 4), (2, 3), (10, 100)),
    4: Tuples((2, 3, 5), (2, 5), (2, 5), (3, 3), (100, 999)),
    5: Tuples((2, 3, 5), (3, 6), (3, 7), (3, 4), (100, 999)),
}
DIGITS = {
    1: Digits((2, 2), (3, 7), (1, 10), (1, 1)),
    2: Digits((2, 3), (3, 9), (1, 100), (1, 2)),
    3: Digits((3, 4), (3, 13), (10, 100), (1, 2)),
    4: Digits((4, 5), (3, 19), (100, 1_000), (2, 3)),
    5: Digits((5, 7), (3, 29), (1_000, 10_000_000), (1, 3)),
}
MOST_MODULUS = 4_096  # of sums of powers


def draw_prime_mod(level: int, rng: np.random.Generator) -> Problem:
    """The least m with p^k | m^a + c, for the least prime p for which there is any."""
    size, die = parameters("prime_mod", level, PRIME_MOD), dice(rng)
    while True:
        a, c, k = die.randint(*size.a), die.randint(*size.c), die.randint(*size.k)
        found = least_prime(a, c, k)
        if found and size.answer[0] <= found[1] <= size.answer[1]:
            break
    question = (
        f"Let p be the least prime for which there is a positive integer n such that n^{a} + {c} is divisible by p^{k}. "
        f"Find the least positive integer m such that m^{a} + {c} is divisible by p^{k}."
    )
    return Problem(question, f"n^{a}+{c}|p^{k}", str(found[1]), "integer", at={"prime": found[0]})


@lru_cache(maxsize=8_192)
def least_prime(a: int, c: int, k: int) -> tuple[int, int] | None:
    """(p, m): the least prime p with p^k | n^a + c for some n > 0, and the least such n. None past `MOST_PRIME`."""
    for p in PRIMES:
        roots = [r for r in range(p) if (pow(r, a, p) + c) % p == 0]
        modulus = p
        for _ in range(k - 1):
            if not roots or len(roots) > MOST_MODULUS:
                break
            step, modulus = modulus, modulus * p
            roots = [
                r + t * step for r in roots for t in range(p) if (pow(r + t * step, a, modulus) + c) % modulus == 0
            ]
        if roots:
            return (p, min(r or modulus for r in roots)) if len(roots) <= MOST_MODULUS else None
    return None


def draw_triple_count(level: int, rng: np.random.Generator) -> Problem:
    """The number, modulo 1000, of tuples up to b^e whose weighted sum of b-th powers is divisible by b^f."""
    size, die = parameters("triple_count", level, TRIPLES), dice(rng)
    while True:
        b, e, f, n = die.choice(size.bases), die.randint(*size.e), die.randint(*size.f), die.randint(*size.n)
        if b**f > MOST_MODULUS or b**e > MOST_MODULUS:
            continue
        weights = tuple(die.choice((1, 1, 1, 2, 3, -1)) for _ in range(n))
        count = tuples(b, e, f, tuple(sorted(weights))) % 1000
        if size.answer[0] <= count <= size.answer[1]:
            break
    names = [f"x{i}" for i in range(1, n + 1)]
    told = " + ".join(f"{'' if w == 1 else f'{w}*'}{x}^{b}" for w, x in zip(weights, names, strict=True))
    told = told.replace("+ -1*", "- ").replace("-1*", "-")
    question = (
        f"How many ordered tuples ({', '.join(names)}) of positive integers, each at most {b**e}, are there such that "
        f"{told} is divisible by {b**f}? Give the remainder when their number is divided by 1000."
    )
    return Problem(question, f"{b**e};{told.replace(' ', '')}|{b**f}", str(count), "integer")


@lru_cache(maxsize=1_024)
def tuples(b: int, e: int, f: int, weights: tuple[int, ...]) -> int:
    """The number of tuples of 1..b^e with sum of weights[i] * x_i^b divisible by b^f.

    Residues are counted and convolved in whole numbers; the last weight needs no convolution.
    """
    modulus = b**f
    powers = [pow(x, b, modulus) for x in range(1, b**e + 1)]
    counts: NDArray[np.int64] | None = None
    for w in weights[:-1]:
        here = _spread(powers, w, modulus)
        counts = here if counts is None else _cyclic(counts, here)
    last = _spread(powers, -weights[-1], modulus)
    if counts is None:
        return int(last[0])
    if float(b**e) ** len(weights) < 2**62:
        return int(counts @ last)
    return sum(int(x) * int(y) for x, y in zip(counts, last, strict=True))


def _spread(powers: Sequence[int], weight: int, modulus: int) -> NDArray[np.int64]:
    """How many of the powers, times the weight, have each residue [modulus]."""
    return np.bincount(np.array(powers) * weight % modulus, minlength=modulus).astype(np.int64)


def _cyclic(x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cyclic convolution of counts, by the residues that occur."""
    found = np.zeros_like(x)
    for r in np.flatnonzero(y):
        found += y[r] * np.roll(x, r)
    return found


def draw_digit_sum(level: int, rng: np.random.Generator) -> Problem:
    """Quotient plus remainder of the greatest or least number whose changed digits, or swaps, keep it divisible."""
    size, die = parameters("digit_sum", level, DIGITS), dice(rng)
    while True:
        n, q = die.randint(*size.n), die.randint(*size.divisor)
        greatest, kind = die.random() < 0.5, die.choice(("change", "swap"))
        split = 10 ** min(die.randint(*size.parts), n - 1)
        digit = die.randint(0, 9)
        found = changed(n, q, digit, greatest=greatest) if kind == "change" else swapped(n, q, greatest=greatest)
        if found is not None and size.answer[0] <= found // split + found % split <= size.answer[1]:
            break
    rule = f"one of its digits is changed to {digit}" if kind == "change" else "two of its neighbouring digits are swapped"  # fmt: skip
    question = (
        f"Let N be the {'greatest' if greatest else 'least'} {n}-digit positive integer with the property that whenever "
        f"{rule}, the resulting number is divisible by {q}. (A result may start with the digit 0.) Let Q and R be the "
        f"quotient and the remainder when N is divided by {split}. Find Q + R."
    )
    compact = f"{'max' if greatest else 'min'}{n};{f'd>{digit}' if kind == 'change' else 'swap'}|{q};/{split}"
    return Problem(question, compact, str(found // split + found % split), "integer", at={"kind": kind})


def changed(n: int, q: int, digit: int, *, greatest: bool) -> int | None:
    """The extremal n-digit number that is divisible by q whenever one digit is changed to `digit`; None if there is none.

    With r = N mod q, changing digit d_i leaves N - 10^i (d_i - digit), so that 10^i (d_i - digit) = r (mod q) for every
    i. Given r the digits are free of each other, and summing over i says that N - digit * 11…1 = n r.
    """
    best = max if greatest else min
    repeated = (10**n - 1) // 9
    found = []
    for r in range(q):
        if (r - digit * repeated - n * r) % q:
            continue
        places = [[d for d in range(i == n - 1, 10) if (10**i * (d - digit) - r) % q == 0] for i in range(n)]
        if all(places):
            found.append(sum(best(place) * 10**i for i, place in enumerate(places)))
    return best(found) if found else None


def swapped(n: int, q: int, *, greatest: bool) -> int | None:
    """The extremal n-digit number that is divisible by q whenever two neighbouring digits are swapped; None if none is.

    With r = N mod q, swapping digits i and i + 1 adds 9 * 10^i (d_i - d_(i+1)), which is -r for every i.
    """
    if n < 2:
        raise Invalid("a number of one digit has no neighbouring digits")
    best = max if greatest else min
    found = [x for r in range(q) if (x := _chain(n, q, r, best)) is not None]
    return best(found) if found else None


def _chain(n: int, q: int, r: int, best: Callable[[Sequence[int]], int]) -> int | None:
    """The extremal number with N mod q = r whose neighbouring digits differ as they must, from the first digit on."""
    ends: dict[tuple[int, int], int] = {(d, d % q): d for d in range(1, 10)}  # (last digit, value mod q): number
    for i in range(n - 2, -1, -1):
        after: dict[tuple[int, int], int] = {}
        for (last, value), number in ends.items():
            for d in range(10):
                if (9 * 10**i * (d - last) + r) % q:
                    continue
                key, longer = (d, (value * 10 + d) % q), number * 10 + d
                after[key] = best((after[key], longer)) if key in after else longer
        ends = after
    found = [number for (_, value), number in ends.items() if value == r]
    return best(found) if found else None


FAMILIES = (
    Family("prime_mod", "numbers", tuple(PRIME_MOD), draw_prime_mod),
    Family("triple_count", "numbers", tuple(TRIPLES), draw_triple_count),
    Family("digit_sum", "numbers", tuple(DIGITS), draw_digit_sum),
)
