"""Can a small model learn to combine skills in one short text from texts that combine fewer?

Answer: trained on texts of up to three skills, models combine four and five, and those of kinds that they never trained on.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Needs, Paper, Study, Tier

from . import arms_mix
from .arms import Baseline, Learned, Setting, TextSetting
from .claims import CLAIMS, HEADLINES, MARKS

LARGE = Learned(texts=100_000, width=256, layers=4, heads=8, steps=20_000, batch=128, lr=1e-3, spread=2.0, items=500)


def settings(tier: Tier) -> list[Setting]:
    """Decoders, their controls and baselines on texts of letters; then the language models and their controls."""
    made = {"smoke": _small(Learned()), "laptop": Learned(), "paper": LARGE}[tier]
    return [*_letters(made), *arms_mix.settings(tier)]


def _letters(made: Learned) -> list[TextSetting]:
    """Three mixtures of as many texts, the published form, two controls, and writers by rule."""
    arms = [replace(made, trained_k=k) for k in (1, 2, 3)]
    controls = [replace(made, learner="untrained"), replace(made, learner="shuffled")]
    baselines = [Baseline(who, texts=made.texts, items=made.items) for who in ("oracle", "random", "retrieval")]
    published = replace(made, sentences=0, steps=made.steps * 3 // 2)  # it learns its reference more slowly
    return [*arms, published, *controls, *baselines]


def _small(made: Learned) -> Learned:
    return replace(made, texts=300, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=10)


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine."""
    if isinstance(setting, Baseline):
        return Needs(minutes=0.1 + (setting.writer == "retrieval") * setting.texts * setting.items / 5_000_000)
    if not isinstance(setting, Learned):
        return arms_mix.needs(setting)
    asked = 0.1 + setting.items / 200
    if setting.learner == "untrained":
        return Needs(minutes=asked, extras=("torch",))
    cost = setting.layers / 2 * (setting.width / 64) ** (1 if setting.width <= 64 else 1.6)
    minutes = 5 * setting.steps * setting.batch * cost * (0.0020 if setting.sentences else 0.0013) / 60
    if setting.width > 128:
        return Needs(minutes=asked + minutes / 50, gpus=1, memory_gb=16, extras=("torch",))
    return Needs(minutes=asked + minutes, extras=("torch",))


def evidence(setting: Setting) -> Evidence:
    """SkillText is a twin; so are skills of our own writing."""
    return "twin" if isinstance(setting, Learned | Baseline) else arms_mix.evidence(setting)


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Learned):
        return _small(setting)
    if isinstance(setting, Baseline):
        return replace(setting, texts=300, items=10)
    return arms_mix.rehearse(setting)


STUDY = Study(
    paper=Paper(
        "Can Models Learn Skill Composition from Examples?", "2409.19808", 2024, "https://github.com/LeoYu/skill-mix"
    ),
    axes=("composition", "skills"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    needs=needs,
    evidence=evidence,
    claims=CLAIMS,
    headlines=HEADLINES,
    marks=MARKS,
    rehearse=rehearse,
    block=5,
)
