"""py:module:function: any function from prompts to answers, and `function.logprobs(prompts, answers)` where it scores.

py:mine:answer  ->  pinned: py:mine:answer#51a6c0de9f3b7e42, a digest of the source of its module
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing
from unseen.core.model import Answer, Prompt

from . import pins

SHAPE = "f(prompts, *, max_new_tokens, temperature, seed, stop) -> list[str]"
READ = "__unseen_source__"  # on the user's module: the digest of the source that its loaded code came from


def found(rest: str) -> Callable[..., list[str]]:
    """The function. The current folder is importable. Raises Missing where module or function are not there."""
    module, _, name = pins.split(rest)[0].partition(":")
    if not module or not name:
        raise Invalid(f"--model py:{rest}: write py:module:function, a function {SHAPE}.")
    function = getattr(_imported(module, rest), name, None)
    if not callable(function):
        raise Missing(f"--model py:{rest}: {module} has no function {name}; it is to be {SHAPE}.")
    try:
        inspect.signature(function).bind([], max_new_tokens=1, temperature=0, seed=0, stop=())
    except TypeError as error:
        raise Invalid(f"--model py:{rest}: {name} cannot be called as {SHAPE} ({error}).") from None
    except ValueError:  # a function that has no signature to look at
        pass
    return function


def probe(rest: str) -> None:
    """Raise Missing where the function is not there, Invalid where it cannot be called with our words."""
    found(rest)


def resolve(rest: str) -> str:
    """The name and a digest of the source of the module it is named in, and of the one it is defined in."""
    named, defined = pins.split(rest)[0].partition(":")[0], getattr(found(rest), "__module__", None)
    sources = [_source(sys.modules[m]) for m in dict.fromkeys((named, defined)) if m in sys.modules]
    return pins.kept("py", rest, _digest("".join(sources).encode()))


def open(rest: str, *, device: str, dtype: str, batch_size: str | int) -> Any:
    """The function as a model."""
    return Function(pins.split(rest)[0], found(rest))


class Function:
    """A function that answers, and that scores where it has `logprobs`."""

    def __init__(self, name: str, function: Callable[..., list[str]]) -> None:
        self.name, self.function = name, function
        self.scores = self._scores if callable(getattr(function, "logprobs", None)) else None

    def stream(self, prompts: Sequence[Prompt], **words: Any) -> Iterator[tuple[int, Answer]]:
        """(index, answer) for every prompt. Raises Invalid where the function returns something else."""
        told = self.function(list(prompts), **words)
        if not isinstance(told, list) or len(told) != len(prompts) or not all(isinstance(t, str) for t in told):
            kinds = ", ".join(sorted({type(t).__name__ for t in told})) if isinstance(told, list) else ""
            shape = f"{len(told)} values ({kinds})" if isinstance(told, list) else type(told).__name__
            raise Invalid(f"py:{self.name} returned {shape} for {len(prompts)} prompts; it is to be {SHAPE}.")
        yield from ((i, Answer(t, "stop")) for i, t in enumerate(told))

    def _scores(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> NDArray[np.float64]:
        """The function's own log-probabilities (nats) [prompt]."""
        told = np.array(self.function.logprobs(list(prompts), list(answers)), float)  # type: ignore[attr-defined]
        if told.shape != (len(prompts),):
            raise Invalid(
                f"py:{self.name}.logprobs returned {told.shape} for {len(prompts)} prompts; one number each is needed."
            )
        return told


def _imported(name: str, rest: str) -> ModuleType:
    """The module as its source is now: one that was loaded before its file changed, or from another folder, is loaded again."""
    if sys.path[:1] != [here := str(Path.cwd())]:
        sys.path[:] = [here, *(p for p in sys.path if p != here)]
    importlib.invalidate_caches()
    if _elsewhere(name):
        del sys.modules[name]
    try:
        before = sys.modules.get(name)
        made = importlib.import_module(name)
        if before is not None and getattr(before, READ, _source(made)) != _source(made):
            made = importlib.reload(made)
    except (Exception, SystemExit) as error:
        raise Missing(
            f"--model py:{rest}: the module {name} cannot be imported from {here} ({type(error).__name__}: {error})."
        ) from None
    setattr(made, READ, _source(made))
    return made


def _elsewhere(name: str) -> bool:
    """Whether a user's module that is loaded lies in another folder than the one that its name means now.

    Modules within packages, and those that others imported first, are left as they are.
    """
    loaded = sys.modules.get(name)
    if loaded is None or not hasattr(loaded, READ) or "." in name:
        return False
    found = PathFinder.find_spec(name)
    return found is not None and found.origin is not None and found.origin != getattr(loaded, "__file__", None)


def _source(module: ModuleType) -> str:
    path = getattr(module, "__file__", None)
    return _digest(Path(path).read_bytes() if path and Path(path).is_file() else module.__name__.encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
