"""How does a network learn in context? It reads labelled examples in order and, before each label, says what it will be.

    models = stack(features=8, classes=4, length=20, width=64, seeds=(0, 1, 2, 3, 4))
    models(x, y)        # x float[seed batch length 8], y int[seed batch length] -> logits [seed batch length 4]

The logits at place j depend on the examples before it, their labels, and x_j alone, so that one causal pass scores all
context lengths. An example is two tokens, (x_j, ?) and (x_j, y_j) ("pair"), or one, (x_j, y_{j−1}) ("shift", the paper's).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from unseen.core.errors import Invalid, Missing
from unseen.core.lab import Lab

from . import buffer, recurrent
from .decoder import Decoder, begin
from .shape import Positions, weights_of
from .shape import Shape as DecoderShape

Kind = Literal["transformer", "lstm", "fast"]
Form = Literal["pair", "shift"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a learner: features and classes of what it reads, the longest sequence, and its network's."""

    features: int
    classes: int
    length: int  # examples
    width: int
    layers: int = 2
    heads: int = 2
    kind: Kind = "transformer"
    form: Form = "pair"
    positions: Positions = "none"

    def __post_init__(self) -> None:
        for name in ("features", "classes", "length", "width", "layers", "heads"):
            if getattr(self, name) < 1:
                raise Invalid(f"learner {name}={getattr(self, name)}: it is a whole number from 1.")
        if self.width % self.heads:
            raise Invalid(f"learner width={self.width} cannot be shared by heads={self.heads}; take a multiple.")

    @property
    def tokens(self) -> int:
        """Tokens of the longest sequence."""
        return self.length * (2 if self.form == "pair" else 1)

    @property
    def state(self) -> int:
        """Numbers that the next prediction can read of the past: keys and values, cells and outputs, or matrices and
        outputs."""
        if self.kind == "transformer":
            return self.layers * self.tokens * 2 * self.width
        if self.kind == "lstm":
            return self.layers * 2 * self.width
        return self.layers * (self.width * (self.width // self.heads) + self.width)

    @property
    def decoder(self) -> DecoderShape:
        """The transformer inside: its tokens are labels, 0 standing for one that is not told."""
        return DecoderShape(self.classes + 1, self.width, self.layers, self.heads, self.tokens, self.positions)


class Learner(nn.Module):
    """S in-context learners of one shape. Weights are views into one buffer [seed weight], matrices first."""

    def __init__(self, shape: Shape, seeds: Sequence[int], flat: Tensor | None = None, device: str = "cpu") -> None:
        super().__init__()
        self.shape, self.seeds = shape, tuple(seeds)
        kinds = _kinds(shape)
        inside = weights_of(shape.decoder) if shape.kind == "transformer" else {}
        at = buffer.numbers(kinds)
        n = at + buffer.numbers(inside)
        self.flat = torch.empty(len(self.seeds), n, device=device) if flat is None else flat
        own = buffer.laid(kinds, len(self.seeds), flat=self.flat[:, :at])
        self.names, self.decayed, self.weights = own.names, own.decayed, own.weights
        self.body: Decoder | None = None
        if inside:  # its buffer is the rest of ours
            self.body = Decoder(shape.decoder, self.seeds, flat=self.flat[:, at:])
            self.decayed += self.body.decayed
            self.names += [f"body.{name}" for name in self.body.names]

    def w(self, name: str) -> Tensor:
        """A weight by its name, such as `input.weight` or `body.layers.0.qkv.weight`: [seed, …]."""
        if name.startswith("body.") and self.body is not None:
            return self.body.w(name.removeprefix("body."))
        return self.weights[name.replace(".", "_")]

    def part(self, first: int, last: int) -> Learner:
        """The members first … last − 1 as a stack that shares their weights."""
        return Learner(self.shape, self.seeds[first:last], self.flat[first:last])

    @property
    def parameters_each(self) -> int:
        """Numbers that training moves, of one member."""
        return self.flat.shape[1]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The logits [seed batch length classes] of every label, told the examples before it; the last label of y
        [seed batch length] is never read.

        Raises Invalid for sequences longer than the learner's.
        """
        s, b, n, _ = x.shape
        if n > self.shape.length:
            raise Invalid(f"a sequence of {n} examples; this learner reads {self.shape.length} at most.")
        labels, seen = _laid(x, y, self.shape.form)
        t = labels.shape[2]
        seen = torch.bmm(seen.reshape(s, b * t, -1), self.w("input.weight")).view(s, b, t, -1)
        if self.body is not None:
            kept = self._asked(s, b, t, x.device)
            hidden = self.body(labels, keep=kept, patch={"embed": lambda told: told + seen})
            return self.body.logits(hidden)[..., 1:].reshape(s, b, n, -1)
        with torch.autocast(x.device.type, enabled=False):
            told = torch.gather(
                self.w("label.weight"), 1, labels.reshape(s, -1, 1).expand(-1, -1, self.shape.width)
            ).view(s, b, t, -1)
            hidden = self._carried(seen.float() + told)[:, :, :: t // n].reshape(s, b * n, -1)
            return torch.baddbmm(self.w("read.bias")[:, None], hidden, self.w("read.weight")).view(s, b, n, -1)

    def _carried(self, x: Tensor) -> Tensor:
        shape = self.shape
        if shape.kind == "lstm":
            return recurrent.lstm(x, self.w, shape.layers)
        return recurrent.fast(x, self.w, shape.layers, shape.heads)

    def _asked(self, s: int, b: int, t: int, device: torch.device) -> Tensor:
        """The places [seed batch·length] at which labels are said, counted through batch and tokens."""
        step = 2 if self.shape.form == "pair" else 1
        return torch.arange(0, b * t, step, device=device).expand(s, -1)


def _laid(x: Tensor, y: Tensor, form: Form) -> tuple[Tensor, Tensor]:
    """Labels [seed batch token] (0: not told, else the class + 1) and examples [seed batch token feature] as read."""
    s, b, n, d = x.shape
    blank = torch.zeros_like(y)
    if form == "pair":
        return torch.stack([blank, y + 1], -1).view(s, b, 2 * n), x.repeat_interleave(2, 2).view(s, b, 2 * n, d)
    return torch.cat([blank[..., :1], y[..., :-1] + 1], -1), x


def _kinds(shape: Shape) -> recurrent.Kinds:
    """The weights beside those of the transformer inside: how examples are read in, and a recurrent network's own."""
    d = shape.width
    found: recurrent.Kinds = {"input.weight": ((shape.features, d), shape.features**-0.5)}
    if shape.kind == "transformer":
        return found
    found["label.weight"] = ((shape.classes + 1, d), 1.0)
    found |= (
        recurrent.lstm_weights(d, shape.layers)
        if shape.kind == "lstm"
        else recurrent.fast_weights(d, shape.layers, shape.heads)
    )
    return found | {"read.weight": ((d, shape.classes), 0.1 * d**-0.5), "read.bias": ((shape.classes,), 0.0)}


def stack(shape: Shape, *, seeds: Sequence[int] = (0,), spread: float = 4.0, lab: Lab | None = None) -> Learner:
    """Learners of one shape, one for each seed; a seed's weights are the same alone and in any block.

    `spread` widens the transformer's initial matrices as in `decoder.stack`.
    """
    source = lab or Lab.alone(seeds=tuple(seeds))
    models = Learner(shape, seeds, device=source.device)
    kinds = _kinds(shape)
    with torch.no_grad():
        for i, seed in enumerate(models.seeds):
            made = torch.Generator().manual_seed(source.stream("init", "read", seed=seed))
            for name, (form, wide) in kinds.items():
                models.w(name)[i].copy_(torch.randn(form, generator=made) * wide)
                if name.endswith(".bias") and name.startswith("layers."):
                    _open(models.w(name)[i], shape)
    if models.body is not None:
        begin(models.body, source, spread)
    return models


def _open(bias: Tensor, shape: Shape) -> None:
    """Begin with forget gates open, so that what is written stays (their share is 0.88, or 0.98 of a matrix)."""
    d = shape.width
    if shape.kind == "lstm":
        bias[d : 2 * d] = 2.0
    else:
        bias[4 * d + shape.heads :] = 4.0


@torch.inference_mode()
def right(models: Learner, x: Tensor, y: Tensor, *, at_once: int = 256) -> Tensor:
    """Which labels are said right bool[seed batch length], `at_once` sequences at a time."""
    parts = zip(x.split(at_once, 1), y.split(at_once, 1), strict=True)
    return torch.cat([models(a, b).argmax(-1) == b for a, b in parts], 1)


def losses(models: Learner, x: Tensor, y: Tensor) -> Tensor:
    """The mean cross-entropy over all places of each member's sequences [seed] (nats)."""
    logits = models(x, y).float()
    each = nn.functional.cross_entropy(logits.flatten(0, 2), y.flatten(), reduction="none")
    return each.view(len(y), -1).mean(1)


def save(models: Learner, folder: Path) -> None:
    """Write a stack as `weights.safetensors` and `learner.json`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({"flat": models.flat.detach().cpu().contiguous()}, str(folder / "weights.safetensors"))
    told = {"shape": asdict(models.shape), "seeds": models.seeds, "names": models.names}
    (folder / "learner.json").write_text(json.dumps(told), encoding="utf-8")


def load(folder: Path) -> Learner:
    """The stack that `save` wrote. Raises Missing where there is none, Invalid where its weights are of another version."""
    from safetensors.torch import load_file

    if not (folder / "learner.json").is_file():
        raise Missing(f"{folder} holds no learner (learner.json is not there); make one with `unseen use … train`.")
    told = json.loads((folder / "learner.json").read_text(encoding="utf-8"))
    flat = load_file(str(folder / "weights.safetensors"))["flat"].float()
    models = Learner(Shape(**told["shape"]), told["seeds"])
    if told["names"] != models.names or flat.shape != models.flat.shape:
        raise Invalid(f"the learner in {folder} was written by another version: its weights have other names or sizes.")
    return Learner(models.shape, models.seeds, flat)
