"""A small decoder-only transformer, stacked over seeds: S models that train and answer in one program.

    models = stack(vocab=32, width=64, layers=2, heads=4, context=48, seeds=(0, 1, 2, 3, 4))
    models(tokens)                       # tokens int[seed batch length] -> hidden float[seed batch length width]
    models.logits(hidden)                # float[seed batch length vocab]

Pre-norm blocks as in GPT-2 (LayerNorm with bias, tanh GELU, head tied to the embedding). Every weight has the seed as
its first axis, so a layer is one batched product. Positions are learned, rotary, or absent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.core.lab import Lab

Positions = Literal["learned", "rotary", "none"]
Patch = Mapping[str, Callable[[Tensor], Tensor]]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder: tokens, features, blocks, attention heads, and the longest sequence."""

    vocab: int
    width: int
    layers: int
    heads: int
    context: int
    positions: Positions = "learned"

    def __post_init__(self) -> None:
        for name in ("vocab", "width", "layers", "heads", "context"):
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
    deep = spread / (2 * shape.layers) ** 0.5  # residual outputs start smaller, as in GPT-2
    found: dict[str, tuple[tuple[int, ...], float]] = {"embed": ((shape.vocab, d), spread)}
    if shape.positions == "learned":
        found["place"] = ((shape.context, d), spread)
    for i in range(shape.layers):
        block = {
            "norm1.gain": ((d,), -1.0), "norm1.bias": ((d,), 0.0), "qkv.weight": ((d, 3 * d), spread), "qkv.bias": ((3 * d,), 0.0),
            "out.weight": ((d, d), deep), "out.bias": ((d,), 0.0), "norm2.gain": ((d,), -1.0), "norm2.bias": ((d,), 0.0),
            "up.weight": ((d, 4 * d), spread), "up.bias": ((4 * d,), 0.0), "down.weight": ((4 * d, d), deep), "down.bias": ((d,), 0.0),
        }  # fmt: skip
        found.update({f"layers.{i}.{name}": value for name, value in block.items()})
    found.update({"norm.gain": ((d,), -1.0), "norm.bias": ((d,), 0.0)})
    return found


class Decoder(nn.Module):
    """S decoders of one shape. Weights are views into one buffer [seed weight], matrices first, vectors after."""

    def __init__(self, shape: Shape, seeds: Sequence[int], streams: Sequence[int], device: str = "cpu") -> None:
        super().__init__()
        self.shape, self.seeds = shape, tuple(seeds)
        kinds = weights_of(shape)
        order = sorted(kinds, key=lambda name: len(kinds[name][0]) < 2)  # matrices (which decay) before vectors
        sizes = [int(torch.Size(kinds[name][0]).numel()) for name in order]
        self.decayed = sum(n for n, name in zip(sizes, order, strict=True) if len(kinds[name][0]) > 1)
        self.flat = torch.empty(len(self.seeds), sum(sizes), device=device)
        self.names = order
        self._lay(kinds, sizes)
        for row, stream in enumerate(streams):
            self._begin(row, stream, kinds)

    def _lay(self, kinds: Mapping[str, tuple[tuple[int, ...], float]], sizes: Sequence[int]) -> None:
        """Make every weight a view of the buffer."""
        at = 0
        self.weights = nn.ParameterDict()
        for name, size in zip(self.names, sizes, strict=True):
            view = self.flat[:, at : at + size].view(len(self.seeds), *kinds[name][0])
            self.weights[name.replace(".", "_")] = nn.Parameter(view)
            at += size

    def _begin(self, row: int, stream: int, kinds: Mapping[str, tuple[tuple[int, ...], float]]) -> None:
        source = torch.Generator().manual_seed(stream)
        with torch.no_grad():
            for name in self.names:
                shape, spread = kinds[name]
                value = torch.randn(shape, generator=source) * spread if spread > 0 else torch.full(shape, -spread)
                self.w(name)[row].copy_(value)

    def w(self, name: str) -> Tensor:
        """A weight by its name, such as `layers.0.qkv.weight`: [seed, …]."""
        return self.weights[name.replace(".", "_")]

    def forward(
        self,
        tokens: Tensor,
        offset: Tensor | None = None,
        *,
        record: dict[str, Tensor] | None = None,
        patch: Patch | None = None,
        cache: list[tuple[Tensor, Tensor]] | None = None,
    ) -> Tensor:
        """The final hidden states [seed batch length width] of tokens int[seed batch length].

        `offset` int[seed batch] shifts learned positions. `record` is filled with, and `patch` replaces, the values at
        the sites `embed`, `layers.i.attention`, `layers.i.mlp`, `layers.i.residual`. A `cache` of keys and values is
        read and extended in place.
        """
        s, b, t = tokens.shape
        at = cache[0][0].shape[-2] if cache else 0
        x = _site("embed", self._embedded(tokens, offset, at), record, patch).reshape(s, b * t, -1)
        turn = _turns(self.shape, at, t, x.device) if self.shape.positions == "rotary" else None
        for i in range(self.shape.layers):
            seen = _site(f"layers.{i}.attention", self._attention(i, x, b, turn, cache), record, patch)
            x = x + seen
            x = x + _site(f"layers.{i}.mlp", self._mlp(i, x), record, patch)
            x = _site(f"layers.{i}.residual", x.view(s, b, t, -1), record, patch).view(s, b * t, -1)
        return self._norm(x, "norm").view(s, b, t, -1)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary [seed … vocab] of hidden states [seed … width]."""
        flat = hidden.reshape(hidden.shape[0], -1, hidden.shape[-1])
        return torch.bmm(flat, self.w("embed").transpose(1, 2)).view(*hidden.shape[:-1], -1)

    def _embedded(self, tokens: Tensor, offset: Tensor | None, at: int) -> Tensor:
        s, b, t = tokens.shape
        first = torch.arange(s, device=tokens.device)[:, None, None]
        x = F.embedding(tokens + first * self.shape.vocab, self.w("embed").reshape(-1, self.shape.width))
        if self.shape.positions != "learned":
            return x
        place = torch.arange(at, at + t, device=tokens.device).expand(s, b, t)
        if offset is not None:
            place = place + offset[..., None]
        return x + F.embedding(place + first * self.shape.context, self.w("place").reshape(-1, self.shape.width))

    def _norm(self, x: Tensor, name: str) -> Tensor:
        normal = F.layer_norm(x, (self.shape.width,), eps=1e-5)
        return torch.addcmul(self.w(f"{name}.bias")[:, None], normal, self.w(f"{name}.gain")[:, None])

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return torch.baddbmm(self.w(f"{name}.bias")[:, None], x, self.w(f"{name}.weight"))

    def _attention(
        self, i: int, x: Tensor, b: int, turn: tuple[Tensor, Tensor] | None, cache: list[tuple[Tensor, Tensor]] | None
    ) -> Tensor:
        s, bt, d = x.shape
        heads = self.shape.heads
        qkv = self._linear(self._norm(x, f"layers.{i}.norm1"), f"layers.{i}.qkv")
        q, k, v = qkv.view(s * b, bt // b, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        if turn is not None:
            q, k = _turned(q, turn), _turned(k, turn)
        if cache is not None:
            if len(cache) > i:
                k, v = torch.cat([cache[i][0], k], 2), torch.cat([cache[i][1], v], 2)
                cache[i] = (k, v)
            else:
                cache.append((k, v))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=q.shape[2] > 1, attn_mask=None)
        return self._linear(seen.transpose(1, 2).reshape(s, bt, d), f"layers.{i}.out")

    def _mlp(self, i: int, x: Tensor) -> Tensor:
        up = self._linear(self._norm(x, f"layers.{i}.norm2"), f"layers.{i}.up")
        return self._linear(F.gelu(up, approximate="tanh"), f"layers.{i}.down")


def stack(
    vocab: int,
    *,
    width: int,
    layers: int = 2,
    heads: int = 4,
    context: int = 64,
    positions: Positions = "learned",
    seeds: Sequence[int] = (0,),
    lab: Lab | None = None,
) -> Decoder:
    """Decoders of one shape, one for each seed; a seed's weights are the same alone and in any block."""
    source = lab or Lab.alone(seeds=tuple(seeds))
    shape = Shape(vocab, width, layers, heads, context, positions)
    return Decoder(shape, seeds, [source.stream("init", seed=s) for s in seeds], source.device)


def small(
    vocab: int,
    *,
    width: int = 64,
    layers: int = 2,
    seed: int = 0,
    heads: int = 4,
    context: int = 64,
    positions: Positions = "learned",
) -> Decoder:
    """One small decoder: a stack of one."""
    return stack(vocab, width=width, layers=layers, heads=heads, context=context, positions=positions, seeds=(seed,))


def member(models: Decoder, i: int) -> Decoder:
    """The i-th decoder of a stack, as a stack of one with weights of its own."""
    one = Decoder(models.shape, (models.seeds[i],), (0,), str(models.flat.device))
    with torch.no_grad():
        one.flat.copy_(models.flat[i : i + 1])
    return one


def members(models: Decoder) -> Iterator[Decoder]:
    """Each decoder of a stack by itself."""
    for i in range(len(models.seeds)):
        yield member(models, i)


@torch.inference_mode()
def greedy(models: Decoder, tokens: Tensor, *, steps: int, end: int | None = None) -> Tensor:
    """The tokens [seed batch steps] that each decoder continues with, most likely first; zeros after `end`.

    All prompts [seed batch length] are equally long.
    """
    cache: list[tuple[Tensor, Tensor]] = []
    given, said = tokens, []
    over = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
    for _ in range(min(steps, models.shape.context - tokens.shape[2] + 1)):
        hidden = models(given, cache=cache)
        chosen = models.logits(hidden[:, :, -1:]).argmax(-1).masked_fill(over[..., None], 0)
        said.append(chosen)
        if end is not None and bool((over := over | (chosen[..., 0] == end)).all()):
            break
        given = chosen
    return torch.cat(said, 2)


def save(models: Decoder, folder: Path) -> None:
    """Write a stack as `weights.safetensors` and `decoder.json`, from which `load` and `export` read it."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: models.w(name).detach().contiguous() for name in models.names}, str(folder / "weights.safetensors")
    )
    (folder / "decoder.json").write_text(
        json.dumps({"shape": asdict(models.shape), "seeds": models.seeds}), encoding="utf-8"
    )


def load(folder: Path) -> Decoder:
    """The stack that `save` wrote."""
    from safetensors.torch import load_file

    told = json.loads((folder / "decoder.json").read_text(encoding="utf-8"))
    models = Decoder(Shape(**told["shape"]), told["seeds"], [0] * len(told["seeds"]))
    with torch.no_grad():
        for name, value in load_file(str(folder / "weights.safetensors")).items():
            models.w(name).copy_(value)
    return models


def export(folder: Path, out: Path) -> list[Path]:
    """Every member of a saved stack as a folder that transformers opens with equal logits: `out/seed-<n>`."""
    from .exporting import save_pretrained

    models = load(folder)
    written = [out / f"seed-{seed}" for seed in models.seeds]
    for one, path in zip(members(models), written, strict=True):
        save_pretrained(one, path)
    return written


def _site(name: str, value: Tensor, record: dict[str, Tensor] | None, patch: Patch | None) -> Tensor:
    """Where values can be read and replaced."""
    if patch is not None and name in patch:
        value = patch[name](value)
    if record is not None:
        record[name] = value
    return value


def _turns(shape: Shape, at: int, t: int, device: Any) -> tuple[Tensor, Tensor]:
    """Cosines and sines [length, features of a head] of rotary positions (base 10,000, halves paired as in GPT-NeoX)."""
    half = shape.width // shape.heads // 2
    speed = 1.0 / 10_000 ** (torch.arange(half, device=device) / half)
    angle = torch.arange(at, at + t, device=device)[:, None] * speed
    angle = torch.cat([angle, angle], 1)
    return angle.cos(), angle.sin()


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    half = x.shape[-1] // 2
    return x * turn[0] + torch.cat([-x[..., half:], x[..., :half]], -1) * turn[1]
