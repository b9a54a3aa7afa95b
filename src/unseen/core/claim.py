"""What does a paper claim, and does it hold here? Claims, regions, and the verdict on records.

judge(Claim("C1", "…", reported="0.9", source="paper", effect=level("exact", shifted=True), expect=above(0.5)), records, "laptop").status
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Literal, get_args

import numpy as np

from . import notebook
from .cells import word_of
from .effect import (
    Effect,
    Linear,
    Rank,
    Units,
    Untested,
    Want,
    at_matched,
    gap,
    level,
    minus,
    one_of,
    rank,
    ratio,
    slope,
    steps_to,
)
from .errors import Invalid
from .interval import count_of, interval_of, point_of, too_few
from .record import Records, Value
from .stats import Limits, holm, mcnemar, smallest_alpha, unseen_share
from .study import EVIDENCE, Evidence, Study, Tier

__all__ = [
    "Claim", "Effect", "Linear", "Measured", "Region", "Units", "Verdict", "above", "at_matched", "below", "between",
    "gap", "judge", "judge_study", "level", "measured", "minus", "off_floor", "one_of", "rank", "ratio", "slope", "steps_to",
]  # fmt: skip

Status = Literal["supported", "refuted", "undecided", "untested"]
STATUSES: tuple[Status, ...] = get_args(Status)
EXACT = "exact"  # the unit of a number that is worked out


def tally(statuses: Iterable[str]) -> dict[str, int]:
    """How often each status occurs, in the order of STATUSES, those that do: {"supported": 5, "untested": 1}."""
    counts = Counter(statuses)
    return {s: counts[s] for s in STATUSES if counts[s]}


@dataclass(frozen=True, slots=True)
class Region:
    """Where a claim says the effect lies: a closed interval."""

    low: float = -inf
    high: float = inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise Invalid(f"Region({self.low}, {self.high}): the low edge must not lie above the high one.")

    def __str__(self) -> str:
        if self.high == inf:
            return f"above {self.low:g}"
        return f"below {self.high:g}" if self.low == -inf else f"between {self.low:g} and {self.high:g}"


def above(x: float) -> Region:
    """The region from x up."""
    return Region(low=x)


def below(x: float) -> Region:
    """The region from x down."""
    return Region(high=x)


def between(a: float, b: float) -> Region:
    """The region from a to b."""
    return Region(a, b)


def off_floor(measure: str, chance: float, **where: Want) -> tuple[Effect, Region]:
    """The precondition that the reference was learned: its level above chance + (1 − chance)/10."""
    return level(measure, **{"shifted": False, **where}), above(chance + (1 - chance) / 10)


@dataclass(frozen=True, slots=True)
class Claim:
    """One inequality of a paper: an effect and the region where the paper says it lies.

    `unit` is what one would draw anew: "seed" (runs like these), "item" (new items for these very models), the name of
    a coordinate, or "exact" (nothing: the number is worked out, and every run has the same). `over` lists what may be
    averaged though it differs. `given` are preconditions of the runs in hand.
    """

    id: str
    says: str
    reported: str
    source: Literal["paper", "code", "recalled"]
    effect: Effect
    expect: Region
    tiers: tuple[Tier, ...] = ("laptop", "paper")
    unit: str = "seed"
    over: tuple[str, ...] = ()
    where: str = ""
    given: tuple[tuple[Effect, Region], ...] = ()
    kind: Literal["finding", "control", "audit"] = "finding"

    def __post_init__(self) -> None:
        if self.expect == Region():
            raise Invalid(f"{self.id}: its region is the whole line, so nothing could refute it; give it an edge.")
        if isinstance(self.effect, Rank) and (why := _pointless(self.expect, (-1.0, 1.0))):
            raise Invalid(f"{self.id}: {why}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the records say of a claim, with the interval and the reason."""

    claim: Claim
    tier: Tier
    status: Status
    evidence: Evidence = "twin"
    estimate: float = nan
    low: float = nan
    high: float = nan
    p: float = nan
    holm: float = nan
    units: int = 0
    detectable: float | None = None
    why: str = ""

    def __str__(self) -> str:
        found = f"{self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}], expected {self.claim.expect}."
        return f"{self.claim.id} {self.status}: {self.claim.says} {found} {self.why}"

    def _repr_html_(self) -> str:
        return notebook.html(self)


def judge(claim: Claim, records: Records, tier: Tier) -> Verdict:
    """The verdict on one claim. Nothing is raised for records that cannot decide: `untested` or `undecided` says why."""
    blank = Verdict(claim, tier, "untested", weakest(records.columns["evidence"].present()))
    if tier not in claim.tiers:
        return replace(blank, why=f"this claim is judged at tier {' or '.join(claim.tiers)}.")
    checked: list[str] = []
    used: list[str] = []
    for effect, region in claim.given:
        found = _precondition(effect, region, claim, records)
        told = f"{effect} {found.why}" if found.why else str(effect)
        if found.status != "supported":
            return replace(blank, why=f"precondition not met: {told.rstrip('.')}.")
        checked.append(told)
        used.append(found.evidence)
    units = _units(claim.effect, records, claim.unit, claim.over)
    if isinstance(units, str):
        return replace(blank, why=units)
    verdict = _decide(claim, units, replace(blank, evidence=weakest([*units.evidence, *used])))
    given = f"given {'; '.join(checked)}." if checked else ""
    return replace(verdict, why=" ".join(w for w in (verdict.why, given) if w))


def judge_study(study: Study, records: Records, tier: Tier, *, swept: Sequence[str] = ()) -> list[Verdict]:
    """The verdicts on all claims of a study, with Holm's p over its judged findings.

    With `swept` fields (exploratory plans), every claim is judged once for each combination of their values, as if
    every arm that does not name the field named that value.
    """
    found: list[Verdict] = []
    for chosen, part in records.apart(swept):
        verdicts = [judge(c, part, tier) for c in study.claims]
        told = ", ".join(f"{k}={v}" for k, v in chosen.items())
        found += _with_holm([replace(v, why=f"[{told}] {v.why}") if told else v for v in verdicts])
    return found


@dataclass(frozen=True, slots=True)
class Measured:
    """An effect with no claim about it: estimate, 95% limits (NaN where there are none), p against 0, units, and why
    something is lacking."""

    estimate: float = nan
    low: float = nan
    high: float = nan
    p: float = nan
    units: int = 0
    why: str = ""


def measured(effect: Effect, records: Records, *, unit: str = "item", over: tuple[str, ...] = ()) -> Measured:
    """An effect's estimate with its interval and the p at which it differs from 0."""
    units = _units(effect, records, unit, over)
    if isinstance(units, str):
        return Measured(why=units)
    at, m, n = interval_of(units, unit), float(point_of(units)), count_of(units, unit)
    found = at(0.05)
    if found is None:
        return Measured(m, units=n, why=f"too few {word_of(unit)} ({n}).")
    status_at = _statuses(above(0.0), units, unit)
    p, exact = smallest_alpha(lambda alpha: status_at(alpha) != "undecided"), _exact_p(units, unit)
    return Measured(m, *_agreeing(_clipped(found, units), p, exact), max(p, exact), n)


def _units(effect: Effect, records: Records, unit: str, over: tuple[str, ...]) -> Units | str:
    """An effect's units, or why there are none."""
    try:
        units = effect.per_unit(records, "seed" if unit == EXACT else unit, over)
    except Untested as error:
        return str(error)
    return units.missing or units


def _with_holm(verdicts: Sequence[Verdict]) -> list[Verdict]:
    drawn = [i for i, v in enumerate(verdicts) if v.claim.kind == "finding" and v.claim.unit != EXACT]
    family = [i for i in drawn if verdicts[i].status != "untested"]
    adjusted = holm(np.array([1.0 if np.isnan(verdicts[i].p) else verdicts[i].p for i in family]))
    told = dict(zip(family, adjusted.tolist(), strict=True))
    return [replace(v, holm=told[i]) if i in told else v for i, v in enumerate(verdicts)]


def _precondition(effect: Effect, region: Region, claim: Claim, records: Records) -> Verdict:
    """What the runs in hand say of a precondition: item noise counts, run-to-run noise does not. Values without items
    are judged by the estimate alone."""
    blank = Verdict(claim, "laptop", "untested")
    over = claim.over if claim.unit in ("seed", "item", EXACT) else (*claim.over, claim.unit)
    units = _units(effect, records, "item", over)
    if isinstance(units, str):
        return replace(blank, why=f"has no value: {units}")
    asked = replace(claim, effect=effect, expect=region, unit="item", given=())
    found = _decide(asked, units, replace(blank, claim=asked, evidence=weakest(units.evidence)))
    told = f"is {found.estimate:.3g}"
    if not np.isnan(found.low):
        told += f" [{found.low:.3g}, {found.high:.3g}]"
    elif found.status == "untested" and not units.items:
        inside = region.low <= found.estimate <= region.high
        found = replace(found, status="supported" if inside else "refuted")
    if units.runs.size:
        told += f", lowest run {units.runs.min():.3g}"
    return replace(found, why=f"{told}, to be {region}")


def _decide(claim: Claim, units: Units, blank: Verdict) -> Verdict:
    """The verdict that the units lead to, where there is an interval to judge by (VERDICTS.md section 6)."""
    n, unit = count_of(units, claim.unit), claim.unit
    blank = replace(blank, estimate=float(point_of(units)), units=n)
    if why := _pointless(claim.expect, _range(units)):
        return replace(blank, why=why)
    if unit == EXACT:
        return _worked_out(claim, units, blank)
    at = interval_of(units, unit)
    found = at(0.05)
    if found is None and unit == "item" and not units.items:
        return replace(blank, why="no items were kept, so new items cannot be the unit.")
    few = f"{n} {word_of(unit)} are too few; {units.least} are needed." if too_few(units, unit) else ""
    blank = replace(blank, status="undecided", why=few)
    if found is None:
        return blank
    low, high = _clipped(found, units)
    shown = replace(blank, low=low, high=high)
    if few:
        return replace(shown, why=f"{few} The interval is that of the items in hand.")
    if low == high and units.cells is None:
        return replace(shown, why=f"all {n} {word_of(unit)} gave exactly {shown.estimate:.6g}.")
    half = float(found[1] - found[0]) / 2
    shown = replace(shown, detectable=1.5 * half if half < inf else None)
    return _decided(shown, units)


def _worked_out(claim: Claim, units: Units, blank: Verdict) -> Verdict:
    """The verdict on an exact number: it lies where it lies. Untested where runs differ in it."""
    value, runs = blank.estimate, units.runs
    if runs.size and np.ptp(runs) > 1e-9 * max(1.0, abs(value)):
        told = f"runs differ in it ({runs.min():.6g} to {runs.max():.6g}), so it is no exact number."
        return replace(blank, why=told)
    inside = claim.expect.low <= value <= claim.expect.high
    shown = replace(blank, status="supported" if inside else "refuted", low=value, high=value, units=1)
    return replace(shown, why="worked out, not sampled: nothing would be drawn anew.")


def _decided(shown: Verdict, units: Units) -> Verdict:
    """The verdict with its status, p and why; at an edge of 0 no surer than McNemar's exact test."""
    region, found, unit = shown.claim.expect, (shown.low, shown.high), shown.claim.unit
    status_at = _statuses(region, units, unit)
    p = smallest_alpha(lambda alpha: status_at(alpha) != "undecided")
    if 0.0 in (region.low, region.high):
        exact = _exact_p(units, unit)
        found, p = _agreeing(found, p, exact), max(p, exact)
    status = status_at(0.05) if p <= 0.05 else "undecided"
    shown = replace(shown, status=status, p=p, low=found[0], high=found[1])
    return replace(shown, why=_why(shown, units))


def _statuses(region: Region, units: Units, unit: str) -> Callable[[float], Status]:
    """alpha -> the status that the interval at alpha leads to."""
    at = interval_of(units, unit, [e for e in (region.low, region.high) if abs(e) < inf])

    def status(alpha: float) -> Status:
        found = at(alpha)
        return "undecided" if found is None else _status(_clipped(found, units), region, _range(units))

    return status


def _status(found: tuple[float, float], region: Region, ends: tuple[float, float]) -> Status:
    """Where the interval lies; an edge at or beyond an end never binds."""
    low, high = found
    binds_low, binds_high = region.low > ends[0], region.high < ends[1]
    if (binds_low and high < region.low) or (binds_high and low > region.high):
        return "refuted"
    inside = (not binds_low or low > region.low) and (not binds_high or high < region.high)
    return "supported" if inside else "undecided"


def _range(units: Units) -> tuple[float, float]:
    """Where the effect can lie at all."""
    if units.rule == "rank":
        return -1.0, 1.0
    a, b = units.ends if units.rule == "mean" and units.ends is not None else (-inf, inf)
    return float(a), float(b)


def _clipped(found: Limits, units: Units) -> tuple[float, float]:
    a, b = _range(units)
    return max(float(found[0]), a), min(float(found[1]), b)


def _pointless(region: Region, ends: tuple[float, float]) -> str:
    """Why a region says nothing of an effect with these ends; empty when it does."""
    kind = "a fraction" if ends == (0.0, 1.0) else f"an effect between {ends[0]:g} and {ends[1]:g}"
    if region.low <= ends[0] and region.high >= ends[1]:
        return f"{region} always holds of {kind}."
    return f"{region} cannot hold of {kind}." if region.low >= ends[1] or region.high <= ends[0] else ""


def _exact_p(units: Units, unit: str) -> float:
    """McNemar's p where two models were asked the same items once each, and were right or wrong; 0 elsewhere."""
    if unit != "item" or units.pairs is None or len(units.tables) != 1 or units.of_items:
        return 0.0
    d = units.tables[0].x
    return mcnemar(int(np.sum(d > 0)), int(np.sum(d < 0))) if np.all(np.isin(d, (-1, 0, 1))) else 0.0


def _agreeing(found: tuple[float, float], p: float, exact: float) -> tuple[float, float]:
    """The interval widened to 0 where the exact test does not reject though the interval would."""
    return (min(found[0], 0.0), max(found[1], 0.0)) if p <= 0.05 < exact else found


def _why(shown: Verdict, units: Units) -> str:
    claim, told = shown.claim, ""
    if shown.status == "undecided":
        told = f"the interval reaches across the edge of the region ({claim.expect})."
        if shown.detectable is not None and claim.expect.high - claim.expect.low < 2 * shown.detectable:
            told += " The region is narrower than twice what can be detected here, so it can hardly be supported."
        if shown.high - shown.low == inf and units.rule == "ratio":
            told += " The denominator cannot be told from 0."
    elif claim.unit == "seed" and shown.units < 30 and _one_side(shown, units):
        n = shown.units
        told = f"{n} of {n} runs; a kind of run rarer than {unseen_share(n):.0%} could still be unseen."
    return told


def _one_side(shown: Verdict, units: Units) -> bool:
    """Whether every run by itself lies on the verdict's side."""
    region, v = shown.claim.expect, units.runs
    inside = (v >= region.low) & (v <= region.high)
    return bool(len(v) and np.all(inside if shown.status == "supported" else ~inside))


def weakest(told: Sequence[Value]) -> Evidence:
    """The weakest kind of evidence among these; a twin where none is named."""
    return EVIDENCE[min((i for i, e in enumerate(EVIDENCE) if e in told), default=0)]
