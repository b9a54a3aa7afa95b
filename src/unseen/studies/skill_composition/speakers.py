"""Models by rule, asked through the very prompts: `oracle` writes texts with full marks, `reader` grades as the program does.

py:unseen.studies.skill_composition.speakers:oracle
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unseen.core.errors import Invalid

from .combined import Combination
from .composed import written
from .grading import checked
from .skills import own
from .wording import ANSWER, CLOSE, EXPLANATION, OPEN


def oracle(prompts: Sequence[Any], *, max_new_tokens: int, temperature: float, seed: int, stop: Sequence[str]) -> list[str]:  # fmt: skip
    """To every request for a text, one with full marks."""
    return [_reply("oracle", p, seed) for p in prompts]


def namer(prompts: Sequence[Any], *, max_new_tokens: int, temperature: float, seed: int, stop: Sequence[str]) -> list[str]:  # fmt: skip
    """To every request for a text, one that names the skills."""
    return [_reply("namer", p, seed) for p in prompts]


def reader(prompts: Sequence[Any], *, max_new_tokens: int, temperature: float, seed: int, stop: Sequence[str]) -> list[str]:  # fmt: skip
    """To every request for points, those that the program gives."""
    return [_points(p, _program) for p in prompts]


def guesser(prompts: Sequence[Any], *, max_new_tokens: int, temperature: float, seed: int, stop: Sequence[str]) -> list[str]:  # fmt: skip
    """To every request for points, some by chance."""
    rng = np.random.default_rng(seed)
    return [_points(p, lambda one, text: (rng.random(one.k + 2) < 0.5).tolist()) for p in prompts]


def _reply(who: str, prompt: Any, seed: int) -> str:
    """A reply to a request for a text, as a model would give it."""
    told = _told(prompt)
    text = written(who, _asked_for(told), np.random.default_rng([seed, *told.encode()]))
    return f"{ANSWER} {text}\n{EXPLANATION} It is all there."


def _points(prompt: Any, rule: Callable[[Combination, str], Sequence[Any]]) -> str:
    """Numbered points of the text in a request for them."""
    told = _told(prompt)
    text = told.partition(f"\n{OPEN}\n")[2].partition(f"\n{CLOSE}\n")[0]
    return "\n".join(f"{i}. {int(p)}" for i, p in enumerate(rule(_asked_for(told), text), 1))


def _program(one: Combination, text: str) -> Sequence[Any]:
    return checked(one, text)[:-1].tolist()


def _asked_for(told: str) -> Combination:
    """The combination that a prompt asks for, by its list of skills and the topic it names."""
    topic = re.search(r"(?:piece of text about|sentences? about) (.+?) that shows", told)
    listed = re.findall(r"^- ([^:\n]+): ", told.partition(OPEN)[0], re.MULTILINE)
    if topic is None or not listed:
        raise Invalid(f"the prompt {told[:80]!r} asks neither for a text nor for points; these speakers answer this study's prompts alone.")  # fmt: skip
    return Combination(own().named(list(dict.fromkeys(listed))), own().topic(topic[1]))


def _told(prompt: Any) -> str:
    """A prompt as one text."""
    return prompt if isinstance(prompt, str) else "\n".join(str(turn["content"]) for turn in prompt)
