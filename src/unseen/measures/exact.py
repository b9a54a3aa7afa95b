"""Is a whole answer right? Exact match of small decoders, in one forward pass.

If every token of the right answer is the most likely one given the right tokens before it, greedy decoding writes
exactly that answer, and otherwise it leaves it at the first miss: so one teacher-forced pass decides it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.core.lab import Lab
from unseen.core.record import Scored, Split
from unseen.core.task import Batch, TokenTask
from unseen.models.decoder import Decoder
from unseen.models.moe import Mixture
from unseen.tasks.batches import each_its, padded, places, prompts
from unseen.tasks.layout import item_ids

AT_ONCE = 65_536  # tokens of all seeds in one forward pass


def greedy(
    models: Decoder | Mixture, task: TokenTask | Sequence[TokenTask], split: Split, *, n: int, lab: Lab
) -> Scored:
    """Whether each of n items is answered exactly right [seed item] (0 or 1); every seed has its own items.

    All members are asked the same task, or each its own. Items are drawn from the stream ("test", split) of each seed,
    so that every step is scored on the same ones.
    """
    rngs = [lab.rng("test", split.name, seed=s) for s in models.seeds]
    drawn = [its.batch(split.name, n, rng) for its, rng in zip(each_its(task, len(rngs)), rngs, strict=True)]
    return Scored(models.seeds, [item_ids(b) for b in drawn], right(models, drawn).astype(float))


@torch.inference_mode()
def right(models: Decoder | Mixture, drawn: Sequence[Batch]) -> NDArray[np.bool_]:
    """Whether each member would write the answers of its own batch, token by token [seed item]."""
    tokens, answer = padded(drawn, max(b.tokens.shape[1] for b in drawn))
    size = max(1, AT_ONCE // (tokens.shape[0] * tokens.shape[2]))
    pieces = [slice(i, i + size) for i in range(0, tokens.shape[1], size)]
    return np.concatenate([_right(models, tokens[:, at], answer[:, at]) for at in pieces], 1)


def _right(models: Decoder | Mixture, tokens: NDArray[np.int64], answer: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same for items that fit the memory."""
    given, goals = torch.from_numpy(tokens).to(models.flat.device), tokens[:, :, 1:].reshape(len(tokens), -1)
    keep, weight = places(answer)
    asked = torch.from_numpy(prompts(answer)).to(given.device)
    kept = models(given[:, :, :-1], asked=asked, keep=torch.from_numpy(keep).to(given.device))
    said = models.logits(kept).argmax(-1).cpu().numpy()
    missed = (said != np.take_along_axis(goals, keep, 1)) & (weight > 0)
    found = np.ones(tokens.shape[:2], bool)
    member, place = np.nonzero(missed)
    found[member, keep[member, place] // (tokens.shape[2] - 1)] = False
    return found
