"""How are harder images made learnable? A frozen network turns each into features, and those are the examples.

embedded("cifar10", "microsoft/resnet-18", 64, lab).train.x  ->  float32[50000 64], principal components of the network's
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unseen.core.errors import Missing, missing_extra
from unseen.core.lab import Lab
from unseen.tasks import labelled
from unseen.tasks.labelled import HUB, Labelled

RANDOM = "random"  # a small network with random weights, for where nothing may be fetched
PIXELS = 32  # a side of what the random network reads
AT_ONCE = 128
Rows = NDArray[np.floating]


def embedded(name: str, network: str, features: int, lab: Lab) -> Labelled:
    """A set of images (of the hub, or digits or glyphs) as so many principal components of a frozen network's output.

    The network's pooled output is kept by the lab. Raises Missing without the extra hub or a network.
    """
    path = lab.once(f"{name}-{network}.npz", lambda to: _kept(name, network, to), images=name, network=network)
    with np.load(path) as held:
        return labelled.made(name, held["x"], held["y"], held["test"], features=features)


def _kept(name: str, network: str, to: Path) -> None:
    images, y, test = _pictures(name)
    x = np.concatenate(list(_outputs(images, network)))
    with to.open("wb") as file:
        np.savez(file, x=x, y=y, test=test)


def _pictures(name: str) -> tuple[Any, NDArray[np.int64], NDArray[np.bool_]]:
    """Images uint8[example side side 3], labels [example], and which are for testing."""
    if name in HUB:
        found = [labelled.fetched(HUB[name], split) for split in ("train", "test")]
        images = np.concatenate(
            [
                np.stack([np.asarray(i.convert("RGB").resize((PIXELS, PIXELS)), np.uint8) for i in part])
                for part, _ in found
            ]
        )
        y = np.concatenate([labels for _, labels in found])
        return images, y, np.arange(len(y)) >= len(found[0][1])
    drawn = labelled.digits() if name == "digits" else labelled.glyphs(8, 10, np.random.default_rng(0), each=60)
    x = np.concatenate([drawn.train.x, drawn.test.x])
    y = np.concatenate([drawn.train.y, drawn.test.y])
    grey = np.clip((x - x.min()) / (x.max() - x.min()) * 255, 0, 255).astype(np.uint8).reshape(-1, 8, 8)
    wide = np.repeat(np.repeat(grey, PIXELS // 8, 1), PIXELS // 8, 2)
    return np.repeat(wide[..., None], 3, 3), y, np.arange(len(y)) >= len(drawn.train.y)


def _outputs(images: NDArray[np.uint8], network: str) -> Iterator[Rows]:
    """The pooled outputs [example feature] of the network, some examples at a time."""
    import torch

    model, prepare = opened(network)
    for i in range(0, len(images), AT_ONCE):
        with torch.inference_mode():
            pooled = model(prepare(images[i : i + AT_ONCE])).pooler_output
        yield pooled.flatten(1).float().cpu().numpy()


def opened(network: str) -> tuple[Any, Any]:
    """A frozen network and what turns images uint8[n side side 3] into its input [n 3 side side]."""
    try:
        import torch
        from transformers import AutoImageProcessor, AutoModel, ResNetConfig, ResNetModel
    except ModuleNotFoundError as error:
        raise missing_extra(f"the network {network}", error, "hub") from error
    if network == RANDOM:
        torch.manual_seed(0)
        sizes = ResNetConfig(embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic")
        return ResNetModel(sizes).eval(), _scaled
    try:
        processor, model = AutoImageProcessor.from_pretrained(network), AutoModel.from_pretrained(network).eval()
    except OSError as error:
        raise Missing(
            f"the network {network} could not be had ({' '.join(str(error).split())[:200]}); fetch it where there is a connection."
        ) from error

    def prepared(images: NDArray[np.uint8]) -> Any:
        return processor(list(images), return_tensors="pt")["pixel_values"]

    return model, prepared


def _scaled(images: NDArray[np.uint8]) -> Any:
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
