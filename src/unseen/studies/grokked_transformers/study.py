"""Can a transformer combine facts that it holds in its weights, without writing anything down?

Answer: yes, if it is trained long past fitting (it groks). Two hops over facts never composed before stay out of reach,
because upper layers hold the second fact only where it was composed in training; comparisons of such facts succeed.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Model, Needs, Paper, Study, Tier

from .arms import Asked, Learned
from .claims import CLAIMS

HUB = (Model("hf:Qwen/Qwen2.5-7B-Instruct"), Model("hf:meta-llama/Llama-3.1-8B-Instruct"))
LONG = Model("hf:Qwen/Qwen2.5-7B-Instruct-1M")  # reads some 30,000 facts at once


def settings(tier: Tier) -> list[Learned | Asked]:
    """The arms of a tier."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def _smoke() -> list[Learned | Asked]:
    composed = Learned(
        "composition", "main", 20, 6, 4, 2.0, apart=0.2, held=0.1, width=16, layers=2, heads=2, spread=4.0, steps=30,
        batch=32, lr=3e-3, warmup=5, decay=0.3, beta=0.98, early=15, every=10, later=10, dense=30, items=40, probes=20,
    )  # fmt: skip
    compared = replace(composed, family="comparison", entities=16, labels=2, degree=5)
    world = replace(compared, family="complex", entities=40, apart=0.2)
    asked = Asked(Model("tiny:decoder"), "retrieved", "direct", 40, 2, 5, 0.05, limit=4, apply_chat_template=False)
    asked = replace(asked, dtype="float32", max_new_tokens=16)
    arms = [*_arms(composed, (1.0, 1.5), early=15), compared, world]
    return [*arms, asked, replace(asked, style="cot", given="all")]


def _laptop() -> list[Learned | Asked]:
    # DEPARTS: the paper trains 8 layers of width 768 on 2,000 entities for up to 2 million steps; a laptop two layers of
    # width 64 on 50, whose facts end without </a>
    composed = Learned(
        "composition", "main", 50, 20, 10, 8.0, apart=0.15, held=0.04, width=64, layers=2, heads=4, spread=4.0,
        steps=4800, batch=256, lr=1e-3, warmup=50, decay=1.0, beta=0.98, early=1200, every=100, later=100, dense=4800,
        items=300, probes=200, closed=False,
    )  # fmt: skip
    compared = replace(composed, family="comparison", entities=60, labels=3, degree=8, phi=12.6, apart=0.15, held=0.1)
    asked = Asked(Model("smollm2"), "retrieved", "direct", 120, 4, 10, 0.05, limit=5)
    return [*_arms(composed, (2.0, 3.5, 5.0, 6.5), early=composed.early), compared, asked]


def _paper() -> list[Learned | Asked]:
    # DEPARTS: no dropout, which the paper's runs have where they do not say --no_dropout
    composed = Learned(
        "composition", "main", 2000, 200, 20, 7.2, apart=0.05, held=0.005, width=768, layers=8, heads=12, spread=1.0,
        steps=1_500_000, batch=512, lr=1e-4, warmup=2000, decay=0.1, beta=0.999, early=20_000, every=2000, later=50_000,
        dense=40_000, items=3000, probes=300,
    )  # fmt: skip
    compared = replace(composed, family="comparison", entities=1000, labels=20, degree=20, apart=0.1, held=0.1)
    arms = _arms(composed, (3.6, 5.4, 9.0, 12.6, 18.0), early=composed.steps)
    arms = [replace(a, phi=12.6, decay=0.3, layers=4) if a.arm == "shared" else a for a in arms]
    first = Asked(HUB[0], "retrieved", "direct", 1000, 20, 20, 0.03, limit=150)
    asked = [*(replace(first, model=model) for model in HUB), replace(first, model=LONG, given="all")]
    asked += [replace(one, style="cot") for one in asked]
    return [*arms, compared, replace(compared, family="complex"), *asked]


def _arms(main: Learned, ratios: tuple[float, ...], early: int) -> list[Learned]:
    """The main arm of composition and those that change one thing about it; those compared in speed end at `early`."""
    short = replace(main, steps=early)
    return [
        main,
        *(replace(short, arm="phi", phi=phi) for phi in ratios),
        replace(short, arm="less decay", decay=main.decay / 10),
        replace(main, arm="smaller", entities=main.entities // 2, steps=main.steps // 2, every=main.every // 2),
        replace(main, arm="shared", loops=2),
        replace(short, arm="shuffled", answers="shuffled"),
    ]


def needs(setting: Learned | Asked) -> Needs:
    """Minutes by products of matrices: some 35 billion a second on one core for five small decoders, as measured."""
    if isinstance(setting, Asked):
        minutes = {"tiny:decoder": 0.05, "smollm2": 3.0}.get(setting.model)
        gpus, memory = (1, 40) if minutes is None and setting.entities == 1000 else (0, 4)
        return Needs(minutes or 60, gpus=gpus, memory_gb=memory, extras=("hub",))
    places = {"composition": 3, "comparison": 5, "complex": 8}[setting.family] + setting.closed
    vocab = setting.entities + 3 * setting.labels + setting.degree
    weights = 12 * setting.layers * setting.loops * setting.width**2 + vocab * setting.width / places
    flops = 5 * 6 * weights * setting.steps * setting.batch * places
    if setting.width < 512:
        return Needs(minutes=0.1 + flops / 60 / 35e9, extras=("torch",))
    return Needs(minutes=5 + flops / 60 / 2e14, gpus=1, memory_gb=16, extras=("torch",))


def evidence(setting: Learned | Asked) -> Evidence:
    """Twins, as every world is drawn anew; the paper's sizes count as its scale."""
    return "paper scale" if isinstance(setting, Learned) and setting.width == 768 else "twin"


def rehearse(setting: Learned | Asked) -> Learned | Asked:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Asked):
        arch = "tiny:qwen2" if "Qwen" in setting.model else "tiny:llama"
        small = replace(setting, model=Model(arch), entities=40, labels=2, degree=5, kept=0.05, limit=10)
        return replace(small, dtype="float32", max_new_tokens=16, apply_chat_template=False)
    sizes = (20, 6, 4) if setting.family == "composition" else (40, 2, 5)
    small = replace(setting, entities=sizes[0], labels=sizes[1], degree=sizes[2], phi=1.0, apart=0.2, held=0.1)
    small = replace(small, width=16, layers=2, heads=2, steps=20, batch=8, warmup=5, items=20, probes=8)
    return replace(small, early=10, every=10, later=10, dense=20)


STUDY = Study(
    paper=Paper(
        "Grokked Transformers are Implicit Reasoners: A Mechanistic Journey to the Edge of Generalization",
        "2405.15071",
        2024,
        "https://github.com/OSU-NLP-Group/GrokkedTransformer",
    ),
    axes=("composition",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("composition", "exact", 1 / 3, {"setting": "Asked", "given": "retrieved", "style": "direct"}),),
    marks=(
        Mark(
            "exact", 0.0, {"family": "composition", "arm": "main", "split": "composed apart"}, "paper: 0 after 2M steps"
        ),
        Mark("exact", 1.0, {"family": "comparison", "arm": "main", "split": "composed apart"}, "paper: near 100%"),
        Mark("exact_when_fitted", 0.967, {"phi": 18.0, "split": "composed new"}, "paper: 96.7%"),
    ),
)
