"""What does a paper claim, and does it hold here? Claims, regions, and the verdict on records.

judge(Claim("C1", "…", reported="0.9", source="paper", effect=level("exact", shifted=True), expect=above(0.5)), records, "laptop").status
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf, nan
from typing import Literal

import numpy as np

from .effect import (
    Effect,
    Linear,
    Rank,
    Units,
    Untested,
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
from .interval import interval_of, lowest, point_of, unit_count, width_of
from .record import Records, Value
from .stats import holm, mcnemar, smallest_alpha, unseen_share
from .study import EVIDENCE, Evidence, Study, Tier

__all__ = [
    "Claim", "Effect", "Linear", "Region", "Units", "Verdict", "above", "at_matched", "below", "between", "estimated",
    "gap", "judge", "judge_study", "level", "minus", "off_floor", "one_of", "rank", "ratio", "slope", "steps_to",
]  # fmt: skip

Status = Literal["supported", "refuted", "undecided", "untested"]


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


def off_floor(measure: str, chance: float, **where: Value | frozenset[Value]) -> tuple[Effect, Region]:
    """The precondition that the reference was learned: its level above chance + (1 − chance)/10."""
    return level(measure, **{"shifted": False, **where}), above(chance + (1 - chance) / 10)


@dataclass(frozen=True, slots=True)
class Claim:
    """One inequality of a paper: an effect and the region where the paper says it lies.

    `unit` is what one would draw anew: "seed" (runs like these), "item" (new items for these very models) or the name
    of a coordinate. `over` lists what may be averaged though it differs. `given` are preconditions of the runs in hand.
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
        if isinstance(self.effect, Rank) and (why := _impossible(self.expect, (-1.0, 1.0), "a rank correlation")):
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
        return f"{self.claim.id} {self.status}: {self.claim.says} {self.estimate:.3g} [{self.low:.3g}, {self.high:.3g}], expected {self.claim.expect}. {self.why}"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p><b>{escape(self.claim.id)} {escape(self.status)}</b> {escape(str(self))}</p>"


def judge(claim: Claim, records: Records, tier: Tier) -> Verdict:
    """The verdict on one claim. Nothing is raised for records that cannot decide: `untested` or `undecided` says why."""
    if tier not in claim.tiers:
        return Verdict(claim, tier, "untested", why=f"this claim is judged at tier {' or '.join(claim.tiers)}.")
    checked: list[str] = []
    for effect, region in claim.given:
        passed, told = _precondition(effect, region, claim, records)
        if not passed:
            return Verdict(claim, tier, "untested", _weakest(records), why=f"precondition not met: {told}.")
        checked.append(told)
    try:
        units = claim.effect.per_unit(records, claim.unit, claim.over)
    except Untested as error:
        return Verdict(claim, tier, "untested", _weakest(records), why=str(error))
    if units.missing:
        return Verdict(claim, tier, "untested", _evidence(units), why=units.missing)
    verdict = _decide(claim, units, tier)
    given = f"given {'; '.join(checked)}" if checked else ""
    return replace(verdict, why=" ".join(w for w in (verdict.why, given and given + ".") if w))


def judge_study(study: Study, records: Records, tier: Tier, *, swept: Sequence[str] = ()) -> list[Verdict]:
    """The verdicts on all claims of a study, with Holm's p over its judged findings.

    With `swept` fields (exploratory plans), every claim is judged once for each combination of their values, as if
    every arm that does not name the field named that value.
    """
    found: list[Verdict] = []
    for chosen, part in _combinations(records, swept):
        verdicts = [judge(c, part, tier) for c in study.claims]
        told = ", ".join(f"{k}={v}" for k, v in chosen.items())
        found += _with_holm([replace(v, why=f"[{told}] {v.why}") if told else v for v in verdicts])
    return found


def estimated(
    effect: Effect, records: Records, *, unit: str = "item", over: tuple[str, ...] = ()
) -> tuple[float, float, float, str]:
    """An effect's estimate and 95% limits with no claim about it, and why there is none (NaN) where there is none."""
    try:
        units = effect.per_unit(records, unit, over)
    except Untested as error:
        return nan, nan, nan, str(error)
    if units.missing:
        return nan, nan, nan, units.missing
    found = interval_of(units, unit, 0.05)
    if found is None:
        return point_of(units), nan, nan, f"too few units ({unit_count(units, unit)})."
    low, high = _clipped(found, units)
    return point_of(units), low, high, ""


def _combinations(records: Records, swept: Sequence[str]) -> list[tuple[dict[str, Value], Records]]:
    if not swept:
        return [({}, records)]
    values = [records.column_of(name).present() for name in swept]
    return [(chosen := dict(zip(swept, one, strict=True)), records.where(**chosen)) for one in product(*values)]


def _with_holm(verdicts: Sequence[Verdict]) -> list[Verdict]:
    family = [i for i, v in enumerate(verdicts) if v.claim.kind == "finding" and v.status != "untested"]
    adjusted = holm(np.array([1.0 if np.isnan(verdicts[i].p) else verdicts[i].p for i in family]))
    told = dict(zip(family, adjusted.tolist(), strict=True))
    return [replace(v, holm=told[i]) if i in told else v for i, v in enumerate(verdicts)]


def _precondition(effect: Effect, region: Region, claim: Claim, records: Records) -> tuple[bool, str]:
    """Whether the runs in hand meet a precondition: item noise counts, run-to-run noise does not."""
    try:
        units = effect.per_unit(records, "item", claim.over)
    except Untested as error:
        return False, f"{effect}: {error}".rstrip(".")
    found = interval_of(units, "item", 0.05)
    m, bottom = point_of(units), lowest(units)
    if found is None:
        return region.low <= m <= region.high, f"{effect} is {m:.3g}, lowest {bottom:.3g}, to be {region}"
    low, high = _clipped(found, units)
    binds_low, binds_high = _binding(region, units.ends)
    passed = (not binds_low or low > region.low) and (not binds_high or high < region.high)
    return passed, f"{effect} is {m:.3g} [{low:.3g}, {high:.3g}], lowest {bottom:.3g}, to be {region}"


def _decide(claim: Claim, units: Units, tier: Tier) -> Verdict:
    m, n, evidence = point_of(units), unit_count(units, claim.unit), _evidence(units)
    if (
        units.ends is not None
        and units.rule != "ratio"
        and (why := _impossible(claim.expect, _range(units), _kind(units)))
    ):
        return Verdict(claim, tier, "untested", evidence, estimate=m, units=n, why=why)
    found = interval_of(units, claim.unit, 0.05)
    blank = Verdict(claim, tier, "undecided", evidence, estimate=m, units=n)
    if found is None and claim.unit == "item" and not units.of_items:
        return replace(blank, status="untested", why="no items were kept, so new items cannot be the unit.")
    if found is None:
        return replace(blank, why=f"{n} units are too few; {units.least} are needed.")
    low, high = _clipped(found, units)
    shown = replace(blank, low=low, high=high, detectable=width_of(found))
    if n < units.least and claim.unit != "item":
        return replace(
            shown,
            detectable=None,
            why=f"{n} units are too few to judge runs; {units.least} are needed. The interval is that of the items in hand.",
        )
    if low == high and not units.cells:
        return replace(shown, why=f"all {n} {claim.unit}s gave exactly {m:.6g}.")

    def status_at(alpha: float) -> Status:
        at = interval_of(units, claim.unit, alpha)
        return "undecided" if at is None else _status(_clipped(at, units), claim.expect, units.ends)

    status = _status((low, high), claim.expect, units.ends)
    p = smallest_alpha(lambda alpha: status_at(alpha) != "undecided")
    if (exact := _exact_p(units, claim)) is not None:
        p = max(p, exact)
        status = status if p <= 0.05 else "undecided"
    return replace(shown, status=status, p=p, why=_why(claim, units, status, shown))


def _status(found: tuple[float, float], region: Region, ends: tuple[float, float] | None) -> Status:
    low, high = found
    binds_low, binds_high = _binding(region, ends)
    if (binds_low and high < region.low) or (binds_high and low > region.high):
        return "refuted"
    inside = (not binds_low or low > region.low) and (not binds_high or high < region.high)
    return "supported" if inside else "undecided"


def _binding(region: Region, ends: tuple[float, float] | None) -> tuple[bool, bool]:
    """Which edges can be crossed at all: one at or beyond an end never binds."""
    a, b = ends or (-inf, inf)
    return region.low > a and region.low > -inf, region.high < b and region.high < inf


def _range(units: Units) -> tuple[float, float]:
    return (-1.0, 1.0) if units.rule == "rank" or units.step else units.ends or (-inf, inf)


def _clipped(found: tuple[float, float], units: Units) -> tuple[float, float]:
    a, b = _range(units) if units.rule != "ratio" else (-inf, inf)
    return max(found[0], a), min(found[1], b)


def _impossible(region: Region, ends: tuple[float, float], kind: str) -> str:
    """Why a region says nothing of an effect with these ends; empty when it does."""
    a, b = ends
    if region.low <= a and region.high >= b:
        return f"{region} always holds of {kind}."
    if region.low >= b or region.high <= a:
        return f"{region} cannot hold of {kind}."
    return ""


def _kind(units: Units) -> str:
    if units.rule == "rank":
        return "a rank correlation"
    return (
        "a fraction"
        if units.ends == (0.0, 1.0)
        else f"an effect between {units.ends[0]:g} and {units.ends[1]:g}"
        if units.ends
        else "it"
    )


def _exact_p(units: Units, claim: Claim) -> float | None:
    """McNemar's p where two models were asked the same items once each and the edge is 0."""
    if claim.unit != "item" or len(units.tables) != 1 or units.tables[0].x.shape[0] != 1:
        return None
    table = units.tables[0]
    if (
        sorted(table.weights) != [-1.0, 1.0]
        or not np.all(np.isin(table.x, (-1, 0, 1)))
        or 0.0 not in (claim.expect.low, claim.expect.high)
    ):
        return None
    return mcnemar(int(np.sum(table.x > 0)), int(np.sum(table.x < 0)))


def _why(claim: Claim, units: Units, status: Status, shown: Verdict) -> str:
    told: list[str] = []
    if status == "undecided":
        told.append(f"the interval reaches across the edge of the region ({claim.expect}).")
        finite = claim.expect.low > -inf and claim.expect.high < inf
        if finite and shown.detectable is not None and claim.expect.high - claim.expect.low < 2 * shown.detectable:
            told.append("the region is narrower than twice what can be detected here, so it can hardly be supported.")
    elif claim.unit == "seed" and shown.units < 30 and (same := _agreeing(units, claim.expect, status)):
        told.append(f"{same} of {same} runs; a kind of run rarer than {unseen_share(same):.0%} could still be unseen.")
    return " ".join(told)


def _agreeing(units: Units, region: Region, status: Status) -> int:
    """How many runs there are, if all lie on the verdict's side; 0 otherwise."""
    if len(units.parts) != 1 or units.rule in ("ratio", "median"):
        return 0
    v = units.parts[0]
    inside = (v >= region.low) & (v <= region.high)
    return len(v) if bool(np.all(inside)) == (status == "supported") and bool(np.all(inside == inside[0])) else 0


def _evidence(units: Units) -> Evidence:
    return next((e for e in EVIDENCE if e in units.evidence), "twin")


def _weakest(records: Records) -> Evidence:
    found = records.columns["evidence"].present() if len(records) else []
    return next((e for e in EVIDENCE if e in found), "twin")
