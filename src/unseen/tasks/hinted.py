"""Can a simpler question about the same input help? Sorting and incrementing, with hints that share their inputs.

    sort         'sort s7 s2 s9 s2 >'          '  s2 s2 s7 s9'
    successor    'successor s7 s2 s9 s2 > s2'  's7'          the smallest larger symbol; '</s>' of the largest
    predecessor  'predecessor s7 s2 s9 > s7'   's2'          '</s>' of the smallest
    count        'count s7 s2 s9 s2 > s2'      'n2'
    parity       'parity s7 s2 s9 s2 > s2'     'n0'          of the count
    fill         'fill s7 s2 s9 > s2 s9'       's7'          the sorted input with one symbol left out
    increment    'increment 0 1 2 9 9 >'       '0 1 3 0 0'
    carry        'carry 0 1 2 9 9 >'           '0 0 1 1 1'   1 where the increment changes a digit

What stands between '>' and the answer is given. Sorting and incrementing end with '</s>'; hints on one symbol do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id

from .drawn import split_named
from .layout import EOS, FIRST, PAD, SEP, SOS, SPECIAL, Tokens, distinct, numbered, splits, within, words_of

Kind = Literal["sort", "successor", "predecessor", "count", "parity", "fill", "increment", "carry"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SORTING, NUMBERS = KINDS[:6], KINDS[6:]
TRIES = 20  # draws of n prompts each in which n distinct ones are looked for
NINE = FIRST + 9
FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Asked:
    """Questions of one kind as tokens: the input, what is given after '>', and the answer, each [item place] with 0 behind."""

    body: Tokens
    given: Tokens
    answer: Tokens


Make = Callable[[Kind, Tokens, np.random.Generator], Asked]  # (kind, lengths [item], randomness) -> questions


@dataclass(frozen=True)
class Hinted:
    """A TokenTask whose training mixes kinds of questions about inputs of one family, in the given shares.

    The first kind is the one tested. With `first` > 0 the other kinds alone are trained on until that fraction of the
    training has passed, and the first kind alone afterwards: hints as a curriculum.
    """

    words: tuple[str, ...]
    trained: tuple[int, int]
    splits: tuple[Split, ...]
    make: Make
    kinds: tuple[Kind, ...]
    shares: tuple[float, ...]
    first: float = 0.0
    shuffled: bool = False  # trained on the answers of other questions

    @property
    def name(self) -> str:
        """The kinds of questions, joined."""
        return "+".join(self.kinds)

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has, marks included."""
        at = self._split(split).at.get("length")
        n = at if isinstance(at, int) else self.trained[1]
        asked = max(self.asked(kind, n) for kind in self.kinds)
        return max(asked + 1, 2 * n + (6 if self.kinds[0] in NUMBERS else 4))

    def asked(self, kind: Kind, length: int) -> int:
        """How many tokens stand before the answer to an input of this length, marks included."""
        if kind in NUMBERS:
            return length + 4
        given = {"sort": 0, "fill": length - 1}.get(kind, 1)
        return length + 3 + given

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split, kinds mixed in training, with the mask of their answers."""
        return self._batch(split, n, rng, self.shares)

    def paced(self, split: str, n: int, rng: np.random.Generator, done: float) -> Batch:
        """n sequences for training that has passed this fraction of its steps."""
        if not self.first or split != "train":
            return self.batch(split, n, rng)
        hints = self.shares[1:] if done < self.first else ()
        chosen = (0.0, *(s / sum(hints) for s in hints)) if hints else (1.0, *(0.0 for _ in self.shares[1:]))
        return self._batch(split, n, rng, chosen)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with distinct prompts; fewer where the split holds fewer."""
        where = self._split(split)
        found: dict[str, tuple[str, Kind]] = {}
        for _ in range(TRIES):
            for kind, asked in self._drawn(split, n, rng, self.shares):
                for prompt, truth in self._texts(kind, asked):
                    if len(found) < n:
                        found.setdefault(prompt, (truth, kind))
            if len(found) >= n:
                break
        return [Example(example_id(self.name, split, p), p, t, where, at={"kind": k}) for p, (t, k) in found.items()]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the whole answer is right, whatever its white space, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}

    def read(self, tokens: Tokens, answer: NDArray[np.bool_]) -> tuple[str, str]:
        """Prompt and answer, as text, of one sequence [length] and its marks [length] that `batch` made."""
        begin = int(np.flatnonzero(answer)[0])
        told = tokens[answer]
        if told[-1] == EOS and len(told) > 1:
            told = told[:-1]
        return self._text(tokens[1:begin]), self._text(told)

    def _texts(self, kind: Kind, asked: Asked) -> list[tuple[str, str]]:
        rows = zip(asked.body, asked.given, asked.answer, strict=True)
        return [
            (" ".join(t for t in (kind, self._text(b), SPECIAL[SEP], self._text(g)) if t), self._text(a))
            for b, g, a in rows
        ]

    def _text(self, tokens: Tokens) -> str:
        return " ".join(self.words[t] for t in tokens if t != PAD)

    def _batch(self, split: str, n: int, rng: np.random.Generator, shares: tuple[float, ...]) -> Batch:
        made = [self._assembled(kind, asked) for kind, asked in self._drawn(split, n, rng, shares)]
        wide = max(b.tokens.shape[1] for b in made)
        tokens = np.concatenate([np.pad(b.tokens, ((0, 0), (0, wide - b.tokens.shape[1]))) for b in made])
        answer = np.concatenate([np.pad(b.answer, ((0, 0), (0, wide - b.answer.shape[1]))) for b in made])
        return Batch(tokens, answer)

    def _drawn(
        self, split: str, n: int, rng: np.random.Generator, shares: tuple[float, ...]
    ) -> list[tuple[Kind, Asked]]:
        """n questions by kind: in training so many of each as its share says (the rest to the first that has any)."""
        at = self._split(split).at.get("length")
        counts = [int(n * share) for share in shares] if split == "train" else [n]
        counts[int(np.argmax(np.array(shares) > 0)) if split == "train" else 0] += n - sum(counts)
        found: list[tuple[Kind, Asked]] = []
        for kind, many in zip(self.kinds, counts, strict=False):
            if many:
                low, high = self.trained
                lengths = np.full(many, at) if isinstance(at, int) else rng.integers(low, high + 1, many)
                found.append((kind, self.make(kind, lengths, rng)))
        if self.shuffled and split == "train":
            return [(k, Asked(a.body, a.given, a.answer[rng.permutation(len(a.answer))])) for k, a in found]
        return found

    def _assembled(self, kind: Kind, asked: Asked) -> Batch:
        """`sos kind input > given answer [eos]` of each question, and where the answer (with its eos) stands."""
        rows = np.arange(len(asked.body))
        sizes = [(part != PAD).sum(1) for part in (asked.body, asked.given, asked.answer)]
        ends = kind in ("sort", "increment", "carry")
        begin = 3 + sizes[0] + sizes[1]
        stop = begin + sizes[2] + ends
        tokens = np.zeros((len(rows), int(stop.max())), np.int64)
        tokens[:, 0], tokens[:, 1] = SOS, self.words.index(kind)
        tokens[rows, 2 + sizes[0]] = SEP
        for part, start in ((asked.body, np.full(len(rows), 2)), (asked.given, 3 + sizes[0]), (asked.answer, begin)):
            item, place = np.nonzero(part)
            tokens[item, place + start[item]] = part[item, place]
        if ends:
            tokens[rows, stop - 1] = EOS
        at = np.arange(tokens.shape[1])
        return Batch(tokens, (at >= begin[:, None]) & (at < stop[:, None]))

    def _split(self, name: str) -> Split:
        return split_named(self, name, Split("train", axis="length"))


def sorts(train: int, test: Sequence[int], *, alphabet: int, repeat: bool) -> Hinted:
    """Sorting of 1..train symbols out of `alphabet`, tested on more; without `repeat` all symbols of an input differ.

    Raises Invalid for an alphabet too small.
    """
    longest = max((train, *test))
    if not repeat and longest > alphabet:
        raise Invalid(f"{longest} different symbols cannot be drawn from an alphabet of {alphabet}; make it larger.")

    def make(kind: Kind, lengths: Tokens, rng: np.random.Generator) -> Asked:
        inside = within(lengths)
        drawn = rng.integers(0, alphabet, inside.shape) if repeat else distinct(lengths, alphabet, rng)
        body = np.where(inside, FIRST + drawn, 0)
        ordered = np.where(inside, np.sort(np.where(inside, body, FAR), axis=1), 0)
        return _asked(kind, body, ordered, FIRST + alphabet, rng)

    words = words_of(numbered("s", alphabet), numbered("n", longest + 1), SORTING)
    return Hinted(words, (1, train), splits(train, test), make, ("sort",), (1.0,))


def increments(train: int, test: Sequence[int]) -> Hinted:
    """Numbers of 1..train digits plus one, tested on longer ones; the run of nines at the end is uniformly long.

    A leading zero keeps the answer as long as the number.
    """

    def make(kind: Kind, lengths: Tokens, rng: np.random.Generator) -> Asked:
        body = _numbers(lengths, rng)
        changed = _changed(body)
        if kind == "carry":
            return Asked(body, _none(body), np.where(body != PAD, FIRST + changed, 0))
        return Asked(body, _none(body), np.where(changed, np.where(body == NINE, FIRST, body + 1), body))

    words = words_of([str(i) for i in range(10)], NUMBERS)
    return Hinted(words, (1, train), splits(train, test), make, ("increment",), (1.0,))


def with_hints(task: Hinted, hints: Sequence[Kind], *, share: float = 0.5, first: float = 0.0) -> Hinted:
    """The task with this share of its training given to hints, evenly; or, with `first`, hints alone before it.

    Raises Invalid for kinds of questions that the task's inputs are not asked, and for shares outside 0..1.
    """
    known = [w for w in KINDS if w in task.words and w != task.kinds[0]]
    if not hints or any(h not in known for h in hints):
        raise Invalid(f"hints={tuple(hints)}: {task.kinds[0]} has the hints {', '.join(known)}.")
    if not 0 < share < 1 or not 0 <= first < 1:
        raise Invalid(f"share={share}, first={first}: fractions of training, the share of hints above 0, both below 1.")
    each = share / len(hints)
    return replace(task, kinds=(task.kinds[0], *hints), shares=(1 - share, *(each for _ in hints)), first=first)


def about(task: Hinted, kind: Kind) -> Hinted:
    """The same inputs with questions of one kind alone."""
    if kind not in task.words:
        raise Invalid(f"kind={kind}: {task.kinds[0]} has the kinds {', '.join(k for k in KINDS if k in task.words)}.")
    return replace(task, kinds=(kind,), shares=(1.0,), first=0.0)


def shuffled(task: Hinted) -> Hinted:
    """The task with questions that have each other's answers in training; the splits tested on stay right."""
    return replace(task, shuffled=True)


def _asked(kind: Kind, body: Tokens, ordered: Tokens, number: int, rng: np.random.Generator) -> Asked:
    """What is asked about inputs [item place] whose symbols in order are known; `number` is the token of n0."""
    if kind == "sort":
        return Asked(body, _none(body), ordered)
    rows, lengths = np.arange(len(body)), (body != PAD).sum(1)
    at = np.floor(rng.random(len(body)) * lengths).astype(np.int64)
    if kind == "fill":
        missing = ordered[rows, at]
        place = np.arange(body.shape[1])
        kept = np.where(place < at[:, None], ordered, np.roll(ordered, -1, axis=1))
        return Asked(body, np.where(place < (lengths - 1)[:, None], kept, 0), missing[:, None])
    one = body[rows, at][:, None]
    same = (body == one).sum(1)
    match kind:
        case "successor":
            larger = np.where(body > one, body, FAR).min(1)
            told = np.where(larger == FAR, EOS, larger)
        case "predecessor":
            smaller = np.where((body < one) & (body != PAD), body, 0).max(1)
            told = np.where(smaller == 0, EOS, smaller)
        case "count":
            told = number + same
        case _:
            told = number + same % 2
    return Asked(body, one, told[:, None])


def _numbers(lengths: Tokens, rng: np.random.Generator) -> Tokens:
    """Numbers as tokens [item place], a zero before them, ending in 0..length nines (uniform) and no more."""
    wide = int(lengths.max())
    nines = rng.integers(0, lengths + 1)
    at = np.arange(wide + 1)
    digits = rng.integers(0, 10, (len(lengths), wide + 1))
    before = at == (lengths - nines)[:, None]  # the digit before the nines, which is none
    digits = np.where(before, rng.integers(0, 9, digits.shape), digits)
    digits = np.where(at > (lengths - nines)[:, None], 9, digits)
    digits[:, 0] = 0
    return np.where(at <= lengths[:, None], FIRST + digits, 0)


def _changed(body: Tokens) -> NDArray[np.bool_]:
    """Where adding one changes a digit [item place]: every digit behind it is a nine."""
    nine = (body == NINE) | (body == PAD)
    behind = np.concatenate([nine[:, 1:], np.ones((len(body), 1), bool)], axis=1)
    return (np.logical_and.accumulate(behind[:, ::-1], axis=1)[:, ::-1]) & (body != PAD)


def _none(body: Tokens) -> Tokens:
    return np.zeros((len(body), 0), np.int64)
