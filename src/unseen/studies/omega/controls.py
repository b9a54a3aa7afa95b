"""Who answers every problem right, or by chance? Two speakers that stand for a model, as controls.

said("oracle", examples, rng)    ->  ['We get $\\\\boxed{\\\\frac{3}{4}}$.', 'The answer is 12.', …]
said("guesser", examples, rng)   ->  right answers of other problems of the same split
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from .posed import Posed
from .problem import Kind

FORMS: tuple[Callable[[str], str], ...] = (
    lambda a: f"\\boxed{{{a}}}",
    lambda a: f"We get $\\boxed{{{a}}}$.",
    lambda a: f"First 17, then 4.\n\n**Answer:** {a}",
    lambda a: f"The answer is {a}.",
    lambda a: f"Some steps\n#### {a}",
)


def said(who: Literal["oracle", "guesser"], examples: Sequence[Posed], rng: np.random.Generator) -> list[str]:
    """What a speaker answers to each problem."""
    if who == "oracle":
        return [FORMS[int(rng.integers(len(FORMS)))](latex(e.truth, e.kind, rng)) for e in examples]
    by_split: dict[str, list[int]] = {}
    for i, e in enumerate(examples):
        by_split.setdefault(e.split.name, []).append(i)
    found = [""] * len(examples)
    for places in by_split.values():
        for i, j in zip(places, np.roll(places, 1), strict=True):
            found[i] = f"\\boxed{{{examples[j].truth}}}" if len(places) > 1 else "\\boxed{0}"
    return found


def latex(answer: str, kind: Kind, rng: np.random.Generator) -> str:
    """An answer as a model may write it: fractions as \\frac, thousands with commas."""
    if kind in ("fraction", "list"):
        return re.sub(r"(-?)(\d+)/(\d+)", r"\1\\frac{\2}{\3}", answer) if rng.random() < 0.5 else answer
    if kind == "integer" and rng.random() < 0.5:
        return f"{int(answer):,}"
    return f"\\text{{{answer}}}" if kind == "text" and rng.random() < 0.5 else answer
