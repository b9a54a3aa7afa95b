"""What is a model tuned on? Instructions with their answers, of code and of everything else, mixed at a fixed budget.

mixed(code, general, share=0.2, total=20_000, rng)   16,000 of code and 4,000 others, shuffled

Files are jsonl in the form of Alpaca (instruction, input, output), of OSS-Instruct (problem, solution), or with fields
prompt and response (or completion).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.core.errors import Invalid
from unseen.tasks.rewriting_rules import ALPHABET
from unseen.tasks.rewriting_strings import planted, rewritten

from .problems import TRAINED, rows_of, written

FIELDS = (("instruction", "output"), ("problem", "solution"), ("prompt", "response"), ("prompt", "completion"))
ASKED = "### Instruction:\n{}\n\n### Response:\n"  # Alpaca's form


@dataclass(frozen=True, slots=True)
class Instruction:
    """What is asked, and the answer."""

    asked: str
    answer: str


def mixed(
    code: Sequence[Instruction], general: Sequence[Instruction], *, share: float, total: int, rng: np.random.Generator
) -> list[Instruction]:
    """So many instructions, shuffled: a share of general ones, rounded, and the rest of code; each at most once.

    A larger share replaces code by general ones and keeps what it can. Raises Invalid where a set is too small.
    """
    if not 0 <= share <= 1:
        raise Invalid(f"share={share}: a share of the instructions, from 0 to 1.")
    wanted = {"code": (code, total - round(share * total)), "general": (general, round(share * total))}
    found: list[Instruction] = []
    for name, (held, n) in wanted.items():
        order = rng.permutation(len(held))
        if n > len(held):
            raise Invalid(
                f"total={total}, share={share}: {n} {name} instructions are asked for, there are {len(held)}."
            )
        found += [held[i] for i in order[:n]]
    return [found[i] for i in rng.permutation(len(found))]


def named(kind: str, source: str, n: int, rng: np.random.Generator) -> list[Instruction]:
    """The instructions of a source: "twin" (n of that kind, written here), a jsonl file, or `hf:org/set[@revision]`."""
    if source == "twin":
        return (code_twin if kind == "code" else general_twin)(n, rng)
    return [_one(row, f"{source}, row {i}") for i, row in enumerate(rows_of(source, kind, "train"), 1)]


def code_twin(n: int, rng: np.random.Generator) -> list[Instruction]:
    """Functions of one or two steps with their bodies, as `problems` asks for them."""
    made = written(n, TRAINED, rng)
    return [Instruction(completing(p.prompt), f"```python\n{p.prompt}{p.body}```") for p in made]


def completing(prompt: str) -> str:
    """A function's head as an instruction."""
    return f"Complete this Python function.\n```python\n{prompt}```"


def general_twin(n: int, rng: np.random.Generator) -> list[Instruction]:
    """Instructions that are no code: rewriting rules, spelling backwards, adding, and putting in order, in turn."""
    return [GENERAL[i % len(GENERAL)](rng) for i in range(n)]


def _rewriting(rng: np.random.Generator) -> Instruction:
    x, y = (rng.integers(1, 27, (1, 2)) for _ in "xy")
    z = planted(x, np.array([8]), 26, rng)
    left, right, string, out = ("".join(ALPHABET[i - 1] for i in part[0]) for part in (x, y, z, rewritten(x, y, z).out))
    return Instruction(f"Replace the first {left} in {string} by {right}.", out)


def _backwards(rng: np.random.Generator) -> Instruction:
    word = "".join(ALPHABET[i] for i in rng.integers(0, 26, 6))
    return Instruction(f"Spell {word} backwards.", word[::-1])


def _sum(rng: np.random.Generator) -> Instruction:
    a, b = rng.integers(10, 1000, 2).tolist()
    return Instruction(f"What is {a} plus {b}?", f"{a + b}.")


def _ordered(rng: np.random.Generator) -> Instruction:
    words = ["".join(ALPHABET[i] for i in rng.integers(0, 26, 4)) for _ in range(4)]
    return Instruction(f"Put these in alphabetical order: {', '.join(words)}.", ", ".join(sorted(words)))


GENERAL: tuple[Callable[[np.random.Generator], Instruction], ...] = (_rewriting, _backwards, _sum, _ordered)


def _one(row: Any, where: str) -> Instruction:
    """A row in any of the forms that are known. Raises Invalid, naming the fields it has instead."""
    held: Mapping[str, Any] = row if isinstance(row, Mapping) else {}
    for asked, answer in FIELDS:
        if isinstance(held.get(asked), str) and isinstance(held.get(answer), str):
            more = str(held.get("input") or "")
            return Instruction(f"{held[asked]}\n\n{more}" if more else held[asked], held[answer])
    known = "; ".join(f"{a}, {b}" for a, b in FIELDS)
    raise Invalid(f"{where}: the fields {', '.join(held) or 'none'} are no instruction. Known: {known}.")
