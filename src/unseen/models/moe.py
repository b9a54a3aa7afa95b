"""A small decoder whose layers are mixtures of experts, stacked over seeds: S models that train and answer in one program.

    models = stack(vocab=64, width=64, layers=4, experts=16, active=2, hidden=32, seeds=(0, 1, 2, 3, 4))
    models(tokens)                       # tokens int[seed batch length] -> hidden float[seed batch length width]
    models.logits(hidden)                # float[seed batch length vocab]

Blocks as in OLMoE (arXiv 2409.02060): RMS norms, rotary positions, queries and keys normed over the whole width, and
SwiGLU experts of which a router's softmax chooses `active` for every token. Nothing is dropped: an expert computes all
tokens that chose it. Every member opens in transformers as an OlmoeForCausalLM with equal logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.core.lab import Lab

from . import buffer, stacks
from .attention import attended, kept, turned, turns

EPSILON = 1e-5  # of the norms
UNIT = 8  # tokens: rooms of experts are as wide as the fullest, in eights


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a mixture of experts: tokens, features, blocks, heads, the longest sequence, experts of a block, how
    many of them a token goes through, and the features inside one.

    `balance` is the weight of the load-balancing loss. With `normalised`, the shares of the chosen experts add up to 1; else
    they are the softmax over all, as in OLMoE. With `frozen`, the routers stay as they began.
    """

    vocab: int
    width: int
    layers: int
    heads: int
    context: int
    experts: int
    active: int
    hidden: int
    balance: float = 0.01
    normalised: bool = False
    frozen: bool = False

    positions = "rotary"
    temper = "none"

    @property
    def depth(self) -> int:
        """How many blocks a token passes through."""
        return self.layers

    def __post_init__(self) -> None:
        for name in ("vocab", "width", "layers", "heads", "context", "experts", "active", "hidden"):
            if getattr(self, name) < 1:
                raise Invalid(f"mixture {name}={getattr(self, name)}: it is a whole number from 1.")
        if self.active > self.experts:
            raise Invalid(
                f"mixture active={self.active}: a token cannot go through more than the {self.experts} experts."
            )
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise Invalid(
                f"mixture width={self.width}, heads={self.heads}: every head has an even number of features, as rotary positions turn pairs; take width a multiple of {2 * self.heads}."
            )
        if self.balance < 0:
            raise Invalid(f"mixture balance={self.balance}: the weight of the load-balancing loss is at least 0.")


class Mixture(nn.Module):
    """S mixtures of experts of one shape. Weights are views into one buffer [seed weight], matrices first."""

    def __init__(self, shape: Sizes, seeds: Sequence[int], device: str = "cpu", flat: Tensor | None = None) -> None:
        super().__init__()
        self.shape, self.seeds = shape, tuple(seeds)
        spared = {f"layers.{i}.router" for i in range(shape.layers)} if shape.frozen else ()
        self.laid = buffer.laid(weights_of(shape), len(self.seeds), spared=spared, device=device, flat=flat)
        self.flat, self.names, self.decayed, self.weights = (
            self.laid.flat, self.laid.names, self.laid.decayed, self.laid.weights,
        )  # fmt: skip

    def w(self, name: str) -> Tensor:
        """A weight by its name, such as `layers.0.router` [seed expert width] or `layers.0.down` [seed expert hidden width]."""
        return self.weights[name.replace(".", "_")]

    def part(self, first: int, last: int) -> Mixture:
        """The members first … last − 1 as a stack that shares their weights."""
        return Mixture(self.shape, self.seeds[first:last], flat=self.flat[first:last])

    def forward(
        self,
        tokens: Tensor,
        offset: Tensor | None = None,
        *,
        asked: Tensor | None = None,
        keep: Tensor | None = None,
        record: dict[str, Tensor] | None = None,
        routing: list[Tensor] | None = None,
    ) -> Tensor:
        """The final hidden states [seed batch length width] of tokens int[seed batch length].

        `keep` int[seed n] are places counted through batch and length: then the hidden states are those of these places
        alone [seed n width], and the last block's experts compute no others. `routing` is filled with every block's
        softmax of the router [seed batch length expert]; `record` with the values at `embed`, `layers.i.routed` (what the
        router reads) and `layers.i.residual`. `offset` and `asked` are read by decoders with other positions, not here.
        """
        s, b, t = tokens.shape
        first = torch.arange(s, device=tokens.device)[:, None, None] * self.shape.vocab
        embedded = F.embedding(tokens + first, self.w("embed").reshape(-1, self.shape.width))
        x = embedded.view(s, b * t, -1)
        if record is not None:
            record["embed"] = embedded
        turn = turns(self.shape.width // self.shape.heads, 0, t, x.device)
        for i in range(self.shape.layers):
            x = x + torch.bmm(self._seen(i, x, b, turn), self.w(f"layers.{i}.out"))
            read = self._norm(x, f"layers.{i}.norm2")
            shares = self._shares(i, read)
            if routing is not None:
                routing.append(shares.view(s, b, t, -1))
            if record is not None:
                record[f"layers.{i}.routed"] = read.view(s, b, t, -1)
            if keep is not None and i == self.shape.layers - 1:
                x, read, shares = (kept(one, keep) for one in (x, read, shares))
            x = x + self._experts(i, read, shares)
            if record is not None:
                record[f"layers.{i}.residual"] = x.view(s, -1, x.shape[-1]) if keep is not None else x.view(s, b, t, -1)
        x = self._norm(x, "norm")
        return x if keep is not None else x.view(s, b, t, -1)

    def balanced(self, tokens: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The hidden states of `forward`, and what training adds to each member's loss [seed]: `balance` times the mean
        over blocks of `imbalance`; padding (token 0) is left out."""
        routing: list[Tensor] = []
        hidden = self(tokens, keep=keep, routing=routing)
        real = tokens != 0
        found = torch.stack([imbalance(one, real, self.shape.active) for one in routing])
        return hidden, self.shape.balance * found.mean(0)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary [seed … vocab] of hidden states [seed … width]."""
        flat = hidden.reshape(hidden.shape[0], -1, hidden.shape[-1])
        return torch.bmm(flat, self.w("embed").transpose(1, 2)).view(*hidden.shape[:-1], -1)

    def routers(self) -> Tensor:
        """The routers of all blocks [seed layer expert width]; a row of one is the embedding of an expert."""
        return torch.stack([self.w(f"layers.{i}.router") for i in range(self.shape.layers)], 1)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], eps=EPSILON) * self.w(name)[:, None]

    def _seen(self, i: int, x: Tensor, b: int, turn: tuple[Tensor, Tensor]) -> Tensor:
        """What the heads of a block read, side by side [seed batch·length width]."""
        s, bt, d = x.shape
        heads, layer = self.shape.heads, f"layers.{i}"
        q, k, v = torch.bmm(self._norm(x, f"{layer}.norm1"), self.w(f"{layer}.qkv")).chunk(3, -1)
        q, k = self._norm(q, f"{layer}.query_norm"), self._norm(k, f"{layer}.key_norm")
        q, k, v = (one.reshape(s * b, bt // b, heads, d // heads).transpose(1, 2) for one in (q, k, v))
        q, k = (turned(one, turn).to(v.dtype) for one in (q, k))
        return attended(q, k, v).transpose(1, 2).reshape(s, bt, d)

    def _shares(self, i: int, x: Tensor) -> Tensor:
        """The router's softmax over all experts [seed row expert], in float32 whatever the rest computes in."""
        router = self.w(f"layers.{i}.router")
        if self.shape.frozen:
            router = router.detach() + 0 * router  # its gradient is there, and nothing
        with torch.autocast(x.device.type, enabled=False):
            return torch.bmm(x.float(), router.float().transpose(1, 2)).softmax(-1)

    def _experts(self, i: int, x: Tensor, shares: Tensor) -> Tensor:
        """The outputs of the chosen experts, weighted by their shares [seed row width]."""
        share, chosen = shares.topk(self.shape.active, -1)
        if self.shape.normalised:
            share = share / share.sum(-1, keepdim=True)
        slot, room = _rooms(chosen, self.shape.experts)
        s, n, d = x.shape
        held = x.new_zeros(s * self.shape.experts * room, d)
        held = held.index_copy(
            0, slot.flatten(), x.reshape(s * n, 1, d).expand(-1, self.shape.active, -1).reshape(-1, d)
        )
        gate, up = torch.bmm(held.view(-1, room, d), self.w(f"layers.{i}.up").flatten(0, 1)).chunk(2, -1)
        out = torch.bmm(F.silu(gate) * up, self.w(f"layers.{i}.down").flatten(0, 1)).view(-1, d)
        return (out[slot.flatten()].view(s, n, -1, d) * share[..., None]).sum(2)


def weights_of(shape: Sizes) -> dict[str, tuple[tuple[int, ...], float]]:
    """Every weight's own shape (without the seed) and its initial standard deviation (−1: ones, 0: zeros)."""
    d, k, h, spread = shape.width, shape.experts, shape.hidden, 0.02
    found: dict[str, tuple[tuple[int, ...], float]] = {"embed": ((shape.vocab, d), spread)}
    for i in range(shape.layers):
        block = {
            "norm1": ((d,), -1.0), "qkv": ((d, 3 * d), spread), "query_norm": ((d,), -1.0), "key_norm": ((d,), -1.0),
            "out": ((d, d), spread), "norm2": ((d,), -1.0), "router": ((k, d), spread),
            "up": ((k, d, 2 * h), spread), "down": ((k, h, d), spread),
        }  # fmt: skip
        found.update({f"layers.{i}.{name}": value for name, value in block.items()})
    return {**found, "norm": ((d,), -1.0)}


def imbalance(shares: Tensor, real: Tensor, active: int) -> Tensor:
    """How unevenly a block's tokens go to its experts, for each member [seed]: K Σ_k f_k P_k (Switch Transformer, eq. 4).

    shares [seed batch length expert] is the router's softmax, real bool[seed batch length] what counts; f_k is the
    fraction of tokens that chose expert k among their `active`, P_k the mean share. It is `active` where all is even.
    """
    chosen = torch.zeros_like(shares).scatter(-1, shares.topk(active, -1).indices, 1.0)
    weight = (real / real.sum((1, 2), keepdim=True).clamp_min(1))[..., None]
    return shares.shape[-1] * ((chosen * weight).sum((1, 2)) * (shares * weight).sum((1, 2))).sum(-1)


def _rooms(chosen: Tensor, experts: int) -> tuple[Tensor, int]:
    """Where every choice [seed row active] is held, so that each member's experts have rooms of one size: places
    [seed row active] counted through all rooms, and how many a room has."""
    first = torch.arange(len(chosen), device=chosen.device)[:, None, None] * experts
    expert = (chosen + first).flatten()
    order = expert.argsort(stable=True)
    counts = expert.bincount(minlength=len(chosen) * experts)
    room = -(-int(counts.max()) // UNIT) * UNIT
    begins = counts.cumsum(0) - counts
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device) - begins[expert[order]]
    return (expert * room + place).view_as(chosen), room


def stack(
    vocab: int,
    *,
    width: int,
    layers: int = 2,
    heads: int = 4,
    context: int = 64,
    experts: int = 8,
    active: int = 2,
    hidden: int = 64,
    balance: float = 0.01,
    normalised: bool = False,
    frozen: bool = False,
    spread: float = 1.0,
    seeds: Sequence[int] = (0,),
    lab: Lab | None = None,
) -> Mixture:
    """Mixtures of one shape, one for each seed; a seed's weights are the same alone and in any block.

    `spread` widens the initial matrices as in `decoder.stack`.
    """
    source = lab or Lab.alone(seeds=tuple(seeds))
    shape = Sizes(vocab, width, layers, heads, context, experts, active, hidden, balance, normalised, frozen)
    models = Mixture(shape, seeds, source.device)
    for row, seed in enumerate(models.seeds):
        buffer.begin(models.laid, weights_of(shape), row, source.stream("init", seed=seed), spread)
    return models


def member(models: Mixture, i: int) -> Mixture:
    """The i-th member of a stack, as a stack of one with weights of its own."""
    return Mixture(models.shape, (models.seeds[i],), flat=models.flat[i : i + 1].clone())


def members(models: Mixture) -> Iterator[Mixture]:
    """Each member of a stack by itself."""
    for i in range(len(models.seeds)):
        yield member(models, i)


def save(models: Mixture, folder: Path) -> None:
    """Write a stack as `weights.safetensors` and `mixture.json`, from which `load` and `export` read it."""
    stacks.save(models, folder, "mixture")


def load(folder: Path) -> Mixture:
    """The stack that `save` wrote. Raises Missing where there is none, Invalid where its weights have other names."""
    return stacks.load(folder, "mixture", "mixture of experts", lambda shape, seeds: Mixture(Sizes(**shape), seeds))


def export(folder: Path, out: Path) -> list[Path]:
    """Every member of a saved stack as a folder that transformers opens with equal logits: `out/seed-<n>`."""
    from .exporting_moe import save_pretrained

    models = load(folder)
    return stacks.export(members(models), models.seeds, out, save_pretrained)
