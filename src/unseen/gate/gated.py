"""What can be gated today? Studies' verdicts and a model's card, with why something of them is not measured.

    seen = of_study("echo", "laptop")                    from what is stored
    seen.parts["C1"].status, seen.lacking                ->  "supported", {}
    of_card("py:mine:answer", "smoke", how=How())        measured first

Nothing half-measured counts: absent or damaged trials, trials of older code, and answers of a model that is another now
stand in `lacking`, and a gate falls for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .. import driver
from ..core import find
from ..core.card import Card, Interval, Profile
from ..core.claim import Verdict
from ..core.errors import Invalid, Missing, Unknown, UnseenError, nearest
from ..core.store import Store
from ..core.study import tier_of
from ..driver import Asked, How
from .baseline import Baseline, Subject
from .decline import Part


def of_study(slug: str, tier: str, how: How | None = None) -> Subject:
    """A study's verdicts at a tier, measured first where `how` says how."""
    asked = driver.ask(slug, tier)
    blank = Subject("study", asked.tier, study=slug, versions={slug: find.study(slug).version})
    if why := _lacking(asked, how):
        return replace(blank, lacking={slug: why})
    judged = driver.judge(asked)
    parts = {v.claim.id: _of_verdict(v) for v in judged.verdicts}
    return replace(blank, parts=parts, code={slug: sorted({str(m.get("code", "")) for m in judged.manifests})})


def of_card(
    model: str, tier: str, *, against: str | None = None, studies: Sequence[str] | None = None, how: How | None = None
) -> Subject:
    """A model's card over these studies (all that take a model for None), measured first where `how` says how."""
    from .. import cards

    slugs = [slug for slug, _ in cards.chosen(studies)]
    if not slugs:
        raise Missing("no study that takes a model was found, so no card can be gated; `unseen list` prints all.")
    lacking: dict[str, str] = {}
    code: dict[str, list[str]] = {}
    for slug in slugs:
        for name in [model, *([against] if against else [])]:
            asked = driver.ask(slug, tier, model=name, seeds=1)
            if why := _lacking(asked, how):
                lacking.setdefault(slug, why)
            elif name == model:
                code[slug] = _codes(asked)
    fit = [s for s in slugs if s not in lacking]
    made = cards.card(model, tier, against=against, studies=fit, measured=False) if fit else None
    return Subject(
        "card", tier_of(tier), model=model, against=against or "", studies=tuple(slugs), code=code, lacking=lacking,
        versions={s: find.study(s).version for s in slugs}, parts=_of_card(made) if made else {},
    )  # fmt: skip


def again(held: Baseline, names: Iterable[str], how: How | None = None) -> dict[str, Subject]:
    """The gate's subjects of these names as they are today; a study that is gone is lacking."""
    found: dict[str, Subject] = {}
    for name in names:
        was = held.subjects[name]
        gone = [s for s in was.versions if s not in find.slugs()]
        if gone and (was.study or len(gone) == len(was.versions)):
            found[name] = replace(was, parts={}, lacking={})
        elif was.study:
            found[name] = of_study(was.study, was.tier, how)
        else:
            slugs = [s for s in was.studies if s not in gone]
            found[name] = of_card(was.model, was.tier, against=was.against or None, studies=slugs, how=how)
    return found


def named(held: Baseline, studies: Sequence[str] | None, tier: str | None, model: str | None) -> list[str]:
    """The names of the gate's subjects that were asked for; all where nothing is named. Raises Unknown for none."""
    found = [
        name
        for name, one in held.subjects.items()
        if (tier is None or one.tier == tier)
        and (model is None or one.model == model)
        and (not studies or one.study in studies or (model is not None and set(studies) <= set(one.studies)))
    ]
    if not found:
        asked = " ".join([*(studies or ()), model or "", tier or ""]).strip()
        raise Unknown(f"the gate holds nothing of {asked}{nearest(asked, held.subjects)}. It holds {', '.join(held.subjects) or 'nothing'}; --update adds to it.")  # fmt: skip
    return found


def today(
    studies: Sequence[str] | None, tier: str, *, model: str | None, against: str | None, how: How | None
) -> list[Subject]:
    """What was asked for as it is today: a card where a model is named, else the studies' verdicts; where nothing is
    named, every study of which all of the tier is measured. Raises Missing where there is none, Unknown, Invalid."""
    if against is not None and model is None:
        raise Invalid(f"--against {against}: against it stands --model MODEL; name that, too.")
    if model is not None:
        return [of_card(model, tier, against=against, studies=studies, how=how)]
    if studies:
        return [of_study(slug, tier, how) for slug in dict.fromkeys(studies)]
    found = [of_study(slug, tier) for slug in find.slugs() if driver.finished(driver.ask(slug, tier))]
    found = [one for one in found if not one.lacking]
    if not found:
        raise Missing(
            f"nothing was recorded: no study is measured whole at tier {tier} by the code that is here; `unseen run STUDY --tier {tier}` measures one, and --study STUDY --run does both."
        )
    return found


def _lacking(asked: Asked, how: How | None) -> str:
    """Why what was asked for is not wholly measured by today's code of today's model; empty where it is."""
    try:
        failed = "" if how is None else _measured(asked, how)
        store = Store(driver.home())
        trials = driver.newest(store, asked)
        if how is None and [t.key for t in trials] != [t.key for t in driver.pinned(driver.trials_of(asked))]:
            what = f"{asked.model or 'its model'} is not what was measured last, or was never measured"
            return f"{asked.slug}: {what}; {_remedy(asked)}"
        there, damaged = store.sound(trials)
    except UnseenError as error:
        return f"{asked.slug}: {error}"
    if len(there) < len(trials):
        lost = "".join(f" {why}" for why in damaged.values()) + failed
        return (
            f"{asked.slug}: {len(trials) - len(there)} of {len(trials)} trials are not measured; {_remedy(asked)}{lost}"
        )
    if old := store.stale(there):
        return f"{asked.slug}: {len(old)} of {len(trials)} trials were measured by older code; {_remedy(asked, ' --fresh')}"
    return ""


def _measured(asked: Asked, how: How) -> str:
    """Measure what is not stored, and again what older code measured; what the first failure said, if there was one."""
    done = driver.measure(asked, how)
    store = Store(driver.home())
    if not how.fresh and store.stale([o.trial for o in done if o.status == "kept"]):
        done = driver.measure(asked, replace(how, fresh=True))
    fell = [o for o in done if o.status == "failed"]
    return f" The first failure said: {fell[0].error}" if fell else ""


def _remedy(asked: Asked, more: str = "") -> str:
    return f"`unseen run {asked.words()}{more}` measures them{'' if more else ', and so does --run'}."


def _codes(asked: Asked) -> list[str]:
    store = Store(driver.home())
    return sorted({str(store.manifest(t).get("code", "")) for t in driver.newest(store, asked)})


def _of_verdict(v: Verdict) -> Part:
    return Part(v.claim.kind, v.status, v.claim.says, v.estimate, v.low, v.high, v.units, v.why)


def _of_card(made: Card) -> dict[str, Part]:
    """The parts of a card, named axis/study/measure/what."""
    found: dict[str, Part] = {}
    for axis, profiles in made.axes.items():
        for p in profiles:
            told = "".join(f"[{k}={v}]" for k, v in sorted(p.where.items()))
            head = f"{axis}/{p.study}/{p.measure}{told}"
            whats = {"reference": p.reference, "shifted": p.shifted, "gap": p.gap}
            found |= {f"{head}/{what}": _of_interval(what, one, p) for what, one in whats.items()}
            changes = {"reference": p.change_reference, "shifted": p.change}
            found |= {
                f"{head}/change {what}": _of_interval("change", one, p, f"{what} against {made.against}")
                for what, one in changes.items()
                if one is not None
            }
    return found


def _of_interval(kind: str, one: Interval, p: Profile, what: str = "") -> Part:
    status = "measured" if one.low == one.low and one.high == one.high else "untested"
    return Part(
        kind, status, f"{p.axis} · {p.study}: {p.measure}, {what or kind}", one.estimate, one.low, one.high, p.n, p.note
    )
