"""Which sizes has a small decoder, and which weights follow from them?

weights_of(Shape(vocab=32, width=64, layers=2, heads=4, context=48))["layers.0.up.weight"]  ->  ((64, 256), 0.02)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unseen.core.errors import Invalid

Positions = Literal["learned", "rotary", "none"]
Temper = Literal["none", "log", "table"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder: tokens, features, blocks, attention heads, and the longest sequence.

    The blocks run `loops` times over with the same weights. `temper` multiplies the scores of attention, before the
    softmax, by a number for each block that is learned, begins at 1, and is a function of the prompt's length n: 1 + a
    + b·log n ("log"), or 1 + t(n) with one t for each n ("table").
    """

    vocab: int
    width: int
    layers: int
    heads: int
    context: int
    positions: Positions = "learned"
    loops: int = 1
    temper: Temper = "none"

    @property
    def depth(self) -> int:
        """How many blocks a token passes through."""
        return self.layers * self.loops

    def __post_init__(self) -> None:
        for name in ("vocab", "width", "layers", "heads", "context", "loops"):
            if getattr(self, name) < 1:
                raise Invalid(f"decoder {name}={getattr(self, name)}: it is a whole number from 1.")
        if self.width % self.heads:
            raise Invalid(f"decoder width={self.width} cannot be shared by heads={self.heads}; take a multiple.")
        if self.positions == "rotary" and (self.width // self.heads) % 2:
            raise Invalid(
                f"rotary positions turn pairs of features, but a head has {self.width // self.heads}; take an even number."
            )


def weights_of(shape: Shape) -> dict[str, tuple[tuple[int, ...], float]]:
    """Every weight's own shape (without the seed) and its initial standard deviation (−1: ones, 0: zeros)."""
    d, spread = shape.width, 0.02
    deep = spread / (2 * shape.depth) ** 0.5  # residual outputs start smaller, as in GPT-2
    found: dict[str, tuple[tuple[int, ...], float]] = {"embed": ((shape.vocab, d), spread)}
    if shape.positions == "learned":
        found["place"] = ((shape.context, d), spread)
    for i in range(shape.layers):
        block = {
            "norm1.gain": ((d,), -1.0), "norm1.bias": ((d,), 0.0), "qkv.weight": ((d, 3 * d), spread), "qkv.bias": ((3 * d,), 0.0),
            "out.weight": ((d, d), deep), "out.bias": ((d,), 0.0), "norm2.gain": ((d,), -1.0), "norm2.bias": ((d,), 0.0),
            "up.weight": ((d, 4 * d), spread), "up.bias": ((4 * d,), 0.0), "down.weight": ((4 * d, d), deep), "down.bias": ((d,), 0.0),
        }  # fmt: skip
        if shape.temper != "none":
            block["temper"] = ((2 if shape.temper == "log" else shape.context + 1,), 0.0)
        found.update({f"layers.{i}.{name}": value for name, value in block.items()})
    found.update({"norm.gain": ((d,), -1.0), "norm.bias": ((d,), 0.0)})
    return found
