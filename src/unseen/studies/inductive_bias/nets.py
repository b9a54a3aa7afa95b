"""How do many small networks learn the same pictures? Ensembles trained as one batched model.

    losses = trained("mlp", shape, (x, y), (tested, truth), lab)      ->  test errors [member], and the other figures

Members differ in their first weights and in the order of examples. All are moved by one Adam, which treats every weight
by itself, so that a member learns what it would learn alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unseen.core.errors import Invalid
from unseen.core.lab import Lab

from .arms import Ensemble

NAMES = ("mlp", "narrow", "deep", "cnn")
SCORED = 500  # pictures that all members are asked about at a time
Floats = NDArray[np.float64]
Pairs = tuple[NDArray[np.float32], NDArray[np.float32]]  # pictures [n channel side side], targets [n class]


@dataclass(frozen=True, eq=False)
class Scores:
    """What each member of an ensemble ended with: mean squared errors in training and test, and accuracy on the test
    pictures (fraction 0..1), each [member]."""

    taught: Floats
    tested: Floats
    right: Floats


class Stack:
    """Networks of one architecture, their weights stacked [member …]: dense layers, or two convolutions of stride 2 with
    3 × 3 weights and a dense layer, rectified in between."""

    def __init__(self, name: str, setting: Ensemble, picture: tuple[int, ...], classes: int) -> None:
        """`picture` is (channel, side, side). Raises Invalid for a name that is none of NAMES."""
        if name not in NAMES:
            raise Invalid(f"the space {name!r} is neither a kernel nor one of {', '.join(NAMES)}.")
        self.picture, self.convolved = picture, name == "cnn"
        if self.convolved:
            first, second = setting.channels
            side = (picture[1] + 3) // 4
            self.shapes = [(9 * picture[0], first), (9 * first, second), (second * side * side, classes)]
        else:
            width = max(1, setting.width // 2) if name == "narrow" else setting.width
            sizes = [int(np.prod(picture)), *([width] * (4 if name == "deep" else 2)), classes]
            self.shapes = list(pairwise(sizes))

    def weights(self, members: int, rng: np.random.Generator, device: str) -> list[Tensor]:
        """First weights [member in out] and biases [member 1 out], uniform within ±1/√in, as PyTorch draws them."""
        found: list[Tensor] = []
        for a, b in self.shapes:
            for size in ((members, a, b), (members, 1, b)):
                drawn = rng.uniform(-(a**-0.5), a**-0.5, size).astype(np.float32)
                found.append(torch.from_numpy(drawn).to(device).requires_grad_(True))
        return found

    def outputs(self, weights: list[Tensor], x: Tensor) -> Tensor:
        """Outputs [member batch class] of pictures [member batch channel side side]."""
        members, batch = x.shape[:2]
        layers = list(zip(weights[::2], weights[1::2], strict=True))
        if self.convolved:
            for w, b in layers[:-1]:
                side = (x.shape[-1] + 1) // 2
                patches = F.unfold(x.flatten(0, 1), 3, padding=1, stride=2)  # [member·batch 9·channel place]
                patches = patches.unflatten(0, (members, batch)).transpose(2, 3).flatten(1, 2)
                x = torch.relu(torch.baddbmm(b, patches, w)).view(members, batch, side * side, -1)
                x = x.transpose(2, 3).unflatten(3, (side, side))
            layers = layers[-1:]
        x = x.flatten(2)
        for i, (w, b) in enumerate(layers):
            x = torch.baddbmm(b, x, w)
            x = torch.relu(x) if i < len(layers) - 1 else x
        return x


def trained(name: str, setting: Ensemble, train: Pairs, test: Pairs, lab: Lab) -> Scores:
    """The scores of `setting.members` networks trained on squared errors of the same pictures, `together` at a time."""
    parts: list[Scores] = []
    for start in range(0, setting.members, setting.together):
        members = min(setting.together, setting.members - start)
        stack = Stack(name, setting, train[0].shape[1:], train[1].shape[1])
        weights = stack.weights(members, lab.rng("weights", name, start), lab.device)
        x, y = (torch.from_numpy(v).to(lab.device) for v in train)
        optimizer = torch.optim.Adam(weights, setting.lr)
        for batch in _batches(len(x), members, setting, lab.rng("order", name, start)):
            loss = (stack.outputs(weights, x[batch]) - y[batch]).square().mean((1, 2)).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        lab.progress(start + members, setting.members, space=name)
        tested, right = scored(stack, weights, test, lab.device)
        parts.append(Scores(scored(stack, weights, train, lab.device)[0], tested, right))
    return Scores(*(np.concatenate([getattr(p, k) for p in parts]) for k in ("taught", "tested", "right")))


@torch.no_grad()
def scored(stack: Stack, weights: list[Tensor], pairs: Pairs, device: str) -> tuple[Floats, Floats]:
    """The mean squared error and the accuracy of every member [member] on pictures."""
    error: Any = 0.0
    right: Any = 0.0
    for start in range(0, len(pairs[0]), SCORED):
        x, y = (torch.from_numpy(v[start : start + SCORED]).to(device) for v in pairs)
        found = stack.outputs(weights, x.expand(len(weights[0]), *x.shape))
        error = error + (found - y).double().square().sum((1, 2))
        right = right + (found.argmax(2) == y.argmax(1)).double().sum(1)
    n = len(pairs[0])
    return (error / (n * pairs[1].shape[1])).cpu().numpy(), (right / n).cpu().numpy()


def _batches(n: int, members: int, setting: Ensemble, rng: np.random.Generator) -> Iterator[Tensor]:
    """The examples of every step [member batch]: each member its own order in every epoch, what fills no batch left out.

    Raises Invalid where there are fewer examples than a batch holds."""
    if not 1 <= setting.batch <= n:
        raise Invalid(f"batch={setting.batch}: it is from 1 to the {n} examples.")
    every = np.broadcast_to(np.arange(n), (members, n))
    for _ in range(setting.epochs):
        orders = rng.permuted(every, axis=1)
        for start in range(0, n - setting.batch + 1, setting.batch):
            yield torch.from_numpy(orders[:, start : start + setting.batch])
