"""What can be measured? A small reasoner made from scratch with all that is tuned from it, and checkpoints of the hub.

Reasoner(base=7, trained=(3, 4), longer=(5, 6), …) ; Checkpoints(target="hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", …)

Both are measured by the same arms, which rows name (`at.arm`):

- `base` the target as it is, `rl` its counterpart trained by reinforcement, `sibling` another model of the same origin
- `sae` the target tuned through a dictionary of `rl` at the main layer; `sweep` the same at every layer (`at.layer`)
- `rl_sae` the model trained by reinforcement tuned so; `sibling_sae` the sibling
- `moved` the sibling with the adapter of `sae`; `stranger` a model of another origin, `stranger_moved` it with the adapter
- `base_sae` the target tuned through a dictionary of its own; `sft` plain LoRA on the same rows
- `random`, `noise`, `unrelated` controls: a random dictionary, Gaussian noise, the stranger's dictionary
- `identity` nothing is replaced; of reasoners, `untrained`, and `luck` reinforced by rewards dealt at random
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """How dictionaries are learned and adapters tuned, alike for all arms."""

    questions: int  # without working: what dictionaries and adapters are learned from
    main: int  # layer, counted from 1
    layers: tuple[int, ...]  # of the sweep
    features: int  # latents of a dictionary
    k: int  # of them kept for a token
    passes: float  # over the activations
    steps: int  # of tuning an adapter
    batch: int  # rows a step
    at_once: int  # of these in memory
    lr: float
    rank: int


@dataclass(frozen=True, slots=True)
class Reasoner:
    """Decoders that learn to work out sums from imperfect examples, one of them by reinforcement after that."""

    base: int  # of the sums
    trained: tuple[int, ...]  # terms of the sums of corpus A
    longer: tuple[int, ...]  # terms of those that corpus B adds
    slips: float  # share of wrong running sums in what the base imitates
    width: int  # features of the residual stream
    depth: int  # blocks
    heads: int
    taught: int  # steps of imitation, the second half of which siblings spend on other data
    taught_batch: int
    taught_lr: float
    rewarded: int  # steps of reinforcement, on corpus A
    prompts: int  # of a step
    group: int  # answers to each
    rewarded_lr: float
    items: int  # tested on, for every number of terms
    questions: int
    main: int
    layers: tuple[int, ...]
    features: int
    k: int
    passes: float
    steps: int
    batch: int
    at_once: int
    lr: float
    rank: int
    spread: float = 4.0  # of the initial weights, in those of GPT-2


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Language models of the hub: a target, the same after reinforcement, a sibling, and a stranger."""

    target: str
    source: str  # the target after reinforcement
    sibling: str
    stranger: str  # of the target's width, but of another origin
    corpus: str  # "released": GSM8K; "twin": stories written here
    trained: tuple[int, ...]  # calculations of the problems of corpus A
    longer: tuple[int, ...]  # calculations of those that corpus B adds
    items: int
    max_new_tokens: int
    temperature: float
    questions: int
    main: int
    layers: tuple[int, ...]
    features: int
    k: int
    passes: float
    steps: int
    batch: int
    at_once: int
    lr: float
    rank: int
    longest: int = 2_048  # tokens of a row
    dtype: str = "bfloat16"


Setting = Reasoner | Checkpoints


def tuning(setting: Setting) -> Tuning:
    """What both kinds of settings say of dictionaries and adapters."""
    return Tuning(
        setting.questions, setting.main, setting.layers, setting.features, setting.k, setting.passes,
        setting.steps, setting.batch, setting.at_once, setting.lr, setting.rank,
    )  # fmt: skip
