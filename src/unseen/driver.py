"""Plan, measure, judge: what the command line and Python share.

judged = run("length_generalization", "smoke")      # plans, pins, measures, judges
print(judged.verdicts[0])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .core import find
from .core.card import Card, Profile, by_axis, profiles
from .core.claim import judge_study
from .core.compare import Comparison
from .core.compare import compare as _compare
from .core.errors import Invalid, Missing, Mistake
from .core.execute import Event, Outcome, Pool, execute, here, procs
from .core.ledger import Judged
from .core.plan import Trial, parse_sweep, plan
from .core.record import Records, Value
from .core.store import Store
from .core.study import Study, Tier, model_field, tier_of
from .extras import absent

Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for: a study at a tier, with the changes that make a plan exploratory."""

    slug: str
    tier: Tier = "laptop"
    model: str | None = None
    sweep: Mapping[str, Sequence[Value]] = field(default_factory=dict[str, Sequence[Value]])
    seeds: int | None = None

    @property
    def exploratory(self) -> bool:
        """Whether the plan differs from the study's own."""
        return bool(self.sweep) or self.seeds is not None or self.model is not None

    def words(self) -> str:
        """The words after `unseen VERB` that ask for this again."""
        swept = [
            f"--set {k}={','.join(':'.join(map(str, v)) if isinstance(v, tuple) else str(v) for v in vs)}"
            for k, vs in self.sweep.items()
        ]
        model = [f"--model {self.model}"] if self.model else []
        seeds = [f"--seeds {self.seeds}"] if self.seeds is not None else []
        return " ".join([self.slug, f"--tier {self.tier}", *model, *swept, *seeds])


def home() -> Path:
    """Where trials, caches and plans are kept: $UNSEEN_HOME, or the platform's data folder."""
    if named := os.environ.get("UNSEEN_HOME"):
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("unseen", appauthor=False)


def ask(
    slug: str,
    tier: str = "laptop",
    *,
    model: str | None = None,
    sweep: Mapping[str, str] | None = None,
    seeds: int | None = None,
) -> Asked:
    """An Asked from words; raises Unknown or Invalid as soon as one of them means nothing."""
    known = tier_of(tier)
    parsed = parse_sweep(slug, find.study(slug), known, sweep) if sweep else {}
    return Asked(slug, known, model, parsed, seeds)


def trials_of(asked: Asked) -> list[Trial]:
    """The unpinned trials that were asked for."""
    study = find.study(asked.slug)
    return plan(asked.slug, study, asked.tier, model=asked.model, sweep=asked.sweep, seeds=asked.seeds)


def pool_of(on: str) -> Pool:
    """The pool that `--on` names: `here` or `procs:N`."""
    kind, _, count = on.partition(":")
    if kind == "here" and not count:
        return here()
    if kind == "procs" and count.isdigit() and int(count) > 0:
        return procs(int(count))
    raise Invalid(f"--on {on}: there is no such pool; use here, or procs:N with N processes, such as procs:2.")


def pinned(trials: Sequence[Trial]) -> list[Trial]:
    """The trials with every model's name resolved to what it means now; each name is probed once.

    Raises Mistake where a model is not there, does not answer or is not known.
    """
    names = dict.fromkeys(t.setting.model for t in trials if model_field(type(t.setting)))
    if not names:
        return list(trials)
    from .models import probe, resolve

    pins: dict[str, str] = {}
    for name in names:
        probe(name)
        pins[name] = resolve(name)
    return [
        replace(t, pins={t.setting.model: pins[t.setting.model]}) if model_field(type(t.setting)) else t for t in trials
    ]


def run(
    slug: str,
    tier: str = "laptop",
    *,
    on: str = "here",
    model: str | None = None,
    sweep: Mapping[str, str] | None = None,
    seeds: int | None = None,
    fresh: bool = False,
    tell: Tell | None = None,
) -> Judged:
    """A study measured and judged. Work that is already in the store is not done again, unless `fresh`.

    Raises Mistake for what the caller can mend, Failed with the first trial's error if any trial failed.
    """
    asked = ask(slug, tier, model=model, sweep=sweep, seeds=seeds)
    outcomes = measure(asked, on=on, fresh=fresh, tell=tell)
    failed = [o for o in outcomes if o.status == "failed"]
    if failed and len(failed) == len(outcomes):
        from .core.errors import Failed

        raise Failed(f"all {len(failed)} trials of {slug} failed; the first said: {failed[0].error}")
    return judge(asked)


def measure(asked: Asked, *, on: str = "here", fresh: bool = False, tell: Tell | None = None) -> list[Outcome]:
    """The outcome of every trial of what was asked, measured where it was not yet."""
    unpinned = trials_of(asked)
    _check_extras(asked.slug, unpinned)
    store = Store(home())
    ready = pinned(unpinned)
    if fresh:
        for trial in ready:
            store.discard(trial)
    store.write_plan(asked.slug, unpinned, ready)
    return execute(ready, store, pool_of(on), tell=tell)


def judge(asked: Asked) -> Judged:
    """The verdicts on what the store holds of the newest run of this plan."""
    study = find.study(asked.slug)
    store = Store(home())
    trials = newest(store, asked)
    there = [t for t in trials if store.has(t)]
    if not there:
        raise Missing(f"nothing of this plan is measured yet; `unseen run {asked.words()}` measures it.")
    records = store.records(there)
    return Judged(
        slug=asked.slug,
        study=study,
        tier=asked.tier,
        trials=trials,
        records=records,
        verdicts=_verdicts(study, records, asked),
        manifests=[store.manifest(t) for t in there],
        absent=[t for t in trials if not store.has(t)],
        stale=[t.key for t in there if store.stale(t)],
        exploratory=asked.exploratory,
        sheet=_sheet(asked.slug),
        departures=find.departures(asked.slug),
        items=[item for t in there for item in store.items(t)],
    )


def newest(store: Store, asked: Asked) -> list[Trial]:
    """The trials of what was asked, pinned as they were when the plan was last run (as they are, if it never was)."""
    unpinned = trials_of(asked)
    pins = store.newest(asked.slug, unpinned)
    return [replace(t, pins=pins.get(t.key, {})) for t in unpinned] if pins else unpinned


def takers() -> list[tuple[str, Study]]:
    """The studies that take a model, with headlines to show."""
    found = [(slug, find.study(slug)) for slug in find.slugs()]
    return [
        (s, study)
        for s, study in found
        if study.headlines and any(model_field(type(x)) for x in study.settings("smoke"))
    ]


def _verdicts(study: Study, records: Records, asked: Asked) -> Sequence[Any]:
    return judge_study(study, records, asked.tier)


def _sheet(slug: str) -> str:
    try:
        return find.sheet(slug)
    except Mistake:
        return ""


def _check_extras(slug: str, trials: Iterable[Trial]) -> None:
    """Raise Missing, before anything runs, if a package that the trials' extras stand for is not installed."""
    wanted = sorted({extra for t in trials for extra in t.needs.extras})
    if gone := absent(wanted):
        raise Missing(
            f"{slug} needs {', '.join(gone)}. Install {'it' if len(gone) == 1 else 'them'}: pip install 'unseen[{','.join(wanted)}]'"
        )


def finished(asked: Asked) -> list[str]:
    """The keys of the plan's trials that are measured already."""
    store = Store(home())
    return [t.key for t in newest(store, asked) if store.has(t)]


def machine(*, device: str | None = None, batch_size: str | None = None) -> None:
    """Tell trials, in workers too, which device to use and how many prompts a local model takes at once."""
    if batch_size is not None and batch_size != "auto" and not (batch_size.isdigit() and int(batch_size) > 0):
        raise Invalid(f"--batch-size {batch_size}: write auto, or a whole number from 1.")
    for name, value in (("UNSEEN_DEVICE", device), ("UNSEEN_BATCH_SIZE", batch_size)):
        if value is not None:
            os.environ[name] = value


def judged_of(asked: Sequence[Asked], *, every: bool) -> list[Judged]:
    """What is measured of each plan, judged; with `every`, a plan of which nothing is measured is an error."""
    found: list[Judged] = []
    for one in asked:
        try:
            found.append(judge(one))
        except Missing:
            if every:
                raise
    if not found:
        raise Missing(
            "nothing is measured yet, so there is nothing to report; `unseen run STUDY --tier smoke` takes seconds."
        )
    return found


def card(
    model: str,
    tier: str = "laptop",
    *,
    against: str | None = None,
    on: str = "here",
    sweep: Mapping[str, str] | None = None,
    fresh: bool = False,
    measure: bool = True,
    tell: Tell | None = None,
) -> Card:
    """The profile of a model over every study that takes one: one seed, items as the unit.

    With `measure=False` only what is stored is shown. Raises Mistake where a model cannot be had.
    """
    found: list[Profile] = []
    notes: list[str] = []
    for slug, study in takers():
        held = [
            _records(slug, name, tier, on=on, sweep=sweep, fresh=fresh, measured=measure, tell=tell)
            for name in (model, against)
            if name
        ]
        if any(r is None for r in held):
            notes.append(
                f"{slug}: {model} is not measured at tier {tier}, or its trials failed; `unseen card {model} --tier {tier}` measures it."
            )
            continue
        found += profiles(slug, study, held[0], held[1] if against else None)
    return Card(model, tier_of(tier), by_axis(found), against, notes)


def compare(first: str, second: str, *, studies: Sequence[str] | None = None, tier: str = "laptop") -> Comparison:
    """The paired differences of two models over every study that takes one, or of two folders of `--output-path`."""
    if Path(first).is_dir() or Path(second).is_dir():
        (slug, a), (other, b) = _folder(Path(first)), _folder(Path(second))
        if slug != other:
            raise Invalid(f"{first} holds {slug} and {second} holds {other}; two runs of one study can be compared.")
        return _compare(first, second, {slug: (a, b)})
    pairs: dict[str, tuple[Records, Records]] = {}
    for slug, _ in takers():
        if studies and slug not in studies:
            continue
        a, b = (_records(slug, name, tier) for name in (first, second))
        if a is not None and b is not None:
            pairs[slug] = (a, b)
    if not pairs:
        raise Missing(
            f"no study could be measured for both {first} and {second}; `unseen card {first} --tier {tier}` says why."
        )
    return _compare(first, second, pairs)


def _records(
    slug: str,
    model: str,
    tier: str,
    *,
    measured: bool = True,
    on: str = "here",
    sweep: Mapping[str, str] | None = None,
    fresh: bool = False,
    tell: Tell | None = None,
) -> Records | None:
    """One model's records of a study with one seed, measured first unless told not to; None where there are none."""
    study = find.study(slug)
    asked = ask(slug, tier, model=model, sweep=_known(study, tier, sweep), seeds=1)
    if measured:
        measure(asked, on=on, fresh=fresh, tell=tell)
    store = Store(home())
    there = [t for t in newest(store, asked) if store.has(t)]
    return store.records(there) if there else None


def _known(study: Study, tier: str, sweep: Mapping[str, str] | None) -> dict[str, str]:
    """The part of a sweep that this study's model settings have fields for: a card spans studies that differ."""
    names = {f.name for s in study.settings(tier_of(tier)) if model_field(type(s)) for f in fields(s)}
    return {k: v for k, v in (sweep or {}).items() if k in names}


def _folder(path: Path) -> tuple[str, Records]:
    """The study's slug and the records in a folder that `run --output-path` wrote."""
    import json

    import polars as pl

    if not (path / "results.json").is_file():
        raise Missing(f"{path} is no folder that `unseen run … --output-path {path}` wrote: it holds no results.json.")
    told = json.loads((path / "results.json").read_text(encoding="utf-8"))
    items = path / "items.parquet"
    return told["study"], Records.of_frames(
        pl.read_parquet(path / "rows.parquet"), pl.read_parquet(items) if items.is_file() else None
    )
