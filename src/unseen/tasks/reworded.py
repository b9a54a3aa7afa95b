"""The same question in other letters and words: misspelt, in other case, in other set phrases.

    misspelt     "how do i freeze my account"  ->  "how do i fereze my account"
    recased      "How do I freeze my account"  ->  "HOW DO I FREEZE MY ACCOUNT"
    paraphrased  "what's my balance"           ->  "what is my balance"

shifts.py says what each leaves as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from .listed import head, listed
from .owned import Pair
from .phrases import PHRASES
from .said import stated

NEIGHBOURS = {"a": "s", "e": "wr", "o": "p"}  # keys beside a vowel's: as a consonant, a slip seldom makes a word
_ORDERED = (  # words for numbers, orders and amounts, of five letters and more
    "seven eight eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty "
    "sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion dozen dozens couple "
    "double doubled triple tripled twice thrice halves third thirds fourth fourths fifth fifths sixth seventh eighth "
    "ninth tenth tenths quarter quarters percent first second fewer least before after until unless without except "
    "every neither never nothing single equal equally three"
)
_REAL = (  # English words that a slip makes of another
    "adler aires alpha anders andres angels angles aries barely barking barley boring bowels bowing bowles brain braking "
    "brian bring brings brunt bulge burnt carbs carlos carry carte carter carve carved carving carvings casual causal "
    "centers centimeters centres chaps cherry chest chester chests clams colts compiled complaint compliant complied "
    "copper corps costing costs crabs crane crate crater crave craving cravings crops dairy diary elise elsie employers "
    "ester farmed farming fibers fibres field fiend filed files fined finely finley fired fires flies forth framed "
    "framing fried fries garde garlic grade groan herpes hester hopper hours jaime jamie jeffery jeffrey kilometers "
    "kilometres kirsten kristen liang liters litres macro magna manga marco marcos marine marital martial meters metres "
    "michael millimeters moines monies nerds nerdy notre pairs palin paris parish parton patron patsy peers perfect "
    "pierce plain popped popping porto ports prefect prompted prompting proto ramps receive received relay rogue rouge "
    "sacred salted satin scared scotus scouts sewing shows signing signs silver singing sings slated slater slave soils "
    "spared sparing split stain start swine swung theaters theatres their there theres thorne three threes throne "
    "throughput throws tiers tilted tired tires titled trail trails trainers trams trial trials tried tries viola weiner "
    "whopping wiener wright"
)
ORDERED, REAL = frozenset(_ORDERED.split()), frozenset(_REAL.split())
CODE = re.compile(
    r"```|^\s*(?:def|class|import|return|#include|SELECT)\b|[{};]\s*$|</?\w+>|\w\(\)|=>|://", re.MULTILINE
)
LETTERS = re.compile(
    r"\b(?:(?:upper|lower)[ -]?case|capital|capitals|capitali[sz]\w*|letters?|acronyms?|abbreviat\w*|initials)\b", re.I
)
ITSELF = re.compile(
    r"\b(?:translat\w*|summar\w*|rewrit\w*|rephras\w*|paraphras\w*|repeat|spell\w*|sentences?|words?|letters?|characters?|"
    r"paragraphs?|passages?|texts?|grammar\w*|quot\w*|verbatim|rhyme\w*|proofread\w*|above|below|say)\b",
    re.I,
)
SLIPS = 0.1  # of the words


def words_of(text: str) -> set[str]:
    """The words of a text, in small letters, those joined by hyphens or underscores apart."""
    return set(re.findall(r"[^\W_]+", text.casefold()))


def held(row: Pair) -> set[str]:
    """The words of the answer (of what it states, where it ends in that) and of all options."""
    texts = [stated(row.answer) or row.answer, *row.options, *(option.text for option in listed(row.prompt))]
    return set[str]().union(*map(words_of, texts))


def coded(prompt: str) -> bool:
    """Whether a prompt holds code or addresses, in which every letter counts."""
    return CODE.search(prompt) is not None


def on_itself(prompt: str) -> bool:
    """Whether a prompt may ask for something about its own words."""
    return ITSELF.search(prompt) is not None


def quoted(prompt: str, at: int) -> bool:
    """Whether a place stands between double quotes."""
    before = prompt[:at]
    return before.count('"') % 2 == 1 or before.count("“") > before.count("”")


def misspelt(row: Pair, rng: np.random.Generator) -> Pair | None:
    """A tenth of the words, at least one, each with one slip of the keyboard, or None where no word may have one."""
    if coded(row.prompt):
        return None
    kept, end = held(row), head(row.prompt)
    known = words_of(row.told()) | kept
    places = [
        found
        for found in re.finditer(r"(?<!\S)[a-z]{5,}(?=[.,;:?!]?(?:\s|$))", row.prompt[:end])
        if found[0] not in ORDERED and found[0] not in kept and not quoted(row.prompt, found.start())
    ]
    wanted = max(1, round(SLIPS * len(row.prompt[:end].split())))
    prompt = row.prompt
    chosen = rng.permutation(len(places))[:wanted]
    for found in (places[i] for i in sorted(chosen.tolist(), reverse=True)):
        slips = [slip for slip in _slips(found[0]) if slip not in REAL and slip not in known]
        if slips:
            prompt = prompt[: found.start()] + slips[rng.integers(len(slips))] + prompt[found.end() :]
    return None if prompt == row.prompt else replace(row, prompt=prompt)


def recased(row: Pair, rng: np.random.Generator) -> Pair | None:
    """The prompt in small letters or in capitals, or None where that changes nothing or might matter."""
    if coded(row.prompt) or LETTERS.search(row.prompt):
        return None
    kept, end = held(row), head(row.prompt)
    upper = bool(rng.integers(2))
    for turn in (upper, not upper):
        parts = re.split(r"(\s+)", row.prompt[:end])
        prompt = "".join(_cased(part, turn, kept) for part in parts) + row.prompt[end:]
        if prompt != row.prompt:
            return replace(row, prompt=prompt)
    return None


def paraphrased(row: Pair, rng: np.random.Generator) -> Pair | None:
    """One or more set phrases of the prompt replaced by others of the same meaning, or None where it has none."""
    if coded(row.prompt) or on_itself(row.prompt):
        return None
    kept, end = held(row), head(row.prompt)
    stem = row.prompt[:end]
    for phrase in (PHRASES[i] for i in rng.permutation(len(PHRASES)).tolist()):
        for found in reversed(list(phrase.said.finditer(stem))):
            other = _as_written(found.expand(phrase.other), found[0])
            if not (words_of(found[0]) | words_of(other)) & kept and not quoted(stem, found.start()):
                stem = stem[: found.start()] + other + stem[found.end() :]
        if stem != row.prompt[:end] and rng.random() < 0.5:
            break
    return None if stem == row.prompt[:end] else replace(row, prompt=stem + row.prompt[end:])


def _slips(word: str) -> list[str]:
    """What a word becomes by one slip inside it: two letters exchanged, or the key beside a vowel's."""
    found = [
        word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 2) if word[i] != word[i + 1]
    ]
    return found + [
        word[:i] + key + word[i + 1 :] for i in range(1, len(word) - 1) for key in NEIGHBOURS.get(word[i], "")
    ]


def _cased(part: str, upper: bool, kept: set[str]) -> str:
    """A word with its marks in the other case, unless its case may say something."""
    letters = re.sub(r"[^\W\d_]|['’.,;:?!()\"“”-]", "", part)
    core = part.strip("'’.,;:?!()\"“”-")
    if letters or "." in core or words_of(part) & kept or (core.isupper() and len(core) > 1):
        return part
    if len(core) < 2 and core not in ("a", "i", "I"):
        return part
    told = part.upper() if upper else part.lower()
    return told if told.casefold() == part.casefold() and told.lower().casefold() == part.casefold() else part


def _as_written(text: str, like: str) -> str:
    """A text that begins with a capital where the one it replaces does."""
    return text[:1].upper() + text[1:] if like[:1].isupper() else text
