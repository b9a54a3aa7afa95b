"""Which language models write texts of which skills, who grades them, and what does that take?

Written("smollm2", "own", sizes=(1, 2, 3)) ; Speaker("oracle") ; Compared(("program", "smollm2")) ;
Taught("hf:Qwen/Qwen2.5-7B-Instruct", mixture=(2, 3))

Their splits carry the coordinates `k` (skills of a text) and `among` (of which skills and topics), which no field is
called. A writer or grader is any name that `unseen.models.open` takes; a writer may be a speaker's name as well, and a
grader "program", which checks the skills of our own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from unseen.core.study import Evidence, Model, Needs, Tier

Source = Literal["own", "published"]  # the skills of our own writing, or the ten that Skill-Mix published
SMOLLM2 = Model("smollm2")
UNTRAINED = Model("tiny:decoder")
PROGRAM = "program"
READER = "py:unseen.studies.skill_composition.speakers:reader"  # the program, asked and answering as a model would
SMALL_JUDGE = f"likely:{SMOLLM2}"  # by the likelihoods of its answers, as its replies to a rubric cannot be read
# DEPARTS: GPT-4, Claude 3 Opus and the students of 2023 stand behind servers or are gone (`--model api:…` asks any); two
# open students and two open judges stand for them in the plan.
STUDENTS = (Model("hf:mistralai/Mistral-7B-Instruct-v0.2"), Model("hf:Qwen/Qwen2.5-7B-Instruct"))
JUDGES = ("hf:Qwen/Qwen2.5-32B-Instruct", "hf:mistralai/Mistral-Small-24B-Instruct-2501")
# Skill-Mix's two turns, in the second of which the model looks over its text; or, for models that cannot follow these, a
# brief request behind three texts of skills that are never asked for.
Form = Literal["two turns", "shown"]
Who = Literal["oracle", "half", "namer", "words"]
WRITERS: tuple[Who, ...] = ("oracle", "half", "namer", "words")


@dataclass(frozen=True, slots=True)
class Written:
    """A language model that is asked for texts. A seed has combinations of skills and topic of its own."""

    model: Model
    skills: Source = "own"
    sizes: tuple[int, ...] = (1, 2, 3)  # skills of a text
    limit: int = 8  # combinations of each size and seed
    generations: int = 1  # texts of each combination
    grader: str = PROGRAM
    gradings: int = 1  # of each text, of which the majority counts
    form: Form = "two turns"
    temperature: float = 0.7
    apply_chat_template: bool = False
    dtype: str = "float32"
    max_new_tokens: int = 512  # of each turn


@dataclass(frozen=True, slots=True)
class Speaker:
    """What must come out as it must: an oracle, one that shows half of the skills, one that names them, random words."""

    speaker: Who
    sizes: tuple[int, ...] = (1, 2, 3)
    limit: int = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """Two graders of the same texts, which are by several writers: how far do points and the writers' order agree?"""

    graders: tuple[str, str]
    writers: tuple[str, ...] = WRITERS
    skills: Source = "own"
    sizes: tuple[int, ...] = (2, 3)
    limit: int = 4
    gradings: int = 1
    form: Form = "two turns"
    temperature: float = 0.7
    apply_chat_template: bool = False
    dtype: str = "float32"
    max_new_tokens: int = 128


@dataclass(frozen=True, slots=True)
class Taught:
    """A language model fine-tuned on texts with full marks of few skills, asked for more of them before and after."""

    checkpoint: str
    mixture: tuple[int, ...] = (2, 3)  # skills of the texts trained on
    teacher: str = JUDGES[0]  # who writes them
    texts: int = 6_000  # in all, whatever the mixture
    sizes: tuple[int, ...] = (1, 2, 3, 4, 5)
    limit: int = 100
    steps: int = 4_000
    batch: int = 64
    at_once: int = 8  # texts in memory at once
    rank: int = 64  # of the LoRA matrices
    lr: float = 2e-4
    temperature: float = 0.7
    apply_chat_template: bool = True
    dtype: str = "bfloat16"
    max_new_tokens: int = 512


MixSetting = Written | Speaker | Compared | Taught


def settings(tier: Tier) -> list[MixSetting]:
    """The settings that ask language models, and their controls, at a tier."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def _smoke() -> list[MixSetting]:
    return [
        Written(UNTRAINED, sizes=(1, 2), limit=3, generations=2, max_new_tokens=16),
        *(Speaker(who, (1, 2, 3), limit=4) for who in WRITERS),
        Compared((PROGRAM, READER), limit=4, gradings=3),
    ]


def _laptop() -> list[MixSetting]:
    small = {"form": "shown", "dtype": "bfloat16"}
    return [
        Written(SMOLLM2, sizes=(1, 2, 3), limit=12, generations=3, max_new_tokens=40, **small),  # type: ignore[arg-type]
        *(Speaker(who, (1, 2, 3, 4, 5, 6), limit=20) for who in WRITERS),
        Compared((PROGRAM, READER), limit=10),
        Compared((PROGRAM, SMALL_JUDGE), limit=4, form="shown", dtype="bfloat16"),
    ]  # fmt: skip


def _paper() -> list[MixSetting]:
    large = {
        "sizes": (1, 2, 3, 4, 5, 6),
        "limit": 20,
        "generations": 3,
        "apply_chat_template": True,
        "dtype": "bfloat16",
    }
    written = [Written(model, source, grader=grader, gradings=gradings, **large) for model in STUDENTS for source, grader, gradings in (("own", PROGRAM, 1), ("published", JUDGES[0], 3))]  # type: ignore[arg-type]  # fmt: skip
    writers = (*map(str, STUDENTS), "hf:Qwen/Qwen2.5-1.5B-Instruct", str(SMOLLM2), "namer", "words")
    compared = [Compared(JUDGES, writers, source, (2, 3, 4), 20, gradings=3, apply_chat_template=True, dtype="bfloat16", max_new_tokens=512) for source in ("own", "published")]  # type: ignore[arg-type]  # fmt: skip
    taught = [Taught(str(model), mixture) for model in STUDENTS for mixture in ((1,), (1, 2), (1, 2, 3), (2, 3))]
    controls = [Speaker(who, (1, 2, 3, 4, 5, 6), limit=100) for who in WRITERS]
    return [*written, *controls, Compared((PROGRAM, READER), limit=20), *compared, *taught]


def needs(setting: MixSetting) -> Needs:
    """What one trial of five seeds asks of a machine."""
    if isinstance(setting, Speaker) or (isinstance(setting, Compared) and READER in setting.graders):
        return Needs(minutes=0.2)
    if isinstance(setting, Taught):
        told = 2 * 5 * len(setting.sizes) * 2 * setting.limit
        return Needs(minutes=5 * (setting.steps * 0.05 + setting.texts * 0.01) + told * 0.01, cpus=8, gpus=1, memory_gb=96, extras=("hub", "data"))  # fmt: skip
    asked = _asked(setting)
    if isinstance(setting, Written) and setting.model == UNTRAINED:
        return Needs(minutes=0.2, extras=("torch",))
    if (isinstance(setting, Written) and setting.model == SMOLLM2) or SMALL_JUDGE in _graders(setting):
        return Needs(minutes=0.5 + asked / 110, memory_gb=3, extras=("hub",))
    return Needs(minutes=2 + asked * setting.max_new_tokens / 20_000, cpus=8, gpus=1, memory_gb=96, extras=("hub",))


def _asked(setting: Written | Compared) -> int:
    """How often models are asked in a trial of five seeds, for texts and for gradings."""
    writers = setting.writers if isinstance(setting, Compared) else (setting.model,) * setting.generations
    turns = sum(w not in WRITERS for w in writers) * (1 + (setting.form == "two turns"))
    judged = len(writers) * setting.gradings * 2 * sum(g != PROGRAM for g in _graders(setting))
    return 5 * len(setting.sizes) * setting.limit * (turns + judged)


def _graders(setting: Written | Compared) -> tuple[str, ...]:
    return setting.graders if isinstance(setting, Compared) else (setting.grader,)


def evidence(setting: MixSetting) -> Evidence:
    """Whether its skills are the published ones."""
    return "released data" if getattr(setting, "skills", "own") == "published" else "twin"


def rehearse(setting: MixSetting) -> MixSetting:
    """A paper setting with only its sizes lowered, and small models of the same classes."""
    if isinstance(setting, Written):
        return replace(setting, model=_tiny(setting.model), skills="own", sizes=(1, 2), limit=10, generations=1, grader=_small(setting.grader), apply_chat_template=False, dtype="float32", max_new_tokens=8)  # fmt: skip
    if isinstance(setting, Compared):
        return replace(setting, graders=tuple(map(_small, setting.graders)), writers=tuple(map(_small, setting.writers)), skills="own", limit=4, gradings=1, apply_chat_template=False, dtype="float32", max_new_tokens=8)  # fmt: skip
    if isinstance(setting, Taught):
        return replace(setting, checkpoint=str(_tiny(setting.checkpoint)), teacher="oracle", texts=40, sizes=(1, 4), limit=5, steps=20, batch=4, at_once=4, rank=2, apply_chat_template=False, dtype="float32", max_new_tokens=8)  # fmt: skip
    return replace(setting, limit=2)


def _tiny(model: str) -> Model:
    return Model("tiny:qwen2" if "Qwen" in model else "tiny:mistral")


def _small(name: str) -> str:
    """The name of a grader or writer; of a hub model, that of a small one."""
    return str(_tiny(name)) if name.startswith("hf:") or name == SMOLLM2 else name
