"""Can a small model learn to write a solution down? Sized problems as characters, with a trace before the answer or not.

    answer     `<s>dog tax>=gx.`
    plain      `<s>dog tax>dog:g;tax:x;=gx.`               a chain of thought
    grounded   `<s>dog tax>Ldog:g|g;Ltax:x|gx;=gx.`        every step names its skill and carries the whole state
    hinted     `<s>βdog γtax>βLdog:g|g;γLtax:x|gx;=gx.`    index hints: an element and the steps about it share a mark

The trace ends in `=answer.`, and the full stop is the token that ends a sequence. States and lists are written without
spaces. Problems are trained on from a fixed set, drawn once; one in eight of every size is never among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split, Value
from unseen.core.task import Batch, example_id

from . import digits, dp, last_letter
from .drawn import split_named
from .traces import END, Graded, Step, Told, Trace, read_terse, replay, terse
from .worked import Problem, Sized, Worked, worked

Form = Literal["answer", "plain", "bare", "grounded"]
Bytes = NDArray[np.uint8]
PAD, SOS = 0, 1
HINTS = "αβγδεζηθικλμνξοπ"  # 16 marks; an element takes the one after that of the element before it
CHARACTERS = " +-*,:;|=?>.0123456789abcdefghijklmnopqrstuvwxyzACELMPS"
WORDS = ("", "<s>", *CHARACTERS, *HINTS)
TOKEN: Mapping[str, int] = {c: i for i, c in enumerate(WORDS) if i > SOS}
STOP = TOKEN[END]
POOL = 20_231  # the seed that the set of training problems is drawn from
NO_HINTS = str.maketrans("", "", HINTS)


@dataclass(frozen=True, slots=True)
class Spelled:
    """One problem in characters: `prompt` is what is given, `text` what is to be written, `truth` the final answer."""

    id: str
    prompt: str
    truth: str
    split: Split
    text: str
    trace: Trace
    familiar: str | None = None
    at: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True)
class Kind:
    """What spelling a family needs: its elements in the prompt, which of them each step is about, its longest problem."""

    sized: Sized
    element: str  # a regular expression for one element of the short prompt
    places: Callable[[Trace], list[int]]  # the element (counted from 0) that each terse step is about
    longest: Callable[[int], Problem]  # a problem, perhaps an impossible one, as long as any of that size


@dataclass(frozen=True, eq=False)
class Written:
    """A TokenTask of problems whose solutions are written in one form. `problems` is the size of the training set.

    With `shuffled`, training pairs every problem with the solution of another one (a control: nothing can be learned).
    """

    kind: Kind
    form: Form
    hinted: bool = False
    problems: int = 16_384
    shuffled: bool = False

    def __post_init__(self) -> None:
        most = max((*self.kind.sized.train, *self.kind.sized.beyond))
        if self.hinted and most > len(HINTS):
            raise Invalid(f"{most} elements cannot have hints of their own: there are {len(HINTS)}; ask for fewer.")

    @property
    def name(self) -> str:
        """The name of the family."""
        return self.kind.sized.name

    @property
    def splits(self) -> tuple[Split, ...]:
        """One split for each size, those longer than any trained on being shifted."""
        return self.kind.sized.splits

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(WORDS)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has."""
        return max(1 + len(s.prompt) + len(s.text) for s in self._widest(split))

    def room(self, split: str) -> int:
        """The most characters that a right solution of this split has."""
        return max(len(s.text) for s in self._widest(split))

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split as tokens [n length], with the mask of what is to be written.

        Those of "train" come from the training set, with replacement; those of a test split are `draw`'s.
        """
        if split_named(self.kind.sized, split).name == "train":
            tokens, begins, ends = self.pool
            rows = rng.integers(0, len(tokens), n)
            return _marked(tokens[rows], begins[rows], ends[rows])
        return _marked(*encoded([(s.prompt, s.text) for s in self.draw(split, n, rng)]))

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Spelled]:
        """n different problems of a split. Raises Invalid where it has not so many."""
        return [self.spelt(w, self._mark(w, rng)) for w in self.kind.sized.draw(split, n, rng)]

    def score(self, example: Spelled, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the final answer is right, whatever was written before it, else 0."""
        return {"exact": float(final(answer) == example.truth)}

    def told(self, answer: str) -> Told:
        """What was written, taken apart into steps and final answer; index hints are passed over."""
        return read_terse(answer.translate(NO_HINTS), self.form, self.kind.sized.skills)

    def graded(self, example: Spelled, answer: str) -> Graded:
        """Where what was written first leaves the right solution, and what kind of error that is. Raises Invalid where
        the form has no steps to replay."""
        if self.form == "answer":
            raise Invalid("an answer without steps cannot be replayed; grade plain, bare or grounded traces.")
        known = [s.name for s in self.kind.sized.skills]
        return replay(example.trace, self.told(answer), self.form, known=known, short=True)

    @cached_property
    def pool(self) -> tuple[Bytes, NDArray[np.int64], NDArray[np.int64]]:
        """The training set: tokens [problem length], and where each solution begins and ends [problem]."""
        rng = np.random.default_rng(POOL)
        drawn = self.kind.sized.drawn("train", self.problems, rng, repeats=True)
        spelt = [self.spelt(w, self._mark(w, rng)) for w in drawn]
        texts = [s.text for s in spelt]
        if self.shuffled:
            turn = rng.permutation(len(spelt))
            texts = [texts[i] for i in turn]
        return encoded([(s.prompt, text) for s, text in zip(spelt, texts, strict=True)])

    def spelt(self, item: Worked, mark: int) -> Spelled:
        """A worked problem in characters; `mark` is the place of its first element's hint among HINTS."""
        trace = compact(item.trace)
        prompt, text = item.short, terse(trace, self.form)
        if self.hinted:
            found = iter(HINTS[mark + i % _elements(prompt)] for i in range(2 * len(prompt)))
            prompt = re.sub(self.kind.element, lambda m: next(found) + m[0], prompt)
            if self.form != "answer":
                text = _hinted(text, [HINTS[mark + i] for i in self.kind.places(trace)])
        name = example_id(self.name, item.split.name, prompt)
        return Spelled(name, prompt, trace.answer, item.split, text, trace)

    def _widest(self, split: str) -> list[Spelled]:
        """A problem of each of the split's sizes that none is longer than."""
        at = split_named(self.kind.sized, split)
        sizes = self.kind.sized.train if at.name == "train" else (int(str(at.at[self.kind.sized.unit])),)
        return [self.spelt(worked(self.name, at, self.kind.longest(n)), 0) for n in sizes]

    def _mark(self, item: Worked, rng: np.random.Generator) -> int:
        """The hint of the first element, drawn so that all marks are met in training."""
        return int(rng.integers(0, len(HINTS) - _elements(item.short) + 1)) if self.hinted else 0


def last_letters(train: tuple[int, ...], beyond: tuple[int, ...], *, longest: int = 4) -> Kind:
    """Words of up to `longest` letters, whose last letters are concatenated."""

    def widest(n: int) -> Problem:
        return last_letter.problem(["z" * longest] * n)

    return Kind(last_letter.last_letter(train, beyond, longest=longest), r"[a-z]+", _in_order, widest)


def sums(train: tuple[int, ...], beyond: tuple[int, ...]) -> Kind:
    """Sums of two numbers of equally many digits; the digits of one place share a hint."""

    def widest(n: int) -> Problem:
        return digits.addition_problem(10**n - 1, 10**n - 1)

    return Kind(digits.addition(train, beyond), r"[0-9]", _of_digits, widest)


def subsequences(train: tuple[int, ...], beyond: tuple[int, ...]) -> Kind:
    """Lists of numbers from −5 to 5, of which no two neighbours may be taken."""

    def widest(n: int) -> Problem:
        best = str(dp.HIGH * ((n + 1) // 2))
        steps: list[Step] = []
        for k in range(1, n + 1):
            steps.append(Step(dp.ADD, {"x": str(dp.LOW), "y": best}, best))
            steps.append(Step(dp.FIND_MAX, {"numbers": f"{best}, {best}, 0"}, best, ", ".join([best] * k)))
        return Problem("", Trace(tuple(steps), best), (), ",".join([str(dp.LOW)] * n) + ">")

    return Kind(dp.dp(train, beyond), r"-?[0-9]", _from_the_end, widest)


def compact(trace: Trace) -> Trace:
    """The trace with lists and states in as few characters as they can be read from."""
    return Trace(
        tuple(
            replace(s, args={k: _short(v) for k, v in s.args.items()}, state=_short(s.state))
            for s in trace.steps
            if s.skill.terse
        ),
        trace.answer,
    )


def encoded(texts: Sequence[tuple[str, str]]) -> tuple[Bytes, NDArray[np.int64], NDArray[np.int64]]:
    """Prompts and texts as tokens [item length], padded with 0, and where the texts begin and end [item]."""
    begins = np.array([1 + len(prompt) for prompt, _ in texts])
    ends = begins + np.array([len(text) for _, text in texts])
    tokens = np.zeros((len(texts), int(ends.max())), np.uint8)
    tokens[:, 0] = SOS
    for row, (prompt, text) in enumerate(texts):
        tokens[row, 1 : ends[row]] = [TOKEN[c] for c in prompt + text]
    return tokens, begins, ends


def text_of(tokens: Sequence[int] | NDArray[np.integer]) -> str:
    """The characters of tokens, up to the first padding."""
    told = [int(t) for t in tokens]
    return "".join(WORDS[t] for t in (told[: told.index(PAD)] if PAD in told else told) if t != SOS)


def final(text: str) -> str | None:
    """The final answer of a text: what stands between the first `=` and the full stop after it (None: it has no end); a
    text with no `=` is taken to be the answer itself."""
    _, equals, rest = text.partition("=")
    if not equals:
        return text.strip()
    return rest.partition(END)[0] if END in rest else None


def _marked(tokens: Bytes, begins: NDArray[np.int64], ends: NDArray[np.int64]) -> Batch:
    at = np.arange(tokens.shape[1])
    return Batch(tokens.astype(np.int64), (at >= begins[:, None]) & (at < ends[:, None]))


def _short(text: str) -> str:
    return text.removeprefix("D = ").replace(" ", "")


def _elements(short: str) -> int:
    """How many elements a short prompt has: words, numbers of a list, or digits of the first summand."""
    body = short.rstrip(">?")
    return len(body.split("+")[0]) if "+" in body else len(re.split(r"[ ,]", body))


def _hinted(text: str, marks: Sequence[str]) -> str:
    """The terse text with each step's mark before it."""
    steps, answer = text.split(";")[:-1], text.rpartition(";")[2]
    return "".join(f"{m}{s};" for m, s in zip(marks, steps, strict=True)) + answer


def _in_order(trace: Trace) -> list[int]:
    return list(range(len(trace.steps)))


def _of_digits(trace: Trace) -> list[int]:
    """Digits from the left, then the carried places from the right; the place before the first digit is marked as it."""
    width = sum(s.skill.name == digits.ADD_DIGITS.name for s in trace.steps)
    found, at = list(range(width)), width
    for step in trace.steps[width:]:
        at -= step.skill.name == digits.COMPARE_10.name
        found.append(max(at, 0))
    return found


def _from_the_end(trace: Trace) -> list[int]:
    """Two steps for each number, the last number first."""
    n = len(trace.steps) // 2
    return [n - 1 - i // 2 for i in range(2 * n)]
