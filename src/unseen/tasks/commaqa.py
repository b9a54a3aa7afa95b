"""Questions over made-up facts that take several hops: which movies did people from Whime act in?

    "Read these facts. movie: Riften ; directed by: Muntaril. … Muntaril is from the country of Whime. What movies have
    the directors from Whime directed?"  ->  "Riften"

The sentences are those of CommaQA-E (Khot et al. 2022), so that one reader serves the released files and the twin made
here. A question is a chain of hops; the shifted split asks for orders of hops that the reference never shows.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split

from .drawn import split_named
from .made_up import AFTER, GIVES, HOPS, NONE, STARTS, World, answers, follow, looked_up, made, read
from .said import same_list
from .traces import Skill, Step, Trace, use
from .worked import Problem, Stored, Worked, distinct, score, worked

COMMIT = "c1e51e0db1f66fd4a14f71886cf2d9dc0ce06a47"
SOURCE = f"url:https://raw.githubusercontent.com/allenai/DecomP/{COMMIT}/datasets/commaqa_e/"
FOLDER = "commaqa_e"  # under $UNSEEN_DATA
FILES: Mapping[str, tuple[str, str]] = {  # split -> file, sha256
    "iid": ("iid_test_eg100.json", "325ea4f93a2e072307951f54532bcd3c9fa8a93328b9320431660a7a8b53f93d"),
    "compgen": ("compgen_test_eg300.json", "c26f0d06f6e5e84015cf75d38d367b5ee46a8cc84b0528d94a5bd0ad0bde1c30"),
}
RELEASED: Mapping[str, Mapping[str, tuple[str, ...]]] = {  # split -> form of the question -> its hops
    "iid": {
        "What movies have people from the country {x} acted in?": ("from", "acted"),
        "What movies have the directors from {x} directed?": ("from", "directed"),
        "What awards have movies produced by people born in {x} won?": ("born", "produced", "prizes"),
        "What awards have movies written by people born in {x} won?": ("born", "wrote", "prizes"),
        "What awards did the movies directed by the {x} winners receive?": ("winners", "directed", "prizes"),
        "What awards have the actors of the {x} winning movies received?": ("winning", "actors", "honours"),
    },
    "compgen": {
        "What movies have the people from {x} written?": ("from", "wrote"),
        "What movies have people born in {x} acted in?": ("born", "acted"),
        "What awards have movies produced by people from {x} won?": ("from", "produced", "prizes"),
        "What awards have movies written by people from {x} won?": ("from", "wrote", "prizes"),
        "What awards have movies directed by people born in {x} won?": ("born", "directed", "prizes"),
        "What awards have the directors of the {x} winning movies received?": ("winning", "directors", "honours"),
    },
}
IID, COMPGEN = (
    Split("iid", "composition", {"orders": "seen"}),
    Split("compgen", "composition", {"orders": "unseen"}, shifted=True),
)
LEAD = "Read these facts."
HELD_ORDERS = 3  # one order of hops in so many is never shown on the reference

DECOMPOSE = Skill(
    "decompose_qa",
    "Break a question into simple ones; [A1] stands for the answers to Q1, and a question with it is asked of each.",
    'the question "{question}" takes {result}',
    lambda question: _plan_text(*form_of(question)),
    {"question": "What movies have the directors from Whime directed?"},
)
ANSWER = Skill(
    "answer_simple_question",
    "Answer a simple question by the facts, with all names that fit.",
    'by the facts, "{question}" gives {result}',
    looked_up,
    {"passage": "Muntaril is from the country of Whime.", "question": "Who is from the country Whime?"},
)
SKILLS = (DECOMPOSE, ANSWER)


@dataclass(frozen=True)
class Twin:
    """Questions made here, over worlds of so many movies and people, by chains of 2 to `longest` hops."""

    movies: int
    people: int
    longest: int
    name: str = "commaqa"
    skills: tuple[Skill, ...] = SKILLS
    splits: tuple[Split, ...] = (IID, COMPGEN)
    same: Callable[[str, str], bool] = same_list

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Worked]:
        """n different questions; "train" has the orders of hops of the reference split, but none of its questions."""
        at = split_named(self, split)
        chains = [
            [c for c in orders(self.longest) if len(c) == n and unseen(c) == at.shifted]
            for n in range(2, self.longest + 1)
        ]

        def make(rng: np.random.Generator) -> Problem:
            among = chains[int(rng.integers(len(chains)))]
            chain = among[int(rng.integers(len(among)))]
            return _asked(made(self.movies, self.people, rng), own_form(chain), chain, rng)

        return [worked(self.name, at, p) for p in distinct(self.name, at, make, n, rng)]

    def shown(self, n: int, rng: np.random.Generator) -> Sequence[Worked]:
        """n questions of "train" for a prompt."""
        return self.draw("train", n, rng)

    def score(self, example: Worked, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the list of names is right, in any order, else 0."""
        return score(self.same, example, answer)


def released(path: Callable[[str], Path], *, shown: int = 64) -> Stored:
    """The released test sets, read from `path("iid")` and `path("compgen")`.

    "train" holds `shown` problems of the reference's forms over worlds made here: the released sets have no other part,
    and no test question is to stand in a prompt.
    """

    def load(split: str) -> Sequence[Worked]:
        return _made_train(shown) if split == "train" else items(path(split), split)

    return Stored("commaqa", (IID, COMPGEN), load, SKILLS, same_list)


def items(path: Path, split: str) -> list[Worked]:
    """Every question of a released file, worked through. Raises Invalid where the file has another shape."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        pairs = [(v["passage"], q["question"], q["answer"]["spans"]) for v in told.values() for q in v["qa_pairs"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(f"{path} is no file of CommaQA-E ({type(error).__name__}: {error}).") from None
    at = {s.name: s for s in (IID, COMPGEN)}[split]
    return [worked("commaqa", at, _with_answer(problem(read(p), q), spans)) for p, q, spans in pairs]


def problem(world: World, question: str) -> Problem:
    """A question over a world with its solution: broken up, then one simple question after the other."""
    chain, start = form_of(question)
    steps: list[Step] = [use(DECOMPOSE, question=question)]
    reached: tuple[str, ...] = (start,)
    for number, hop in enumerate(chain, 1):
        found: list[str] = []
        for name in reached:
            asks = HOPS[hop].ask(name)
            found += [a for a in answers(world, HOPS[hop], name) if a not in found]
            state = f"[A{number}] = {', '.join(found) or NONE}"
            steps.append(use(ANSWER, state, passage=world.passage, question=asks))
        reached = tuple(found)
    answer = ", ".join(reached) or NONE
    parts = [(s.args["question"], s.result) for s in steps[1:]]
    return Problem(
        f"{LEAD} {world.passage} {question}", Trace(tuple(steps), answer), (*parts, (question, answer)), question
    )


def form_of(question: str) -> tuple[tuple[str, ...], str]:
    """The hops of a question and the name they start from. Raises Invalid for a question of no known form."""
    for pattern, chain in _forms():
        if found := pattern.fullmatch(question):
            return chain, found[1]
    raise Invalid(f"the question {question!r} has no known form; see RELEASED and own_form in tasks/commaqa.py.")


def halves(prompt: str) -> tuple[str, str]:
    """A prompt's facts and its question."""
    facts, _, question = prompt.removeprefix(LEAD).strip().rpartition(". ")
    return f"{facts}.", question


def plan(question: str) -> tuple[str, ...]:
    """The simple questions that a question takes, with [A1] for the answers to the first."""
    chain, start = form_of(question)
    return tuple(HOPS[hop].ask(start if i == 0 else f"[A{i}]") for i, hop in enumerate(chain))


@lru_cache(maxsize=8)
def orders(longest: int) -> tuple[tuple[str, ...], ...]:
    """Every chain of 2 to `longest` hops that never turns straight back."""
    found = [(start,) for start in STARTS]
    kept: list[tuple[str, ...]] = []
    for _ in range(longest - 1):
        found = [
            (*c, hop)
            for c in found
            for hop in AFTER.get(GIVES[c[-1]], ())
            if HOPS[hop].relation != HOPS[c[-1]].relation
        ]
        kept += found
    return tuple(kept)


def unseen(chain: Sequence[str]) -> bool:
    """Whether an order of hops is kept for the shifted split."""
    return zlib.crc32(" ".join(chain).encode()) % HELD_ORDERS == 0


def own_form(chain: Sequence[str]) -> str:
    """The form of the question of a chain: `What are the awards of the movies written by the people from {x}?`."""
    phrase = HOPS[chain[0]].noun
    for hop in chain[1:]:
        phrase = HOPS[hop].noun.format(x=phrase)
    return f"What are {phrase}?"


def _asked(world: World, form: str, chain: Sequence[str], rng: np.random.Generator) -> Problem:
    """The question asked of a name that gives it an answer (of any name, if none does)."""
    relation = HOPS[chain[0]].relation
    names = list(dict.fromkeys(f.object for f in world.facts if f.relation == relation))
    good = [n for n in names if follow(world, chain, n)] or names
    return problem(world, form.format(x=good[int(rng.integers(len(good)))]))


@lru_cache(maxsize=4)
def _made_train(n: int) -> tuple[Worked, ...]:
    rng = np.random.default_rng(0)
    train, forms = Split("train"), list(RELEASED["iid"].items())
    made_here = [_asked(made(3, 2, rng), *forms[i % len(forms)], rng) for i in range(n)]
    return tuple(worked("commaqa", train, p) for p in made_here)


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    told = [*RELEASED["iid"].items(), *RELEASED["compgen"].items(), *((own_form(c), c) for c in orders(4))]
    return tuple((re.compile(re.escape(f).replace(r"\{x\}", r"(\S+)")), chain) for f, chain in told)


def _plan_text(chain: Sequence[str], start: str) -> str:
    asks = [HOPS[hop].ask(start if i == 0 else f"[A{i}]") for i, hop in enumerate(chain)]
    return " ".join(f"Q{i}: {q}" for i, q in enumerate(asks, 1))


def _with_answer(found: Problem, spans: Sequence[str]) -> Problem:
    """The problem with the released answer; the solution must end in the same names. Raises Invalid where it does not."""
    if set(found.trace.answer.split(", ")) != set(spans):
        raise Invalid(
            f"the facts give {found.trace.answer!r} to {found.short!r}, the released answer is {', '.join(spans)!r}."
        )
    return found
