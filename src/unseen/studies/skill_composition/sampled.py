"""What do small decoders write when they are sampled? Several texts for each prompt, member by member reproducible.

texts(models, prompts, steps=20, temperature=0.7, noise=[rng of each member])   # [seed batch steps], 0 behind the end
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unseen.models.decoder import Decoder
from unseen.tasks.layout import EOS


@torch.inference_mode()
def texts(
    models: Decoder,
    prompts: NDArray[np.integer],
    *,
    steps: int,
    temperature: float,
    noise: Sequence[np.random.Generator],
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Tokens [seed batch steps] that each decoder continues prompts [seed batch length] with, and whether each came to
    its end [seed batch]; the end mark is not among the tokens, and zeros follow it.

    A token is the largest of its logit over the temperature plus Gumbel noise, which is the member's own.
    """
    cache: list[tuple[torch.Tensor, torch.Tensor]] = []
    given = torch.from_numpy(prompts).to(models.flat.device)
    over = torch.zeros(given.shape[:2], dtype=torch.bool, device=given.device)
    said: list[torch.Tensor] = []
    for _ in range(steps + 1):
        logits = models.logits(models(given, cache=cache)[:, :, -1])
        drawn = np.stack([rng.gumbel(size=logits.shape[1:]) for rng in noise]).astype(np.float32)
        chosen = (logits / temperature + torch.from_numpy(drawn).to(logits.device)).argmax(-1)
        over = over | (chosen == EOS)
        said.append(chosen.masked_fill(over, 0))
        if bool(over.all()):
            break
        given = chosen[..., None]
    whole = torch.stack(said, 2).cpu().numpy()
    wide = np.zeros((*whole.shape[:2], steps), np.int64)
    wide[:, :, : whole.shape[2]] = whole[:, :, :steps]
    return wide, over.cpu().numpy()
