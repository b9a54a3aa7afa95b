"""What is a gate's file? The verdicts of a day, and how those of today stand against them.

{"gate": 1, "recorded": "2026-11-27", "margin": 0.0, "allow": {},
 "subjects": {"echo/laptop": {"kind": "study", "study": "echo", "tier": "laptop", "versions": {"echo": 1}, "code": {…},
              "parts": {"C1": {"kind": "finding", "status": "supported", …}}}}}

A subject is a study at a tier, or a model's card. An id is the subject's name and the part's: `echo/laptop/C1`. The file
is small, sorted and one value a line, to be kept beside the code that it guards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import Any

from ..core import find
from ..core.disk import whole
from ..core.errors import Invalid, Missing, Mistake, Unknown, nearest
from .decline import KINDS, RANKS, Part, Standing, standings

FORM = 1  # of the file; raised when its meaning changes
LIMITS = ("estimate", "low", "high")


@dataclass(frozen=True, slots=True)
class Subject:
    """A study at a tier or a model's card: what was asked, of which code, and its parts by name.

    `lacking` says why a study's part is not measured; such a subject is never recorded, and never passes."""

    kind: str
    tier: str
    study: str = ""
    model: str = ""
    against: str = ""
    studies: tuple[str, ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict[str, int])
    code: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    parts: Mapping[str, Part] = field(default_factory=dict[str, Part])
    lacking: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        """`echo/laptop`, or `py:mine:answer/laptop`."""
        return f"{self.study or self.model}/{self.tier}"

    def words(self) -> str:
        """The options of `unseen gate` that name this subject."""
        told = [f"--study {s}" for s in ([self.study] if self.study else self.studies)]
        told += [f"--model {self.model}"] if self.model else []
        told += [f"--against {self.against}"] if self.against else []
        return " ".join([*told, f"--tier {self.tier}"])


@dataclass(frozen=True, slots=True)
class Baseline:
    """A gate's file: its subjects by name, the margin that scores may fall by, exceptions with their reasons, the day."""

    subjects: Mapping[str, Subject]
    margin: float = 0.0
    allow: Mapping[str, str] = field(default_factory=dict[str, str])
    recorded: str = ""

    def ids(self) -> list[str]:
        """The ids of everything that is gated."""
        return [f"{name}/{part}" for name, one in self.subjects.items() for part in one.parts]


def read(path: Path) -> Baseline:
    """A gate's file. Raises Missing where there is none, Invalid where it holds something else."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Missing(
            f"{path}: there is no such file; `unseen gate {path} --record` records today's verdicts."
        ) from None
    except (OSError, ValueError) as error:
        raise Invalid(
            f"{path} is no gate's file ({_short(error)}); restore it, or record it anew with --record."
        ) from error
    form = told.get("gate") if isinstance(told, dict) else None
    if form != FORM:
        raise Invalid(
            f"{path}: its form is {form!r} and {FORM} is read here; record it anew with --record, or use the version of unseen that wrote it."
        )
    try:
        subjects = {str(name): _subject(one) for name, one in told["subjects"].items()}
        allow = {str(k): str(v) for k, v in told["allow"].items()}
        return Baseline(subjects, float(told["margin"]), allow, str(told["recorded"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(f"{path} is damaged ({_short(error)}); restore it, or record it anew with --record.") from error


def write(held: Baseline, path: Path) -> Path:
    """Write a gate's file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "gate": FORM,
        "recorded": held.recorded,
        "margin": held.margin,
        "allow": dict(held.allow),
        "subjects": {name: _subject_json(one) for name, one in held.subjects.items()},
    }
    whole(path, (json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode())
    return path


def record(seen: Sequence[Subject], *, margin: float = 0.0, onto: Baseline | None = None) -> Baseline:
    """A gate of what was seen today; with `onto`, of its other subjects too, and the exceptions made for them.

    Raises Missing where something of it is not measured: a gate that holds nothing would never fall.
    """
    if lacks := [f"{one.name}: {why}" for one in seen for why in one.lacking.values()]:
        raise Missing(f"nothing was recorded. {' '.join(lacks)}")
    if empty := [one for one in seen if all(p.status == "untested" for p in one.parts.values())]:
        raise Missing(
            f"nothing was recorded: {empty[0].name} has nothing that was judged or scored, so nothing of it could get worse; name another tier."
        )
    new = {one.name: one for one in seen}
    kept = {} if onto is None else {name: one for name, one in onto.subjects.items() if name not in new}
    held = Baseline({**kept, **new}, margin, {}, datetime.now(UTC).strftime("%Y-%m-%d"))
    spared = {} if onto is None else {k: v for k, v in onto.allow.items() if k.startswith(tuple(f"{n}/" for n in kept))}
    return replace(held, allow=spared)


def allowing(held: Baseline, words: Sequence[str]) -> Baseline:
    """The gate with exceptions, each `ID=reason`. Raises Unknown for another id, Invalid without a reason."""
    told = dict(held.allow)
    known = held.ids()
    for word in words:
        name, _, reason = next((word.partition(f"{k}=") for k in known if word.startswith(f"{k}=")), (word, "", ""))
        if name:
            name, equals, _ = word.rpartition("=")
            if word in known or (equals and name in known):
                raise Invalid(f"--allow {word}: say why, such as --allow '{word.rstrip('=')}=a smaller tokenizer'.")
            asked = word.partition("=")[0]
            raise Unknown(f"--allow {asked}: the gate holds no such id{nearest(asked, known)}. Write ID=reason; unseen gate --json prints the ids.")  # fmt: skip
        if not reason.strip():
            raise Invalid(f"--allow {word}: say why, such as --allow '{word}a smaller tokenizer'.")
        told[word[: -len(reason) - 1]] = " ".join(reason.split())
    return replace(held, allow=told)


def stands(held: Baseline, seen: Mapping[str, Subject], margin: float | None = None) -> list[Standing]:
    """How everything that the gate holds of these subjects stands today, by id."""
    found: list[Standing] = []
    for name, now in seen.items():
        was = held.subjects[name]
        blocked = {**now.lacking, **_versions(was, now)}
        if blocked:
            found += _blocked(was, blocked, held.allow)
        of = [slug for slug in was.versions if slug not in blocked]
        parts = [{f"{name}/{k}": p for k, p in one.parts.items() if _study_of(one, k) in of} for one in (was, now)]
        found += standings(parts[0], parts[1], margin=held.margin if margin is None else margin, allow=held.allow)
    return found


def notes(held: Baseline, found: Sequence[Standing], seen: Mapping[str, Subject]) -> list[str]:
    """What is worth knowing though nothing fell: other code than recorded, exceptions that are no longer needed."""
    told: list[str] = []
    for name, now in seen.items():
        was = held.subjects[name]
        moved = [s for s in was.code if s in now.code and sorted(now.code[s]) != sorted(was.code[s])]
        told += [f"{name}: {', '.join(moved)} measured by other code than on {held.recorded}."] if moved else []
    used = {s.id for s in found if s.result == "allowed"}
    idle = [k for k in held.allow if k in {s.id for s in found} and k not in used]
    return told + [f"{k}: its exception is no longer needed." for k in idle]


def _blocked(was: Subject, blocked: Mapping[str, str], allow: Mapping[str, str]) -> list[Standing]:
    """The standings of parts whose study cannot be compared: missing, whatever they were; no exception covers that."""
    return [
        Standing(f"{was.name}/{k}", p.says, "missing", p.text(), "not measured", blocked[_study_of(was, k)])
        for k, p in was.parts.items()
        if _study_of(was, k) in blocked
    ]


def _versions(was: Subject, now: Subject) -> dict[str, str]:
    """Studies of another version than was recorded: their verdicts mean something else."""
    there = {s: find.study(s).version for s in was.versions if s in find.slugs()}
    told = {
        s: f"it was recorded at version {v} of {s}, which is at version {there[s]} now, so the two do not compare; `unseen gate FILE --update {was.words()}` records it anew."
        for s, v in was.versions.items()
        if s in there and there[s] != v
    }
    return told | {s: f"no study is called {s} any more." for s in was.versions if s not in there}


def _study_of(one: Subject, part: str) -> str:
    return one.study or part.split("/")[1]  # axis/study/measure/reference


def _subject_json(one: Subject) -> dict[str, Any]:
    told = asdict(one)
    del told["lacking"]
    parts = {
        name: {k: v for k, v in p.items() if k != "why" and v == v and v != ""} for name, p in told["parts"].items()
    }
    for p in parts.values():  # what is unbounded is left out, as what is not known is
        for k in [k for k in LIMITS if abs(p.get(k, 0.0)) == float("inf")]:
            del p[k]
    return {**{k: v for k, v in told.items() if v}, "parts": parts}


def _subject(told: Mapping[str, Any]) -> Subject:
    parts = {str(k): _part(p) for k, p in told["parts"].items()}
    versions = {str(k): int(v) for k, v in told["versions"].items()}
    code = {str(k): tuple(map(str, v)) for k, v in told.get("code", {}).items()}
    texts = {k: str(told.get(k, "")) for k in ("study", "model", "against")}
    made = Subject(str(told["kind"]), str(told["tier"]), studies=tuple(told.get("studies", ())), **texts)  # fmt: skip
    if not made.study and any(len(k.split("/")) < 4 for k in parts):
        raise ValueError("a card's part is named axis/study/measure/what")
    if strange := [k for k in parts if _study_of(made, k) not in versions]:
        raise ValueError(f"{strange[0]} is of a study without a version")
    return replace(made, versions=versions, code=code, parts=parts)


def _part(told: Mapping[str, Any]) -> Part:
    kind, status = str(told["kind"]), str(told["status"])
    if kind not in KINDS or status not in (*RANKS, "measured"):
        raise ValueError(f"{kind} {status} is nothing that is gated")
    numbers = {k: float(told.get(k, nan)) for k in LIMITS}
    return Part(kind, status, str(told["says"]), **numbers, n=int(told.get("n", 0)))


def _short(error: Exception) -> str:
    return " ".join((str(error) if isinstance(error, Mistake | ValueError) else repr(error)).split())[:160]
