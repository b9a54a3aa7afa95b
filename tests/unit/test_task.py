"""Examples are named by what they ask; what has the parts of a task is one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from unseen.core.model import Answer, Generates, Scores
from unseen.core.record import Split
from unseen.core.task import Batch, Example, Task, TokenTask, example_id

NEAR = Split("near")


class Echo:
    """A task, a token task and a model of both kinds in one."""

    name, splits, vocab = "echo", (NEAR,), 3

    def draw(self, split: str, n: int, rng: np.random.Generator) -> Sequence[Example]:
        return [Example(example_id("echo", split, str(k)), str(k), str(k), NEAR) for k in range(n)]

    def score(self, example: Example, answer: str) -> Mapping[str, float]:
        return {"exact": float(answer == example.truth)}

    def batch(self, split: str, n: int, rng: np.random.Generator) -> Batch:
        return Batch(np.zeros((n, 2), int), np.ones((n, 2), bool))

    def generate(self, prompts: Sequence[str], **_: object) -> list[Answer]:
        return [Answer(p) for p in prompts]

    def logprobs(self, prompts: Sequence[str], answers: Sequence[str]) -> np.ndarray:
        return np.zeros(len(prompts))


def test_an_id_is_a_digest_of_task_split_and_prompt() -> None:
    assert example_id("t", "s", "p") == hashlib.sha256(b"t\x1fs\x1fp").hexdigest()[:16]
    assert len({example_id("t", "s", "p"), example_id("ts", "", "p"), example_id("t", "sp", "")}) == 3


def test_what_has_the_parts_is_one() -> None:
    echo = Echo()
    assert all(isinstance(echo, kind) for kind in (Task, TokenTask, Generates, Scores))
    assert not any(isinstance(object(), kind) for kind in (Task, TokenTask, Generates, Scores))
    (drawn,) = echo.draw("near", 1, np.random.default_rng(0))
    assert echo.score(drawn, echo.generate([drawn.prompt])[0].text) == {"exact": 1.0}
