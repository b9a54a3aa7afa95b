"""What can be measured? Decoders that learn the facts of worlds of their own, and language models that are asked.

Learned("composition", "main", entities=50, labels=20, degree=10, phi=8.0, …) ; Asked("hf:Qwen/Qwen2.5-7B-Instruct", …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseen.core.study import Model

Family = Literal["composition", "comparison", "complex"]
Arm = Literal["main", "phi", "smaller", "less decay", "shared", "shuffled"]


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on facts; every seed has a world of its own."""

    family: Family
    arm: Arm  # what sets it apart from the main arm of its family
    entities: int
    labels: int  # relations of composition, attributes of the others
    degree: int  # edges that leave a head; of the others, values of an attribute
    phi: float  # composed facts trained on for each used atom (complex: 3% of all comparisons, whatever this says)
    apart: float  # the share of atoms that stand in no composed fact
    held: float  # the share of composed facts over used atoms that is never trained on
    width: int
    layers: int
    heads: int
    spread: float  # of the initial weights, in those of GPT-2
    steps: int
    batch: int  # facts of each seed a step
    lr: float
    warmup: int
    decay: float  # AdamW's weight decay
    beta: float  # AdamW's second coefficient
    early: int  # the step at which arms are compared in speed
    every: int  # steps between measurements, and from `dense` steps on:
    later: int
    dense: int
    items: int  # tested on, at most, for every split and seed
    probes: int  # prompts read by the lens and traced
    loops: int = 1  # how often the blocks are run, with the same weights
    closed: bool = True  # whether facts end with </a>
    answers: Literal["true", "shuffled"] = "true"  # shuffled: composed facts trained on with each other's answers


@dataclass(frozen=True, slots=True)
class Asked:
    """A language model asked comparisons of complex reasoning, plain and hard ones, the facts standing in its prompt.

    A seed is a world with questions of its own.
    """

    model: Model
    given: Literal["retrieved", "all"]  # the facts about the two entities and what these are compared with, or all
    style: Literal["direct", "cot"]
    entities: int
    labels: int  # attributes
    degree: int  # values of an attribute
    kept: float  # the share of comparisons that is known
    limit: int  # questions of each split and seed
    apply_chat_template: bool = True
    dtype: str = "bfloat16"
    max_new_tokens: int = 1024
