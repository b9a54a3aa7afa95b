"""Which language models are asked what, with which prompts, at which tier?

Prompted("smollm2", "last_letter", "skic", shown=(1, 2), beyond=(4, 8))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from unseen.core.study import Evidence, Model, Tier

Task = Literal["last_letter", "addition", "multiplication", "dp", "commaqa", "gsm8k"]
Method = Literal[
    "zero_shot",
    "few_shot",
    "cot",
    "least_to_most",
    "decomp",
    "skic",
    "skic_without_skills",
    "skic_without_grounding",
]
SMOLLM2 = Model("smollm2")
UNTRAINED = Model("tiny:decoder")
# DEPARTS: the paper's ChatGPT, GPT-4 and text-davinci-003 of 2023 are gone; two open models stand for them.
HUB = (Model("hf:Qwen/Qwen2.5-7B-Instruct"), Model("hf:meta-llama/Llama-3.1-8B-Instruct"))


@dataclass(frozen=True, slots=True)
class Prompted:
    """A language model asked with the prompts of one method.

    A seed is a set of exemplars with items of its own.
    """

    model: Model
    task: Task
    method: Method
    shown: tuple[int, ...] = ()  # sizes shown and asked: words, digits, numbers, steps; none for commaqa
    beyond: tuple[int, ...] = ()  # larger sizes, never shown
    data: Literal["twin", "released"] = "twin"  # made here, or the released files of commaqa and gsm8k
    limit: int = 8  # items of each split and seed; 0: all there are
    num_fewshot: int = 2  # exemplars
    exemplars: Literal["true", "shuffled"] = "true"  # shuffled: each with another's answer, a control
    order: int = 0  # which order the exemplars stand in
    tables: bool = False  # whether the list of skills holds every one-digit fact
    apply_chat_template: bool = False
    dtype: str = "float32"
    max_new_tokens: int = 512  # of one answer; long solutions are given no more room than they need


@dataclass(frozen=True, slots=True)
class Control:
    """What must come out as it must: an oracle that works every problem through, and an untrained decoder."""

    speaker: Literal["oracle", "untrained"]
    task: Task
    method: Method
    shown: tuple[int, ...] = ()
    beyond: tuple[int, ...] = ()
    limit: int = 8


# DEPARTS: on a laptop, up to 6 words, 4 digits and 4 numbers, two exemplars, 15 to 50 items of a split; the paper asks
# up to 100 words, 7 digits and 8 numbers, 100 to 200 items. The paper tier's sizes are the paper's.
SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {  # shown, beyond
    "last_letter": ((1, 2), (4, 6)),
    "addition": ((2,), (4,)),
    "dp": ((3,), (4,)),
    "commaqa": ((), ()),
    "gsm8k": ((2, 3), (5,)),
}
PAPER_SIZES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "last_letter": ((1, 2), (4, 8, 12, 50, 100)),
    "addition": ((2, 3), (4, 5, 6, 7)),
    "multiplication": ((2, 3), (4, 5)),
    "dp": ((4, 5), (6, 7, 8)),
    "commaqa": ((), ()),
    "gsm8k": ((2, 3), (4, 5, 6, 7)),
}
ASKED: dict[str, tuple[Method, ...]] = {
    "last_letter": ("zero_shot", "few_shot", "cot", "skic"),
    "addition": ("few_shot",),
    "dp": ("few_shot", "cot", "skic", "skic_without_skills", "skic_without_grounding"),
    "commaqa": ("few_shot", "cot", "skic"),
    "gsm8k": ("few_shot", "cot", "skic"),
}
PAPER_ASKED: dict[str, tuple[Method, ...]] = {
    "last_letter": ("zero_shot", "few_shot", "cot", "skic"),
    "addition": ("zero_shot", "few_shot", "cot", "least_to_most", "skic"),
    "multiplication": ("zero_shot", "few_shot", "cot", "least_to_most", "skic"),
    "dp": ("zero_shot", "few_shot", "cot", "skic", "skic_without_skills", "skic_without_grounding"),
    "commaqa": ("zero_shot", "few_shot", "cot", "decomp", "skic"),
    "gsm8k": ("zero_shot", "few_shot", "cot", "skic"),
}


def settings_prompted(tier: Tier) -> list[Prompted | Control]:
    """The settings that ask language models, and their controls, at a tier."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def _smoke() -> list[Prompted | Control]:
    asked = [
        Prompted(UNTRAINED, "addition", "few_shot", (2,), (4,), max_new_tokens=24),
        Prompted(UNTRAINED, "last_letter", "skic", (1,), (3,), max_new_tokens=128),
        Prompted(UNTRAINED, "gsm8k", "cot", (2,), (3,), max_new_tokens=96),
        Prompted(UNTRAINED, "commaqa", "few_shot", limit=4, max_new_tokens=32),
    ]
    return [*asked, Control("oracle", "last_letter", "skic", (1,), (3,)), Control("oracle", "dp", "cot", (4,), (6,))]


def _laptop() -> list[Prompted | Control]:
    asked: list[Prompted | Control] = [
        Prompted(
            SMOLLM2,
            task,  # type: ignore[arg-type]
            method,
            *SIZES[task],
            data="released" if task in ("commaqa", "gsm8k") else "twin",
            limit={"gsm8k": 8, "commaqa": 3}.get(task, 5),
            num_fewshot=4 if method == "few_shot" and task != "commaqa" else 2,
            dtype="bfloat16",
        )
        for task, methods in ASKED.items()
        for method in methods
    ]
    asked += [
        replace(s, order=1) for s in asked if isinstance(s, Prompted) and s.task == "gsm8k" and s.method == "skic"
    ]
    asked += [
        replace(s, exemplars="shuffled")
        for s in asked
        if isinstance(s, Prompted) and s.task == "last_letter" and s.method == "few_shot"
    ]
    return [*asked, *_controls()]


def _controls() -> list[Control]:
    speakers: tuple[Literal["oracle", "untrained"], ...] = ("oracle", "untrained")
    tasks: tuple[Task, ...] = ("last_letter", "addition", "dp", "commaqa", "gsm8k")
    return [Control(who, task, "skic", *SIZES[task]) for who in speakers for task in tasks]


def _paper() -> list[Prompted | Control]:
    asked = [
        Prompted(
            model,
            task,  # type: ignore[arg-type]
            method,
            *PAPER_SIZES[task],
            data="released" if task in ("commaqa", "gsm8k") else "twin",
            limit={"commaqa": 20, "gsm8k": 0}.get(task, 40),
            num_fewshot={"decomp": 12, "few_shot": 4}.get(method, 8 if task == "gsm8k" else 2),
            tables=task in ("addition", "multiplication"),
            apply_chat_template=True,
            dtype="bfloat16",
            max_new_tokens=4096,
        )
        for model in HUB
        for task, methods in PAPER_ASKED.items()
        for method in methods
    ]
    orders = [replace(s, order=k) for s in asked if s.task == "gsm8k" and s.method in ("cot", "skic") for k in (1, 2)]
    wrong = [replace(s, exemplars="shuffled") for s in asked if s.task == "last_letter" and s.method == "few_shot"]
    return [*asked, *orders, *wrong, *_controls()]


def evidence_prompted(setting: Prompted | Control) -> Evidence:
    """Whether its data are the released ones."""
    return "released data" if isinstance(setting, Prompted) and setting.data == "released" else "twin"


def rehearsed(setting: Prompted) -> Prompted:
    """A paper setting with only its sizes lowered, and a small model of the same class."""
    arch = "tiny:qwen2" if "Qwen" in setting.model else "tiny:llama"
    return replace(
        setting,
        model=Model(arch),
        shown=setting.shown[:1],
        beyond=setting.beyond[:1],
        data="twin",
        limit=10,
        num_fewshot=min(setting.num_fewshot, 2),
        tables=False,
        max_new_tokens=16,
    )
