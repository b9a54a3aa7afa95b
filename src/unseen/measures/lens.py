"""What does a transformer know where? The logit lens, and causal tracing by replacing hidden states.

    ranks(models, tokens, place=1, wanted=bridge)    how many tokens are likelier than the wanted one, read off the state
                                                     after every block as if it were the last: [layer seed item]
    traced(models, tokens, others)                   whether the answer changes when one state is that of another prompt:
                                                     [layer place seed item], all layers and places in one batch

`ranks` works on stacks of our decoders, `ranks_of_states` on any causal language model of transformers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.models.decoder import Decoder

AT_ONCE = 1 << 24  # features of a site's states in one forward pass
NORMS = ("ln_f", "norm", "final_layer_norm", "final_layernorm")  # what causal language models call their last norm

Ranks = NDArray[np.int64]


def mrr(ranks: Ranks, *, axis: int = -1) -> NDArray[np.float64]:
    """The mean of 1 / (rank + 1) over items: 1 where the wanted token is always the likeliest."""
    return np.mean(1 / (ranks + 1.0), axis=axis)


def recall(ranks: Ranks, k: int, *, axis: int = -1) -> NDArray[np.float64]:
    """The share of items whose wanted token is among the k likeliest."""
    return np.mean(ranks < k, axis=axis)


def ranks_in(scores: Tensor, wanted: Tensor) -> Tensor:
    """How many tokens score higher than the wanted one [… wanted]: scores [… vocab], wanted [… wanted]."""
    own = torch.gather(scores, -1, wanted)
    return torch.stack([(scores > own[..., i : i + 1]).sum(-1) for i in range(own.shape[-1])], -1)


@torch.no_grad()
def scores(models: Decoder, tokens: Tensor, place: int, *, asked: Tensor | None = None) -> Tensor:
    """What the lens says [layer seed item vocab] at a place of prompts [seed item length].

    Layer 0 is the embedding, layer i the residual stream after i blocks; each goes through the final norm and the head,
    so that the last layer's scores are the model's own. `asked` as in `Decoder.forward`.
    """
    seen: dict[str, Tensor] = {}
    models(tokens, asked=asked, record=seen)
    return torch.stack([models.read(seen[site][:, :, place]) for site in sites(models)])


def sites(models: Decoder) -> list[str]:
    """The sites of a decoder's residual stream, the embedding first, blocks that run in loops each time they run."""
    return ["embed", *(f"layers.{i}.residual" for i in range(models.shape.depth))]


def ranks(models: Decoder, tokens: Tensor, place: int, wanted: Tensor, *, asked: Tensor | None = None) -> Ranks:
    """The rank of the wanted token [layer seed item] as `scores` sees it; wanted int[seed item], or several [seed item
    wanted], which gives [layer seed item wanted]. Equal scores do not count as higher."""
    several = wanted if wanted.dim() == 3 else wanted[..., None]
    told = scores(models, tokens, place, asked=asked)
    found = ranks_in(told, several.expand(len(told), *several.shape)).cpu().numpy()
    return found if wanted.dim() == 3 else found[..., 0]


@torch.no_grad()
def scores_of_states(model: Any, tokens: Tensor, place: int, *, attention_mask: Tensor | None = None) -> Tensor:
    """What the lens says [layer item vocab] of prompts [item length] of any causal language model of transformers.

    The last hidden state that transformers returns has gone through the final norm already, the others have not. Raises
    Invalid for a model whose final norm is called by no name that is known.
    """
    given = {} if attention_mask is None else {"attention_mask": attention_mask}
    found = model(tokens, output_hidden_states=True, **given)
    *early, last = (state[:, place] for state in found.hidden_states)
    norm, head = final_norm(model), model.get_output_embeddings()
    return torch.stack([head(state) for state in (*map(norm, early), last)])


def ranks_of_states(
    model: Any, tokens: Tensor, place: int, wanted: Tensor, *, attention_mask: Tensor | None = None
) -> Ranks:
    """The rank of the wanted token [layer item] as `scores_of_states` sees it; wanted int[item]."""
    told = scores_of_states(model, tokens, place, attention_mask=attention_mask)
    return ranks_in(told, wanted[:, None].expand(len(told), len(wanted), 1))[..., 0].cpu().numpy()


def final_norm(model: Any) -> Any:
    """The norm that a causal language model of transformers applies before its head."""
    body = model.base_model
    for part in (body, getattr(body, "decoder", None)):
        for name in NORMS:
            if (found := getattr(part, name, None)) is not None:
                return found
    raise Invalid(
        f"{type(model).__name__} has no final norm called {', '.join(NORMS)}, so the lens cannot read its states."
    )


def traced(
    models: Decoder,
    tokens: Tensor,
    others: Mapping[int, Tensor],
    *,
    layers: Sequence[int] | None = None,
    asked: Tensor | None = None,
) -> NDArray[np.bool_]:
    """Whether the answer changes [layer place seed item] when the state at a layer and place is another prompt's.

    `others` gives, for each place that is traced, the prompts [seed item length] whose states are put there. The answer
    is the likeliest token after the last place. Layers count as in `scores`; by default those after a block that has
    others above it (past the last block a state reaches the answer only at the last place). All layers and places run in
    one batch, of as many items as fit the memory.
    """
    traced_layers = tuple(range(1, models.shape.depth)) if layers is None else tuple(layers)
    places, size = tuple(others), tokens.shape[0] * tokens.shape[2] * models.shape.width
    if not traced_layers or not places:
        raise Invalid(
            f"layers={traced_layers}, places={places}: tracing takes one of each; a single block has none within."
        )
    step = max(1, AT_ONCE // (size * len(traced_layers) * len(places)))
    found = [
        _traced(models, tokens[:, at], [others[p][:, at] for p in places], (traced_layers, places), _part(asked, at))
        for at in (slice(i, i + step) for i in range(0, tokens.shape[1], step))
    ]
    return torch.cat(found, -1).cpu().numpy()


@torch.no_grad()
def _traced(
    models: Decoder,
    tokens: Tensor,
    others: Sequence[Tensor],
    grid: tuple[Sequence[int], Sequence[int]],
    asked: Tensor | None,
) -> Tensor:
    """`traced` of items that fit the memory."""
    (layers, places), names, n = grid, sites(models), tokens.shape[1]
    seen: dict[str, Tensor] = {}
    models(torch.cat(tuple(others), 1), asked=_times(asked, len(others)), record=seen)
    before = _said(models, tokens, {}, asked)

    def placed(row: int, site: str) -> Any:
        """Put another prompt's state where it belongs in the rows of this layer."""

        def put(value: Tensor) -> Tensor:
            value = value.clone()
            for column, place in enumerate(places):
                rows = slice((row * len(places) + column) * n, (row * len(places) + column + 1) * n)
                value[:, rows, place] = seen[site][:, column * n : (column + 1) * n, place]
            return value

        return put

    patch = {names[layer]: placed(row, names[layer]) for row, layer in enumerate(layers)}
    times = len(layers) * len(places)
    after = _said(models, tokens.repeat(1, times, 1), patch, _times(asked, times))
    changed = after.view(len(tokens), len(layers), len(places), n) != before[:, None, None]
    return changed.permute(1, 2, 0, 3)


def _said(models: Decoder, tokens: Tensor, patch: Mapping[str, Any], asked: Tensor | None) -> Tensor:
    """The likeliest token after each prompt [seed item]."""
    return models.logits(models(tokens, asked=asked, patch=patch)[:, :, -1]).argmax(-1)


def _times(asked: Tensor | None, n: int) -> Tensor | None:
    return None if asked is None else asked.repeat(1, n)


def _part(asked: Tensor | None, at: slice) -> Tensor | None:
    return None if asked is None else asked[:, at]
