"""Can a network without optimizer, loss or gradient become a learning algorithm, by meta-training alone?

Answer: yes, if it is trained on very many tasks; on few it remembers them. What limits it is the state that a prediction
can read, not the number of parameters.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from . import sizes
from .arms import Amount, Designed, Learned
from .claims import CLAIMS


def settings(tier: Tier) -> list[Learned | Designed]:
    """The map of task counts and widths, networks by state, the plateau, images, and the controls."""
    made, counts = sizes.MAIN[tier], sizes.COUNTS[tier]
    mapped = [
        replace(made, amount=_amount(i, len(counts)), size=size, tasks=n, width=width, heads=heads)
        for i, n in enumerate(counts)
        for size, (width, heads) in (("wide", (made.width, made.heads)), ("narrow", sizes.NARROW[tier]))
    ]
    lr, steps = sizes.RATE[tier]
    states = [
        replace(made, part="state", size=size, kind=kind, width=width, heads=heads, lr=lr, steps=steps)
        for size, kind, width, heads in sizes.STATES[tier]
    ]
    late, images = replace(made, part="plateau"), sizes.IMAGES[tier]
    plateaus = [replace(late, fixed=0.9), replace(late, size="narrow", batch=late.batch // 4)]
    shuffled = replace(made, part="shuffled", labels="shuffled", steps=sizes.SHUFFLED[tier])
    designed = [
        Designed(method, s.base, s.others, s.features, s.classes, s.length, s.noise, min(s.items, 200))
        for s in dict.fromkeys((made, images) if made.base != images.base else (made,))
        for method in ("neighbours", "linear")
    ]
    return [*mapped, *states, *plateaus, images, shuffled, *sizes.EMBEDDED[tier], *designed]


def _amount(i: int, n: int) -> Amount:
    return "few" if i == 0 else "most" if i == n - 1 else "between"


def needs(setting: Learned | Designed) -> Needs:
    """What one trial of five seeds asks of a machine, by its multiplications and, for recurrent networks, its moves."""
    extras = ("torch", "data") if setting.base not in ("gaussian", "glyphs") else ("torch",)
    if isinstance(setting, Designed):
        return Needs(minutes=0.1 + setting.length**2 * setting.features * setting.classes / 6e5, extras=extras)
    n = setting.length * (2 if setting.form == "pair" else 1)
    tokens = 5.0 * setting.steps * setting.batch * n
    d = setting.width
    flops = tokens * setting.layers * (72 * d**2 + 12 * n * d)
    if setting.features > 16:
        return Needs(
            minutes=2 + flops / 60 / 4e13 + tokens / 60 / 2e6, gpus=1, memory_gb=32, extras=("torch", "hub", "data")
        )
    micro = {"transformer": 3, "lstm": 2 + 0.11 * d, "fast": 5 + 0.75 * d}[setting.kind]
    more = flops / 60 / 65e9 if setting.kind == "transformer" else 0
    return Needs(minutes=0.1 + tokens * micro / 60e6 + more, extras=extras)


def evidence(setting: Learned | Designed) -> Evidence:
    """Twins at every tier: the paper's sizes and steps are recalled, and images are cut to 64 principal components."""
    return "twin"


def rehearse(setting: Learned | Designed) -> Learned | Designed:
    """A paper setting with only its sizes lowered, on sets that need no network."""
    sets = {"base": "digits", "others": ("glyphs",), "features": 16, "items": 20}
    if isinstance(setting, Designed):
        return replace(setting, length=8, **sets)
    sets |= {"embed": "random" if setting.embed else "", "tasks": min(setting.tasks, 1 << 20)}
    return replace(setting, length=8, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, **sets)


STUDY = Study(
    paper=Paper("General-Purpose In-Context Learning by Meta-Learning Transformers", "2212.04458", 2022),
    axes=("task", "examples", "data set"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(
        Headline("task", "last", 0.25, {"part": "map", "amount": "most", "size": "wide"}),
        Headline("data set", "last", 0.25, {"part": "map", "amount": "most", "size": "wide"}),
    ),
    marks=tuple(
        Mark("last", value, {"part": "images", **where}, f"paper: {value:.0%} after 99 examples (recalled)")
        for value, where in (
            (0.74, {"base": "mnist", "split": "new examples"}),
            (0.62, {"set": "fashion"}),
            (0.53, {"set": "kmnist"}),
            (0.19, {"set": "cifar10"}),
            (0.15, {"set": "svhn"}),
        )
    ),
)
