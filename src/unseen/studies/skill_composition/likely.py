"""What does a model that cannot fill in a rubric think of a text? Of each point, whether yes is likelier than no.

grade(models.open("smollm2"), [(combination, text), …])  ->  Graded(points=bool[1 k+3], unread=0)

As small models lean to one of the answers whatever is asked, a point is earned where the text makes yes likelier, against
no, than an empty text does (contextual calibration: Zhao et al. 2021, "Calibrate Before Use").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unseen.core.errors import Invalid

from .combined import Combination
from .grading import LONGEST, Graded, Text, by_program
from .wording import fenced

PREFIX = "likely:"  # before the name of a model that grades so
YES, NO = " yes", " no"


def grade(model: Any, texts: Sequence[Text]) -> Graded:
    """One grading of each text. Raises Invalid for a model that gives no log-probabilities."""
    if not callable(getattr(model, "logprobs", None)):
        raise Invalid(f"the grader {PREFIX}… needs a model that scores answers, and this one only writes; name it without {PREFIX}, or take another.")  # fmt: skip
    asked = [[questions(one, t) for t in (text[:LONGEST], "")] for one, text in texts]
    flat = [q for pair in asked for questions_ in pair for q in questions_]
    leaning = model.logprobs(flat, [YES] * len(flat)) - model.logprobs(flat, [NO] * len(flat))
    ends = np.cumsum([len(pair[0]) * 2 for pair in asked])
    points = [
        by_program(one, text, np.greater(*part.reshape(2, -1)).tolist())
        for (one, text), part in zip(texts, np.split(leaning, ends[:-1]), strict=True)
    ]
    return Graded([p[None] for p in points], 0.0)


def questions(one: Combination, text: str) -> list[str]:
    """A question for each of the k + 2 points that are asked for."""
    shown = [f"{s.name}: {s.definition} For example: {s.example}\n" for s in one.skills]
    asks = [f"does the text show {s.name}?" for s in one.skills]
    asks += [f"is the text about {one.topic.name}?", "does the text make sense?"]
    return [
        f"{definition}Text: {fenced(text)}\nQuestion: {ask} Answer yes or no.\nAnswer:"
        for definition, ask in zip([*shown, "", ""], asks, strict=True)
    ]
