"""Which layers of a model carry influence, and what passes through them? Inputs and gradients of linear layers, row by row.

chosen(model, "*.mlp.*")  ->  {"model.layers.0.mlp.up_proj": Linear(…), …}
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from unseen.core.errors import Invalid, Unknown

SHOWN = 12  # names of layers in a message


class Told(UserWarning):
    """Something about layers that changes what scores mean."""


def chosen(model: nn.Module, patterns: str | Sequence[str] | None = None) -> dict[str, nn.Module]:
    """The linear layers (nn.Linear, and Conv1D of transformers) whose names match any pattern, by name.

    None stands for all but the output layer of a language model, whose gradients are as wide as the vocabulary. A layer
    whose weight another module uses too is left out, which a warning says. Raises Invalid for a model without linear layers
    or with none left, Unknown, naming those there are, for a pattern that matches nothing.
    """
    known = {name: one for name, one in model.named_modules() if _linear(one)}
    if not known:
        raise Invalid(f"{type(model).__name__} has no linear layers (nn.Linear, Conv1D), so there is nothing to trace.")
    head = getattr(model, "get_output_embeddings", lambda: None)()
    if patterns is None:
        found = {name: one for name, one in known.items() if one is not head}
    else:
        asked = [patterns] if isinstance(patterns, str) else list(patterns)
        if strange := [p for p in asked if not any(fnmatchcase(name, p) for name in known)]:
            raise Unknown(f"layers={strange[0]!r} matches no linear layer; there are {_listed(known)}.")
        found = {name: one for name, one in known.items() if any(fnmatchcase(name, p) for p in asked)}
    tied = {name: by for name, one in found.items() if (by := _users(model, one))}
    for name, by in tied.items():
        warnings.warn(f"{name} is left out: its weight is also that of {', '.join(by)}.", Told, stacklevel=3)
    left = {name: one for name, one in found.items() if name not in tied}
    if not left:
        raise Invalid(f"no layer is left of {_listed(found)}: each shares its weight with another module.")
    return left


def sizes(layer: nn.Module) -> tuple[int, int]:
    """(outputs, inputs) of a linear layer, a bias counted as one input more."""
    weight: Tensor = layer.weight  # type: ignore[assignment]
    out, into = weight.shape if isinstance(layer, nn.Linear) else reversed(weight.shape)
    return int(out), int(into) + (getattr(layer, "bias", None) is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """What one call of a layer saw in one pass: inputs [row place in], the gradient of its outputs [row place out].

    `last` says whether this is the pass's last call of that layer: one that runs several times is called as often.
    """

    name: str
    inputs: Tensor
    grads: Tensor
    last: bool

    def rows(self, rows: int | None) -> tuple[Tensor, Tensor]:
        """Inputs and gradients as [row place feature]. Raises Invalid where the layer does not keep rows apart."""
        n = self.inputs.shape[0]
        if rows is not None and n != rows:
            raise Invalid(
                f"{self.name} reads {n} rows where the batch has {rows}: it mixes documents, so their gradients cannot be told apart; leave it out by layers=."
            )
        read, grads = self.inputs.detach(), self.grads
        return read.reshape(n, -1, read.shape[-1]), grads.reshape(n, -1, grads.shape[-1])


@dataclass
class Watched:
    """What the layers saw in a pass whose gradients have not all come back: inputs by layer, in the order of its calls."""

    held: dict[str, list[Tensor]] = field(default_factory=dict[str, list[Tensor]])
    often: set[str] = field(default_factory=set[str])  # layers that run several times in one pass


@contextmanager
def watched(model: nn.Module, layers: Mapping[str, nn.Module], take: Callable[[Passing], None]) -> Iterator[Watched]:
    """Call `take` for each call of each layer as gradients come back through it.

    Meanwhile the model is in evaluation mode and no weight has a gradient, so that nothing is computed below the first of
    these layers; afterwards all is as it was.
    """
    state = Watched()
    training = {one: one.training for one in model.modules()}
    needed = {p: p.requires_grad for p in model.parameters()}
    handles = [one.register_forward_hook(_hook(name, state, take)) for name, one in layers.items()]
    try:
        model.eval()
        for weight in needed:
            weight.requires_grad_(False)
        yield state
    finally:
        for handle in handles:
            handle.remove()
        for weight, need in needed.items():
            weight.requires_grad_(need)
        for one, was in training.items():
            one.training = was


def _hook(name: str, state: Watched, take: Callable[[Passing], None]) -> Callable[[Any, Any, Tensor], Tensor]:
    def forward(_: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if not torch.is_grad_enabled():
            return output
        if not output.requires_grad:  # the first layers: here gradients end
            output = output + torch.zeros((), dtype=output.dtype, device=output.device, requires_grad=True)
        calls = state.held.setdefault(name, [])
        calls.append(inputs[0])
        if len(calls) > 1 and name not in state.often:
            state.often.add(name)
            warnings.warn(
                f"{name} runs several times in one pass; the gradients of its runs are added.", Told, stacklevel=2
            )

        def backward(grad: Tensor) -> None:
            read = state.held[name].pop()
            take(Passing(name, read, grad.detach(), not state.held[name]))

        output.register_hook(backward)
        return output

    return forward


def _linear(one: nn.Module) -> bool:
    return isinstance(one, nn.Linear) or (type(one).__name__ == "Conv1D" and hasattr(one, "nf"))


def _users(model: nn.Module, layer: nn.Module) -> list[str]:
    """The other modules that hold a layer's weight."""
    return [
        name or type(model).__name__
        for name, one in model.named_modules()
        if one is not layer and any(p is layer.weight for p in one.parameters(recurse=False))
    ]


def _listed(names: Mapping[str, object]) -> str:
    told = list(names)
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return ", ".join(told[:SHOWN]) + more
