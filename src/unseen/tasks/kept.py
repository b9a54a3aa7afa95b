"""Does a changed row still have its answer? A check of each shift that shares nothing with the code that made the change.

    kept("typos", before, after)   ->  ""                              nothing is broken
    kept("casing", before, after)  ->  "'Paris' became 'PARIS'"        where the answer is Paris

It is stricter than reading: what passes has the numbers, the words of the answer and the options of the row it came from.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping

from unseen.core.errors import Unknown, nearest

from .owned import Pair

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million half third quarter "
    "once twice thrice first second double triple dozen"
)
_FRAME = "question answer input output response problem task instruction q a please this your"
NUMBERS, FRAME = frozenset(_NUMBERS.split()), frozenset(_FRAME.split())
SAME = (  # a phrase, and what is read for it: rows that mean the same read the same
    (r"\b(what|where|who|how) is\b", r"\1's"),
    (r"\bi am\b", "i'm"),
    (r"\b(you|we|they) are\b", r"\1're"),
    (r"\b(i|you|we|they) have\b(?! to)", r"\1've"),
    (r"\b(i|you|we|they) will\b", r"\1'll"),
    (r"\b(do|does|did) not\b", r"\1n't"),
    (r"\bcannot\b", "can't"),
    (r"\bcould you\b", "can you"),
    (r"(?: would|'d) like to\b", " want to"),
    (r"\bplease\b|\btell me this:", ""),
    (r"\baltogether\b", "in total"),
    (r"\b(?:each|per)\b", "every"),
    (r"\bwhat amount of\b", "how much"),
    (r"\bwhat number of\b", "how many"),
    (r"\bat the moment\b", "right now"),
    (r"\bneed to\b", "have to"),
    (r"\bbought\b", "purchased"),
    (r"\bbuys\b", "purchases"),
    (r"\bkids\b", "children"),
    (r"\bmovies\b", "films"),
)


def kept(name: str, before: Pair, after: Pair) -> str:
    """What the shift of that name has broken, in words; empty where the answer must be the same. Raises Unknown for no shift."""
    if name not in CHECKS:
        raise Unknown(f"no shift is called {name!r}{nearest(name, CHECKS)}. Shifts: {', '.join(CHECKS)}.")
    for field in ("id", "before", "options", "spoken"):
        if getattr(before, field) != getattr(after, field):
            return f"{field} changed"
    if before.prompt == after.prompt:
        return "the prompt is as it was"
    if name != "options" and before.answer != after.answer:
        return "the answer changed"
    if name != "options" and (one := numbers(before.prompt)) != (other := numbers(after.prompt)):
        return f"the numbers {one} became {other}"
    held = answer_words(before)
    was, now = ([word for word in _words(p.prompt) if word in held] for p in (before, after))
    if name != "options" and was != now:
        return f"the words of the answer {was} became {now}"
    return CHECKS[name](before, after)


def numbers(text: str) -> list[str]:
    """The numbers of a text in order, in digits and in words."""
    return [w for w in re.findall(r"\d+(?:[.,:/]\d+)*|[a-z]+", text.lower()) if w[0].isdigit() or w in NUMBERS]


def answer_words(row: Pair) -> set[str]:
    """The words of the answer and the options; of a long answer those behind its `####`, or all."""
    answer = row.answer.rpartition("####")[2]
    return set(_words(" ".join([answer, *row.options, *options(row.prompt)[1]])))


def options(prompt: str) -> tuple[list[str], list[str], str]:
    """The letters and texts of the options that a prompt lists, and the prompt with their texts left out."""
    parts = re.split(r"((?:^|\n|(?<= )(?=\())[ \t]*\(?[A-Z][).:][ \t]+)", prompt)
    marks, texts = parts[1::2], parts[2::2]
    letters = [re.sub(r"[^A-Z]", "", mark) for mark in marks]
    styles = {re.sub(r"[A-Z\s]", "", mark) for mark in marks}  # as "()" of "(A) "
    if len(letters) < 2 or len(styles) > 1 or letters != [chr(ord("A") + i) for i in range(len(letters))]:
        return [], [], prompt
    last, newline, rest = texts[-1].partition("\n")
    found = [text.strip(" \t") for text in [*texts[:-1], last]]
    if any(not text or "\n" in text for text in found):
        return [], [], prompt
    return letters, found, "|".join([parts[0], *marks, newline + rest])


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _format(before: Pair, after: Pair) -> str:
    """Only words of frames came or went, none of them the answer's; the rest stands in its order."""
    one, other = (re.findall(r"\w+|[^\w\s]", p.prompt) for p in (before, after))
    added = Counter(map(str.lower, other)) - Counter(map(str.lower, one))
    if strange := [word for word in added if word not in FRAME and word not in "#:.,"]:
        return f"{strange[0]!r} came in"
    if taken := [word for word in added if word in answer_words(before)]:
        return f"the frame says {taken[0]!r}, a word of the answer"
    rest = [[word for word in side if word.lower() not in FRAME and word not in "#:.,"] for side in (one, other)]
    return "" if rest[0] == rest[1] else "words inside the frame changed"


def _typos(before: Pair, after: Pair) -> str:
    """Word for word the same, but for a few with one slip inside."""
    one, other = (re.split(r"(\s+)", p.prompt) for p in (before, after))
    if len(one) != len(other):
        return "the number of words changed"
    changed = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    if len(changed) > 1 + len(one) / 2 * 0.11:
        return f"{len(changed)} of {len(one) // 2 + 1} words are misspelt"
    for a, b in changed:
        differing = [i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
        swapped = len(differing) == 2 and differing[1] == differing[0] + 1 and sorted(a) == sorted(b)
        if len(a) != len(b) or not (swapped or len(differing) == 1):
            return f"{a!r} became {b!r}, which is more than a slip"
        if not re.fullmatch(r"[a-z]{5,}\W?", a) or not b[differing[0]].isalpha() or 0 in differing:
            return f"{a!r} became {b!r}, which is no plain word"
    return ""


def _casing(before: Pair, after: Pair) -> str:
    """The same letters; those that stand for something as they are stay so."""
    if before.prompt.casefold() != after.prompt.casefold():
        return "more than the case changed"
    held = answer_words(before)
    for a, b in zip(before.prompt.split(), after.prompt.split(), strict=True):
        letters = re.sub(r"\W", "", a)
        single = len(letters) < 2 and letters not in ("a", "i", "I")
        if a != b and (single or re.search(r"\d", a) or set(_words(a)) & held):
            return f"{a!r} became {b!r}"
    return ""


def _options(before: Pair, after: Pair) -> str:
    """The same options and the same text around them, and the letter of the answer is that of the right one's text."""
    (letters, texts, around), (_, moved, still) = options(before.prompt), options(after.prompt)
    if sorted(texts) != sorted(moved) or around != still or len(set(texts)) < len(texts):
        return "the options or the text around them changed"
    one, other = (re.search(r"(?<![A-Za-z])([A-Z])(?![A-Za-z])", p.answer) for p in (before, after))
    if before.answer.strip() in texts:  # named by its text
        return "" if before.answer == after.answer else "the text of the answer changed"
    if one is None or other is None or one[1] not in letters or other[1] not in letters:
        return "the answer names no option"
    if texts[letters.index(one[1])] != moved[letters.index(other[1])]:
        return f"the answer {other[1]} is another option than {one[1]} was"
    rest = [p.answer[: m.start()] + p.answer[m.end() :] for p, m in ((before, one), (after, other))]
    return "" if rest[0] == rest[1] else "more of the answer than its letter changed"


def _distractor(before: Pair, after: Pair) -> str:
    """One sentence more, ahead of what was there, without a number or a word of the row."""
    long = len(after.prompt) - len(before.prompt)
    for at in range(len(before.prompt)):
        if before.prompt[:at] != after.prompt[:at]:
            break
        said = after.prompt[at : at + long]
        if after.prompt[at + long :] == before.prompt[at:] and re.fullmatch(r"[A-Z][a-z ]+\. ", said):
            known = {w for w in _words(before.told()) if len(w) > 3} | answer_words(before)
            shared = set(_words(said)) & known
            if at and not before.prompt[:at].rstrip().endswith((".", "!", "?", '"', ")")):
                return "it stands inside a sentence"
            return f"it says {sorted(shared)[0]!r}, as the row does" if shared else ""
    return "more than one sentence came in"


def _paraphrase(before: Pair, after: Pair) -> str:
    """Both read the same once phrases of one meaning are read as one."""
    one, other = (_read(p.prompt) for p in (before, after))
    return "" if one == other else f"{one!r} became {other!r}"


def _read(text: str) -> str:
    told = text.lower().replace("’", "'")
    for phrase, read in SAME:
        told = re.sub(phrase, read, told)
    return " ".join(told.split())


CHECKS: Mapping[str, Callable[[Pair, Pair], str]] = {
    "format": _format,
    "typos": _typos,
    "casing": _casing,
    "options": _options,
    "distractor": _distractor,
    "paraphrase": _paraphrase,
}
