"""Where do a model's routers send its tokens? Mean routing weights of samples, and the routers themselves.

    of_pretrained(model, input_ids, attention_mask)   ->  weights [sample layer expert]     of transformers: OLMoE, Qwen-MoE, …
    of_mixture(models, tokens)                        ->  weights [seed sample layer expert]  of ours
    routers_of(model)                                 ->  [layer expert width], a row being the embedding of an expert

Weights are those of the softmax over all experts, not of the chosen ones made to add up to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unseen.core.errors import Invalid
from unseen.models.moe import Mixture

Floats = NDArray[np.float64]
COUNTS = ("num_experts", "num_local_experts", "n_routed_experts")  # how configurations call the number of experts
NAMES = ("gate", "router")  # how modules call a router
AT_ONCE = 65_536  # tokens of all seeds in one forward pass


def gates(model: nn.Module) -> list[tuple[str, Any]]:
    """The routers of a model of transformers, in the order of its layers, with their names. Raises Invalid for a model
    without any, and for one whose scores are not a softmax."""
    told = getattr(model, "config", None)
    experts = next((n for name in COUNTS if isinstance(n := getattr(told, name, None), int)), 0)
    found = [
        (name, one)
        for name, one in model.named_modules()
        if name.rpartition(".")[2] in NAMES
        and isinstance(w := getattr(one, "weight", None), Tensor)
        and w.ndim == 2
        and len(w) == experts
    ]
    if not found:
        raise Invalid(
            f"{type(model).__name__} has no routers of experts, so that pathways are not defined; give a mixture of experts such as OLMoE."
        )
    if getattr(told, "scoring_func", "softmax") != "softmax":
        raise Invalid(f"the routers of {type(model).__name__} score by {told.scoring_func}; pathways are read off a softmax.")  # type: ignore[union-attr]  # fmt: skip
    return found


def routers_of(model: nn.Module) -> Floats:
    """The routers of a model of transformers [layer expert width]."""
    return np.stack([one.weight.detach().float().cpu().numpy() for _, one in gates(model)]).astype(float)


@torch.inference_mode()
def of_pretrained(model: nn.Module, input_ids: Tensor, attention_mask: Tensor | None = None) -> Floats:
    """The mean over each sample's tokens of the routers' softmax [sample layer expert], in one forward pass.

    input_ids [sample length]; where attention_mask is 0 is left out. A router's logits are computed in float32 from what
    it reads, whatever it returns itself (in transformers 5, OLMoE's returns a tuple).
    """
    mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    weight = (mask / mask.sum(1, keepdim=True).clamp_min(1)).float()
    found: list[Tensor] = []

    def read(module: nn.Module, given: tuple[Any, ...]) -> None:
        scores = given[0].float() @ module.weight.float().T  # type: ignore[operator,union-attr]
        if isinstance(bias := getattr(module, "bias", None), Tensor):
            scores = scores + bias.float()
        shares = scores.softmax(-1).view(*input_ids.shape, -1)
        found.append(torch.einsum("blk,bl->bk", shares, weight.to(shares.device)).cpu())

    hooks = [one.register_forward_pre_hook(read) for _, one in gates(model)]
    try:
        model(input_ids=input_ids, attention_mask=mask, use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(found, 1).double().numpy()


@torch.inference_mode()
def of_mixture(models: Mixture, tokens: Tensor, *, routers: Tensor | None = None) -> Floats:
    """The same of stacked mixtures [seed sample layer expert]: tokens [seed sample length], 0 being padding.

    With `routers` [seed layer expert width], of these in the place of the models' own, which still compute what they read.
    """
    size = max(1, AT_ONCE // (tokens.shape[0] * tokens.shape[2]))
    return torch.cat([_mean(models, part, routers) for part in tokens.split(size, 1)], 1).double().cpu().numpy()


def _mean(models: Mixture, tokens: Tensor, routers: Tensor | None) -> Tensor:
    real = (tokens != 0).float()
    weight = real / real.sum(-1, keepdim=True).clamp_min(1)
    routing: list[Tensor] = []
    record: dict[str, Tensor] = {}
    models(tokens, routing=routing, record=record)
    if routers is not None:
        read = [record[f"layers.{i}.routed"] for i in range(models.shape.layers)]
        routing = [torch.einsum("sbtd,skd->sbtk", x.float(), routers[:, i]).softmax(-1) for i, x in enumerate(read)]
    return torch.stack([torch.einsum("sbtk,sbt->sbk", one, weight) for one in routing], 2)
