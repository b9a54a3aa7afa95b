"""What can be measured? Networks meta-trained to learn in context, and learners that someone designed.

Learned(part="map", amount="few", base="gaussian", others=("gaussian",), tasks=4, …) ; Designed("neighbours", …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["map", "state", "plateau", "images", "embedded", "shuffled"]
Amount = Literal["few", "between", "most"]  # of tasks to train on
Size = Literal["narrow", "wide"]
Kind = Literal["transformer", "lstm", "fast"]


@dataclass(frozen=True, slots=True)
class Learned:
    """Networks trained from scratch on sequences of labelled examples, seen through so many tasks."""

    part: Part  # which question of the paper it answers
    amount: Amount
    size: Size
    base: str  # the labelled set whose tasks it is trained on
    others: tuple[str, ...]  # sets that it never meets in training
    tasks: int  # 0: every sequence has a task of its own
    kind: Kind
    form: Literal["pair", "shift"]  # two tokens an example, or the paper's one
    features: int
    classes: int
    length: int  # examples of a sequence
    noise: float  # of Gaussian sets
    width: int
    layers: int
    heads: int
    steps: int
    batch: int  # sequences of each seed a step
    lr: float
    warmup: int
    spread: float  # of a transformer's initial weights, in those of GPT-2
    items: int  # sequences tested on, for every split and seed
    fixed: float = 0.0  # share of sequences whose labels are not permuted, at first; none from half of training on
    embed: str = ""  # a frozen network of images through which the sets are read
    labels: Literal["true", "shuffled"] = "true"


@dataclass(frozen=True, slots=True)
class Designed:
    """A learner that someone designed, asked the same questions: nearest neighbours, or a linear softmax by descent."""

    method: Literal["neighbours", "linear"]
    base: str
    others: tuple[str, ...]
    features: int
    classes: int
    length: int
    noise: float
    items: int
    tasks: int = 0
    embed: str = ""
    labels: Literal["true", "shuffled"] = "true"
