"""The loop that one writes by hand: a small GPT-2 in plain PyTorch, compiled, one seed after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.lab import Lab
from unseen.methods import fit
from unseen.models.decoder import Decoder

from .echo import HEADS, LAYERS, SAME_STEPS, VOCAB, Echo, begun, drawn


class Block(nn.Module):
    """A pre-norm block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Hidden states [batch length width]."""
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4).unbind()
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """Token and place embeddings, blocks, a last norm, and a head tied to the tokens."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(VOCAB, width), nn.Embedding(context, width)
        self.layers = nn.ModuleList([Block(width) for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, goal: Tensor) -> Tensor:
        """The mean cross-entropy of `goal` [batch length], leaving out its places of -100 (nats)."""
        x = self.embed(tokens) + self.place.weight[: tokens.shape[1]]
        for block in self.layers:
            x = block(x)
        scores = F.linear(self.norm(x), self.embed.weight)
        return F.cross_entropy(scores.flatten(0, 1).float(), goal.flatten())


def like(models: Decoder) -> Gpt:
    """The same model with the weights of a stack of one."""
    gpt = Gpt(models.shape.width, models.shape.context)
    with torch.no_grad():
        for name, weight in gpt.named_parameters():
            kind = name.removesuffix(".weight") if name in ("embed.weight", "place.weight") else name
            if "norm" in name:
                kind = name.replace(".weight", ".gain")
            value = models.w(kind)[0]
            weight.copy_(value.T if "layers" in name and value.dim() == 2 else value)
    return gpt


def turns(task: Echo, width: int, how: tuple[bool, bool], steps: int) -> Callable[[], object]:
    """What takes so many steps of the loop, after three that pay for compiling."""
    stream = trained(task, width, *how)

    def take(n: int) -> None:
        for _ in range(n):
            next(stream)

    take(3)
    return lambda: take(steps)


def losses(task: Echo, width: int) -> np.ndarray:
    """The loss at each step, in float32 [step]."""
    stream = trained(task, width, half=False, compiled=False)
    return np.array([float(next(stream)) for _ in range(SAME_STEPS)])


def trained(task: Echo, width: int, half: bool, compiled: bool) -> Iterator[Tensor]:
    """The loss of every step, without an end."""
    gpt = like(begun(task, width, range(1)))
    run = torch.compile(gpt, dynamic=False) if compiled else gpt
    adam = torch.optim.AdamW(groups(gpt), lr=fit.Recipe().lr, betas=fit.Recipe().betas, fused=True)
    lab = Lab.alone()
    for step in range(1 << 30):
        batch = drawn(task, step, lab)
        tokens = torch.from_numpy(batch.tokens)
        goal = tokens.masked_fill(~torch.from_numpy(batch.answer), -100)[:, 1:]
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = run(tokens[:, :-1], goal)
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(gpt.parameters(), fit.Recipe().clip)
        adam.step()
        yield loss.detach()


def groups(gpt: Gpt) -> list[dict[str, object]]:
    """Matrices, which decay, and vectors, which do not."""
    parts = [[p for p in gpt.parameters() if (p.dim() > 1) == matrix] for matrix in (True, False)]
    return [
        {"params": part, "weight_decay": decay}
        for part, decay in zip(parts, (fit.Recipe().weight_decay, 0.0), strict=True)
    ]
