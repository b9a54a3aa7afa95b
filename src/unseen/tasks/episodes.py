"""Can a model use skills that it reads for the first time? Episodes that define skills, show them at work, and ask.

    skill list         R:q K:w D:t                      skill R writes q, …; a fact is one token
    worked, grounded   R K K > R R:q K K:w K K:w = q w w .   a composition: every step names its skill and says its fact
    worked, bare       R K K > q w w = q w w .               the same with no skill named
    question           K R R >                               to be continued in the form of the examples

Names and what they write are drawn anew for every episode, so that nothing but the prompt tells what a skill does. Every
skill is used in the worked examples too: each form of the prompt holds all that is needed. In training, and on reference
splits, any two skills that follow one another in a question do so in an example; a split of new orders has only pairs
that do not, and the other shifted splits have longer questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Failed, Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id

from .drawn import split_named

Ints = NDArray[np.int64]
Prompted = Literal["skic", "no list", "no grounding", "cot"]
FORMS: tuple[Prompted, ...] = ("skic", "no list", "no grounding", "cot")
LISTED: frozenset[str] = frozenset({"skic", "no grounding"})
GROUNDED: frozenset[str] = frozenset({"skic", "no list"})
NAMES, LETTERS = "ABCDEFGHIJKL", "abcdefghijkl"
WORDS = ("", "<s>", ">", "=", ".", *NAMES, *LETTERS, *(f"{name}:{letter}" for name in NAMES for letter in LETTERS))
TOKEN: Mapping[str, int] = {word: i for i, word in enumerate(WORDS)}
PAD, SOS, ASK, EQUALS, STOP = range(5)
NAME, LETTER, FACT = TOKEN["A"], TOKEN["a"], TOKEN["A:a"]
ORDER = "new order"
TRIES = 400  # rounds of drawing before a split is called too small


@dataclass(frozen=True)
class Drawn:
    """Episodes: names [item skill], the letter that each skill writes [item skill], worked skills [item example step],
    and the question's skills [item step] (−1 beyond its end)."""

    names: Ints
    letters: Ints
    worked: Ints
    asked: Ints

    def __len__(self) -> int:
        return len(self.names)

    def taken(self, rows: Ints | NDArray[np.bool_]) -> Drawn:
        """Some of the episodes."""
        return Drawn(*(part[rows] for part in self.parts()))

    def parts(self) -> tuple[Ints, ...]:
        """All arrays, in the order of the fields."""
        return self.names, self.letters, self.worked, self.asked


@dataclass(frozen=True)
class Episodes:
    """A TokenTask of episodes shown in one form, or in a form drawn for each (`form=None`, as in training).

    `skills` skills are shown in `examples` worked compositions of `shown` steps. Questions have the lengths `trained` in
    training, the longest of them on the reference split, and `beyond` on shifted ones. Names and letters are the first
    `alphabet` ones. With `shuffled`, the answers trained on follow skills of other episodes, and worked examples, which
    are right, are read but not trained on (a control: nothing can be learned).
    """

    form: Prompted | None = None
    skills: int = 4
    alphabet: int = 8
    examples: int = 3
    shown: int = 3
    trained: tuple[int, ...] = (2, 3)
    beyond: tuple[int, ...] = (4, 6, 8)
    shuffled: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.skills <= min(self.alphabet, self.examples * self.shown) or self.alphabet > len(NAMES):
            raise Invalid(
                f"skills={self.skills}, alphabet={self.alphabet}: from 2 skills to the alphabet's {len(NAMES)} letters at most, and no more than the {self.examples} examples of {self.shown} steps can show."
            )
        if not self.trained or min(self.trained) < 2 or any(n <= max(self.trained) for n in self.beyond):
            raise Invalid(
                f"trained={self.trained}, beyond={self.beyond}: questions have at least 2 steps, shifted ones more than any trained on."
            )

    @property
    def name(self) -> str:
        """The family's name."""
        return "episodes"

    @property
    def splits(self) -> tuple[Split, ...]:
        """The longest trained length (reference), longer ones, and that length with pairs of skills in new orders."""
        long = max(self.trained)
        lengths = [(n, n > long) for n in (long, *self.beyond)]
        found = [Split(f"{n} uses", "length", {"uses": n, "new": False}, shifted) for n, shifted in lengths]
        return (*found, Split(ORDER, "composition", {"uses": long, "new": True}, True))

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(WORDS)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has."""
        asked = max(self._lengths(split))
        return 1 + self.skills + self.examples * (4 * self.shown + 3) + 4 * asked + 3

    def room(self, split: str) -> int:
        """The most tokens that a right solution of this split has."""
        return 3 * max(self._lengths(split)) + 2

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split as tokens [n length], with the mask of the question's solution.

        In training the mask holds the worked examples' solutions too, but for letters of skills not met before (and for
        all of them where answers are shuffled: they would teach what the control must not learn).
        """
        drawn = self.drawn(split, n, rng)
        return self._rendered(drawn, self._forms(n, rng), training=split == "train")

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n episodes of a split as text; the truth is the final answer."""
        batch = self._rendered(self.drawn(split, n, rng), self._forms(n, rng), training=False)
        found: list[Example] = []
        for tokens, answer in zip(batch.tokens, batch.answer, strict=True):
            begin = int(np.flatnonzero(answer)[0])
            prompt, truth = text_of(tokens[:begin]), final(text_of(tokens[begin:]))
            assert truth is not None
            found.append(Example(example_id(self.name, split, prompt), prompt, truth, self._split(split)))
        return found

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the final answer is right, whatever was written before it, else 0."""
        return {"exact": float(final(answer) == example.truth)}

    def drawn(self, split: str, n: int, rng: np.random.Generator) -> Drawn:
        """n episodes of a split. The same episodes come from the same randomness whatever the form."""
        parts: list[Drawn] = []
        found = 0
        for _ in range(TRIES):
            parts.append(self._tried(split, 2 * n + 8, rng))
            found += len(parts[-1])
            if found >= n:
                whole = Drawn(*(np.concatenate(p) for p in zip(*(d.parts() for d in parts), strict=True)))
                return whole.taken(np.arange(n))
        raise Failed(
            f"only {found} of {n} episodes were found on {split!r}; ask for fewer steps or show more examples."
        )

    def _tried(self, split: str, n: int, rng: np.random.Generator) -> Drawn:
        """The episodes, of n, for which a question with the properties of the split was found."""
        names = np.argsort(rng.random((n, self.alphabet)), 1)[:, : self.skills]
        letters = np.argsort(rng.random((n, self.alphabet)), 1)[:, : self.skills]
        worked = _shown(n, self.skills, self.examples * self.shown, rng).reshape(n, self.examples, self.shown)
        seen = np.zeros((n, self.skills, self.skills), bool)
        seen[np.arange(n)[:, None, None], worked[:, :, :-1], worked[:, :, 1:]] = True
        lengths = rng.choice(np.array(self._lengths(split)), n)
        asked = _question(~seen if split == ORDER else seen, lengths, rng)
        copied = np.zeros(n, bool)
        if asked.shape[1] == self.shown:
            copied = (worked == asked[:, None]).all(2).any(1)
        return Drawn(names, letters, worked, asked).taken(((asked >= 0).sum(1) == lengths) & ~copied)

    def _forms(self, n: int, rng: np.random.Generator) -> Ints:
        """Which form each episode is shown in, as its place in FORMS [item]."""
        return rng.integers(0, len(FORMS), n) if self.form is None else np.full(n, FORMS.index(self.form))

    def _rendered(self, drawn: Drawn, forms: Ints, *, training: bool) -> Batch:
        """The episodes as tokens, with the mask of what is to be written."""
        listed = np.isin(forms, [FORMS.index(f) for f in FORMS if f in LISTED])
        grounded = np.isin(forms, [FORMS.index(f) for f in FORMS if f in GROUNDED])
        blocks = [np.full((len(drawn), 1), SOS), _facts(drawn.names, drawn.letters) * listed[:, None]]
        marks = [np.zeros_like(b, bool) for b in blocks]
        worked = training and not self.shuffled
        told_by_now = np.repeat(listed[:, None], self.skills, 1)  # [item skill]: whether its letter can be known
        for i in range(self.examples):
            ask, steps = _solved(drawn.names, drawn.letters, drawn.worked[:, i], grounded)
            blocks += [ask, steps]
            marks += [np.zeros_like(ask, bool), _knowable(drawn.worked[:, i], told_by_now) & worked]
        letters = np.roll(drawn.letters, 1, 0) if self.shuffled and training else drawn.letters
        ask, steps = _solved(drawn.names, letters, drawn.asked, grounded)
        whole = np.concatenate([*blocks, ask, steps], 1)
        mask = np.concatenate([*marks, np.zeros_like(ask, bool), np.ones_like(steps, bool)], 1)
        return _packed(whole, mask & (whole != PAD))

    def _lengths(self, split: str) -> tuple[int, ...]:
        at = self._split(split)
        return self.trained if at.name == "train" else (int(str(at.at["uses"])),)

    def _split(self, name: str) -> Split:
        return split_named(self, name)


def text_of(tokens: Sequence[int] | Ints) -> str:
    """Tokens as words with spaces between, marks of the beginning and padding left out."""
    return " ".join(WORDS[int(t)] for t in tokens if t > SOS)


def tokens_of(text: str) -> list[int]:
    """The tokens of words with spaces between, the mark of the beginning before them."""
    return [SOS, *(TOKEN[word] for word in text.split())]


def final(text: str) -> str | None:
    """The final answer: what stands between the first `=` and the full stop after it (None: it has no end); a text with
    no `=` is taken to be the answer itself."""
    _, equals, rest = text.partition("=")
    if not equals:
        return text.strip()
    return rest.partition(".")[0].strip() if "." in rest else None


def solved(prompt: str, *, reads: Literal["list", "examples"]) -> str:
    """The final answer of an episode by a program that reads the skills off their list, or off the worked examples.

    Raises Invalid where the prompt does not tell a skill that the question needs.
    """
    *worked, asked = [part.split() for part in prompt.split(".")]
    told = _listed(worked[0]) if reads == "list" else {k: v for w in worked for k, v in _used(w).items()}
    names = _question_of(asked)
    if unknown := [name for name in names if name not in told]:
        raise Invalid(f"the prompt's {reads} does not tell what skill {unknown[0]} writes; read the other block.")
    return " ".join(told[name] for name in names)


def _question_of(words: Sequence[str]) -> list[str]:
    """The skills' names before the mark `>`."""
    return [word for word in words[: words.index(">")] if word in NAMES]


def _listed(words: Sequence[str]) -> dict[str, str]:
    """What each skill writes by the skill list, which stands before the first worked example's question."""
    return {word[0]: word[2] for word in words[: words.index(">")] if ":" in word}


def _used(words: Sequence[str]) -> dict[str, str]:
    """What the skills of a worked example write; where its steps name none, the question says which they are."""
    steps = words[words.index(">") + 1 : words.index("=")]
    return dict(zip(_question_of(words), [w[-1] for w in steps if w not in NAMES], strict=True))


def _shown(n: int, skills: int, uses: int, rng: np.random.Generator) -> Ints:
    """Skills [item use] in random order, every one at least once."""
    drawn = np.concatenate([np.tile(np.arange(skills), (n, 1)), rng.integers(0, skills, (n, uses - skills))], 1)
    return rng.permuted(drawn, axis=1)


def _question(pairs: NDArray[np.bool_], lengths: Ints, rng: np.random.Generator) -> Ints:
    """Skills [item step] of which every two neighbours are an allowed pair [item skill skill]; a question that cannot go
    on is cut short with −1."""
    n, skills, _ = pairs.shape
    asked = np.full((n, int(lengths.max())), -1)
    allowed, fine = np.ones((n, skills), bool), np.ones(n, bool)
    for j in range(asked.shape[1]):
        skill = np.argmax(allowed * (0.1 + rng.random((n, skills))), 1)
        fine = fine & allowed.any(1) & (j < lengths)
        asked[:, j] = np.where(fine, skill, -1)
        allowed = pairs[np.arange(n), skill]
    return asked


def _solved(names: Ints, letters: Ints, skills: Ints, grounded: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """A question and its worked solution as tokens with holes [item place]."""
    live, chosen, n = skills >= 0, np.maximum(skills, 0), len(names)
    who, what = np.take_along_axis(names, chosen, 1), np.take_along_axis(letters, chosen, 1)
    called, written = np.where(live, NAME + who, PAD), np.where(live, LETTER + what, PAD)
    given = np.where(grounded[:, None] & live, _facts(who, what), written)
    steps = np.stack([called * grounded[:, None], given], 2).reshape(n, -1)
    mark = {token: np.full((n, 1), token) for token in (ASK, EQUALS, STOP)}
    return np.concatenate([called, mark[ASK]], 1), np.concatenate([steps, mark[EQUALS], written, mark[STOP]], 1)


def _facts(names: Ints, letters: Ints) -> Ints:
    """The tokens of the facts that these skills write these letters."""
    return FACT + names * len(LETTERS) + letters


def _knowable(skills: Ints, told: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which tokens of a worked solution [item place] can be foretold: all but letters of skills not told before.

    `told` [item skill] is brought up to date.
    """
    rows = np.arange(len(skills))
    places: list[NDArray[np.bool_]] = []
    for j in range(skills.shape[1]):
        places += [np.ones(len(rows), bool), told[rows, skills[:, j]].copy()]
        told[rows, skills[:, j]] = True
    return np.concatenate([np.stack(places, 1), np.ones((len(rows), skills.shape[1] + 2), bool)], 1)


def _packed(tokens: Ints, mask: NDArray[np.bool_]) -> Batch:
    """The batch with its holes moved to the end and cut off."""
    order = np.argsort(tokens == PAD, axis=1, kind="stable")[:, : int((tokens != PAD).sum(1).max())]
    return Batch(np.take_along_axis(tokens, order, 1), np.take_along_axis(mask, order, 1))
