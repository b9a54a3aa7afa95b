"""Which answer does a text give? Readers for numbers, letters and lists, as models write them.

    final_number("… so she makes \\boxed{1{,}023} dollars.")  ->  "1023"
    final_letters('The answer is "e" + "g" = "eg".')           ->  "eg"
    final_list('The answer is ["Riften", "Skob"].')            ->  ("riften", "skob")

An answer is what stands after the first `answer is`, `####` or `\\boxed`; where none of them stands, the end of the text.
"""

from __future__ import annotations

import re
from fractions import Fraction

BOXED = "\\boxed{"
NUMBER = re.compile(r"[-−–]?\s?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:\s?/\s?\d+)?")
QUOTES = "\"'“”‘’`*"


def stated(text: str) -> str | None:
    """The words that a text gives as its answer; None where it gives none.

    Several marks may stand in a text (`The answer is \\boxed{4}.`); the earliest line with one counts.
    """
    for line in text.splitlines():
        found = re.search(r"\banswer(?:\s+is|\s*:)\s*:?\s*(.*\S)", line, re.IGNORECASE) or re.search(
            r"####\s*(.*\S)", line
        )
        words = found[1] if found else ""
        if BOXED in (words or line):
            return _braced(words or line)
        if words.strip(" .*"):
            return words.strip().rstrip(".").strip("* ")
    return None


def final_number(text: str) -> str | None:
    """The number a text ends in, in plain writing (`1023`, `-3`, `2.5`); None where there is none.

    Within the stated answer it is the first number after the last equals sign; else the last number of the text.
    """
    given = stated(text)
    if given is not None and (found := _numbers(given.rpartition("=")[2]) or _numbers(given)):
        return found[0]
    return found[-1] if (found := _numbers(text)) else None


def same_number(said: str, truth: str) -> bool:
    """Whether the number that a text ends in equals the true one (`2.50` and `2.5` are equal)."""
    found = final_number(said)
    wanted = _numbers(truth)
    return found is not None and bool(wanted) and Fraction(found) == Fraction(wanted[0])


def final_letters(text: str) -> str:
    """The letters a text ends in, in lower case: the last quoted text of the answer, its single letters joined, or its last word."""
    given = stated(text)
    words = (text.strip().splitlines() or [""])[-1] if given is None else given
    words = words.rpartition("=")[2]
    if quoted := re.findall(r"[\"“]([^\"”]*)[\"”]", words):
        words = quoted[-1]
    tokens = re.findall(r"[A-Za-z]+", words)
    if not tokens:
        return ""
    return ("".join(tokens) if all(len(t) == 1 for t in tokens) else tokens[-1]).lower()


def final_list(text: str) -> tuple[str, ...]:
    """The entries of the list a text gives, in lower case, sorted, each once."""
    given = stated(text)
    words = (text.strip().splitlines() or [""])[-1] if given is None else given
    words = words.rpartition(":")[2].strip(" .[](){}")
    parts = re.split(r",\s*and\s+|,|;|\band\b|\n", words)
    return tuple(sorted({p.strip(f" .[]{QUOTES}").lower() for p in parts} - {""}))


def same_letters(said: str, truth: str) -> bool:
    """Whether the letters a text ends in are the true ones."""
    return final_letters(said) == truth.lower()


def same_list(said: str, truth: str) -> bool:
    """Whether the list a text gives has the true entries, in any order."""
    return final_list(said) == final_list(truth)


def _numbers(text: str) -> list[str]:
    """Every number of a text in plain writing; a fraction of whole numbers keeps its bar (`1/2`)."""
    plain = text.replace("{,}", "").replace("\\,", "").replace("\\!", "").replace("\\$", "$")
    plain = re.sub(r"\\d?frac\{(\d+)\}\{(\d+)\}", r"\1/\2", plain)
    found: list[str] = []
    for one in NUMBER.finditer(plain):
        told = re.sub(r"[,\s]", "", one[0]).replace("−", "-").replace("–", "-")
        before = plain[: one.start()].rstrip()[-1:]
        if told.startswith("-") and (before.isalnum() or before == ")"):
            told = told[1:]  # `5-3` holds a 5 and a 3
        if "/" in told and not int(told.partition("/")[2]):
            told = told.partition("/")[0]
        found.append(told)
    return found


def _braced(text: str) -> str:
    """What stands in the braces of the last `\\boxed{…}`."""
    rest, depth = text.rpartition(BOXED)[2], 1
    for at, letter in enumerate(rest):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return re.sub(r"\\text\{([^{}]*)\}", r"\1", rest[:at])
    return rest
