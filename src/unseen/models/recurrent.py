"""Which networks carry a state of fixed size along a sequence? Stacked LSTMs, and LSTMs whose cell is a matrix.

Weights come as a function `w(name) -> [seed …]`, so that they can be views of a buffer; sequences are [seed batch length
width]. Both run in float32: their sums over time are too long for less.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Callable[[str], Tensor]
Kinds = dict[
    str, tuple[tuple[int, ...], float]
]  # a weight's shape without the seed, and its initial standard deviation


def lstm_weights(width: int, layers: int) -> Kinds:
    """The weights of an LSTM in PyTorch's order of gates (input, forget, cell, output), one bias for both products."""
    each = width**-0.5
    found: Kinds = {}
    for i in range(layers):
        found[f"layers.{i}.in"] = ((4 * width, width), each)
        found[f"layers.{i}.back"] = ((4 * width, width), each)
        found[f"layers.{i}.bias"] = ((4 * width,), 0.0)
    return found


def lstm(x: Tensor, w: Weights, layers: int) -> Tensor:
    """The outputs [seed batch length width] of an LSTM on x [seed batch length width], begun with zeros.

    Every member goes through PyTorch's own LSTM.
    """
    seeds, b, _, d = x.shape
    rows = [[w(f"layers.{i}.{name}").float().unbind() for name in ("in", "back", "bias")] for i in range(layers)]
    zero = x.new_zeros(layers, b, d, dtype=torch.float32)
    found: list[Tensor] = []
    for s in range(seeds):
        flat = [t for into, back, bias in rows for t in (into[s], back[s], bias[s], torch.zeros_like(bias[s]))]
        out, _, _ = torch.lstm(
            x[s].float(), (zero, zero), flat, True, layers, 0.0, torch.is_grad_enabled(), False, True
        )
        found.append(out)
    return torch.stack(found)


def fast_weights(width: int, layers: int, heads: int) -> Kinds:
    """The weights of an LSTM with outer-product cells: query, key, value and output gate of `width` features, and one
    input and one forget gate for each head."""
    gates = 4 * width + 2 * heads
    found: Kinds = {}
    for i in range(layers):
        found[f"layers.{i}.in"] = ((width, gates), width**-0.5)
        found[f"layers.{i}.back"] = ((width, gates), width**-0.5)
        found[f"layers.{i}.bias"] = ((gates,), 0.0)
    return found


def fast(x: Tensor, w: Weights, layers: int, heads: int) -> Tensor:
    """The outputs [seed batch length width] of an LSTM whose cell is a matrix for each head, on x of that form.

    With z_t = x_t W_in + h_{t−1} W_back + b cut into q, k, v, o, i and f, and k̂, q̂ of length 1 in each head:
    C_t = σ(f) C_{t−1} + σ(i) v k̂ᵀ and h_t = σ(o) ∘ C_t q̂. A layer adds its h to what it read.
    """
    for i in range(layers):
        x = x + _fast_layer(x.float(), w(f"layers.{i}.in"), w(f"layers.{i}.back"), w(f"layers.{i}.bias"), heads)
    return x


def _fast_layer(x: Tensor, into: Tensor, back: Tensor, bias: Tensor, heads: int) -> Tensor:
    s, b, length, d = x.shape
    each = d // heads
    told = torch.baddbmm(bias[:, None], F.layer_norm(x, (d,)).reshape(s, b * length, d), into)
    h, cell = x.new_zeros(s, b, d), x.new_zeros(s, b, heads, each, each)
    found: list[Tensor] = []
    for z in told.view(s, b, length, -1).unbind(2):
        z = torch.baddbmm(z, h, back)
        q, k, v, o, gates = z.split([d, d, d, d, 2 * heads], -1)
        q, k = (F.normalize(one.view(s, b, heads, each), dim=-1) for one in (q, k))
        gates = torch.sigmoid(gates)
        value = v.view(s, b, heads, each) * gates[..., :heads, None]
        cell = torch.addcmul(cell * gates[..., heads:, None, None], value[..., None], k[..., None, :])
        h = torch.sigmoid(o) * torch.matmul(cell, q[..., None]).view(s, b, d)
        found.append(h)
    return torch.stack(found, 2)
