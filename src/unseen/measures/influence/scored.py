"""How much does each document help each query? Scores from factors, streamed over documents; scores as files.

scores(factors, queries, documents)    ->  float32[query document]
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unseen.core.disk import whole
from unseen.core.errors import Invalid

from .factors import PLAIN, Factors, Once, Recipe, fit, forward, gradients, widened
from .layers import Passing, sizes, watched
from .losses import Loss

SMALL = 512  # features: of a narrower layer the low-rank form is found exactly
Queries = Mapping[str, "Tensor | tuple[Tensor, Tensor]"]


def influence(
    model: nn.Module,
    loss: Loss,
    measurement: Loss,
    train: Iterable[Any],
    query: Iterable[Any],
    *,
    layers: str | Sequence[str] | None = None,
    damping: float | None = None,
    recipe: Recipe = PLAIN,
    rank: int | None = None,
) -> NDArray[np.float32]:
    """How much each row of the training data helps each query [query row]: factors are fitted on it, then all is scored.

    `loss(model, batch)` is what was trained on, `measurement(model, batch)` what a helpful row lowers for a query. Raises what
    `fit` and `scores` raise.
    """
    factors = fit(model, loss, train, layers=layers, damping=damping, recipe=recipe)
    return scores(factors, query, train, measurement=measurement, rank=rank)


def scores(
    factors: Factors,
    queries: Iterable[Any],
    documents: Iterable[Any],
    *,
    measurement: Loss | None = None,
    rank: int | None = None,
) -> NDArray[np.float32]:
    """How much each document helps each query, float32[query document]; rows count on through batches.

    A query's loss is `measurement` (the loss that factors were fitted with, where None). The gradients of all queries stay in
    memory, with a `rank` as that many pairs of vectors for each layer; documents are streamed. Raises Invalid for no queries or
    documents, a rank below 1 and what the loss raises.
    """
    if rank is not None and rank < 1:
        raise Invalid(f"rank={rank}: it is a whole number from 1, or None for whole gradients.")
    held = _queries(factors, queries, measurement or factors.loss, rank)
    parts = list(_streamed(factors, held, documents))
    if not parts:
        raise Invalid("there are no documents to score.")
    return torch.cat(parts, 1).numpy()


def _queries(factors: Factors, queries: Iterable[Any], measurement: Loss, rank: int | None) -> Queries:
    """The preconditioned gradients of all queries by layer: [query outputs inputs], or two of [query rank feature]."""
    found: dict[str, list[Any]] = {name: [] for name in factors.layers}
    for grads in _row_gradients(factors, queries, measurement):
        for name in factors.layers:
            whole = preconditioned(factors, name, grads.pop(name))  # what is not needed again is not kept
            found[name].append(whole.to(_dtype(factors)) if rank is None else low_rank(whole, rank, _dtype(factors)))
    if not any(found.values()):
        raise Invalid("there are no queries to score documents for.")
    if rank is None:
        return {name: torch.cat(found.pop(name)) for name in factors.layers}
    halves = {name: tuple(zip(*found.pop(name), strict=True)) for name in factors.layers}
    return {name: (torch.cat(left), torch.cat(right)) for name, (left, right) in halves.items()}


def _row_gradients(factors: Factors, batched: Iterable[Any], loss: Loss) -> Iterable[dict[str, Tensor]]:
    """The gradient of each row of a batch by layer, float32[row outputs inputs]; zeros where none reaches a layer."""
    layers = _layers(factors)
    told: dict[str, Any] = {}
    found: dict[str, Tensor] = {}

    def take(passing: Passing) -> None:
        read, grads = passing.rows(told["rows"])
        wide = widened(read.float(), sizes(layers[passing.name])[1])
        gradient = torch.bmm(grads.float().transpose(1, 2), wide)
        found[passing.name] = found[passing.name] + gradient if passing.name in found else gradient

    with watched(factors.model, layers, take) as state:
        for batch in batched:
            state.held.clear()
            found = {}
            losses, _, told["rows"] = forward(loss, factors.model, batch, None, factors.dtype)
            losses.sum().backward()
            n = told["rows"] or next(iter(found.values())).shape[0]
            some = next(iter(found.values()), losses)
            empty = some.new_zeros(0)
            del some
            yield {
                name: found.pop(name) if name in found else empty.new_zeros(n, *sizes(one))
                for name, one in layers.items()
            }


def preconditioned(factors: Factors, name: str, gradient: Tensor) -> Tensor:
    """(G + λ)⁻¹ of gradients [row outputs inputs] of a layer; themselves where its curvature is the identity."""
    factor = factors.layers[name]
    if factor is None:
        return gradient
    outputs, inputs = factor.outputs.to(gradient.device), factor.inputs.to(gradient.device)
    weight = (factor.spread.double() + factors.damped(name)).reciprocal().float().to(gradient.device)
    return outputs @ ((outputs.T @ gradient @ inputs) * weight) @ inputs.T


def low_rank(whole: Tensor, rank: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The nearest sum of `rank` products of vectors: [row rank outputs] and [row rank inputs]."""
    most = min(rank, *whole.shape[1:])
    if min(whole.shape[1:]) <= SMALL:
        u, s, v = torch.linalg.svd(whole, full_matrices=False)
    else:
        with torch.random.fork_rng(devices=[whole.device] if whole.is_cuda else []):
            torch.manual_seed(0)
            u, s, v = torch.svd_lowrank(whole, most, niter=4)
        v = v.transpose(1, 2)
    left = u[:, :, :most] * s[:, None, :most]
    return left.transpose(1, 2).contiguous().to(dtype), v[:, :most].contiguous().to(dtype)


def _streamed(factors: Factors, held: Queries, documents: Iterable[Any]) -> Iterable[Tensor]:
    """The scores float32[query row] of each batch of documents."""
    layers, dtype = _layers(factors), _dtype(factors)
    told: dict[str, Any] = {}
    found: list[Tensor] = []
    once = Once()

    def take(passing: Passing) -> None:
        read, grads = passing.rows(told["rows"])
        into = sizes(layers[passing.name])[1]
        wide = once((passing.inputs, into), lambda: widened(read.to(dtype), into))
        found.append(products(held[passing.name], grads.to(dtype), wide))

    with watched(factors.model, layers, take) as state:
        for batch in documents:
            state.held.clear()
            found.clear()
            losses, _, told["rows"] = forward(factors.loss, factors.model, batch, None, factors.dtype)
            losses.sum().backward()
            yield sum(found, torch.zeros(())).cpu()


def products(query: Tensor | tuple[Tensor, Tensor], grads: Tensor, read: Tensor) -> Tensor:
    """Products of queries with rows' gradients float32[query row]."""
    if isinstance(query, tuple):
        left, right = query
        both = (grads @ left.flatten(0, 1).T) * (read @ right.flatten(0, 1).T)  # [row place query·rank]
        return both.float().sum(1).view(len(read), len(left), -1).sum(2).T
    flat = query.flatten(1)
    return torch.cat([(flat @ gradient.flatten(1).T).float() for _, gradient in gradients(grads, read)], 1)


def write(path: Path, told: NDArray[np.floating], queries: Sequence[str | int], documents: Sequence[str | int]) -> Path:
    """Write scores [query document] as parquet with the columns query, document, score and rank (1: most helpful to that query),
    best first. Raises Invalid where names and scores do not fit."""
    import polars as pl

    if told.shape != (len(queries), len(documents)):
        raise Invalid(f"scores {told.shape} do not fit {len(queries)} queries and {len(documents)} documents.")
    order = np.argsort(-told, axis=1, kind="stable")
    n = len(documents)
    frame = pl.DataFrame(
        {
            "query": pl.Series([*queries]).gather(np.repeat(np.arange(len(queries)), n)),
            "document": pl.Series([*documents]).gather(order.ravel()),
            "score": np.take_along_axis(told, order, 1).ravel().astype(np.float32),
            "rank": np.tile(np.arange(1, n + 1, dtype=np.int32), len(queries)),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    held = io.BytesIO()
    frame.write_parquet(held)
    whole(path, held.getvalue())
    return path


def read(path: Path) -> tuple[NDArray[np.float32], list[Any], list[Any]]:
    """(scores float32[query document], queries, documents) that `write` wrote, documents in the first query's order."""
    import polars as pl

    frame = pl.read_parquet(path)
    queries = frame["query"].unique(maintain_order=True).to_list()
    documents = frame.filter(pl.col("query") == queries[0])["document"].to_list()
    place = {one: i for i, one in enumerate(documents)}
    found = np.empty((len(queries), len(documents)), np.float32)
    row = np.repeat(np.arange(len(queries)), len(documents))
    found[row, [place[one] for one in frame["document"].to_list()]] = frame["score"].to_numpy()
    return found, queries, documents


def _layers(factors: Factors) -> dict[str, nn.Module]:
    return {name: factors.model.get_submodule(name) for name in factors.layers}


def _dtype(factors: Factors) -> torch.dtype:
    return torch.bfloat16 if factors.dtype == "bfloat16" else torch.float32
