"""What does each of several stacked decoders write after prompts of different lengths?

    continued(models, [["<s>ab>", "<s>abcd>"]], most=8, end=STOP)  ->  [["=b.", "=d."]]    (as tokens)

All sequences start at the same place; where a prompt is longer than the shortest one its own tokens are given, and after
it those that the decoder finds most likely. So no padding is ever attended to, and the answers are those of decoding
each prompt alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.models.decoder import Decoder

Tokens = NDArray[np.integer]
AT_ONCE = 40_000  # tokens of all seeds held in one cache


def continued(models: Decoder, prompts: Sequence[Sequence[Tokens]], *, most: int, end: int) -> list[list[Tokens]]:
    """The greedy continuations [seed][item] of prompts [seed][item], up to and with `end`, at most `most` tokens each.

    Seeds may have different numbers of items. The cost grows with the longest prompt plus `most`.
    """
    n = max((len(p) for p in prompts), default=0)
    if n == 0:
        return [[] for _ in prompts]
    some = next(p[0] for p in prompts if len(p))
    filled = [[*p, *[p[0] if len(p) else some] * (n - len(p))] for p in prompts]
    longest = max(len(item) for p in filled for item in p)
    size = max(1, AT_ONCE // (len(prompts) * (longest + most)))
    order = np.argsort([max(len(p[i]) for p in filled) for i in range(n)], kind="stable")
    found: list[list[Tokens]] = [[np.zeros(0, np.int64)] * n for _ in prompts]
    for at in range(0, n, size):
        picked = order[at : at + size]
        told = _written(models, [[p[i] for i in picked] for p in filled], most, end)
        for seed, row in enumerate(told):
            for i, tokens in zip(picked, row, strict=True):
                found[seed][i] = tokens
    return [row[: len(p)] for row, p in zip(found, prompts, strict=True)]


@torch.inference_mode()
def _written(models: Decoder, prompts: list[list[Tokens]], most: int, end: int) -> list[list[Tokens]]:
    """The continuations of one batch of as many prompts for every seed."""
    lengths = np.array([[len(p) for p in row] for row in prompts])
    width = int(lengths.max()) + most
    if models.shape.positions == "learned":
        width = min(width, models.shape.context + 1)  # the last token written is never read
    held = np.zeros((*lengths.shape, width), np.int64)
    for s, row in enumerate(prompts):
        for i, prompt in enumerate(row):
            held[s, i, : len(prompt)] = prompt
    tokens, begins = torch.from_numpy(held).to(models.flat.device), torch.from_numpy(lengths).to(models.flat.device)
    _fill(models, tokens, begins, most, end)
    told = tokens.cpu().numpy()
    return [[_cut(told[s, i, lengths[s, i] :], most, end) for i in range(lengths.shape[1])] for s in range(len(told))]


def _fill(models: Decoder, tokens: Tensor, begins: Tensor, most: int, end: int) -> None:
    """Write the continuations [seed item length] into the places after the prompts."""
    cache: list[tuple[Tensor, Tensor]] = []
    shortest = int(begins.min())
    given = tokens[:, :, :shortest]
    over = torch.zeros_like(begins, dtype=torch.bool)
    for at in range(shortest, tokens.shape[2]):
        hidden = models(given, cache=cache)
        chosen = models.logits(hidden[:, :, -1:]).argmax(-1)[..., 0]
        own = at >= begins
        tokens[:, :, at] = torch.where(own, chosen.masked_fill(over, 0), tokens[:, :, at])
        over |= own & ((tokens[:, :, at] == end) | (at + 1 - begins >= most))
        if bool(over.all()):
            break
        given = tokens[:, :, at : at + 1]


def _cut(tokens: Tokens, most: int, end: int) -> Tokens:
    """The tokens up to the first `end`, at most `most`."""
    tokens = tokens[:most]
    ends = np.flatnonzero(tokens == end)
    return tokens[: int(ends[0]) + 1] if len(ends) else tokens
