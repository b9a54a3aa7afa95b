"""What can be measured? Small mixtures of experts trained on a stream of several domains, kernels of one layer with a random
router, and the checkpoints of OLMoE.

Pretrained("main", …)    routers, losses and accuracy at eleven points of one pass over the stream
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GENERAL = ("larger", "sums", "rich", "poor")  # domains whose facts held out follow from those trained on
ROTE = "rote"  # the domain whose facts follow from nothing
DOMAINS = (*GENERAL, ROTE)


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Mixtures of experts trained from scratch in one pass; every seed has worlds of its own."""

    arm: Literal["main", "frozen"]  # frozen: the routers stay as they were drawn
    numbers: int  # of the larger of two, of sums modulo it, and of the rote domain
    entities: int  # of the two graphs
    relations: int
    degree: int  # edges that leave an entity
    phi: tuple[float, float]  # composed facts in documents for each atom: of the rich graph, of the poor one
    held: float  # share of sums, composed and rote facts that is never trained on
    facts: int  # of a document
    width: int
    layers: int
    heads: int
    experts: int
    active: int  # experts a token goes through
    hidden: int  # features of an expert
    spread: float  # of the initial weights, in those of OLMoE
    steps: int
    batch: int  # documents of each seed a step
    lr: float
    decay: float
    first: int  # step of the first checkpoint after the untrained one; they are spaced evenly in log(step)
    points: int
    samples: int  # documents of each domain whose routing is read
    items: int  # facts of each split asked
    draws: int = 200  # of the bootstrap over samples
    warmup: int = 50
    balance: float = 0.01


@dataclass(frozen=True, slots=True)
class Kernel:
    """One layer of experts under random frozen routers: effective dimension of its kernel, and distance of pathways."""

    routers: int
    scales: Literal["one", "many"]  # whether all routers are drawn as wide, or by factors of 1/4 to 4
    experts: int = 16
    features: int = 100
    clusters: int = 4
    samples: int = 200
    hidden: int = 64  # of an expert: two layers, ReLU
    ridge: float = 1.0


@dataclass(frozen=True, slots=True)
class Released:
    """Checkpoints of a mixture of experts that somebody released; nothing is trained."""

    repo: str  # of the hub, or "tiny": a few made here with random weights
    revisions: tuple[str, ...]
    steps: tuple[int, ...]  # of each revision
    data: Literal["hub", "twin"]
    samples: int  # texts of each domain
    items: int  # questions of each domain that has any
    length: int  # tokens of a text
    dtype: str = "bfloat16"
    draws: int = 200


Setting = Pretrained | Kernel | Released
