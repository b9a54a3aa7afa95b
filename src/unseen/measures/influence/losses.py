"""What does a model lose on a batch? Losses of rows, told with the predictions behind them so that labels can be drawn.

    loss(model, batch) -> Predicted(logits [row place vocab], labels [row place], counted, real)
    loss(model, batch) -> float[row], or their sum       a loss of your own; its curvature is that of the given labels

`next_token` is the loss of causal language models, of transformers or not; `batches` makes what it reads of lists of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.core.errors import Invalid

IGNORED = -100  # a label that is not counted, as in transformers


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model predicts of each row, and what was there.

    Classes: logits [row … class], labels int[row …], loss −log p. Numbers: logits [row …] are means of unit variance,
    labels float[row …], loss half the squared distance. `counted` bool[row …] are the labels that count (all where None),
    `real` bool[row place] the places that are no padding (all where None).
    """

    logits: Tensor
    labels: Tensor
    counted: Tensor | None = None
    real: Tensor | None = None

    def losses(self) -> Tensor:
        """The summed loss of each row [row] (nats)."""
        if self.labels.is_floating_point():
            each = 0.5 * (self.logits.float() - self.labels.float()).square()
        else:
            held = self.labels if self.counted is None else self.labels.masked_fill(~self.counted, 0)
            each = F.cross_entropy(self.logits.float().flatten(0, -2), held.flatten(), reduction="none").view_as(held)
        if self.counted is not None:
            each = each * self.counted
        return each.flatten(1).sum(1) if each.dim() > 1 else each

    def drawn(self, source: torch.Generator) -> Predicted:
        """The same with labels drawn from the model itself. Raises Invalid for predictions that are not finite."""
        means = self.logits.detach().float()
        _check_finite(means)
        if self.labels.is_floating_point():
            noise = torch.randn(means.shape, generator=source, device=source.device).to(means.device)
            return replace(self, labels=means + noise)
        chances = means.softmax(-1).flatten(0, -2).to(source.device)
        drawn = torch.multinomial(chances, 1, generator=source).view(self.labels.shape)
        return replace(self, labels=drawn.to(self.labels.device))


Loss = Callable[[Any, Any], "Predicted | Tensor"]


def next_token(model: Any, batch: Any) -> Predicted:
    """The predictions of a causal language model for a batch of token sequences.

    batch: int[row length], or a mapping with `input_ids` and perhaps `attention_mask` and `labels` (−100: not counted), all
    [row length], as transformers has them. Raises Invalid for a sequence longer than the model's context.
    """
    given: Mapping[str, Tensor] = batch if isinstance(batch, Mapping) else {"input_ids": batch}
    device = next(model.parameters()).device
    tokens = given["input_ids"].to(device)
    mask = given["attention_mask"].to(device) if "attention_mask" in given else None
    _check_length(model, tokens.shape[1])
    kept = {} if mask is None or bool(mask.all()) else {"attention_mask": mask}
    told = model(tokens, **kept)
    logits: Tensor = getattr(told, "logits", told)
    goal = given["labels"].to(device) if "labels" in given else tokens
    if mask is not None:
        goal = goal.masked_fill(mask == 0, IGNORED)
    goal = goal[:, 1:]
    return Predicted(logits[:, :-1], goal, goal != IGNORED, None if mask is None else mask.bool())


def batches(
    rows: Sequence[Sequence[int]], *, size: int = 16, answers: Sequence[int] | None = None, pad: int = 0
) -> list[dict[str, Tensor]]:
    """Batches for `next_token` of token sequences, in order, padded on the right.

    `answers` [row] says how many tokens at the end of each row are counted; all but the first are where it is None. Raises
    Invalid for a row of fewer than two tokens, which predicts nothing.
    """
    if short := [i for i, row in enumerate(rows) if len(row) < 2]:
        raise Invalid(f"row {short[0]} has {len(rows[short[0]])} tokens; two are needed for one to be predicted.")
    found: list[dict[str, Tensor]] = []
    for at in range(0, len(rows), size):
        part = rows[at : at + size]
        width = max(map(len, part))
        tokens = torch.full((len(part), width), pad)
        mask, labels = torch.zeros_like(tokens), torch.full_like(tokens, IGNORED)
        for i, row in enumerate(part):
            n = len(row)
            first = 0 if answers is None else n - answers[at + i]
            tokens[i, :n], mask[i, :n] = torch.tensor(row), 1
            labels[i, first:n] = tokens[i, first:n]
        found.append({"input_ids": tokens, "attention_mask": mask, "labels": labels})
    return found


def losses_of(told: Predicted | Tensor, source: torch.Generator | None) -> Tensor:
    """The loss of each row [row], or a sum over rows [], with labels drawn where there is a source of them.

    Raises Invalid for a loss that is not finite or has another shape.
    """
    drawn = told.drawn(source) if isinstance(told, Predicted) and source is not None else told
    found = drawn.losses() if isinstance(drawn, Predicted) else drawn
    if found.dim() > 1:
        raise Invalid(
            f"the loss has the shape {tuple(found.shape)}; give one number for each row, their sum, or Predicted."
        )
    _check_finite(found)
    return found


def _check_finite(told: Tensor) -> None:
    if not bool(torch.isfinite(told).all()):
        raise Invalid("the loss of a batch is not finite, so it has no gradient; look at the model or its data.")


def _check_length(model: Any, length: int) -> None:
    config = getattr(model, "config", None)
    most = int(getattr(config, "max_position_embeddings", 0) or getattr(config, "n_positions", 0) or 0)
    if most and length > most:
        raise Invalid(
            f"a sequence has {length} tokens, but the model's context is {most}; cut it, or split it into several documents."
        )
