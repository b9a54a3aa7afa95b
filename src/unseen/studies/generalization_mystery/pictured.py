"""Does it hold for residual networks on pictures? ResNets of transformers, trained from scratch, one seed at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from unseen.core.errors import Failed, missing_extra
from unseen.core.lab import Lab
from unseen.core.record import Row, Scored, Split
from unseen.measures.coherence import gradients, of_gradients
from unseen.methods.suppressed import Medians, Winsorised, backward, rolling
from unseen.tasks.labelled_images import CORRUPTED, PRISTINE, TEST, Floats, Labels, digits, relabelled
from unseen.tasks.pictures import Pictures, released

from . import curves
from .arms import Pictured

AT_ONCE = 256  # pictures in one forward pass


@dataclass(frozen=True, eq=False)
class Drawn:
    """What one seed learns from: pictures [n], their given labels and which are right; others held out."""

    train: Pictures
    places: NDArray[np.int64]  # in the data set
    given: Labels
    right: NDArray[np.bool_]
    held: Pictures
    others: NDArray[np.int64]


class Network(nn.Module):
    """A classifier of transformers as a module from pixels [batch 3 side side] to logits [batch class]."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pixels: Tensor) -> Tensor:
        """The logits."""
        return self.inner(pixel_values=pixels).logits


def run(setting: Pictured, lab: Lab) -> Iterator[Row]:
    """Rows of every seed's training: accuracy, loss and coherence at every point, then coherence in the band."""
    for seed in lab.seeds:
        yield from _one(setting, seed, lab)


def network(setting: Pictured, classes: int, seed: int, lab: Lab) -> Network:
    """An untrained network on the lab's device, its weights a function of the seed alone."""
    try:
        from transformers import ResNetConfig, ResNetForImageClassification
    except ModuleNotFoundError as error:
        raise missing_extra("generalization_mystery on pictures", error, "hub") from error
    made: Any = ResNetConfig
    told = made(
        num_channels=3, embedding_size=setting.widths[0] // (4 if setting.block == "bottleneck" else 1),
        hidden_sizes=list(setting.widths), depths=list(setting.depths), layer_type=setting.block, num_labels=classes,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lab.stream("network", seed=seed))
        return Network(ResNetForImageClassification(told)).to(lab.device)


def drawn(setting: Pictured, seed: int, lab: Lab) -> Drawn:
    """One seed's pictures and labels."""
    train, held = twin(setting) if setting.data == "twin" else released(setting.data, side=setting.side)
    places = lab.rng("images", seed=seed).permutation(len(train))[: setting.train or None]
    others = lab.rng("held", seed=seed).permutation(len(held))[: setting.held or None]
    given, right = relabelled(train.labels[places], setting.noise, train.classes, lab.rng("noise", seed=seed))
    return Drawn(train, places, given, right, held, others)


def twin(setting: Pictured) -> tuple[Pictures, Pictures]:
    """The digits, enlarged to whole multiples and coloured, as a data set of pictures that is always here."""
    found = digits()
    large = found.pixels[:, 0].repeat(setting.side // 8, 1).repeat(setting.side // 8, 2) * 255
    colour = np.linspace(0.5, 1, 3)
    column = (large[..., None] * colour).astype(np.uint8)
    half = len(found) // 2
    first, second = (Pictures(column[part], found.labels[part], found.classes, setting.side) for part in (slice(half), slice(half, None)))  # fmt: skip
    return first, second


class _Training:
    """One network, its optimizer, and what its seed learns from."""

    def __init__(self, setting: Pictured, seed: int, lab: Lab) -> None:
        self.setting, self.seed, self.lab = setting, seed, lab
        self.data = drawn(setting, seed, lab)
        self.net = network(setting, self.data.train.classes, seed, lab)
        self.sgd = torch.optim.SGD(self.net.parameters(), setting.lr, momentum=setting.momentum, weight_decay=1e-4)
        self.how = Medians(3) if setting.method == "medians" else Winsorised(setting.level) if setting.level else None
        if setting.method == "rolling":
            rolling(self.sgd)

    def step(self, step: int) -> None:
        """One step on the pictures of its place in the epoch, at a rate that falls as a cosine."""
        n, size = len(self.data.given), self.setting.batch
        epoch, part = divmod(step, n // size)
        order = self.lab.rng("order", epoch, seed=self.seed).permutation(n)
        x, y = self.batch(order[part * size : (part + 1) * size])
        for group in self.sgd.param_groups:
            group["lr"] = self.setting.lr * (1 + np.cos(np.pi * step / self.setting.steps)) / 2
        self.net.train()
        if self.how is not None:
            backward(self.net, nll, (x, y), self.how)
        else:
            self.sgd.zero_grad()
            nll(self.net(x), y).mean().backward()
        self.sgd.step()

    def batch(self, which: NDArray[np.integer]) -> tuple[Tensor, Tensor]:
        """Pictures of the training examples at these places, and their given labels."""
        return self._pixels(self.data.train, self.data.places[which]), self._labels(self.data.given[which])

    @torch.no_grad()
    def answered(self, pictures: Pictures, which: NDArray[np.integer], labels: Labels) -> tuple[float, NDArray[np.bool_]]:  # fmt: skip
        """The mean loss (nats), and which pictures are answered with these labels."""
        self.net.eval()
        losses: list[Tensor] = []
        right: list[Tensor] = []
        for i in range(0, len(which), AT_ONCE):
            y = self._labels(labels[i : i + AT_ONCE])
            logits = self.net(self._pixels(pictures, which[i : i + AT_ONCE]))
            losses.append(nll(logits, y))
            right.append(logits.argmax(-1) == y)
        return float(torch.cat(losses).double().mean()), torch.cat(right).cpu().numpy()

    def coherence(self, sample: NDArray[np.int64]) -> float:
        """m-coherence of the gradients of a sample, some pictures in memory at a time."""
        parts = (sample[i : i + AT_ONCE] for i in range(0, len(sample), AT_ONCE))
        return of_gradients(g for part in parts for g in gradients(self.net, nll, self.batch(part))).m_coherence

    def tensors(self) -> dict[str, Any]:
        """All that the next step depends on, by name."""
        kept: dict[str, Any] = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        for i, state in self.sgd.state_dict()["state"].items():
            kept |= {f"sgd.{i}.{k}": v for k, v in state.items() if isinstance(v, Tensor)}
        return kept

    def resumed(self, kept: dict[str, Any]) -> None:
        """Go on from what `tensors` kept."""
        self.net.load_state_dict({k[4:]: v for k, v in kept.items() if k.startswith("net.")})
        told = self.sgd.state_dict()
        for key, value in kept.items():
            if key.startswith("sgd."):
                _, i, name = key.split(".", 2)
                told["state"].setdefault(int(i), {})[name] = value
        self.sgd.load_state_dict(told)

    def _pixels(self, pictures: Pictures, which: NDArray[np.integer]) -> Tensor:
        return torch.from_numpy((pictures.pixels(which) - MEAN) / DEVIATION).to(self.lab.device)

    def _labels(self, labels: Labels) -> Tensor:
        return torch.from_numpy(labels).to(self.lab.device)


MEAN: Floats = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]  # of ImageNet, as is customary
DEVIATION: Floats = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


def nll(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of each example [batch] (nats)."""
    return F.cross_entropy(logits, labels, reduction="none")


def _one(setting: Pictured, seed: int, lab: Lab) -> Iterator[Row]:
    """The rows of one seed, going on from its last checkpoint."""
    training = _Training(setting, seed, lab)
    course: list[list[float]] = []
    begun, phase = 0, f"seed {seed}"
    if (found := lab.resume(phase)) is not None:
        begun, kept, notes = found
        training.resumed(kept)
        course = notes["course"]
    at = curves.measured_at(setting.steps, setting.points)
    try:
        if not begun:
            yield from _point(training, 0, course)
        for step in range(begun, setting.steps):
            training.step(step)
            lab.progress(step + 1, setting.steps)
            if step + 1 in at:
                yield from _point(training, step + 1, course)
                lab.checkpoint(phase, step + 1, training.tensors(), {"course": course})
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise Failed(f"memory ran out on {setting.batch} pictures of {setting.side} × {setting.side}; lower batch.") from error  # fmt: skip
    share, m = ([point[k] / (course[0][k] if not k else 1) for point in course] for k in (0, 1))
    for name, value in (("band_coherence", curves.in_band(share, m)), ("peak_coherence", max(m)), ("end_coherence", m[-1])):  # fmt: skip
        if not np.isnan(value):  # a row that is missing makes the claims that read it untested
            yield Row(name, value, seed=seed)


def _point(training: _Training, step: int, course: list[list[float]]) -> Iterator[Row]:
    """Measure at a step: add (loss, coherence) to the course, and yield rows."""
    setting, seed, lab, data = training.setting, training.seed, training.lab, training.data
    scored = lab.rng("scored", seed=seed).permutation(len(data.given))[: setting.scored]
    sample = lab.rng("sample", seed=seed).permutation(len(data.given))[: setting.sample]
    loss, right = training.answered(data.train, data.places[scored], data.given[scored])
    _, new = training.answered(data.held, data.others, data.held.labels[data.others])
    m = training.coherence(sample) if np.isfinite(loss) else float("nan")
    course.append([loss, m])
    told: list[tuple[Split, NDArray[np.bool_], NDArray[np.integer]]] = [(TEST, new, data.others)]
    for split, which in ((PRISTINE, data.right[scored]), (CORRUPTED, ~data.right[scored])):
        if which.any():
            told.append((split, right[which], data.places[scored][which]))
    for split, got, names in told:
        yield from Row.each("accuracy", Scored([seed], [[str(k) for k in names]], got[None].astype(float)), split, step=step)  # fmt: skip
    yield Row("train_loss", loss, n=len(scored), step=step, seed=seed)
    yield Row("loss_share", loss / course[0][0], step=step, seed=seed)
    yield Row("m_coherence", m, step=step, seed=seed, at={"of": len(sample)})
