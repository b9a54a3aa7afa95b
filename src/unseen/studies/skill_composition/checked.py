"""Does a text show a skill of our own? Every skill is a rule that a program decides.

CHECKS["anaphora"]("We sew by day, we sew by night.")  ->  True
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from .prose import clauses, split_sentences, words

ASKING = "who|whom|whose|what|which|when|where|why|how|is|are|was|were|do|does|did|can|could|will|would|shall|should|has|have|had|must|may|might"
NUMBERS = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|dozen"
DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|april|june|july|august|september|october|november|december"
COLOURS = "red|orange|yellow|green|blue|purple|violet|brown|black|white|grey|gray|pink|scarlet|crimson|golden|silver|azure|amber|ivory"
NO_SUPERLATIVE = frozenset(["rest", "west", "nest", "test", "guest", "forest", "harvest", "interest", "request", "honest", "contest", "protest", "chest", "quest", "east", "modest", "invest", "manifest", "arrest", "digest", "suggest", "behest", "tempest"])  # fmt: skip
NO_COMPARATIVE = frozenset(["other", "rather", "never", "ever", "over", "under", "after", "water", "matter", "number", "together", "whether", "either", "neither", "another", "her", "per"])  # fmt: skip


def alliteration(text: str) -> bool:
    """Three words in a row begin with the same letter."""
    return any(
        a[0] == b[0] == c[0]
        for w in map(words, split_sentences(text))
        for a, b, c in zip(w, w[1:], w[2:], strict=False)
    )


def epizeuxis(text: str) -> bool:
    """A word follows upon itself."""
    return any(a == b for w in map(words, split_sentences(text)) for a, b in pairwise(w))


def anaphora(text: str) -> bool:
    """Two clauses in a row begin with the same two words."""
    return any(len(a) > 2 and len(b) > 2 and a[:2] == b[:2] for a, b in _neighbours(text))


def epistrophe(text: str) -> bool:
    """Two clauses in a row end with the same word, which is not all there is of either."""
    return any(len(a) > 1 and len(b) > 1 and a[-1] == b[-1] for a, b in _neighbours(text))


def anadiplosis(text: str) -> bool:
    """A clause begins with the word of four letters or more that the clause before it ends with."""
    return any(len(b) > 1 and a[-1] == b[0] and len(b[0]) > 3 for a, b in _neighbours(text))


def enumeration(text: str) -> bool:
    """Three things or more stand in a list: a, b and c."""
    thing = r"[\w'’-]+(?:\s[\w'’-]+){0,2}"
    return _found(rf"\b{thing},\s{thing},?\s(?:and|or)\s\w", text)


def parenthesis(text: str) -> bool:
    """Two words or more stand in brackets."""
    return any(len(words(inner)) > 1 for inner in re.findall(r"\(([^()]*)\)", text))


def antithesis(text: str) -> bool:
    """Something is denied and its contrary put in its place: not a, but b."""
    return _found(r"\b(?:not|never|no)\b[^.!?;]*,?\s\bbut\b(?!\salso)\s\w", text)


def simile(text: str) -> bool:
    """Something is likened to another thing: like a, as … as a."""
    likened = r"(?<!would )(?<!should )(?<!to )(?<!we )(?<!they )(?<!you )(?<!i )\blike\s(?:a|an|the)\s\w"
    return _found(rf"{likened}|\bas\s[\w'’-]+\sas\s(?:a|an|the)\s\w", text)


def comparison(text: str) -> bool:
    """One thing has more or less of something than another."""
    compared = re.findall(r"\b(?:(more|less|fewer)\b[^.!?;,]*|([a-z]+er|better|worse))\sthan\s\w", text.lower())
    return any(more or word not in NO_COMPARATIVE for more, word in compared)


def superlative(text: str) -> bool:
    """Something has the most or least of a quality."""
    ending = re.findall(r"\b(?:the|my|our|your|his|her|its|their)\s([a-z]{2,}est)\b", text.lower())
    named = r"\b(?:the|my|our|your|his|her|its|their)\s(?:most|least)\s[a-z]+|\bthe\sworst\b"
    return any(word not in NO_SUPERLATIVE for word in ending) or _found(named, text)


def correlative(text: str) -> bool:
    """Two qualities grow together: the more …, the more …"""
    grown = r"the\s(?:more|less|fewer|[a-z]+er|better|worse)\b"
    return _found(rf"\b{grown}[^.!?;]*,\s{grown}", text)


def conditional(text: str) -> bool:
    """A condition is stated with what follows from it: if …, …"""
    return _found(r"(?<!as )\bif\s[^.!?;]*\w,\s\w|\w\s(?<!\bas\s)if\s\w+\s\w", text)


def cause(text: str) -> bool:
    """A reason is given with because."""
    return _found(r"\bbecause\s(?:of\s)?\w", text)


def purpose(text: str) -> bool:
    """An aim is given with so that or in order to."""
    return _found(r"\b(?:so\sthat|in\sorder\s(?:to|that))\s\w", text)


def exception(text: str) -> bool:
    """Something is left out with except, save for or unless."""
    return _found(r"\b(?:except|save\sfor|unless|apart\sfrom|with\sthe\sexception\sof)\s\w", text)


def rhetorical_question(text: str) -> bool:
    """A question of three words or more, that begins as questions do."""
    asked = [re.split(r"[.!;:,—–(\n\"“”]|\s-\s", part)[-1] for part in text.split("?")[:-1]]
    return any(len(words(one)) > 2 and re.match(rf"\s*(?:and\s|but\s|so\s)?(?:{ASKING})\b", one.lower()) for one in asked)  # fmt: skip


def exclamation(text: str) -> bool:
    """A word stands before a mark of exclamation."""
    return _found(r"\w!", text)


def quotation(text: str) -> bool:
    """Two words or more stand in double quotes."""
    return any(len(words(a or b)) > 1 for a, b in re.findall(r"\"([^\"]*)\"|“([^“”]*)”", text))


def apostrophe(text: str) -> bool:
    """Something is addressed with O."""
    return bool(re.search(r"\bOh?,?\s(?:[Mm]y\s|[Ss]weet\s|[Dd]ear\s|[Gg]reat\s)?[a-z]+(?:\s[a-z]+)?[,!]", text))


def number(text: str) -> bool:
    """A number above one stands there, in words or numerals that are no year."""
    numerals = re.findall(r"\b\d[\d,]*\b", text)
    return _found(rf"\b(?:{NUMBERS})\b", text) or any(n not in ("0", "1") and not re.fullmatch(r"1\d{3}|20\d\d", n) for n in numerals)  # fmt: skip


def calendar(text: str) -> bool:
    """A day, a month or a year is named."""
    return _found(rf"\b(?:{DAYS})s?\b|\b(?:1\d{{3}}|20\d\d)\b", text) or bool(re.search(r"\b(?:March|May)\b", text))


def colour(text: str) -> bool:
    """A colour is named."""
    return _found(rf"\b(?:{COLOURS})\b", text)


def honorific(text: str) -> bool:
    """Somebody is named with a title."""
    return bool(re.search(r"\b(?:Mr|Mrs|Ms|Dr|Prof)\.?\s[A-Z][a-z]|\b(?:Professor|Doctor|Captain|Lady|Sir|Madam|Saint)\s[A-Z][a-z]", text))  # fmt: skip


def on_topic(text: str, stems: tuple[str, ...]) -> bool:
    """Whether a word of the text begins with one of a topic's stems."""
    return any(word.startswith(stem) for word in words(text) for stem in stems)


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "alliteration": alliteration, "epizeuxis": epizeuxis, "anaphora": anaphora, "epistrophe": epistrophe,
    "enumeration": enumeration, "anadiplosis": anadiplosis, "parenthesis": parenthesis, "antithesis": antithesis,
    "simile": simile, "comparative": comparison, "superlative": superlative, "correlative comparison": correlative,
    "conditional statement": conditional, "causal explanation": cause, "purpose clause": purpose, "exceptive phrase": exception,
    "rhetorical question": rhetorical_question, "exclamation": exclamation, "quotation": quotation, "apostrophe": apostrophe,
    "numeral": number, "calendar date": calendar, "colour term": colour, "honorific": honorific,
}  # fmt: skip


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text.replace("\n", " "), re.IGNORECASE) is not None


def _neighbours(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The words of every two clauses in a row."""
    return pairwise([found for part in clauses(text) if (found := words(part))])
