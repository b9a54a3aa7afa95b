"""Which networks answer questions about scenes? The paper's six architectures, stacked over seeds.

    models = stack(Shape("cross", rule=23, stim=13, nodes=1, cells=36, classes=50, width=64), seeds=(0, 1, 2, 3, 4))
    models(rule, stim, last)       # rule [seed batch token feature], stim [seed batch cell feature], last [seed batch]

Logits [seed batch class] are read where the question (or, of a single stream, the scene) ends. Blocks are the released
code's: self-attention and a perceptron, each followed by a layer norm of its sum with what it read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.core.lab import Lab
from unseen.models import buffer

from .shape import LATENTS, RECURRENT, Kinds, Shape, weights_of

Record = dict[str, Tensor]


class Net(nn.Module):
    """S networks of one shape. Weights are views into one buffer [seed weight], matrices first."""

    def __init__(self, shape: Shape, seeds: Sequence[int], flat: Tensor | None = None, device: str = "cpu") -> None:
        super().__init__()
        self.shape, self.seeds = shape, tuple(seeds)
        own = buffer.laid(weights_of(shape), len(self.seeds), device=device, flat=flat)
        self.flat, self.names, self.decayed, self.weights = own.flat, own.names, own.decayed, own.weights

    def w(self, name: str) -> Tensor:
        """A weight by its name, such as `rule.qkv.weight`: [seed, …]."""
        return self.weights[name.replace(".", "_")]

    def part(self, first: int, last: int) -> Net:
        """The members first … last − 1 as a stack that shares their weights."""
        return Net(self.shape, self.seeds[first:last], self.flat[first:last])

    @property
    def parameters_each(self) -> int:
        """Numbers that training moves, of one member."""
        return self.flat.shape[1]

    def forward(self, rule: Tensor, stim: Tensor, last: Tensor, record: Record | None = None) -> Tensor:
        """The logits [seed batch class] of questions and scenes; tokens after a question's `last` one are not read.

        `record` gets what the end of the question reads from each cell (`cross.weights` [seed batch head 1 cell]) and the
        latents of a perceiver (`latents` [seed batch latent feature]). Raises Invalid for questions that are too long.
        """
        if rule.shape[2] > self.shape.nodes + 1:
            raise Invalid(
                f"a question of {rule.shape[2] - 1} nodes; this network reads {self.shape.nodes}, make it larger."
            )
        made: Mapping[str, Callable[..., Tensor]] = {
            "single": self._single, "dual": self._dual, "cross": self._cross, "perceiver": self._perceiver,
        }  # fmt: skip
        hidden = made.get(self.shape.kind, self._recurrent)(rule, stim, last, record)
        return self._linear(hidden[:, :, None], "read")[:, :, 0]

    def _linear(self, x: Tensor, name: str) -> Tensor:
        """A linear layer of [seed batch token feature]."""
        s, b, t, d = x.shape
        bias, weight = self.w(f"{name}.bias"), self.w(f"{name}.weight")
        return torch.baddbmm(bias[:, None], x.reshape(s, b * t, d), weight).view(s, b, t, -1)

    def _norm(self, x: Tensor, name: str) -> Tensor:
        normal = F.layer_norm(x, (x.shape[-1],), eps=1e-5)
        return torch.addcmul(self.w(f"{name}.bias")[:, None, None], normal, self.w(f"{name}.gain")[:, None, None])

    def _read(self, x: Tensor, y: Tensor, name: str, unseen: Tensor | None = None, near: Tensor | None = None, record: Record | None = None) -> Tensor:  # fmt: skip
        """What tokens x [seed batch token feature] read from y: heads' outputs side by side.

        `unseen` (bool, to be broadcast over [seed batch 1 query key]) is not read; `near` is added to scores.
        """
        d, heads = self.shape.width, self.shape.heads
        weight, bias = self.w(f"{name}.qkv.weight"), self.w(f"{name}.qkv.bias")

        def split(z: Tensor, a: int, b: int) -> Tensor:
            s, n, t, _ = z.shape
            made = torch.baddbmm(bias[:, None, a:b], z.reshape(s, n * t, d), weight[:, :, a:b])
            return made.view(s, n, t, -1, heads, d // heads).permute(3, 0, 1, 4, 2, 5)

        (q,), (k, v) = split(x, 0, d), split(y, d, 3 * d)
        scores = q @ k.transpose(-1, -2)
        if near is not None:
            scores = scores + (q.unsqueeze(-2) @ near[:, None, None].transpose(-1, -2)).squeeze(-2)
        scores = scores.float() * (d // heads) ** -0.5
        if unseen is not None:
            scores = scores.masked_fill(unseen, -1e9)
        shares = scores.softmax(-1)
        if record is not None:
            record[f"{name}.weights"] = shares
        s, n, t, _ = x.shape
        return (shares.to(v.dtype) @ v).transpose(2, 3).reshape(s, n, t, d)

    def _attend(self, x: Tensor, y: Tensor, name: str, **more: Tensor | None) -> Tensor:
        return self._linear(self._read(x, y, name, **more), f"{name}.out")  # type: ignore[arg-type]

    def _block(self, x: Tensor, name: str, *, unseen: Tensor | None = None, end: bool = False, gelu: bool = False) -> Tensor:  # fmt: skip
        """A block over tokens that know their positions; with `end`, of the last token alone."""
        asking = x[:, :, -1:] if end else x
        act = F.gelu if gelu else F.relu
        if f"{name}.near" in self.names:
            ahead, near = self._near(x.shape[2], name)
            seen = self._read(asking, x, name, unseen=ahead if unseen is None else ahead | unseen, near=near)
        else:
            seen = self._attend(asking, x, name, unseen=unseen)
        x = self._norm(seen + asking, f"{name}.norm1")
        up = act(self._linear(act(self._linear(x, f"{name}.up")), f"{name}.down"))
        return self._norm(up + x, f"{name}.norm2")

    def _near(self, t: int, name: str) -> tuple[Tensor, Tensor]:
        """What follows a token [token token], and the embedding [seed token token feature] of how far back each other is."""
        place = torch.arange(t, device=self.flat.device)
        back = place[:, None] - place
        table = self.w(f"{name}.near")
        return back < 0, table[:, (table.shape[1] - 1 - back).clamp_max(table.shape[1] - 1)]

    def _embedded(self, x: Tensor, name: str) -> Tensor:
        x = self._linear(x, f"{name}.embed")
        if name == "rule":
            return x if self.shape.positions == "relative" else x + waves(x.shape[2], self.shape.width, x.device)
        return x + self._places(0, x.shape[2])

    def _places(self, asked: int, cells: int) -> Tensor:
        """The positions [seed 1 token feature] of so many tokens of a question, then of a scene."""
        if self.shape.places == "waves":
            return waves(asked + cells, self.shape.width, self.flat.device)
        held = self.w("stim.place")[:, None]
        told = waves(asked, self.shape.width, held.device).expand(len(held), 1, -1, -1)
        return torch.cat([told, held], 2)

    def _streams(self, rule: Tensor, stim: Tensor, last: Tensor, end: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Both modalities after their blocks, and which tokens of questions are none [seed batch 1 1 token]."""
        beyond = _beyond(rule, last)
        seen = self._block(self._embedded(rule, "rule"), "rule", unseen=beyond)
        return seen, self._block(self._embedded(stim, "stim"), "stim", end=end), beyond

    def _single(self, rule: Tensor, stim: Tensor, last: Tensor, record: Record | None) -> Tensor:
        beyond = F.pad(_beyond(rule, last), (0, stim.shape[2]))
        x = torch.cat([F.pad(rule, (0, stim.shape[3])), F.pad(stim, (rule.shape[3], 0))], 2)
        x = self._linear(x, "both.embed")
        for i in range(self.shape.layers):
            x = x + self._places(rule.shape[2], stim.shape[2])  # in every block, as released
            x = self._block(x, f"layers.{i}", unseen=beyond, end=i == self.shape.layers - 1, gelu=True)
        return x[:, :, -1]

    def _dual(self, rule: Tensor, stim: Tensor, last: Tensor, record: Record | None) -> Tensor:
        asked, scene, _ = self._streams(rule, stim, last, end=True)
        told = F.relu(self._linear(_at(asked, last), "rule.last")) + F.relu(self._linear(scene, "stim.last"))
        x = self._norm(told, "joined")
        for i in range(3):
            x = F.relu(self._linear(x, f"mlp.{i}"))
        return self._norm(x, "norm")[:, :, 0]

    def _cross(self, rule: Tensor, stim: Tensor, last: Tensor, record: Record | None) -> Tensor:
        asked, scene, _ = self._streams(rule, stim, last)
        ending = _at(asked, last)
        x = self._norm(self._attend(ending, scene, "cross", record=record), "crossed") + ending  # type: ignore[arg-type]
        for i in range(2):
            x = F.relu(self._linear(x, f"mlp.{i}"))
        return self._norm(x, "norm")[:, :, 0]

    def _perceiver(self, rule: Tensor, stim: Tensor, last: Tensor, record: Record | None) -> Tensor:
        asked, scene, beyond = self._streams(rule, stim, last)
        s, b = last.shape
        if self.shape.latents == "learned":
            latents = self.w("latents")[:, None].expand(s, b, -1, -1).to(asked.dtype)
        else:
            latents = asked.new_zeros(s, b, LATENTS, self.shape.width)
        for name, told, unseen in (("ask_rule", asked, beyond), ("ask_stim", scene, None)):
            x = self._norm(self._attend(latents, told, name, unseen=unseen), f"{name}.norm")
            x = F.relu(self._linear(x, f"{name}.up")) + x
            latents = self._norm(x + latents, "latent")
            latents = self._norm(self._attend(latents, latents, "within") + latents, "latent")
        latents = F.relu(self._linear(latents, "latent.up"))
        if record is not None:
            record["latents"] = latents
        return latents[:, :, -1]

    def _recurrent(self, rule: Tensor, stim: Tensor, last: Tensor, record: Record | None) -> Tensor:
        """The state [seed batch feature] where the question ends, of a network that sees the whole scene at every step."""
        s, b, t, _ = rule.shape
        seen = torch.baddbmm(self.w("in.bias")[:, None], stim.reshape(s, b, -1), self.w("in.stim"))
        told = torch.bmm(rule.reshape(s, b * t, -1), self.w("in.rule")).view(s, b, t, -1) + seen[:, :, None]
        h, found = told.new_zeros(s, b, self.shape.width), []
        for x in told.unbind(2):
            back = torch.baddbmm(self.w("back.bias")[:, None], h, self.w("back.weight"))
            h = _gru(x, back, h) if self.shape.kind == "gru" else F.relu(x + back)
            found.append(h)
        return self._norm(_at(torch.stack(found, 2), last), "norm")[:, :, 0]


def _gru(x: Tensor, back: Tensor, h: Tensor) -> Tensor:
    """A gated step, gates in PyTorch's order: reset, update, new."""
    (xr, xz, xn), (hr, hz, hn) = x.chunk(3, -1), back.chunk(3, -1)
    keep = torch.sigmoid(xz + hz)
    new = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
    return (1 - keep) * new + keep * h


def _at(x: Tensor, last: Tensor) -> Tensor:
    """The token [seed batch 1 feature] at a place [seed batch] of x [seed batch token feature]."""
    return torch.gather(x, 2, last[:, :, None, None].expand(-1, -1, 1, x.shape[3]))


def _beyond(rule: Tensor, last: Tensor) -> Tensor:
    """Which tokens of questions stand after their end [seed batch 1 1 token]."""
    return (torch.arange(rule.shape[2], device=rule.device) > last[..., None])[:, :, None, None]


def waves(t: int, width: int, device: torch.device) -> Tensor:
    """Sinusoidal positions [token feature], sines at even features and cosines at odd ones."""
    speed = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10_000.0) / width))
    angle = torch.arange(t, device=device)[:, None] * speed
    return torch.stack([angle.sin(), angle.cos()], -1).view(t, width)


def stack(shape: Shape, *, seeds: Sequence[int] = (0,), lab: Lab | None = None) -> Net:
    """Networks of one shape, one for each seed; a seed's weights are the same alone and in any block."""
    source = lab or Lab.alone(seeds=tuple(seeds))
    models, kinds = Net(shape, seeds, device=source.device), weights_of(shape)
    with torch.no_grad():
        for i, seed in enumerate(models.seeds):
            made = torch.Generator().manual_seed(source.stream("init", seed=seed))
            for name in models.names:
                models.w(name)[i].copy_(_begun(kinds, name, made))
    return models


def _begun(kinds: Kinds, name: str, made: torch.Generator) -> Tensor:
    form, wide = kinds[name]
    return torch.full(form, -wide) if wide <= 0 else torch.randn(form, generator=made) * wide


def losses(models: Net, rule: Tensor, stim: Tensor, last: Tensor, answer: Tensor) -> Tensor:
    """The mean cross-entropy [seed] (nats) of the answers' classes [seed batch]."""
    logits = models(rule, stim, last).float()
    return F.cross_entropy(logits.flatten(0, 1), answer.flatten(), reduction="none").view_as(answer).mean(1)


def tokens_of(shape: Shape) -> int:
    """Tokens that are read for one item; of a recurrent network, steps."""
    return shape.nodes + 1 + (0 if shape.kind in RECURRENT else shape.cells + 1)
