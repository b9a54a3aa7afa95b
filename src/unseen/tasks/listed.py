"""Which options does a prompt list, and which of them does an answer name?

    listed("Where is Rome?\\nA. Spain\\nB. Italy")  ->  (Option("A", "Spain", 17, 22), Option("B", "Italy", 26, 31))

Options stand one a line (`A. x`, `B) y`, `(C) z`) or one after another (`(A) x (B) y`), with letters from A on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .shingles import plain

LINE = re.compile(r"^[ \t]*\(?([A-Z])[).:][ \t]+(\S[^\n]*?)[ \t]*$", re.MULTILINE)
INLINE = re.compile(r"\(([A-Z])\)[ \t]+([^\n]*?\S)(?=[ \t,;]*(?:\([A-Z]\)[ \t]|\n|$))")
NAMED = re.compile(
    r"(?P<head>\s*(?:[\w' ]{0,30}\banswer\s*(?:is|:)\s*:?\s*)?\(?)(?P<letter>[A-Z])(?P<tail>\)?[.):]?\s*)", re.I
)
ANNOUNCED = re.compile(r"\s*\(?([A-Z])[).:]\s+(.*\S)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its letter, its text, and where that text stands in the prompt."""

    letter: str
    text: str
    start: int
    end: int


def listed(prompt: str) -> tuple[Option, ...]:
    """The last list of options in a prompt; empty where there is none of at least two."""
    for shape in (LINE, INLINE):
        runs: list[list[Option]] = []
        for found in shape.finditer(prompt):
            option = Option(found[1], found[2], found.start(2), found.end(2))
            if runs and ord(option.letter) == ord(runs[-1][-1].letter) + 1:
                runs[-1].append(option)
            elif option.letter == "A":
                runs.append([option])
        if whole := [run for run in runs if len(run) > 1]:
            return tuple(whole[-1])
    return ()


def marks(prompt: str) -> int:
    """How many options a prompt seems to list, in all its lists."""
    return max(len(shape.findall(prompt)) for shape in (LINE, INLINE))


def head(prompt: str) -> int:
    """Where the first option's line or mark begins; the prompt's length where it lists none."""
    found = listed(prompt)
    if not found:
        return len(prompt)
    mark = max(prompt.rfind(found[0].letter, 0, found[0].start), 0)
    return mark - 1 if mark and prompt[mark - 1] == "(" else mark


def named(answer: str, options: Sequence[Option]) -> int | None:
    """Which option an answer names, by its letter, its text or both; None where it names none, or more is said."""
    letters = [option.letter for option in options]
    if (found := NAMED.fullmatch(answer)) and found["letter"] in letters:
        return letters.index(found["letter"])
    texts = [plain(option.text) for option in options]
    if (found := ANNOUNCED.fullmatch(answer)) and found[1] in letters:
        at = letters.index(found[1])
        return at if plain(found[2]) == texts[at] else None
    return texts.index(plain(answer)) if texts.count(plain(answer)) == 1 else None


def renamed(answer: str, options: Sequence[Option], letter: str) -> str:
    """The answer with another letter where it names an option by its letter; as it is where by its text alone."""
    letters = [option.letter for option in options]
    if (found := NAMED.fullmatch(answer)) and found["letter"] in letters:
        return f"{found['head']}{letter}{found['tail']}"
    if (found := ANNOUNCED.fullmatch(answer)) and found[1] in letters:
        return answer[: found.start(1)] + letter + answer[found.end(1) :]
    return answer
