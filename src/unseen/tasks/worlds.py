"""Can it be learned from a few examples in context? Labelled sets seen through random projections and permuted labels.

    Worlds(digits(16), tasks=1024, length=50, stream=7, others=(glyphs(…),)).sample("new tasks", 128, rng)
    ->  Sequences(x float32[128 50 16], y int64[128 50], task int64[128])

Task k shows x' = A_k x and y' = ρ_k(y), A_k having entries N(0, 1/features) and ρ_k being a permutation (section 3.1 of
arXiv 2212.04458). Tasks are functions of (stream, k): they are made again when they are met, and held only while all
their matrices are below 64 MB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Example, example_id

from .drawn import no_split
from .labelled import Floats, Ints, Labelled, Part

HELD = 64_000_000  # bytes of matrices that are kept
NEW = 1 << 40  # tasks from this number on are met in no training
ELSEWHERE = "new data set: "
SPLITS = (
    Split("seen tasks", axis="task"),
    Split("new tasks", axis="task", shifted=True),
    Split("new examples", axis="examples", shifted=True),
)


@dataclass(frozen=True, eq=False)
class Sequences:
    """Labelled examples in order: x [n length feature], y [n length], and each sequence's task [n]."""

    x: Floats
    y: Ints
    task: Ints

    @property
    def names(self) -> list[str]:
        """16 hex digits that name each sequence [n]: a digest of its examples and labels."""
        rows = zip(self.x, self.y, strict=True)
        return [hashlib.sha256(np.ascontiguousarray(x).tobytes() + y.tobytes()).hexdigest()[:16] for x, y in rows]


@dataclass(frozen=True, eq=False)
class Worlds:
    """Sequences of a labelled set through its tasks: `tasks` of them to train on, or without end (0).

    Labels of a sequence are drawn alike and independently, so that counting tells nothing of the next one, and no
    example stands in a sequence twice. With `labels="shuffled"` they say nothing of the examples either.
    """

    base: Labelled
    tasks: int  # to train on; 0: every sequence has a task of its own
    length: int  # examples of a sequence
    stream: int  # of the tasks
    others: tuple[Labelled, ...] = ()  # each tested on as a split of its own, `new data set: NAME`
    labels: str = "true"

    def __post_init__(self) -> None:
        if self.tasks < 0 or self.tasks > NEW or self.length < 1:
            raise Invalid(
                f"tasks={self.tasks}, length={self.length}: tasks is a whole number from 0 (no end) and length from 1."
            )
        if self.labels not in ("true", "shuffled"):
            raise Invalid(f"labels={self.labels!r}: they are true or shuffled.")
        for other in self.others:
            if (other.features, other.classes) != (self.features, self.classes):
                raise Invalid(
                    f"{other.name} has {other.features} features and {other.classes} classes, {self.base.name} {self.features} and {self.classes}; one learner reads both, so they must agree."
                )

    @property
    def features(self) -> int:
        return self.base.features

    @property
    def classes(self) -> int:
        return self.base.classes

    @property
    def splits(self) -> tuple[Split, ...]:
        """Those tested on."""
        return (*SPLITS, *(Split(f"{ELSEWHERE}{o.name}", "data set", {"set": o.name}, True) for o in self.others))

    def sample(self, split: str, n: int, rng: np.random.Generator, *, fixed: float = 0.0) -> Sequences:
        """n sequences of a split, "train" being that of seen tasks; a share `fixed` of them keeps labels unpermuted."""
        names = [s.name for s in self.splits]
        if split not in ("train", *names):
            raise no_split(self.base.name, split, names)
        others = {f"{ELSEWHERE}{o.name}": o.test for o in self.others}
        part = others.get(split, self.base.test if split == "new examples" else self.base.train)
        of_known = self.tasks > 0 and split in ("train", "seen tasks")
        task = rng.integers(0, self.tasks, n) if of_known else rng.integers(NEW, 2 * NEW, n)
        lens, rho = self.views(task) if of_known else drawn_views(n, self.features, self.classes, rng)
        if fixed > 0:
            rho = np.where((rng.random(n) < fixed)[:, None], np.arange(self.classes), rho)
        at = distinct(part, n, self.length, rng)
        x = np.matmul(part.x[at], lens.transpose(0, 2, 1))
        y = np.take_along_axis(rho, part.y[at], 1)
        if self.labels == "shuffled":
            y = rng.integers(0, self.classes, y.shape)
        return Sequences(x, y, task)

    def views(self, task: Sequence[int] | Ints) -> tuple[Floats, Ints]:
        """Matrices [n feature feature] and label permutations [n class] of tasks by their numbers."""
        wanted = np.asarray(task)
        if 4 * self.tasks * self.features**2 < HELD:
            lens, rho = self._held
            return lens[wanted], rho[wanted]
        names, where = np.unique(wanted, return_inverse=True)
        lens, rho = self._made(names)
        return lens[where], rho[where]

    @cached_property
    def _held(self) -> tuple[Floats, Ints]:
        return self._made(np.arange(self.tasks))

    def _made(self, names: Ints) -> tuple[Floats, Ints]:
        made = [
            drawn_views(
                1, self.features, self.classes, np.random.Generator(np.random.Philox(key=[self.stream, int(k)]))
            )
            for k in names
        ]
        return np.concatenate([a for a, _ in made]), np.concatenate([r for _, r in made])


def drawn_views(n: int, features: int, classes: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """n random tasks: matrices [n feature feature] of N(0, 1/features) entries, permutations [n class]."""
    lens = rng.standard_normal((n, features, features), np.float32) / np.float32(np.sqrt(features))
    return lens, np.argsort(rng.random((n, classes)), axis=1)


def distinct(part: Part, n: int, length: int, rng: np.random.Generator) -> Ints:
    """Numbers [n length] of a part's examples: the class of each place uniform and independent of all others, then one
    of its examples that stands nowhere before in the row.

    Raises Invalid where a row needs more examples of a class than there are.
    """
    kind = rng.integers(0, part.classes, (n, length))
    most = (kind[:, :, None] == np.arange(part.classes)).sum(1).max(0)
    if np.any(most > part.sizes):
        c = int(np.argmax(most > part.sizes))
        raise Invalid(
            f"class {c} has {part.sizes[c]} examples, too few for {length} distinct ones in a sequence; shorten it."
        )
    at = _of(part, kind, rng)
    while (again := repeated(at)).any():  # as if drawn one after the other, each until it is new
        at[again] = _of(part, kind[again], rng)
    return at


def _of(part: Part, kind: Ints, rng: np.random.Generator) -> Ints:
    """One example of each class asked for, in the form of `kind`."""
    return part.order[part.begins[kind] + rng.integers(0, part.sizes[kind])]


def repeated(at: Ints) -> NDArray[np.bool_]:
    """Where a value [n length] stands further left in its row too."""
    order = np.argsort(at, axis=1, kind="stable")
    ranked = np.take_along_axis(at, order, 1)
    same = np.zeros(at.shape, bool)
    same[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    found = np.empty_like(same)
    np.put_along_axis(found, order, same, 1)
    return found


@dataclass(frozen=True, eq=False)
class Written:
    """A world's sequences as text, for whoever reads text: numbers, an arrow, a label; the last label is asked for.

    0.4 -1.2 0.7 -> C
    1.1 -0.3 0.2 ->
    """

    worlds: Worlds
    name: str

    @property
    def splits(self) -> tuple[Split, ...]:
        return self.worlds.splits

    def draw(self, split: str, n: int, rng: np.random.Generator) -> list[Example]:
        """n questions of a split; "train" is neither reference nor shifted."""
        where = {s.name: s for s in self.splits}.get(split, Split(split, axis="task"))
        drawn = self.worlds.sample(split, n, rng)
        found: list[Example] = []
        for x, y in zip(drawn.x, drawn.y, strict=True):
            lines = [f"{' '.join(f'{v:.2f}' for v in one)} -> {letter(k)}" for one, k in zip(x, y, strict=True)]
            prompt = "\n".join(lines)[: -len(letter(y[-1])) - 1]
            found.append(Example(example_id(self.name, split, prompt), prompt, letter(y[-1]), where))
        return found

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the label is right, whatever the white space around it."""
        return {"exact": float(answer.split() == [example.truth])}


def letter(k: int) -> str:
    """A label as a letter: A, B, …; as a number from the 27th on."""
    return chr(ord("A") + int(k)) if k < 26 else str(int(k))
