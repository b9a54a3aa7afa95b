"""py:module:function: any function from prompts to answers, and `function.logprobs(prompts, answers)` where it scores."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing
from unseen.core.model import Answer, Prompt

SHAPE = "f(prompts, *, max_new_tokens, temperature, seed, stop) -> list[str]"


def found(rest: str) -> Callable[..., list[str]]:
    """The function. The current folder is importable. Raises Missing where module or function are not there."""
    module, _, name = rest.partition("#")[0].partition(":")
    if not module or not name:
        raise Invalid(f"--model py:{rest}: write py:module:function, a function {SHAPE}.")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        made = import_module(module)
    except Exception as error:
        raise Missing(
            f"--model py:{rest}: the module {module} cannot be imported from {here} ({type(error).__name__}: {error})."
        ) from None
    function = getattr(made, name, None)
    if not callable(function):
        raise Missing(f"--model py:{rest}: {module} has no function {name}; it is to be {SHAPE}.")
    return function


def probe(rest: str) -> None:
    """Raise Missing where the function is not there."""
    found(rest)


def resolve(rest: str) -> str:
    """The name and a digest of its module's source."""
    module = sys.modules[found(rest).__module__]
    source = Path(module.__file__).read_bytes() if getattr(module, "__file__", None) else b""
    return f"py:{rest.partition('#')[0]}#{hashlib.sha256(source).hexdigest()[:16]}"


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The function as a model."""
    function = found(rest)
    return Scorer(rest, function) if hasattr(function, "logprobs") else Speaker(rest, function)


class Speaker:
    """A function that answers."""

    def __init__(self, name: str, function: Callable[..., list[str]]) -> None:
        self.name, self.function = name, function

    def stream(self, prompts: Sequence[Prompt], **words: Any) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt. Raises Invalid where the function returns something else."""
        told = self.function(list(prompts), **words)
        if not isinstance(told, list) or len(told) != len(prompts) or not all(isinstance(t, str) for t in told):
            shape = f"{len(told)} values" if isinstance(told, list) else type(told).__name__
            raise Invalid(f"py:{self.name} returned {shape} for {len(prompts)} prompts; it is to be {SHAPE}.")
        yield from ((i, Answer(t, "stop")) for i, t in enumerate(told))


class Scorer(Speaker):
    """A function that answers and scores."""

    def scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The function's own log-probabilities (nats) [prompt]."""
        told = np.array(self.function.logprobs(list(prompts), list(answers)), float)  # type: ignore[attr-defined]
        if told.shape != (len(prompts),):
            raise Invalid(
                f"py:{self.name}.logprobs returned {told.shape} for {len(prompts)} prompts; one number each is needed."
            )
        return told
