"""How does an algorithmic question become tokens and text? `sos prompt > answer eos`, in batches of mixed lengths.

    words   ('', '<s>', '</s>', '>', '0', '1')
    tokens  [1 5 4 5 3 4 2 0 0]         of a parity of three bits, padded with 0
    text    prompt '1 0 1 >', truth '0'

A family of tasks is a sampler of prompts and answers; `Lengthwise` adds splits by length, layout, text and scores.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id

from .drawn import split_named

Tokens = NDArray[np.int64]
PAD, SOS, EOS, SEP = 0, 1, 2, 3
SPECIAL = ("", "<s>", "</s>", ">")
FIRST = len(SPECIAL)  # the first token that a family may use; symbols keep their order as tokens
TRIES = 20  # draws of n prompts each in which n distinct ones are looked for


@dataclass(frozen=True, eq=False)
class Drawn:
    """Questions as tokens: prompt [item length] and answer [item length], right-padded with 0, no marks around them."""

    prompt: Tokens
    answer: Tokens


Sampler = Callable[[str, Tokens, np.random.Generator], Drawn]  # (split, lengths [item], randomness) -> questions


@dataclass(frozen=True)
class Lengthwise:
    """A TokenTask of one family: trained on lengths drawn uniformly from `trained`, tested on fixed ones.

    words [vocab] are the tokens' texts, `sample` draws questions of given lengths, `room(n)` is the most tokens that
    prompt and answer of length n fill together, and `familiar` may tell the answer of a rule learned on the reference.
    """

    name: str
    words: tuple[str, ...]
    trained: tuple[int, int]
    splits: tuple[Split, ...]
    sample: Sampler
    room: Callable[[int], int]
    familiar: Callable[[Split, str], str | None] = lambda split, prompt: None

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has, marks included."""
        return self.room(self._most(split)) + 3

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split as tokens [n length], with the mask of their answers."""
        return assembled(self._drawn(split, n, rng))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with distinct prompts; fewer where the split holds fewer than that (a conjunction of 8 bits has 9)."""
        where = self._split(split)
        found: dict[str, str] = {}
        for _ in range(TRIES):
            for prompt, truth in self.texts(self._drawn(split, n, rng)):
                if len(found) < n:
                    found.setdefault(prompt, truth)
            if len(found) >= n:
                break
        return [
            Example(example_id(self.name, split, p), p, t, where, self.familiar(where, p)) for p, t in found.items()
        ]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the whole answer is right, whatever its white space, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}

    def texts(self, drawn: Drawn) -> list[tuple[str, str]]:
        """Prompt (with its closing mark) and truth of each question, as text."""
        return [
            (f"{self._text(p)} {SPECIAL[SEP]}", self._text(a)) for p, a in zip(drawn.prompt, drawn.answer, strict=True)
        ]

    def read(self, tokens: Tokens) -> tuple[str, str]:
        """Prompt and answer, as text, of one sequence [length] that `batch` made."""
        kept = tokens[tokens != PAD]
        at = int(np.flatnonzero(kept == SEP)[0])
        return f"{self._text(kept[1:at])} {SPECIAL[SEP]}", self._text(kept[at + 1 :][:-1])

    def _text(self, tokens: Tokens) -> str:
        return " ".join(self.words[t] for t in tokens if t != PAD)

    def _drawn(self, split: str, n: int, rng: np.random.Generator) -> Drawn:
        at = self._split(split).at.get("length")
        lengths = np.full(n, at) if isinstance(at, int) else rng.integers(self.trained[0], self.trained[1] + 1, n)
        return self.sample(split, lengths, rng)

    def _most(self, split: str) -> int:
        at = self._split(split).at.get("length")
        return at if isinstance(at, int) else self.trained[1]

    def _split(self, name: str) -> Split:
        return split_named(self, name, Split("train", axis="length"))


def splits(train: int, test: Sequence[int], *, least: int = 1) -> tuple[Split, ...]:
    """The reference split, the longest length trained on, and one shifted split for each longer length.

    Coordinates: `length`, and `times`, the length divided by the longest trained. Raises Invalid for a test length that
    is trained on, or a training range that is empty.
    """
    if train < least:
        raise Invalid(f"train={train}: the longest length trained on must be at least {least}.")
    if low := [n for n in test if n <= train]:
        raise Invalid(f"test={tuple(test)}: {low[0]} is trained on (train={train}); test lengths are longer than that.")
    return tuple(
        Split(f"length {n}", "length", {"length": n, "times": n / train}, n > train)
        for n in (train, *sorted(set(test)))
    )


def filled(rows: Sequence[Sequence[int]]) -> Tokens:
    """Rows of tokens as one array [row longest], right-padded with 0."""
    made = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for i, row in enumerate(rows):
        made[i, : len(row)] = row
    return made


def assembled(drawn: Drawn) -> Batch:
    """`sos prompt > answer eos` of each question [item length], padded with 0, and where the answer and its eos stand."""
    asked, told = (drawn.prompt != PAD).sum(1), (drawn.answer != PAD).sum(1)
    begin = asked + 2
    tokens = np.zeros((len(asked), int((begin + told).max()) + 1), np.int64)
    rows = np.arange(len(asked))
    tokens[:, 0] = SOS
    item, place = np.nonzero(drawn.prompt)
    tokens[item, place + 1] = drawn.prompt[item, place]
    tokens[rows, asked + 1] = SEP
    item, place = np.nonzero(drawn.answer)
    tokens[item, place + begin[item]] = drawn.answer[item, place]
    tokens[rows, begin + told] = EOS
    at = np.arange(tokens.shape[1])
    return Batch(tokens, (at >= begin[:, None]) & (at <= (begin + told)[:, None]))


def item_ids(batch: Batch) -> list[str]:
    """16 hex digits for each sequence of a batch, a function of its tokens."""
    plain = np.ascontiguousarray(batch.tokens.astype("<i8"))
    return [hashlib.sha256(row.tobytes()).hexdigest()[:16] for row in plain]


def within(lengths: Tokens, most: int | None = None) -> NDArray[np.bool_]:
    """Which places [item place] lie inside each item's length."""
    return np.arange(int(lengths.max()) if most is None else most) < lengths[:, None]


def distinct(lengths: Tokens, alphabet: int, rng: np.random.Generator) -> Tokens:
    """Symbols [item place] from 0..alphabet−1 drawn without replacement, for every item as many as the longest needs."""
    if int(lengths.max()) > alphabet:
        raise Invalid(
            f"{int(lengths.max())} different symbols cannot be drawn from an alphabet of {alphabet}; make it larger."
        )
    return np.argsort(rng.random((len(lengths), alphabet)), axis=1)[:, : int(lengths.max())]


def hints(lengths: Tokens, ids: int, rng: np.random.Generator) -> Tokens:
    """Index hints [item place]: contiguous ids from a random first one, so that every id below `ids` is met in training."""
    first = rng.integers(0, ids - lengths + 1)
    return first[:, None] + np.arange(int(lengths.max()))


def interleaved(left: Tokens, right: Tokens) -> Tokens:
    """left[0] right[0] left[1] right[1] … [item 2·place]."""
    return np.stack([left, right], axis=2).reshape(len(left), -1)


def packed(*parts: Tokens) -> Tokens:
    """Parts [item place] one after another with all padding moved to the end."""
    whole = np.concatenate(parts, axis=1)
    order = np.argsort(whole == PAD, axis=1, kind="stable")
    moved = np.take_along_axis(whole, order, axis=1)
    return moved[:, : max(1, int((moved != PAD).sum(1).max()))]


def words_of(*groups: Sequence[str]) -> tuple[str, ...]:
    """The vocabulary: the four marks, then the words of each group."""
    return (*SPECIAL, *(w for group in groups for w in group))


def numbered(letter: str, n: int) -> tuple[str, ...]:
    """n words `letter0 letter1 …`."""
    return tuple(f"{letter}{i}" for i in range(n))
