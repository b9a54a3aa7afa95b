"""How large is a network that answers questions about scenes, and which weights does it have?

weights_of(Shape("cross", rule=23, stim=13, nodes=1, cells=36, classes=50, width=64))  ->  {"rule.embed.weight": ((23, 64), …), …}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseen.core.errors import Invalid

Kind = Literal["rnn", "gru", "single", "dual", "cross", "perceiver"]
Positions = Literal["absolute", "relative"]  # of a question's tokens
Places = Literal["waves", "learned"]  # of a scene's cells
Latents = Literal["learned", "zero"]  # how a perceiver's latents begin
Kinds = dict[str, tuple[tuple[int, ...], float]]  # a weight's form and initial deviation; −x: all begin at x
RECURRENT = ("rnn", "gru")
LATENTS = 10


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a network: features of the tokens that it reads, how many there are, classes, and its own."""

    kind: Kind
    rule: int  # features of a question's token
    stim: int  # features of a scene's token
    nodes: int  # of the longest question
    cells: int
    classes: int
    width: int  # features of a token inside; of a recurrent network, its state
    layers: int = 1  # blocks of a single stream
    heads: int = 1
    positions: Positions = "absolute"
    latents: Latents = "learned"
    places: Places = "waves"

    def __post_init__(self) -> None:
        for name in ("rule", "stim", "nodes", "cells", "classes", "width", "layers", "heads"):
            if getattr(self, name) < 1:
                raise Invalid(f"network {name}={getattr(self, name)}: it is a whole number from 1.")
        if self.width % self.heads or self.width % 2:
            raise Invalid(f"network width={self.width}: it is even, and a multiple of heads={self.heads}.")
        if self.positions == "relative" and self.kind in ("single", *RECURRENT):
            raise Invalid(f"positions=relative: {self.kind} has no stream of its own for questions; take absolute.")
        if self.layers > 1 and self.kind != "single":
            raise Invalid(f"layers={self.layers}: {self.kind} has one block for each modality; take 1.")


def weights_of(shape: Shape) -> Kinds:
    """Every weight's form (the seed left out) and its initial deviation, by name."""
    made = {"rnn": _recurrent, "gru": _recurrent, "single": _single, "dual": _dual, "cross": _cross}
    told = made.get(shape.kind, _perceiver)(shape)
    if shape.places == "learned" and shape.kind not in RECURRENT:
        told["stim.place"] = ((shape.cells + 1, shape.width), 1.0)
    return told


def _linear(name: str, into: int, out: int, wide: float = 0.0) -> Kinds:
    """A linear layer as wide as PyTorch begins one (a uniform of ±1/√into has the deviation 1/√(3·into))."""
    return {f"{name}.weight": ((into, out), wide or (3 * into) ** -0.5), f"{name}.bias": ((out,), 0.0)}


def _norm(name: str, width: int) -> Kinds:
    return {f"{name}.gain": ((width,), -1.0), f"{name}.bias": ((width,), 0.0)}


def _attention(name: str, width: int) -> Kinds:
    """Queries, keys and values begin as PyTorch's (Xavier over the joint matrix), the output as a linear layer."""
    return {**_linear(f"{name}.qkv", width, 3 * width, (2 * width) ** -0.5), **_linear(f"{name}.out", width, width)}


def _block(name: str, width: int, up: int, relative: int = 0) -> Kinds:
    told = _attention(name, width)
    if relative:
        told = {**_linear(f"{name}.qkv", width, 3 * width, (2 * width) ** -0.5), f"{name}.near": ((relative, 0), 1.0)}
    return {
        **told,
        **_norm(f"{name}.norm1", width),
        **_linear(f"{name}.up", width, up),
        **_linear(f"{name}.down", up, width),
        **_norm(f"{name}.norm2", width),
    }


def _embedding(name: str, into: int, width: int) -> Kinds:
    # DEPARTS: embeddings begin with deviation 1, as large as positions are; 1/√(3·into) left them out of sight
    return _linear(f"{name}.embed", into, width, 1.0)


def _streams(shape: Shape) -> Kinds:
    """A block for each modality."""
    d = shape.width
    rule = _block("rule", d, d, shape.nodes + 1 if shape.positions == "relative" else 0)
    if "rule.near" in rule:
        rule["rule.near"] = ((shape.nodes + 1, d // shape.heads), 1.0)
    return {**_embedding("rule", shape.rule, d), **rule, **_embedding("stim", shape.stim, d), **_block("stim", d, d)}


def _recurrent(shape: Shape) -> Kinds:
    h = shape.width
    wide, each = h * (3 if shape.kind == "gru" else 1), (3 * h) ** -0.5
    into = (shape.cells + 1) * shape.stim
    return {
        # DEPARTS: input weights begin as wide as for the few inputs of a one-hot token, not for their whole number
        "in.rule": ((shape.rule, wide), each), "in.stim": ((into, wide), each), "in.bias": ((wide,), 0.0),
        "back.weight": ((h, wide), each), "back.bias": ((wide,), 0.0),
        **_norm("norm", h), **_linear("read", h, shape.classes),
    }  # fmt: skip


def _single(shape: Shape) -> Kinds:
    d = shape.width
    told = _embedding("both", shape.rule + shape.stim, d)
    for i in range(shape.layers):
        told |= _block(f"layers.{i}", d, 4 * d)
    return {**told, **_linear("read", d, shape.classes)}


def _dual(shape: Shape) -> Kinds:
    d = shape.width
    return {
        **_streams(shape), **_linear("rule.last", d, d), **_linear("stim.last", d, d), **_norm("joined", d),
        **_linear("mlp.0", d, 2 * d), **_linear("mlp.1", 2 * d, 2 * d), **_linear("mlp.2", 2 * d, d),
        **_norm("norm", d), **_linear("read", d, shape.classes),
    }  # fmt: skip


def _cross(shape: Shape) -> Kinds:
    d = shape.width
    return {
        **_streams(shape), **_attention("cross", d), **_norm("crossed", d), **_linear("mlp.0", d, d),
        **_linear("mlp.1", d, d), **_norm("norm", d), **_linear("read", d, shape.classes),
    }  # fmt: skip


def _perceiver(shape: Shape) -> Kinds:
    d = shape.width
    told = {"latents": ((LATENTS, d), 1.0)} if shape.latents == "learned" else {}
    for name in ("ask_rule", "ask_stim"):
        told |= {**_attention(name, d), **_norm(f"{name}.norm", d), **_linear(f"{name}.up", d, d)}
    return {
        **_streams(shape), **told, **_attention("within", d), **_norm("latent", d), **_linear("latent.up", d, d),
        **_linear("read", d, shape.classes),
    }  # fmt: skip
