"""Plan, measure, judge: what the command line and Python share.

judged = run("length_generalization", "smoke")      # plans, pins, measures, judges
print(judged.verdicts[0])
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .core import find, history
from .core.claim import judge_study
from .core.compare import Comparison
from .core.compare import compare as _compare
from .core.errors import Failed, Invalid, Missing, Mistake, Unknown, UnseenError, nearest
from .core.execute import Outcome, Pool, execute, here, procs, ray, slurm
from .core.lab import local_home
from .core.ledger import Judged
from .core.manifest import Manifests
from .core.plan import Trial, parse_sweep, plan
from .core.record import Records, Value
from .core.store import Store
from .core.study import Study, Tier, model_field, tier_of
from .extras import absent
from .live import Silent, Watch


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
        swept = [f"--set {k}={','.join(_word(v) for v in vs)}" for k, vs in self.sweep.items()]
        model = [f"--model {self.model}"] if self.model else []
        seeds = [f"--seeds {self.seeds}"] if self.seeds is not None else []
        return " ".join([self.slug, f"--tier {self.tier}", *model, *swept, *seeds])

    def own(self) -> Asked:
        """The study's own plan at this tier, unchanged."""
        return Asked(self.slug, self.tier)


@dataclass(frozen=True)
class How:
    """How to measure: in which pool, whether what is stored is measured again, and who watches."""

    on: str = "here"
    fresh: bool = False
    watch: Watch = field(default_factory=Silent)


def _word(value: Value) -> str:
    """A value as `--set` takes it, quoted for a shell where it must be."""
    from shlex import quote

    return ":".join(map(str, value)) if isinstance(value, tuple) else quote(str(value))


def home() -> str | Path:
    """Where trials and plans are kept: $UNSEEN_HOME (a folder, or an fsspec URL), or the platform's data folder."""
    named = os.environ.get("UNSEEN_HOME", "")
    return named if "://" in named else local_home()


def ask(
    slug: str,
    tier: str = "laptop",
    *,
    model: str | None = None,
    sweep: Mapping[str, str] | None = None,
    seeds: int | None = None,
) -> Asked:
    """An Asked from words; raises Unknown or Invalid as soon as one of them means nothing."""
    from .models import server

    for name in (model or "", *(part for words in (sweep or {}).values() for part in words.split(","))):
        if name.startswith("api:"):
            server.parts(name.removeprefix("api:"))  # a URL that holds a password is shown nowhere
    known = tier_of(tier)
    parsed = parse_sweep(slug, find.study(slug), known, sweep) if sweep else {}
    return Asked(slug, known, model, parsed, seeds)


def trials_of(asked: Asked) -> list[Trial]:
    """The unpinned trials that were asked for."""
    study = find.study(asked.slug)
    return plan(asked.slug, study, asked.tier, model=asked.model, sweep=asked.sweep, seeds=asked.seeds)


def pool_of(on: str) -> Pool:
    """The pool that `--on` names: `here`, `procs:N`, `ray`, `ray://HOST:PORT`, `ray:HOST:PORT` or `slurm:…`."""
    kind, _, count = on.partition(":")
    if kind == "ray" and (count or on == "ray"):
        return ray(on if count.startswith("//") else count)
    if kind == "here" and not count:
        return here()
    if kind == "procs" and count.isdigit() and int(count) > 0:
        return procs(int(count))
    if kind == "slurm" and (count or on == "slurm"):
        return slurm(count)
    raise Invalid(
        f"--on {on}: there is no such pool; use here, procs:N with N processes (such as procs:2), ray, ray://HOST:PORT, or slurm."
    )


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
        t.with_pins({t.setting.model: pins[t.setting.model]}) if model_field(type(t.setting)) else t for t in trials
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
) -> Judged:
    """A study measured and judged. Work that is already in the store is not done again, unless `fresh`.

    `sweep` is what `--set` is on the command line: `{"width": "32,64"}`. Trials that failed stand in `.absent`. Raises
    Mistake for what the caller can mend, Failed with the first trial's error if every trial failed.
    """
    from .live import watch

    asked = ask(slug, tier, model=model, sweep=sweep, seeds=seeds)
    with watch() as seen:
        outcomes, judged = carried_out(asked, How(on, fresh, seen))
        if judged is None:
            raise Failed(f"all {len(outcomes)} trials of {slug} failed; the first said: {outcomes[0].error}")
        if said := noted(judged):
            seen.say(said)
        return judged


def carried_out(asked: Asked, how: How = How()) -> tuple[list[Outcome], Judged | None]:
    """The outcome of every trial, measured where it was not yet, and the verdicts, None where every trial failed.

    What was found sound before measuring is not looked at again.
    """
    store = Store(home())
    outcomes = measure(asked, how, store)
    if outcomes and all(o.status == "failed" for o in outcomes):
        return outcomes, None
    trials, left = [o.trial for o in outcomes], [o.trial for o in outcomes if o.status != "kept"]
    new, damaged = store.sound(left)
    lost = {t.key for t in left} - {t.key for t in new}
    return outcomes, _judged(asked, store, trials, [t for t in trials if t.key not in lost], damaged)


def measure(asked: Asked, how: How = How(), store: Store | None = None) -> list[Outcome]:
    """The outcome of every trial of what was asked, measured where it was not yet."""
    unpinned = trials_of(asked)
    pool = pool_of(how.on)
    _check_extras(asked.slug, unpinned)
    store = store or Store(home())
    ready = pinned(unpinned)
    if how.fresh:
        _start_again(store, ready)
    store.write_plan(asked.slug, unpinned, ready)
    store.foresee(ready)
    kept = store.sound(ready)[0]
    store.sweep(kept)
    how.watch.begin(f"{asked.slug} {asked.tier}", ready, {t.key for t in kept})
    return execute(ready, store, pool, tell=how.watch.tell, kept=kept)


def _start_again(store: Store, trials: Sequence[Trial]) -> None:
    """Set aside what is stored of these trials, and drop the kept answers of their models."""
    for trial in trials:
        store.discard(trial)
    for pin in sorted({pin for trial in trials for pin in trial.pins.values()}):
        from .models import forget

        forget(pin, far=store.far)


def judge(asked: Asked, *, items: bool = False) -> Judged:
    """The verdicts on what the store holds of the newest run of this plan; with `items`, prompts and answers too.

    Raises Missing where nothing of it is measured.
    """
    store = Store(home())
    trials = newest(store, asked)
    return _judged(asked, store, trials, *store.sound(trials), items=items)


def _judged(
    asked: Asked,
    store: Store,
    trials: Sequence[Trial],
    there: Sequence[Trial],
    damaged: Mapping[str, str],
    *,
    items: bool = False,
) -> Judged:
    """The verdicts on those of these trials that are there and sound. Raises Missing where none is."""
    if not there:
        lost = "".join(f" {why}" for why in damaged.values())
        raise Missing(f"nothing of this plan is measured yet; `unseen run {asked.words()}` measures it.{lost}")
    study, records, keys = find.study(asked.slug), store.records(there), {t.key for t in there}
    return Judged(
        slug=asked.slug,
        study=study,
        tier=asked.tier,
        trials=trials,
        records=records,
        verdicts=judge_study(study, records, asked.tier, swept=list(asked.sweep)),
        manifests=Manifests(store.manifest, there),
        absent=[t for t in trials if t.key not in keys],
        damaged=damaged,
        stale=store.stale(there),
        exploratory=asked.exploratory,
        sheet=_sheet(asked.slug),
        departures=find.departures(asked.slug),
        items=[item for t in there for item in store.items(t)] if items else (),
    )


def noted(judged: Judged) -> str:
    """Note a study's verdicts in the store's history; what to tell where that cannot be, which stops nobody. The study's
    own plan only, measured whole."""
    try:
        history.note_verdicts(Store(home()).root, judged)
    except (OSError, UnseenError) as error:
        return unwritten(error)
    return ""


def unwritten(error: Exception) -> str:
    """What to tell of a history that cannot be written."""
    return f"the history cannot be written ({error}), so `unseen digest` will not tell of this; all else is kept."


def beside(asked: Asked, *, items: bool = False) -> Judged | None:
    """The study's own verdicts, to stand beside those of a changed plan; None where the plan is its own or unmeasured."""
    if not asked.exploratory:
        return None
    try:
        return judge(asked.own(), items=items)
    except Missing:
        return None


def newest(store: Store, asked: Asked) -> list[Trial]:
    """The trials of what was asked, pinned as they were when the plan was last run (as they are, if it never was)."""
    unpinned = trials_of(asked)
    pins = store.newest(asked.slug, unpinned)
    return [t.with_pins(pins[t.key]) if pins.get(t.key) else t for t in unpinned] if pins else unpinned


def takers() -> list[tuple[str, Study]]:
    """The studies that take a model, with headlines to show."""
    found = [(slug, find.study(slug)) for slug in find.slugs()]
    return [
        (s, study)
        for s, study in found
        if study.headlines and any(model_field(type(x)) for x in study.settings("smoke"))
    ]


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
    """The unpinned keys of the plan's trials that are measured already."""
    store = Store(home())
    trials = newest(store, asked)
    there = {t.key for t in store.sound(trials)[0]}
    return [u.key for u, t in zip(trials_of(asked), trials, strict=True) if t.key in there]


def judged_of(asked: Sequence[Asked], *, every: bool) -> list[Judged]:
    """What is measured of each plan, judged, a changed plan followed by the study's own.

    With `every`, a plan of which nothing is measured is an error; without, it is left out.
    """
    found: list[Judged] = []
    for one in asked:
        try:
            found.append(judge(one, items=True))
        except Missing:
            if every:
                raise
            continue
        if (own := beside(one, items=True)) is not None:
            found.append(own)
    if not found:
        raise Missing(
            "nothing is measured yet, so there is nothing to report; `unseen run STUDY --tier smoke` takes seconds."
        )
    return found


def compare(
    first: str, second: str, *, studies: Sequence[str] | None = None, tier: str = "laptop", how: How = How()
) -> Comparison:
    """The paired differences of two models over every study that takes one, or of two logs: folders of `--output-path`,
    logs of lm-eval or of inspect. Raises Missing or Invalid for logs that cannot be paired."""
    from .logs.pairs import paired

    if (held := paired(first, second, studies)) is not None:
        made = _compare(held.first, held.second, held.sides)
        return replace(made, notes=[*held.notes, *made.notes])
    known = dict(takers())
    if strange := [s for s in studies or () if s not in known]:
        raise Unknown(
            f"--study {strange[0]}: no study that takes a model is called so{nearest(strange[0], known)}. Such studies: {', '.join(known) or 'none'}."
        )
    reach((first, second))
    pairs: dict[str, tuple[Records, Records]] = {}
    notes: list[str] = []
    for slug in studies or known:
        asked = [ask(slug, tier, model=name, seeds=1) for name in (first, second)]
        a, b = (of_model(one, how, notes) for one in asked)
        if a is not None and b is not None:
            pairs[slug] = (a, b)
    if not pairs:
        raise Failed(" ".join([f"no study could be measured for both {first} and {second}.", *notes]))
    made = _compare(first, second, pairs)
    return replace(made, notes=[*made.notes, *notes])


def reach(names: Iterable[str]) -> None:
    """Raise Mistake where one of several models cannot be had, before the first is measured."""
    from .models import probe

    for name in names:
        probe(name)


def of_model(asked: Asked, how: How | None, notes: list[str]) -> Records | None:
    """One model's records of a study, measured first where `how` says how; None, with a note, where there are none."""
    if how is not None:
        outcomes = measure(asked, how)
        if failed := [o for o in outcomes if o.status == "failed"]:
            count = f"{len(failed)} of {len(outcomes)} trials" if len(outcomes) > 1 else "the trial"
            notes.append(f"{asked.slug}: {count} of {asked.model} failed; the first said: {failed[0].error}")
    store = Store(home())
    trials = newest(store, asked)
    there, damaged = store.sound(trials)
    notes += [f"{asked.slug}: {why} It is left out." for why in damaged.values()]
    if how is None and len(there) < len(trials):
        notes.append(
            f"{asked.slug}: {len(trials) - len(there)} of {len(trials)} trials are not measured for {asked.model}; `unseen card {asked.model} --tier {asked.tier}` measures them."
        )
    if old := store.stale(there):
        notes.append(f"{asked.slug}: {', '.join(old)} of {asked.model} measured by older code; --fresh measures again.")
    return store.records(there) if there else None
