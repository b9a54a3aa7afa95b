"""A small decoder-only transformer, stacked over seeds: S models that train and answer in one program.

    models = stack(vocab=32, width=64, layers=2, heads=4, context=48, seeds=(0, 1, 2, 3, 4))
    models(tokens)                       # tokens int[seed batch length] -> hidden float[seed batch length width]
    models.logits(hidden)                # float[seed batch length vocab]

Pre-norm blocks as in GPT-2 (LayerNorm with bias, tanh GELU, head tied to the embedding). Every weight has the seed as
its first axis, so a layer is one batched product. Positions are learned, rotary, or absent; the blocks may run more than
once, and attention may sharpen with the length of the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.core.lab import Lab

from . import buffer, stacks
from .attention import attended, kept, shares, turned, turns
from .shape import Positions, Shape, Temper, weights_of

Patch = Mapping[str, Callable[[Tensor], Tensor]]
FOLDED_FROM = 4  # rows for each feature; with more of them, weights are cheaper to scale than what they multiply


@dataclass(frozen=True, slots=True)
class _Reading:
    """What all blocks of one forward pass read by; fields as in `Decoder.forward`, and the rotary turns."""

    turn: tuple[Tensor, Tensor] | None
    asked: Tensor | None
    cache: list[tuple[Tensor, Tensor]] | None
    record: dict[str, Tensor] | None


class Decoder(nn.Module):
    """S decoders of one shape. Weights are views into one buffer [seed weight], matrices first, vectors after."""

    def __init__(
        self,
        shape: Shape,
        seeds: Sequence[int],
        device: str = "cpu",
        flat: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.shape, self.seeds = shape, tuple(seeds)
        self.laid = buffer.laid(weights_of(shape), len(self.seeds), device=device, flat=flat)
        self.flat, self.names, self.decayed, self.weights = (
            self.laid.flat, self.laid.names, self.laid.decayed, self.laid.weights,
        )  # fmt: skip

    def w(self, name: str) -> Tensor:
        """A weight by its name, such as `layers.0.qkv.weight`: [seed, …]."""
        return self.weights[name.replace(".", "_")]

    def forward(
        self,
        tokens: Tensor,
        offset: Tensor | None = None,
        *,
        asked: Tensor | None = None,
        keep: Tensor | None = None,
        record: dict[str, Tensor] | None = None,
        patch: Patch | None = None,
        cache: list[tuple[Tensor, Tensor]] | None = None,
    ) -> Tensor:
        """The final hidden states [seed batch length width] of tokens int[seed batch length].

        `offset` int[seed batch] shifts learned positions; `asked` int[seed batch] are the lengths of the prompts, which a
        tempered decoder needs. `keep` int[seed n] are places counted through batch and length:
        then the hidden states are those of these places alone [seed n width], and the last block, once its heads have
        read, is computed for no others. `record` is filled with, and `patch` replaces, the values at the sites `embed`,
        `layers.i.attention`, `layers.i.mlp`, `layers.i.residual`, in the form of the hidden states, with i counting on
        through loops; `record` gets what each head reads from where too, `layers.i.weights` [seed batch head query key].
        A `cache` of keys and values is read and extended in place.
        """
        s, b, t = tokens.shape
        at = cache[0][0].shape[-2] if cache else 0
        form: tuple[int, ...] = (s, b, t, self.shape.width)
        x = _site("embed", self._embedded(tokens, offset, at).view(s, b * t, -1), form, record, patch)
        turn = (
            turns(self.shape.width // self.shape.heads, at, t, x.device) if self.shape.positions == "rotary" else None
        )
        reading = _Reading(turn, asked, cache, record)
        for i in range(self.shape.depth):
            seen = self._seen(i, x, b, reading)
            if keep is not None and i == self.shape.depth - 1:
                x, seen, form = kept(x, keep), kept(seen, keep), (*keep.shape, self.shape.width)
            out = self._linear(seen, f"layers.{i % self.shape.layers}.out")
            x = x + _site(f"layers.{i}.attention", out, form, record, patch)
            x = x + _site(f"layers.{i}.mlp", self._mlp(i, x), form, record, patch)
            x = _site(f"layers.{i}.residual", x, form, record, patch)
        return self._norm(x, "norm").view(form)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary [seed … vocab] of hidden states [seed … width]."""
        flat = hidden.reshape(hidden.shape[0], -1, hidden.shape[-1])
        return torch.bmm(flat, self.w("embed").transpose(1, 2)).view(*hidden.shape[:-1], -1)

    def read(self, states: Tensor) -> Tensor:
        """Scores over the vocabulary [seed … vocab] of states of the residual stream [seed … width], at any depth."""
        flat = states.reshape(states.shape[0], -1, states.shape[-1])
        return self.logits(self._norm(flat, "norm")).view(*states.shape[:-1], -1)

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

    def _linear_of_normal(self, x: Tensor, norm: str, name: str) -> Tensor:
        """A linear layer of a layer norm; with many rows the norm's gain and bias are put into the weights."""
        if x.shape[1] < FOLDED_FROM * x.shape[2]:
            return self._linear(self._norm(x, norm), name)
        weight = self.w(f"{name}.weight")
        bias = torch.baddbmm(self.w(f"{name}.bias")[:, None], self.w(f"{norm}.bias")[:, None], weight)
        normal = F.layer_norm(x, (self.shape.width,), eps=1e-5)
        return torch.baddbmm(bias, normal, self.w(f"{norm}.gain")[:, :, None] * weight)

    def _temper(self, i: int, asked: Tensor | None) -> Tensor | None:
        """What the scores of a block are multiplied by [seed·batch 1 1 1], for prompts of these lengths [seed batch]."""
        if self.shape.temper == "none":
            return None
        if asked is None:
            raise Invalid("a tempered decoder reads the lengths of the prompts; give asked=[seed batch].")
        told = self.w(f"layers.{i % self.shape.layers}.temper")
        if self.shape.temper == "log":
            return (1 + told[:, :1] + told[:, 1:] * asked.to(told.dtype).log()).reshape(-1, 1, 1, 1)
        return (1 + torch.gather(told, 1, asked)).reshape(-1, 1, 1, 1)

    def _seen(self, i: int, x: Tensor, b: int, reading: _Reading) -> Tensor:
        """What the heads of a block read, side by side [seed batch·length width]."""
        s, bt, d = x.shape
        turn, cache, record = reading.turn, reading.cache, reading.record
        heads, layer = self.shape.heads, f"layers.{i % self.shape.layers}"
        qkv = self._linear_of_normal(x, f"{layer}.norm1", f"{layer}.qkv")
        q, k, v = qkv.view(s * b, bt // b, 3, heads, d // heads).permute(2, 0, 3, 1, 4).unbind()  # one gradient, not 3
        if turn is not None:
            q, k = turned(q, turn), turned(k, turn)
        if (temper := self._temper(i, reading.asked)) is not None:
            q = q * temper.to(q.dtype)
        if cache is not None:
            if len(cache) > i:
                k, v = torch.cat([cache[i][0], k], 2), torch.cat([cache[i][1], v], 2)
                cache[i] = (k, v)
            else:
                cache.append((k, v))
        if record is not None:
            record[f"layers.{i}.weights"] = shares(q, k).view(s, b, heads, q.shape[2], k.shape[2])
        return attended(q, k, v).transpose(1, 2).reshape(s, bt, d)

    def _mlp(self, i: int, x: Tensor) -> Tensor:
        layer = f"layers.{i % self.shape.layers}"
        up = self._linear_of_normal(x, f"{layer}.norm2", f"{layer}.up")
        return self._linear(_gelu(up), f"{layer}.down")

    def part(self, first: int, last: int) -> Decoder:
        """The members first … last − 1 as a stack that shares their weights."""
        return Decoder(self.shape, self.seeds[first:last], flat=self.flat[first:last])


def stack(
    vocab: int,
    *,
    width: int,
    layers: int = 2,
    heads: int = 4,
    context: int = 64,
    positions: Positions = "learned",
    spread: float = 1.0,
    loops: int = 1,
    temper: Temper = "none",
    seeds: Sequence[int] = (0,),
    lab: Lab | None = None,
) -> Decoder:
    """Decoders of one shape, one for each seed; a seed's weights are the same alone and in any block.

    Matrices, embeddings among them, begin `spread` times as wide as GPT-2's (standard deviation 0.02), which suit
    features in the hundreds: at width 64 they leave the first thousand steps to growing, and 4 (0.08, near 2/3 of
    1/√width) does not.
    """
    source = lab or Lab.alone(seeds=tuple(seeds))
    shape = Shape(vocab, width, layers, heads, context, positions, loops, temper)
    models = Decoder(shape, seeds, source.device)
    begin(models, source, spread)
    return models


def begin(models: Decoder, source: Lab, spread: float) -> None:
    """Draw the initial weights of every member, in place."""
    for row, seed in enumerate(models.seeds):
        buffer.begin(models.laid, weights_of(models.shape), row, source.stream("init", seed=seed), spread)


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
    return Decoder(models.shape, (models.seeds[i],), flat=models.flat[i : i + 1].clone())


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
    asked = torch.full(tokens.shape[:2], tokens.shape[2], device=tokens.device)
    given, said = tokens, []
    over = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
    for _ in range(min(steps, models.shape.context - tokens.shape[2] + 1)):
        hidden = models(given, asked=asked, cache=cache)
        chosen = models.logits(hidden[:, :, -1:]).argmax(-1).masked_fill(over[..., None], 0)
        said.append(chosen)
        if end is not None and bool((over := over | (chosen[..., 0] == end)).all()):
            break
        given = chosen
    return torch.cat(said, 2)


def tempered(models: Decoder, trained: Sequence[int]) -> Decoder:
    """A copy of a stack with `temper="table"` whose multipliers of lengths not trained on follow 1 + a + b·log n, fitted by
    least squares to those trained on, for each member and block."""
    if models.shape.temper != "table" or len(set(trained)) < 2:
        raise Invalid(
            f"temper={models.shape.temper!r}, {len(set(trained))} trained lengths: a table of multipliers, and two lengths that it was trained on, are needed to go on from."
        )
    known = torch.tensor(sorted(set(trained)), device=models.flat.device)
    others = torch.tensor([n for n in range(1, models.shape.context + 1) if n not in set(trained)], device=known.device)
    copy = Decoder(models.shape, models.seeds, flat=models.flat.clone())
    rows = [torch.stack([torch.ones(len(n)), n.log()], 1) for n in (known.float(), others.float())]
    with torch.no_grad():
        for i in range(models.shape.layers):
            table = copy.w(f"layers.{i}.temper")
            table[:, others] = (rows[1] @ torch.linalg.lstsq(rows[0], table[:, known].T).solution).T
    return copy


def save(models: Decoder, folder: Path) -> None:
    """Write a stack as `weights.safetensors` and `decoder.json`, from which `load` and `export` read it."""
    stacks.save(models, folder, "decoder")


def load(folder: Path) -> Decoder:
    """The stack that `save` wrote. Raises Missing where there is none, Invalid where its weights have other names."""
    return stacks.load(folder, "decoder", "decoder", lambda shape, seeds: Decoder(Shape(**shape), seeds))


def export(folder: Path, out: Path) -> list[Path]:
    """Every member of a saved stack as a folder that transformers opens with equal logits: `out/seed-<n>`."""
    from .exporting import save_pretrained

    models = load(folder)
    return stacks.export(members(models), models.seeds, out, save_pretrained)


def _site(
    name: str, value: Tensor, form: tuple[int, ...], record: dict[str, Tensor] | None, patch: Patch | None
) -> Tensor:
    """Where a value [seed row width] can be read and replaced, in the form [seed batch length width]."""
    if patch is not None and name in patch:
        value = patch[name](value.view(form)).reshape(value.shape)
    if record is not None:
        record[name] = value.view(form)
    return value


def _gelu(x: Tensor) -> Tensor:
    """GELU in GPT-2's tanh form, which is x · sigmoid(2u): compiled code computes the sigmoid much faster."""
    if not torch.compiler.is_compiling():
        return F.gelu(x, approximate="tanh")
    wide = x.float()
    return (wide * torch.sigmoid(wide * (1.5957691216057308 + 0.07135481627260025 * wide * wide))).to(x.dtype)
