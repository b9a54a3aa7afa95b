"""worded:K:MODEL: another model, every prompt of it in other words, so that a score can be seen not to be its format's.

worded:1:smollm2    labels change: "Q:" becomes "Question:", "A:" becomes "Answer:", and the other way round
worded:2:smollm2    a sentence stands before the prompt

Whatever is asked stays as it was, and the end of a prompt too, after which the answer begins. An empty prompt stays empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from unseen.core.errors import Invalid
from unseen.core.model import Prompt

FORMATS = ("as it is", "other labels", "a sentence before")
LABELS = {"Q": "Question", "A": "Answer", "Question": "Q", "Answer": "A", "Input": "Given", "Output": "Result"}
LABEL = re.compile(rf"^({'|'.join(LABELS)})(?=(?: \d+)?:)", re.MULTILINE)
FRAME = "Task:\n"  # where a prompt has no labels to change
BEFORE = "Read the following with care and go on from where it ends.\n\n"


def relabelled(text: str) -> str:
    """The text with other labels at the beginnings of lines; with a label before it where it has none."""
    told, n = LABEL.subn(lambda m: LABELS[m[1]], text)
    return told if n else FRAME + text


def introduced(text: str) -> str:
    """The text with a sentence before it."""
    return BEFORE + text


WORDINGS: Mapping[str, Callable[[str], str]] = {"1": relabelled, "2": introduced}


def probe(rest: str) -> None:
    """Raise Invalid for a format that there is not, and what the model itself raises."""
    from .names import probe

    probe(_parts(rest)[1])


def resolve(rest: str) -> str:
    """The format and the model's own pin."""
    from .names import resolve

    k, name = _parts(rest)
    return f"worded:{k}:{resolve(name)}"


def open(rest: str, **how: Any) -> Any:
    """The model, asked in other words."""
    from .names import opened

    k, name = _parts(rest)
    return Worded(opened(name, **how), WORDINGS[k])


class Worded:
    """A model with every prompt reworded; it streams, answers and scores as the one inside does."""

    def __init__(self, inner: Any, wording: Callable[[str], str]) -> None:
        self.wording = wording
        self.tokenizer = getattr(inner, "tokenizer", None)
        if hasattr(inner, "block"):
            self.block = inner.block
        for name in ("stream", "answer_all", "scores", "score_all"):
            if (ask := getattr(inner, name, None)) is not None:
                setattr(self, name, partial(self._reworded, ask))

    def _reworded(self, ask: Callable[..., Any], prompts: Sequence[Prompt], *told: Any, **words: Any) -> Any:
        if words.get("stop"):  # labels end answers, too
            words["stop"] = tuple(dict.fromkeys(w for s in words["stop"] for w in (s, LABEL.sub(_other, s))))
        return ask([self._prompt(p) for p in prompts], *told, **words)

    def _prompt(self, prompt: Prompt) -> Prompt:
        if isinstance(prompt, str):
            return self.wording(prompt) if prompt else prompt
        turns = [dict(turn) for turn in prompt]
        first = next((turn for turn in turns if turn["role"] == "user"), None)
        if first is not None:
            first["content"] = self.wording(first["content"])
        return turns


def _other(found: re.Match[str]) -> str:
    return LABELS[found[1]]


def _parts(rest: str) -> tuple[str, str]:
    """(format, model's name). Raises Invalid for a format that there is not."""
    k, _, name = rest.partition(":")
    if k not in WORDINGS or not name:
        raise Invalid(
            f"--model worded:{rest}: write worded:1:MODEL (labels change) or worded:2:MODEL (a sentence before)."
        )
    return k, name
