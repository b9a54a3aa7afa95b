"""Which few directions is an activation made of? Sparse autoencoders: top-k, or ReLU with an L1 penalty.

    sae = fit(activations, 512, k=8)         # activations float[row width]
    sae(activations)                         # their reconstruction [row width]
    sae.report                               # Report(fvu=0.08, l0=8.0, dead=0.02)
    save(sae, folder)                        # cfg.json and sae_weights.safetensors, as SAELens 6 opens them

z = ReLU((x − b_dec) W_enc + b_enc), of which the k largest are kept; x̂ = z W_dec + b_dec. The rows of W_dec have norm 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Damaged, Invalid, Missing

WEIGHTS, TOLD = "sae_weights.safetensors", "cfg.json"  # SAELens' names of its two files
LAYOUT = "6.54.0"  # of SAELens; without a version it reads a folder as one of an older layout
NUMBERS_AT_ONCE = 1 << 24  # latents of the rows that are looked at together
SPARSE_FROM = 32  # latents for each kept one, from which decoding the kept ones alone is cheaper
NAMES = {"W_enc": "encoder", "b_enc": "encoder_bias", "W_dec": "decoder", "b_dec": "decoder_bias"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a dictionary is worth on activations: `fvu` (fraction of variance unexplained), `l0` (latents active in a row,
    mean) and `dead` (fraction of latents that no row makes active)."""

    fvu: float
    l0: float
    dead: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a dictionary is learned: Adam on batches of rows, so many passes over them.

    The rate 0 is 2e-4 / √(features / 2^14). `l1` is the penalty of a ReLU dictionary, of activations scaled to a mean
    square of 1 a feature. `aux` weighs the loss of latents not active for `dead_after` rows (0: one pass), which
    reconstruct what the others leave.
    """

    passes: float = 4.0
    batch: int = 256
    lr: float = 0.0
    l1: float = 1.0
    aux: float = 0.0
    dead_after: int = 0

    def __post_init__(self) -> None:
        for name in ("passes", "batch"):
            if not getattr(self, name) > 0:
                raise Invalid(f"{name}={getattr(self, name)}: it must be above 0.")
        for name in ("lr", "l1", "aux", "dead_after"):
            if getattr(self, name) < 0:
                raise Invalid(f"{name}={getattr(self, name)}: it cannot be negative.")


@dataclass(frozen=True, eq=False)
class SparseAutoencoder:
    """A dictionary: encoder [width feature], decoder [feature width] with rows of norm 1, and their biases.

    `k` latents are kept of a row; None keeps all that are above 0. `report` is that of the rows it was learned from.
    """

    encoder: Tensor
    encoder_bias: Tensor
    decoder: Tensor
    decoder_bias: Tensor
    k: int | None = None
    report: Report | None = None

    @property
    def width(self) -> int:
        """Numbers of an activation."""
        return self.decoder.shape[1]

    @property
    def features(self) -> int:
        """Latents, dead ones among them."""
        return self.decoder.shape[0]

    def latents(self, x: Tensor) -> Tensor:
        """Latents [… feature] of activations [… width], 0 where they are not active."""
        every = self._every(x)
        return every if self.k is None else _kept(every, self.k)

    def __call__(self, x: Tensor) -> Tensor:
        """Reconstructions [… width] of activations [… width], in the activations' own kind of numbers.

        Raises Invalid for activations of another width.
        """
        every = self._every(x)
        return _decoded(every, self.decoder, self.decoder_bias, self.k).to(x.dtype)

    def to(self, device: Any = None, dtype: torch.dtype | None = None) -> SparseAutoencoder:
        """The same on a device, in a kind of numbers."""
        return replace(self, **{name: getattr(self, name).to(device=device, dtype=dtype) for name in NAMES.values()})

    def _every(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.width:
            raise Invalid(f"activations are {x.shape[-1]} wide, the dictionary {self.width}; it is another model's.")
        return _active(x.to(self.encoder.dtype), self.encoder, self.encoder_bias, self.decoder_bias)


def fit(
    activations: Tensor | NDArray[Any],
    features: int,
    *,
    k: int | None = 32,
    recipe: Recipe | None = None,
    seed: int = 0,
    tell: Callable[[float], None] = lambda done: None,
) -> SparseAutoencoder:
    """A dictionary of so many latents learned from activations [row width], by the fraction of variance unexplained.

    `k=None` learns a ReLU dictionary with an L1 penalty. `tell` hears the share done. The decoder begins at random
    directions and the encoder at its transpose; the part of its gradient along a row is removed, and rows stay at norm 1.
    Raises Invalid for activations that are no matrix, not finite or all alike, and for k above `features`.
    """
    how, x = recipe or Recipe(), _checked(activations, features, k)
    mean = x.mean(0)
    spread = float((x - mean).square().mean().sqrt())
    if not spread > 0:
        raise Invalid(
            f"all {len(x)} activations are alike, so there is nothing to tell apart; take them from more text."
        )
    learning = _Learning(mean / spread, features, k, how, seed)
    chosen = torch.Generator().manual_seed(seed)
    steps = max(1, round(how.passes * len(x) / how.batch))
    for step in range(steps):
        rows = x[torch.randint(len(x), (min(how.batch, len(x)),), generator=chosen).to(x.device)] / spread
        learning.step(rows, _rate(how, features, step, steps), how.dead_after or len(x))
        if step % 16 == 0:
            tell(step / steps)
    made = learning.made(spread)
    return replace(made, report=report(made, x))


def report(reconstruct: Callable[[Tensor], Tensor], activations: Tensor | NDArray[Any]) -> Report:
    """What a dictionary, or any other function of activations, is worth on activations [row width].

    `l0` and `dead` are NaN of what has no latents.
    """
    x = _matrix(activations)
    known = isinstance(reconstruct, SparseAutoencoder)
    error, active = 0.0, 0.0
    fired = torch.zeros(reconstruct.features if known else 0, dtype=torch.bool, device=x.device)
    for rows in _pieces(x, reconstruct.features if known else x.shape[1]):
        error += float((reconstruct(rows) - rows).double().square().sum())
        if known:
            on = reconstruct.latents(rows) > 0
            active, fired = active + float(on.sum()), fired | on.any(0)
    fvu = error / float((x - x.mean(0)).double().square().sum())
    if not known:
        return Report(fvu, float("nan"), float("nan"))
    return Report(fvu, active / len(x), 1 - float(fired.float().mean()))


def only_at(sae: SparseAutoencoder, activations: Tensor, marked: Tensor) -> Tensor:
    """Which latents [feature] are active in a marked row and in no other row. activations [row width], marked bool[row].

    Raises Invalid where no row is marked, or all are.
    """
    if not bool(marked.any()) or bool(marked.all()):
        raise Invalid(f"{int(marked.sum())} of {len(marked)} rows are marked; some are to be, and others not.")
    at, elsewhere = (torch.zeros(sae.features, dtype=torch.bool, device=activations.device) for _ in range(2))
    for part, rows in ((marked, at), (~marked, elsewhere)):
        for piece in _pieces(activations[part], sae.features):
            rows |= (sae.latents(piece) > 0).any(0)
    return at & ~elsewhere


def save(sae: SparseAutoencoder, folder: Path, *, model: str = "", hook: str = "") -> None:
    """Write a dictionary as SAELens lays one out; `model` and `hook` say whose activations it was learned from."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    kept = {theirs: getattr(sae, ours).detach().cpu().contiguous() for theirs, ours in NAMES.items()}
    save_file(kept, str(folder / WEIGHTS))
    found = None if sae.report is None else {"fvu": sae.report.fvu, "l0": sae.report.l0, "dead": sae.report.dead}
    told: dict[str, Any] = {
        "architecture": "standard" if sae.k is None else "topk",
        "d_in": sae.width,
        "d_sae": sae.features,
        "dtype": str(sae.decoder.dtype).removeprefix("torch."),
        "device": "cpu",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "reshape_activations": "none",
        "metadata": {"sae_lens_version": LAYOUT, "model_name": model, "hook_name": hook, "report": found},
    }
    if sae.k is not None:
        told |= {"k": sae.k, "rescale_acts_by_decoder_norm": False}
    (folder / TOLD).write_text(json.dumps(told, indent=1), encoding="utf-8")


def load(folder: Path) -> SparseAutoencoder:
    """The dictionary of a folder that `save`, or SAELens for top-k and standard ones, wrote.

    Raises Missing where it is not there, Invalid for another architecture, Damaged for files that do not fit together.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if absent := [name for name in (TOLD, WEIGHTS) if not (folder / name).is_file()]:
        raise Missing(f"{folder} holds no {absent[0]}; name the folder of a sparse autoencoder as SAELens saves it.")
    try:
        told = json.loads((folder / TOLD).read_text(encoding="utf-8"))
        held = load_file(str(folder / WEIGHTS))
        weights = {ours: held[theirs] for theirs, ours in NAMES.items()}
    except (ValueError, KeyError, SafetensorError) as error:
        raise Damaged(f"{folder} is no whole sparse autoencoder ({error}); save it anew.") from None
    strange = [told.get(name) for name in ("normalize_activations", "reshape_activations") if told.get(name, "none") != "none"]  # fmt: skip
    if told.get("architecture") not in ("topk", "standard") or strange or not told.get("apply_b_dec_to_input", True):
        raise Invalid(f"{folder} holds a sparse autoencoder of another kind ({told.get('architecture')}, {strange}); top-k and standard ones without normalization are read.")  # fmt: skip
    found = told.get("metadata", {}).get("report")
    k = int(told["k"]) if told["architecture"] == "topk" else None
    return SparseAutoencoder(**weights, k=k, report=None if found is None else Report(**found))


class _Learning:
    """The weights while they are learned from scaled rows, their optimizer, and how long each latent was silent."""

    def __init__(self, mean: Tensor, features: int, k: int | None, how: Recipe, seed: int) -> None:
        self.k, self.how = k, how
        source = torch.Generator().manual_seed(seed)
        drawn = torch.randn(features, len(mean), generator=source)
        decoder = F.normalize(drawn, dim=1).to(mean.device)
        self.weights = [w.requires_grad_() for w in (decoder.T.clone(), torch.zeros(features).to(mean), decoder, mean)]
        self.adam = torch.optim.Adam(self.weights, lr=1.0, betas=(0.9, 0.999))
        self.silent = torch.zeros(features, dtype=torch.long, device=mean.device)

    def step(self, x: Tensor, rate: float, dead_after: int) -> None:
        """One step on scaled rows [row width]."""
        w_enc, b_enc, w_dec, b_dec = self.weights
        every = _active(x, w_enc, b_enc, b_dec)
        told = _decoded(every, w_dec, b_dec, self.k)
        total = (x - x.mean(0)).square().sum()
        loss = (x - told).square().sum() / total
        if self.k is None:
            loss = loss + self.how.l1 * every.sum() / total
        dead = self.silent >= dead_after
        if self.how.aux > 0 and bool(dead.any()):
            loss = loss + self.how.aux * self._aux(x, told, every, dead)
        grads = torch.autograd.grad(loss, self.weights)
        along = (grads[2] * w_dec).sum(1, keepdim=True)
        for weight, grad in zip(self.weights, (*grads[:2], grads[2] - along * w_dec, grads[3]), strict=True):
            weight.grad = grad.detach()
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()
        with torch.no_grad():
            w_dec.copy_(F.normalize(w_dec, dim=1))
            active = every if self.k is None else _kept(every, self.k)
            self.silent = torch.where((active > 0).any(0), 0, self.silent + len(x))

    def _aux(self, x: Tensor, told: Tensor, every: Tensor, dead: Tensor) -> Tensor:
        """The share of what is left unexplained that dead latents leave too, fewer of them weighing less."""
        w_enc, b_enc, w_dec, b_dec = self.weights
        left = (x - told).detach()
        k = min(x.shape[1] // 2 or 1, int(dead.sum()))
        scores = (x - b_dec) @ w_enc[:, dead] + b_enc[dead]  # before the ReLU, whose gradient is 0 for them
        best, at = scores.topk(k, dim=1)
        said = torch.zeros_like(scores).scatter(1, at, best) @ w_dec[dead]
        share = min(1.0, int(dead.sum()) / (x.shape[1] // 2 or 1))
        return share * (left - said).square().sum() / left.square().sum().clamp_min(1e-12)

    def made(self, spread: float) -> SparseAutoencoder:
        """The dictionary of rows as they were before they were scaled."""
        w_enc, b_enc, w_dec, b_dec = (w.detach().clone(memory_format=torch.contiguous_format) for w in self.weights)
        return SparseAutoencoder(w_enc, b_enc * spread, w_dec, b_dec * spread, self.k)


def _active(x: Tensor, w_enc: Tensor, b_enc: Tensor, b_dec: Tensor) -> Tensor:
    return F.relu((x - b_dec) @ w_enc + b_enc)


def _kept(every: Tensor, k: int) -> Tensor:
    best, at = every.topk(k, dim=-1, sorted=False)
    return torch.zeros_like(every).scatter(-1, at, best)


def _decoded(every: Tensor, w_dec: Tensor, b_dec: Tensor, k: int | None) -> Tensor:
    """Reconstructions of latents before any were dropped; where few are kept, only these are multiplied."""
    if k is None:
        return every @ w_dec + b_dec
    if every.shape[-1] < SPARSE_FROM * k:
        return _kept(every, k) @ w_dec + b_dec
    best, at = every.topk(k, dim=-1, sorted=False)
    bags = F.embedding_bag(at.flatten(0, -2), w_dec, per_sample_weights=best.flatten(0, -2), mode="sum")
    return bags.view(*every.shape[:-1], -1) + b_dec


def _rate(how: Recipe, features: int, step: int, steps: int) -> float:
    """The learning rate at a step: constant, then falling to 0 over the last fifth."""
    peak = how.lr or 2e-4 / (features / 2**14) ** 0.5
    return peak * min(1.0, 5 * (steps - step) / steps)


def _pieces(x: Tensor, numbers: int) -> Iterator[Tensor]:
    yield from x.split(max(1, NUMBERS_AT_ONCE // numbers))


def _matrix(activations: Tensor | NDArray[Any]) -> Tensor:
    x = torch.as_tensor(np.asarray(activations) if isinstance(activations, Sequence) else activations)
    if x.ndim != 2 or not len(x):
        raise Invalid(f"activations of shape {tuple(x.shape)}: they are a matrix [row width] with a row at least.")
    return x.detach().float()


def _checked(activations: Tensor | NDArray[Any], features: int, k: int | None) -> Tensor:
    x = _matrix(activations)
    if not bool(torch.isfinite(x).all()):
        raise Invalid("activations hold NaN or infinity, from which nothing can be learned; look at the model.")
    if features < 1 or (k is not None and not 1 <= k <= features):
        raise Invalid(f"features={features}, k={k}: k latents of at least as many are kept, at least 1.")
    return x
