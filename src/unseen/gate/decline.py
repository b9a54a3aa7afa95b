"""When is one verdict worse than another? The order by which a gate falls; docs/guide/gate.md tells it in words.

    then, now = Part("finding", "supported", "…"), Part("finding", "undecided", "…")
    worse(then, now)     ->  "supported became undecided"

Claims are ordered by status: supported, undecided, refuted, untested; a control that held and no longer does falls by
the same order. Scores of a card are worse where the interval of the difference lies below minus the margin, never for
a change of the estimate alone. Both are strict partial orders, and nothing is worse than itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Literal

from ..core import card

RANKS = {"supported": 3, "undecided": 2, "refuted": 1, "untested": 0}
CLAIMS = ("finding", "control", "audit")
ROUNDING = 1e-9  # numbers that were worked out have no width, and machines differ in the last digits
KINDS = (*CLAIMS, "reference", "shifted", "gap", "change")
Result = Literal["kept", "better", "new", "allowed", "worse", "missing"]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is gated: a claim's verdict, or one number of a card (`reference`, `shifted`, `gap`, and `change`
    against another model, paired by item). `status` is a claim's; a number's is `measured` or `untested`."""

    kind: str
    status: str
    says: str
    estimate: float = nan
    low: float = nan
    high: float = nan
    n: int = 0
    why: str = ""

    def text(self) -> str:
        """`supported, 0.62 [0.48, 0.75]`, the status left out of a number that was measured."""
        told = [] if self.status == "measured" else [self.status]
        if self.estimate == self.estimate:
            known = self.low == self.low and self.high == self.high
            told.append(f"{self.estimate:.3g}" + (f" [{self.low:.3g}, {self.high:.3g}]" if known else ""))
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one gated thing stands: its id, what it says, what it was and is, and why the gate falls where it does."""

    id: str
    says: str
    result: Result
    was: str
    now: str
    why: str = ""

    @property
    def failed(self) -> bool:
        """Whether the gate falls for it."""
        return self.result in ("worse", "missing")


def difference(then: Part, now: Part) -> tuple[float, float]:
    """The 95% limits of now minus then from the limits of both, as of independent samples; whole line where one has none.

    Two draws of the same items are closer than that, so the gate errs towards passing.
    """
    if not all(isfinite(v) for p in (then, now) for v in (p.estimate, p.low, p.high)):
        return -inf, inf
    found = card.difference(*(card.Interval(p.estimate, p.low, p.high) for p in (then, now)))
    return found.low, found.high


def worse(then: Part, now: Part, margin: float = 0.0) -> str:
    """Why the second is worse than the first; empty where it is not."""
    if then.kind in CLAIMS:
        fell = RANKS[now.status] < RANKS[then.status]
        held = "the control no longer holds: " if then.kind == "control" and then.status == "supported" else ""
        return f"{held}{then.status} became {now.status}." + (f" {now.why}" if now.why else "") if fell else ""
    if now.status == "untested":
        return f"it had an interval and has none. {now.why}".strip() if then.status != "untested" else ""
    if then.kind == "change":
        edge = -margin - ROUNDING
        fell = now.high < edge <= then.high
        return f"paired by item it is now below the other model by more than {margin:g}." if fell else ""
    low, high = difference(then, now)
    if high >= -margin - ROUNDING:
        return ""
    return f"the difference is {now.estimate - then.estimate:+.3g} [{low:+.3g}, {high:+.3g}], below {-margin or 0:g}."


def better(then: Part, now: Part, margin: float = 0.0) -> bool:
    """Whether the first is worse than the second."""
    return bool(worse(now, then, margin))


def standings(
    was: Mapping[str, Part], now: Mapping[str, Part], *, margin: float = 0.0, allow: Mapping[str, str] | None = None
) -> list[Standing]:
    """How every part stands, by id: those recorded, then those that are new, which never fail. What vanished is missing."""
    found: list[Standing] = []
    for name, then in was.items():
        if name not in now:
            why = "it was recorded and is no longer there; record the file anew if it was taken out on purpose."
            found.append(_allowed(Standing(name, then.says, "missing", then.text(), "gone", why), allow or {}))
            continue
        one = now[name]
        why = _unless_risen(name, worse(then, one, margin), was, now)
        good = "better" if better(then, one, margin) else "kept"
        made = Standing(name, one.says, "worse" if why else good, then.text(), one.text(), why)
        found.append(_allowed(made, allow or {}))
    fresh = [n for n in now if n not in was]
    return [*found, *(Standing(n, now[n].says, "new", "", now[n].text(), "not recorded yet") for n in fresh)]


def _unless_risen(name: str, why: str, was: Mapping[str, Part], now: Mapping[str, Part]) -> str:
    """A gap that widened because the reference rose, the shifted score no lower than it was, is nothing lost."""
    beside = name.removesuffix("gap") + "shifted"
    if not why or was[name].kind != "gap" or beside not in was or beside not in now:
        return why
    return why if not now[beside].estimate >= was[beside].estimate else ""


def _allowed(one: Standing, allow: Mapping[str, str]) -> Standing:
    if not one.failed or one.id not in allow:
        return one
    return Standing(one.id, one.says, "allowed", one.was, one.now, f"allowed: {allow[one.id]} ({one.why})")
