"""Which adjectives take -ity and which -ness, how often was each met, and what do people say of new ones?

    Entry("sɛnsɪtɪv", "sensitive", "sensitivity", "ity", "ive", 2_014_402)      as counted in the Pile
    Nonce("pɛpjəlejtɪv", "pepulative", "ive")
    votes["pepulative"]  ->  (4, 7)                                             people for -ity, people for -ness

The released files (MIT licence) are read where they lie and checked; a twin of them is made in `twin.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from unseen.core.errors import Invalid
from unseen.core.lab import Lab

from . import sounds
from .gcm import SUFFIXES, Pair
from .sounds import Sounds

Data = Literal["twin", "released"]
ENDINGS = ("able", "ish", "ive", "ous")
REGULAR: Mapping[str, str] = {"able": "ity", "ish": "ness"}  # the suffix that all words of these endings are to take
FOLDER = "nominalization"  # under $UNSEEN_DATA
REPOSITORY = "url:https://raw.githubusercontent.com/valentinhofmann/llms-adjective-nominalization/"
LAID, TABLE, SURVEY = (  # commits
    "c86e0bcb83477e61a1a4709d2deeb5a4314ad27a",
    "73960557a379d7b635062fbe445a05691560f362",
    "ab57ea998122ac4a575a5321f802f36bdd1afa6d",
)
FILES: Mapping[str, tuple[str, str]] = {  # name under FOLDER -> source, sha256
    "exemplars/able.in": (f"{LAID}/src/gcm/exemplars/able.in", "3dc1acf8196e8bdaf502e3de04e22e21ea0f8024f3cfe1b6bcfb3176b725f1f5"),
    "exemplars/ish.in": (f"{LAID}/src/gcm/exemplars/ish.in", "b481c72c4a171ab2bf9cadb922b7e6e74951adda447fb8f0f980ad0d45c9127b"),
    "exemplars/ive.in": (f"{LAID}/src/gcm/exemplars/ive.in", "9d5b6071613421470f245f1aa8a3d117c7e94ac16cbe1f70d15fc9a985825d9a"),
    "exemplars/ous.in": (f"{LAID}/src/gcm/exemplars/ous.in", "c7cf35f2d91a6f6f4ab268348ee0c2fe89f4ca4073279a128de88ef0adba24cc"),
    "feature_distances.json": (f"{LAID}/src/gcm/feature_distances.json", "3560c0e93ee21439b782592a25676fbdff37136b5fc9b2f406cd3af39841ce1a"),
    "nonce.txt": (f"{LAID}/src/gcm/nonce.txt", "0f4d3bd8f6d5dc2f5fd736ab8104d92b256cb93e2cb17995cc1df0e075b51f27"),
    "table.fea": (f"{TABLE}/src/gcm/table.fea", "51a13c577ae63071fa757693d6d70c66547e713c220a81e76b3cd4533ebb539e"),
    "survey_responses.json": (f"{SURVEY}/data/survey_responses.json", "13156a7ef4a7b8ee0a477ba0528cdb99bb53682880081c7b8ab08cc110061fc8"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """An adjective with one of its derivatives: how it sounds, how both are written, and how often the derivative was met."""

    sounds: str
    base: str
    derivative: str
    suffix: str
    ending: str
    count: int


@dataclass(frozen=True, slots=True)
class Nonce:
    """An adjective that does not exist: how it sounds, how it is written, how it ends."""

    sounds: str
    base: str
    ending: str


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Adjectives with their derivatives, adjectives that do not exist, and what people said of these."""

    sounds: Sounds
    entries: tuple[Entry, ...]
    nonce: tuple[Nonce, ...]
    votes: Mapping[str, tuple[int, int]]  # nonce base -> people for -ity, people for -ness

    @cached_property
    def endings(self) -> tuple[str, ...]:
        """The endings there are."""
        return tuple(e for e in ENDINGS if any(n.ending == e for n in self.nonce))

    def pairs(self, ending: str) -> list[Pair]:
        """What a learner is fitted to: (sounds, suffix, count) of every entry with this ending."""
        return [(e.sounds, e.suffix, e.count) for e in self.entries if e.ending == ending]

    def asked(self, ending: str) -> list[Nonce]:
        """The adjectives that do not exist with this ending."""
        return [n for n in self.nonce if n.ending == ending]

    @cached_property
    def bases(self) -> Mapping[tuple[str, str], tuple[Entry, ...]]:
        """The entries of each (ending, written base): one, or two where both derivatives were met."""
        found: dict[tuple[str, str], list[Entry]] = {}
        for e in self.entries:
            found.setdefault((e.ending, e.base), []).append(e)
        return {key: tuple(held) for key, held in found.items()}


def derivative(base: str, ending: str, suffix: str) -> str:
    """The derivative of a written base: pepulative -> pepulativity, pepulativeness."""
    if suffix == "ness":
        return f"{base}ness"
    made = {"able": ("able", "ability"), "ish": ("ish", "ishity"), "ive": ("ive", "ivity"), "ous": ("ous", "osity")}
    old, new = made[ending]
    if not base.endswith(old):
        raise Invalid(f"{base!r} does not end in -{old}, so its derivative in -{suffix} is not known.")
    return base.removesuffix(old) + new


def ending_of(base: str) -> str:
    """The ending of a written adjective. Raises Invalid for one that has none of the four."""
    for ending in ENDINGS:
        if base.endswith(ending):
            return ending
    raise Invalid(f"{base!r} ends in none of {', '.join(f'-{e}' for e in ENDINGS)}.")


def opened(data: Data, lab: Lab | None = None) -> Lexicon:
    """The released lexicon, or its twin. Raises Missing where the released files cannot be had."""
    if data == "twin":
        from .twin import made

        return made()
    home = lab or Lab.alone()
    return released({name: home.data(f"{FOLDER}/{name}", f"{REPOSITORY}{where}", sha) for name, (where, sha) in FILES.items() if name != "feature_distances.json"})  # fmt: skip


def released(paths: Mapping[str, Path]) -> Lexicon:
    """The lexicon of the released files, by their names. Raises Invalid for a file that is not as they are."""
    return _read(tuple(sorted(paths.items())))


@lru_cache(maxsize=2)
def _read(paths: tuple[tuple[str, Path], ...]) -> Lexicon:
    where = dict(paths)
    spelled = {s: w for w, s in (line.split("\t") for line in _lines(where["nonce.txt"]))}
    entries: list[Entry] = []
    nonce: list[Nonce] = []
    for ending in ENDINGS:
        held, tests = exemplars(where[f"exemplars/{ending}.in"], ending)
        entries += held
        nonce += [Nonce(form, spelled[form], ending) for form in tests]
    return Lexicon(sounds.read(where["table.fea"]), tuple(entries), tuple(nonce), votes(where["survey_responses.json"]))


def exemplars(path: Path, ending: str) -> tuple[list[Entry], list[str]]:
    """The entries and the forms tested on of a file of exemplars. Raises Invalid with the line that is none."""
    lines = _lines(path)
    if "Test forms:" not in lines:
        raise Invalid(f"{path} has no line 'Test forms:', so it is no file of exemplars.")
    cut = lines.index("Test forms:")
    found: list[Entry] = []
    for number, line in enumerate(lines[1:cut], 2):
        parts = line.split("\t")
        if len(parts) != 6 or not parts[2].isdigit() or parts[5] not in SUFFIXES:
            raise Invalid(f"{path}, line {number} is not sounds, derivative's sounds, count, base, derivative, suffix.")
        found.append(Entry(parts[0], parts[3], parts[4], parts[5], ending, int(parts[2])))
    return found, lines[cut + 1 :]


def votes(path: Path) -> dict[str, tuple[int, int]]:
    """How many people were for -ity and for -ness, of each word; who was not asked for it is left out."""
    told: Mapping[str, Mapping[str, str | None]] = json.loads(path.read_text(encoding="utf-8"))
    return {w: tuple(sum(v == s for v in held.values()) for s in SUFFIXES) for w, held in told.items()}  # type: ignore[misc]


def followed(entries: Sequence[Entry]) -> str:
    """The suffix of the derivative that was met most; -ness where both were met as often."""
    return max(entries, key=lambda e: (e.count, e.suffix == "ness")).suffix


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
