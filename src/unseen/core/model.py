"""What can be asked of a model? Text for a prompt (`Generates`), or the log-probability of an answer (`Scores`).

model.generate(["2 + 2 ="], max_new_tokens=4)  ->  [Answer(text=' 4', finish='stop', tokens=2)]
model.logprobs(["2 + 2 ="], [" 4"])            ->  array([-0.31])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Prompt = str | Sequence[Mapping[str, str]]  # plain text, or chat turns: [{"role": "user", "content": "..."}]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said: its text, why it stopped, how many tokens it wrote, and how many a server charged for its
    prompt (0: unknown)."""

    text: str
    finish: Literal["stop", "length", "filter", ""] = ""
    tokens: int = 0
    read: int = 0


@runtime_checkable
class Generates(Protocol):
    """A model that answers prompts with text."""

    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        temperature: float = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
    ) -> list[Answer]: ...


@runtime_checkable
class Scores(Protocol):
    """A model that gives the log-probability (nats) of an answer after a prompt: float[prompt]."""

    def logprobs(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.floating]: ...


WORDED = re.compile(r"worded:[^:]*:")


def answering(name: str) -> str:
    """The name of the model that answers: its own, or that of the one within which is asked in other words."""
    while (found := WORDED.match(name)) is not None:
        name = name[found.end() :]
    return name


Method = Callable[..., Iterator[tuple[int, Any]]]  # a model -> a stream of (step, model)
