"""What is asked? A study: one paper, its settings at three scales, and the claims to be judged.

STUDY = Study(paper=Paper("What Algorithms can Transformers Learn? …", "2310.16028", 2023), axes=("length",), …)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NewType, cast, get_args, get_type_hints

from .errors import Invalid
from .record import Value

if TYPE_CHECKING:
    from .claim import Claim

Tier = Literal["smoke", "laptop", "paper"]
TIERS: tuple[Tier, ...] = get_args(Tier)
Evidence = Literal["twin", "released data", "released outputs", "paper scale", "user data"]
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)  # weakest first
Model = NewType("Model", str)  # a study whose Setting has a field `model: Model` takes a model


@dataclass(frozen=True, slots=True)
class Paper:
    """The paper a study repeats."""

    title: str
    arxiv: str | None
    year: int
    repo: str | None = None

    def __post_init__(self) -> None:
        if self.arxiv is not None and not re.fullmatch(r"\d{4}\.\d{4,5}", self.arxiv):
            raise Invalid(
                f"Paper.arxiv={self.arxiv!r} is not an arXiv number such as 2310.16028; None if there is none."
            )


@dataclass(frozen=True, slots=True)
class Needs:
    """What one trial asks of a machine: minutes on two cores (or its accelerator), cpus, gpus, memory and extras."""

    minutes: float
    cpus: float = 1
    gpus: float = 0
    memory_gb: float = 2
    extras: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("minutes", "cpus", "memory_gb"):
            if not getattr(self, name) > 0:
                raise Invalid(f"Needs.{name}={getattr(self, name)}: it must be above 0.")
        if self.gpus < 0:
            raise Invalid(f"Needs.gpus={self.gpus}: it cannot be negative.")


@dataclass(frozen=True, slots=True)
class Headline:
    """What a card shows of a study: a measure on an axis, its chance level, and which settings it reads."""

    axis: str
    measure: str
    chance: float
    where: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Mark:
    """A number the paper reports, drawn beside ours: a value of a measure, on a scale of ours (fractions 0..1).

    `where` names what it stands for as effects do (fields of settings, `split`, coordinates), `label` who was measured.
    """

    measure: str
    value: float
    where: Mapping[str, Value] = field(default_factory=dict[str, Value])
    label: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """One paper as a set of settings, seeds and claims. `settings` is the only place that knows tiers.

    `rehearse` lowers only the sizes of a paper setting, so that its code path can be run anywhere; `block` is the
    number of seeds that one trial measures together; raise `version` when the meaning of a record changes.
    """

    paper: Paper
    axes: tuple[str, ...]
    settings: Callable[[Tier], Sequence[Any]]
    seeds: Mapping[Tier, int]
    needs: Callable[[Any], Needs]
    evidence: Callable[[Any], Evidence]
    claims: tuple[Claim, ...]
    headlines: tuple[Headline, ...] = ()
    marks: tuple[Mark, ...] = ()
    rehearse: Callable[[Any], Any] | None = None
    version: int = 1
    block: int = 1

    def __post_init__(self) -> None:
        if not self.axes:
            raise Invalid(
                "Study.axes is empty: name the axes along which its test leaves the reference, such as 'length'."
            )
        if missing := [tier for tier in TIERS if self.seeds.get(tier, 0) < 1]:
            raise Invalid(f"Study.seeds gives no seeds for {', '.join(missing)}; every tier needs at least one.")
        if self.block < 1 or self.version < 1:
            raise Invalid(f"Study.block={self.block}, version={self.version}: both are whole numbers from 1.")
        ids = [claim.id for claim in self.claims]
        if twice := sorted({i for i in ids if ids.count(i) > 1}):
            raise Invalid(f"Study.claims: {', '.join(twice)} stands twice; claim ids are unique within a study.")
        if strange := sorted({h.axis for h in self.headlines} - set(self.axes)):
            raise Invalid(f"Study.headlines name {', '.join(strange)}, which Study.axes does not list.")


def tier_of(word: str) -> Tier:
    """The tier of that name. Raises Invalid with the names there are."""
    for tier in TIERS:
        if tier == word:
            return tier
    raise Invalid(f"--tier {word}: there is no such tier; the tiers are {', '.join(TIERS)}.")


def values_of(setting: Any) -> dict[str, Value]:
    """The fields of a setting, checked to be plain values (tuples, never lists)."""
    if not is_dataclass(setting) or isinstance(setting, type):
        raise Invalid(f"a setting is a frozen dataclass instance; this is {setting!r}.")
    found = {f.name: getattr(setting, f.name) for f in fields(setting)}
    for name, value in found.items():
        if not _plain(value):
            raise Invalid(
                f"{type(setting).__name__}.{name}={value!r} is no plain value; use str, int (64 bits), float (finite), bool, None or tuples of them."
            )
    return found


@cache
def model_field(kind: type) -> bool:
    """Whether settings of this class take a model (a field `model: Model`)."""
    return get_type_hints(kind).get("model") is Model


def takes_model(study: Study, tier: Tier) -> bool:
    """Whether any setting of this tier takes a model."""
    return any(model_field(type(s)) for s in study.settings(tier))


def _plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_plain(v) for v in cast("tuple[object, ...]", value))
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str)


def span(seeds: Sequence[object]) -> str:
    """Seeds in words: `3` or `0–4`; empty where there are none."""
    return f"{seeds[0]}–{seeds[-1]}" if len(seeds) > 1 else "".join(map(str, seeds))
