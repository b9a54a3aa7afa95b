"""What can be measured? Decoders that learn commands of SCAN or pairs of a corpus, and the interpreter of SCAN.

Scanned("jump", primitives=80, …)          one factor of the training set is changed in each arm
Real("cogs", subset="mixed", …)            a quarter of a corpus, chosen by its distance to prototypes
Interpreted("addprim_jump")                no model: the program on a published split
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .prototypes import Subset
from .sampling import Buckets

Held = Literal["jump", "around right", "longer"]
Commands = Literal["clauses", "grammar", "drawn"]
Pace = Literal["at once", "novel examples", "novel primitives"]
Corpus = Literal["cogs", "cogs-twin", "atis", "smcalflow", "smcalflow_cs", "geoquery_sql", "geoquery_logic"]


@dataclass(frozen=True, slots=True)
class Scanned:
    """Decoders trained from scratch on commands of SCAN's grammar, with one kind of command held out."""

    held: Held  # composed with `jump`; with `around right`; with more actions than any trained on
    primitives: int  # four of SCAN, and copies of them
    width: int  # features of the residual stream
    layers: int
    heads: int
    steps: int
    batch: int  # sequences of each seed a step
    lr: float
    warmup: int
    spread: float  # of the initial weights, in those of GPT-2
    items: int  # tested on at most, of every split and seed
    commands: Commands = "clauses"  # all of one clause; a sample of SCAN's one and two; drawn within limits
    clauses: int = 1  # of a drawn command, at most
    most_actions: int = 24  # of a command trained on
    most_primitives: int = 0  # different ones in a drawn command; 0: any number
    tested_least: int = 1  # actions of a command tested on
    tested_most: int = 0  # 0: as many as are trained on
    pool: int = 0  # commands sampled or drawn to train on; 0: all there are
    distinct: int = 0  # of which so many are trained on; 0: all
    copies: int = 0  # of the whole set under fresh vocabularies (AugZero)
    buckets: Buckets = "random"  # of the skewed sampling
    skew: float = 0.0  # its exponent; 0: every command alike
    pace: Pace = "at once"
    labels: Literal["true", "shuffled"] = "true"  # shuffled: trained on the actions of other commands


@dataclass(frozen=True, slots=True)
class Real:
    """Decoders trained from scratch on a corpus of sentences and their meanings, or on a quarter of it."""

    corpus: Corpus
    subset: Subset
    width: int
    layers: int
    heads: int
    steps: int
    batch: int
    lr: float
    warmup: int
    spread: float
    items: int
    times: int = 1  # how many forms each aligned word has, its copies and itself
    longest: int = 0  # words of a sentence with its meaning that are trained and tested on; 0: any number


@dataclass(frozen=True, slots=True)
class Interpreted:
    """SCAN's interpreter on the training and test commands of a published split."""

    published: str
    items: int


Setting = Scanned | Real | Interpreted
