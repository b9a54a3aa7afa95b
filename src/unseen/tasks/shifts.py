"""What may change about a row while its right answer stays? Six shifts, each with the rule that keeps the answer.

    for before, after in paired(rows, "typos"):
        before.prompt, after.prompt  ->  "how do i freeze my account",  "how do i fereze my account"

A shift is a function of a row and a generator: the changed row, with the same id, or None where its rule does not let it
apply. `kept.kept(name, before, after)` checks a pair by other means than those that made it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from unseen.core.errors import Unknown, nearest

from .owned import Pair
from .reframed import distracted, formatted, reordered
from .reworded import misspelt, paraphrased, recased

Move = Callable[[Pair, np.random.Generator], Pair | None]


@dataclass(frozen=True, slots=True)
class Shift:
    """A change that keeps the answer: what it does, the rule that keeps it, and the function."""

    does: str
    rule: str
    move: Move


SHIFTS: Mapping[str, Shift] = {
    "format": Shift(
        "frames the prompt in other words",
        "The prompt stays as it is but for a frame of its own (`Question: … Answer:`); the new frame has no number and no "
        "word of the answer. Not for prompts that show worked questions.",
        formatted,
    ),
    "typos": Shift(
        "misspells a tenth of the words, at least one, by a slip of the keyboard",
        "Only words of five or more small letters and nothing else; none that stands in the answer or an option, no word "
        "for a number or an order; no slip makes another word. Not for code.",
        misspelt,
    ),
    "casing": Shift(
        "writes the prompt in small or in capital letters",
        "Words of the answer and of options, single letters (but a and I), words with digits or signs, and acronyms stay. Not for code, "
        "nor for prompts that speak of letters or capitals.",
        recased,
    ),
    "options": Shift(
        "puts the options into another order, the right one behind another letter",
        "The letter in the answer moves with its option. Not where an option or the question refers to another option or "
        "its place, where two are the same, or where the answer says more than which it is.",
        reordered,
    ),
    "distractor": Shift(
        "puts a true sentence that does not matter ahead of a sentence of the prompt",
        "It has no number, no word of the answer or an option, none of four letters that the row has, and never stands last. Not for code, nor for "
        "prompts that work on their own text (translate, summarize, count the words).",
        distracted,
    ),
    "paraphrase": Shift(
        "says the same with other set phrases",
        "Only phrases from a list, each with one that means the same; none that holds a word of the answer or an option, "
        "none in quotes. Not for code, nor for prompts that work on their own text.",
        paraphrased,
    ),
}


def shifted(row: Pair, name: str, seed: int = 0) -> Pair | None:
    """The row under the shift of that name, or None where it does not apply: a function of seed, name and row alone.

    Raises Unknown for a name that is no shift's.
    """
    if name not in SHIFTS:
        raise Unknown(f"no shift is called {name!r}{nearest(name, SHIFTS)}. Shifts: {', '.join(SHIFTS)}.")
    told = hashlib.blake2b(f"{seed} {name} {row.id}".encode(), digest_size=8).digest()
    return SHIFTS[name].move(row, np.random.default_rng(int.from_bytes(told, "big")))


def paired(rows: Iterable[Pair], name: str, seed: int = 0) -> Iterator[tuple[Pair, Pair]]:
    """(row, row under the shift) of the rows that the shift applies to, in order."""
    for row in rows:
        if (after := shifted(row, name, seed)) is not None:
            yield row, after
