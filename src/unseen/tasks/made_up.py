"""Which facts does a passage about made-up movies state? Sentences as facts and back, and simple questions over them.

    read("movie: Riften ; directed by: Muntaril. Muntaril was born in 1921.")
    ->  World((Fact("directed", "Muntaril", "Riften"), Fact("born", "Muntaril", "1921")))

Names and wordings are in the manner of CommaQA-E, whose released passages `read` takes apart whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from unseen.core.errors import Invalid

# relation -> groups of wordings of subject {s} and object {o}; a passage keeps to one group of a relation
WORDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "directed": (("movie: {o} ; directed by: {s}", "movie: {o} ; director: {s}"),),
    "movie_award": (("movie: {s} ; awarded: {o}", "movie: {s} ; award: {o}"),),
    "wrote": (
        ("movie: {o} ; written by: {s}", "movie: {o} ; writer: {s}"),
        ("{s} wrote for the movie {o}", "{s} was one of the writers for the movie {o}"),
    ),
    "year": (("movie: {s} ; release year: {o}", "movie: {s} ; year: {o}"),),
    "acted": (("{s} acted in the movie {o}", "{s} was an actor in the movie {o}"),),
    "born": (("{s} was born in the year {o}", "{s} was born in {o}"),),
    "country": (("{s} is from the country of {o}", "{s} grew up in the nation of {o}"),),
    "person_award": (
        ("award: {o} ; winner: {s}", "person: {s} ; award: {o}"),
        ("{o} was awarded to {s}", "{s} won the {o} award"),
    ),
    "produced": (("{s} produced the movie {o} with others", "{s} was one of the producers of the movie {o}"),),
}
NONE = "none"  # the answer to a simple question that no fact answers


@dataclass(frozen=True, slots=True)
class Fact:
    """A relation between two names: people do things to movies, movies and people win awards."""

    relation: str
    subject: str
    object: str


@dataclass(frozen=True)
class World:
    """Facts in the order in which they are told, and the passage that tells them."""

    facts: tuple[Fact, ...]
    passage: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One step between names: a relation, followed to its object (`forward`) or back, and how that is asked."""

    relation: str
    forward: bool
    asks: str
    noun: str  # the phrase over {x}, a name or a phrase itself

    def ask(self, name: str) -> str:
        """The simple question of one name."""
        return self.asks.format(x=name)


HOPS: Mapping[str, Hop] = {
    "from": Hop("country", False, "Who is from the country {x}?", "the people from {x}"),
    "born": Hop("born", False, "Who was born in {x}?", "the people born in {x}"),
    "winners": Hop("person_award", False, "Who won the {x} award?", "the winners of the {x} award"),
    "winning": Hop("movie_award", False, "Which movies won the {x} award?", "the movies that won the {x} award"),
    "released": Hop("year", False, "Which movies were released in {x}?", "the movies released in {x}"),
    "acted": Hop("acted", True, "Which movies did {x} act in?", "the movies that {x} acted in"),
    "directed": Hop("directed", True, "Which movies did {x} direct?", "the movies directed by {x}"),
    "wrote": Hop("wrote", True, "Which movies did {x} write?", "the movies written by {x}"),
    "produced": Hop("produced", True, "Which movies did {x} produce?", "the movies produced by {x}"),
    "actors": Hop("acted", False, "Who acted in {x}?", "the actors of {x}"),
    "directors": Hop("directed", False, "Who directed {x}?", "the directors of {x}"),
    "writers": Hop("wrote", False, "Who wrote {x}?", "the writers of {x}"),
    "producers": Hop("produced", False, "Who produced {x}?", "the producers of {x}"),
    "prizes": Hop("movie_award", True, "Which awards did the movie {x} win?", "the awards of {x}"),
    "honours": Hop("person_award", True, "Which awards did {x} win?", "the awards of {x}"),
}
STARTS = ("from", "born", "winners", "winning", "released")
AFTER = {  # what a name is -> the hops that lead on from it
    "person": ("acted", "directed", "wrote", "produced", "honours"),
    "movie": ("actors", "directors", "writers", "producers", "prizes"),
}
GIVES = {
    **dict.fromkeys(("from", "born", "winners", "actors", "directors", "writers", "producers"), "person"),
    **dict.fromkeys(("winning", "released", "acted", "directed", "wrote", "produced"), "movie"),
    **dict.fromkeys(("prizes", "honours"), "award"),
}


@lru_cache(maxsize=64)
def read(passage: str) -> World:
    """The facts a passage tells. Raises Invalid for a sentence of no known wording."""
    return World(tuple(_fact(s) for s in re.split(r"\.(?:\s+|$)", passage.strip()) if s), passage.strip())


def answers(world: World, hop: Hop, name: str) -> tuple[str, ...]:
    """The names one hop away, each once, in the order in which they are told."""
    ends = [(f.subject, f.object) for f in world.facts if f.relation == hop.relation]
    return tuple(dict.fromkeys((o if hop.forward else s) for s, o in ends if name == (s if hop.forward else o)))


def asked(question: str) -> tuple[Hop, str]:
    """The hop and the name of a simple question. Raises Invalid for a question of no known form."""
    for hop in HOPS.values():
        if found := re.fullmatch(re.escape(hop.asks).replace(r"\{x\}", r"(\S+)"), question):
            return hop, found[1]
    raise Invalid(
        f"the simple question {question!r} has no known form; such questions are {HOPS['from'].asks} and the like."
    )


def looked_up(passage: str, question: str) -> str:
    """The answer to a simple question: names joined by commas, or `none`."""
    hop, name = asked(question)
    return ", ".join(answers(read(passage), hop, name)) or NONE


def follow(world: World, chain: Sequence[str], start: str) -> tuple[str, ...]:
    """The names at the end of a chain of hops."""
    reached = (start,)
    for step in chain:
        reached = tuple(dict.fromkeys(n for name in reached for n in answers(world, HOPS[step], name)))
    return reached


def made(movies: int, people: int, rng: np.random.Generator) -> World:
    """A world of so many movies and people; every movie has one director, one award, one year, some of the rest."""
    names = list(dict.fromkeys(name_of(rng) for _ in range(4 * (movies + people + 4))))
    films, persons = names[:movies], names[movies : movies + people]
    prizes, medals, lands = (
        names[movies + people :][:2],
        names[movies + people + 2 :][:2],
        names[movies + people + 4 :][:2],
    )
    years, births = ([str(low + int(y)) for y in rng.permutation(60)[:2]] for low in (1955, 1900))
    facts = [
        *(Fact("directed", _one(persons, rng), m) for m in films),
        *(Fact("movie_award", m, _one(prizes, rng)) for m in films),
        *(Fact("year", m, _one(years, rng)) for m in films),
        *(Fact(does, p, m) for does in ("wrote", "acted", "produced") for m in films for p in _some(persons, rng)),
        *(Fact("born", p, _one(births, rng)) for p in persons),
        *(Fact("country", p, _one(lands, rng)) for p in persons),
        *(Fact("person_award", p, _one(medals, rng)) for p in persons),
    ]
    order = list(WORDS)
    facts.sort(key=lambda f: order.index(f.relation))
    groups = {r: g[int(rng.integers(len(g)))] for r, g in WORDS.items()}
    told = [_one(groups[f.relation], rng).format(s=f.subject, o=f.object) for f in facts]
    return World(tuple(facts), " ".join(f"{t}." for t in told))


def name_of(rng: np.random.Generator) -> str:
    """A made-up name of two syllables and an end."""
    first = _one(
        ("Bar", "Cal", "Dor", "Fen", "Gar", "Hal", "Jun", "Kes", "Lam", "Mer", "Nor", "Pol", "Tam", "Vex"), rng
    )
    middle = _one(("a", "e", "i", "o", "u", "an", "il", "or"), rng)
    return (
        first + middle + _one(("din", "fort", "gan", "ley", "mond", "nix", "pole", "rick", "son", "thar", "ville"), rng)
    )


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = [(relation, words) for relation, groups in WORDS.items() for group in groups for words in group]
    # the longer wording first: `born in the year {o}` is no `born in {o}`
    found.sort(key=lambda pair: -len(pair[1]))
    return tuple(
        (r, re.compile(re.escape(w).replace(r"\{s\}", r"(?P<s>\S+)").replace(r"\{o\}", r"(?P<o>\S+)")))
        for r, w in found
    )


def _fact(sentence: str) -> Fact:
    for relation, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            return Fact(relation, found["s"], found["o"])
    raise Invalid(f"the sentence {sentence!r} tells no fact in a known wording; see WORDS in tasks/made_up.py.")


def _one(among: Sequence[str], rng: np.random.Generator) -> str:
    return among[int(rng.integers(len(among)))]


def _some(among: Sequence[str], rng: np.random.Generator) -> list[str]:
    """One or two of them."""
    return [among[i] for i in rng.permutation(len(among))[: int(rng.integers(1, 3))]]
