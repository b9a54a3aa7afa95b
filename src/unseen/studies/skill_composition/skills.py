"""Which skills may a text be asked to show, and on which topics? Our own, the published ones, or those of a user's file.

own().skills[0]  ->  Skill("echo", "alliteration", "Three or more words …", "Peter plants pretty …", source="own")

The skills of our own (`own.json`) were written for this study: 24 in six categories, each of which a program decides. The
published ten are Skill-Mix's (Apache-2.0); they are read from the data folder and never copied.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from unseen.core.errors import Invalid, Missing, Unknown, nearest
from unseen.core.lab import Lab

COLUMNS = ("category", "skill", "definition", "example")
WITHDRAWN = ("remove", "in review", "maybe")  # marks of the column status by which a skill is left out
REPOSITORY = "url:https://raw.githubusercontent.com/LeoYu/skill-mix/1cd6880fe7521fa7357cb105d0a35406fae23477/"
FILES: Mapping[str, str] = {
    "skills.csv": "8757270cab3d86008173a5af3bf947240db7064ec49a703421574ccf56cb5350",
    "topics.txt": "34858f5a7f613de6a83a6c637d4cda30b998fce5eeca2f0aabcab784ce9d869b",
}
TRAINED = ("literary", "rhetorical", "echo", "arrangement", "comparison")  # categories of the train pool
POOLS = ("all", "train", "held out")
LONGEST_FILE = 10_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Skill:
    """A named skill of language. `fragment` is a clause that shows it on the topic {t}, where one is written."""

    category: str
    name: str
    definition: str
    example: str
    source: str = "own"
    fragment: str = ""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is to be about. A text is on it if a word begins with one of its stems."""

    name: str
    stems: tuple[str, ...] = ()

    @staticmethod
    def of(name: str) -> Topic:
        """A topic known by its name alone: its stems are the name's longer words, without their endings."""
        long = [w for w in re.findall(r"[a-z]+", name.lower()) if len(w) > 3] or re.findall(r"[a-z]+", name.lower())
        return Topic(name, tuple(re.sub(r"(?<=...)(?:ing|ism|s)$", "", w) for w in long))


@dataclass(frozen=True, slots=True)
class Stock:
    """The skills and topics that combinations are drawn from."""

    skills: tuple[Skill, ...]
    topics: tuple[Topic, ...]

    def pool(self, name: str, trained: Sequence[str] = TRAINED) -> Stock:
        """The part of a pool: skills by category, topics by halves (the even places are trained on)."""
        if name not in POOLS:
            raise Unknown(f"there is no pool {name!r}{nearest(name, POOLS)}. Pools: {', '.join(POOLS)}.")
        if name == "all":
            return self
        first = name == "train"
        skills = tuple(s for s in self.skills if (s.category in trained) == first)
        return replace(self, skills=skills, topics=self.topics[0 if first else 1 :: 2])

    def named(self, names: Sequence[str]) -> tuple[Skill, ...]:
        """The skills of these names, in their order. Raises Unknown for one that is not there."""
        there = {s.name.lower(): s for s in self.skills}
        for name in names:
            if name.lower() not in there:
                raise Unknown(f"no skill is called {name!r}{nearest(name, there)}. Skills: {', '.join(there)}.")
        return tuple(there[name.lower()] for name in names)

    def topic(self, name: str) -> Topic:
        """The topic of that name; one that is not listed is known by its name alone."""
        return next((t for t in self.topics if t.name.lower() == name.lower()), Topic.of(name))


@cache
def own() -> Stock:
    """The skills and topics of our own writing."""
    told = own_file()
    topics = tuple(Topic(t["name"], tuple(t["stems"])) for t in told["topics"])
    return Stock(tuple(Skill(**{"source": "own", **s}) for s in told["skills"]), topics)


@cache
def own_file() -> Mapping[str, list[dict[str, Any]]]:
    """What `own.json` holds: skills, topics, and texts that may be shown before a question, of skills never asked for."""
    return json.loads(Path(__file__).with_name("own.json").read_text(encoding="utf-8"))


def published(lab: Lab | None = None) -> Stock:
    """The ten skills and ten topics that Skill-Mix published. Raises Missing where the files cannot be had."""
    home = lab or Lab.alone()
    paths = {name: home.data(f"skill_mix/{name}", REPOSITORY + name, sha256) for name, sha256 in FILES.items()}
    return Stock(read_skills(paths["skills.csv"], source="published"), read_topics(paths["topics.txt"]))


def stock(source: str, lab: Lab | None = None) -> Stock:
    """The stock of a setting: "own" or "published"."""
    return own() if source == "own" else published(lab)


def read_skills(path: Path, *, source: str = "") -> tuple[Skill, ...]:
    """The skills of a CSV with the columns category, skill, definition and example; others are left aside.

    A skill whose status is remove, in review or maybe is left out, as the released code does. Raises Missing or Invalid,
    naming file, line and column.
    """
    reader = csv.DictReader(_lines(path))
    if lacking := [c for c in COLUMNS if c not in (reader.fieldnames or ())]:
        raise Invalid(f"{path} has no column {lacking[0]!r} (it has {', '.join(reader.fieldnames or ()) or 'none'}); its first line is to be {','.join(COLUMNS)}.")  # fmt: skip
    found: dict[str, Skill] = {}
    for row in reader:
        told = {c: " ".join((row[c] or "").split()) for c in COLUMNS}
        if (row.get("status") or "").strip() in WITHDRAWN:
            continue
        if empty := [c for c in COLUMNS[:3] if not told[c]]:
            raise Invalid(f"{path}, line {reader.line_num}: the column {empty[0]!r} is empty; every skill needs a category, a name and a definition.")  # fmt: skip
        if told["skill"].lower() in found:
            raise Invalid(f"{path}, line {reader.line_num}: the skill {told['skill']!r} stands twice; names are unique, whatever their case.")  # fmt: skip
        found[told["skill"].lower()] = Skill(told["category"], told["skill"], told["definition"], told["example"], source or str(path))  # fmt: skip
    if not found:
        raise Invalid(f"{path} holds no skills; each line below the first is one.")
    return tuple(found.values())


def read_topics(path: Path) -> tuple[Topic, ...]:
    """The topics of a text file, one a line. Raises Missing or Invalid."""
    names = list(dict.fromkeys(line.strip() for line in _lines(path) if line.strip()))
    if not names:
        raise Invalid(f"{path} holds no topics; each line is to be one.")
    return tuple(map(Topic.of, names))


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise Missing(f"there is no file {path}; name a CSV of skills, or a text file of topics.")
    if path.stat().st_size > LONGEST_FILE:
        raise Invalid(f"{path} has {path.stat().st_size:,} bytes; a list of skills or topics has at most {LONGEST_FILE:,}.")  # fmt: skip
    try:
        return path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8.") from None
