"""Does a study keep every rule? One list of checks, the same for our own studies and for everybody else's.

checked("length_generalization")  ->  [Check("study.py imports nothing heavy", True, ""), …]
"""

from __future__ import annotations

import ast
import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .core import find
from .core.claim import judge_study
from .core.errors import UnseenError
from .core.lab import Lab
from .core.plan import Trial, plan
from .core.record import Records
from .core.study import TIERS, model_field, values_of
from .core.threads import threads
from .core.work import threads_of

HEAVY = ("torch", "transformers", "polars", "altair", "scipy.stats", "ray", "sklearn", "pandas")
SHEET_PARTS = ("question", "method", "departures", "sources")
SETTING_MINUTES, CORES = 15, 2  # of the tier laptop
LONGEST = {"study.py": 150, "trial.py": 250}


@dataclass(frozen=True)
class Check:
    """One rule and whether it is kept; `why` says what is wrong, or what was found."""

    name: str
    passed: bool
    why: str = ""


def checked(slug: str, *, keep: Literal["", "new", "wider"] = "") -> list[Check]:
    """Every check of a study, the smoke tier's run included; `smoke.json` is first made anew from that run, or its
    ranges are made to hold what this machine measured, too ("wider").

    What is looked at is checked first; the smoke tier and the rehearsal run only if all of that passed. Raises Unknown
    where there is no such study; everything else that is wrong is a failed check.
    """
    find.folder(slug)
    made = [one(name, slug) for name in STATIC]
    if not all(c.passed for c in made):
        return made
    records, ran = measured(slug)
    made.append(ran)
    if records is not None:
        if keep:
            path = find.folder(slug) / "smoke.json"
            known = json.loads(path.read_text(encoding="utf-8")) if keep == "wider" and path.is_file() else {}
            path.write_text(smoke_text(records, known), encoding="utf-8")
        made += [one(name, slug, records) for name in MEASURED]
    return [*made, *(one(name, slug) for name in REHEARSED)]


def one(name: str, slug: str, records: Records | None = None) -> Check:
    """One check by its name; those of `MEASURED` need the records of the smoke tier."""
    if name in MEASURED:
        assert records is not None, f"the check {name!r} reads the smoke tier's records"
        return _made(name, lambda s: MEASURED[name](s, records), slug)
    return _made(name, {**STATIC, **REHEARSED}[name], slug)


def smoke_text(records: Records, known: Mapping[str, Sequence[float]] | None = None) -> str:
    """`smoke.json` of these records: row identity -> [low, high], a tenth wider than what was seen.

    `known` ranges of other machines stay as they are where they hold what was seen here, and grow where they do not:
    processors round otherwise, and a few steps of training tell.
    """
    found: dict[str, list[float]] = {}
    for identity, value in _identities(records):
        low, high = found.setdefault(identity, [value, value])
        found[identity] = [min(low, value), max(high, value)]
    wide = {k: _joined((known or {}).get(k), found[k]) for k in sorted(found)}
    lines = (f"{json.dumps(k, ensure_ascii=False)}: {json.dumps(v)}" for k, v in wide.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _made(name: str, check: Callable[[str], str], slug: str) -> Check:
    """Run one check; it returns "" when the rule is kept, else what is wrong."""
    try:
        why = check(slug)
    except UnseenError as error:
        why = str(error)
    except Exception as error:  # a stranger's study may fail in any way
        why = f"{type(error).__name__}: {error}"
    return Check(name, not why, why)


def _light(slug: str) -> str:
    code = f"import sys; from unseen.core import find; find.study({slug!r}); print(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        return f"importing study.py failed: {done.stderr.strip().splitlines()[-1]}"
    return f"study.py imports {done.stdout.strip()}; leave those to trial.py." if done.stdout.strip() else ""


def _slug_from_title(slug: str) -> str:
    return unfit(slug, find.study(slug).paper.title)


def unfit(slug: str, title: str) -> str:
    """What is wrong with a slug for a paper of that title; empty where it is one to four of its words, in order, or its
    system's name."""
    words = slug.split("_")
    there = re.findall(r"[a-z0-9]+", title.lower().replace("é", "e"))
    if not 1 <= len(words) <= 4:
        return f"{slug} has {len(words)} words; a slug has one to four."
    at = 0
    for word in words:
        rest = [
            i
            for i, t in enumerate(there[at:], at)
            if t == word or t.startswith(word) or (word.startswith(t) and len(t) > 3)
        ]
        if not rest:
            return (
                "" if _named_system(slug, title) else f"{word!r} does not stand in the title {title!r} in that order."
            )
        at = rest[0] + 1
    return ""


def _named_system(slug: str, title: str) -> bool:
    return slug.replace("_", "") in re.sub(r"[^a-z0-9]", "", title.lower())


def _claim_ids(slug: str) -> str:
    bad = [c.id for c in find.study(slug).claims if not re.fullmatch(r"[A-Z]\d+[a-z]?", c.id)]
    return f"claim ids {', '.join(bad)} are not of the form C1 or C5a." if bad else ""


def _controls(slug: str) -> str:
    claims = find.study(slug).claims
    if not any(c.kind == "control" for c in claims):
        return "there is no control; claim that a random model, shuffled labels or an oracle comes out as it must."
    bare = [c.id for c in claims if c.kind == "finding" and "on shifted splits" in str(c.effect) and not c.given]
    return f"{', '.join(bare)} speak of shifted splits with no precondition (`given`)." if bare else ""


def _plans(slug: str) -> str:
    study = find.study(slug)
    for tier in TIERS:
        trials = plan(slug, study, tier)
        if not trials:
            return f"the tier {tier} has no trials."
        keys = [t.key for t in trials]
        if len(set(keys)) != len(keys):
            return f"the tier {tier} plans the same work twice."
        for t in trials:
            values_of(t.setting)
            hash(t.setting)
    return _small_enough(plan(slug, study, "laptop"))


def _small_enough(trials: list[Trial]) -> str:
    """Whether the laptop tier fits a laptop: 15 minutes a setting, all seeds together, and an hour on two cores."""
    minutes: dict[Any, float] = {}
    for t in trials:
        minutes[t.setting] = minutes.get(t.setting, 0.0) + t.needs.minutes
    setting, most = max(minutes.items(), key=lambda kv: kv[1])
    if most > SETTING_MINUTES:
        return f"{setting} needs {most:.0f} minutes at tier laptop; {SETTING_MINUTES} are the most."
    hours = sum(t.needs.minutes * min(t.needs.cpus, CORES) for t in trials) / CORES / 60
    if hours > 1:
        return f"the tier laptop needs {hours:.1f} hours on {CORES} cores; one is the most."
    return ""


def _takes_tiny(slug: str) -> str:
    study = find.study(slug)
    if not any(model_field(type(s)) for tier in TIERS for s in study.settings(tier)):
        return ""
    tiny = [s for s in study.settings("smoke") if model_field(type(s)) and s.model == "tiny:decoder"]
    return "" if tiny else "it takes a model but has no smoke setting whose model is tiny:decoder."


def _sheet(slug: str) -> str:
    text = find.sheet(slug).lower()
    missing = [part for part in SHEET_PARTS if part not in text]
    return f"sheet.md says nothing of {', '.join(missing)}." if missing else ""


def _lengths(slug: str) -> str:
    folder = find.folder(slug)
    long = [
        f"{name} ({n} lines, {most} at most)"
        for name, most in LONGEST.items()
        if (folder / name).is_file() and (n := len((folder / name).read_text(encoding="utf-8").splitlines())) > most
    ]
    return f"too long: {', '.join(long)}." if long else ""


def _tiers_unasked(slug: str) -> str:
    for path in find.folder(slug).glob("*.py"):
        if path.name != "study.py" and re.search(r"\bif tier\b|tier ==", path.read_text(encoding="utf-8")):
            return f"{path.name} asks for the tier; only study.py's settings() may."
    return ""


def _tasks_light(slug: str) -> str:
    if not find.has(slug, "tasks"):
        return ""
    from . import items

    code = f"import sys; from unseen.core import find; find.module({slug!r}, 'tasks'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode or done.stdout.strip() != "False":
        return f"tasks.py imports torch or fails: {done.stdout}{done.stderr.strip()[-200:]}"
    drawn = items.draw(slug, n=4, tier="smoke")
    wrong = [d for d in drawn if min(d.task.score(d.example, d.example.truth).values()) < 1]
    if wrong:
        return f"the right answer of {wrong[0].task.name}, {wrong[0].example.split.name}, does not score 1: {wrong[0].example.truth!r}."
    again = items.draw(slug, n=4, tier="smoke")
    return "" if [d.row() for d in drawn] == [d.row() for d in again] else "two draws with one seed differ."


def _annotated(slug: str) -> str:
    for path in sorted(find.folder(slug).glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not ast.get_docstring(tree):
            return f"{path.name} has no docstring; say which question it answers."
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.FunctionDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
                and node in tree.body
            ):
                return f"{path.name}: {node.name} has no docstring."
    return ""


def measured(slug: str) -> tuple[Records | None, Check]:
    """The records of the smoke tier, run here and now in folders that are thrown away, and how that went."""
    name, began = "the smoke tier runs", time.monotonic()
    try:
        told = [row for trial in plan(slug, find.study(slug), "smoke") for row in _stamped(trial)]
        return Records.of(told), Check(name, True, f"{len(told)} rows and items in {time.monotonic() - began:.1f} s")
    except UnseenError as error:
        return None, Check(name, False, str(error))
    except Exception as error:  # a stranger's trial may fail in any way
        return None, Check(name, False, f"{type(error).__name__}: {error}")


def _stamped(trial: Trial) -> Iterator[tuple[Mapping[str, Any], int, Any]]:
    from .driver import pinned

    ready = pinned([trial])[0]
    lab = Lab.alone(seeds=ready.seeds, pins=ready.pins)
    setting = {"setting": type(ready.setting).__name__, **values_of(ready.setting)}
    with threads(threads_of(ready)):
        for row in find.module(ready.study, "trial").run(ready.setting, lab):
            yield setting, ready.seeds[0] if row.seed is None else row.seed, row


def _identities(records: Records) -> Iterator[tuple[str, float]]:
    """Every row as (what it is, whatever its seed; its value): `Learned(task=sort) exact on length 8, step 30`.

    Fields of settings are named where they differ within a class of settings.
    """
    frame = records.frame()
    fields = [c for c in frame.columns if c.startswith("setting.")]
    named: dict[str, list[str]] = {}
    for kind in frame["setting"].unique(maintain_order=True).to_list():
        rows = frame.filter(frame["setting"] == kind)
        named[kind] = [c for c in fields if rows[c].n_unique() > 1]
    for row in frame.iter_rows(named=True):
        arm = ", ".join(f"{c.split('.', 1)[1]}={_short(row[c])}" for c in named[row["setting"]] if row[c] is not None)
        told = [f"{c[3:]}={_short(v)}" for c, v in sorted(row.items()) if c.startswith("at.") and v is not None]
        told += [f"step {row['step']}"] if row["step"] is not None else []
        where = ", ".join([f"on {row['split']}", *told] if row["split"] else told)
        yield f"{row['setting']}({arm}) {row['measure']} {where}".rstrip(), float(row["value"])


def _short(value: object) -> str:
    """A coordinate as text that another processor's last digits do not change."""
    return f"{value:.6g}" if isinstance(value, float) and len(repr(value)) > 8 else str(value)


def _joined(known: Sequence[float] | None, seen: Sequence[float]) -> list[float]:
    """The range of a row: as known where that holds what was seen (or neither is a number), else both in one."""
    if known is None:
        return _widened(*seen)
    low, high = known
    if (low <= seen[0] and seen[1] <= high) or (math.isnan(low) and math.isnan(seen[0])):
        return [low, high]
    wide = _widened(*seen)
    return [min(low, wide[0]), max(high, wide[1])]


def _widened(low: float, high: float) -> list[float]:
    if not (math.isfinite(low) and math.isfinite(high)):
        return [low, high]
    spare = 0.1 * max(1.0 if low >= 0 and high <= 1 else abs(high), high - low)
    return [round(low - spare, 6), round(high + spare, 6)]


def _matches(slug: str, records: Records) -> str:
    path = find.folder(slug) / "smoke.json"
    if not path.is_file():
        return f"there is no smoke.json; `unseen validate {slug} --write` makes it."
    wanted = json.loads(path.read_text(encoding="utf-8"))
    seen: set[str] = set()
    for identity, value in _identities(records):
        seen.add(identity)
        if identity not in wanted:
            return f"a row that smoke.json does not know: {identity}."
        low, high = wanted[identity]
        if not low <= value <= high and not (math.isnan(value) and math.isnan(low)):
            return f"{identity}: {value:g} lies outside [{low:g}, {high:g}]."
    gone = set(wanted) - seen
    return f"{len(gone)} rows of smoke.json were not yielded, such as {sorted(gone)[0]}." if gone else ""


def _measures_there(slug: str, records: Records) -> str:
    there = set(records.frame()["measure"].unique().to_list())
    for claim in find.study(slug).claims:
        wanted = {*claim.effect.measures, *(m for effect, _ in claim.given for m in effect.measures)}
        if absent := sorted(wanted - there):
            return f"{claim.id} reads {', '.join(absent)}, which no smoke row holds (there are {', '.join(sorted(there))})."
    return ""


def _judged(slug: str, records: Records) -> str:
    study = find.study(slug)
    everywhere = replace(study, claims=tuple(replace(c, tiers=("smoke", *c.tiers)) for c in study.claims))
    for verdict in judge_study(everywhere, records, "smoke"):
        if verdict.status == "untested" and "pool" in verdict.why:
            return f"{verdict.claim.id}: {verdict.why}"
    return ""


def _rehearsed(slug: str) -> str:
    study = find.study(slug)
    if study.rehearse is None:
        return "there is no `rehearse`, so the paper tier's code path cannot be run here."
    seen: set[type] = set()
    for trial in plan(slug, study, "paper", seeds=1):
        if type(trial.setting) in seen:
            continue
        seen.add(type(trial.setting))
        small = replace(trial, setting=study.rehearse(trial.setting))
        if not list(_stamped(small)):
            return f"the rehearsed {type(trial.setting).__name__} yields no rows."
    return ""


STATIC: Mapping[str, Callable[[str], str]] = {  # what can be looked at
    "study.py imports nothing heavy": _light,
    "the slug comes from the title": _slug_from_title,
    "claim ids are well formed": _claim_ids,
    "there are controls, and preconditions where splits are shifted": _controls,
    "every tier can be planned": _plans,
    "a study that takes a model has a smoke setting for tiny:decoder": _takes_tiny,
    "the sheet says question, method, departures, sources": _sheet,
    "files are short": _lengths,
    "only settings() knows tiers": _tiers_unasked,
    "tasks draw, score and repeat without torch": _tasks_light,
    "modules and public functions have docstrings": _annotated,
}
MEASURED: Mapping[str, Callable[[str, Records], str]] = {  # what the smoke tier's records show
    "the smoke tier measures what smoke.json says": _matches,
    "claims read measures that the smoke tier yields": _measures_there,
    "every claim can be judged on the smoke tier's records": _judged,
}
REHEARSED: Mapping[str, Callable[[str], str]] = {"the paper tier's code path runs": _rehearsed}
