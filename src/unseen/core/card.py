"""How does one model do on what it has not seen? Its profile: per axis the reference, the shifted, and the gap.

length · skills_in_context: exact    reference 0.62 [0.48, 0.75]   shifted 0.08 [0.02, 0.19]   gap −0.54 [−0.69, −0.36]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import sqrt
from typing import Any

import numpy as np

from . import notebook
from .claim import Measured, gap, level, measured, weakest
from .compare import beside, by_side
from .effect import ratio
from .record import Records
from .study import Evidence, Headline, Tier


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95% limits; NaN where nothing could be said."""

    estimate: float
    low: float
    high: float

    def text(self, signed: bool = False) -> str:
        """`0.62 [0.48, 0.75]`, or `–` where nothing could be said."""
        if self.estimate != self.estimate:
            return "–"
        sign = "+" if signed else ""
        if self.low != self.low:
            return f"{self.estimate:{sign}.2f}"
        return f"{self.estimate:{sign}.2f} [{self.low:{sign}.2f}, {self.high:{sign}.2f}]"

    def to_json(self) -> dict[str, float | None]:
        """Plain JSON values; what is not known is null."""
        told = {"estimate": self.estimate, "low": self.low, "high": self.high}
        return {k: v if v == v else None for k, v in told.items()}


def difference(first: Interval, second: Interval) -> Interval:
    """The second minus the first, as of independent samples.

    Square-and-add (Zou and Donner 2008, eq. 3; Newcombe 1998, method 10, where both are fractions): each limit comes from
    the two intervals' own distances on its side, so the asymmetry of limits near 0 and 1 is kept.
    """
    d = second.estimate - first.estimate
    down = sqrt((second.estimate - second.low) ** 2 + (first.high - first.estimate) ** 2)
    up = sqrt((second.high - second.estimate) ** 2 + (first.estimate - first.low) ** 2)
    return Interval(d, d - down, d + up)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one headline of one study says of a model.

    `gap` is shifted minus reference; `curve` holds (coordinate, value, n) along the axis; `change` is this model minus
    the one it was compared against, on the same shifted items (`change_reference` on the reference ones), and `survives`
    the first divided by the second: the part of what was gained on the reference that the shift leaves.
    `formats` holds (name, reference, shifted) for every wording of the prompts, the first of which is the study's own.
    """

    study: str
    axis: str
    measure: str
    chance: float
    reference: Interval
    shifted: Interval
    gap: Interval
    n: int
    evidence: Evidence
    curve: Sequence[tuple[str, float, int]] = ()
    where: Mapping[str, Any] = field(default_factory=dict[str, Any])
    change: Interval | None = None
    change_reference: Interval | None = None
    survives: Interval | None = None
    p: float | None = None
    note: str = ""
    formats: Sequence[tuple[str, float, float]] = ()

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What is the same profile on two cards: axis, study, measure, and where it was measured."""
        return self.axis, self.study, self.measure, json.dumps(dict(self.where), sort_keys=True, default=str)

    def over_formats(self, *, shifted: bool) -> str:
        """The lowest and highest score over the wordings of the prompts, `0.55–0.64 over 3 formats`; empty without any."""
        told = [s if shifted else r for _, r, s in self.formats]
        known = [v for v in told if v == v]
        return f"{min(known):.2f}–{max(known):.2f} over {len(known)} formats" if len(known) > 1 else ""

    def says(self) -> str:
        """The profile in a line: `length · skills_in_context: exact  reference 0.62 [0.48, 0.75]  shifted …  gap …`."""
        parts = {"reference": self.reference.text(), "shifted": self.shifted.text(), "gap": self.gap.text(signed=True)}
        told = "  ".join(f"{name} {text}" for name, text in parts.items())
        return f"{self.axis} · {self.study}: {self.measure}  {told}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        told: dict[str, Any] = {
            "study": self.study,
            "measure": self.measure,
            "chance": self.chance,
            "where": dict(self.where),
            "reference": self.reference.to_json(),
            "shifted": self.shifted.to_json(),
            "gap": self.gap.to_json(),
            "n": self.n,
            "evidence": self.evidence,
            "curve": [{"at": at, "value": value, "n": n} for at, value, n in self.curve],
            "note": self.note,
            "formats": [{"name": name, "reference": r, "shifted": s} for name, r, s in self.formats],
        }
        if self.change is not None and self.change_reference is not None:
            told["change"] = {
                "reference": self.change_reference.to_json(),
                "shifted": self.change.to_json(),
                "survives": None if self.survives is None else self.survives.to_json(),
                "p": self.p,
            }
        return told


@dataclass(frozen=True, slots=True)
class Failure:
    """A row of the owner's that was answered wrong: prompt, right answer, what was said, and the training rows nearest to
    it as (likeness 0..1, prompt, answer)."""

    prompt: str
    answer: str
    said: str
    near: Sequence[tuple[float, str, str]]


@dataclass(frozen=True, slots=True)
class OwnData:
    """What was found of an owner's two files: which test rows the training rows hold (in words, counted, and examples as
    (kind, test prompt, training prompt)), and rows that were answered wrong."""

    train: str
    test: str
    says: str
    counts: Mapping[str, int]
    examples: Sequence[tuple[str, str, str]]
    failures: Sequence[Failure]
    notes: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return json.loads(json.dumps(asdict(self)))


@dataclass(frozen=True)
class Card:
    """The profile of one model over every study that takes one, and over its owner's data: axis -> profiles."""

    model: str
    tier: Tier
    axes: Mapping[str, Sequence[Profile]]
    against: str | None = None
    notes: Sequence[str] = ()
    own: OwnData | None = None

    def _repr_html_(self) -> str:
        return notebook.html(self)

    def to_json(self) -> dict[str, Any]:
        """`{model, tier, axes: {axis: [{study, reference, shifted, gap, n, evidence, curve}]}}`."""
        axes = {axis: [p.to_json() for p in profiles] for axis, profiles in self.axes.items()}
        return {
            "model": self.model,
            "tier": self.tier,
            "against": self.against,
            "axes": axes,
            "notes": list(self.notes),
            **({"own": self.own.to_json()} if self.own else {}),
        }


def profiles(
    slug: str,
    headlines: Sequence[Headline],
    records: Records,
    against: Records | None = None,
    formats: Mapping[str, Records] | None = None,
) -> list[Profile]:
    """One profile for each headline of a study, from one model's records (and those of the model it is held against, and
    its own where the prompts were worded otherwise)."""
    found = [_profile(slug, head, records, against) for head in headlines]
    if not formats:
        return found
    worded = {"as it is": found, **{name: profiles(slug, headlines, its) for name, its in formats.items()}}
    return [
        replace(p, formats=[(n, its[i].reference.estimate, its[i].shifted.estimate) for n, its in worded.items()])
        for i, p in enumerate(found)
    ]


def by_axis(found: Iterable[Profile]) -> dict[str, list[Profile]]:
    """Profiles grouped by axis, in order of first appearance."""
    axes: dict[str, list[Profile]] = {}
    for profile in found:
        axes.setdefault(profile.axis, []).append(profile)
    return axes


def _profile(slug: str, head: Headline, records: Records, against: Records | None) -> Profile:
    """The headline's numbers: the model's own runs on these items, so items are the unit."""
    mine = {"axis": head.axis, **head.where}
    over = _varying(records, head, mine)
    judged = {
        "reference": level(head.measure, **mine, shifted=False),
        "shifted": level(head.measure, **mine, shifted=True),
        "gap": gap(head.measure, {"shifted": True}, {"shifted": False}, **mine),
    }
    told = {name: measured(effect, records, over=over) for name, effect in judged.items()}
    profile = Profile(
        study=slug,
        axis=head.axis,
        measure=head.measure,
        chance=head.chance,
        reference=_interval(told["reference"]),
        shifted=_interval(told["shifted"]),
        gap=_interval(told["gap"]),
        n=told["shifted"].units,
        evidence=weakest(records.columns["evidence"].present()),
        curve=_curve(records, head, mine),
        where=head.where,
        note="; ".join(f"{name}: {one.why}" for name, one in told.items() if one.why),
    )
    return profile if against is None else _changed(profile, head, mine, records, against)


def _interval(told: Measured) -> Interval:
    return Interval(told.estimate, told.low, told.high)


def _varying(records: Records, head: Headline, mine: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields and coordinates that differ among these records: a headline pools them."""
    if any(records.resolve(name) is None for name in mine):
        return ()
    return tuple(records.where(measure=head.measure, **mine).varying("setting", "at."))


def _curve(records: Records, head: Headline, mine: Mapping[str, Any]) -> list[tuple[str, float, int]]:
    """Mean and number of items of every split of the axis, in order of its first numeric coordinate."""
    if any(records.resolve(name) is None for name in mine):
        return []
    found = records.final.where(measure=head.measure, **mine)
    points: list[tuple[tuple[bool, float], str, float, int]] = []
    for name, part in found.by("split").items():
        at = [part.columns[c].present()[0] for c in part.coordinates]
        numbers = [float(v) for v in at if isinstance(v, int | float) and not isinstance(v, bool)]
        value = float(np.average(part.value, weights=part.n))
        first = bool(part.column("shifted")[0]), numbers[0] if numbers else 0.0
        points.append((first, str(name), value, int(np.sum(part.n))))
    return [(name, value, n) for _, name, value, n in sorted(points)]


def _changed(profile: Profile, head: Headline, mine: Mapping[str, Any], records: Records, against: Records) -> Profile:
    """The profile with what changed against the other model, item by item."""
    both = beside(against, records, head.measure)
    over = _varying(both, head, mine)
    changes = {shifted: by_side(head.measure, both, **mine, shifted=shifted) for shifted in (False, True)}
    told = {shifted: measured(effect, both, unit=unit, over=over) for shifted, (effect, unit) in changes.items()}
    part = measured(ratio(changes[True][0], changes[False][0]), both, unit=changes[True][1], over=over)
    changed = replace(
        profile,
        change=_interval(told[True]),
        change_reference=_interval(told[False]),
        survives=_interval(part) if told[False].low > 0 else None,  # nothing survives of what was not gained
        p=told[True].p,
    )
    whys = [f"change: {one.why}" for one in told.values() if one.why]
    return replace(changed, note="; ".join(w for w in (profile.note, *whys) if w))
