"""Where does grokking happen in one pass of pretraining, and can it be seen without a test?

Answer of the paper: locally and at different times for different data; after samples are memorised, the ways that they take
through a mixture of experts become more alike and smoother, and both go along with what the model can do.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from .arms import Kernel, Pretrained, Released, Setting
from .claims import CLAIMS, MAIN

HUB = "allenai/OLMoE-1B-7B-0924"
STEPS = (5_000, 125_000, 245_000, 370_000, 490_000, 615_000, 735_000, 855_000, 980_000, 1_100_000)
TOKENS = 4_194_304  # of a step of OLMoE: revisions are named by both, step5000-tokens20B


def settings(tier: Tier) -> list[Setting]:
    """Mixtures of experts with learned and with frozen routers, kernels, and OLMoE's checkpoints at the paper tier."""
    main = {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()
    routers = Kernel(8, "one", features=20, samples=40, hidden=16) if tier == "smoke" else Kernel(40, "one")
    found: list[Setting] = [main, replace(main, arm="frozen"), routers, replace(routers, scales="many")]
    return [*found, *([_released()] if tier == "paper" else ())]


def _laptop() -> Pretrained:
    return Pretrained(
        "main", numbers=13, entities=20, relations=6, degree=4, phi=(3.2, 2.0), held=0.15, facts=4, width=64, layers=3,
        heads=4, experts=16, active=2, hidden=32, spread=4.0, steps=1200, batch=64, lr=2e-3, decay=1.0, first=30, points=12,
        samples=60, items=60,
    )  # fmt: skip


def _smoke() -> Pretrained:
    return replace(
        _laptop(), numbers=6, entities=12, relations=4, degree=3, phi=(2.0, 1.0), width=16, layers=3, heads=2, experts=8,
        hidden=8, steps=60, batch=16, lr=1e-2, first=5, points=6, samples=12, items=5, draws=20, warmup=5,
    )  # fmt: skip


def _paper() -> Pretrained:
    # DEPARTS: the small model is about as large as the original's second one (nanoMoE, 55M), but learns our stream and not
    # OpenWebText, whose held out texts have no right answers
    return replace(
        _laptop(), numbers=113, entities=500, relations=100, degree=20, phi=(10.0, 4.0), width=384, layers=6, heads=6,
        experts=8, hidden=768, spread=1.0, steps=50_000, batch=512, lr=5e-4, decay=0.3, first=200, samples=400, items=1000,
        warmup=500,
    )  # fmt: skip


def _released() -> Released:
    names = tuple(f"step{s}-tokens{s * TOKENS // 10**9}B" for s in STEPS)
    return Released(HUB, names, STEPS, "hub", samples=2500, items=1000, length=1024)


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine; measured on one core at laptop sizes."""
    extras = ("torch", "pathways")
    if isinstance(setting, Kernel):
        return Needs(0.05 + setting.routers * setting.experts * setting.samples**2 / 2e8, extras=("pathways",))
    if isinstance(setting, Released):
        return Needs(600, cpus=8, gpus=1, memory_gb=64, extras=("hub", "data", "pathways"))
    weights = setting.layers * (4 * setting.width**2 + 3 * setting.active * setting.width * setting.hidden)
    flops = 5.0 * 6 * weights * setting.steps * setting.batch * 4 * setting.facts
    if setting.width > 256:
        return Needs(30 + flops / 60 / 2e13, gpus=1, memory_gb=32, extras=extras)
    looked = setting.points * setting.samples**2 * 5 / 1e5
    return Needs(0.1 + flops / 60 / 12e9 + looked / 60, extras=extras)


def evidence(setting: Setting) -> Evidence:
    """The paper's model and corpora where they are read; all else is drawn here."""
    return "released data" if isinstance(setting, Released) and setting.data == "hub" else "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered; OLMoE is one with random weights, saved and opened here."""
    if isinstance(setting, Pretrained):
        return replace(_smoke(), arm=setting.arm, steps=20, points=4)
    if isinstance(setting, Kernel):
        return replace(setting, routers=20, samples=20, features=10, hidden=8)
    few = slice(0, 4)
    return replace(
        setting, repo="tiny", revisions=setting.revisions[few], steps=setting.steps[few], data="twin", samples=20, items=20,
        length=48, dtype="float32", draws=20,
    )  # fmt: skip


STUDY = Study(
    paper=Paper(
        "Where to find Grokking in LLM Pretraining? Monitor Memorization-to-Generalization without Test",
        "2506.21551",
        2025,
    ),
    axes=("example",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("example", "exact", 0.08, MAIN),),
    marks=(
        Mark("r_distance", -0.947, {"setting": "Released", "domain": "math"}, "paper: OLMoE, math"),
        Mark("r_distance", -0.929, {"setting": "Released", "domain": "code"}, "paper: OLMoE, code"),
        Mark("r_distance", -0.982, {"setting": "Released", "domain": "commonsense"}, "paper: OLMoE, commonsense"),
        Mark("r_consistency", 0.98, {"setting": "Released", "domain": "commonsense"}, "paper: OLMoE, commonsense"),
        Mark("entropy_r2", 0.0576, {"setting": "Released"}, "paper: OLMoE"),
    ),
)
