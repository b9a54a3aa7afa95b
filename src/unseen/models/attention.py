"""What do the heads of a block read? Causal attention over stacked members, and rotary positions."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

SHORT = 64  # tokens


def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention [row head query feature].

    The CPU's fused kernel is slow backward in bfloat16: short sequences are multiplied out, longer ones read in float32.
    """
    asked, length = q.shape[2], k.shape[2]
    if q.dtype != torch.bfloat16 or q.device.type != "cpu" or asked == 1:
        return F.scaled_dot_product_attention(q, k, v, is_causal=asked > 1)
    if length > SHORT:
        with torch.autocast("cpu", enabled=False):
            return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True).to(q.dtype)
    n, heads, _, each = q.shape
    q, k, v = (x.reshape(n * heads, -1, each) for x in (q, k, v))
    unseen = torch.full((asked, length), -1e9, dtype=q.dtype).triu(length - asked + 1)
    scores = torch.baddbmm(unseen, q, k.transpose(1, 2), alpha=each**-0.5)
    return torch.bmm(scores.softmax(-1, dtype=torch.float32).to(v.dtype), v).view(n, heads, asked, each)


def shares(q: Tensor, k: Tensor) -> Tensor:
    """How much each query reads of each key [row head query key], 0 for what follows it; the rows add up to 1."""
    asked, length = q.shape[2], k.shape[2]
    scores = (q.float() @ k.float().transpose(2, 3)) * q.shape[3] ** -0.5
    ahead = torch.ones(asked, length, dtype=torch.bool, device=q.device).triu(length - asked + 1)
    return scores.masked_fill(ahead, -torch.inf).softmax(-1)


def turns(features: int, at: int, t: int, device: Any) -> tuple[Tensor, Tensor]:
    """Cosines and sines [length, features of a head] of rotary positions (base 10,000, halves paired as in GPT-NeoX)."""
    half = features // 2
    speed = 1.0 / 10_000 ** (torch.arange(half, device=device) / half)
    angle = torch.arange(at, at + t, device=device)[:, None] * speed
    angle = torch.cat([angle, angle], 1)
    return angle.cos(), angle.sin()


def turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Queries or keys [row head length feature] at the places of these cosines and sines."""
    half = x.shape[-1] // 2
    return x * turn[0] + torch.cat([-x[..., half:], x[..., :half]], -1) * turn[1]


def kept(x: Tensor, keep: Tensor) -> Tensor:
    """Rows [seed n width] of x [seed row width], at the places keep int[seed n]: what the last block goes on with."""
    return torch.gather(x, 1, keep[..., None].expand(-1, -1, x.shape[-1]))
