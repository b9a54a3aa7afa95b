"""What in its training documents makes a model reason, and what makes it know? Influence, traced where origins are known.

Answer: worked examples of a kind of problem help all problems of that kind alike, while a fact rests on the few documents
that tell it.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Mark, Model, Needs, Paper, Study, Tier

from .arms import Learned, Traced
from .claims import CLAIMS

HUB = (Model("hf:allenai/OLMo-2-0425-1B"), Model("hf:EleutherAI/pythia-1.4b"))


def settings(tier: Tier) -> list[Learned | Traced]:
    """The arms of a tier."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def _smoke() -> list[Learned | Traced]:
    main = Learned(
        "main", facts=12, worked=20, rules=4, said=8, noise=10, modulus=5, width=16, layers=2, heads=2, steps=30, batch=16,
        lr=3e-3, decay=0.1, factual=6, reasoned=4, controls=2, top=0.05, left_out=2,
    )  # fmt: skip
    traced = Traced(Model("tiny:decoder"), "twin", 10, fitted=6, reasoned=3, factual=3, blocks=1, tokens=120, top=0.2)
    return [*_arms(main), traced]


def _laptop() -> list[Learned | Traced]:
    # DEPARTS: the paper traces models of 7 and 35 billion weights to 5 million documents; a laptop two layers of width 64
    # to some 1,200, and a model of 135 million to 200 solved problems, by the MLPs of its last block
    main = Learned(
        "main", facts=48, worked=260, rules=20, said=120, noise=100, modulus=7, width=64, layers=2, heads=4, steps=1200,
        batch=32, lr=3e-3, decay=0.5, factual=16, reasoned=12, controls=10, top=0.02, left_out=8,
    )  # fmt: skip
    traced = Traced(
        Model("smollm2"), "released", 32, fitted=20, reasoned=4, factual=4, blocks=1, tokens=128, top=0.1, rank=32
    )
    return [*_arms(main), traced]


def _paper() -> list[Learned | Traced]:
    main = Learned(
        "main", facts=800, worked=4000, rules=200, said=1000, noise=2000, modulus=23, width=256, layers=4, heads=8, steps=20_000,
        batch=256, lr=1e-3, decay=0.1, factual=40, reasoned=40, controls=20, top=0.01, left_out=20,
    )  # fmt: skip
    first = Traced(
        HUB[0], "released", 1400, fitted=1000, reasoned=20, factual=20, blocks=16, tokens=512, top=0.01, rank=64
    )
    return [*_arms(main), *(replace(first, model=model, dtype="bfloat16") for model in HUB)]


def _arms(main: Learned) -> list[Learned]:
    """The main arm and its controls, from which nothing is left out."""
    return [main, replace(main, arm="untrained", left_out=0), replace(main, arm="shuffled", left_out=0)]


def needs(setting: Learned | Traced) -> Needs:
    """Minutes by products of matrices, at some 25 billion a second on one core."""
    if isinstance(setting, Traced):
        minutes = {"tiny:decoder": 0.05, "smollm2": 6.0}.get(setting.model)
        gpus, memory = (0, 3) if minutes is not None else (1, 40)
        return Needs(minutes or 90, gpus=gpus, memory_gb=memory, extras=("hub",))
    weights = 12 * setting.layers * setting.width**2
    trained = setting.steps * setting.batch * (0 if setting.arm == "untrained" else 1 + 3 * (setting.left_out > 0))
    documents = 3 * setting.worked + 4 * setting.facts + setting.said + setting.noise
    flops = 5 * 28 * 6 * weights * (trained + 12 * documents)
    if setting.width < 256:
        return Needs(minutes=0.2 + flops / 60 / 25e9, extras=("hub",))
    return Needs(minutes=10 + flops / 60 / 1e14, gpus=1, memory_gb=24, extras=("hub",))


def evidence(setting: Learned | Traced) -> Evidence:
    """Twins: the paper's documents are not public, and every world is drawn anew."""
    return "twin"


def rehearse(setting: Learned | Traced) -> Learned | Traced:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Traced):
        arch = "tiny:olmo2" if "OLMo" in setting.model else "tiny:gpt_neox"
        small = replace(
            setting, model=Model(arch), problems="twin", documents=8, fitted=8, reasoned=3, factual=3, blocks=1
        )
        return replace(small, top=0.2, rank=4)
    small = replace(setting, facts=12, worked=20, rules=4, said=8, noise=10, modulus=5, width=16, layers=2, heads=2)
    return replace(
        small, steps=20, batch=8, factual=6, reasoned=4, controls=2, top=0.05, left_out=min(2, setting.left_out)
    )


STUDY = Study(
    paper=Paper("Procedural Knowledge in Pretraining Drives Reasoning in Large Language Models", "2411.12580", 2024),
    axes=("novelty",),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    marks=(
        Mark("answer_found", 0.55, {"type": "factual", "method": "influence"}, "paper, 7B: 55%"),
        Mark("answer_found", 0.07, {"type": "reasoning", "method": "influence"}, "paper, 7B: 7%"),
    ),
)
