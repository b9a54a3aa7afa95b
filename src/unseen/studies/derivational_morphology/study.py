"""When a model turns an adjective it never met into a noun, does it follow rules, or the words that are like it?

Answer: words. Where all words of a kind take one suffix, rules and analogy say the same; where they vary, GPT-J follows
the similar words, weighted by how often it met each.
"""

from __future__ import annotations

from unseen.core.study import Paper, Study

from .arms import evidence_of, needs_of, rehearsed, settings_of
from .claims import CLAIMS, HEADLINES

STUDY = Study(
    paper=Paper(
        "Derivational Morphology Reveals Analogical Generalization in Large Language Models",
        "2411.07990",
        2024,
        "https://github.com/valentinhofmann/llms-adjective-nominalization",
    ),
    axes=("novelty",),
    settings=settings_of,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    needs=needs_of,
    evidence=evidence_of,
    claims=CLAIMS,
    headlines=HEADLINES,
    rehearse=rehearsed,
    block=5,
)
