"""What can be measured? Decoders that learn rewriting rules, the program of the task, and language models that are tuned.

Learned(rules=2048, total=131_072, amount="far", …) ; Program(…) ; Tuned(checkpoint="hf:deepseek-ai/deepseek-coder-6.7b-base", share=0.2, …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Amount = Literal["least", "below", "above", "far", "between"]  # where a number of rules lies, by the rise we expect
FREE, SHAPES = "free", "repeat+periodic+mirror"  # domains of rules, joined by plus


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on rewriting rules, and asked to follow rules that they were never trained on.

    Each seed has a world of its own: which rules are taught and which are held out differs from seed to seed.
    """

    rules: int  # taught
    total: int  # examples of all of them together
    amount: Amount  # below, above: the rungs on both sides of the rise of exact match with rules; far: 8 times above or more
    domains: str = FREE  # whose rules are taught, in equal shares unless `shares` are given
    shares: tuple[float, ...] = ()
    asks: str = FREE  # domains whose held-out rules are asked about
    budget: Literal["whole", "eighth"] = "whole"  # an eighth: as many rules, each with an eighth of the examples
    alpha: float = 0.0  # rule r = 1, 2, … has examples in proportion to r^−alpha
    idle: float = 0.0  # share of the examples to which the rule does not apply
    labels: Literal["true", "shuffled"] = "true"  # shuffled: trained on the answers of other questions
    alphabet: int = 8
    side: int = 4  # letters of each side of a rule
    length: int = 6  # letters of a string
    longer: int = 8  # of the longer strings that are asked about
    width: int = 64  # features of the residual stream
    layers: int = 3
    heads: int = 4
    precision: Literal["auto", "float32"] = "float32"  # at width 64 CPUs without matrix units are twice as fast in it
    steps: int = 640  # optimizer steps
    batch: int = 64  # sequences of each seed a step
    lr: float = 3e-3
    warmup: int = 50
    spread: float = 4.0  # of the initial weights, in those of GPT-2
    items: int = 400  # asked of every split
    tested: int = 400  # held-out rules of each kind that items are drawn from, at most


@dataclass(frozen=True, slots=True)
class Program:
    """The program of the task, asked the same questions: is every one answerable from its prompt?"""

    domains: str = FREE
    asks: str = FREE
    alphabet: int = 8
    side: int = 4
    length: int = 6
    longer: int = 8
    items: int = 100


@dataclass(frozen=True, slots=True)
class Tuned:
    """A language model fine-tuned with LoRA on code instructions, a share of them replaced by general ones.

    `code` and `general` name instructions, `problems` code with tests: "twin" (written here), a jsonl file, or
    `hf:org/set` where the hub is at hand.
    """

    checkpoint: str  # hf:org/name, hf:folder, or tiny:class (random weights)
    share: float  # of the instructions that are general ones
    code: str = "twin"
    general: str = "twin"
    problems: str = "twin"
    total: int = 20_000  # instructions, whatever the share
    steps: int = 1_250  # optimizer steps
    batch: int = 32  # instructions a step
    at_once: int = 4  # of these in memory
    longest: int = 1_024  # tokens of an instruction with its answer
    rank: int = 32  # of the adapter
    lr: float = 1e-4
    items: int = 164  # problems asked
    room: int = 512  # tokens of an answer
    dtype: str = "bfloat16"
