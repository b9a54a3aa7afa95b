"""How does a model do on an owner's rows while it trains? Right answers and their surprise, row by row.

look = Answered(pairs, tokenizer)          a measure for Watch: look(model) -> {"exact": 0.41, "surprise": 1.3}
look.each                                  -> {"exact": float[row], "surprise": float[row]} of the last look
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.errors import Invalid
from unseen.models import has_template
from unseen.models.engine import Local
from unseen.tasks.owned import Pair, ends

SPARE = 8  # tokens that an answer may be longer than the longest right one


class Answered:
    """A measure of a model on rows: `exact` (fraction of answers, written greedily, that are right) and `surprise` (mean
    over rows of nats for each token of the right answer).

    The model is left as it was found, in training mode or not. Raises Invalid for no rows.
    """

    def __init__(self, rows: Sequence[Pair], tokenizer: Any) -> None:
        if not rows:
            raise Invalid("there are no rows to ask.")
        self.rows, self.tokenizer = rows, tokenizer
        self.chat = has_template(tokenizer)
        self.each: dict[str, NDArray[np.float64]] = {}

    @torch.inference_mode()
    def __call__(self, model: Any) -> dict[str, float]:
        """The means over rows; each row's own numbers are kept in `each`."""
        training = model.training
        try:
            self.each = self._each(Local(model, self.tokenizer))
        finally:
            model.train(training)
        return {name: float(np.mean(values)) for name, values in self.each.items()}

    def _each(self, one: Local) -> dict[str, NDArray[np.float64]]:
        prompts = [row.posed(chat=self.chat) for row in self.rows]
        answers = [row.completion(chat=self.chat) for row in self.rows]
        lengths = np.array([len(one.pair(p, a)[1]) for p, a in zip(prompts, answers, strict=True)])
        said = dict(one.stream(prompts, max_new_tokens=int(lengths.max()) + SPARE, stop=ends(self.rows)))
        right = [row.right(said[i].text) for i, row in enumerate(self.rows)]
        return {"exact": np.array(right, float), "surprise": -one.scores(prompts, answers) / lengths}
