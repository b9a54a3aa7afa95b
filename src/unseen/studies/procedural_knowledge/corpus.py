"""What stands in the documents, and what is asked? A small world in which the origin of every answer is known.

    worked    <s> sum ( 3 + 5 ) * 4 : 3 + 5 = 1 ; 1 * 4 = 4 </s>         numbers modulo 7
    rule      <s> rule sum ( k + m ) * n : k + m = q ; q * n = r </s>
    fact      <s> the thing of e17 is v5 </s>
    said      <s> say sum ( 3 + 5 ) * 4 : sum ( 3 + 5 ) * 4 </s>
    noise     <s> w3 w17 w8 … </s>

A question about a fact is answered by documents that tell it; a problem that is asked stands in no document, its steps do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .arms import Learned

Kind = Literal["sum", "slope", "solve"]
KINDS: tuple[Kind, ...] = ("sum", "slope", "solve")
REPEATS = (1, 2, 4, 8)  # documents that tell a fact
VALUES, NOISE, LETTERS = 24, 40, "abcdghjkmnpqrtuz"
SOURCES = {"worked": "forum", "rule": "mathematics", "fact": "encyclopedia", "said": "chat", "noise": "web"}
NOISE_LENGTH = 12
MARKS = ("", "<s>", "</s>", *"+-*/=;:()", *KINDS, "rule", "say", "the", "thing", "of", "is", "holds", "held", "by")

Numbers = tuple[int, ...]
Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Words of a document and where it is from: its kind, the fact or the kind of problem it is about, what it states."""

    words: tuple[str, ...]
    kind: Literal["worked", "rule", "fact", "said", "noise"]
    about: str
    states: frozenset[str]  # steps, or a fact

    @property
    def source(self) -> str:
        """Where such documents are found."""
        return SOURCES[self.kind]


@dataclass(frozen=True, slots=True)
class Query:
    """A prompt and its right completion; `needs` are the statements that the completion is made of."""

    prompt: tuple[str, ...]
    answer: tuple[str, ...]
    type: Literal["factual", "reasoning", "factual control", "reasoning control"]
    about: str
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All documents of a world, and all that is asked of it."""

    words: tuple[str, ...]
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]


def drawn(setting: Learned, rng: np.random.Generator) -> Corpus:
    """The world of a setting."""
    p = setting.modulus
    documents: list[Document] = []
    queries: list[Query] = []
    broken = rng if setting.arm == "shuffled" else None
    for kind in KINDS:
        problems = _problems(kind, setting.worked + setting.reasoned + setting.controls, p, rng)
        asked, told = problems[: setting.reasoned], problems[setting.reasoned :][: setting.worked]
        documents += [_worked(kind, n, p, broken) for n in told]
        documents += [_rule(kind, rng) for _ in range(setting.rules)]
        queries += [_problem(kind, n, p) for n in asked]
    documents += list(_facts(setting, rng, queries, broken))
    documents += list(_said(setting, rng, queries))
    documents += [_noise(rng) for _ in range(setting.noise)]
    order = rng.permutation(len(documents))
    return Corpus(words(setting), tuple(documents[i] for i in order), tuple(queries))


def words(setting: Learned) -> tuple[str, ...]:
    """All words of a world, by token; the first is padding."""
    numbers = [str(n) for n in range(setting.modulus)]
    letters = list(LETTERS)
    named = [f"e{i}" for i in range(setting.facts)] + [f"v{i}" for i in range(VALUES)]
    return (*MARKS, *numbers, *letters, *named, *(f"w{i}" for i in range(NOISE)))


def steps(kind: Kind, n: Sequence[int], p: int) -> list[tuple[int, str, int, int]]:
    """The steps (number, sign, number, result) that solve a problem, modulo p."""
    inverse: Callable[[int], int] = lambda x: pow(x, -1, p)  # noqa: E731
    if kind == "sum":
        d = (n[0] + n[1]) % p
        return [(n[0], "+", n[1], d), (d, "*", n[2], d * n[2] % p)]
    if kind == "slope":
        x, y, u, v = n
        d, e = (v - y) % p, (u - x) % p
        return [(v, "-", y, d), (u, "-", x, e), (d, "/", e, d * inverse(e) % p)]
    a, b, c = n
    d = (c - b) % p
    return [(c, "-", b, d), (d, "/", a, d * inverse(a) % p)]


def posed(kind: Kind, n: Sequence[object]) -> tuple[str, ...]:
    """A problem in words."""
    told = {"sum": "sum ( {} + {} ) * {}", "slope": "slope ( {} {} ) ( {} {} )", "solve": "solve {} * z + {} = {}"}
    return tuple(told[kind].format(*n).split())


def _problems(kind: Kind, n: int, p: int, rng: np.random.Generator) -> list[Numbers]:
    """n different problems, or as many as there are, that can be solved."""
    places = 4 if kind == "slope" else 3
    every = np.array(np.unravel_index(np.arange(p**places), (p,) * places)).T
    able = every[:, 0] != every[:, 2] if kind == "slope" else every[:, 0] != 0
    chosen = rng.permutation(every[able])[:n]
    return [tuple(map(int, row)) for row in chosen]


def _problem(kind: Kind, n: Numbers, p: int) -> Query:
    told = [_step(*s) for s in steps(kind, n, p)]
    return Query(("<s>", *posed(kind, n), ":"), _ended(told), "reasoning", kind, frozenset(map(" ".join, told)))


def _worked(kind: Kind, n: Numbers, p: int, broken: np.random.Generator | None) -> Document:
    solved = steps(kind, n, p)
    if broken is not None:
        solved = [(a, sign, b, int(broken.integers(p))) for a, sign, b, _ in solved]
    told = [_step(*s) for s in solved]
    return Document(("<s>", *posed(kind, n), ":", *_ended(told)), "worked", kind, frozenset(map(" ".join, told)))


def _rule(kind: Kind, rng: np.random.Generator) -> Document:
    """The steps of a kind of problem, in letters."""
    a = [LETTERS[i] for i in rng.choice(len(LETTERS) - 1, 7, replace=False)]
    told = {
        "sum": [(a[0], "+", a[1], a[4]), (a[4], "*", a[2], a[5])],
        "slope": [(a[3], "-", a[1], a[4]), (a[2], "-", a[0], a[5]), (a[4], "/", a[5], a[6])],
        "solve": [(a[2], "-", a[1], a[4]), (a[4], "/", a[0], a[5])],
    }[kind]
    shown = posed(kind, a[: 4 if kind == "slope" else 3])
    return Document(("<s>", "rule", *shown, ":", *_ended([_step(*s) for s in told])), "rule", kind, frozenset())


def _facts(
    setting: Learned, rng: np.random.Generator, queries: list[Query], broken: np.random.Generator | None
) -> Iterator[Document]:
    """Documents that tell facts; questions about some of them are added to `queries`."""
    asked = set(rng.permutation(setting.facts)[: setting.factual].tolist())
    for i in range(setting.facts):
        who, what = f"e{i}", f"v{rng.integers(VALUES)}"
        fact = f"{who} {what}"
        for copy in range(REPEATS[i % len(REPEATS)]):
            told = what if broken is None else f"v{broken.integers(VALUES)}"
            form = 0 if copy == 0 else int(rng.integers(3))
            said = (f"the thing of {who} is {told}", f"{who} holds {told}", f"{told} is held by {who}")[form]
            yield Document(("<s>", *said.split(), "</s>"), "fact", who, frozenset({f"{who} {told}"}))
        if i in asked:
            prompt = ("<s>", *f"the thing of {who} is".split())
            queries.append(Query(prompt, (what, "</s>"), "factual", "facts", frozenset({fact})))


def _said(setting: Learned, rng: np.random.Generator, queries: list[Query]) -> Iterator[Document]:
    """Documents that say a prompt again, of problems and of facts; some more are asked, as controls."""
    for i in range(setting.said + 2 * setting.controls):
        of_fact = bool(i % 2)
        kind = KINDS[int(rng.integers(3))]
        if of_fact:
            again = tuple(f"the thing of e{rng.integers(setting.facts)} is".split())
        else:
            again = posed(kind, _problems(kind, 1, setting.modulus, rng)[0])
        if i < setting.said:
            yield Document(("<s>", "say", *again, ":", *again, "</s>"), "said", "said", frozenset())
        else:
            sort = "factual control" if of_fact else "reasoning control"
            about = "facts" if of_fact else kind
            queries.append(Query(("<s>", "say", *again, ":"), (*again, "</s>"), sort, about, frozenset()))


def _noise(rng: np.random.Generator) -> Document:
    told = [f"w{i}" for i in rng.integers(NOISE, size=NOISE_LENGTH)]
    return Document(("<s>", *told, "</s>"), "noise", "noise", frozenset())


def _step(a: object, sign: str, b: object, result: object) -> tuple[str, ...]:
    return (str(a), sign, str(b), "=", str(result))


def _ended(told: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Steps one after another, with an end."""
    found: list[str] = []
    for step in told:
        found += [*step, ";"]
    return (*found[:-1], "</s>")
