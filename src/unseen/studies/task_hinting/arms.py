"""What can be measured? Decoders that learn to sort or to add one, with and without hints, and a sorter built by hand.

Learned(family="sort", hint="successor", train=10, test=(20, 25, 30), …) ; Built(train=10, test=(20, 30, 100), …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Hint = Literal["none", "successor", "predecessor", "count", "parity", "fill", "carry"]
FAR = 3.0  # times the longest length trained on, where claims are judged
FARTHEST = 5.0  # the paper's: 100 after 20
LONGEST = 100  # the paper's longest test, which the sorter built by hand is asked at every tier
FIXED = 1.2  # a sharpness that suffices the sorter built by hand for nearly all inputs of 10 out of 20 symbols


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders without positions, trained from scratch up to one length and tested beyond it."""

    family: Literal["sort", "increment"]
    hint: Hint
    train: int  # the longest input trained on
    test: tuple[int, ...]  # longer ones
    alphabet: int  # symbols there are to sort
    width: int  # features of the residual stream
    layers: int
    heads: int
    steps: int
    batch: int  # sequences of each seed a step
    lr: float
    warmup: int
    items: int  # tested on, for every length and seed
    looked: int  # of these, how many have their attention, residual stream and margins read
    spread: float  # of the initial weights, in those of GPT-2
    share: float = 0.5  # of the sequences trained on that are hints
    repeat: bool = True  # symbols of an input may be equal
    pace: Literal["joint", "hint first"] = "joint"
    temper: Literal["none", "log", "table"] = "none"  # of attention, by the prompt's length
    size: Literal["one", "4 x data", "2 x width"] = "one"
    positions: Literal["none", "learned"] = "none"
    labels: Literal["true", "shuffled"] = "true"  # shuffled: trained on the answers of other questions


@dataclass(frozen=True, slots=True)
class Built:
    """The sorter with weights written by hand, asked the same questions."""

    train: int
    test: tuple[int, ...]
    alphabet: int
    items: int
    sharpness: Literal["log", "fixed"]  # of attention: 1 + log n, or FIXED
