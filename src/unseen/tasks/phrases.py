"""Which set phrases of English say the same? Pairs that can stand for one another where the pattern finds them.

Phrase(re.compile(r"\\bin total(?=[?.])"), "altogether")
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BE = r"(?=(?:the|my|a|an|your|our|this|that|it)\b)"  # after these a 's is an is
ASKED = r"(?=(?:tell|help|show|find|give|check|let|make|book|order|play|set|add|remind|put|schedule|turn|look|explain|transfer|pay|send|call)\b)"
START = r"(?:^|(?<=[.!?] )|(?<=[.!?]  )|(?<=\n))"
WE, SHE = r"(i|you|we|they)", r"(he|she|it)"


@dataclass(frozen=True, slots=True)
class Phrase:
    """What is found, and what says the same in its place (groups as `\\1`)."""

    said: re.Pattern[str]
    other: str


def _phrase(said: str, other: str) -> Phrase:
    return Phrase(re.compile(said, re.IGNORECASE), other)


PHRASES = (
    _phrase(rf"\b(what|where|who|how)['’]s {BE}", r"\1 is "),
    _phrase(rf"{START}(what|where|who) is {BE}", r"\1's "),
    _phrase(r"\b(i)['’]m (?=\w)", r"\1 am "),
    _phrase(rf"{START}(i) am (?=\w)", r"\1'm "),
    _phrase(r"\b(you|we|they)['’]re (?=\w)", r"\1 are "),
    _phrase(rf"\b{WE}['’]ve (?=\w)", r"\1 have "),
    _phrase(rf"\b{WE}['’]ll (?=\w)", r"\1 will "),
    _phrase(rf"\b{WE} (do|did)n['’]t (?=\w)", r"\1 \2 not "),
    _phrase(rf"\b{SHE} (does|did)n['’]t (?=\w)", r"\1 \2 not "),
    _phrase(rf"\b{WE} can['’]t (?=\w)", r"\1 cannot "),
    _phrase(rf"{START}can you (?:please )?{ASKED}", "could you "),
    _phrase(rf"{START}could you (?:please )?{ASKED}", "can you "),
    _phrase(rf"{START}i want to (?=\w)", "i would like to "),
    _phrase(rf"{START}i(?:['’]d| would) like to (?=\w)", "i want to "),
    _phrase(r"^(tell|show|give|help) me (?!.*\bplease\b)", r"please \1 me "),
    _phrase(r"^please (tell|show|give|help) me ", r"\1 me "),
    _phrase(rf"{START}(what|where|when|who|how|which|why)(?=['’ ][^.!?]*\??\s*$)", r"tell me this: \1"),
    _phrase(r"\bin total(?=[?.])", "altogether"),
    _phrase(r"\baltogether(?=[?.])", "in total"),
    _phrase(r"\beach (day|week|month|year)\b", r"every \1"),
    _phrase(r"(?<!other )\bevery (day|week|month|year)\b", r"each \1"),
    _phrase(r"\bper (day|week|month|year)\b", r"each \1"),
    _phrase(rf"{START}how much money (?=did|does|do|will|has|have|was|is)", "what amount of money "),
    _phrase(
        rf"{START}how many (?!more\b|of\b|in\b|total\b|other\b|are\b|did\b)(\w+) (?=did|does|do|will|are|were|can|has|have)",
        r"what number of \1 ",
    ),
    _phrase(r"\bright now\b", "at the moment"),
    _phrase(r"\bat the moment\b", "right now"),
    _phrase(r"\b(do|did|does|will) (i|you|we|they|he|she) need to (?=\w)", r"\1 \2 have to "),
    _phrase(r"\bbought (?=\w)", "purchased "),
    _phrase(r"\bpurchased (?=\w)", "bought "),
    _phrase(r"\bbuys (?=\w)", "purchases "),
    _phrase(r"\bkids\b", "children"),
    _phrase(r"\bmovies\b", "films"),
)
