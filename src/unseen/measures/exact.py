"""Is the whole answer right? Greedy exact match of stacked decoders, in one forward pass.

If every token of the right answer is the most likely one given the right tokens before it, greedy decoding writes
exactly that answer, and otherwise it leaves it at the first miss: so one teacher-forced pass decides it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.lab import Lab
from unseen.core.record import Scored, Split
from unseen.core.task import Batch, TokenTask
from unseen.models.decoder import Decoder
from unseen.tasks.layout import item_ids

AT_ONCE = 65_536  # tokens of all seeds in one forward pass


def greedy(models: Decoder, task: TokenTask, split: Split, *, n: int, lab: Lab) -> Scored:
    """Whether each of n items is answered exactly right [seed item] (0 or 1); every seed has its own items.

    Items are drawn from the stream ("test", split) of each seed, so that every step is scored on the same ones.
    """
    drawn = _drawn(models, task, split, n, lab)
    right, counted = _right(models, drawn)
    return Scored(models.seeds, [item_ids(b) for b in drawn], np.all(right | ~counted, axis=2).astype(float))


def _drawn(models: Decoder, task: TokenTask, split: Split, n: int, lab: Lab) -> list[Batch]:
    return [task.batch(split.name, n, lab.rng("test", split.name, seed=s)) for s in models.seeds]


@torch.inference_mode()
def _right(models: Decoder, drawn: list[Batch]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tokens are the most likely ones, and which count [seed item length]."""
    width = max(b.tokens.shape[1] for b in drawn)
    tokens = np.stack([np.pad(b.tokens, ((0, 0), (0, width - b.tokens.shape[1]))) for b in drawn]).astype(np.int64)
    answer = np.stack([np.pad(b.answer, ((0, 0), (0, width - b.answer.shape[1]))) for b in drawn])
    right = [
        models.logits(models(part[:, :, :-1])).argmax(-1) == part[:, :, 1:]
        for part in _pieces(torch.from_numpy(tokens).to(models.flat.device))
    ]
    return torch.cat(right, 1).cpu().numpy(), answer[:, :, 1:]


def _pieces(tokens: Tensor) -> Iterator[Tensor]:
    """The items in pieces that fit the memory."""
    yield from tokens.split(max(1, AT_ONCE // (tokens.shape[0] * tokens.shape[2])), dim=1)
