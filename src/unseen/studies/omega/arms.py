"""What can be measured? Language models that are asked, or trained by reinforcement, small decoders, and controls.

Judged("smollm2", "complexity", ("gcd", "matrix_rank")) ; Learned(("twin_rotation", "twin_pattern"), also="twin_n_gon") ;
Tuned("hf:Qwen/Qwen2.5-7B-Instruct", "gcd") ; Control("oracle", ("gcd",))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseen.core.study import Model

Axis = Literal["complexity", "composition", "transformation"]
SMOLLM2 = Model("smollm2")
UNTRAINED = Model("tiny:decoder")
# DEPARTS: DeepSeek-R1, Claude 3.7 Sonnet, o3-mini and o4-mini of 2025 are asked through any server (`--model api:…`); two
# open models stand for them in the plan.
HUB = (Model("hf:Qwen/Qwen2.5-7B-Instruct"), Model("hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-7B"))


@dataclass(frozen=True, slots=True)
class Judged:
    """A language model that is asked the problems of families along one axis. A seed has items of its own."""

    model: Model
    along: Axis
    families: tuple[str, ...]
    most_level: int = 5  # no higher levels are asked
    limit: int = 2  # items of each split and seed
    num_fewshot: int = (
        0  # solved problems shown before each, of its family's lowest level; 0: the boxed form is asked for
    )
    apply_chat_template: bool = False
    dtype: str = "float32"
    max_new_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Control:
    """What must come out as it must: right answers in many forms, and right answers of other problems."""

    speaker: Literal["oracle", "guesser"]
    families: tuple[str, ...]
    limit: int = 4


# DEPARTS: no small model learns most of the templates, so that those are trained from scratch on which one does.
@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on the compact language of families' levels 1 and 2, and asked beyond."""

    families: tuple[str, ...]
    also: str = ""  # a composed or transformed family that is asked too
    learner: Literal["trained", "untrained", "shuffled"] = "trained"  # the last two are controls
    most_level: int = 4  # no higher levels are asked
    problems: int = 8_000  # in the training set of a seed
    width: int = 64  # features of the residual stream
    layers: int = 2
    heads: int = 4
    steps: int = 800  # optimizer steps
    batch: int = 64  # sequences of each seed a step
    lr: float = 2e-3  # the highest rate
    warmup: int = 50
    spread: float = 4.0  # of the initial weights, in those of GPT-2
    items: int = 200  # asked of every split


@dataclass(frozen=True, slots=True)
class Tuned:
    """A language model trained by GRPO on what the task of a family trains on, and asked before and after."""

    checkpoint: str  # hf:org/name, hf:folder or tiny:class; no Model, so that `--model` never starts a training
    asked: str  # the family whose task it is: a template, a composed or a transformed one
    problems: int = 1_000  # trained on
    items: int = 100  # asked of every split, before and after
    most_level: int = 3
    steps: int = 300  # of the optimizer
    batch: int = 64  # completions a step, `group` of each problem
    at_once: int = 8  # completions in memory at once
    group: int = 8
    lr: float = 1e-6
    beta: float = 0.001  # weight of the distance from the checkpoint
    max_new_tokens: int = 2_048
    apply_chat_template: bool = True
    vllm: bool = False  # whether completions are written by vLLM in the same process
    dtype: str = "bfloat16"


Setting = Judged | Control | Learned | Tuned
