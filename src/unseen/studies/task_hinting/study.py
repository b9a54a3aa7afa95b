"""Does training on a simpler question about the same input make a transformer go on to longer inputs?

Answer: for sorting, being asked for a symbol's successor does, other hints hardly do; and attention that sharpens with the
length helps, as a sorter built by hand needs it.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from .arms import LONGEST, Built, Hint, Learned
from .claims import CLAIMS, PLAIN

HINTS: tuple[Hint, ...] = ("successor", "predecessor", "count", "parity", "fill")
# DEPARTS: the laptop trains two layers of width 64 on lengths up to 10 of 20 symbols; the paper's sizes are those of its
# tier, where a number not known to us (steps, batch, share of hints) is ours.
SORTING = {
    "smoke": Learned("sort", "none", 4, (8, 12), 8, 16, 2, 2, 20, 8, 3e-3, 5, 20, 20, 4.0),
    "laptop": Learned("sort", "none", 10, (20, 25, 30), 20, 64, 2, 4, 1400, 64, 3e-3, 50, 500, 100, 4.0, share=0.25),
    "paper": Learned("sort", "none", 20, (30, 40, 50, 60, 100), 100, 256, 4, 8, 20_000, 128, 5e-4, 500, 1000, 40, 2.0),
}
NUMBERS = {"smoke": (3, (6,), 20), "laptop": (6, (9, 12), 1600), "paper": (20, (30, 40), 20_000)}  # digits, steps
CONTROL = {"smoke": 20, "laptop": 400, "paper": 5_000}  # steps on the answers of other questions


def settings(tier: Tier) -> list[Learned | Built]:
    """Training with each hint and none, what changes one thing about it, and the sorter built by hand."""
    plain = SORTING[tier]
    hinted = [replace(plain, hint=hint) for hint in HINTS]
    successor = hinted[0]
    longer, wider = replace(plain, size="4 x data"), replace(plain, size="2 x width")
    arms = [
        replace(longer, steps=4 * plain.steps),
        replace(wider, width=2 * plain.width),
        *(replace(plain, temper=how) for how in ("log", "table")),
        replace(successor, temper="log"),
        replace(successor, pace="hint first"),
        replace(plain, labels="shuffled", steps=CONTROL[tier]),
    ]
    digits, further, steps = NUMBERS[tier]
    number = replace(plain, family="increment", train=digits, test=further, alphabet=10, steps=steps)
    arms += [number, replace(number, hint="carry")]
    if tier != "laptop":
        arms += [replace(s, repeat=False, alphabet=_enough(s)) for s in (plain, successor)]
        arms += [replace(s, positions="learned") for s in (plain, successor)]
        arms.append(replace(successor, temper="table"))
    asked = 5 if tier == "smoke" else 60
    sorters = [Built(10, (20, 30, LONGEST), 20, asked, how) for how in ("log", "fixed")]
    return [plain, *hinted, *arms, *sorters]


def _enough(setting: Learned) -> int:
    return max(setting.alphabet, *setting.test)


def needs(setting: Learned | Built) -> Needs:
    """What one trial of five seeds asks of a machine: at small widths the time of a token grows with the width."""
    if isinstance(setting, Built):
        return Needs(minutes=0.5)
    work = 5.0 * setting.steps * setting.batch * (2 * setting.train + 4) * setting.layers * setting.width
    extras = ("torch", "data")
    if setting.width < 256:
        return Needs(minutes=0.3 + work * 7e-8 / 60, extras=extras)
    return Needs(minutes=2 + work * setting.width * 2e-12 / 60, gpus=1, memory_gb=16, extras=extras)


def evidence(setting: Learned | Built) -> Evidence:
    """Twins at every tier: data and sizes follow the paper's words, its steps and mixture are not known to us."""
    return "twin"


def rehearse(setting: Learned | Built) -> Learned | Built:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Built):
        return replace(setting, items=2)
    return replace(setting, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=20, looked=20)


STUDY = Study(
    paper=Paper("Improving Length-Generalization in Transformers via Task Hinting", "2310.00726", 2023),
    axes=("length",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("length", "exact", 0.0, {**PLAIN, "hint": "successor"}),),
    marks=(
        Mark("exact", 0.926, {**PLAIN, "hint": "successor", "length": 100}, "paper: 92.6%"),
        Mark("exact", 0.01, {**PLAIN, "length": 100}, "paper: less than 1%"),
    ),
)
