"""What can be measured? Decoders that learn a world of documents, and language models traced on word problems.

Learned("main", facts=48, worked=180, modulus=7, …) ; Traced("smollm2", "released", documents=40, …)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseen.core.study import Model

Arm = Literal["main", "untrained", "shuffled"]


@dataclass(frozen=True, slots=True)
class Learned:
    """Decoders trained from scratch on documents whose origin is known; every seed has a world of its own."""

    arm: Arm  # shuffled: results in documents are random, so that there is nothing to learn
    facts: int  # each told in 1, 2, 4 or 8 documents
    worked: int  # examples worked out, of each of three kinds of problem
    rules: int  # general statements of the steps, of each kind
    said: int  # documents that say a prompt again
    noise: int  # documents of words without meaning
    modulus: int  # numbers are 0 … modulus − 1
    width: int
    layers: int
    heads: int
    steps: int
    batch: int  # documents of each seed a step
    lr: float
    decay: float  # AdamW's weight decay
    factual: int  # queries
    reasoned: int  # queries of each kind of problem
    controls: int  # queries that look like those of facts, and as many that look like those of problems
    top: float  # the share of documents that counts as the top of a ranking
    left_out: int  # queries of a type whose top documents are left out in a training anew; 0: none


@dataclass(frozen=True, slots=True)
class Traced:
    """A language model whose answers to word problems and about facts are traced to solved word problems.

    A seed has documents and queries of its own.
    """

    model: Model
    problems: Literal["released", "twin"]  # GSM8K, or stories made up here
    documents: int  # of each seed
    fitted: int  # of these, that the curvature is fitted on
    reasoned: int  # queries of each seed
    factual: int
    blocks: int  # the last blocks of the model, whose MLPs are traced
    tokens: int  # a document's most
    top: float
    rank: int | None = None  # of queries' gradients
    dtype: str = "float32"
