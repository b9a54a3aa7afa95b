"""What can be measured? Small decoders on SkillText, writers by rule beside them, and the language models of `arms_mix`.

Learned(trained_k=3) ; Learned(trained_k=1) ; Learned(learner="shuffled") ; Baseline("retrieval")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .arms_mix import MixSetting


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on texts of 1 … `trained_k` skills, as many of each, and asked for more."""

    trained_k: int = 3
    learner: Literal["trained", "untrained", "shuffled"] = "trained"  # the last two are controls
    sentences: int = 3  # of a text at most, whatever k; 0: max(1, k − 1), and prompts grow with k too, as published
    texts: int = 20_000  # in the training set of a seed, whatever `trained_k`
    width: int = 64  # features of the residual stream
    layers: int = 2
    heads: int = 4
    steps: int = 1_600  # optimizer steps
    batch: int = 16  # sequences of each seed a step
    lr: float = 2e-3  # the highest rate
    warmup: int = 50
    spread: float = 4.0  # of the initial weights, in those of GPT-2
    items: int = 100  # queries of every split
    generations: int = 3  # texts sampled for each query
    temperature: float = 0.7


@dataclass(frozen=True, slots=True)
class Baseline:
    """A writer by rule: an oracle, random letters, or the text of the training prompt that is most like the query."""

    writer: Literal["oracle", "random", "retrieval"]
    trained_k: int = 3  # of the training set that is read
    sentences: int = 3
    texts: int = 20_000
    items: int = 100


TextSetting = Learned | Baseline
Setting = TextSetting | MixSetting
