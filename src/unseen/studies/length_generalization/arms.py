"""What can be measured? Decoders that learn a task, the program of a task, and the simplest polynomial for one.

Learned(task="copy-unique", train=12, test=(15, 18, 24), …) ; Written(task="sort", train=12, …) ; Interpolated(bits=20, …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Positions = Literal["shifted", "unshifted", "rotary", "none"]
Span = Literal["full", "short"]
TEN_MORE = 1.25  # times the longest length trained on: at the paper's 40, ten more


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on one task up to one length, and tested beyond it."""

    task: str
    train: int  # the longest input trained on
    test: tuple[int, ...]  # longer ones
    width: int  # features of the residual stream
    layers: int
    heads: int
    steps: int
    batch: int  # sequences of each seed a step
    lr: float
    warmup: int
    items: int  # tested on, for every length and seed
    spread: float  # of the initial weights, in those of GPT-2
    span: Span = "full"  # "short": the arm whose training range is kept small
    positions: Positions = "shifted"  # learned ones from a random first place on; or from 0 on; or others
    carries: Literal["balanced", "standard"] = "balanced"  # of addition
    labels: Literal["true", "shuffled"] = "true"  # shuffled: trained on the answers of other questions


@dataclass(frozen=True, slots=True)
class Written:
    """The RASP-L program of a task, asked the same questions."""

    task: str
    train: int
    test: tuple[int, ...]
    items: int
    carries: Literal["balanced", "standard", "chain"] = "balanced"


@dataclass(frozen=True, slots=True)
class Interpolated:
    """The polynomial of least degree profile, fitted to a conjunction whose last quarter is all ones."""

    bits: int
    items: int
