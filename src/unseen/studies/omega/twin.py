"""Two small templates and the one that composes them, told in a language in which composition is plain to see.

    'R2 abcab'       -> 'eegll'      each letter of a ring beside the one 2 places before it: less, equal or greater
    'P l llelg'      -> '3'          how often a mark stands in a word
    'P l R2 abcab'   -> '2'          both: the second asked of the first's result

Decoders trained from scratch never meet the tokens of a composed template of `composed.py`, so its composition says
nothing of them; here every token of the composed question was trained on, and words of marks are as likely in both.
"""

from __future__ import annotations

import numpy as np

from .composed import Pair
from .problem import Family, Problem, dice, parameters

RINGS = {1: (6, "ab"), 2: (6, "abc"), 3: (7, "abc"), 4: (8, "abc")}  # letters in a ring, and which
FARTHEST = 2  # places back, at most
MARKS = "leg"
TWINS = (Pair("twin_rotation", "twin_pattern", "twin_n_gon"),)
MARKED = "Write l where it comes earlier in the alphabet, e where it is the same, and g where it comes later"


def compared(letters: str, back: int) -> str:
    """The marks of a ring of letters, each beside the one so many places before it: 'l', 'e' or 'g'."""
    beside = ((letters[i], letters[i - back]) for i in range(len(letters)))
    return "".join("e" if a == b else "l" if a < b else "g" for a, b in beside)


def _ring(name: str, level: int, rng: np.random.Generator) -> tuple[str, int, str]:
    """Letters, how many places back each is compared with, and a mark."""
    (n, letters), die = parameters(name, level, RINGS), dice(rng)
    return "".join(die.choice(letters) for _ in range(n)), die.randint(1, FARTHEST), die.choice(MARKS)


def _told(letters: str, back: int) -> str:
    places = "place" if back == 1 else "places"
    return (
        f"The letters {', '.join(letters)} stand in a ring. Each letter is compared with the one {back} {places} before it "
        f"in the ring. {MARKED}, from the first letter to the last"
    )


def draw_rotation(level: int, rng: np.random.Generator) -> Problem:
    """The marks of a ring."""
    letters, back, _ = _ring("twin_rotation", level, rng)
    question = f"{_told(letters, back)}, as one word."
    return Problem(question, f"R{back} {letters}", compared(letters, back), "text")


def draw_pattern(level: int, rng: np.random.Generator) -> Problem:
    """How often a mark stands in a word."""
    letters, back, mark = _ring("twin_pattern", level, rng)
    word = compared(letters, back)
    question = f"How often does the letter {mark} stand in the word {word}?"
    return Problem(question, f"P {mark} {word}", str(word.count(mark)), "integer")


def draw_n_gon(level: int, rng: np.random.Generator) -> Problem:
    """How often a mark stands among those of a ring."""
    letters, back, mark = _ring("twin_n_gon", level, rng)
    question = f"{_told(letters, back)}. How often does the letter {mark} stand in the word of these marks?"
    answer = str(compared(letters, back).count(mark))
    return Problem(question, f"P {mark} R{back} {letters}", answer, "integer")


FAMILIES = (
    Family("twin_rotation", "twin", tuple(RINGS), draw_rotation),
    Family("twin_pattern", "twin", tuple(RINGS), draw_pattern),
    Family("twin_n_gon", "twin", tuple(RINGS), draw_n_gon),
)
