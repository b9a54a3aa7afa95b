"""Can two layers of attention sort inputs of any length, with no training? Weights written by hand, in numpy.

    sorter = built(vocab=32, symbols=range(4, 24), longest=100)     # sos 1, eos 2, '>' 3
    logits, attended = forward(sorter, tokens, sharpness)           # [item length vocab], one array for each layer

Every token is a one-hot vector of the residual stream; there are no positions and no layer norm. Scores of attention are
multiplied by a sharpness. Layer 1 tells what stands after '>'. In layer 2 the head `identity` reads at symbol q which
share of all q stands after '>' (below a half: q must be written again), and the head `successor` reads the smallest
symbol above q, its scores falling by one for each symbol between; the MLP writes q where the share is below a half.

The next symbol's mass must outweigh that of all farther ones, at worst n of them at a distance of one: n·exp(−β) < 1.
So a sharpness of 1 + log n suffices at every n, and no fixed one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tokens = NDArray[np.int64]
IDENTITY, SUCCESSOR = (2, 0), (2, 1)  # layer (from 1) and head


@dataclass(frozen=True, eq=False)
class Head:
    """One head: query and key [width d], and value with its output [width width]."""

    query: Floats
    key: Floats
    value: Floats


@dataclass(frozen=True, eq=False)
class Layer:
    """Heads that read in parallel, then an MLP with ReLU: up [width hidden], down [hidden width] (hidden may be 0)."""

    heads: tuple[Head, ...]
    up: Floats
    down: Floats


@dataclass(frozen=True, eq=False)
class Sorter:
    """A transformer's weights: embedding [vocab width], layers, and what reads the logits [width vocab]."""

    embed: Floats
    layers: tuple[Layer, ...]
    read: Floats


def built(vocab: int, symbols: Sequence[int], *, longest: int, sos: int = 1, eos: int = 2, sep: int = 3) -> Sorter:
    """The sorter of these symbols (tokens in rising order), exact up to inputs of `longest` tokens.

    `longest` sets how finely a share is told from a half: (m − 1)/(2m − 1) from 1/2, for a symbol that occurs m times.
    """
    kept = np.asarray(symbols)
    width, after, share, out = 2 * vocab + 2, vocab, vocab + 1, vocab + 2
    token = np.eye(vocab, width)
    fine = 8.0 * longest
    near = 3 + np.log(fine)  # what is not meant is read by less than exp(−3) of the finest share
    marks = Head(
        _of(width, 1, range(vocab), [0] * vocab, near), _of(width, 1, [sep], [0]), _of(width, width, [sep], [after])
    )
    same = _of(width, vocab, kept, kept)
    identity = Head(near * same, same, _of(width, width, [after], [share]))
    score = np.zeros((width, vocab))
    score[:vocab] = -3.0 * vocab
    score[:vocab, sos] = -vocab  # read where no symbol is larger
    for q, least in ((sep, -1), *zip(kept.tolist(), range(len(kept)), strict=True)):
        above = np.arange(least + 1, len(kept))
        score[q, kept[above]] = -(above - least)
    successor = Head(score, np.eye(width, vocab), _of(width, width, [*kept, sos], [*(out + kept), out + eos]))
    up = _of(width, vocab, kept, kept, fine / 2)
    up[share, kept] = -fine  # at symbol q its own unit holds fine · (1/2 − share), all others less than 0
    down = _of(vocab, width, kept, out + kept)
    nothing = np.zeros((width, 0))
    layers = (Layer((marks,), nothing, nothing.T), Layer((identity, successor), up, down))
    return Sorter(token, layers, np.eye(vocab, width, k=out).T)


def forward(sorter: Sorter, tokens: Tokens, sharpness: Floats) -> tuple[Floats, list[Floats]]:
    """Scores over the next token [item length vocab] and each layer's attention [item head query key].

    tokens int[item length]; sharpness [item] multiplies the scores of attention.
    """
    x = sorter.embed[tokens]
    length = tokens.shape[1]
    hidden = np.triu(np.ones((length, length), bool), 1)
    seen: list[Floats] = []
    for layer in sorter.layers:
        read, weights = np.zeros_like(x), []
        for head in layer.heads:
            key = np.ascontiguousarray((x @ head.key).transpose(0, 2, 1))
            scores = (x @ head.query) @ key * sharpness[:, None, None]
            scores = np.where(hidden, -np.inf, scores)
            each = np.exp(scores - scores.max(-1, keepdims=True))
            each /= each.sum(-1, keepdims=True)
            read += each @ (x @ head.value)
            weights.append(each)
        x = x + read
        x = x + np.maximum(x @ layer.up, 0) @ layer.down
        seen.append(np.stack(weights, axis=1))
    return x @ sorter.read, seen


def _of(
    rows: int, columns: int, at: Sequence[int] | Tokens | range, to: Sequence[int] | Tokens, value: float = 1.0
) -> Floats:
    """A matrix that is 0 but for `value` at (at, to)."""
    made = np.zeros((rows, columns))
    made[np.asarray(at, np.intp), np.asarray(to, np.intp)] = value
    return made
