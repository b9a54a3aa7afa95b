"""Influence by brute force: dense matrices of a small model's weights, no eigenbases, no hooks.

gauss_newton(model, "up", rows)  ->  float64[weight weight], the mean over rows of Jᵀ H J over a layer's weights and bias
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev

Row = tuple[Tensor, Tensor]


class Mlp(nn.Module):
    """Two layers: 5 features, 12 in between, 4 out; 124 weights."""

    def __init__(self, between: nn.Module) -> None:
        super().__init__()
        self.up, self.between, self.down = nn.Linear(5, 12), between, nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.between(self.up(x)))


class Transformer(nn.Module):
    """Two blocks of width 8 over 6 tokens, one head, no norm: 1,344 weights in linear layers, 1,472 in all."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(6, 8), nn.Embedding(8, 8)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(8, 6, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) + self.place.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Block(nn.Module):
    """Causal attention of one head, and an MLP of 16 features."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8)
        self.up, self.down = nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        ahead = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        read = (q @ k.transpose(1, 2) / 8**0.5).masked_fill(ahead, -1e9).softmax(-1) @ v
        x = x + self.out(read)
        return x + self.down(torch.tanh(self.up(x)))


def of_layer(model: nn.Module, name: str) -> tuple[Tensor, Callable[[Tensor, Tensor], Tensor]]:
    """A layer's weights with its bias as the last column [out in], and f(weights, x) -> the model's outputs for one row."""
    layer = model.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    parts = [layer.weight.detach()] + ([] if layer.bias is None else [layer.bias.detach()[:, None]])

    held = {key: p.detach() for key, p in model.named_parameters() if key.rpartition(".")[0] != name}

    def outputs(weights: Tensor, x: Tensor) -> Tensor:
        told = {f"{name}.weight": weights[:, : layer.in_features]} | held
        if layer.bias is not None:
            told[f"{name}.bias"] = weights[:, -1]
        return functional_call(model, told, (x[None],))[0]

    return torch.cat(parts, 1).double(), outputs


def gauss_newton(model: nn.Module, name: str, rows: Sequence[Row]) -> Tensor:
    """The mean over rows of Σ Jᵀ H J over places [weight weight]; labels that are numbers have H = 1."""
    at, outputs = of_layer(model, name)
    total = torch.zeros(at.numel(), at.numel(), dtype=torch.float64)
    for x, y in rows:
        jacobian = jacrev(outputs)(at, x).flatten(-2)
        jacobian = jacobian if jacobian.dim() == 3 else jacobian[None]
        chances = outputs(at, x).softmax(-1).reshape(len(jacobian), -1)
        for j, p in zip(jacobian, chances, strict=True):
            h = torch.eye(len(p), dtype=p.dtype) if y.is_floating_point() else p.diag() - p[:, None] * p
            total += j.T @ h @ j
    return total / len(rows)


def gradients(model: nn.Module, name: str, rows: Sequence[Row]) -> Tensor:
    """The gradient of each row's summed loss [row weight]."""
    at, outputs = of_layer(model, name)

    def lost(weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
        told = outputs(weights, x)
        if y.is_floating_point():
            return 0.5 * (told - y).square().sum()
        return F.cross_entropy(told.reshape(-1, told.shape[-1]), y.reshape(-1), reduction="sum")

    return torch.stack([grad(lost)(at, x, y).flatten() for x, y in rows])


def influences(
    model: nn.Module,
    damping: Mapping[str, float],
    queries: Sequence[Row],
    documents: Sequence[Row],
    rows: Sequence[Row],
) -> NDArray[np.float64]:
    """∇m (G + λ)⁻¹ ∇l summed over layers [query document], by solving with the dense G of each layer."""
    found = torch.zeros(len(queries), len(documents), dtype=torch.float64)
    for name, spare in damping.items():
        curvature = gauss_newton(model, name, rows)
        curvature += spare * torch.eye(len(curvature), dtype=torch.float64)
        found += gradients(model, name, queries) @ torch.linalg.solve(curvature, gradients(model, name, documents).T)
    return found.numpy()


def by_definition(
    model: nn.Module,
    damping: Mapping[str, float],
    queries: Sequence[Row],
    documents: Sequence[Row],
    rows: Sequence[Row],
) -> NDArray[np.float64]:
    """The same with the curvature that EK-FAC defines, built dense, of the labels given: the gradients' squares in the Kronecker
    product of two eigenbases, each from the layer's inputs and output gradients, taken place by place."""
    found = torch.zeros(len(queries), len(documents), dtype=torch.float64)
    for name, spare in damping.items():
        inputs, outputs = _products(model, name, rows)
        basis = torch.kron(torch.linalg.eigh(outputs).eigenvectors, torch.linalg.eigh(inputs).eigenvectors)
        spread = (gradients(model, name, rows) @ basis).square().mean(0)
        curvature = basis @ spread.diag() @ basis.T + spare * torch.eye(len(basis), dtype=torch.float64)
        found += gradients(model, name, queries) @ torch.linalg.solve(curvature, gradients(model, name, documents).T)
    return found.numpy()


def _products(model: nn.Module, name: str, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Σ a aᵀ and Σ s sᵀ of a layer."""
    layer = model.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _m, args, out: seen.extend([args[0], out]))
    sums = [torch.zeros(0), torch.zeros(0)]
    for x, y in rows:
        seen.clear()
        told = model(x[None])
        labels = y.reshape(-1) if not y.is_floating_point() else y
        lost = (
            0.5 * (told[0] - y).square().sum()
            if y.is_floating_point()
            else F.cross_entropy(told.reshape(-1, told.shape[-1]), labels, reduction="sum")
        )
        a = seen[0].reshape(-1, layer.in_features)
        if layer.bias is not None:
            a = torch.cat([a, torch.ones(len(a), 1, dtype=a.dtype)], 1)
        s = torch.autograd.grad(lost, seen[1])[0].reshape(-1, layer.out_features)
        for i, one in enumerate((a.detach(), s)):
            sums[i] = one.T @ one if sums[i].numel() == 0 else sums[i] + one.T @ one
    handle.remove()
    return sums[0], sums[1]
