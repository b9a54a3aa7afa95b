"""Models for tests of omega, as plain functions: one that is always right, and one that says some number."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from unseen.studies.omega.posed import BOXED, asked


@lru_cache
def known() -> dict[str, str]:
    """The answers of all problems that the test's setting may ask, by their question: drawn as the study draws them."""
    from unseen.core.lab import Lab

    found = {}
    for name in ("gcd", "trans_prob_letter", "vertex_color"):
        task = asked(name)
        for split in task.splits:
            rng = Lab.alone(seeds=(0,)).rng("asked", name, split.name, seed=0)
            found |= {e.question: e.truth for e in task.draw(split.name, 8, rng)}
    return found


def question(prompt: object) -> str:
    """The question of a prompt with or without solved ones before it."""
    text = str(prompt).rpartition("Question: ")[2]
    return text.removesuffix("\nAnswer:").removesuffix("\n").removesuffix(BOXED)


def right(prompts: list[str], **_: object) -> list[str]:
    """Every right answer, boxed behind a few words."""
    return [f" We find $\\boxed{{{known()[question(p)]}}}$." for p in prompts]


def chance(prompts: list[str], **_: object) -> list[str]:
    """Some number."""
    rng = np.random.default_rng(0)
    return [f" {rng.integers(1, 1_000_000)}" for _ in prompts]
