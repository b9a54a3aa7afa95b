"""Where COGS cannot be had: sentences of the same constructions over words of our own, with the same 21 cases.

    'A heron was handed the lamp by Boris .'  ->  'hand ( recipient = heron , theme = * lamp , agent = Boris )'

Each lexical case has a word that training shows in one place only (or alone), and that its split asks for in another.
Training modifies objects alone, and nests clauses and modifiers twice at most; the structural cases do otherwise.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from unseen.core.errors import Unknown, nearest

from .cogs import CASES, Node, Notation, Sentence, Stored, written

Said = tuple[list[str], Node]  # the words of a phrase and its tree

NOUNS = (
    "teacher", "farmer", "pilot", "singer", "tailor", "rabbit", "otter", "falcon", "sparrow", "lamp", "basket",
    "kettle", "melon", "letter", "ladder", "blanket",
)  # fmt: skip
NAMES = ("Anna", "Boris", "Clara", "Diego", "Elif", "Farid", "Greta", "Hugo")
PLACES = ("garden", "kitchen", "crate", "bench", "tower", "boat", "meadow", "attic")
VERBS: Mapping[str, tuple[str, ...]] = {
    "transitive": ("paint", "clean", "pack", "sketch", "visit", "carve"),
    "unaccusative": ("melt", "roll", "float", "crumble", "snap"),
    "unergative": ("laugh", "sneeze", "whistle", "talk", "dance"),
    "dative": ("hand", "mail", "offer", "pass", "serve"),
    "clause": ("claim", "hope", "doubt", "believe", "declare"),
    "infinitive": ("want", "try", "need", "attempt"),
}
# A frame: the class of its verb, whether it is passive, and its roles in order with the word before each.
Roles = tuple[tuple[str, str], ...]
FRAMES: Mapping[str, tuple[str, bool, Roles]] = {
    "transitive": ("transitive", False, (("agent", ""), ("theme", ""))),
    "omitted": ("transitive", False, (("agent", ""),)),
    "passive": ("transitive", True, (("theme", ""), ("agent", "by"))),
    "short passive": ("transitive", True, (("theme", ""),)),
    "unaccusative": ("unaccusative", False, (("theme", ""),)),
    "unaccusative transitive": ("unaccusative", False, (("agent", ""), ("theme", ""))),
    "unergative": ("unergative", False, (("agent", ""),)),
    "pp dative": ("dative", False, (("agent", ""), ("theme", ""), ("recipient", "to"))),
    "do dative": ("dative", False, (("agent", ""), ("recipient", ""), ("theme", ""))),
    "theme passive": ("dative", True, (("theme", ""), ("recipient", "to"), ("agent", "by"))),
    "recipient passive": ("dative", True, (("recipient", ""), ("theme", ""), ("agent", "by"))),
    "infinitive": ("infinitive", False, (("agent", ""), ("xcomp", "to"))),
}
TRAINED_DEPTH, LEAST_DEPTH, MOST_DEPTH = 2, 3, 6  # of clauses and modifiers: trained on at most, tested on
IRREGULAR = {"try": "tried", "study": "studied", "snap": "snapped"}
Place = tuple[str, str]  # a frame, and a role in it ("verb": its verb; "inner": the verb of its infinitive)


@dataclass(frozen=True, slots=True)
class Case:
    """A word held back, the place where training shows it (None: alone), and those where its split asks for it."""

    word: str
    shown: Place | None
    asked: tuple[Place, ...]


OBJECTS: tuple[Place, ...] = (("transitive", "theme"), ("do dative", "theme"), ("pp dative", "recipient"))
SUBJECTS: tuple[Place, ...] = (("transitive", "agent"), ("unergative", "agent"), ("pp dative", "agent"))
LEXICAL: Mapping[str, Case] = {
    "subj_to_obj_common": Case("heron", SUBJECTS[0], OBJECTS),
    "subj_to_obj_proper": Case("Ines", SUBJECTS[0], OBJECTS),
    "obj_to_subj_common": Case("badger", OBJECTS[0], SUBJECTS),
    "obj_to_subj_proper": Case("Jonas", OBJECTS[0], SUBJECTS),
    "prim_to_subj_common": Case("beetle", None, SUBJECTS),
    "prim_to_subj_proper": Case("Karin", None, SUBJECTS),
    "prim_to_obj_common": Case("beetle", None, OBJECTS),
    "prim_to_obj_proper": Case("Karin", None, OBJECTS),
    "prim_to_inf_arg": Case("crawl", None, (("infinitive", "inner"),)),
    "active_to_passive": Case("rescue", ("transitive", "verb"), (("passive", "verb"), ("short passive", "verb"))),
    "passive_to_active": Case("borrow", ("passive", "verb"), (("transitive", "verb"),)),
    "obj_omitted_transitive_to_transitive": Case("study", ("omitted", "verb"), (("transitive", "verb"),)),
    "unacc_to_transitive": Case("crack", ("unaccusative", "verb"), (("unaccusative transitive", "verb"),)),
    "do_dative_to_pp_dative": Case("toss", ("do dative", "verb"), (("pp dative", "verb"),)),
    "pp_dative_to_do_dative": Case("ship", ("pp dative", "verb"), (("do dative", "verb"),)),
    "only_seen_as_transitive_subj_as_unacc_subj": Case("lizard", SUBJECTS[0], (("unaccusative", "theme"),)),
    "only_seen_as_unacc_subj_as_unerg_subj": Case("walrus", ("unaccusative", "theme"), (("unergative", "agent"),)),
    "only_seen_as_unacc_subj_as_obj_omitted_transitive_subj": Case(
        "walrus", ("unaccusative", "theme"), (("omitted", "agent"),)
    ),
}


def twin(n: int = 2_000, each: int = 200, notation: Notation = "variable-free") -> Stored:
    """COGS as sentences made here: n to train on and each word alone, `each` of the reference split and of every case."""
    return Stored(partial(_load, n, each), notation, "cogs-twin")


def reference(rng: np.random.Generator) -> Sentence:
    """A sentence such as those trained on, its form variable-free."""
    frame = _any(rng, tuple(FRAMES))
    deep = int(rng.integers(0, TRAINED_DEPTH + 1)) if rng.random() < 0.3 else 0
    modifiers = int(rng.integers(1, TRAINED_DEPTH + 1)) if rng.random() < 0.3 else 0
    return _sentence(_nested(_clause(rng, frame, behind=modifiers), deep, rng), "in_distribution")


def of_case(name: str, rng: np.random.Generator) -> Sentence:
    """A sentence of one of the 21 cases. Raises Unknown."""
    if name not in CASES:
        raise Unknown(f"COGS has no case {name!r}{nearest(name, CASES)}. Its cases: {', '.join(CASES)}.")
    if name in LEXICAL:
        case = LEXICAL[name]
        said = _clause(rng, *_held(case.word, case.asked[int(rng.integers(len(case.asked)))]))
        return _sentence(_nested(said, int(rng.random() < 0.2), rng), name)
    deep = int(rng.integers(LEAST_DEPTH, MOST_DEPTH + 1))
    if name == "cp_recursion":
        return _sentence(_nested(_clause(rng, _any(rng, tuple(FRAMES))), deep, rng), name)
    frame = "transitive" if rng.random() < 0.5 else "do dative"
    if name == "pp_recursion":
        return _sentence(_clause(rng, frame, behind=deep), name)
    return _sentence(_clause(rng, frame, before=int(rng.integers(1, TRAINED_DEPTH + 1))), name)


def lone(word: str, verb_class: str = "") -> Sentence:
    """A word alone, as COGS writes it: a name is itself, a noun a property, a verb a relation of its roles."""
    if verb_class:
        roles = {"unaccusative": ("theme",), "transitive": ("agent", "theme")}
        told = roles.get(verb_class, ("agent",))
        bound = [chr(ord("a") + i) for i in range(len(told))][::-1]
        terms = " AND ".join(f"{word} . {role} ( e , {v} )" for role, v in zip(told, bound, strict=True))
        lambdas = " . ".join(f"LAMBDA {v}" for v in [*sorted(bound), "e"])
        return Sentence(word, f"{lambdas} . {terms}", "primitive")
    return Sentence(word, word if word[0].isupper() else f"LAMBDA a . {word} ( a )", "primitive")


def past(verb: str) -> str:
    """The past tense and participle of one of our verbs, all of them regular."""
    return IRREGULAR.get(verb) or (f"{verb}d" if verb.endswith("e") else f"{verb}ed")


@lru_cache(maxsize=64)
def _load(n: int, each: int, split: str) -> Sequence[Sentence]:
    rng = np.random.default_rng(zlib.crc32(split.encode()))
    if split == "train":
        return (*_trained(n, rng), *_exposed(rng), *_words())
    seen = set(_load(n, each, "train"))
    found: dict[Sentence, None] = {}
    while len(found) < each:
        made = reference(rng) if split == "test" else of_case(split, rng)
        if made not in seen:
            found[made] = None
    return tuple(found)


def _trained(n: int, rng: np.random.Generator) -> list[Sentence]:
    return [reference(rng) for _ in range(n)]


def _exposed(rng: np.random.Generator) -> list[Sentence]:
    """The one sentence (or word alone) by which training shows each held word."""
    shown = {case.word: case for case in LEXICAL.values()}
    return [
        lone(word, "unergative" if word == "crawl" else "")
        if case.shown is None
        else _sentence(_clause(rng, *_held(word, case.shown)), "exposure")
        for word, case in shown.items()
    ]


def _words() -> list[Sentence]:
    return [
        *(lone(word) for word in (*NOUNS, *NAMES, *PLACES)),
        *(lone(verb, name) for name in ("transitive", "unaccusative", "unergative") for verb in VERBS[name]),
    ]


def _any(rng: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(rng.integers(len(among)))]


def _held(word: str, place: Place) -> tuple[str, Mapping[str, str]]:
    """The frame of a place, and which of its words is given."""
    frame, role = place
    return frame, {role: word}


def _clause(
    rng: np.random.Generator, frame: str, given: Mapping[str, str] | None = None, *, before: int = 0, behind: int = 0
) -> Said:
    """A clause in a frame, with given words for some roles; the subject has `before` modifiers, the last part `behind`."""
    held = given or {}
    verb_class, passive, roles = FRAMES[frame]
    verb = held.get("verb") or _any(rng, VERBS[verb_class])
    said: list[str] = []
    parts: list[tuple[str, Node]] = []
    for i, (role, link) in enumerate(roles):
        said += [link] if link else []
        if role == "xcomp":
            inner = held.get("inner") or _any(rng, VERBS["unergative"])
            words, node = [inner], Node(inner, False, (("agent", parts[0][1]),))
        else:
            modifiers = before if i == 0 else behind if i == len(roles) - 1 else 0
            words, node = _thing(rng, held.get(role), modifiers)
        said += words
        parts.append((role, node))
        if i == 0:
            said += [*(["was"] if passive else []), past(verb)]
    return said, Node(verb, False, tuple(parts))


def _thing(rng: np.random.Generator, word: str | None, modifiers: int) -> Said:
    """A thing or a person with so many modifiers, each of them of the one before."""
    if modifiers == 0 and (word is None and rng.random() < 0.4):
        word = _any(rng, NAMES)
    label = word or _any(rng, NOUNS)
    if label[0].isupper():
        return [label], Node(label)
    definite = bool(rng.random() < 0.5)
    said, node = _modified(rng, modifiers)
    parts = ((f"nmod . {said[0]}", node),) if node else ()
    return ["the" if definite else "a", label, *said], Node(label, definite, parts)


def _modified(rng: np.random.Generator, depth: int) -> tuple[list[str], Node | None]:
    if depth == 0:
        return [], None
    definite, label = bool(rng.random() < 0.5), _any(rng, PLACES)
    said, node = _modified(rng, depth - 1)
    parts = ((f"nmod . {said[0]}", node),) if node else ()
    link = _any(rng, ("in", "on", "beside"))
    return [link, "the" if definite else "a", label, *said], Node(label, definite, parts)


def _nested(said: Said, depth: int, rng: np.random.Generator) -> Said:
    """A clause as what somebody claims that somebody claims …"""
    for _ in range(depth):
        verb = _any(rng, VERBS["clause"])
        words, who = _thing(rng, None, 0)
        said = [*words, past(verb), "that", *said[0]], Node(verb, False, (("agent", who), ("ccomp", said[1])))
    return said


def _sentence(said: Said, kind: str) -> Sentence:
    first, *rest = said[0]
    return Sentence(" ".join([first[0].upper() + first[1:], *rest, "."]), written(said[1]), kind)
