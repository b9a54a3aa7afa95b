"""Which derivative does a language model prefer? The log-probabilities of both, after twelve prompts of three kinds.

odds(model, ["pepulative"], [("pepulativity", "pepulativeness")])["sum"]    [prompt word] nats, above 0 for -ity

target       "Noun:"                            names no base
base         "pepulative ->"                    shows the base alone
instruction  "Adjective: pepulative\\nNominalization:"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Invalid

Floats = NDArray[np.float64]
PROMPTS: Mapping[str, tuple[str, ...]] = {
    "target": (
        "Nominalized adjective:",
        "Noun:",
        "The following is a nominalized adjective:",
        "The following is a noun:",
    ),
    "base": ("{} ->", "{} :", "{} -", "{}"),
    "instruction": (
        "Adjective: {}\nNominalization:",
        "Form the nominalization of the given adjective.\n\n{} ->",
        "Nominalize the given adjective.\n\n{} ->",
        "Turn the given adjective into a noun.\n\n{} ->",
    ),
}
FORMS = tuple(form for forms in PROMPTS.values() for form in forms)
KINDS = tuple(kind for kind, forms in PROMPTS.items() for _ in forms)  # [prompt]
CHOICE = "Which is the noun of the adjective {}: {} or {}? Answer with one word.\nAnswer:"
SCORES = ("sum", "token", "pmi")


def odds(model: Any, bases: Sequence[str], derivatives: Sequence[tuple[str, str]]) -> dict[str, Floats]:
    """How much more likely the first derivative is than the second [prompt word] (nats), in three ways.

    sum: the log-probabilities of all its tokens, as in the paper. token: their mean. pmi: their sum less what it is after
    no prompt at all. Raises Invalid for a model that gives no log-probabilities.
    """
    if not callable(getattr(model, "logprobs", None)):
        raise Invalid(
            "this model gives no log-probabilities, so it cannot prefer by them; ask it with --set how=chosen."
        )
    asked = [
        (form.format(base), f" {d}")
        for form in FORMS
        for base, both in zip(bases, derivatives, strict=True)
        for d in both
    ]
    shape = (len(FORMS), len(bases), 2)
    told = np.asarray(model.logprobs([p for p, _ in asked], [a for _, a in asked]), float).reshape(shape)
    lengths = _pieces(model, asked).reshape(shape)
    alone = [f" {d}" for both in derivatives for d in both]
    bare = np.asarray(model.logprobs([""] * len(alone), alone), float).reshape(1, len(bases), 2)
    ways = {"sum": told, "token": told / lengths, "pmi": told - bare}
    return {name: way[..., 0] - way[..., 1] for name, way in ways.items()}


def choices(model: Any, bases: Sequence[str], derivatives: Sequence[tuple[str, str]]) -> Floats:
    """Which derivative a model names when asked for one of the two [order word]: 1 the first, -1 the second, 0 neither.

    Both orders are asked, lest the first named win.
    """
    asked = [
        CHOICE.format(b, *(d if order else d[::-1]))
        for order in (1, 0)
        for b, d in zip(bases, derivatives, strict=True)
    ]
    answers = model.generate(asked, max_new_tokens=16, stop=("\n",))
    told = [_named(a.text, both) for a, both in zip(answers, [*derivatives, *derivatives], strict=True)]
    return np.array(told, float).reshape(2, len(bases))


def millions(model: str) -> float:
    """How many million weights a model's name says that it has: `pythia-1.4b` -> 1400; 0 where it says nothing."""
    found = re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)([mb])(?![a-z0-9])", model.lower())
    return float(found[-1][0]) * (1000 if found[-1][1] == "b" else 1) if found else 0.0


def _named(text: str, both: tuple[str, str]) -> float:
    at = [text.lower().find(d) for d in both]
    if max(at) < 0:
        return 0.0
    return 1.0 if at[1] < 0 or 0 <= at[0] < at[1] else -1.0


def _pieces(model: Any, asked: Sequence[tuple[str, str]]) -> Floats:
    """How many tokens each answer has; its letters where the model's tokens are not known."""
    pair: Callable[[str, str], tuple[Sequence[int], Sequence[int]]] | None = getattr(
        getattr(model, "inner", None), "pair", None
    )
    if pair is None:
        return np.array([len(answer) for _, answer in asked], float)
    return np.array([len(pair(prompt, answer)[1]) for prompt, answer in asked], float)
