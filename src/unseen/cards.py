"""How does one model do on what it has not seen, over every study that takes a model? What `unseen card` measures.

    made = card("smollm2", "smoke", formats=3)
    made.axes["length"][0].gap.text(signed=True)     ->  "-0.54 [-0.69, -0.36]"

With a budget the studies grow from a few items each: whichever's gap is known worst is asked more, while time is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from .core import history
from .core.card import Card, OwnData, Profile, by_axis, profiles
from .core.errors import Invalid, Unknown, UnseenError, nearest
from .core.record import Records
from .core.store import Store
from .core.study import Study, model_field, tier_of
from .driver import How, ask, home, of_model, reach, takers, unwritten

OWN = ("limit", "dtype", "apply_chat_template")  # fields of the settings that one's own data have, too
ROWS = {"smoke": 24, "laptop": 200, "paper": 2_000}  # of one's own that are asked, at most
SIZES = ("limit", "games")  # fields that say how many items a model is asked
FIRST = 4  # items at first, within a budget


@dataclass(frozen=True)
class Wanted:
    """Whose profile is wanted: a model at a tier, perhaps against another, its prompts in other words too, fields swept."""

    model: str
    tier: str
    against: str | None
    worded: Mapping[str, str]
    sweep: Mapping[str, str]
    how: How | None
    notes: list[str] = field(default_factory=list[str])


def card(
    model: str,
    tier: str = "laptop",
    *,
    against: str | None = None,
    sweep: Mapping[str, str] | None = None,
    formats: int = 1,
    minutes: float | None = None,
    studies: Sequence[str] | None = None,
    data: Data | None = None,
    measured: bool = True,
    how: How | None = None,
) -> Card:
    """The profile of a model over every study that takes one: one seed, items as the unit; with `formats` above 1 the
    same prompts are asked in other words too.

    With `minutes` no more items are asked once so many have passed. `studies` are the only ones asked (`none`: no study),
    and `data` is an owner's, which comes first. With `measured=False` only what is stored is shown.
    A study that could not be measured stands in the notes with its error. Raises Mistake where a model cannot be had,
    Unknown for a swept field that no study has.
    """
    known = chosen(studies)
    swept = dict(sweep or {})
    _check_fields(known, tier, {k: v for k, v in swept.items() if not (data and k in OWN)})
    notes: list[str] = []
    worded = _worded(model, formats, notes)
    if measured:
        reach((model,) if against is None else (model, against))
    wanted = Wanted(model, tier, against, worded, swept, (how or How()) if measured else None, notes)
    mine, own = _own(wanted, data) if data else ([], None)
    if minutes is None:
        found = [p for slug, study in known for p in _profiled(slug, study, wanted, {})]
    else:
        found = within(known, wanted, minutes)
    if not known and studies is None:
        notes.append("no study that takes a model was found; `unseen list` prints all.")
    made = Card(model, tier_of(tier), by_axis([*mine, *found]), against, notes, own)
    if measured:
        notes += _noted(made, swept, (data.train, data.test) if data else ())
    return made


@dataclass(frozen=True, slots=True)
class Data:
    """An owner's two files, and their names of prompt and answer where these are unusual."""

    train: Path
    test: Path
    fields: tuple[str, str] | None = None


def formats_of(tier: str) -> int:
    """In how many formats prompts are asked where nobody says: in all, but at the smoke tier, which is to take seconds."""
    return 1 if tier == "smoke" else 3


def data_of(train: Path | None, test: Path | None, fields: tuple[str, str] | None = None) -> Data | None:
    """An owner's two files, or None. Raises Invalid for one without the other."""
    if (train is None) != (test is None):
        there, lacks = ("--train", "--test") if test is None else ("--test", "--train")
        raise Invalid(f"{there} names one file of your data and {lacks} the other; give both.")
    return None if train is None or test is None else Data(train, test, fields)


def chosen(studies: Sequence[str] | None) -> list[tuple[str, Study]]:
    """The studies of these names that take a model; all for None. Raises Unknown for another name."""
    known = dict(takers())
    if strange := [s for s in studies or () if s not in known and s != "none"]:
        raise Unknown(f"--study {strange[0]}: no study that takes a model is called so{nearest(strange[0], known)}. Such studies: {', '.join(known) or 'none'}.")  # fmt: skip
    return [(slug, study) for slug, study in known.items() if studies is None or slug in studies]


def _noted(made: Card, sweep: Mapping[str, str], files: Sequence[Path]) -> list[str]:
    """Note a card in the store's history; what to tell where that cannot be, which stops nobody."""
    try:
        history.note_card(Store(home()).root, made, sweep, files)
    except (OSError, UnseenError) as error:
        return [unwritten(error)]
    return []


def whole(made: Card, studies: Sequence[str] | None) -> bool:
    """Whether every study that was asked for stands on the card."""
    shown = {p.study for profiles in made.axes.values() for p in profiles}
    return shown >= {slug for slug, _ in chosen(studies)}


def _own(wanted: Wanted, data: Data) -> tuple[list[Profile], OwnData]:
    """The profiles of a model on its owner's data, and what was found of the data itself."""
    from . import own

    names = [wanted.model, *([wanted.against] if wanted.against else [])]
    told = {k: v for k, v in wanted.sweep.items() if k in OWN}
    how = own.How.of(told, ROWS[wanted.tier], data.fields)
    made, found = own.audit(names, data.train, data.test, how, watch=wanted.how.watch if wanted.how else None)
    return _said(wanted, made), found


def within(
    known: Sequence[tuple[str, Study]], wanted: Wanted, minutes: float, clock: Callable[[], float] = time.monotonic
) -> list[Profile]:
    """The profiles that so many minutes allow: of a few items of every study, then of twice as many, again and again, of
    the study whose gap is known worst and whose next doubling should be done in time."""
    if minutes <= 0:
        raise Invalid(f"--budget {minutes:g} minutes: nothing can be measured in no time.")
    began = clock()
    grown: dict[str, Grown] = {}
    for slug, study in known:
        size = next((name for name in SIZES if name in _fields(study, wanted.tier)), None)
        grown[slug] = one = Grown(slug, study, size if size not in wanted.sweep else None)
        one.ask(wanted, clock)
    while due := [g for g in grown.values() if g.size and clock() - began + 2 * g.seconds < 60 * minutes]:
        max(due, key=lambda g: g.width).ask(wanted, clock)
    spent = (clock() - began) / 60
    sizes = ", ".join(f"{g.slug} {g.n}" for g in grown.values() if g.size)
    wanted.notes.append(f"{spent:.1f} of {minutes:g} minutes were spent; items asked of each kind: {sizes}.")
    return [p for g in grown.values() for p in g.profiles]


@dataclass
class Grown:
    """A study that is asked more and more items of, as `size` (its field) says; None where it says nothing."""

    slug: str
    study: Study
    size: str | None
    n: int = FIRST // 2
    seconds: float = 0.0
    profiles: list[Profile] = field(default_factory=list[Profile])

    @property
    def width(self) -> float:
        """How wide the widest interval of a gap is; infinite where one has none."""
        wide = [p.gap.high - p.gap.low for p in self.profiles]
        return max((w if w == w else float("inf") for w in wide), default=0.0)

    def ask(self, wanted: Wanted, clock: Callable[[], float]) -> None:
        """Measure with twice as many items, and note how long that took."""
        self.n, began = 2 * self.n, clock()
        before = len(wanted.notes)
        found = _profiled(self.slug, self.study, wanted, {self.size: str(self.n)} if self.size else {})
        if not found or len(wanted.notes) > before:
            self.size = None  # asked for more, it would fail again
        self.profiles, self.seconds = found or self.profiles, clock() - began


def _profiled(slug: str, study: Study, wanted: Wanted, more: Mapping[str, str]) -> list[Profile]:
    """The profiles of one study, with `more` fields swept; none where the model, or the other, could not be measured."""
    swept = {**_known(study, wanted.tier, wanted.sweep), **more}
    names = [wanted.model, *([wanted.against] if wanted.against else [])]
    its: dict[str, Records | None] = {}
    for name in (*names, *wanted.worded):
        said = wanted.notes if wanted.how or name in names else []  # wordings that were not asked are not missed
        its[name] = of_model(ask(slug, wanted.tier, model=name, sweep=swept, seeds=1), wanted.how, said)
    if (mine := its[wanted.model]) is None or (wanted.against is not None and its[wanted.against] is None):
        return []
    others = {named: part for n, named in wanted.worded.items() if (part := its[n]) is not None}
    return _said(wanted, profiles(slug, study.headlines, mine, its[wanted.against] if wanted.against else None, others))


def _said(wanted: Wanted, found: list[Profile]) -> list[Profile]:
    """The profiles, told to whoever watches: the first numbers of a card are not to wait for its last study."""
    if wanted.how and wanted.how.watch:
        for profile in found:
            wanted.how.watch.say(profile.says())
    return found


def _worded(model: str, formats: int, notes: list[str]) -> dict[str, str]:
    """The model under its names in other words, and what each of them is. Raises Invalid for more than there are."""
    from .models.worded import FORMATS

    if not 1 <= formats <= len(FORMATS):
        raise Invalid(f"--formats {formats}: prompts are asked in 1 to {len(FORMATS)} formats.")
    if model.startswith(("replay:", "worded:")) and formats > 1:
        notes.append(f"{model} answers the prompts of one format only, so what a format changes is not shown.")
        return {}
    return {f"worded:{k}:{model}": FORMATS[k] for k in range(1, formats)}


def _check_fields(known: Sequence[tuple[str, Study]], tier: str, sweep: Mapping[str, str]) -> None:
    """Raise Unknown for a swept field that no study's model settings have: nothing would act on it."""
    names = sorted({n for _, study in known for n in _fields(study, tier)})
    if strange := [name for name in sweep if name not in names]:
        raise Unknown(
            f"--set {strange[0]}: no study that takes a model has a field {strange[0]!r}{nearest(strange[0], names)}. Fields there are: {', '.join(names) or 'none'}."
        )


def _fields(study: Study, tier: str) -> set[str]:
    return {f.name for s in study.settings(tier_of(tier)) if model_field(type(s)) for f in fields(s)}


def _known(study: Study, tier: str, sweep: Mapping[str, str] | None) -> dict[str, str]:
    """The part of a sweep that this study's model settings have fields for: a card spans studies that differ."""
    return {k: v for k, v in (sweep or {}).items() if k in _fields(study, tier)}
