"""Can a sparse autoencoder carry over to a model the reasoning that its counterpart learned by reinforcement?

Answer of the paper: yes, at more than 97% of the counterpart's score, for a dollar. Whether anything but robustness to
noise is carried over is what the controls ask.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from .arms import Checkpoints, Reasoner, Setting
from .claims import CLAIMS

# DEPARTS: five blocks of width 48 instead of four of width 128, so that a sweep has a middle third and four layers
LAPTOP = Reasoner(
    base=7, trained=(3, 4), longer=(5, 6), slips=0.05, width=48, depth=5, heads=4, taught=400, taught_batch=64,
    taught_lr=4e-3, rewarded=60, prompts=16, group=8, rewarded_lr=7e-4, items=400, questions=2_000, main=2,
    layers=(1, 2, 3, 4), features=384, k=8, passes=4, steps=60, batch=32, at_once=32, lr=1e-3, rank=8,
)  # fmt: skip
QWEN = "hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"
PAPER = Checkpoints(
    target=QWEN, source=f"{QWEN}+Tina-Yi/R1-Distill-Qwen-1.5B-STILL", sibling="hf:Qwen/Qwen2.5-Math-1.5B",
    stranger="hf:Qwen/Qwen2-1.5B", corpus="released", trained=(2, 3), longer=(4, 5, 6), items=100,
    max_new_tokens=4_096, temperature=0.6, questions=2_000, main=12, layers=(4, 8, 12, 16, 20, 24), features=65_536,
    k=32, passes=1, steps=500, batch=16, at_once=4, lr=1e-6, rank=32,
)  # fmt: skip


def settings(tier: Tier) -> list[Setting]:
    """Small reasoners, or at the paper's scale R1-Distill-Qwen-1.5B and its kin."""
    small = replace(
        LAPTOP, width=16, heads=2, taught=20, rewarded=4, prompts=4, group=4, items=20, questions=40, features=32, k=4,
        passes=2, steps=2, batch=8, at_once=8, rank=2, layers=(1, 2),
    )  # fmt: skip
    return [{"smoke": small, "laptop": LAPTOP, "paper": PAPER}[tier]]


def needs(setting: Setting) -> Needs:
    """What one trial asks of a machine."""
    if isinstance(setting, Checkpoints):
        return Needs(minutes=4.0 * setting.items, gpus=1, memory_gb=48, extras=("torch", "hub"))
    return Needs(minutes=0.1 + setting.taught / 170, memory_gb=3, extras=("torch", "hub"))


def evidence(setting: Setting) -> Evidence:
    """Twins at every tier: small reasoners, and at the paper's scale other problems than the paper's."""
    return "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered, its checkpoints' class with random weights."""
    assert isinstance(setting, Checkpoints)
    tiny = "tiny:qwen2"
    return replace(
        setting, target=tiny, source=tiny, sibling=tiny, stranger=tiny, corpus="twin", trained=(2,), longer=(3,),
        items=4, max_new_tokens=8, questions=20, main=1, layers=(1,), features=64, k=4, steps=6, batch=4, rank=4,
        dtype="float32",
    )  # fmt: skip


STUDY = Study(
    paper=Paper(
        "Resa: Transparent Reasoning Models via SAEs",
        "2506.09967",
        2025,
        "https://github.com/shangshang-wang/Resa",
    ),
    axes=("length", "complexity"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 3},
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("length", "passed", 0.0, {"arm": "sae"}),),
    marks=(
        Mark("passed", 0.4816, {"arm": "rl"}, "paper, from memory: Tina-STILL, mean of six sets"),
        Mark("passed", 0.473, {"arm": "sae"}, "paper, from memory: Resa-STILL, mean of six sets"),
    ),
)
