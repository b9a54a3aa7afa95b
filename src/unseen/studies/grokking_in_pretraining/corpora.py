"""What do the checkpoints of a released model read, and what are they asked? Texts by domain, and questions with choices.

texts("hub", "chemistry", 100)[0]       ->  'Organic Chemistry/Alkanes …'
questions("hub", "chemistry", 100)[0]   ->  Question('Which of the following …\\nAnswer:', (' sp3', …), right=2)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from unseen.core.errors import Missing, missing_extra
from unseen.core.lab import offline

# domain -> (data set, configuration, split, column, what a text must say): what the original trains on
TRAINED: Mapping[str, tuple[str, str | None, str, str, str]] = {
    "math": ("open-web-math/open-web-math", None, "train", "text", ""),
    "code": ("bigcode/starcoderdata", None, "train", "content", ""),
    "commonsense": ("emozilla/dolma-v1_7-books", None, "train", "text", ""),
    "chemistry": ("blester125/mediawiki-dolma", None, "train", "text", "Organic Chemistry"),
}
HELD: Mapping[str, tuple[str, str | None, str, str, str]] = {  # what validation loss is measured on
    "math": ("qwedsacf/competition_math", None, "train", "problem", ""),
    "code": ("newfacade/LeetCodeDataset", None, "train", "completion", ""),
    "commonsense": ("kowndinya23/flan2021-commonsense", None, "train", "inputs", ""),
    "chemistry": ("chemNLP/chemistry-bookshelves-merged", None, "train", "text", ""),
}
# DEPARTS: math and code are answered in free text and by programs that are run; only choices are asked here
ASKED: Mapping[str, tuple[str, str | None, str]] = {
    "commonsense": ("tau/commonsense_qa", None, "validation"),
    "chemistry": ("cais/mmlu", "college_chemistry", "test"),
}
DOMAINS = tuple(TRAINED)
NOUNS = {
    "math": ("sum", "square", "root", "prime", "factor", "angle", "proof", "limit"),
    "code": ("loop", "list", "string", "class", "call", "stack", "index", "branch"),
    "commonsense": ("river", "bridge", "door", "winter", "letter", "market", "road", "lamp"),
    "chemistry": ("acid", "base", "salt", "alkane", "bond", "ion", "ring", "alcohol"),
}


@dataclass(frozen=True)
class Question:
    """A prompt, the choices that may follow it, and which is right."""

    prompt: str
    choices: tuple[str, ...]
    right: int


def texts(data: str, domain: str, n: int, *, held: bool = False) -> list[str]:
    """n texts of a domain, of what was trained on or of the validation corpus. Raises Missing where there are fewer."""
    if data == "twin":
        return _made(domain, n, "held" if held else "trained")
    name, part, split, column, wanted = (HELD if held else TRAINED)[domain]
    rows = (str(row[column]) for row in _rows(name, part, split))
    found = list(islice((text for text in rows if wanted in text and text.strip()), n))
    if len(found) < n:
        raise Missing(f"{name} has {len(found)} texts for {domain}, fewer than the {n} asked for; lower samples.")
    return found


def questions(data: str, domain: str, n: int) -> list[Question]:
    """At most n questions of a domain, none where it has none with choices."""
    if domain not in ASKED:
        return []
    if data == "twin":
        rng = np.random.default_rng(len(domain))
        return [_twin(domain, rng) for _ in range(n)]
    return [question(row) for row in islice(_rows(*ASKED[domain]), n)]


def question(row: Mapping[str, Any]) -> Question:
    """A row of CommonsenseQA or MMLU as a question."""
    choices = row["choices"]
    if isinstance(choices, Mapping):
        right = list(choices["label"]).index(row["answerKey"])
        choices = choices["text"]
    else:
        right = int(row["answer"])
    return Question(f"Question: {row['question']}\nAnswer:", tuple(f" {c}" for c in choices), right)


def _rows(name: str, part: str | None, split: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a data set of the hub, as they come. Raises Missing where it cannot be read."""
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise missing_extra("texts of the hub", error, "data") from error
    if offline():
        raise Missing(f"{name} is read from the hub, and nothing may be fetched (offline); unset HF_HUB_OFFLINE.")
    try:
        yield from datasets.load_dataset(name, part, split=split, streaming=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise Missing(f"{name} cannot be read from the hub ({' '.join(str(error).split())[:200]}); check the network, and HF_TOKEN for gated sets.") from None  # fmt: skip


def _made(domain: str, n: int, kind: str) -> list[str]:
    rng = np.random.default_rng([len(domain), len(kind)])
    return [_sentence(NOUNS[domain], rng) for _ in range(n)]


def _sentence(nouns: Sequence[str], rng: np.random.Generator) -> str:
    return " ".join(f"The {a} is near the {b}." for a, b in rng.choice(nouns, (3, 2)).tolist())


def _twin(domain: str, rng: np.random.Generator) -> Question:
    picked = rng.permutation(NOUNS[domain])[:4].tolist()
    right = int(rng.integers(4))
    return Question(f"Question: The {picked[right]} is near the\nAnswer:", tuple(f" {c}" for c in picked), right)
