"""Which networks, asked about pictures of coloured letters, answer beyond what they were trained on?

Answer: with more distractors and with new combinations of operator and object, those whose question attends to the scene;
with deeper questions, none.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Model, Needs, Paper, Study, Tier

from . import sizes
from .arms import Asked, Audited, Control, Designed, Learned, Setting
from .claims import CLAIMS


def settings(tier: Tier) -> list[Setting]:
    """Networks by family of splits, what answers by design, the audits, and language models with their controls."""
    world = sizes.WORLDS[tier]
    designed = [
        Designed(method, part, tests, *world, items=sizes.DESIGNED[tier], fidelity=fidelity)
        for method in ("evaluator", "guess")
        for part, fidelity, tests in sizes.FAMILIES[tier]
    ]
    tests = {"distractor": sizes.FAR[tier], "productive": sizes.DEEP[tier]}
    asked = [
        Asked(
            model,
            part,
            tests[part],
            *world,
            limit=sizes.LIMIT[tier],
            num_fewshot=sizes.SHOWN[tier],
            dtype=dtype,
            apply_chat_template=chat,
        )
        for model, dtype, chat in sizes.MODELS[tier]
        for part in sizes.PARTS
    ]
    controls = [
        Control(speaker, part, tests[part], *world, limit=sizes.ASIDE[tier])
        for speaker in ("oracle", "untrained")
        for part in sizes.PARTS
    ]
    return [*sizes.learned(tier), *designed, Audited("as_intended"), Audited("as_released"), *asked, *controls]


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine, as measured."""
    if isinstance(setting, Learned):
        return sizes.needs_learned(setting)
    if isinstance(setting, Asked):
        return sizes.needs_asked(setting)
    untrained = isinstance(setting, Control) and setting.speaker == "untrained"
    return Needs(minutes=0.05, extras=("torch",) if untrained else ())


def evidence(setting: Setting) -> Evidence:
    """Twins at every tier: scenes are drawn by rules of our own writing, and the paper's steps could not be verified."""
    return "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Learned):
        return replace(setting, width=16, steps=20, batch=4, warmup=2, items=20)
    if isinstance(setting, Asked):
        return replace(setting, model=Model("tiny:qwen2"), limit=10, tests=setting.tests[:1], num_fewshot=1)
    if isinstance(setting, Designed):
        return replace(setting, items=20)
    return replace(setting, limit=8) if isinstance(setting, Control) else setting


STUDY = Study(
    paper=Paper(
        "On the generalization capacity of neural networks during generic multimodal reasoning",
        "2401.15030",
        2024,
        "https://github.com/IBM/gcog",
    ),
    axes=("distractors", "composition", "depth"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=tuple(
        Headline(axis, "exact", sizes.CHANCE, {"setting": "Asked", "part": part})
        for axis, part in (("distractors", "distractor"), ("depth", "productive"))
    ),
)
