"""On inputs longer than any trained on, which algorithms does a transformer still run?

Answer: those whose next token is told by a short RASP-L program that the training data single out. Copying different
symbols has one, copying repeated ones has not; addition has one if answers are written backwards with index hints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from .arms import Interpolated, Learned, Written
from .claims import CLAIMS

Reach = Mapping[str, tuple[int, int]]  # task -> the longest input trained on, a multiple of 4, and optimizer steps

LAPTOP: Reach = {
    "and": (16, 200), "and-places": (20, 300), "count": (16, 400), "mode": (16, 200), "mode+counts": (8, 2000),
    "mode+itemized": (8, 1800), "copy-unique": (12, 4000), "copy-repeat": (12, 2800), "sort": (8, 400), "parity": (8, 4000),
    "parity+ones+hints": (8, 1800),
}  # fmt: skip
# Addition is not among them: with four digits, two layers of width 64 and 1,600 steps one seed's right sums of
# trained length were 8% with hints and reversed digits, 11% with hints, 30% reversed; plain, 20% after 1,000 steps.
ADDITION = ("addition", "addition+reversed", "addition+hints", "addition+reversed+hints")
EXTRA = ("parity+ones", "parity+every", "parity+every+hints")  # scratchpads that no claim is about
PAPER: Reach = {
    **{name: (40, 50_000) for name in (*LAPTOP, *EXTRA)},
    **{name: (32, 50_000) for name in ADDITION},
    "and-places": (20, 50_000),
    "count": (60, 50_000),
}
SMOKE: Reach = {name: (20 if name == "and-places" else 4, 30) for name in (*LAPTOP, *ADDITION)}
SHORT = {"smoke": 4, "laptop": 4, "paper": 20}  # the small training range of counting
# about the tokens of a sequence: so many for each unit of length, and so many more
ROOM = {"mode+": (1, 14), "copy": (2, 3), "sort": (2, 3), "parity+ones+hints": (4, 4), "parity+every+hints": (4, 4)}
ROOM |= {
    "parity+": (2, 4),
    "addition+hints": (6, 10),
    "addition+reversed+hints": (6, 10),
    "addition": (3, 7),
    "": (1, 4),
}


def settings(tier: Tier) -> list[Learned | Written | Interpolated]:
    """The programs, the interpolator, one arm for each task, and the arms that change one thing about a task."""
    reach = {"smoke": SMOKE, "laptop": LAPTOP, "paper": PAPER}[tier]
    items = {"smoke": 20, "laptop": 500, "paper": 1000}[tier]
    # DEPARTS: the paper trains 6 layers of width 512; on a laptop two of width 64 learn short lengths.
    made = {
        "smoke": Learned("", 0, (), 16, 1, 2, 0, 8, 3e-3, 5, items, spread=4.0),
        "laptop": Learned("", 0, (), 64, 2, 4, 0, 64, 3e-3, 50, items, spread=4.0),
        "paper": Learned("", 0, (), 512, 6, 8, 0, 32, 5e-4, 500, items, spread=1.0),
    }[tier]
    main = {
        name: replace(made, task=name, train=n, test=() if name == "and-places" else _longer(n), steps=steps)
        for name, (n, steps) in reach.items()
    }
    few = SHORT[tier]
    arms = [
        replace(main["count"], train=few, test=_longer(few), span="short"),
        replace(main["mode"], labels="shuffled"),
        replace(main["sort"], positions="unshifted"),
        *(replace(main["sort"], positions=how) for how in ("rotary", "none")),
    ]
    if tier == "paper":
        arms += [replace(main["copy-unique"], positions=how) for how in ("rotary", "none")]
        arms.append(replace(main["addition+reversed+hints"], carries="standard"))
    added = [replace(made, task=name, train=4, test=_longer(4)) for name in ADDITION if name not in main]
    written = [Written(s.task, s.train, s.test, items) for s in (*main.values(), *added)]
    probes = [replace(w, carries="chain") for w in written if w.task in ADDITION]
    return [*main.values(), *arms, *written, *probes, Interpolated(20, items)]


def _longer(n: int) -> tuple[int, ...]:
    """Test lengths: a quarter, a half and the whole longer, and where training reaches 60 the paper's 150."""
    return (n * 5 // 4, n * 3 // 2, 2 * n, *((150,) if n == 60 else ()))


def needs(setting: Learned | Written | Interpolated) -> Needs:
    """What one trial of five seeds asks of a machine, by its multiplications."""
    if not isinstance(setting, Learned):
        return Needs(minutes=0.02)
    slope, more = next(room for name, room in ROOM.items() if setting.task.startswith(name))
    length = slope * setting.train + more
    tokens = 5.0 * setting.steps * setting.batch * length
    flops = tokens * setting.layers * (72 * setting.width**2 + 12 * length * setting.width)
    if setting.width < 512:
        return Needs(minutes=0.1 + flops / 60 / 28e9, extras=("torch",))
    return Needs(minutes=1 + flops / 60 / 4e13, gpus=1, memory_gb=16, extras=("torch",))


def evidence(setting: Learned | Written | Interpolated) -> Evidence:
    """Twins at every tier: the data are drawn from the paper's words, and its number of steps is not known to us."""
    return "twin"


def rehearse(setting: Learned | Written | Interpolated) -> Learned | Written | Interpolated:
    """A paper setting with only its sizes lowered."""
    if not isinstance(setting, Learned):
        return replace(setting, items=20)
    return replace(setting, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=20)


STUDY = Study(
    paper=Paper(
        "What Algorithms can Transformers Learn? A Study in Length Generalization",
        "2310.16028",
        2023,
        "https://github.com/apple/ml-np-rasp",
    ),
    axes=("length", "place"),
    settings=settings,
    seeds={"smoke": 2, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("length", "exact", 0.0, {"task": "copy-unique", "positions": "shifted"}),),
    marks=(
        Mark("exact", 1.0, {"task": "count", "length": 150}, "paper: near perfect (figure 1b)"),
        Mark("exact", 1.0, {"task": "and-places", "length": 20, "split": "zero late"}, "paper: 100%"),
    ),
)
