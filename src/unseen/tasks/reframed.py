"""The same question in another frame, with its options in another order, or beside a sentence that does not matter.

    formatted   "Is it warm?"                  ->  "Question: Is it warm?\\nAnswer:"
    reordered   "…\\nA. Spain\\nB. Italy", "B"   ->  "…\\nA. Italy\\nB. Spain", "A"
    distracted  "Ana has 3 hens. …"            ->  "Snow is cold to the touch. Ana has 3 hens. …"

shifts.py says what each leaves as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from .listed import head, listed, marks, named, renamed
from .owned import Pair
from .reworded import coded, held, on_itself, quoted, words_of

FRAMES = (
    ("Question: ", "\nAnswer:"),
    ("### Input\n", "\n\n### Response\n"),
    ("Please answer this.\n\n", "\n\nYour answer:"),
)
FRAMED = re.compile(
    r"\s*(?:#+ *)?(?:Q|Question|Problem|Input|Instruction|Task)\s*[:\n]\s*(?P<body>.+?)"
    r"(?:\s*\n\s*(?:#+ *)?(?:A|Answer|Output|Response|Solution)\s*:?)?\s*",
    re.DOTALL | re.IGNORECASE,
)
SHOWN = re.compile(r"^\s*(?:#+ *)?(?:A|Answer|Output|Response|Solution)\s*:[ \t]*\S", re.MULTILINE | re.IGNORECASE)
REFERRING = re.compile(
    r"\b(?:above|below|preceding|previous|following|foregoing|former|latter)\b|\b[A-Z](?:\)|,)? (?:and|or|nor|&) \(?[A-Z]\b"
    r"|\b(?:all|none|both|neither|either|any|each|one) (?:of )?(?:the|these|those|them)\b|\bneither\b|\bboth\b"
)
PLACED = re.compile(
    r"\b(?:options?|choices?|answers?|statements?) \(?[A-Z]\b|\b(?:first|second|third|fourth|last) (?:option|choice|answer)"
)
FACTS = (  # true, of no use, and without numbers
    "Snow is cold to the touch.",
    "Grass is usually green in spring.",
    "Owls are awake during the night.",
    "Bees collect nectar from flowers.",
    "Rivers flow towards the sea.",
    "Copper conducts electricity well.",
    "Whales breathe air at the surface.",
    "Bread is baked in an oven.",
    "Clouds are made of tiny drops.",
    "Iron rusts when it stays wet.",
    "Sand is found on many beaches.",
    "The moon shines at night.",
)  # fmt: skip
SENTENCE = re.compile(
    r"(?<=[a-z)][.!?])(?<!\b[A-Z][a-z]\.)(?<!\b[A-Z][a-z]{2}\.)(?<!\betc\.)(?<!\bvs\.)[ \t]+(?=[A-Z])"
)


def formatted(row: Pair, rng: np.random.Generator) -> Pair | None:
    """The prompt in a frame that it does not have, or None. What leads to an answer is not added where a prompt has its own."""
    if SHOWN.search(row.prompt):
        return None
    found = FRAMED.fullmatch(row.prompt)
    body = found["body"] if found else row.prompt
    led = body.rstrip().endswith((":", "="))  # it asks to be gone on with
    fit = [
        (before, "" if led else after)
        for before, after in FRAMES
        if not words_of(before + after) & held(row) and not row.prompt.startswith(before.strip())
    ]
    if not fit:
        return None
    before, after = fit[rng.integers(len(fit))]
    return replace(row, prompt=f"{before}{body}{after}")


def reordered(row: Pair, rng: np.random.Generator) -> Pair | None:
    """The options in another order, in which the right one has another letter, or None."""
    options = listed(row.prompt)
    right = named(row.answer, options) if options and marks(row.prompt) == len(options) else None
    texts = [option.text for option in options]
    stem = row.prompt[: head(row.prompt)]
    if right is None or len({text.casefold() for text in texts}) < len(texts):
        return None
    if PLACED.search(stem) or any(REFERRING.search(text) or PLACED.search(text) for text in texts):
        return None
    order = rng.permutation(len(options)).tolist()
    if order[right] == right:
        other = (right + 1 + int(rng.integers(len(options) - 1))) % len(options)
        order[right], order[other] = order[other], order[right]
    prompt = row.prompt
    for option, source in reversed(list(zip(options, order, strict=True))):
        prompt = prompt[: option.start] + texts[source] + prompt[option.end :]
    return replace(row, prompt=prompt, answer=renamed(row.answer, options, options[order.index(right)].letter))


def distracted(row: Pair, rng: np.random.Generator) -> Pair | None:
    """The prompt with one of FACTS ahead of one of its sentences, or None."""
    if on_itself(row.prompt) or coded(row.prompt):
        return None
    known = held(row) | {word for word in words_of(row.told()) if len(word) > 3}
    facts = [fact for fact in FACTS if not words_of(fact) & known]
    if not facts:
        return None
    places = [0, *(found.end() for found in SENTENCE.finditer(row.prompt, 0, head(row.prompt)))]
    places = [at for at in places if not quoted(row.prompt, at)]
    if not places or SHOWN.search(row.prompt):
        return None
    at, fact = places[rng.integers(len(places))], facts[rng.integers(len(facts))]
    return replace(row, prompt=f"{row.prompt[:at]}{fact} {row.prompt[at:]}")
