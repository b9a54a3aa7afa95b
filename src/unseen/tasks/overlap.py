"""Which test rows were trained on, word for word or nearly? Prompts and answers are looked up apart.

    found = overlap(pairs(Path("train.jsonl")), pairs(Path("held.jsonl")))
    found.counts()["same prompt, same answer"]  ->  48
    found.examples("near")[0].train.prompt      ->  "How do I freeze my card?"
    found.clean                                 ->  ids of the test rows whose prompt is in no training row

same       equal but for case, marks of prose and spaces
near       a Jaccard similarity of at least `least` between their runs of four letters (near.py)
contained  at least `held` of the prompt's runs of eight words stand somewhere in the training rows

Words that many rows share (shingles.frame: an instruction ahead of every question) count for none of the last two.
Training rows are read once and not kept. 100,000 of them beside 10,000 test rows, 240 letters each, take a core 15 seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

import numpy as np

from unseen.core.errors import Invalid

from .near import Index, index, near
from .owned import Pair
from .said import stated
from .shingles import Frame, Laid, Numbers, Places, frame, laid, plain, without, word_runs

Kind = Literal["same", "near", "contained"]
NEAR = 0.5  # Jaccard similarity
HELD = 0.7  # share of a text's runs of words, as PaLM's audit took (Chowdhery et al. 2022, section 8)
RUN = 8  # words
AT_ONCE = 5_000  # training rows looked up in one go


@dataclass(frozen=True, slots=True)
class Match:
    """A test row and the training row closest to it. `share` is 1 for the same, the similarity for near ones, and for
    contained ones the share of runs that training rows hold, of which `train` holds the most."""

    kind: Kind
    test: Pair
    train: Pair
    share: float

    @property
    def same_answer(self) -> bool:
        """Whether both rows have the same answer, or state the same one (`#### 18`) at the end of different words."""
        return bool({*_forms(self.test.answer)} & {*_forms(self.train.answer)})


@dataclass(frozen=True)
class Overlap:
    """What training rows hold of each test row's prompt and answer [test row]; None where they hold nothing."""

    trained: int  # training rows
    prompts: tuple[Match | None, ...]
    answers: tuple[Match | None, ...]
    ids: tuple[str, ...]

    @property
    def clean(self) -> frozenset[str]:
        """The ids of the test rows whose prompt no training row holds."""
        return frozenset(i for i, match in zip(self.ids, self.prompts, strict=True) if match is None)

    def counts(self) -> Mapping[str, int]:
        """How many test rows are of each kind; every row is counted once among the prompts and once among the answers."""
        found = {f"{kind} prompt, {other} answer": 0 for kind in ("same", "near", "contained") for other in ("same", "another")}  # fmt: skip
        found |= {f"{kind} answer": 0 for kind in ("same", "near", "contained")}
        for match in self.prompts:
            if match is not None:
                found[f"{match.kind} prompt, {'same' if match.same_answer else 'another'} answer"] += 1
        for match in self.answers:
            if match is not None:
                found[f"{match.kind} answer"] += 1
        return found

    def examples(self, kind: Kind, n: int = 3, *, same_answer: bool | None = None) -> list[Match]:
        """Up to n matches of prompts of a kind, spread over the test rows; of all, or of those whose answer is (not) the same."""
        found = [m for m in self.prompts if m is not None and m.kind == kind]
        found = [m for m in found if same_answer is None or m.same_answer == same_answer]
        return found[:: max(1, len(found) // n)][:n] if n > 0 else []

    def says(self) -> str:
        """The counts as sentences."""
        n, counts = len(self.ids), self.counts()
        told = [f"{n:,} test rows beside {self.trained:,} training rows."]
        for kind, words in (
            ("same", "were trained on word for word"),
            ("near", "are nearly the same as a training row's"),
            ("contained", "stand for the most part in training rows"),
        ):
            same, another = (counts[f"{kind} prompt, {other} answer"] for other in ("same", "another"))
            if same + another:
                apart = f", {another:,} of them with another answer" if another else ""
                told.append(f"The prompts of {same + another:,} ({(same + another) / n:.1%}) {words}{apart}.")
        if len(self.clean) == n:
            told.append("No training row holds a test row's prompt.")
        if answers := sum(counts[f"{kind} answer"] for kind in ("same", "near", "contained")):
            told.append(f"The answers of {answers:,} ({answers / n:.1%}) are answers of training rows, or nearly so.")
        return " ".join(told)


def overlap(train: Iterable[Pair], test: Iterable[Pair], *, least: float = NEAR, held: float = HELD) -> Overlap:
    """What the training rows hold of the test rows. `least` is the similarity of near rows, `held` the share of contained ones.

    Both are shares above 0 and up to 1, else Invalid is raised, as it is where either side has no rows.
    """
    for name, value in (("least", least), ("held", held)):
        if not 0 < value <= 1:
            raise Invalid(f"{name}={value}: give a share above 0 and up to 1.")
    rows = list(test)
    chunks = _chunks(train)
    first = next(chunks, [])
    if not rows or not first:
        raise Invalid(f"there are no {'training' if rows else 'test'} rows, so nothing overlaps; give some.")
    asked, answered = [p.told() for p in rows], [p.answer for p in rows]
    prompts = _Search.of(asked, [p.told() for p in first], least, held)
    answers = _Search.of(answered, [p.answer for p in first], least, held)
    trained = 0
    for chunk in chain([first], chunks):
        prompts.look([p.told() for p in chunk], chunk)
        answers.look([p.answer for p in chunk], chunk)
        trained += len(chunk)
    return Overlap(trained, prompts.found(asked, rows), answers.found(answered, rows), tuple(p.id for p in rows))


def _chunks(rows: Iterable[Pair]) -> Iterator[list[Pair]]:
    rest = iter(rows)
    while chunk := list(islice(rest, AT_ONCE)):
        yield chunk


@dataclass(eq=False)
class _Search:
    """The different test texts, and what training rows were found so far for each."""

    number: Mapping[str, int]  # plain text -> its number
    frame: Frame
    texts: Laid  # without their frame
    index: Index
    runs: Numbers  # of words, in order
    least: float
    held: float
    same: dict[tuple[int, str], Pair]  # the first training row with that text (""), and with that text and answer
    near: dict[int, tuple[float, Pair]]
    holder: dict[int, Pair]  # the first training row with each run

    @staticmethod
    def of(texts: Sequence[str], beside: Sequence[str], least: float, held: float) -> _Search:
        """A search for these texts, whose frame is what many of them share, or many of those beside them."""
        known, others = (list(dict.fromkeys(map(plain, side))) for side in (texts, beside))
        common = frame(laid(known)) | frame(laid(others))
        stripped = without(laid(known), common)
        number = {text: i for i, text in enumerate(known)}
        runs = np.unique(word_runs(stripped, RUN)[0])
        return _Search(number, common, stripped, index(stripped), runs, least, held, {}, {}, {})

    def look(self, texts: Sequence[str], chunk: Sequence[Pair]) -> None:
        """Look training texts up, which are those of `chunk`."""
        first: dict[str, Pair] = {}
        for text, pair in zip(map(plain, texts), chunk, strict=True):
            first.setdefault(text, pair)
            if (i := self.number.get(text)) is not None:
                for form in ("", *_forms(pair.answer)):
                    self.same.setdefault((i, form), pair)
        stripped, owners = without(laid(list(first)), self.frame), list(first.values())
        pairs = near(self.index, stripped, self.least)
        for i, j, share in zip(pairs.known.tolist(), pairs.given.tolist(), pairs.jaccard.tolist(), strict=True):
            if i not in self.near or share > self.near[i][0]:
                self.near[i] = share, owners[j]
        self._hold(*word_runs(stripped, RUN), owners)

    def found(self, texts: Sequence[str], rows: Sequence[Pair]) -> tuple[Match | None, ...]:
        """The closest match of each test row, whose text is that of the same place."""
        values, begins = word_runs(self.texts, RUN)
        places = np.searchsorted(self.runs, values)
        numbers = [self.number[plain(text)] for text in texts]
        return tuple(
            self._match(i, row, places[begins[i] : begins[i + 1]].tolist())
            for i, row in zip(numbers, rows, strict=True)
        )

    def _match(self, i: int, row: Pair, places: Sequence[int]) -> Match | None:
        """The match of a test row that has text i, whose runs of words are at these places."""
        for form in (*_forms(row.answer), ""):
            if (i, form) in self.same:
                return Match("same", row, self.same[i, form], 1.0)
        if i in self.near:
            return Match("near", row, self.near[i][1], self.near[i][0])
        holders = [self.holder[place] for place in places if place in self.holder]
        if not holders or len(holders) < self.held * len(places):
            return None
        counts = Counter(map(id, holders))
        return Match("contained", row, max(holders, key=lambda h: counts[id(h)]), len(holders) / len(places))

    def _hold(self, values: Numbers, begins: Places, owners: Sequence[Pair]) -> None:
        """Note which training rows hold runs of words that none before them held."""
        if not len(self.runs):
            return
        place = np.minimum(np.searchsorted(self.runs, values), len(self.runs) - 1)
        at = np.flatnonzero(self.runs[place] == values)
        rows = np.searchsorted(begins, at, side="right") - 1
        for i, j in zip(place[at].tolist(), rows.tolist(), strict=True):
            self.holder.setdefault(i, owners[j])


def _forms(answer: str) -> tuple[str, ...]:
    """The texts by which an answer is compared: itself, and what it states at its end."""
    said = stated(answer)
    return (f"= {plain(answer)}",) if said is None else (f"= {plain(answer)}", f"states {plain(said)}")
