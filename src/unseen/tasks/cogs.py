"""What does a sentence mean whose words are known but not in these places? COGS (Kim and Linzen 2020), its 21 cases.

    sentence       'The boy gave Emma a rose .'
    with variables '* boy ( x _ 1 ) ; give . agent ( x _ 2 , x _ 1 ) AND give . recipient ( x _ 2 , Emma ) AND …'
    variable-free  'give ( agent = * boy , recipient = Emma , theme = rose )'

A variable's number is its word's place in the sentence, so that the two notations say the same beside the sentence and
are turned into each other exactly. A word alone (`touch`, `Emma`) has one form in both. The released files are read;
a twin of them is made in `cogs_twin`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from unseen.core.errors import Invalid
from unseen.core.record import Split
from unseen.core.task import Example, example_id

from .drawn import split_named

Notation = Literal["variables", "variable-free"]

FOLDER = "cogs"  # under $UNSEEN_DATA
RAW = "url:https://raw.githubusercontent.com/"
COGS, MOVED = "29bcfe53d1c2646493dec895e96c719df0cae802", "86c9be5929c3b86b510afdfe56a4df9d5d341ab9"
SLOG = "232c5bad32155e2ae9c1e3d16d1880bdf1556b85"
FILES: Mapping[str, tuple[str, str]] = {  # part -> file, sha256
    "train": ("train.tsv", "220b3804b562c0156ee986eff1bdd15c27e52142549362a64f57baf86e304c78"),
    "dev": ("dev.tsv", "ab66388a309c7ac1ad210c781a6a0ce12281a9ef24619a12422a752cef61bc21"),
    "test": ("test.tsv", "68f8e51e9f6d9cd22d64efe68dd21d7ea5ba327e9a2359481030161aea757035"),
    "gen": ("gen_varfree_lf.tsv", "d1028ee1cba97aea1755d19601014e00c44d227014df8081a5c2765787cacd73"),
}
SOURCES: Mapping[str, str] = {  # the repository of COGS lacks its generalization set; that of SLOG has it
    "train": f"{RAW}najoungkim/COGS/{COGS}/cogs/train.tsv",
    "dev": f"{RAW}najoungkim/COGS/{MOVED}/data/dev.tsv",
    "test": f"{RAW}najoungkim/COGS/{COGS}/cogs/test.tsv",
    "gen": f"{RAW}bingzhilee/SLOG/{SLOG}/generation_scripts/varfree2cogs_converter/cogs_two_formats/gen_varfree_lf.tsv",
}
CASES: Mapping[str, str] = {  # the 21 cases: a known word in a new place, or a known structure in a new place or deeper
    **dict.fromkeys(
        (
            "subj_to_obj_common", "subj_to_obj_proper", "obj_to_subj_common", "obj_to_subj_proper",
            "prim_to_subj_common", "prim_to_subj_proper", "prim_to_obj_common", "prim_to_obj_proper",
            "prim_to_inf_arg", "active_to_passive", "passive_to_active", "obj_omitted_transitive_to_transitive",
            "unacc_to_transitive", "do_dative_to_pp_dative", "pp_dative_to_do_dative",
            "only_seen_as_transitive_subj_as_unacc_subj", "only_seen_as_unacc_subj_as_unerg_subj",
            "only_seen_as_unacc_subj_as_obj_omitted_transitive_subj",
        ),
        "lexical",
    ),
    **dict.fromkeys(("obj_pp_to_subj_pp", "cp_recursion", "pp_recursion"), "structural"),
}  # fmt: skip
# Words that stand for nothing in a form: all others are a variable or a name.
FUNCTION = frozenset(["A", "a", "The", "the", "was", "by", "to", "that", "in", "on", "beside", "."])
ALONE = "LAMBDA"  # how the form of a lone word begins, unless it is the word itself


@dataclass(frozen=True, slots=True)
class Sentence:
    """A row of a file: the sentence, its logical form, and its kind (a case, in_distribution, primitive, exposure_…)."""

    text: str
    form: str
    kind: str


@dataclass(frozen=True, slots=True)
class Node:
    """An event, a thing or a name of a form, with its parts in the order of the sentence: ("agent", Node), …"""

    label: str
    definite: bool = False
    parts: tuple[tuple[str, Node], ...] = ()

    @property
    def event(self) -> bool:
        """Whether it is an event: things have no parts but modifiers."""
        return any(not role.startswith("nmod") for role, _ in self.parts)


def source(part: str) -> str:
    """Where a part of the released data is to be had, for `Lab.data`."""
    return SOURCES[part]


def read(path: Path) -> list[Sentence]:
    """All rows of a released file. Raises Invalid where it is not three columns apart by tabs."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        return [Sentence(*row) for row in rows]
    except (TypeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{path} is no file of COGS: rows are sentence, form and kind, apart by tabs ({error})."
        ) from None


def alone(form: str) -> bool:
    """Whether a form is that of a lone word, which is the same in both notations."""
    return form.startswith(ALONE) or " " not in form


def variable_free(form: str) -> str:
    """The variable-free form of one with variables. Raises Invalid for what is none."""
    return form if alone(form) else written(_from_variables(form))


def with_variables(form: str, sentence: str) -> str:
    """The form with variables of a variable-free one and its sentence, whose places number the variables.

    Raises Invalid where the form's words are not those of the sentence.
    """
    return form if alone(form) else _with_places(parsed(form), sentence)


def written(node: Node) -> str:
    """A tree in variable-free notation."""
    told = " , ".join(f"{role} = {written(part)}" for role, part in node.parts)
    return f"{'* ' if node.definite else ''}{node.label}{f' ( {told} )' if told else ''}"


def parsed(form: str) -> Node:
    """The tree of a variable-free form. Raises Invalid for what is none."""
    words = form.split()
    node, at = _node(words, 0)
    if at != len(words):
        raise Invalid(f"{' '.join(words[at:])!r} stands behind the end of the form {form!r}.")
    return node


def case_splits() -> tuple[Split, ...]:
    """The reference split "test", and one shifted split for each of the 21 cases."""
    return (
        Split("test", "composition", {"case": "none"}),
        *(Split(case, "composition", {"case": kind}, shifted=True) for case, kind in CASES.items()),
    )


@dataclass(frozen=True)
class Stored:
    """COGS as a task in one notation, its sentences read by `load` when the first one is drawn."""

    load: Callable[[str], Sequence[Sentence]]
    notation: Notation = "variable-free"
    name: str = "cogs"
    splits: tuple[Split, ...] = case_splits()

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        """n different sentences of a split. Raises Unknown for a split, Invalid where it has fewer."""
        where = split_named(self, split)
        rows = list(dict.fromkeys(self.load(split)))
        if len(rows) < n:
            raise Invalid(f"cogs has {len(rows)} different sentences on {split!r}, not {n}; ask for fewer.")
        chosen = (rows[i] for i in rng.permutation(len(rows))[:n])
        return [
            Example(example_id(self.name, split, s.text), s.text, in_notation(s, self.notation), where) for s in chosen
        ]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        """`exact`: 1 if the form is right, whatever its white space, else 0."""
        return {"exact": float(answer.split() == example.truth.split())}


def released(path: Callable[[str], Path], notation: Notation = "variable-free") -> Stored:
    """The released sentences; `path(part)` finds the files of `FILES`."""

    def load(split: str) -> Sequence[Sentence]:
        return [s for s in _read_once(path("gen")) if s.kind == split] if split in CASES else _read_once(path(split))

    return Stored(load, notation)


def in_notation(sentence: Sentence, notation: Notation) -> str:
    """A sentence's form in a notation, whichever its row has."""
    plain = "x _ " not in sentence.form
    if notation == "variable-free":
        return sentence.form if plain else variable_free(sentence.form)
    return with_variables(sentence.form, sentence.text) if plain else sentence.form


@lru_cache(maxsize=8)
def _read_once(path: Path) -> Sequence[Sentence]:
    return tuple(read(path))


def _from_variables(form: str) -> Node:
    """The tree of a form with variables."""
    things: dict[str, tuple[str, bool]] = {}
    roles: dict[str, list[tuple[str, str]]] = {}
    inner: set[str] = set()
    for term in re.split(r" ; | AND ", form):
        found = re.fullmatch(r"(\* )?(\S+)((?: \. \S+)*) \( (\S+(?: _ \d+)?)(?: , (\S+(?: _ \d+)?))? \)", term)
        if found is None or bool(found[3]) != bool(found[5]):
            raise Invalid(f"{term!r} is no term of a form with variables, such as `eat . agent ( x _ 1 , Emma )`.")
        star, label, role, head, part = found.groups()
        things.setdefault(head, (label, bool(star)))
        if part:
            roles.setdefault(head, []).append((role.removeprefix(" . "), part))
            inner.add(part)
    top = [head for head in things if head not in inner]
    if len(top) != 1:
        raise Invalid(f"the form {form!r} has {len(top)} terms that are part of no other; it must have one.")

    def tree(head: str) -> Node:
        label, definite = things.get(head, (head, False))
        return Node(label, definite, tuple((role, tree(part)) for role, part in roles.get(head, ())))

    return tree(top[0])


def _with_places(root: Node, sentence: str) -> str:
    """A tree as a form with variables: definite things first, then all terms by the places of their two words."""
    places = _Places(root, sentence)
    things = [(at, places.things[at]) for at in sorted(places.things) if not _name(places.things[at])]
    front = [f"* {n.label} ( x _ {at} )" for at, n in things if n.definite]
    terms = [((at, -1), f"{n.label} ( x _ {at} )") for at, n in things if not n.definite]
    for at, label, role, part, value in places.roles:
        told = value.label if _name(value) else f"x _ {part}"
        terms.append(((at, part), f"{label} . {role} ( x _ {at} , {told} )"))
    return " ; ".join([*front, " AND ".join(term for _, term in sorted(terms))])


def _name(node: Node) -> bool:
    """Whether a node is a person's name, which needs no variable."""
    return not node.parts and not node.definite and node.label[0].isupper()


class _Places:
    """Walks a tree in the order of its sentence: the subject, the verb, the other parts; a thing, then what modifies it.

    things: place -> node; roles: (place, label, role, part's place, part). An infinitive shares its subject with the verb above.
    """

    def __init__(self, root: Node, sentence: str) -> None:
        self.words = [(i, w) for i, w in enumerate(sentence.split()) if w not in FUNCTION]
        self.things: dict[int, Node] = {}
        self.roles: list[tuple[int, str, str, int, Node]] = []
        self.next: Iterator[tuple[int, str]] = iter(self.words)
        self.sentence = sentence
        self.part(root, None)
        if (left := next(self.next, None)) is not None:
            raise Invalid(f"the form says nothing of {left[1]!r} in {sentence!r}.")

    def taken(self, label: str, *, same: bool) -> int:
        """The place of the next word, which is the label itself if `same`."""
        at, word = next(self.next, (-1, ""))
        if at < 0 or (same and word.lower() != label.lower()):
            raise Invalid(f"the form says {label!r} where the sentence {self.sentence!r} says {word!r}.")
        return at

    def thing(self, node: Node) -> int:
        """The place of a thing or name, its modifiers walked too."""
        at = self.taken(node.label, same=True)
        self.things[at] = node
        for role, part in node.parts:
            self.roles.append((at, node.label, role, self.thing(part), part))
        return at

    def event(self, node: Node, shared: int | None) -> int:
        """The place of an event's verb; `shared` is that of a subject that was walked already."""
        (role, subject), *rest = node.parts
        first = self.part(subject, None) if shared is None else shared
        at = self.taken(node.label, same=False)
        self.roles.append((at, node.label, role, first, subject))
        for role, part in rest:
            place = self.part(part, first if role == "xcomp" else None)
            self.roles.append((at, node.label, role, place, part))
        return at

    def part(self, node: Node, shared: int | None) -> int:
        """The place of a part, an event or a thing."""
        return self.event(node, shared) if node.event else self.thing(node)


def _node(words: list[str], at: int) -> tuple[Node, int]:
    """The node that begins at a word, and where it ends."""
    definite = words[at : at + 1] == ["*"]
    at += int(definite)
    if at >= len(words) or words[at] in ("(", ")", ",", "=", "*"):
        raise Invalid(f"a word is missing in the variable-free form {' '.join(words)!r}, at word {at}.")
    label, at = words[at], at + 1
    parts: list[tuple[str, Node]] = []
    if words[at : at + 1] != ["("]:
        return Node(label, definite), at
    while words[at : at + 1] in (["("], [","]):
        end = at + 1 + next((i for i, w in enumerate(words[at + 1 :]) if w == "="), len(words))
        part, after = _node(words, end + 1)
        parts.append((" ".join(words[at + 1 : end]), part))
        at = after
    if words[at : at + 1] != [")"]:
        raise Invalid(f"a bracket is not closed in the variable-free form {' '.join(words)!r}.")
    return Node(label, definite, tuple(parts)), at + 1
