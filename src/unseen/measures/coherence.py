"""How many other examples does one example's gradient help? Coherence of the gradients of a sample.

With gradients g_1 … g_m and their sum S: m-coherence = |S|² / Σ|g_i|², which is 1 where gradients are orthogonal, m
where they are equal, 0 where they cancel; alpha is that divided by m. Only S and Σ|g_i|² are kept, one of each for
every layer, so that a sample of 50,000 takes no more memory than one chunk of it.

    coherence(net, lambda out, y: F.cross_entropy(out, y, reduction="none"), (x, y)).m_coherence  ->  3.9

Source: Chatterjee and Zielinski, "On the Generalization Mystery in Deep Learning" (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves, tree_map

from unseen.core.errors import Failed, Invalid

Loss = Callable[[Any, Any], Tensor]  # (the model's output, targets) -> [batch]
Called = Callable[..., Any]  # the model, with weights of its own or with others
One = Callable[[Called, Any], Tensor]  # (the model, a batch of one) -> its loss, as one number
Gradients = dict[str, Tensor]  # a parameter's name -> its gradients [example …]

HELD = 1 << 25  # numbers of per-example gradients in memory at a time, where no chunk is named


@dataclass(frozen=True, slots=True)
class Coherence:
    """How aligned the gradients of m examples are, for a whole model or one layer. NaN where all are zero."""

    alpha: float  # |mean g|² / mean |g|², 0..1
    m_coherence: float  # m · alpha, 0..m; 1 for orthogonal gradients
    m: int
    by_layer: Mapping[str, Coherence] = field(default_factory=dict[str, "Coherence"])

    @property
    def unbiased(self) -> float:
        """The estimate of alpha over all examples the sample was drawn from: pairs of different ones over single ones
        (a U-statistic over its denominator); NaN for a sample of one. It may lie below 0."""
        return (self.m_coherence - 1) / (self.m - 1) if self.m > 1 else nan


def coherence(model: nn.Module, loss: Loss, batch: tuple[Any, Any], *, chunk: int | None = None) -> Coherence:
    """The coherence of the gradients of `loss(model(x), y)` over a batch (x, y), whole and for every layer.

    `loss` gives one number for each example [batch]. The model is measured as in `model.eval()`, then put back as it
    was; parameters that do not require gradients are left out. A layer is a module with parameters of its own, by its
    name. `chunk` examples are differentiated at a time. About three times the cost of a training step on the batch;
    where a module cannot be vectorised, that of one step for each example. Raises Invalid for an empty batch, NaN,
    a loss that is not one number an example, and a model without parameters; Failed where memory runs out.
    """
    return of_gradients(gradients(model, loss, batch, chunk=chunk))


def of_own_loss(model: nn.Module, batch: Mapping[str, Tensor], *, chunk: int | None = None) -> Coherence:
    """The coherence over a batch of keyword arguments of a model that says its own loss, as those of transformers do.

    Each example's loss is `model(**one)["loss"]` (or the first of a tuple) of a batch of one; entries are [batch …].
    Otherwise as `coherence`.
    """
    return of_gradients(_each(model, _own, dict(batch), chunk))


def gradients(model: nn.Module, loss: Loss, batch: tuple[Any, Any], *, chunk: int | None = None) -> Iterator[Gradients]:
    """Every example's gradient, some examples at a time: for each parameter's name [example …]. Errors as `coherence`."""

    def one(call: Called, single: Any) -> Tensor:
        x, y = single
        return loss(call(x), y)

    return _each(model, one, tuple(batch), chunk)


def of_gradients(parts: Iterable[Gradients]) -> Coherence:
    """The coherence of gradients that come some examples at a time, as from `gradients` of batches one after another.

    S and Σ|g|² of every parameter are added up over the parts, then put as ratios of each layer and of the whole.
    """
    m, sums, squares = 0, dict[str, Tensor](), dict[str, float]()
    for part in parts:
        m += len(next(iter(part.values())))
        for name, g in part.items():
            g = g.to(torch.promote_types(g.dtype, torch.float32))
            sums[name] = g.sum(0) + sums[name] if name in sums else g.sum(0)
            norms = torch.linalg.vector_norm(g.reshape(len(g), -1), dim=1).double()
            squares[name] = squares.get(name, 0.0) + float(norms.square().sum())
    layers: dict[str, tuple[float, float]] = {}
    for name, total in sums.items():
        layer = name.rpartition(".")[0] or name
        top, bottom = layers.get(layer, (0.0, 0.0))
        top += float(torch.linalg.vector_norm(total, dtype=torch.float64)) ** 2
        layers[layer] = top, bottom + squares[name]
    whole = sum(t for t, _ in layers.values()), sum(b for _, b in layers.values())
    return _made(*whole, m, {layer: _made(t, b, m, {}) for layer, (t, b) in layers.items()})


def stability_bound(
    alphas: Sequence[float],
    rates: Sequence[float],
    *,
    m: int,
    lipschitz: float = 1.0,
    smoothness: float = 0.0,
) -> NDArray[np.float64]:
    """The bound on the expected gap between test and training loss after each step [step].

    (L²/m) Σ_t [Π_{k>t} (1 + η_k β)] η_t √(2(1 − α_t)), with alphas measured before each step, learning rates η, m
    training examples, L-Lipschitz and β-smooth losses; β = 0 leaves out the growth of early steps. Raises Invalid for
    lists of two lengths.
    """
    if len(alphas) != len(rates):
        raise Invalid(f"there are {len(alphas)} alphas for {len(rates)} learning rates; give one of each a step.")
    total, curve = 0.0, np.zeros(len(rates))
    for t, (alpha, rate) in enumerate(zip(alphas, rates, strict=True)):
        total = total * (1 + rate * smoothness) + rate * max(0.0, 2 * (1 - alpha)) ** 0.5
        curve[t] = total
    return curve * lipschitz**2 / m


def __getattr__(name: str) -> Any:
    """`Watch`, which needs transformers, imported on its first use."""
    if name == "Watch":
        from .watch import Watch

        return Watch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _own(call: Called, single: Mapping[str, Any]) -> Tensor:
    """The loss that a model says of a batch of one."""
    out = call(**single)
    try:
        said = out["loss"] if isinstance(out, Mapping) else out[0]
    except (KeyError, IndexError, TypeError):
        said = None
    if not isinstance(said, Tensor) or said.numel() != 1:
        raise Invalid("the model gives no loss; its batch needs the targets (for transformers: `labels`).")
    return said.reshape(1)


def _made(top: float, bottom: float, m: int, by_layer: Mapping[str, Coherence]) -> Coherence:
    found = top / bottom if bottom > 0 else nan
    return Coherence(found / m, found, m, by_layer)


def _each(model: nn.Module, one: One, batch: Any, chunk: int | None) -> Iterator[Gradients]:
    """Gradients of a batch, by vectorised differentiation, or example by example where a module does not allow it."""
    learned = {name: p for name, p in model.named_parameters() if p.requires_grad}
    size = sum(p.numel() for p in learned.values())
    if not size:
        raise Invalid(
            f"{type(model).__name__} has no parameters that require gradients, so its examples have none; give a model that learns, or call model.requires_grad_()."
        )
    m = _examples(batch)
    if chunk is not None and chunk < 1:
        raise Invalid(f"chunk={chunk}: at least one example is differentiated at a time.")
    step = min(m, chunk or max(1, HELD // size))
    with _measured(model):
        _check_loss(one, model, batch, m)
        at, alone = 0, False
        while at < m:
            part = _rows(batch, at, at + step)
            try:
                found = None if alone else _vectorised(model, learned, one, part)
            except (torch.OutOfMemoryError, MemoryError) as error:
                raise _full(step, size) from error
            except Exception:  # whatever vmap cannot see through; if it is the model's own error, it comes again below
                found, alone = None, True
            yield from _one_by_one(model, learned, one, part) if found is None else (_finite(*found),)
            at += step


def _vectorised(model: nn.Module, learned: Mapping[str, nn.Parameter], one: One, part: Any) -> tuple[Gradients, Tensor]:
    """Gradients and losses [example] of some examples, all at once."""
    fixed = {n: t.detach() for n, t in (*model.named_parameters(), *model.named_buffers()) if n not in learned}

    def loss(weights: Gradients, example: Any) -> Tensor:
        def call(*args: Any, **named: Any) -> Any:
            return functional_call(model, {**weights, **fixed}, args, named)

        return one(call, tree_map(_as_batch, example)).reshape(())

    weights = {name: p.detach() for name, p in learned.items()}
    with sdpa_kernel(SDPBackend.MATH):  # the fused kernels of attention cannot be vectorised
        return vmap(grad_and_value(loss), in_dims=(None, 0), randomness="different")(weights, part)


def _one_by_one(model: nn.Module, learned: Mapping[str, nn.Parameter], one: One, part: Any) -> Iterator[Gradients]:
    """The gradients of each example by an ordinary backward pass."""
    for i in range(len(tree_leaves(part)[0])):
        with torch.enable_grad():
            value = one(model, _rows(part, i, i + 1)).reshape(())
        found = torch.autograd.grad(value, list(learned.values()), allow_unused=True, materialize_grads=True)
        yield _finite({name: g[None] for name, g in zip(learned, found, strict=True)}, value.detach()[None])


def _rows(batch: Any, start: int, stop: int) -> Any:
    """Some of the examples of a batch."""

    def some(t: Tensor) -> Tensor:
        return t[start:stop]

    return tree_map(some, batch)


def _as_batch(example: Tensor) -> Tensor:
    return example[None]


def _finite(found: Gradients, losses: Tensor) -> Gradients:
    if not bool(torch.isfinite(losses).all()):
        bad = int((~torch.isfinite(losses)).sum())
        raise Invalid(
            f"the loss of {bad} of {len(losses)} examples is not finite, so they have no gradient; look at their targets, or measure before the model diverges."
        )
    return found


def _examples(batch: Any) -> int:
    """The number of examples in a batch. Raises Invalid where it has none, tells two numbers, or holds NaN."""
    leaves = tree_leaves(batch)
    if strange := [type(t).__name__ for t in leaves if not isinstance(t, Tensor)]:
        raise Invalid(f"a batch holds tensors [batch …], but there is a {strange[0]}; turn it into a tensor.")
    counts = sorted({len(t) if t.ndim else 0 for t in leaves})
    if counts in ([], [0]):
        raise Invalid("the batch is empty; coherence needs at least one example.")
    if len(counts) > 1:
        raise Invalid(f"the batch's tensors hold {' and '.join(map(str, counts))} examples; give as many of each.")
    for t in leaves:
        if t.is_floating_point() and not bool((fine := torch.isfinite(t).reshape(len(t), -1).all(1)).all()):
            raise Invalid(
                f"{int((~fine).sum())} of {len(t)} examples hold NaN or infinity, the first at place {int((~fine).nonzero()[0])}; leave them out or mend them."
            )
    return counts[0]


@torch.no_grad()
def _check_loss(one: One, model: nn.Module, batch: Any, m: int) -> None:
    """Raise Invalid unless two examples have two losses."""
    if one is _own:
        return  # asked of one example at a time
    n = min(2, m)
    try:
        said = one(model, _rows(batch, 0, n))
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _full(n, 0) from error
    if tuple(said.shape) != (n,):
        raise Invalid(
            f"the loss of {n} examples has the shape {list(said.shape)}, not [{n}]: coherence needs one number for each example; with torch's losses pass reduction='none' and average over all but the first dimension."
        )


def _full(step: int, size: int) -> Failed:
    return Failed(
        f"memory ran out differentiating {step} examples of a model with {size:,} parameters at a time; lower `chunk`."
    )


@contextmanager
def _measured(model: nn.Module) -> Generator[None]:
    """The model as in evaluation: no dropout, and norms that do not mix examples; afterwards as it was."""
    before = {m: m.training for m in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training
