"""What else could stand in the place of a layer's activations? Dictionaries that know nothing of reasoning, and noise.

at_fvu(random_like(sae, seed=0), x, 0.08)     a random dictionary's error, as large as the learned one's
noise(x, 0.08)                                Gaussian noise of the same energy
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from unseen.measures.sae import SparseAutoencoder, report

Replace = Callable[[Tensor], Tensor]


def random_like(sae: SparseAutoencoder, x: Tensor, seed: int) -> SparseAutoencoder:
    """A dictionary of as many random directions of norm 1, read by themselves, about the mean of x [row width]."""
    source = torch.Generator().manual_seed(seed)
    drawn = F.normalize(torch.randn(sae.features, sae.width, generator=source), dim=1).to(sae.decoder)
    return replace(
        sae,
        encoder=drawn.T.contiguous(),
        encoder_bias=torch.zeros_like(sae.encoder_bias),
        decoder=drawn,
        decoder_bias=x.mean(0).to(sae.decoder),
        report=None,
    )


def at_fvu(reconstruct: Replace, x: Tensor, fvu: float) -> Replace:
    """A reconstruction whose error is scaled so that it leaves the share `fvu` of the variance of x unexplained."""
    scale = (fvu / max(report(reconstruct, x).fvu, 1e-12)) ** 0.5
    return lambda given: given + scale * (reconstruct(given) - given)


def noise(x: Tensor, fvu: float) -> Replace:
    """Adds Gaussian noise, alike in all directions and drawn anew each time, of the energy `fvu` times the variance of x.

    It comes from torch's own stream, which trainers seed and keep in their checkpoints.
    """
    spread = float((fvu * (x - x.mean(0)).square().mean()) ** 0.5)
    return lambda given: given + spread * torch.randn_like(given)
