"""What is the curvature of a model's loss, layer by layer? EK-FAC: an eigenbasis of inputs and one of gradients, and the
curvature along each of their products.

    factors = fit(model, next_token, train, layers="*.mlp.*")
    factors.layers["model.layers.0.mlp.up_proj"].spread     float[outputs inputs], the corrected eigenvalues

For a layer with inputs a and output gradients s of labels drawn from the model, A = E[a aᵀ] = Q_A D_A Q_Aᵀ and S = E[s sᵀ] = Q_S
D_S Q_Sᵀ over places, and spread = E[(Q_Sᵀ g Q_A)²] over rows, g = Σ s aᵀ being the gradient of a row (George et al. 2018; Grosse
et al. 2023, section 2.2). Two passes over the training data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from unseen.core.errors import Failed, Invalid

from .kept import Kept
from .layers import Passing, Told, chosen, sizes, watched
from .losses import Loss, Predicted, losses_of

HEURISTIC = 0.1  # of the mean corrected eigenvalue: the damping where none is given (Grosse et al. 2023)
ROWS_AT_ONCE = {"cpu": 1 << 19, "cuda": 1 << 27}  # weights: rows' gradients are formed so many at a time
BLOCK = 128  # features: of a symmetric product only blocks on and above the diagonal are computed
Labels = Literal["auto", "drawn", "given"]
Curvature = Literal["ekfac", "identity"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How factors are fitted.

    `labels`: drawn from the model (the Fisher information, which is the Gauss-Newton matrix) or those given (the empirical
    Fisher); auto: drawn where the loss tells what it predicts. `curvature="identity"` fits nothing: scores are plain products
    of gradients. A `folder` keeps what is done, by phase and layer, so that a fit that was killed goes on.
    """

    labels: Labels = "auto"
    seed: int = 0  # of the labels drawn
    draws: int = 1  # times that labels are drawn for each batch
    dtype: Literal["float32", "bfloat16"] = "float32"  # of passes and of products of gradients
    at_once: int | None = None  # layers whose factors are in memory together while they are fitted; None: all
    folder: Path | None = None
    curvature: Curvature = "ekfac"


PLAIN = Recipe()


@dataclass(frozen=True, slots=True)
class Factor:
    """The curvature of one layer: eigenvectors [outputs outputs] and [inputs inputs] as columns, spread [outputs inputs]."""

    outputs: Tensor
    inputs: Tensor
    spread: Tensor


@dataclass(frozen=True)
class Factors:
    """The curvature of a model's loss by layer (None: identity), and all that scores need beside it."""

    model: nn.Module
    loss: Loss
    layers: Mapping[str, Factor | None]
    damping: float | None
    labels: Labels
    dtype: Literal["float32", "bfloat16"] = "float32"

    def damped(self, name: str) -> float:
        """What is added to the spread of a layer."""
        factor = self.layers[name]
        assert factor is not None
        return HEURISTIC * float(factor.spread.mean()) if self.damping is None else self.damping


def fit(
    model: nn.Module,
    loss: Loss,
    train: Iterable[Any],
    *,
    layers: str | Sequence[str] | None = None,
    damping: float | None = None,
    recipe: Recipe = PLAIN,
) -> Factors:
    """The EK-FAC factors of a model's linear layers on training data.

    `train` gives batches, whatever `loss(model, batch)` takes, each time it is gone through; `layers` are patterns of names
    (`layers.chosen`). A layer that no gradient reaches is left out, which a warning says. Raises Invalid for no
    batches, a generator, a loss that is not finite, damping below 0 or of 0 where the curvature is singular, and a folder that
    holds another fit; Unknown for layers that are not there.
    """
    if damping is not None and not damping >= 0:
        raise Invalid(f"damping={damping}: it is a number from 0, or None for {HEURISTIC} of the mean eigenvalue.")
    if recipe.draws < 1 or (recipe.at_once is not None and recipe.at_once < 1):
        raise Invalid(f"draws={recipe.draws}, at_once={recipe.at_once}: both are whole numbers from 1.")
    found = chosen(model, layers)
    if recipe.curvature == "identity":
        return Factors(model, loss, dict.fromkeys(found), damping, "given", recipe.dtype)
    passes = _Passes(model, loss, train, recipe)
    kept = Kept.opened(recipe.folder, _told(model, found, passes, recipe))
    made: dict[str, Factor] = {}
    names = list(found)
    size = recipe.at_once or len(names)
    for at in range(0, len(names), size):
        group = names[at : at + size]
        done = {name: Factor(**held) for name in group if (held := kept.layer(name)) is not None}
        if len(done) < len(group):
            done = _fitted({name: found[name] for name in group}, passes, kept, f"covariances-{at}-{size}")
        made.update(done)
    return Factors(model, loss, _reached(made, damping), damping, passes.labels, recipe.dtype)


def _fitted(layers: Mapping[str, nn.Module], passes: _Passes, kept: Kept, phase: str) -> dict[str, Factor]:
    """The factors of some layers by two passes; what is finished is kept."""
    products = kept.phase(phase)
    if products is None:
        products = _covariances(layers, passes)
        kept.keep_phase(phase, products)
    device = next(passes.model.parameters()).device
    bases = _bases(layers, {name: one.to(device) for name, one in products.items()})
    del products
    spreads = _spreads(layers, bases, passes)
    found = {name: Factor(*bases[name], spreads[name]) for name in layers}
    for name, one in found.items():
        kept.keep_layer(name, {"outputs": one.outputs, "inputs": one.inputs, "spread": one.spread})
    kept.drop_phase(phase)
    return found


class _Passes:
    """Going through the training data: forward, labels, and gradients back through the layers."""

    def __init__(self, model: nn.Module, loss: Loss, train: Iterable[Any], recipe: Recipe) -> None:
        if iter(train) is train:
            raise Invalid("train is a generator, which gives its batches once; two passes need a list or a loader.")
        self.model, self.loss, self.train, self.recipe = model, loss, train, recipe
        self.first: Any = next(iter(train), None)
        if self.first is None:
            raise Invalid("train has no batches, so there is no curvature to fit.")
        self.labels: Labels = self._labels()

    def _labels(self) -> Labels:
        if self.recipe.labels == "given":
            return "given"
        with torch.no_grad():
            able = isinstance(self.loss(self.model, self.first), Predicted)
        if not able and self.recipe.labels == "drawn":
            raise Invalid(
                "labels='drawn' needs a loss that returns Predicted (logits and labels); one that returns numbers allows labels='given'."
            )
        return "drawn" if able else "given"

    def _source(self, *names: int) -> torch.Generator | None:
        """Where labels are drawn from, a function of the seed and these numbers; None where they are given."""
        if self.labels == "given":
            return None
        told = hashlib.blake2b(repr((self.recipe.seed, *names)).encode(), digest_size=8).digest()
        source = torch.Generator(device=next(self.model.parameters()).device)
        return source.manual_seed(int.from_bytes(told, "big") >> 1)

    def go(self, layers: Mapping[str, nn.Module], phase: int, take: Callable[[Passing, int | None, Any], None]) -> int:
        """Call `take(passing, rows, real)` for every layer, batch and draw; the rows there were. Labels are a function of seed,
        phase, batch and draw."""
        told: dict[str, Any] = {"rows": None, "real": None, "seen": 0}
        count = 0

        def one(passing: Passing) -> None:
            told["seen"] = passing.inputs.shape[0]
            take(passing, told["rows"], told["real"])

        with watched(self.model, layers, one) as state:
            for number, batch in enumerate(self.train):
                for draw in range(self.recipe.draws if self.labels == "drawn" else 1):
                    state.held.clear()
                    source = self._source(phase, number, draw)
                    loss, told["real"], told["rows"] = forward(self.loss, self.model, batch, source, self.recipe.dtype)
                    loss.sum().backward()
                    count += told["rows"] or told["seen"]
        return count


def forward(
    loss: Loss, model: nn.Module, batch: Any, source: torch.Generator | None, dtype: str
) -> tuple[Tensor, Tensor | None, int | None]:
    """(losses [row] or their sum [], real places bool[row place] or None, rows or None) of a batch."""
    device = next(model.parameters()).device.type
    with torch.autocast(device, torch.bfloat16, enabled=dtype == "bfloat16"):
        told = loss(model, batch)
    losses = losses_of(told, source)
    real = told.real if isinstance(told, Predicted) else None
    return losses, real, losses.shape[0] if losses.dim() else None


def widened(read: Tensor, inputs: int, real: Tensor | None = None) -> Tensor:
    """Inputs [row place feature] with a 1 for the bias where the layer has one, and 0 at places that are padding."""
    if read.shape[2] < inputs:
        read = torch.cat([read, read.new_ones(*read.shape[:2], 1)], 2)
    if real is not None and real.shape == read.shape[:2] and not bool(real.all()):
        read = read * real[..., None].to(read.dtype)
    return read


class Once:
    """A value of the last tensor asked about: layers that read the same tensor share what is made of it."""

    def __init__(self) -> None:
        self.of: tuple[Any, ...] = ()
        self.value: Any = None

    def __call__(self, of: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """The value that `make` gives, made anew only where these are not the very tensors (or equal numbers) asked about before."""
        if len(of) != len(self.of) or not all(map(_same, of, self.of)):
            self.of, self.value = of, make()
        return self.value


def _same(a: Any, b: Any) -> bool:
    return a is b or (not isinstance(a, Tensor) and a == b)


def _covariances(layers: Mapping[str, nn.Module], passes: _Passes) -> dict[str, Tensor]:
    """Σ a aᵀ and Σ s sᵀ over places, `<layer>.inputs` and `<layer>.outputs`; layers that read one tensor share the first."""
    width = {name: sizes(one) for name, one in layers.items()}
    device = next(passes.model.parameters()).device
    found: dict[str, Tensor] = {}
    for name, (out, into) in width.items():
        found[f"{name}.outputs"] = torch.zeros(out, out, device=device, dtype=torch.float32)
        found[f"{name}.inputs"] = torch.zeros(into, into, device=device, dtype=torch.float32)
    once = Once()

    def take(passing: Passing, rows: int | None, real: Any) -> None:
        read, grads = passing.rows(rows)
        into = width[passing.name][1]
        products = once((passing.inputs, into), lambda: gram(widened(read.float(), into, real)))
        found[f"{passing.name}.inputs"] += products
        found[f"{passing.name}.outputs"] += gram(grads.float())

    passes.go(layers, 0, take)
    return found


def gram(x: Tensor) -> Tensor:
    """Σ x xᵀ over rows and places [feature feature] of x [row place feature], upper blocks only."""
    flat = x.flatten(0, 1)
    size = flat.shape[1]
    found = flat.new_zeros(size, size)
    for at in range(0, size, BLOCK):
        found[at : at + BLOCK, at:] = flat[:, at : at + BLOCK].T @ flat[:, at:]
    return found


def _bases(layers: Iterable[str], products: Mapping[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Eigenvectors (outputs, inputs) of each layer's products; equal products are taken apart once."""
    found: dict[str, tuple[Tensor, Tensor]] = {}
    last: tuple[Tensor, Tensor] | None = None
    for name in layers:
        outputs = eigenvectors(products[f"{name}.outputs"], name)
        same = products[f"{name}.inputs"]
        if last is None or last[0].shape != same.shape or not torch.equal(last[0], same):
            last = same, eigenvectors(same, name)
        found[name] = outputs, last[1]
    return found


def eigenvectors(upper: Tensor, name: str) -> Tensor:
    """Eigenvectors as columns, found in float64, of a symmetric matrix whose upper part is given. Raises Invalid where it is
    not finite, Failed where they are not found."""
    wide = upper.double()
    wide = wide.triu() + wide.triu(1).T
    if not bool(torch.isfinite(wide).all()):
        raise Invalid(
            f"{name}: its inputs or gradients are not finite, so it has no curvature; look at model and data."
        )
    scale = wide.diagonal().mean().clamp_min(1e-300)
    for spare in (0.0, 1e-10, 1e-6):  # a matrix whose eigenvalues hardly differ may need to be moved a little
        try:
            return torch.linalg.eigh(
                wide / scale + spare * torch.eye(len(wide), device=wide.device)
            ).eigenvectors.float()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:  # torch's LinAlgError is one
            continue
    raise Failed(f"{name}: no eigenvectors were found of a matrix of {len(wide)} features; leave the layer out.")


def _spreads(
    layers: Mapping[str, nn.Module], bases: Mapping[str, tuple[Tensor, Tensor]], passes: _Passes
) -> dict[str, Tensor]:
    """The mean square of rows' gradients in the eigenbases [outputs inputs], by layer."""
    found = {name: bases[name][0].new_zeros(sizes(one)) for name, one in layers.items()}
    pending: dict[str, Tensor] = {}
    dtype = getattr(torch, passes.recipe.dtype)
    turned = {name: (o.to(dtype), i) for name, (o, i) in bases.items()}
    once, cast = Once(), Once()

    def take(passing: Passing, rows: int | None, real: Any) -> None:
        name = passing.name
        read, grads = passing.rows(rows)
        outputs, kept = turned[name]
        inputs = cast((kept, dtype), lambda: kept.to(dtype))
        wide = once((passing.inputs, inputs, "wide"), lambda: widened(read.to(dtype), len(inputs)))
        early = _turned_early(wide.shape[1], len(outputs), len(inputs))
        if early:
            wide = turn((passing.inputs, inputs), lambda: wide @ inputs)
            grads = grads.to(dtype) @ outputs
        whole = passing.last and name not in pending
        for part, gradient in gradients(grads.to(dtype), wide):
            told = gradient if early else outputs.T @ (gradient @ inputs)
            if whole:
                found[name] += told.float().square_().sum(0)
            else:  # a layer that runs several times: a row's gradient is the sum of those of its runs
                pending.setdefault(name, found[name].new_zeros(len(wide), *found[name].shape))[part] += told.float()
        if passing.last and name in pending:
            found[name] += pending.pop(name).square_().sum(0)

    turn = Once()
    count = passes.go(layers, 1, take)
    return {name: one / count for name, one in found.items()}


def _turned_early(places: int, out: int, into: int) -> bool:
    """Whether it costs less to turn inputs and gradients of each place than the gradient of a row."""
    return places * (out * out + into * into) < out * into * (out + into)


def gradients(grads: Tensor, read: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Rows' gradients Σ s aᵀ [row outputs inputs], some rows at a time."""
    each = grads.shape[2] * read.shape[2]
    size = max(1, ROWS_AT_ONCE.get(read.device.type, 1 << 24) // each)
    for at in range(0, len(read), size):
        part = slice(at, at + size)
        yield part, torch.bmm(grads[part].transpose(1, 2), read[part])


def _reached(made: Mapping[str, Factor], damping: float | None) -> dict[str, Factor]:
    """The layers that gradients reach. Raises Invalid where none is left, or where curvature is singular and not damped."""
    import warnings

    found: dict[str, Factor] = {}
    for name, one in made.items():
        if not bool((one.spread > 0).any()):
            warnings.warn(f"{name} is left out: no gradient reaches it on this training data.", Told, stacklevel=3)
        elif damping == 0 and not bool((one.spread > 0).all()):
            raise Invalid(
                f"{name}: its curvature is singular, so damping=0 divides by 0; give damping above 0, or None for {HEURISTIC} of the mean eigenvalue."
            )
        else:
            found[name] = one
    if not found:
        raise Invalid("no gradient reaches any of these layers on this training data, so there is nothing to trace.")
    return found


def _told(model: nn.Module, layers: Mapping[str, nn.Module], passes: _Passes, recipe: Recipe) -> dict[str, str]:
    """What makes a fit this one: weights, the first batch, and how labels are drawn."""
    if recipe.folder is None:
        return {}
    weights = digest(one.weight for one in layers.values())
    return {
        "layers": " ".join(layers),
        "weights": weights,
        "train": digest(tensors(passes.first)),
        "labels": f"{passes.labels} {recipe.seed} {recipe.draws}",
        "dtype": recipe.dtype,
    }


def digest(told: Iterable[Any]) -> str:
    """16 hex digits of the contents of tensors."""
    found = hashlib.sha256()
    for one in told:
        found.update(f"{tuple(one.shape)}".encode())
        found.update(one.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()[:16]


def tensors(batch: Any) -> Iterator[Tensor]:
    """The tensors of a batch, whatever holds them."""
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, Mapping):
        for name in sorted(batch):
            yield from tensors(batch[name])
    elif isinstance(batch, Sequence) and not isinstance(batch, str):
        for one in batch:
            yield from tensors(one)
