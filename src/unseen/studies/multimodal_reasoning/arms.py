"""What can be measured? Networks that learn to answer, what answers by design, and language models that are asked.

Learned("distractor", "cross", side=6, queried=6, tests=(10, 20, 30), …) ; Asked("smollm2", "distractor", side=6, …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseen.core.study import Model

Part = Literal["iid", "distractor", "opsys", "optree", "productive"]
Kind = Literal["rnn", "gru", "single", "dual", "cross", "perceiver"]
Fidelity = Literal["as_intended", "as_released"]


@dataclass(frozen=True, slots=True)
class Learned:
    """Networks trained from scratch on questions and scenes that are drawn anew at every step."""

    part: Part  # along what the test leaves the training data
    kind: Kind
    tests: tuple[int, ...]  # numbers of distractors, or depths, tested on
    side: int  # cells of a side of the grid
    shapes: int  # letters that stand in scenes
    colours: int
    queried: int  # letters and colours that questions speak of
    most: int  # distractors of a training scene: 0 to so many
    width: int  # features of a token; the state of a recurrent network
    steps: int
    batch: int  # items of each seed a step
    lr: float
    warmup: int
    items: int  # tested on, for every split and seed
    layers: int = 1  # blocks of a single stream
    heads: int = 1
    positions: Literal["absolute", "relative"] = "absolute"  # of a question's tokens
    places: Literal["waves", "learned"] = "waves"  # how the positions of a scene's cells are told
    encoding: Literal["onehot", "scalar"] = "onehot"
    fidelity: Fidelity = "as_intended"  # of the splits; released perceivers' latents begin at zero, too
    operators: tuple[str, ...] = ()  # that are asked; none named: all eight
    labels: Literal["true", "shuffled"] = "true"  # shuffled: each item is taught the answer of another of its operator


@dataclass(frozen=True, slots=True)
class Designed:
    """What answers without learning: the rules worked out forward, or the most frequent answer of each operator."""

    method: Literal["evaluator", "guess"]
    part: Part
    tests: tuple[int, ...]
    side: int
    shapes: int
    colours: int
    queried: int
    most: int
    items: int
    fidelity: Fidelity = "as_intended"
    operators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audited:
    """What can be counted of the splits without any model, at the sizes of the released code."""

    fidelity: Fidelity
    queried: int = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A language model that reads the scene as a grid of words. A seed is a set of exemplars with items of its own."""

    model: Model
    part: Part
    tests: tuple[int, ...]
    side: int
    shapes: int
    colours: int
    queried: int
    most: int
    limit: int  # items of each split and seed
    num_fewshot: int = 4  # solved items of the training split that stand before the question
    fidelity: Fidelity = "as_intended"
    operators: tuple[str, ...] = ()
    apply_chat_template: bool = False
    dtype: str = "bfloat16"
    max_new_tokens: int = 16


@dataclass(frozen=True, slots=True)
class Control:
    """A speaker that must come out as it must: one that works every item out, and an untrained decoder."""

    speaker: Literal["oracle", "untrained"]
    part: Part
    tests: tuple[int, ...]
    side: int
    shapes: int
    colours: int
    queried: int
    most: int
    limit: int
    fidelity: Fidelity = "as_intended"
    operators: tuple[str, ...] = ()


Setting = Learned | Designed | Audited | Asked | Control
Drawn = Learned | Designed | Asked | Control  # settings that draw items
