"""How is a small decoder asked for a text? Definitions in slots, the topic before them, the text behind `>`.

    <s> TOPIC c f  _ _ _  BIGRAM a b  _ _ _  _ _ _  STARTS g _  _ _ _ > c f a b d d . g d … </s>

The k definitions stand in six slots, in an order and with blanks between at random, so that prompts are equally long
whatever k, and texts have at most so many sentences whatever k: only how much is asked together changes. In the published
form (`sentences` 0) there are as many slots as skills, and a text has at most max(1, k − 1) sentences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id
from unseen.tasks.drawn import split_named
from unseen.tasks.layout import FIRST, SPECIAL, Drawn, assembled

from .marked import points
from .queries import World, drawn
from .scores import most_sentences, scores
from .skilltext import LETTERS, NAMES, SENTENCE, STOP, STRANGE, Ints

T = TypeVar("T", bound=np.generic)
SLOTS = 6  # of a prompt: the most skills that are ever asked together
SLOT = 3  # tokens of a definition
BLANK = FIRST + STOP  # the token behind the letters and the stop
ALPHABET = "".join(chr(ord("a") + i) for i in range(LETTERS))
WORDS = (*SPECIAL, *ALPHABET, ".", "_", *NAMES)
POOLS = ("trained", "instances", "categories", "topics")
DEFINITION = re.compile(r"([A-Z]+) ([a-x])(?: ([a-x]))?")


@dataclass(frozen=True)
class Twin:
    """A TokenTask of a seed: trained on queries of 1 … `trained_k` skills, asked on its splits.

    Splits hold queries of k skills from a pool: those trained on, held-out instances of their kinds, held-out kinds, and
    trained skills with held-out topics. Training texts are drawn as those of the reference splits are.
    """

    trained_k: int
    texts: int  # in the training set, as many of each k
    sentences: int = 3  # of a text at most; 0: as published
    seed: int = 0
    muddled: bool = False  # every training text has another's prompt of the same k
    kept: dict[str, Batch] = field(default_factory=dict[str, Batch], compare=False)

    @property
    def name(self) -> str:
        """skilltext, or skilltext_published where prompts and texts grow with k."""
        return "skilltext" if self.sentences else "skilltext_published"

    @property
    def splits(self) -> tuple[Split, ...]:
        """Every pool and k."""
        return tuple(self._split(pool, k) for pool in POOLS for k in range(1, SLOTS + 1))

    @property
    def vocab(self) -> int:
        """Marks, letters, the stop, the blank and the names of the kinds."""
        return len(WORDS)

    def limit(self, k: int) -> int:
        """The most sentences of a text of k skills."""
        return self.sentences or most_sentences(k)

    def room(self, k: int) -> int:
        """The most tokens of a text of k skills, its end not counted."""
        return self.limit(k) * (SENTENCE + 1) - 1

    def longest(self, split: str) -> int:
        """The most tokens of a sequence of a split."""
        k = self.trained_k if split == "train" else k_of(split_named(self, split))
        return 3 + SLOT * (1 + self._slots(k)) + self.room(k)

    def queries(self, split: str, n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """n queries [n k+1 3] of a split and a text that shows each [n place]."""
        one = split_named(self, split)
        return drawn(World.of(self.seed).pool(str(one.at["among"])), k_of(one), n, self.limit(k_of(one)), rng)

    def training(self) -> list[tuple[Ints, Ints]]:
        """The training set by k: queries [n k+1 3] and texts [n place]."""
        pool, rng = World.of(self.seed).pool("trained"), np.random.default_rng([self.seed, 7_919])
        shares = [self.texts // self.trained_k + (k <= self.texts % self.trained_k) for k in range(1, self.trained_k + 1)]  # fmt: skip
        return [drawn(pool, k, n, self.limit(k), rng) for k, n in enumerate(shares, 1)]

    def sequences(self, asked: Ints, texts: Ints, rng: np.random.Generator) -> Batch:
        """Queries [n k+1 3] and texts [n place] as sequences of tokens."""
        return assembled(Drawn(self._prompts(asked, rng), np.where(texts, texts + FIRST - 1, 0)))

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences [n length] of a split, those of "train" from the training set."""
        if split != "train":
            return self.sequences(*self.queries(split, n, rng), rng)
        whole = self._encoded()
        rows = rng.integers(0, len(whole.tokens), n)
        return Batch(whole.tokens[rows], whole.answer[rows])

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with distinct prompts, in words; fewer where two of n queries are the same."""
        where = Split("train", "composition") if split == "train" else split_named(self, split)
        pairs = self._some(n, rng) if split == "train" else [self.queries(split, n, rng)]
        found: dict[str, str] = {}
        for asked, texts in pairs:
            for query, text in zip(asked, texts, strict=True):
                found.setdefault(prompt_of(query, self.limit(len(query) - 1)), text_of(text))
        return [Example(example_id(self.name, split, p), p, t, where) for p, t in found.items()]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`full`, `all_skills` and `fraction` of an answer, by what the prompt asks for."""
        asked, limit = query_of(example.prompt)
        texts = np.array(
            [[ALPHABET.find(c) + 1 or (STOP if c == "." else STRANGE) for c in answer.strip()] or [STRANGE]]
        )
        found = scores(*points(asked[None], texts, np.array([True]), limit=limit))
        return {name: float(getattr(found, name)[0]) for name in ("full", "all_skills", "fraction")}

    def _some(self, n: int, rng: np.random.Generator) -> list[tuple[Ints, Ints]]:
        """n of the training queries and texts, as many of each k."""
        parts = self.training()
        chosen = [rng.permutation(len(asked))[: -(-n // len(parts))] for asked, _ in parts]
        return [(asked[rows], texts[rows]) for rows, (asked, texts) in zip(chosen, parts, strict=True)]

    def _encoded(self) -> Batch:
        """The training set as sequences, made once."""
        if "train" not in self.kept:
            rng = np.random.default_rng([self.seed, 104_729])
            parts = [self.sequences(rng.permutation(a) if self.muddled else a, t, rng) for a, t in self.training()]
            most = max(part.tokens.shape[1] for part in parts)
            self.kept["train"] = Batch(
                np.concatenate([_widened(part.tokens, most) for part in parts]),
                np.concatenate([_widened(part.answer, most) for part in parts]),
            )
        return self.kept["train"]

    def _prompts(self, asked: Ints, rng: np.random.Generator) -> Ints:
        """Queries [n k+1 3] as tokens [n length]: the topic, and the definitions in their slots."""
        n, k = len(asked), asked.shape[1] - 1
        told = np.full((n, self._slots(k), SLOT), BLANK)
        slots = np.sort(np.argsort(rng.random(told.shape[:2]), 1)[:, :k], 1)
        told[np.arange(n)[:, None], slots] = _definitions(asked[:, 1:])
        return np.concatenate([_definitions(asked[:, :1]), told], 1).reshape(n, -1)

    def _slots(self, k: int) -> int:
        return SLOTS if self.sentences else k

    def _split(self, pool: str, k: int) -> Split:
        axis = "composition" if pool == "trained" else "skills"
        return Split(f"k={k} {pool}", axis, {"k": k, "among": pool}, pool != "trained" or k > self.trained_k)


def k_of(split: Split) -> int:
    """How many skills a split's queries ask for."""
    return int(str(split.at["k"]))


def read(tokens: Ints) -> Ints:
    """Tokens that a model wrote [n place], as texts: what is no letter and no stop is STRANGE, 0 stays 0."""
    texts = tokens - FIRST + 1
    return np.where(tokens == 0, 0, np.where((texts >= 1) & (texts <= STOP), texts, STRANGE))


def prompt_of(query: Ints, limit: int) -> str:
    """A query [k+1 3] in words: `TOPIC c f; BIGRAM a b; STARTS g; at most 3 sentences of 6 letters >`."""
    told = [" ".join((NAMES[kind], *(ALPHABET[i - 1] for i in letters if i))) for kind, *letters in query.tolist()]
    return "; ".join((*told, f"at most {limit} sentences of {SENTENCE} letters >"))


def query_of(prompt: str) -> tuple[Ints, int]:
    """The query [k+1 3] and the most sentences that `prompt_of` told. Raises Invalid for other words."""
    *told, end = prompt.split("; ")
    found = [DEFINITION.fullmatch(one) for one in told]
    limit = re.match(r"at most (\d+) ", end)
    if limit is None or not found or any(one is None or one[1] not in NAMES for one in found):
        raise Invalid(f"the prompt {prompt!r:.80} is none of SkillText; give one that `unseen data` wrote.")
    rows = [(NAMES.index(one[1]), *(ALPHABET.find(c or "-") + 1 for c in one.groups()[1:])) for one in found if one]
    return np.array(rows, np.int64), int(limit[1])


def text_of(text: Ints) -> str:
    """A text [place] in letters: `cfaaib.deehab`."""
    return "".join("." if i == STOP else ALPHABET[i - 1] for i in text.tolist() if i)


def _definitions(skills: Ints) -> Ints:
    """Skills [n k 3] as tokens [n k 3]: the kind's name and its letters, a blank where it has one."""
    told = np.where(skills, skills + FIRST - 1, BLANK)
    told[..., 0] = skills[..., 0] + BLANK + 1
    return told


def _widened(rows: NDArray[T], width: int) -> NDArray[T]:
    """Rows [n length] padded with 0 to a width [n width]."""
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
