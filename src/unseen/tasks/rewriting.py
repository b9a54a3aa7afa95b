"""Can a rule be followed that was never trained on? One step of a Markov algorithm: the leftmost x in z becomes y.

prompt 'a b -> c d : e a b f a b >', truth 'e c d f a b'        place 1, 2 occurrences
prompt 'a b -> c d : e f e f b a >', truth 'e f e f b a'        the rule does not apply
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Batch, Example, example_id

from .drawn import no_split, split_named
from .layout import FIRST, PAD, SEP, SPECIAL, TRIES, Drawn, assembled, packed, words_of
from .rewriting_rules import ALPHABET, NEW, Rules, Taught, World, counts, marks, mixed, rules_of
from .rewriting_strings import Domain, Letters, Rewritten, planted, rewritten, without

ARROW, COLON = FIRST, FIRST + 1
MARKS = ("->", ":")
OFFSET = FIRST + len(MARKS) - 1  # what makes a letter, counted from 1, a token


@dataclass(frozen=True, eq=False)
class Asked:
    """Questions: left [item letter], right [item letter] and strings [item place], padded with 0."""

    left: Letters
    right: Letters
    strings: Letters

    def take(self, index: NDArray[np.intp]) -> Asked:
        """The questions at these positions."""
        return Asked(self.left[index], self.right[index], self.strings[index])

    def told(self) -> Rewritten:
        """The answers."""
        return rewritten(self.left, self.right, self.strings)


@dataclass(frozen=True, eq=False)
class Source:
    """Where a split's questions come from: its rules, whether they apply, and the strings' shortest and longest length."""

    rules: Rules
    applies: bool
    length: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Rewriting:
    """A TokenTask of one world: trained on the examples of `taught` alone, tested on new strings, rules and domains.

    `examples` are those taught, `rules` the rules taught in the order of their frequency; `muddled`: in training,
    questions have each other's answers.
    """

    name: str
    world: World
    splits: tuple[Split, ...]
    sources: Mapping[str, Source]
    rules: Rules
    examples: Asked
    muddled: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens' texts [vocab]."""
        return words_of(MARKS, ALPHABET[: self.world.alphabet])

    @property
    def vocab(self) -> int:
        """The number of tokens, padding counted."""
        return len(self.words)

    def longest(self, split: str) -> int:
        """The most tokens that a sequence of this split has, marks included."""
        most = (self.world if split == "train" else self._source(split)).length[1]
        low, high = self.world.sides
        return 2 * high + len(MARKS) + 2 * most + (high - low) + 3

    def asked(self, split: str, n: int, rng: np.random.Generator) -> Asked:
        """n questions of a split; of "train", examples taught, each equally likely."""
        if split == "train":
            return self.examples.take(rng.integers(0, len(self.examples.left), n))
        source, alphabet = self._source(split), self.world.alphabet
        rule = rng.integers(0, len(source.rules), n)
        left, lengths = source.rules.left[rule], rng.integers(source.length[0], source.length[1] + 1, n)
        make = planted if source.applies else without
        return Asked(left, source.rules.right[rule], make(left, lengths, alphabet, rng))

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        """n sequences of a split as tokens [n length], with the mask of their answers: 100,000 take less than a second."""
        asked = self.asked(split, n, rng)
        out = asked.told().out
        if self.muddled and split == "train":
            out = out[rng.permutation(n)]
        return tokens(asked, out)

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n examples with distinct prompts, each with its rule, place, occurrences and lengths; fewer where the split
        holds fewer. `familiar`, of new rules, is what the commonest trained rule with the same left side would write."""
        found: dict[str, Example] = {}
        for _ in range(TRIES):
            for example in self._examples(split, self.asked(split, n, rng)):
                if len(found) < n:
                    found.setdefault(example.prompt, example)
            if len(found) >= n:
                break
        return list(found.values())

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the whole answer is right, whatever its white space, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}

    def memorised(self, asked: Asked) -> Letters:
        """What the commonest trained rule with the same left side, but another right one, would write [item place]; rows
        of 0 where there is none or the rule does not apply."""
        known, first = np.unique(marks(self.rules.left), return_index=True)
        side = marks(asked.left)
        at = np.minimum(np.searchsorted(known, side), len(known) - 1)
        right = self.rules.right[first[at]]
        there = (known[at] == side) & np.any(right != asked.right, axis=1) & (asked.told().place >= 0)
        return np.where(there[:, None], rewritten(asked.left, right, asked.strings).out, 0)

    def _examples(self, split: str, asked: Asked) -> list[Example]:
        where = split_named(self, split, Split("train", "task"))
        told, memorised = asked.told(), self.memorised(asked)
        if where.at.get("novel") != "rules":
            memorised = np.zeros_like(memorised)
        found: list[Example] = []
        sides = [
            [_text(side) for side in part] for part in (asked.left, asked.right, asked.strings, told.out, memorised)
        ]
        for i, (left, right, string, truth, familiar) in enumerate(zip(*sides, strict=True)):
            prompt = f"{left} {MARKS[0]} {right} {MARKS[1]} {string} {SPECIAL[SEP]}"
            at = {
                "rule": f"{left} {MARKS[0]} {right}",
                "left": len(left.split()),
                "right": len(right.split()),
                "letters": len(string.split()),
                "place": int(told.place[i]),
                "occurrences": int(told.occurrences[i]),
            }
            found.append(Example(example_id(self.name, split, prompt), prompt, truth, where, familiar or None, at))
        return found

    def _source(self, split: str) -> Source:
        if split not in self.sources:
            raise no_split(self.name, split, self.sources)
        return self.sources[split]


def tokens(asked: Asked, out: Letters) -> Batch:
    """`<s> x -> y : z > out </s>` of each question, padded with 0, with the mask of the answers."""
    n = len(asked.left)
    left, right, strings, answer = (
        np.where(part > 0, part + OFFSET, PAD) for part in (asked.left, asked.right, asked.strings, out)
    )
    parts = (left, np.full((n, 1), ARROW), right, np.full((n, 1), COLON), strings)
    whole = all(part.all() for part in parts)
    return assembled(Drawn(np.concatenate(parts, axis=1) if whole else packed(*parts), answer))


def _text(letters: Letters) -> str:
    return " ".join(ALPHABET[i - 1] for i in letters.tolist() if i)


def interpret(prompt: str) -> str:
    """The answer to a prompt as text, by Python's own `str.replace`: the program of this task.

    Raises Invalid for a prompt that is not `x -> y : z >`, letters parted by spaces.
    """
    rule, colon, string = prompt.removesuffix(SPECIAL[SEP]).partition(MARKS[1])
    left, arrow, right = rule.partition(MARKS[0])
    x, y, z = ("".join(part.split()) for part in (left, right, string))
    if not colon or not arrow or not x or not (x + y + z).isalpha():
        raise Invalid(f"{prompt!r} is no prompt of rewriting; one is 'a b -> c d : e a b f >'.")
    return " ".join(z.replace(x, y, 1))


def rewriting(
    world: World, taught: Taught, *, asked: Sequence[Domain] = ("free",), longer: int = 0, tested: int = 400
) -> Rewriting:
    """The task of a world and of what is taught in it, tested on at most `tested` held-out rules of each asked domain.

    Reference: new strings for the rules taught, domain by domain. Shifted: rules that were never taught, or whose left
    side never was (axis "task"; "domain" where nothing of their domain was taught); strings of `longer` letters (axis
    "length"); and strings to which the rule does not apply (axis "task", where no such examples were taught).
    """
    rules, domain = mixed(world, taught)
    known = [Rules(rules.left[domain == j], rules.right[domain == j]) for j in range(len(taught.domains))]
    made = [*_reference(world, taught, known, longer), *_shifted(world, taught, asked, tested)]
    sources = {split.name: source for split, source in made}
    return Rewriting("rewriting", world, tuple(s for s, _ in made), sources, rules, examples(world, taught, rules))


def examples(world: World, taught: Taught, rules: Rules) -> Asked:
    """The examples taught [item]: those of a rule lie together, and a share `idle` of all, anywhere, has no left side."""
    rng = np.random.default_rng((world.seed, len(rules), taught.total))
    rule = np.repeat(np.arange(len(rules)), counts(len(rules), taught.total, taught.alpha))
    lengths = rng.integers(world.length[0], world.length[1] + 1, taught.total)
    strings = np.zeros((taught.total, int(lengths.max())), np.int64)
    order = rng.permutation(taught.total)
    idle, busy = np.split(order, [round(taught.idle * taught.total)])
    for at, make in ((idle, without), (busy, planted)):
        if len(at):
            made = make(rules.left[rule[at]], lengths[at], world.alphabet, rng)
            strings[at, : made.shape[1]] = made
    return Asked(rules.left[rule], rules.right[rule], strings)


Made = tuple[Split, Source]


def _reference(world: World, taught: Taught, known: Sequence[Rules], longer: int) -> Iterator[Made]:
    for domain, rules in zip(taught.domains, known, strict=True):
        at = {"novel": "nothing", "asked": domain}
        yield Split(f"trained rules, {domain}", "task", {**at, "applies": True}), Source(rules, True, world.length)
        idle = Split(f"trained rules, {domain}, idle", "task", {**at, "applies": False}, not taught.idle)
        yield idle, Source(rules, False, world.length)
    if longer:
        if longer <= world.length[1]:
            raise Invalid(
                f"longer={longer}: strings of {world.length[1]} letters are trained on; longer ones are asked."
            )
        at = {"novel": "length", "asked": taught.domains[0], "applies": True}
        yield (
            Split(f"longer strings, {taught.domains[0]}", "length", at, True),
            Source(known[0], True, (longer, longer)),
        )


def _shifted(world: World, taught: Taught, asked: Sequence[Domain], tested: int) -> Iterator[Made]:
    for domain in asked:
        axis = "task" if domain in taught.domains else "domain"
        for fate in NEW:
            novel = fate.removeprefix("new ")
            rules = rules_of(world, domain, fate, tested, fewer=True)
            at = {"novel": novel, "asked": domain}
            yield Split(f"{fate}, {domain}", axis, {**at, "applies": True}, True), Source(rules, True, world.length)
            if novel == "rules":
                idle = Split(f"{fate}, {domain}, idle", axis, {**at, "applies": False}, True)
                yield idle, Source(rules, False, world.length)
