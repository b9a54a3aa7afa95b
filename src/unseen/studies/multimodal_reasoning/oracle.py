"""What would a perfect reader answer? The oracle reads grid and question off the prompt and works the rules out.

answer(["Every cell … Question: where is the red a?\\nAnswer:"])  ->  ["(3, 2)"]

It is a model like any other (`py:unseen.studies.multimodal_reasoning.oracle:answer`), so that a score of 1 shows that every
prompt holds all that its question needs, and that every right answer is heard as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unseen.core.model import Prompt

from . import evaluator, said


def answer(prompts: Sequence[Prompt], **_: Any) -> list[str]:
    """The right answer to each prompt's last question."""
    found: list[str] = []
    for prompt in prompts:
        text = prompt if isinstance(prompt, str) else str(prompt[-1]["content"])
        _, question, scene = said.read(text)
        found.append(f" {evaluator.answer(question, scene)}")
    return found
